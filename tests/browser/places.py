"""The main pages of Muster: who looks, and where. What is looked at here is also what the screenshots show."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.browser.lived_in import Places

Where = Callable[[Places], tuple[str | None, str]]

OPEN = "closed_at IS NULL"

PAGES: Mapping[str, Where] = {
    "sign-in": lambda p: (None, "/sign-in"),
    "account": lambda p: ("Amara", "/account"),
}

PICTURES: Mapping[str, tuple[str, bool]] = {
    "sign-in": ("light", False),
}
"""Which of them the README shows: in which light, and whether on a phone."""

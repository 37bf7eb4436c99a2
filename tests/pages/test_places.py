"""Every page is among those that are looked at in light and dark, on a laptop and a phone."""

from __future__ import annotations

import re
from typing import cast

from tests.browser.lived_in import Places
from tests.browser.places import ANSWERS, NOT_LOOKED_AT, PAGES, STEPS
from tests.pages.test_access import KNOWN

NOWHERE = "/m/x/nothing"
"""A place whose page says that nothing is there."""


class Anywhere:
    """Names of things that are in no database: only the shape of an address matters here."""

    def __getattr__(self, name: str) -> object:
        known = {"password_link": "/password/x", "leave_link": "/links/leave/x"}
        ways = {"link": lambda *given: f"/{_door(*given)}/x", "letter": _letter}
        return ways.get(name, lambda *given: known.get(name, "x"))


def _door(where: str, purpose: str = "member") -> str:
    return {"member": "m", "unsubscribe": "unsubscribe"}.get(purpose, "p/complainant")


def _letter(where: str, purpose: str = "") -> str:
    return f"/{_door(where, purpose)}/x/letters/1" if purpose else "/cases/x/messages/1"


def test_every_address_that_answers_get_is_looked_at_or_says_why_not() -> None:
    known = [line.removeprefix("GET ").split(": ")[0] for line in KNOWN.read_text().splitlines() if line[:4] == "GET "]
    asked = [path for path in known if not path.startswith("/api/")]
    others = {path for paths in NOT_LOOKED_AT.values() for path in paths.split()}
    shown = {_route(where(cast(Places, Anywhere()))[1], asked) for where in PAGES.values()}
    assert shown - set(asked) == {NOWHERE}, "a place that no route answers"
    assert sorted(set(asked) - shown - others) == [], "a page that nobody looks at: add it to places.py"
    assert sorted(shown & others | others - set(asked)) == [], "said not to be looked at"
    assert set(STEPS) | set(ANSWERS) <= set(PAGES)


def _route(address: str, known: list[str]) -> str:
    """Return the route of an address: of all that fit, the one with the fewest variables."""
    path = address.partition("?")[0]
    fit = [route for route in known if re.fullmatch(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(route)), path)]
    return min(fit, key=lambda route: route.count("{"), default=address)

"""Every main page is usable by everybody: WCAG 2.2 A and AA as axe finds it, light and dark, on a laptop and a phone.

The organisation is the lived-in one of the demo, so that pages are as full as they get.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from cases.breaker.holding import hold_back
from cases.looking.recording import EXPORT, FILE, LETTER, Look
from cases.looking.store import keep
from state_machines.policy import BreakerLimits
from tests.browser.conftest import LAPTOP, PHONE, Desk, Person, serving
from tests.browser.lived_in import TUESDAY, Places, lived_in
from tests.browser.places import PAGES
from tests.cast import Cast

pytestmark = pytest.mark.browser

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]},
    "resultTypes": ["violations"],
}
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
"""In the dark a page has the same elements and other colours."""
HEAVIEST = 200_000
WAYS = [("light", LAPTOP), ("dark", LAPTOP), ("light", PHONE), ("dark", PHONE)]


@dataclass
class Visit:
    """A running demo, and browsers signed in to it."""

    desk: Desk
    places: Places
    people: dict[str | None, Person]

    def person(self, name: str | None) -> Person:
        """Return somebody at a browser; each signs in once."""
        if name not in self.people:
            # axe is injected as a script, which the page's own policy refuses: this one browser may.
            made = self.desk.person(bypass_csp=True, reduced_motion="reduce")
            self.people[name] = made.sign_in(name) if name else made
        return self.people[name]


@pytest.fixture(scope="module")
def visit(chromium: Browser, database_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The demo's organisation, served."""
    with lived_in(database_server, tmp_path_factory.mktemp("home")) as (cast, places), serving(cast) as address:
        _out_of_the_ordinary(cast)
        desk = Desk(cast, address, chromium)
        yield Visit(desk, places, {})
        for context in desk.contexts:
            context.close()


def _out_of_the_ordinary(cast: Cast) -> None:
    """What the demo has none of: signatures that are held back, and looks at what is restricted."""
    asks = cast.env.policy.breaker.model_copy(update={"processes": {"signature": BreakerLimits(late=0)}})
    late = replace(cast.env, policy=cast.env.policy.model_copy(update={"breaker": asks}))
    hold_back(late, TUESDAY + timedelta(days=30))
    looks = [Look("staff:1", None, what, "CO-2026-000001", "minutes.pdf") for what in (FILE, LETTER, EXPORT)]
    keep(cast.env.engine, looks, through="page", request="GET /cases", now=TUESDAY)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_to_wcag_in_light_and_dark_on_laptop_and_phone(visit: Visit, name: str) -> None:
    who, path = PAGES[name](visit.places)
    person = visit.person(who)
    with weighed(person.page) as sizes:
        answer = person.page.goto(path, wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200, person.page.inner_text("main")
    assert 0 < sum(sizes.values()) < HEAVIEST, f"{sum(sizes.values())} bytes on the wire"
    person.page.evaluate(AXE_SCRIPT)
    problems = []
    for scheme, size in WAYS:
        person.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        person.page.set_viewport_size(size)  # type: ignore[arg-type]
        found = person.page.evaluate("rules => axe.run(rules)", RULES if scheme == "light" else COLOURS)
        problems += [f"{scheme}, {size['width']} px: {_told(bad)}" for bad in found["violations"]]
        wide = person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        problems += [f"{size['width']} px: the page is {wide} pixels wider than the screen"] if wide > 0 else []
    assert problems + person.troubles == []


@contextmanager
def weighed(page: Page) -> Iterator[dict[str, int]]:
    """Yield the bytes on the wire of each thing a page loads, nothing from the cache."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: dict[str, int] = {}
    session.on("Network.loadingFinished", lambda e: sizes.__setitem__(e["requestId"], int(e["encodedDataLength"])))
    yield sizes
    session.detach()


def _told(violation: dict[str, Any]) -> str:
    nodes = [f"{node['target']} {node['failureSummary'].splitlines()[-1].strip()}" for node in violation["nodes"][:4]]
    return f"{violation['id']} ({len(violation['nodes'])}): {'; '.join(nodes)}"

"""Every main page is usable by everybody: WCAG 2.2 A and AA as axe finds it, light and dark, on a laptop and a phone.

The organisation is the lived-in one of the demo, so that pages are as full as they get.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.conftest import LAPTOP, PHONE, Desk, Person, serving
from tests.browser.lived_in import Places, lived_in
from tests.browser.places import PAGES

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}}
HEAVIEST = 200_000
WAYS = [("light", LAPTOP), ("dark", LAPTOP), ("light", PHONE), ("dark", PHONE)]


@dataclass
class Visit:
    """A running demo, and browsers signed in to it."""

    desk: Desk
    places: Places
    people: dict[tuple[str | None, str, int], Person]

    def person(self, name: str | None, scheme: str, size: dict[str, int]) -> Person:
        """Return somebody looking in this light at a screen of this size; each signs in once."""
        key = (name, scheme, size["width"])
        if key not in self.people:
            # axe is injected as a script, which the page's own policy refuses: this one browser may.
            made = self.desk.person(color_scheme=scheme, bypass_csp=True)
            made.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.people[key] = made.sign_in(name) if name else made
        return self.people[key]


@pytest.fixture(scope="module")
def visit(chromium: Browser, database_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The demo's organisation, served."""
    with lived_in(database_server, tmp_path_factory.mktemp("home")) as (cast, places), serving(cast) as address:
        desk = Desk(cast, address, chromium)
        yield Visit(desk, places, {})
        for context in desk.contexts:
            context.close()


@pytest.mark.parametrize(("scheme", "size"), WAYS, ids=[f"{s}-{w['width']}" for s, w in WAYS])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_to_wcag(visit: Visit, name: str, scheme: str, size: dict[str, int]) -> None:
    who, path = PAGES[name](visit.places)
    person = visit.person(who, scheme, size)
    answer = person.page.goto(path)
    assert answer is not None
    assert answer.status == 200, person.page.inner_text("main")
    found: Any = Axe().run(person.page, options=RULES)
    assert [_told(bad) for bad in found.response["violations"]] == []
    wide = person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} pixels wider than the screen"
    assert person.troubles == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_weighs_less_than_200_kb_on_the_wire(visit: Visit, name: str) -> None:
    who, path = PAGES[name](visit.places)
    page = visit.person(who, "light", LAPTOP).page
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: dict[str, int] = {}
    session.on("Network.loadingFinished", lambda e: sizes.__setitem__(e["requestId"], int(e["encodedDataLength"])))
    page.goto(path, wait_until="networkidle")
    session.detach()
    assert 0 < sum(sizes.values()) < HEAVIEST, sizes


def _told(violation: dict[str, Any]) -> str:
    nodes = "; ".join(
        f"{node['target']} {node['failureSummary'].splitlines()[-1].strip()}" for node in violation["nodes"][:4]
    )
    return f"{violation['id']} ({len(violation['nodes'])}): {nodes}"

"""Every main page is usable by everybody: WCAG 2.2 A and AA as axe finds it, light and dark, on a laptop and a phone.

The organisation is the lived-in one of the demo, so that pages are as full as they get.
"""

from __future__ import annotations

import os
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
from tests.browser.conftest import LAPTOP, PHONE, Desk, Person, at_rest, serving
from tests.browser.lived_in import Places, lived_in
from tests.browser.places import ANSWERS, PAGES, STEPS
from tests.cast import Cast
from tests.sample import TODAY_AT_NINE

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
"""Every rule for everything on a page."""
COLOURS = ["color-contrast", "link-in-text-block"]
"""Dear, because axe looks at what lies under each piece of text; elements that look alike are one question."""
PLACE = ["target-size"]
HEAVIEST = 200_000
SMALLEST = {"width": 320, "height": 640}
"""A laptop's window at a zoom of 400 %: nothing may then need sideways scrolling (WCAG 1.4.10)."""
WAYS = [("light", LAPTOP), ("dark", LAPTOP), ("light", PHONE), ("dark", PHONE)]
LOOKS = Path(__file__).with_name("looks.js").read_text()
EVERYTHING = bool(os.environ.get("MUSTER_SOAK"))


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
    hold_back(late, TODAY_AT_NINE + timedelta(days=30))
    looks = [Look("staff:1", None, what, "CO-2026-000001", "minutes.pdf") for what in (FILE, LETTER, EXPORT)]
    keep(cast.env.engine, looks, through="page", request="GET /cases", now=TODAY_AT_NINE)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_to_wcag_in_light_and_dark_on_laptop_and_phone(visit: Visit, name: str) -> None:
    who, path = PAGES[name](visit.places)
    person = visit.person(who)
    with weighed(person.page) as sizes:
        answer = person.page.goto(path)
        person.page.evaluate("document.fonts.ready.then(() => true)")
    assert answer is not None
    assert answer.status == ANSWERS.get(name, 200), person.page.inner_text("main")
    if name in STEPS:
        STEPS[name](person.page)
        at_rest(person.page)
    assert 0 < sum(sizes.values()) < HEAVIEST, f"{sum(sizes.values())} bytes on the wire"
    assert list(found_on(person.page)) + person.troubles == []


def found_on(page: Page, *, everything: bool = EVERYTHING) -> Iterator[str]:
    """Yield what is wrong with a page, in words: each rule in each light and at each width in which it can differ.

    Of texts that look alike, three are asked about their colours; what a phone alone shows is asked about all
    rules. With ``everything``, each rule is asked about all elements each time.
    """
    page.evaluate(AXE_SCRIPT)
    page.evaluate(LOOKS)
    for scheme, size in WAYS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        asked = {"rules": RULES, "colours": COLOURS, "place": PLACE, "everything": everything, "scheme": scheme}
        which = {"first": (scheme, size) == WAYS[0], "sized": scheme == "light"}
        violations, wide = page.evaluate("asked => lookedAt(asked)", {**asked, **which})
        yield from (f"{scheme}, {size['width']} px: {_told(bad)}" for bad in violations)
        yield from _too_wide(size, wide)
    page.set_viewport_size(SMALLEST)  # type: ignore[arg-type]
    yield from _too_wide(SMALLEST, page.evaluate("tooWide()"))


def _too_wide(size: dict[str, int], wide: int) -> Iterator[str]:
    if wide > 0:
        yield f"{size['width']} px: the page is {wide} pixels wider than the screen"


SMALL = "#planted button { width: 10px; height: 10px; min-height: 0; min-width: 0; padding: 0; border: 0 }"
PLANTED = [
    ("#planted { color: #ddd; background: #fff }", "light, 1280 px: color-contrast"),
    ("[data-bs-theme=dark] #planted { color: #333; background: #222 }", "dark, 1280 px: color-contrast"),
    ("@media (max-width: 40rem) { [data-bs-theme=light] #planted { color: #ccc; background: #fff } }",
     "light, 390 px: color-contrast"),
    ("@media (max-width: 40rem) { [data-bs-theme=dark] #planted { color: #444; background: #222 } }",
     "dark, 390 px: color-contrast"),
    (SMALL, "light, 1280 px: target-size"),
    (f"@media (max-width: 40rem) {{ {SMALL} }}", "light, 390 px: target-size"),
    ("#planted img { display: block }", "light, 1280 px: image-alt"),
    ("@media (max-width: 40rem) { #planted img { display: block } }", "light, 390 px: image-alt"),
    ("#planted { width: 350px }", "320 px: the page is"),
]  # fmt: skip
PLANT = """() => document.querySelector("main").insertAdjacentHTML("beforeend",
    "<style>#planted img { display: none }</style><style id=how></style>"
    + "<div id=planted><p>Words</p><div><button class=btn>1</button><button class=btn>2</button></div><img></div>")"""


def test_what_is_wrong_in_one_light_or_at_one_width_alone_is_found(visit: Visit) -> None:
    page = visit.person(None).page
    for rule, expected in PLANTED:
        page.goto("/password/forgotten")
        page.evaluate(PLANT)
        page.evaluate("rule => { document.getElementById('how').textContent = rule; }", rule)
        first = next(found_on(page, everything=False), "nothing")
        assert first.startswith(expected), f"{rule}: {first}"


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

"""The list somebody works through, and where in it they stand: "Next" goes on from there, and the way back leads there.

A step moves a case down its list; the way on from its new place would pass over everything that is more urgent. So the
browser keeps, as long as somebody stays with a case, the place at which they came to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from cases.lists.keyset import Place, place_from
from cases.lists.narrowing import Narrow, narrow_from
from cases.lists.next_case import next_case
from cases.lists.worklist import order_of
from web.desk import filters
from web.desk_page import LIST_COOKIE, DeskPage, set_cookie

LISTS = {"/queue": "My queue", "/cases": "All cases"}
_LONGEST = 2_000
"""Characters that a cookie may have; a list that is narrowed by more is not kept."""


@dataclass(frozen=True)
class Walk:
    """A list that somebody has opened, and the case in it at which they are."""

    address: str = ""
    """Where the list is, with its filters and its page; empty: none was opened."""
    ref: str = ""
    place: Place | None = None
    """Where in the list the case stood when they came to it."""

    @property
    def path(self) -> str:
        """Which list it is; the queue where none was opened."""
        path = self.address.partition("?")[0]
        return path if path in LISTS else "/queue"

    @property
    def narrow(self) -> Narrow:
        """What the list is narrowed to."""
        return narrow_from(dict(filters.parsed(self.address.partition("?")[2])))


def at(desk: DeskPage, row: Any) -> Walk:
    """Return where somebody stands who looks at a case; ``row`` is the case's."""
    kept = _kept(desk)
    if kept.ref == row.ref:
        return kept
    stands = Place(getattr(row, order_of(kept.narrow).column.key), row.id)
    return Walk(kept.address, row.ref, stands)


def keep(desk: DeskPage, response: Response, walk: Walk) -> Response:
    """Have the browser keep where somebody stands, with the answer that shows them the list or the case."""
    parts = {"list": walk.address, "ref": walk.ref, "at": str(walk.place) if walk.place else ""}
    value = urlencode({name: text for name, text in parts.items() if text})
    if value != desk.request.cookies.get(LIST_COOKIE) and len(value) < _LONGEST:
        set_cookie(response, desk.env.settings, LIST_COOKIE, value, seconds=None)
    return response


def onward(desk: DeskPage, walk: Walk) -> str | None:
    """Return the reference of the next case of the list, or None where there is no other."""
    return next_case(
        desk.env, walk.ref, walk.place, walk.narrow, mine=walk.path == "/queue", actor=desk.actor, now=desk.now
    )  # fmt: skip


def said(desk: DeskPage, walk: Walk) -> str:
    """Return the list in words, with what it is narrowed to."""
    chips = filters.chips(walk.path, walk.narrow, desk.staffing)
    return ", ".join([LISTS[walk.path], *(chip.words for chip in chips)])


def _kept(desk: DeskPage) -> Walk:
    """What the browser keeps. It is the reader's own, and decides nothing about what they may see."""
    found = dict(filters.parsed(desk.request.cookies.get(LIST_COOKIE, "")))
    address = found.get("list", "")
    known = address.partition("?")[0] in ("", *LISTS)
    return Walk(address if known else "", found.get("ref", ""), place_from(found.get("at", "")))

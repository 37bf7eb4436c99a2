"""My queue and all cases: lists that are narrowed by their address, page by page, and kept as a file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime

from starlette.responses import Response

from cases.environment import World
from cases.intake import openable
from cases.lists import worklist
from cases.lists.bulk import MOST
from cases.lists.keyset import Place, place_from
from cases.lists.narrowing import Narrow, narrow_from
from cases.lists.worklist import Line, Page
from config.database import reading
from reports.table import CSV, csv_chunks
from web import saved_views
from web.access import STAFF
from web.desk import filters, walking
from web.desk_page import Desk, DeskPage
from web.routing import Pages

pages = Pages(may=STAFF)

PLACE = "place"
EXPORTED_AT_ONCE = 1_000
Read = Callable[..., Page]


@pages.get("/queue", statements=8)
def queue(desk: Desk) -> Response:
    """The open cases a person may act on now, soonest deadline first."""
    return _list(desk, "/queue", "My queue", worklist.queue_page)


@pages.get("/cases", statements=8)
def cases(desk: Desk) -> Response:
    """All cases a person may see, open ones unless others are asked for."""
    return _list(desk, "/cases", "All cases", worklist.list_page)


@pages.get("/queue.csv", statements=7)
def queue_file(desk: Desk) -> Response:
    """The queue as it is narrowed, every page of it, as CSV."""
    return desk.download("queue.csv", CSV, _file(desk, worklist.queue_page))


@pages.get("/cases.csv", statements=6)
def cases_file(desk: Desk) -> Response:
    """The list as it is narrowed, every page of it, as CSV."""
    return desk.download("cases.csv", CSV, _file(desk, worklist.list_page))


def _list(desk: DeskPage, path: str, title: str, read: Read) -> Response:
    query = desk.request.query_params
    narrow = narrow_from(query)
    if "" in query.values():  # a form sends every field; an address to keep has only those that say something
        return desk.see_other(filters.address(path, narrow))
    place = place_from(query.get(PLACE, ""))
    with reading(desk.env.engine) as conn:
        page = read(conn, World(desk.env, desk.staffing, desk.now), narrow, place, actor=desk.actor)
        views = saved_views.pinned_views(conn, desk.person.id)
    here = _turned(path, narrow, place) or filters.address(path, narrow)
    shown = desk.page(
        "desk/queue.html", title=title, path=path, narrow=narrow, page=page, lines=page.lines,
        chips=filters.chips(path, narrow, desk.staffing), choices=filters.choices(narrow, desk.staffing),
        soon=filters.soon(path, narrow),
        counts=filters.counts(path, narrow, page.tallies), cut=page.tallies.cut,
        first=filters.address(path, narrow), here=here,
        may_open=bool(openable(desk.roles_today)), query=filters.address("", narrow).removeprefix("?"),
        next=_turned(path, narrow, page.after), previous=_turned(path, narrow, page.before),
        views=views, most=MOST, whose=lambda line: (_in_my_queue if path == "/queue" else whose)(line, desk),
    )  # fmt: skip
    return walking.keep(desk, shown, walking.Walk(here))


def _turned(path: str, narrow: Narrow, place: Place | None) -> str | None:
    return filters.address(path, narrow, **{PLACE: str(place)}) if place else None


def whose(line: Line, desk: DeskPage) -> str:
    """Return for whom a person acts on a case, or who acts for its owner; nothing where the owner acts."""
    until = f" until {line.away_until.day} {line.away_until:%B}" if line.away_until else ""
    if line.owner_id in desk.stands_in_for:
        return f"for {line.owner}, away{until}" if until else f"for {line.owner}, who has left"
    if line.acting is None:
        return ""
    return f"away{until}, {line.acting} acts" if until else f"has left, {line.acting} acts"


def _in_my_queue(line: Line, desk: DeskPage) -> str:
    """The same for a list without owners, in which a case is one's own unless this says something else."""
    said = whose(line, desk)
    if not said or line.owner_id in desk.stands_in_for:
        return said
    return f"you are {said}" if line.owner_id == desk.person.id else f"{line.owner}, {said}"


# --------------------------------------------------------------------------------------------------- as a file

COLUMNS = (
    "reference", "process", "state", "subject", "member", "member reference", "team", "owner", "acting", "deadline",
    "overdue", "received", "closed", "outcome", "on hold", "parked", "restricted",
    "held back",
)  # fmt: skip


def _file(desk: DeskPage, read: Read) -> Iterator[str]:
    return csv_chunks(itertools.chain([COLUMNS], (_cells(line, desk) for line in _every_line(desk, read))))


def first_of(desk: DeskPage, address: str, count: int) -> list[Line]:
    """Return the first lines of the list at an address of ours."""
    path, _, query = address.partition("?")
    read = {"/queue": worklist.queue_page}.get(path, worklist.list_page)
    here = World(desk.env, desk.staffing, desk.now)
    with reading(desk.env.engine) as conn:
        narrow = narrow_from(dict(filters.parsed(query)))
        return read(conn, here, narrow, size=count, counted=False, actor=desk.actor).lines


def _every_line(desk: DeskPage, read: Read) -> Iterator[Line]:
    """Every line of a list, read page by page while the file is sent."""
    narrow = narrow_from(desk.request.query_params)
    here, place = World(desk.env, desk.staffing, desk.now), None
    while True:
        with reading(desk.env.engine) as conn:
            page = read(conn, here, narrow, place, size=EXPORTED_AT_ONCE, counted=False, actor=desk.actor)
        yield from page.lines
        if page.after is None:
            return
        place = page.after


def _cells(line: Line, desk: DeskPage) -> tuple[str | None, ...]:
    def instant(at: datetime | None) -> str | None:
        return at.astimezone(desk.env.settings.zone).strftime("%Y-%m-%d %H:%M") if at else None

    return (
        line.ref, line.process_title, line.state_title, line.subject, line.member, line.member_ref, line.team,
        line.owner, line.acting, instant(line.deadline), _yes(line.overdue), instant(line.received),
        instant(line.closed), line.outcome, _yes(line.on_hold), _yes(line.parked), _yes(line.restricted),
        _yes(line.held),
    )  # fmt: skip


def _yes(flag: bool) -> str:
    return "yes" if flag else ""

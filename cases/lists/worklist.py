"""The queue and the list of all cases, page by page. What is shown goes through ``visible``, and comes by index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from cases.breaker.waiting import is_held
from cases.environment import Environment, World, world
from cases.lists import tallies
from cases.lists.keyset import BY_CLOSING, BY_DEADLINE, BY_RECEIPT, Order, Place, keys
from cases.lists.narrowing import Narrow, Phase, conditions
from cases.lists.tallies import Tallies
from cases.lists.ways_in import narrowed, ways
from cases.tables import CaseRow
from config.database import Connection, reading
from members.staffing import Staffing
from members.tables import Member
from state_machines.calendars import Calendar
from state_machines.registry import process_named
from state_machines.values import Actor

PAGE = 50


class Line(NamedTuple):
    """A case as a list shows it."""

    id: int
    ref: str
    version: int
    process: str
    process_title: str
    state: str
    state_title: str
    subject: str
    member: str | None
    member_ref: str | None
    team: str | None
    owner_id: int | None
    owner: str | None
    acting: str | None
    """Who acts for the owner today, when the owner is away or has left."""
    away_until: date | None
    """The last day on which the owner is away."""
    deadline: datetime | None
    overdue: bool
    received: datetime
    closed: datetime | None
    outcome: str | None
    on_hold: bool
    parked: bool
    restricted: bool
    held: bool
    """Whether Muster does nothing about it until a manager decides."""


@dataclass(frozen=True)
class Page:
    """One page of a list, where the pages before and after it begin, and how many cases there are in which state."""

    lines: list[Line]
    before: Place | None
    after: Place | None
    tallies: Tallies
    staffing: Staffing
    now: datetime


# ------------------------------------------------------------------------------------------------ the two lists


def queue(
    env: Environment, narrow: Narrow, place: Place | None = None, *, size: int = PAGE, actor: Actor,
    now: datetime | None = None,
) -> Page:  # fmt: skip
    """Return a page of the open cases a person may act on: their own, and those of whom they stand in for today."""
    with reading(env.engine) as conn:
        return queue_page(conn, world(conn, env, now), narrow, place, size=size, actor=actor)


def all_cases(
    env: Environment, narrow: Narrow, place: Place | None = None, *, size: int = PAGE, actor: Actor,
    now: datetime | None = None,
) -> Page:  # fmt: skip
    """Return a page of all cases a person may see: the open ones, unless ``narrow`` asks for others."""
    with reading(env.engine) as conn:
        return list_page(conn, world(conn, env, now), narrow, place, size=size, actor=actor)


def queue_page(
    conn: Connection, here: World, narrow: Narrow, place: Place | None = None, *, size: int = PAGE,
    counted: bool = True, actor: Actor,
) -> Page:  # fmt: skip
    """Return what ``queue`` does, for who has read the staff already. Not ``counted``: without numbers, for a file."""
    narrow = replace(narrow, phase="")
    return _page(conn, True, narrow, place, size, counted, here, actor=actor)


def list_page(
    conn: Connection, here: World, narrow: Narrow, place: Place | None = None, *, size: int = PAGE,
    counted: bool = True, actor: Actor,
) -> Page:  # fmt: skip
    """Return what ``all_cases`` does, for who has read the staff already."""
    return _page(conn, False, narrow, place, size, counted, here, actor=actor)


# ------------------------------------------------------------------------------------------------------ a page


@dataclass(frozen=True)
class _Asked:
    """All that the statements of a page are made of; ``here`` is told apart by the parts of it that they look at."""

    actor: Actor
    staffing: Staffing
    calendar: Calendar
    today: date
    at: datetime | None
    """The moment, where the list is narrowed by it."""
    mine: bool
    """The queue, and not all that may be seen."""
    narrow: Narrow
    place: Place | None
    limit: int
    here: World = field(compare=False)


@lru_cache(maxsize=128)
def _statements(asked: _Asked) -> tuple[Select[Any], tallies.Asked]:
    """Return the statements for a page and for its numbers. Lists are opened over and over; to make these takes longer
    than to answer them, so they are kept: the statements, never what they find."""
    actor, here, narrow, order = asked.actor, asked.here, asked.narrow, order_of(asked.narrow)
    teams, others, sight = ways(asked.mine, here, actor=actor)
    branches = narrowed([*teams, *others], sight, narrow, here, actor=actor)
    found = showing(keys(branches, order, asked.place, asked.limit), order)
    around = [sight, *conditions(narrow.anywhere, here, actor=actor)]
    return found, tallies.asking(teams, others, around, narrow, order)


def _page(
    conn: Connection, mine: bool, narrow: Narrow, place: Place | None, size: int, counted: bool, here: World, *,
    actor: Actor,
) -> Page:  # fmt: skip
    calendar = here.env.calendar
    statement, numbers = _statements(_Asked(
        actor, here.staffing, calendar, calendar.local_date(here.now), here.now if narrow.due else None, mine, narrow,
        place, size + 1, here,
    ))  # fmt: skip
    rows = list(conn.execute(statement))
    found = tallies.tallied(conn, numbers) if counted else Tallies({})
    return _cut(rows, order_of(narrow), place, size, found, here)


def order_of(narrow: Narrow) -> Order:
    """Return how a list is ordered: open cases by deadline, closed ones by when they were, both by receipt."""
    if narrow.newest or narrow.listed is Phase.ALL:
        return BY_RECEIPT
    return BY_CLOSING if narrow.listed is Phase.CLOSED else BY_DEADLINE


SHOWN = (  # in the order in which ``_line`` takes a row apart
    CaseRow.id, CaseRow.ref, CaseRow.version, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.team,
    CaseRow.owner_id, CaseRow.deadline_at, CaseRow.received_at, CaseRow.closed_at, CaseRow.outcome, CaseRow.on_hold,
    CaseRow.parked_at, (CaseRow.restricted_to.is_not(None)).label("restricted"), Member.ref.label("member_ref"),
    Member.name.label("member"), is_held().label("held"),
)  # fmt: skip


def lines_at(conn: Connection, found: Select[Any], order: Order) -> list[Any]:
    """Return the rows of the cases whose keys a statement finds, in the order of the list."""
    return list(conn.execute(showing(found, order)))


def showing(found: Select[Any], order: Order) -> Select[Any]:
    """Return the statement of ``lines_at``."""
    key = found.subquery()
    source = key.join(CaseRow, CaseRow.id == key.c.id).outerjoin(Member, Member.id == CaseRow.member_id)
    ordered = order.sorted_by(key.c.at, key.c.id, back=False)
    return select(*SHOWN).select_from(source).order_by(*ordered)


def _cut(rows: list[Any], order: Order, place: Place | None, size: int, numbers: Tallies, here: World) -> Page:
    """Cut a page from what was read, which is one line longer where there is more."""
    more = len(rows) > size
    back = place is not None and place.back
    shown = (rows[-size:] if back else rows[:size]) if more else rows
    name = order.column.key

    def stands(row: Any, *, before: bool) -> Place:
        return Place(getattr(row, name), row.id, before)

    before = stands(shown[0], before=True) if shown and (more if back else place is not None) else None
    after = stands(shown[-1], before=False) if shown and (back or more) else None
    draw = lines(shown, here)
    return Page(draw, before, after, numbers, here.staffing, here.now)


def lines(rows: Sequence[Any], here: World) -> list[Line]:
    """Return rows as lines, each with its owner and who acts for them today."""
    today = here.env.calendar.local_date(here.now)
    owners = {owner: _owner(owner, here.staffing, today) for owner in {row.owner_id for row in rows}}
    return [_line(row, owners[row.owner_id], here.now) for row in rows]


def _owner(owner_id: int | None, staffing: Staffing, today: date) -> tuple[str | None, str | None, date | None]:
    person = staffing.get(owner_id) if owner_id is not None else None
    if person is None:
        return None, None, None
    acting = staffing.acting(person.id, today).staff
    away = staffing.away(person.id, today)
    return person.name, acting.name if acting.id != person.id else None, away.until_date if away else None


def _line(row: Any, owner: tuple[str | None, str | None, date | None], now: datetime) -> Line:
    # By place and not by name, which a page of fifty feels.
    (
        number, ref, version, process_name, state, subject, team, owner_id, deadline, received, closed, outcome,
        on_hold, parked_at, restricted, member_ref, member, held, *_,
    ) = row  # fmt: skip
    process = process_named(process_name)
    name, acting, away_until = owner if closed is None else (owner[0], None, None)
    return Line(
        number, ref, version, process_name, process.title, state, process.state(state).title, subject, member,
        member_ref, team, owner_id, name, acting, away_until, deadline,
        bool(closed is None and deadline and deadline < now), received, closed, outcome, on_hold,
        parked_at is not None, restricted, held,
    )  # fmt: skip

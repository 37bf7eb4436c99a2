"""A case as it was at an instant, from its events, with what guards could know then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from cases import facts as case_facts
from cases.environment import World
from cases.explaining.tracks import Supposed
from cases.rebuilding import rebuild
from cases.rows import case_of, clock_from_json
from cases.tables import CaseEvent, CaseRow
from config.database import Connection
from members.tables import ChangeLog
from state_machines.clockwork import instant_of
from state_machines.ladders import mark_fired
from state_machines.process import Clock, Process
from state_machines.values import Case, RunningClock

MOST_CHILDREN = 20_000
"""Of larger campaigns the numbers of today are told: those of then would mean reading every event."""


@dataclass(frozen=True)
class Then:
    """A case as it was."""

    case: Case
    facts: Mapping[str, Any]
    as_of_today: tuple[str, ...]
    """The facts that are told as they are today."""
    on_hold: bool


def as_it_was(conn: Connection, row: Any, process: Process, at: datetime, here: World) -> Then:
    """Return a case as its events say it was. Raises CaseNotFound when it did not exist yet."""
    found, today = rebuild(conn, row.id, at), case_of(row)
    case = Case(
        today.id, today.ref, today.process, found["state"], today.version, today.opened_at, today.received_at,
        found["entered_at"], today.member_id, today.subject, today.team, today.owner, today.parent_id, found["on_hold"],
        found["data"], today.parties, {}, found["counts"], found["people"],
    )  # fmt: skip
    facts = Supposed(case_facts.gather(conn, [today], now=here.now)[row.id])
    facts.settle()
    kept: list[str] = [name for name in process.facts if name not in ("children",)]
    if "children" in process.facts and not _children_then(conn, row.id, at, facts):
        kept.append("children")
    if facts.get("member") is not None:
        facts["member"] = _member_then(conn, facts["member"], at)
    return Then(case, facts, tuple(kept), found["on_hold"])


def _children_then(conn: Connection, case_id: int, at: datetime, facts: Supposed) -> bool:
    """Put the numbers of children by state as they were among the facts, unless they are too many."""
    if sum((facts.get("children") or {}).values()) > MOST_CHILDREN:
        return False
    last = (
        select(CaseEvent.case_id, CaseEvent.target).distinct(CaseEvent.case_id)
        .join(CaseRow, CaseRow.id == CaseEvent.case_id)
        .where(CaseRow.parent_id == case_id, CaseEvent.at <= at)
        .order_by(CaseEvent.case_id, CaseEvent.seq.desc()).subquery()
    )  # fmt: skip
    counted = conn.execute(select(last.c.target, func.count()).group_by(last.c.target))
    facts["children"] = {row[0]: row[1] for row in counted}
    return True


def _member_then(conn: Connection, member: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The member with what was changed since taken back."""
    later = select(ChangeLog.changes).where(ChangeLog.member_id == member["id"], ChangeLog.at > at)
    found = dict(member)
    for changes in conn.execute(later.order_by(ChangeLog.id.desc())).scalars():
        for name in ("status", "flags", "team"):
            if isinstance(changes.get(name), list) and len(changes[name]) == 2:
                before = changes[name][0]
                found[name] = tuple(str(flag).lower() for flag in before or ()) if name == "flags" else before
    return found


@dataclass(frozen=True, slots=True)
class ClockThen:
    """A clock as it ran at an instant."""

    clock: Clock
    running: RunningClock
    began: datetime
    events: tuple[Any, ...]
    """Events of this run of the clock, also later ones: rungs that fired, were passed over, or were not done."""
    ended: datetime | None
    """When it stopped after all."""


def clocks_then(
    row: Any, process: Process, then: Then, events: Sequence[Any], at: datetime, here: World
) -> list[ClockThen]:  # fmt: skip
    """Return the clocks that ran at an instant, from all events of the case."""
    found = []
    for name in _running_at(events, at):
        clock = process.clock_of(then.case.state, name)
        if clock is not None:
            found.append(_clock_then(row, clock, then, events, at, here))
    return found


def _running_at(events: Sequence[Any], at: datetime) -> list[str]:
    names: dict[str, None] = {}
    for event in (e for e in events if e.at <= at):
        for name in event.details.get("clocks_ended", {}):
            names.pop(name, None)
        names |= dict.fromkeys(event.details.get("clocks_due", {}))
    return list(names)


def _clock_then(row: Any, clock: Clock, then: Then, events: Sequence[Any], at: datetime, here: World) -> ClockThen:
    name, began, due, ended = clock.name, at, at, None
    fresh = True
    for event in events:
        stopped = name in event.details.get("clocks_ended", {})
        if event.at > at:
            ended = ended or (event.at if stopped else None)
            continue
        fresh = fresh or stopped
        if name in event.details.get("clocks_due", {}):
            due = datetime.fromisoformat(event.details["clocks_due"][name])
            began, fresh = (event.at, False) if fresh else (began, fresh)
    within = (e for e in events if e.at >= began and (ended is None or e.at <= ended))
    mine = tuple(e for e in within if e.details.get("clock") == name and e.kind != "put_off")  # that comes again
    anchor = _anchor(row, clock, then, began, mine, ended, here)
    fired: tuple[str, ...] = ()
    for event in (e for e in mine if e.at <= at):
        fired = mark_fired(fired, str(event.details["rung"]))
    return ClockThen(clock, RunningClock(name, anchor, due, fired), began, mine, ended)


def _anchor(
    row: Any, clock: Clock, then: Then, began: datetime, mine: Sequence[Any], ended: datetime | None, here: World
) -> datetime:
    """From where a clock counted: as it is kept while it still runs, else as its occurrences say, else as defined."""
    if ended is None and clock.name in row.clocks:
        return clock_from_json(clock.name, row.clocks[clock.name]).anchor
    match clock.anchor:
        case "entered":
            return began
        case "received":
            return then.case.received_at
        case "opened":
            return then.case.opened_at
    value = then.case.data.get(clock.anchor)
    return began if value is None else instant_of(value, here.env.calendar, end=False)

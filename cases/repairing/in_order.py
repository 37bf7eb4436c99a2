"""A case as its record and its process say that it must be: its state, its end, its clocks, its owner.

Whatever a case suffers from, it is put in order as a whole, by one event. What is right comes from the record and the
definition alone; where these do not say, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text

from cases import audit, side_writes, store
from cases.commands import plain_change
from cases.environment import World
from cases.errors import CaseError
from cases.locking import Locked
from cases.repairing.clocks_again import clocks_in_order
from cases.rows import Head, person_of
from cases.writing import Change
from config.database import Connection
from state_machines.process import Process, State
from state_machines.registry import processes
from state_machines.values import SYSTEM, Case

REPAIRED = "repaired"
"""The kind of event that a repair writes."""


class Irreparable(CaseError):
    """It cannot be put right by itself:"""


@dataclass(frozen=True, slots=True)
class Mended:
    """What a repair changed: names of what was different, before and after."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


_LAST = text("""
SELECT e.seq, e.hash, e.target, (SELECT min(f.at) FROM case_events f WHERE f.case_id = e.case_id AND f.seq > coalesce(
    (SELECT max(g.seq) FROM case_events g WHERE g.case_id = e.case_id AND g.target <> e.target), 0)) AS entered_at,
  (SELECT count(*) FROM case_tasks t WHERE t.case_id = e.case_id AND t.closed_at IS NULL) AS tasks,
  c.deadline_at, c.parked_at
FROM case_events e JOIN cases c ON c.id = e.case_id WHERE e.case_id = :id ORDER BY e.seq DESC LIMIT 1
""")


def put_in_order(conn: Connection, found: Locked, here: World, why: str) -> Mended | None:
    """Put a locked case in order, and return what was changed; None where nothing was to be done.

    Raises Irreparable with the reason. ``why`` is the name of what was found; it is written on the event.
    """
    last = _last_event(conn, found)
    process, state = _place(found, last.target)
    entered_at = found.case.entered_at if found.case.state == state.name else last.entered_at
    on_hold = found.case.on_hold and any(move.holds for move in process.transitions)
    case = replace(found.case, state=state.name, entered_at=entered_at, on_hold=on_hold)
    clocks = clocks_in_order(conn, process, case, here)
    row = found.row
    change = _change(replace(found, head=Head(last.seq, last.hash)), replace(case, clocks=clocks), why, {}, here)
    closed_at = (row.closed_at or entered_at) if state.final else None
    before = _told(found.case, found.head, found.owner_id, row.due_at, row.closed_at) | {"to_do": last.tasks}
    due_at = None if state.final else change.outcome.due_at
    after = _told(change.outcome.after, Head(last.seq, last.hash), change.owner_id, due_at, closed_at)
    after |= {"deadline_at": _text(change.outcome.deadline), "to_do": 0 if state.final else last.tasks}
    before |= {"deadline_at": _text(last.deadline_at)}
    different = [name for name in after if after[name] != before[name]]
    if last.parked_at is not None and different == ["due_at"]:
        return None  # it comes back by itself
    if not state.final and due_at is None:
        raise Irreparable("none of its clocks has anything left to do; a person must move it on.")
    if not different:
        return None
    mended = Mended({name: before[name] for name in different}, {name: after[name] for name in different})
    _write(conn, _change(change.locked or found, change.outcome.after, why, _details(found.case, clocks, mended), here),
           closed_at, here)  # fmt: skip
    return mended


def _last_event(conn: Connection, found: Locked) -> Any:
    """The last event of a case whose record is whole. Raises Irreparable."""
    last = conn.execute(_LAST, {"id": found.case.id}).one_or_none()
    if last is None or audit.broken(conn, found.case.id) or found.head.seq > last.seq:
        raise Irreparable(
            "its record is not as it was written, and nothing may be added to that (muster audit verify)."
        )
    return last


def _place(found: Locked, state: str) -> tuple[Process, State]:
    process = processes().get(found.case.process)
    if process is None:
        raise Irreparable(f"there is no process {found.case.process}.")
    if state not in process.by_name:
        raise Irreparable(f"its last event left it in {state}, which its process does not have any more.")
    return process, process.by_name[state]


def _change(found: Locked, after: Case, why: str, details: Mapping[str, Any], here: World) -> Change:
    change = plain_change(found, after, REPAIRED, {"found": why, **details}, {}, actor=SYSTEM, now=here.now)
    owner, coordinator = store.owner_after(change.outcome, found, here)
    return replace(change, owner_id=owner, coordinator_id=coordinator)


def _write(conn: Connection, change: Change, closed_at: datetime | None, here: World) -> None:
    store.apply(conn, [change], here)
    side_writes.set_end(conn, change.outcome.after.id, closed_at)
    if closed_at is None:
        side_writes.let_owners_in(conn, [change.outcome.after.id])


def _told(
    case: Case, head: Head, owner: int | None, due_at: datetime | None, closed: datetime | None
) -> dict[str, Any]:
    return {
        "state": case.state, "clocks": {n: c.due.isoformat() for n, c in sorted(case.clocks.items())},
        "last_event": head.seq, "last_hash": head.hash[:12], "owner": person_of(owner), "due_at": _text(due_at),
        "closed_at": _text(closed), "on_hold": case.on_hold,
    }  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _details(before: Case, clocks: Mapping[str, Any], mended: Mended) -> dict[str, Any]:
    """What the event says: the clocks in the words in which every event tells of them, and what was different."""
    due = {n: c.due.isoformat() for n, c in clocks.items() if n not in before.clocks or before.clocks[n].due != c.due}
    ended = {n: {"due": c.due.isoformat()} for n, c in before.clocks.items() if n not in clocks}
    told = {"clocks_due": due, "clocks_ended": ended, "was": dict(mended.before), "is": dict(mended.after)}
    return {name: value for name, value in told.items() if value}

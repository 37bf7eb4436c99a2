"""A case as its events say it was: the record is the truth, and the row of a case can be made from it at any date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.errors import CaseNotFound
from cases.tables import CaseEvent, CaseRow
from config.database import Connection
from state_machines.engine import people_after
from state_machines.process import Process
from state_machines.registry import processes
from state_machines.values import Role


def rebuild(conn: Connection, case_id: int, as_at: datetime | None = None) -> dict[str, Any]:
    """Return a case as its events say it was at an instant (now: None): state, facts, counts, people, clocks.

    Facts that were never set and facts that were set to nothing are the same here. Raises CaseNotFound when the case
    did not exist yet.
    """
    event = CaseEvent.__table__.c
    statement = select(
        CaseRow.ref, CaseRow.process, event.seq, event.at, event.actor, event.on_behalf_of, event.role, event.kind,
        event.trigger, event.source, event.target, event.details,
    ).join(CaseRow, CaseRow.id == event.case_id).where(event.case_id == case_id)  # fmt: skip
    if as_at is not None:
        statement = statement.where(event.at <= as_at)
    events = conn.execute(statement.order_by(event.seq)).all()
    if not events:
        raise CaseNotFound(f"case {case_id}")
    return folded(processes().get(events[0].process), events)


def folded(process: Process | None, events: Sequence[Any]) -> dict[str, Any]:
    """Return what a sequence of events adds up to."""
    case: dict[str, Any] = {
        "ref": events[0].ref, "process": events[0].process, "state": events[0].target, "on_hold": False, "data": {},
        "counts": {}, "people": {}, "clocks": {}, "opened_at": events[0].at, "entered_at": events[0].at, "seq": 0,
    }  # fmt: skip
    for event in events:
        if event.target != case["state"]:
            case |= {"state": event.target, "entered_at": event.at}
        case["seq"] = event.seq
        case["data"] |= event.details.get("data", {})
        for name in event.details.get("clocks_ended", {}):
            case["clocks"].pop(name, None)
        case["clocks"] |= event.details.get("clocks_due", {})
        if event.kind in ("opened", "transition"):
            _fold_move(process, case, event)
    state = process.by_name.get(case["state"]) if process else None
    case["closed_at"] = case["entered_at"] if state is not None and state.final else None
    case["data"] = {name: value for name, value in case["data"].items() if value is not None}
    return case


def _fold_move(process: Process | None, case: dict[str, Any], event: Any) -> None:
    moves = process.from_state.get(event.source, ()) if process else ()
    named = [t for t in moves if t.trigger == event.trigger]
    case["on_hold"] = (case["on_hold"] or any(t.holds for t in named)) and not any(t.resumes for t in named)
    by_system = event.role == Role.SYSTEM.value
    stays = event.kind == "transition" and event.source == event.target and any(t.internal for t in named)
    if not (by_system and stays):
        case["counts"][event.trigger] = case["counts"].get(event.trigger, 0) + 1
    if not by_system:
        before = case["people"].get(event.trigger, [])
        case["people"][event.trigger] = people_after(before, event.actor, event.on_behalf_of)

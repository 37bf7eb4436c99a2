"""From what the shell tells of cases to what the API answers."""

from __future__ import annotations

from typing import Any

from cases.lists.worklist import Line
from cases.queries import CasePage
from cases.rows import person_of
from members.staffing import Staffing
from state_machines.registry import process_named
from state_machines.values import Outcome

_SAME = (
    "ref", "version", "process", "state", "state_title", "subject", "team", "acting", "received", "deadline", "overdue",
    "closed", "outcome", "on_hold", "parked", "restricted",
)  # fmt: skip


def line_values(line: Line, staffing: Staffing) -> dict[str, Any]:
    """Return a case of a list."""
    member = {"ref": line.member_ref, "name": line.member} if line.member_ref else None
    same = {name: getattr(line, name) for name in _SAME}
    return same | {"member": member, "owner": staff_values(line.owner_id, staffing)}


def staff_values(staff_id: int | None, staffing: Staffing) -> dict[str, Any] | None:
    """Return somebody on the staff."""
    person = staffing.get(staff_id) if staff_id is not None else None
    return {"person": person_of(person.id), "name": person.name, "email": person.email} if person else None


def one_values(page: CasePage, staffing: Staffing) -> dict[str, Any]:
    """Return a case with what is known of it."""
    row, line = page.row, page.line
    names = ("ref", "process", "state", "state_title", "subject", "team", "received", "deadline", "overdue", "closed",
             "outcome", "on_hold", "parked", "owner_role", "opened")  # fmt: skip
    return {
        **{name: line[name] for name in names}, "version": row.version, "external_ref": row.external_ref,
        "member": {"ref": line["member_ref"], "name": line["member"]} if line["member_ref"] else None,
        "owner": staff_values(row.owner_id, staffing), "acting": page.owner_acting,
        "restricted": row.restricted_to is not None, "data": dict(page.case.data), "clocks": _clocks(page),
        "expected": [_expected(each) for each in page.next],
        "tasks": [{name: task[name] for name in ("kind", "title", "role", "due", "closed")} for task in page.tasks],
        "links": page.links,
    }  # fmt: skip


def _clocks(page: CasePage) -> list[dict[str, Any]]:
    process = process_named(page.case.process)
    found = []
    for name, running in page.case.clocks.items():
        clock = process.clock_of(page.case.state, name)
        found.append({
            "name": name, "title": clock.title if clock else name, "started": running.anchor, "due": running.due,
            "next": running.next_at, "paused": running.paused, "extensions": len(running.extensions),
        })  # fmt: skip
    return found


def _expected(each: Any) -> dict[str, Any]:
    return {
        "at": each.at, "clock": each.clock, "trigger": each.trigger, "state": each.target,
        "messages": [kind for kind, _ in each.messages],
    }  # fmt: skip


def moved_values(outcome: Outcome) -> dict[str, Any]:
    """Return where a case stands after what was done."""
    case, opened = outcome.after, outcome.before.version == 0
    return {
        "ref": case.ref, "process": case.process, "state": case.state,
        "state_title": process_named(case.process).state(case.state).title,
        "before": None if opened else outcome.before.state, "version": outcome.before.version + 1,
        "deadline": outcome.deadline, "final": outcome.final,
    }  # fmt: skip

"""Reading cases under their row lock. What is decided is decided on this and on nothing read before."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from cases.rows import Head, clocks_from_json, person_of, ref_of
from cases.tables import CaseRow
from config.database import Connection
from state_machines.values import Case

FIRST = (
    "id", "ref", "process", "state", "version", "opened_at", "received_at", "entered_at", "member_id", "subject",
    "team", "owner_id", "parent_id", "on_hold", "data", "parties", "clocks", "counts", "people", "last_seq",
    "last_hash", "owner_role", "coordinator_id", "process_version", "walled_off",
)  # fmt: skip
"""What a decision needs, in the order in which ``locked_of`` takes it apart: by place, which a sweep feels."""
COLUMNS = [CaseRow.__table__.c[name] for name in (*FIRST, "restricted_to", "due_at", "closed_at")]


@dataclass(frozen=True, slots=True)
class Locked:
    """A case whose row this transaction holds, and what is written on the row besides."""

    case: Case
    head: Head
    owner_id: int | None
    owner_role: str
    coordinator_id: int | None
    process_version: int
    walled_off: tuple[int, ...]
    row: Any


def locked_of(row: Any) -> Locked:
    """Return what a locked row holds."""
    (
        case_id, ref, process, state, version, opened_at, received_at, entered_at, member_id, subject, team, owner_id,
        parent_id, on_hold, data, parties, clocks, counts, people, last_seq, last_hash, owner_role, coordinator_id,
        process_version, walled_off,
    ) = row[: len(FIRST)]  # fmt: skip
    case = Case(
        case_id, ref, process, state, version, opened_at, received_at, entered_at, member_id, subject, team,
        person_of(owner_id), parent_id, on_hold, data, parties, clocks_from_json(clocks), counts, people,
    )  # fmt: skip
    head = Head(last_seq, last_hash)
    return Locked(case, head, owner_id, owner_role, coordinator_id, process_version, tuple(walled_off or ()), row)


def lock_where(conn: Connection, condition: ColumnElement[bool]) -> list[Locked]:
    """Return and lock the cases a condition names, in order of id so that two of us cannot wait for each other."""
    rows = conn.execute(select(*COLUMNS).where(condition).order_by(CaseRow.id).with_for_update(of=CaseRow))
    return [locked_of(row) for row in rows]


def lock_ref(conn: Connection, ref: str) -> Locked | None:
    """Return and lock the case with this reference, or None."""
    found = lock_where(conn, CaseRow.ref == ref_of(ref))
    return found[0] if found else None


def lock_ids(conn: Connection, ids: Collection[int]) -> list[Locked]:
    """Return and lock these cases, in order of id."""
    return lock_where(conn, CaseRow.id.in_(sorted(ids))) if ids else []


def claim_due(conn: Connection, now: datetime, limit: int, leave_out: Iterable[int] = ()) -> list[Locked]:
    """Return and lock up to ``limit`` cases that are due by now, longest due first; those others hold are skipped."""
    statement = (
        select(*COLUMNS)
        .where(CaseRow.due_at <= now)
        .order_by(CaseRow.due_at, CaseRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    left_out = sorted(leave_out)
    if left_out:
        statement = statement.where(CaseRow.id.not_in(left_out))
    return [locked_of(row) for row in conn.execute(statement)]

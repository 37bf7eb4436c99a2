"""Reading cases under their row lock. What is decided is decided on this and on nothing read before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from cases.breaker.waiting import is_held
from cases.rows import Head, clocks_from_json, person_of, ref_of
from cases.tables import CaseRow
from config.database import Connection
from state_machines.values import Case, RunningClock

_OWN = ("id", "ref", "version", "member_id", "subject", "last_seq", "last_hash")
_SHARED = (
    "process", "state", "opened_at", "received_at", "entered_at", "team", "owner_id", "parent_id", "on_hold",
    "data", "parties", "clocks", "counts", "people", "owner_role", "coordinator_id", "process_version",
)  # fmt: skip
FIRST = (*_OWN, *_SHARED, "walled_off")
"""What a decision needs, in the order in which ``locked_of`` takes it apart: by place, which a sweep feels."""
COLUMNS = [CaseRow.__table__.c[name] for name in (*FIRST, "restricted_to", "due_at", "closed_at")]
_SHARED_FROM, _SHARED_TO = len(_OWN), len(_OWN) + len(_SHARED)
_CLAIMED = [cast(column, Text) if isinstance(column.type, JSONB) else column for column in COLUMNS]
"""The same for a sweep, which reads JSON itself: see `Read`."""


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

    @property
    def likeness(self) -> tuple[Any, ...] | None:
        """Of a claimed case: what others must have in common with it to be decided along with it; None: it goes alone,
        because it says itself who may see it."""
        row = self.row
        if self.walled_off or row.restricted_to is not None:
            return None
        return (*row[_SHARED_FROM:_SHARED_TO], row.member_id is None)


class Read:
    """JSON that was read: what many cases of a batch hold in the same words is read once, and is one value."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._clocks: dict[str, Mapping[str, RunningClock]] = {}

    def value(self, words: str) -> Any:
        """Return what these words mean."""
        found = self._values.get(words)
        if found is None:
            found = self._values[words] = orjson.loads(words)
        return found

    def clocks(self, words: str) -> Mapping[str, RunningClock]:
        """Return the running clocks that were stored in these words."""
        found = self._clocks.get(words)
        if found is None:
            found = self._clocks[words] = clocks_from_json(orjson.loads(words))
        return found


class _AsItIs:
    """JSON that the driver has read."""

    @staticmethod
    def value(stored: Any) -> Any:
        return stored

    clocks = staticmethod(clocks_from_json)


def locked_of(row: Any, read: Read | type[_AsItIs] = _AsItIs) -> Locked:
    """Return what a locked row holds."""
    (
        case_id, ref, version, member_id, subject, last_seq, last_hash,
        process, state, opened_at, received_at, entered_at, team, owner_id, parent_id, on_hold,
        data, parties, clocks, counts, people, owner_role, coordinator_id, process_version, walled_off,
    ) = row[: len(FIRST)]  # fmt: skip
    case = Case(
        case_id, ref, process, state, version, opened_at, received_at, entered_at, member_id, subject, team,
        person_of(owner_id), parent_id, on_hold, read.value(data), read.value(parties), read.clocks(clocks),
        read.value(counts), read.value(people),
    )  # fmt: skip
    head = Head(last_seq, last_hash)
    return Locked(case, head, owner_id, owner_role, coordinator_id, process_version, tuple(walled_off or ()), row)


def lock_where(
    conn: Connection, condition: ColumnElement[bool], beside: Sequence[ColumnElement[Any]] = ()
) -> list[Locked]:
    """Return and lock the cases a condition names, in order of id so that two of us cannot wait for each other.

    ``beside``: more that is read along with them, and stands on their rows.
    """
    wanted = select(*COLUMNS, *beside).where(condition).order_by(CaseRow.id)
    return [locked_of(row) for row in conn.execute(wanted.with_for_update(of=CaseRow, key_share=True))]


def lock_ref(conn: Connection, ref: str) -> Locked | None:
    """Return and lock the case with this reference, or None."""
    found = lock_where(conn, CaseRow.ref == ref_of(ref))
    return found[0] if found else None


def lock_ids(conn: Connection, ids: Collection[int]) -> list[Locked]:
    """Return and lock these cases, in order of id."""
    return lock_where(conn, CaseRow.id.in_(sorted(ids))) if ids else []


def claim_due(conn: Connection, now: datetime, limit: int, leave_out: Iterable[int] = ()) -> list[Locked]:
    """Return and lock up to ``limit`` cases that are due by now, longest due first; those others hold are skipped, and
    those that wait for a manager."""
    statement = (
        select(*_CLAIMED)
        .where(CaseRow.due_at <= now, ~is_held())
        .order_by(CaseRow.due_at, CaseRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)  # others may still link to it or open a case under it
    )
    left_out = sorted(leave_out)
    if left_out:
        statement = statement.where(CaseRow.id.not_in(left_out))
    read = Read()
    return [locked_of(row, read) for row in conn.execute(statement).all()]

"""Putting messages into the outbox, in sets. A key that is already there is passed over: a fact asks only once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, text, update

from config.database import Connection, as_line, copy_lines, json_text
from notifications import catalogue
from notifications.tables import FAILED, QUEUED, InboxMessage, MessageRow
from notifications.values import NewMessage

COLUMNS = (
    "key", "case_id", "event_seq", "kind", "audience", "purpose", "data", "clock", "member_id", "not_before",
    "created_at",
)  # fmt: skip
"""The columns that `rows_for` fills, in its order."""

_BATCH = 5_000

# One parameter for any number of rows: more than twice as fast as executemany, nearly as fast as COPY, and unlike COPY
# it can pass over keys that are there.
_INSERT = text("""
    INSERT INTO messages
        (key, case_id, event_seq, kind, audience, purpose, data, clock, member_id, not_before, created_at)
    SELECT key, case_id, event_seq, kind, audience, purpose, data, clock, member_id, not_before, created_at
    FROM json_to_recordset(CAST(:rows AS json)) AS given(
        key text, case_id bigint, event_seq int, kind text, audience text, purpose text, data jsonb, clock text,
        member_id bigint, not_before timestamptz, created_at timestamptz)
    ON CONFLICT (key) DO NOTHING
""")


def rows_for(messages: Sequence[NewMessage], *, now: datetime) -> list[tuple[Any, ...]]:
    """Return the rows of these messages in the order of COLUMNS. Raises UnknownKind."""
    return [
        (m.key, m.case_id, m.event_seq, m.kind, m.audience, catalogue.kind(m.kind).purpose.value, dict(m.data), m.clock,
         m.member_id, m.not_before or now, now)
        for m in messages
    ]  # fmt: skip


def enqueue(conn: Connection, messages: Sequence[NewMessage], *, now: datetime) -> int:
    """Queue these messages and return how many were new. Raises UnknownKind."""
    rows = rows_for(messages, now=now)
    added = 0
    for start in range(0, len(rows), _BATCH):
        given = [dict(zip(COLUMNS, row, strict=True)) for row in rows[start : start + _BATCH]]
        added += conn.execute(_INSERT, {"rows": json_text(given)}).rowcount
    return added


OWN_COLUMNS = ("key", "case_id", "event_seq", "member_id")
_SHARED_COLUMNS = ("data", "kind", "audience", "purpose", "clock", "not_before", "created_at")


def shared_columns(
    kind: str, audience: str, data: Mapping[str, Any], clock: str | None, not_before: datetime, *, now: datetime
) -> str:
    """Return what a message has in common with those that other cases ask for in the same breath, as the end of a line
    for `append`. Raises UnknownKind."""
    said = as_line((json_text(dict(data)),)) if data else "{}"
    return f"{said}\t{_columns(kind, audience, clock, not_before, now)}"


@lru_cache(maxsize=1_000)
def _columns(kind: str, audience: str, clock: str | None, not_before: datetime, now: datetime) -> str:
    return as_line((kind, audience, catalogue.kind(kind).purpose.value, clock, not_before, now))


def append(conn: Connection, lines: Sequence[str]) -> int:
    """Queue messages whose keys are known to be new, because the events they come from are; return how many.

    Each is a line of OWN_COLUMNS and `shared_columns`. Half the time of `enqueue`. A key that is there after all is an
    error of the database.
    """
    return copy_lines(conn, "messages", (*OWN_COLUMNS, *_SHARED_COLUMNS), lines)


def requeue(conn: Connection, ids: Sequence[int], *, now: datetime) -> int:
    """Let failed messages be tried once more, from the first attempt; return how many there were."""
    statement = (
        update(MessageRow)
        .where(MessageRow.id.in_(ids), MessageRow.state == FAILED)
        .values(state=QUEUED, attempts=0, reason=None, not_before=now, lease_by=None, lease_until=None)
    )
    return conn.execute(statement).rowcount


_TO_MEMBER = text("""
UPDATE messages AS o SET member_id = u.member_id
FROM unnest(CAST(:ids AS bigint[]), CAST(:members AS bigint[])) AS u(case_id, member_id)
WHERE o.case_id = u.case_id AND o.state = 'queued'
""")


def give_to_members(conn: Connection, members: Mapping[int, int]) -> None:
    """Let what still waits go to other members: member ids by case id."""
    if members:
        conn.execute(_TO_MEMBER, {"ids": list(members), "members": list(members.values())})


def forget_case(conn: Connection, case_id: int) -> int:
    """Delete every message of a case, and what came in about it, when the case itself is disposed of.

    Return how many messages there were.
    """
    conn.execute(delete(InboxMessage).where(InboxMessage.case_id == case_id))
    return conn.execute(delete(MessageRow).where(MessageRow.case_id == case_id)).rowcount

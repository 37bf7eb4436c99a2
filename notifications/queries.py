"""What can be asked about the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select

from config.database import Connection
from notifications.rendering import fingerprint
from notifications.tables import QUEUED, SENDING, STATES, MessageRow

_LIST = [column for column in MessageRow.__table__.c if column.name not in {"body_text", "body_html"}]


def messages_of(conn: Connection, case_id: int) -> Sequence[Row[Any]]:
    """Return the messages of a case without the texts, in the order they were asked for."""
    statement = select(*_LIST).where(MessageRow.case_id == case_id)
    return conn.execute(statement.order_by(MessageRow.event_seq, MessageRow.id)).all()


def message(conn: Connection, message_id: int) -> Row[Any] | None:
    """Return one message with its texts, or None."""
    return conn.execute(select(*MessageRow.__table__.c).where(MessageRow.id == message_id)).one_or_none()


def is_genuine(row: Row[Any]) -> bool:
    """Whether the stored words of a sent message are still those that were sent."""
    return bool(row.body_sha256 == fingerprint(row.subject, row.body_text, row.body_html))


def messages(
    conn: Connection, *, state: str | None = None, case_id: int | None = None, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Row[Any]], int]:
    """Return one page of the outbox without the texts, the newest first, and how many there are in all."""
    total = conn.execute(_filtered(select(func.count()).select_from(MessageRow), state, case_id)).scalar_one()
    page = _filtered(select(*_LIST), state, case_id).order_by(MessageRow.id.desc()).limit(limit).offset(offset)
    return conn.execute(page).all(), total


def counts(conn: Connection) -> dict[str, int]:
    """Return how many messages there are in each state."""
    rows = conn.execute(select(MessageRow.state, func.count().label("n")).group_by(MessageRow.state))
    return {**dict.fromkeys(STATES, 0), **{row.state: row.n for row in rows}}


def reasons(conn: Connection, *, since: datetime) -> dict[tuple[str, str], int]:
    """Return how many were suppressed or failed since an instant, by state and reason."""
    statement = (
        select(MessageRow.state, MessageRow.reason, func.count().label("n"))
        .where(MessageRow.state.in_(["suppressed", "failed"]), MessageRow.decided_at >= since)
        .group_by(MessageRow.state, MessageRow.reason)
    )
    return {(row.state, row.reason): row.n for row in conn.execute(statement)}


def oldest_queued(conn: Connection) -> datetime | None:
    """Return since when the message that waits longest could have left; compare it with the organisation's clock."""
    statement = select(func.min(MessageRow.not_before)).where(MessageRow.state.in_([QUEUED, SENDING]))
    return conn.execute(statement).scalar_one()


def _filtered(statement: Select[Any], state: str | None, case_id: int | None) -> Select[Any]:
    if state is not None:
        statement = statement.where(MessageRow.state == state)
    if case_id is not None:
        statement = statement.where(MessageRow.case_id == case_id)
    return statement

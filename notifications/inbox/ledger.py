"""The statements of the inbox. Each takes a connection; none commits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from config.database import Connection
from notifications.tables import IGNORED, KEPT, SENT, UNMATCHED, InboxMessage, InboxSource, MessageRow

_OF_OURS = (
    MessageRow.id, MessageRow.key, MessageRow.kind, MessageRow.audience, MessageRow.purpose, MessageRow.case_id,
    MessageRow.event_seq, MessageRow.data, MessageRow.clock, MessageRow.member_id, MessageRow.contact_id,
    MessageRow.staff_id, MessageRow.to_email, MessageRow.message_id,
)  # fmt: skip


def add(conn: Connection, values: dict[str, Any]) -> int | None:
    """Note a mail and return its number; None when the same mail is there already, or comes in beside us."""
    statement = insert(InboxMessage).values(values).on_conflict_do_nothing(index_elements=["sha256"])
    return conn.execute(statement.returning(InboxMessage.id)).scalar_one_or_none()


def write(conn: Connection, number: int, **values: Any) -> None:
    """Change what is known about a mail."""
    conn.execute(update(InboxMessage).where(InboxMessage.id == number).values(values))


def same_words(conn: Connection, number: int, message_id: str | None, sender: str | None, text: str) -> int | None:
    """Return the number of an earlier mail that is the same but for its way here."""
    if message_id is None:
        return None
    earlier = select(InboxMessage.id).where(
        InboxMessage.message_id == message_id, InboxMessage.from_email == sender, InboxMessage.body_text == text,
        InboxMessage.id != number,
    )  # fmt: skip
    return conn.execute(earlier.order_by(InboxMessage.id).limit(1)).scalar_one_or_none()


def ours_by_number(conn: Connection, numbers: Collection[int]) -> list[Any]:
    """Return messages of ours by their numbers."""
    wanted = [number for number in numbers if number < 2**63]
    return list(conn.execute(select(*_OF_OURS).where(MessageRow.id.in_(wanted)))) if wanted else []


def ours_by_message_id(conn: Connection, ids: Collection[str]) -> list[Any]:
    """Return messages of ours by their Message-IDs."""
    return list(conn.execute(select(*_OF_OURS).where(MessageRow.message_id.in_(list(ids))))) if ids else []


def last_sent_to(conn: Connection, addresses: Collection[str], since: datetime) -> int | None:
    """Return the case of the newest message about one that an address of these got since an instant."""
    newest = select(MessageRow.case_id).where(
        func.lower(MessageRow.to_email).in_(list(addresses)), MessageRow.state == SENT, MessageRow.sent_at >= since,
        MessageRow.case_id.is_not(None), MessageRow.staff_id.is_(None),
    )  # fmt: skip
    return conn.execute(newest.order_by(MessageRow.sent_at.desc()).limit(1)).scalar_one_or_none() if addresses else None


def of_sender_on(conn: Connection, case_id: int, sender: str, since: datetime) -> int:
    """Return how many mails of a sender were put on a case, or held back from it, since an instant."""
    statement = select(func.count()).select_from(InboxMessage).where(
        InboxMessage.case_id == case_id, func.lower(InboxMessage.from_email) == sender,
        InboxMessage.received_at >= since,
    )  # fmt: skip
    return int(conn.execute(statement).scalar_one())


def due_retries(conn: Connection, now: datetime, limit: int) -> list[Any]:
    """Return and lock the returned messages that are sent once more by now."""
    ours = [column.label(f"our_{column.key}") for column in _OF_OURS]
    statement = (
        select(InboxMessage.id, *ours)
        .outerjoin(MessageRow, MessageRow.id == InboxMessage.outbox_id)
        .where(InboxMessage.retry_at <= now)
        .order_by(InboxMessage.retry_at, InboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=InboxMessage)
    )
    return list(conn.execute(statement))


# --- where mail is read from, and how the inbox is


def source(conn: Connection, name: str) -> Any | None:
    """Return how far a source was read."""
    return conn.execute(select(InboxSource.__table__).where(InboxSource.name == name)).one_or_none()


def note_source(conn: Connection, name: str, **values: Any) -> None:
    """Write down how far a source was read, or why it could not be."""
    statement = insert(InboxSource).values(name=name, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def sources(conn: Connection) -> list[Any]:
    """Return every source, by name."""
    return list(conn.execute(select(InboxSource.__table__).order_by(InboxSource.name)))


def waiting(conn: Connection) -> dict[str, int]:
    """Return how many mails wait for a person, by state."""
    statement = (
        select(InboxMessage.state, func.count().label("n"))
        .where(or_(InboxMessage.state == UNMATCHED, InboxMessage.state == KEPT))
        .group_by(InboxMessage.state)
    )
    return {**dict.fromkeys((UNMATCHED, KEPT), 0), **{row.state: row.n for row in conn.execute(statement)}}


def refusals(conn: Connection, since: datetime) -> tuple[int, str | None]:
    """Return how often our mail was refused for what it is since an instant, and what was said the last time."""
    refused = select(InboxMessage.details["reason"].astext.label("said")).where(
        InboxMessage.kind == "policy", InboxMessage.received_at >= since, InboxMessage.state != IGNORED
    )  # fmt: skip
    found = conn.execute(refused.order_by(InboxMessage.id.desc())).scalars().all()
    return len(found), found[0] if found else None


A_WHILE = timedelta(days=60)
"""How far back somebody's mail is guessed to be about."""


def forget_ignored(conn: Connection, before: datetime) -> list[str]:
    """Remove the words of mail that was set aside before an instant; return the digests of those that had some.

    That there was such a mail stays, so that it is not taken a second time.
    """
    statement = (
        update(InboxMessage)
        .where(InboxMessage.state == IGNORED, InboxMessage.received_at < before, InboxMessage.body_text.is_not(None))
        .values(raw=None, body_text=None, subject=None, from_name=None, from_email=None, details={})
    )
    return list(conn.execute(statement.returning(InboxMessage.sha256)).scalars())

"""The tables of mail: the outbox, the epochs that revoke personal links, and the inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base

QUEUED = "queued"
SENDING = "sending"
SENT = "sent"
SUPPRESSED = "suppressed"
FAILED = "failed"
STATES = (QUEUED, SENDING, SENT, SUPPRESSED, FAILED)


class MessageRow(Base):
    """A message: what will be sent, what was sent word for word, or why it was not sent."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'sending', 'sent', 'suppressed', 'failed')", name="known_state"),
        CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_when"),
        CheckConstraint("state NOT IN ('suppressed', 'failed') OR reason IS NOT NULL", name="not_sent_why"),
        Index("ix_messages_queued", "not_before", "id", postgresql_where=text("state = 'queued'")),
        Index("ix_messages_leased", "lease_until", "id", postgresql_where=text("state = 'sending'")),
        Index("ix_messages_case", "case_id", "event_seq"),
        Index("ix_messages_address", text("lower(to_email)"), "sent_at", postgresql_where=text("to_email IS NOT NULL")),
        Index("ix_messages_message_id", "message_id", postgresql_where=text("message_id IS NOT NULL")),
        Index("ix_messages_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """The fact that asked for it; the same fact cannot ask twice."""
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    """The case it is about (a row of ``cases``, which this folder does not know); none for a digest."""
    event_seq: Mapped[int | None]
    kind: Mapped[str]
    audience: Mapped[str]
    purpose: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=QUEUED)
    reason: Mapped[str | None]
    """Why it was not sent, or why it waits."""
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    clock: Mapped[str | None]
    member_id: Mapped[int | None] = mapped_column(BigInteger)
    not_before: Mapped[datetime]
    """By the organisation's clock."""
    lease_until: Mapped[datetime | None]
    """By the real clock, since a sandbox's stands still."""
    lease_by: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_error: Mapped[str | None]
    to_email: Mapped[str | None]
    to_name: Mapped[str | None]
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    staff_id: Mapped[int | None] = mapped_column(BigInteger)
    language: Mapped[str | None]
    subject: Mapped[str | None]
    body_text: Mapped[str | None]
    body_html: Mapped[str | None]
    body_sha256: Mapped[str | None]
    message_id: Mapped[str | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]


class LinkEpoch(Base):
    """How often the personal links of a case were revoked; no row means never."""

    __tablename__ = "link_epochs"

    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    revoked_at: Mapped[datetime]


MATCHED = "matched"
UNMATCHED = "unmatched"
IGNORED = "ignored"
KEPT = "kept"


class InboxMessage(Base):
    """A mail that came in, word for word, what it was taken for, and whose it is."""

    __tablename__ = "inbox_messages"
    __table_args__ = (
        CheckConstraint("state IN ('matched', 'unmatched', 'ignored', 'kept')", name="known_state"),
        CheckConstraint("state <> 'matched' OR case_id IS NOT NULL", name="matched_to_a_case"),
        Index("ix_inbox_messages_state", "state", "id"),
        Index("ix_inbox_messages_case", "case_id", "id", postgresql_where=text("case_id IS NOT NULL")),
        Index("ix_inbox_messages_sender", "case_id", text("lower(from_email)"), "received_at"),
        Index("ix_inbox_messages_message_id", "message_id", postgresql_where=text("message_id IS NOT NULL")),
        Index("ix_inbox_messages_retry", "retry_at", postgresql_where=text("retry_at IS NOT NULL")),
        Index("ix_inbox_messages_outbox", "outbox_id", postgresql_where=text("outbox_id IS NOT NULL")),
        Index("ix_inbox_messages_kind", "kind", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    received_at: Mapped[datetime]
    """When it was read, by the organisation's clock."""
    source: Mapped[str]
    """Where it was found: the name of its file, or its number in the mailbox."""
    sha256: Mapped[str] = mapped_column(unique=True)
    """Of the mail as it came: the same mail is taken once, whoever reads it how often."""
    size: Mapped[int] = mapped_column(BigInteger)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The mail as it came; a large one lies in a file (`notifications/inbox/keeping.py`)."""
    message_id: Mapped[str | None]
    from_email: Mapped[str | None]
    from_name: Mapped[str | None]
    subject: Mapped[str | None]
    body_text: Mapped[str | None]
    """What was newly written, without what it quotes."""
    kind: Mapped[str]
    status: Mapped[str | None]
    """The status code of a mail that came back (RFC 3463)."""
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    outbox_id: Mapped[int | None] = mapped_column(BigInteger)
    """The message of ours that it is about."""
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    """The case it was put on (a row of ``cases``, which this folder does not know)."""
    perhaps_case_id: Mapped[int | None] = mapped_column(BigInteger)
    """A case it may be about, by nothing that proves it."""
    event_seq: Mapped[int | None]
    """The event of that case that holds it; none where it was only noted here."""
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    matched_by: Mapped[str | None]
    state: Mapped[str]
    why: Mapped[str | None]
    """Why it is in this state, in a sentence."""
    retry_at: Mapped[datetime | None]
    """When the message that a full mailbox sent back is sent once more."""
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[str | None]


class InboxSource(Base):
    """A place mail is read from, and how far it was read."""

    __tablename__ = "inbox_sources"

    name: Mapped[str] = mapped_column(primary_key=True)
    uid_validity: Mapped[int | None] = mapped_column(BigInteger)
    last_uid: Mapped[int | None] = mapped_column(BigInteger)
    read_at: Mapped[datetime | None]
    """When it was last read to its end, by the real clock."""
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why it could not be read the last time, in a sentence; none when it could."""

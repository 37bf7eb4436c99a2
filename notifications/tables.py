"""The tables of outgoing mail: the outbox, and the epochs that revoke personal links."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, text
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

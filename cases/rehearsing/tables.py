"""The tables of rehearsals that were asked for at the desk: their results for some days, for whoever asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base

RUNNING, DONE, FAILED = "running", "done", "failed"


class RehearsalRow(Base):
    """A rehearsal: what was asked, how far it is, and what it found as its asker may see it."""

    __tablename__ = "rehearsals"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'failed')", name="known_state"),
        Index("ix_rehearsals_asked", "campaign_id", "asked_by", "id"),
        Index("ix_rehearsals_begun", "begun_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    asked_by: Mapped[str]
    """``staff:3``: a result is made of what this person may see, and is for nobody else."""
    asked_at: Mapped[datetime]
    """By the organisation's clock."""
    begun_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    """By the real clock: whether it still runs."""
    wish: Mapped[dict[str, Any]] = mapped_column(JSONB)
    unseen: Mapped[int]
    """How many cases of the campaign the asker might not open then; when there are more, the result is withheld."""
    state: Mapped[str] = mapped_column(server_default=RUNNING)
    progress: Mapped[int] = mapped_column(server_default=text("0"))
    """Percent of the time that has passed on the stage."""
    error: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    pages: Mapped[int] = mapped_column(server_default=text("0"))


class RehearsedMails(Base):
    """The mails of a rehearsal, page by page."""

    __tablename__ = "rehearsed_mails"

    rehearsal_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("rehearsals.id", ondelete="CASCADE"), primary_key=True
    )
    page: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mails: Mapped[list[Any]] = mapped_column(JSON)

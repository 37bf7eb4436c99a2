"""The tables of the circuit breaker: what is held back and who decided, which cases those are, and what went by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base

OPEN, APPROVED, DECLINED, OVER = "open", "approved", "declined", "over"
STATES = (OPEN, APPROVED, DECLINED, OVER)


class SweepHold(Base):
    """What a sweep did not do, until a manager decides: of one process there is one that waits. Instants are by the
    organisation's clock."""

    __tablename__ = "sweep_holds"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'approved', 'declined', 'over')", name="known_state"),
        CheckConstraint("state IN ('open', 'over') OR (decided_by IS NOT NULL AND reason IS NOT NULL)",
                        name="decided_by_somebody"),
        Index("uq_sweep_holds_open", "process", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_sweep_holds_state", "state", "id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    process: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=OPEN)
    """``open``, ``approved``, ``declined``; ``over`` when nothing of it was due any more."""
    raised_at: Mapped[datetime]
    cases: Mapped[int]
    """How many cases were ever put into it; grows while it waits."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """What would have happened, in numbers: see ``cases/breaker/values.py``."""
    seniors_told_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    """``staff:3``."""
    on_behalf_of: Mapped[str | None]
    reason: Mapped[str | None]
    until: Mapped[datetime | None]
    """Declined: until when what cannot be passed over is put off."""


class HeldCase(Base):
    """A case that a sweep leaves alone as long as it is due at this very instant; moved meanwhile, it is held no more.

    The row stays after the decision: what was let go is not asked about again.
    """

    __tablename__ = "held_cases"
    __table_args__ = (Index("ix_held_cases_hold", "hold_id", "case_id"),)

    case_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    due_at: Mapped[datetime]
    hold_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sweep_holds.id"))
    waiting: Mapped[bool]
    """Until the decision is carried out."""


class SweepTally(Base):
    """How many cases nobody had foreseen a batch of a sweep did something for; kept for a day."""

    __tablename__ = "sweep_tallies"
    __table_args__ = (Index("ix_sweep_tallies_at", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    process: Mapped[str]
    at: Mapped[datetime]
    late: Mapped[int]
    on_time: Mapped[int]

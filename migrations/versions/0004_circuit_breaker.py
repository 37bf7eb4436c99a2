"""What the circuit breaker holds back until a manager decides."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.database import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sweep_holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("seniors_told_at", UtcDateTime(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'declined', 'over')", name=op.f("ck_sweep_holds_known_state")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'over') OR (decided_by IS NOT NULL AND reason IS NOT NULL)",
            name=op.f("ck_sweep_holds_decided_by_somebody"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep_holds")),
    )
    op.create_index(
        "uq_sweep_holds_open", "sweep_holds", ["process"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index("ix_sweep_holds_state", "sweep_holds", ["state", "id"])
    op.create_table(
        "held_cases",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_held_cases_case_id_cases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["sweep_holds.id"], name=op.f("fk_held_cases_hold_id_sweep_holds")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_held_cases")),
    )
    op.create_index("ix_held_cases_hold", "held_cases", ["hold_id", "case_id"])
    op.create_table(
        "sweep_tallies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("on_time", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep_tallies")),
    )
    op.create_index("ix_sweep_tallies_at", "sweep_tallies", ["at"])

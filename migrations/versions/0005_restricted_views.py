"""Who looked at restricted data, and a way to hold the record still that gives no right to change it."""

import sqlalchemy as sa
from alembic import op

from cases.looking.tables import HOLD_RECORD, ONLY_OLD_GO
from config.database import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "restricted_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("case_ref", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restricted_views")),
    )
    op.create_index("ix_restricted_views_person", "restricted_views", ["person", "at"])
    op.create_index("ix_restricted_views_case", "restricted_views", ["case_ref", "id"])
    op.create_index("ix_restricted_views_at", "restricted_views", ["at"])
    op.execute(ONLY_OLD_GO)
    op.execute(HOLD_RECORD)

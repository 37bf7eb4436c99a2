"""Which worker did what."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("sweeps", sa.Column("worker", sa.Text(), nullable=True))

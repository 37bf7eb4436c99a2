"""What campaigns that reach everybody need: documents and signatures, the inbox, rehearsals, calendar feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.database import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    pass

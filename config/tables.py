"""The one row that says what kind of installation this database belongs to."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base

PRODUCTION = "production"
SANDBOX = "sandbox"


class Installation(Base):
    """What was decided when the database was made; it has exactly one row, with id 1."""

    __tablename__ = "installation"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        CheckConstraint("kind IN ('production', 'sandbox')", name="known_kind"),
        CheckConstraint("clock_at IS NULL OR kind = 'sandbox'", name="only_a_sandbox_stands_still"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    kind: Mapped[str]
    clock_at: Mapped[datetime | None]
    time_zone: Mapped[str]
    created_at: Mapped[datetime]

"""Setting up a database: which kind it is, once and for all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select

from cases.errors import CaseError
from config import roles
from config.database import Connection, Engine, transaction
from config.settings import Settings
from config.tables import PRODUCTION, SANDBOX, Installation


class OtherKind(CaseError):
    """A database stays what it was made as."""


def kind(conn: Connection) -> str | None:
    """Return ``production`` or ``sandbox``, or None for a database that is not set up."""
    return conn.execute(select(Installation.kind)).scalar_one_or_none()


def initialise(engine: Engine, settings: Settings, *, sandbox: bool, now: datetime) -> bool:
    """Mark a migrated database as a sandbox or for production; return False when it already was.

    Raises OtherKind when it was made as the other kind.
    """
    wanted = SANDBOX if sandbox else PRODUCTION
    with transaction(engine) as conn:
        found = kind(conn)
        if found == wanted:
            return False
        if found is not None:
            raise OtherKind(f"This one is a {found} database; use another MUSTER_HOME or MUSTER_DATABASE_URL.")
        conn.execute(insert(Installation).values(id=1, kind=wanted, time_zone=settings.time_zone, created_at=now))
        if sandbox:
            roles.renew_sandbox(conn)
        return True

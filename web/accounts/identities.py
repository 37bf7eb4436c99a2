"""Who somebody is at the OpenID provider: tied to an account at first use, untied by an administrator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from config.database import Connection
from web.tables import OidcIdentity


def bound_to(conn: Connection, issuer: str, subject: str) -> int | None:
    """Return whose account an identity opens, or None."""
    mine = (OidcIdentity.issuer == issuer) & (OidcIdentity.subject == subject)
    return conn.execute(select(OidcIdentity.staff_id).where(mine)).scalar_one_or_none()


def bind(conn: Connection, issuer: str, subject: str, staff_id: int, *, now: datetime) -> bool:
    """Tie an identity to an account; return False when the account has another one of this provider already."""
    others = select(OidcIdentity.subject).where(OidcIdentity.issuer == issuer, OidcIdentity.staff_id == staff_id)
    if conn.execute(others.where(OidcIdentity.subject != subject)).first() is not None:
        return False
    row = {"issuer": issuer, "subject": subject, "staff_id": staff_id, "bound_at": now}
    conn.execute(insert(OidcIdentity).values(**row).on_conflict_do_nothing())
    return True


def of(conn: Connection, staff_id: int) -> Sequence[Row[Any]]:
    """Return the identities of a person: issuer and since when."""
    columns = (OidcIdentity.issuer, OidcIdentity.bound_at)
    return conn.execute(select(*columns).where(OidcIdentity.staff_id == staff_id)).all()


def untie(conn: Connection, staff_id: int) -> int:
    """Forget the identities of a person and return how many there were; the next sign-in ties anew."""
    return conn.execute(delete(OidcIdentity).where(OidcIdentity.staff_id == staff_id)).rowcount

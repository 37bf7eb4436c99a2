"""Keys for programs: each acts as a member of staff, within its scopes, and is kept as a SHA-256 only."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update

from cases.errors import BadInput
from config.database import Connection
from members.staff_store import who_work_here
from web.sessions import sha256
from web.tables import ApiToken

SCOPES = {
    "cases:read": "read cases, queues and their history",
    "cases:write": "open cases and move them",
    "members:read": "read the register",
    "members:write": "change the register",
    "campaigns:read": "read campaigns and how far they are",
    "campaigns:write": "plan and open campaigns",
    "messages:read": "read what was sent, and what was not and why",
    "metrics": "read the figures for monitoring",
}
"""What a key can be made for, in words."""

PREFIX = "mst_"
_SHAPE = re.compile(r"mst_[A-Za-z0-9_-]{43}", re.ASCII)
_NOTED_EVERY = timedelta(minutes=1)
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Bearer:
    """The key that came with a request."""

    id: int
    staff_id: int
    scopes: frozenset[str]


def find(conn: Connection, bearer: str, *, now: datetime) -> Bearer | None:
    """Return the key with this text while it holds and its person works here, or None. Reads only; `now` is real."""
    if not _SHAPE.fullmatch(bearer):
        return None
    statement = (
        select(ApiToken.id, ApiToken.staff_id, ApiToken.scopes)
        .where(ApiToken.staff_id.in_(who_work_here()))
        .where(ApiToken.token_sha256 == sha256(bearer), ApiToken.revoked_at.is_(None))
        .where(or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now))
    )
    row = conn.execute(statement).one_or_none()
    return Bearer(row.id, row.staff_id, frozenset(row.scopes)) if row else None


def note_use(conn: Connection, token_id: int, *, now: datetime) -> None:
    """Write down that a key was used; once a minute is exact enough."""
    long_ago = or_(ApiToken.used_at.is_(None), ApiToken.used_at < now - _NOTED_EVERY)
    conn.execute(update(ApiToken).where(ApiToken.id == token_id, long_ago).values(used_at=now))


def make(
    conn: Connection,
    name: str,
    scopes: Collection[str],
    *,
    staff_id: int,
    made_by: int,
    expires_at: datetime | None = None,
    now: datetime,
) -> str:
    """Make a key and return its text, which is told this once. Raises BadInput with what is wrong."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise BadInput(f"Give the key a name of at most {LONGEST_NAME} characters: what uses it.")
    if not scopes or not set(scopes) <= SCOPES.keys():
        raise BadInput("Choose at least one thing that the key may do.")
    if expires_at is not None and expires_at <= now:
        raise BadInput("The last day must lie ahead.")
    token = PREFIX + secrets.token_urlsafe(32)
    row = {
        "token_sha256": sha256(token), "name": name, "staff_id": staff_id, "scopes": sorted(scopes),
        "made_by": made_by, "made_at": now, "expires_at": expires_at,
    }  # fmt: skip
    conn.execute(insert(ApiToken).values(**row))
    return token


def revoke(conn: Connection, token_id: int, *, of_staff: int | None = None, now: datetime) -> bool:
    """End a key for good, only if it is of this person where one is given; return whether there was one to end."""
    mine = [] if of_staff is None else [ApiToken.staff_id == of_staff]
    ending = update(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None), *mine)
    return conn.execute(ending.values(revoked_at=now)).rowcount == 1


def revoke_all(conn: Connection, staff_id: int, *, now: datetime) -> None:
    """End every key that acts as this person."""
    ending = update(ApiToken).where(ApiToken.staff_id == staff_id, ApiToken.revoked_at.is_(None))
    conn.execute(ending.values(revoked_at=now))


Kept = Row[Any]
"""A key without its secret."""


def works(key: Kept, now: datetime) -> bool:
    """Whether a key still opens anything; `now` is real."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def listed(conn: Connection, *, of_staff: int | None = None) -> Sequence[Kept]:
    """Return the keys without their secrets, those that were not revoked first, the newest first."""
    columns = [c for c in ApiToken.__table__.c if c.name != "token_sha256"]
    statement = select(*columns).order_by(ApiToken.revoked_at.isnot(None), ApiToken.id.desc())
    if of_staff is not None:
        statement = statement.where(ApiToken.staff_id == of_staff)
    return conn.execute(statement).all()

"""Calendar feeds: secret addresses, kept as their SHA-256 only, under which people read their own days."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update

from cases.errors import BadInput
from config.database import Connection
from members.staff_store import who_work_here
from web.sessions import sha256
from web.tables import CalendarFeed

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_NOTED_EVERY = timedelta(hours=1)
MOST = 5
"""Feeds that one person has at a time."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed whose address is known."""

    id: int
    staff_id: int
    titles: bool
    absences: bool


def find(conn: Connection, token: str) -> Feed | None:
    """Return the feed with this token while it holds and its person works here, or None. Reads only."""
    if not _SHAPE.fullmatch(token):
        return None
    statement = select(CalendarFeed.id, CalendarFeed.staff_id, CalendarFeed.titles, CalendarFeed.absences).where(
        CalendarFeed.token_sha256 == sha256(token), CalendarFeed.revoked_at.is_(None),
        CalendarFeed.staff_id.in_(who_work_here()),
    )  # fmt: skip
    row = conn.execute(statement).one_or_none()
    return Feed(*row) if row else None


def make(conn: Connection, staff_id: int, *, titles: bool, absences: bool, now: datetime) -> str:
    """Make a feed and return its token, which is told this once. Raises BadInput where there are enough."""
    mine = (CalendarFeed.staff_id == staff_id) & CalendarFeed.revoked_at.is_(None)
    if conn.execute(select(func.count()).where(mine)).scalar_one() >= MOST:
        raise BadInput(f"You have {MOST} calendar addresses already; end one of them first.")
    token = secrets.token_urlsafe(32)
    row = {"token_sha256": sha256(token), "staff_id": staff_id, "titles": titles, "absences": absences}
    conn.execute(insert(CalendarFeed).values(**row, made_at=now))
    return token


def revoke(conn: Connection, feed_id: int, *, of_staff: int, now: datetime) -> bool:
    """End a feed of this person for good; return whether there was one to end."""
    mine = (CalendarFeed.id == feed_id) & (CalendarFeed.staff_id == of_staff) & CalendarFeed.revoked_at.is_(None)
    return conn.execute(update(CalendarFeed).where(mine).values(revoked_at=now)).rowcount == 1


def revoke_all(conn: Connection, staff_id: int, *, now: datetime) -> None:
    """End every feed of this person."""
    mine = (CalendarFeed.staff_id == staff_id) & CalendarFeed.revoked_at.is_(None)
    conn.execute(update(CalendarFeed).where(mine).values(revoked_at=now))


def note_use(conn: Connection, feed_id: int, *, now: datetime) -> None:
    """Write down that a feed was read; once an hour is exact enough."""
    long_ago = or_(CalendarFeed.used_at.is_(None), CalendarFeed.used_at < now - _NOTED_EVERY)
    conn.execute(update(CalendarFeed).where(CalendarFeed.id == feed_id, long_ago).values(used_at=now))


def listed(conn: Connection, staff_id: int) -> Sequence[Row[Any]]:
    """Return the feeds of a person that hold, without their secrets, the newest first."""
    columns = [column for column in CalendarFeed.__table__.c if column.name != "token_sha256"]
    mine = (CalendarFeed.staff_id == staff_id) & CalendarFeed.revoked_at.is_(None)
    return conn.execute(select(*columns).where(mine).order_by(CalendarFeed.id.desc())).all()

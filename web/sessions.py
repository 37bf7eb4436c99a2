"""Who is signed in: sessions that live on the server, found by a random token in a cookie."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from config.database import Connection
from web.tables import WebSession

IDLE = timedelta(hours=2)
"""A browser nobody touched for so long is signed out."""
LONGEST = timedelta(hours=12)
"""After so long one signs in again, busy or not: a working day."""
AHEAD = timedelta(minutes=5)
"""A session seen so far ahead is of a clock that was wrong; it would live longer than any may."""
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser on which a member of staff is signed in."""

    id: int
    staff_id: int
    token: str
    started_at: datetime
    seen_at: datetime

    def is_stale(self, now: datetime) -> bool:
        """Whether the row should be told that somebody is still there."""
        return now - self.seen_at >= _NOTED_EVERY


def sha256(token: str) -> str:
    """Return what is stored of a secret. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def start(conn: Connection, staff_id: int, *, address: str, agent: str, now: datetime) -> str:
    """Sign somebody in and return the new token, which is shown to nobody else. Old sessions of all are swept out."""
    conn.execute(delete(WebSession).where(WebSession.started_at < now - LONGEST))
    token = secrets.token_urlsafe(32)
    row = {"token_sha256": sha256(token), "staff_id": staff_id, "address": address[:64], "agent": agent[:200]}
    conn.execute(insert(WebSession).values(**row, started_at=now, seen_at=now))
    return token


COLUMNS = (WebSession.id, WebSession.staff_id, WebSession.started_at, WebSession.seen_at)
"""What a statement reads for ``living``."""
IS_ASKED_FOR = WebSession.token_sha256 == bindparam("token_sha256")


def find(conn: Connection, token: str, *, now: datetime) -> Session | None:
    """Return the session of this token, or None when there is none or it is over. Writes nothing."""
    row = conn.execute(select(*COLUMNS).where(IS_ASKED_FOR), {"token_sha256": sha256(token)}).one_or_none()
    return living(row, token, now=now)


def living(row: Row[Any] | None, token: str, *, now: datetime) -> Session | None:
    """Return the session of a row with ``COLUMNS``, found by its token; None when there is none or it is over."""
    if row is None or now - row.seen_at >= IDLE or now - row.started_at >= LONGEST or row.seen_at - now > AHEAD:
        return None
    return Session(row.id, row.staff_id, token, row.started_at, row.seen_at)


def seen(conn: Connection, session: Session, *, now: datetime) -> None:
    """Note that somebody is still there."""
    conn.execute(update(WebSession).where(WebSession.id == session.id).values(seen_at=now))


def end(conn: Connection, session_ids: Collection[int], *, staff_id: int) -> None:
    """Sign out these browsers of a person."""
    conn.execute(delete(WebSession).where(WebSession.id.in_(list(session_ids)), WebSession.staff_id == staff_id))


def end_all(conn: Connection, staff_id: int, *, but: int | None = None) -> None:
    """Sign somebody out everywhere, but perhaps not on one browser."""
    statement = delete(WebSession).where(WebSession.staff_id == staff_id)
    conn.execute(statement if but is None else statement.where(WebSession.id != but))


def of(conn: Connection, staff_id: int, *, now: datetime) -> list[Row[Any]]:
    """Return the living sessions of a person, the latest first."""
    living = (WebSession.seen_at > now - IDLE) & (WebSession.started_at > now - LONGEST)
    rows = conn.execute(
        select(WebSession.__table__).where(WebSession.staff_id == staff_id, living).order_by(WebSession.seen_at.desc())
    )
    return list(rows)


def last_seen(conn: Connection, staff_ids: Collection[int]) -> dict[int, datetime]:
    """Return when each of these people was last there, as far as their sessions are still kept."""
    newest = select(WebSession.staff_id, func.max(WebSession.seen_at).label("at"))
    rows = conn.execute(newest.where(WebSession.staff_id.in_(list(staff_ids))).group_by(WebSession.staff_id))
    return {row.staff_id: row.at for row in rows}

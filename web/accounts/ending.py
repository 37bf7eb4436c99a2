"""Ending what goes on without signing in: keys that act as somebody, and the addresses of their calendar."""

from __future__ import annotations

from datetime import datetime

from config.database import Connection
from web.accounts import feeds, tokens


def end_secrets(conn: Connection, staff_id: int, *, now: datetime) -> None:
    """End every key that acts as this person, and every calendar address of theirs, for good; `now` is real."""
    tokens.revoke_all(conn, staff_id, now=now)
    feeds.revoke_all(conn, staff_id, now=now)


def has_secrets(conn: Connection, staff_id: int, *, now: datetime) -> bool:
    """Whether there is anything of this person to be ended; `now` is real."""
    keys = tokens.listed(conn, of_staff=staff_id)
    return bool(feeds.listed(conn, staff_id)) or any(tokens.works(key, now) for key in keys)

"""Ending what goes on without signing in: keys that act as somebody, and the addresses of their calendar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from config.database import Connection
from web.accounts import feeds, tokens


def end_secrets(conn: Connection, staff_id: int, *, now: datetime) -> None:
    """End every key that acts as this person, and every calendar address of theirs, for good; `now` is real."""
    tokens.revoke_all(conn, staff_id, now=now)
    feeds.revoke_all(conn, staff_id, now=now)


def has_secrets(keys: Iterable[tokens.Kept], calendars: Sequence[Any], *, now: datetime) -> bool:
    """Whether any of somebody's keys and calendar addresses still opens anything; `now` is real."""
    return bool(calendars) or any(tokens.works(key, now) for key in keys)

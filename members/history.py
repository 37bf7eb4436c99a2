"""What was changed on a member, and by whom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from config.database import Connection
from members.tables import ChangeLog

RECENT = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: before and after by field, or what was done to contacts."""

    id: int
    at: datetime
    actor: str
    source: str
    changes: dict[str, Any]


def changes_of(conn: Connection, member_id: int, *, before: int | None = None, limit: int = RECENT) -> list[Entry]:
    """Return what was changed on a member, the newest first, before that entry."""
    newest = select(ChangeLog.id, ChangeLog.at, ChangeLog.actor, ChangeLog.source, ChangeLog.changes)
    newest = newest.where(ChangeLog.member_id == member_id)
    if before is not None:
        newest = newest.where(ChangeLog.id < before)
    return [Entry(*row) for row in conn.execute(newest.order_by(ChangeLog.id.desc()).limit(limit))]

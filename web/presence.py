"""Who else has a case open. By the real clock: people look in real time, also in a sandbox."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from config.database import Connection

FRESH = timedelta(seconds=90)
"""A page says every 30 seconds that it is still open."""
_FORGOTTEN = timedelta(days=1)
_LOOK = text("""
WITH forgotten AS (
  DELETE FROM case_viewers WHERE (case_id, staff_id) IN (
    SELECT case_id, staff_id FROM case_viewers WHERE seen_at < :old AND staff_id <> :me LIMIT 50
    FOR UPDATE SKIP LOCKED)
), mine AS (
  INSERT INTO case_viewers (case_id, staff_id, seen_at) VALUES (:case_id, :me, :now)
  ON CONFLICT (case_id, staff_id) DO UPDATE SET seen_at = greatest(case_viewers.seen_at, excluded.seen_at)
)
SELECT staff_id FROM case_viewers
WHERE case_id = :case_id AND staff_id <> :me AND seen_at >= :fresh ORDER BY staff_id
""")


def look(conn: Connection, case_id: int, staff_id: int, *, now: datetime) -> list[int]:
    """Note that somebody has a case open, and return who else has, by staff id; in one statement."""
    given = {"case_id": case_id, "me": staff_id, "now": now, "fresh": now - FRESH, "old": now - _FORGOTTEN}
    return list(conn.execute(_LOOK, given).scalars())

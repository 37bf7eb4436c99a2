"""A database at rest: one that was restored, until somebody says that it goes on here, and one that was moved away.

At rest nothing happens by itself: no sweep, no mail out or in, no daily work. Otherwise a copy on another machine would
write to every member. The mark is a row of the ledger, so that it goes where the database goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from cases.errors import CaseError
from cases.tables import JobRun
from config import clock, dumping
from config.database import Connection, Engine, reading

JOB = "at_rest"
RESTORED, MOVED = "restored", "moved"


class AtRest(CaseError):
    """This database is at rest, so nothing happens by itself:"""

    status = 503


@dataclass(frozen=True, slots=True)
class Rest:
    """Why a database is at rest, and since when (by the real clock)."""

    why: str
    since: datetime
    told: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """What a person reads of it."""
        if self.why == MOVED:
            return (
                f"it was moved to {self.told.get('to', 'another server')} on {self.since:%Y-%m-%d}; use "
                "that one (MUSTER_DATABASE_URL). If it is to go on here after all: muster db resume"
            )
        return (
            f"it was restored on {self.since:%Y-%m-%d} from a backup of {str(self.told.get('made_at', ''))[:10]}. "
            "When it is to go on here, and nowhere else: muster db resume"
        )


def at_rest(conn: Connection) -> Rest | None:
    """Return why this database is at rest, or None when it is not. Moved comes before restored."""
    marks = select(JobRun.period, JobRun.started_at, JobRun.result).where(
        JobRun.job == JOB, JobRun.finished_at.is_(None)
    )
    row = conn.execute(marks.order_by(JobRun.period).limit(1)).one_or_none()
    return None if row is None else Rest(row.period, row.started_at, row.result or {})


def require_awake(engine: Engine) -> None:
    """Raise AtRest when nothing may happen by itself in this database."""
    with reading(engine) as conn:
        rest = at_rest(conn)
    if rest is not None:
        raise AtRest(rest.sentence)


def require_here(conn: Connection) -> None:
    """Raise AtRest when this database was moved away."""
    rest = at_rest(conn)
    if rest is not None and rest.why == MOVED:
        raise AtRest(rest.sentence)


def lay_to_rest(conn: Connection, why: str, told: Mapping[str, Any], *, now: datetime) -> None:
    """Mark a database as at rest; ``now`` is the real instant."""
    row = {"started_at": now, "finished_at": None, "attempts": 1, "result": dict(told)}
    statement = insert(JobRun).values(job=JOB, period=why, **row)
    conn.execute(statement.on_conflict_do_update(index_elements=["job", "period"], set_=row))


def wake(conn: Connection, *, now: datetime) -> None:
    """Let everything go on in this database; ``now`` is the real instant."""
    conn.execute(update(JobRun).where(JobRun.job == JOB, JobRun.finished_at.is_(None)).values(finished_at=now))


def what_waits(conn: Connection) -> dict[str, int]:
    """Return what would happen soon after a database goes on, and who could still come in by an old key."""
    row = conn.execute(_WAITS, {"now": clock.current(conn)}).one()
    return dict(row._mapping)


_WAITS = text("""
SELECT (SELECT count(*) FROM cases WHERE due_at <= :now) AS cases_due,
  (SELECT count(*) FROM messages WHERE state IN ('queued', 'sending') AND not_before <= :now) AS messages_to_send,
  (SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now))
    AS api_tokens_that_work
""")


_REFUSE = """
CREATE FUNCTION refuse_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'This database was moved to another server; nothing is written here any more.';
END $$
"""
_GUARD = """
CREATE TRIGGER moved_away BEFORE INSERT OR UPDATE OR DELETE ON "{}" FOR EACH STATEMENT EXECUTE FUNCTION refuse_moved()
"""


def refuse_writes(conn: Connection) -> None:
    """Have every table but the ledger refuse whatever anybody would write, also who is connected already."""
    conn.exec_driver_sql(_REFUSE)
    for table in dumping.tables(conn):
        if table.name != JobRun.__tablename__:
            conn.exec_driver_sql(_GUARD.format(table.name))


def take_writes(conn: Connection) -> None:
    """Take back ``refuse_writes``, where it was done."""
    conn.exec_driver_sql("DROP FUNCTION IF EXISTS refuse_moved() CASCADE")

"""When the machine's clock has been ahead and is set back: what it wrote must not wait until its own time comes.

Instants that only say how long to wait (leases, attempts, heartbeats, work that is done for its day) are put right.
The record is left as it was written.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from cases.environment import Environment
from cases.ledger import JOBS
from cases.tables import JobRun, Sweep
from config import clock
from config.database import Connection, reading, transaction

log = logging.getLogger(__name__)

AHEAD = timedelta(minutes=5)
"""Machines may differ by so much; what is further ahead was written by a clock that was wrong."""

_STATEMENTS = (
    # A lease is cut to its length, and not ended: its delivery may be at work, and then renews it within seconds.
    "UPDATE messages SET lease_until = :lease_ends WHERE state = 'sending' AND lease_until > :lease_ends",
    # Done before its day came is not done; begun, it is given again when it is found to have crashed.
    "DELETE FROM job_runs WHERE job = ANY(:jobs) AND finished_at IS NOT NULL AND started_at > :soon",
    "UPDATE job_runs SET started_at = :now WHERE job = ANY(:jobs) AND started_at > :soon",
    "UPDATE rehearsals SET touched_at = :now WHERE touched_at > :soon",
    "DELETE FROM sweeps WHERE started_at > :soon",
    "INSERT INTO job_runs (job, period, started_at, finished_at, attempts, result)"
    " VALUES (:name, :period, :now, :now, 1, jsonb_build_object('ahead_seconds', CAST(:ahead AS bigint)))"
    " ON CONFLICT (job, period) DO NOTHING",
)
_WAITING = (
    # What was to leave at once, or was put back by the wrong clock, is decided again; decided wrongly it waits again.
    "UPDATE messages SET not_before = :ours WHERE state = 'queued' AND not_before > :ours"
    " AND (reason IS NOT NULL OR (created_at > :ours AND not_before = created_at))"
)
NOT_AGAIN = timedelta(hours=1)
"""Mail that waits for its next attempt is let go no more often: a clock that stays ahead is found each minute anew."""
NAME = "clock_set_back"
"""Under which it is noted in the ledger that this happened."""
TOLD_FOR = timedelta(days=7)


def put_right(env: Environment) -> timedelta | None:
    """Put right what a clock that was ahead has left behind; return by how much it was ahead, or None."""
    now = clock.utc_now()
    with reading(env.engine) as conn:
        newest = conn.execute(select(func.max(Sweep.started_at))).scalar_one()
    if newest is None or newest <= now + AHEAD:
        return None
    ahead: timedelta = newest - now
    with transaction(env.engine) as conn:
        values = {**_values(env, now, clock.current(conn)), "ahead": int(ahead.total_seconds())}
        already = conn.execute(select(JobRun.job).where(JobRun.job == NAME, JobRun.started_at > now - NOT_AGAIN))
        statements = _STATEMENTS if already.first() else (_WAITING, *_STATEMENTS)
        for statement in map(text, statements):
            conn.execute(statement, {name: values[name] for name in statement.compile().params})
    log.warning("The clock of a machine was ahead by %s and was set back; what waited for it goes on.", ahead)
    return ahead


def _values(env: Environment, now: datetime, ours: datetime) -> dict[str, Any]:
    lease = timedelta(minutes=env.policy.mail.lease_minutes)
    return {"now": now, "soon": now + AHEAD, "ours": ours, "lease_ends": now + lease, "jobs": list(JOBS), "name": NAME,
            "period": now.isoformat(timespec="seconds")}  # fmt: skip


def latest(conn: Connection) -> dict[str, Any] | None:
    """Return when a clock was last found to have been ahead, and by how much, as plain values; None after a week."""
    noted = select(JobRun.started_at, JobRun.result).where(
        JobRun.job == NAME, JobRun.started_at > clock.utc_now() - TOLD_FOR
    )
    row = conn.execute(noted.order_by(JobRun.started_at.desc()).limit(1)).one_or_none()
    return None if row is None else {"at": row.started_at.isoformat(), **(row.result or {})}

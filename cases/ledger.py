"""The ledger of daily and weekly work: each job is done once for its period, whoever starts it and whenever.

A job that was missed, because the machine was off, is caught up at the next look; only its latest period ever is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from cases.tables import JobRun, Sweep
from config import clock
from config.database import Connection
from config.tables import Installation

STALE_AFTER = timedelta(minutes=30)
"""After so much real time a job that was begun and not finished is taken to have crashed. Longer than any job runs."""

CLOCKS = "recalculate_clocks"
CHECKS = "nightly_checks"
DIGEST = "weekly_digest"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a job falls due, on the organisation's wall clock: each day, or each week on one day."""

    at: time
    weekday: int | None = None
    """0 is Monday; None is each day."""

    def latest(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Return the last instant at or before ``now`` at which it fell due."""
        local = now.astimezone(zone)
        back = 0 if self.weekday is None else (local.weekday() - self.weekday) % 7
        due = datetime.combine(local.date() - timedelta(days=back), self.at, zone)
        if due.astimezone(UTC) <= now:
            return due
        # Wall-clock arithmetic, so that a night with a change of the clocks does not shift it.
        return due - timedelta(days=1 if self.weekday is None else 7)

    def period(self, due: datetime) -> str:
        """Return the name of the period it was due in: 2026-03-02, or 2026-W10."""
        if self.weekday is None:
            return due.date().isoformat()
        year, week, _ = due.isocalendar()
        return f"{year}-W{week:02}"


NIGHT = Rhythm(time(2, 30))
MONDAY_MORNING = Rhythm(time(7, 30), weekday=0)
JOBS: Mapping[str, Rhythm] = {CLOCKS: NIGHT, CHECKS: NIGHT, DIGEST: MONDAY_MORNING}
"""In the order in which they run when several are due: the checks look at clocks that are already right."""


def due_jobs(conn: Connection, now: datetime, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Return job and period of everything that fell due and is not finished, at most one period for each job.

    What fell due before the installation was made is nobody's to do.
    """
    since = conn.execute(select(Installation.created_at)).scalar_one_or_none()
    wanted = []
    for job, rhythm in JOBS.items():
        due = rhythm.latest(now, zone)
        if since is None or since <= due:
            wanted.append((job, rhythm.period(due)))
    finished = select(JobRun.job, JobRun.period).where(JobRun.finished_at.is_not(None), JobRun.job.in_(JOBS))
    done = {(row.job, row.period) for row in conn.execute(finished)}
    return [pair for pair in wanted if pair not in done]


def claim(conn: Connection, job: str, period: str, now: datetime, stale_after: timedelta = STALE_AFTER) -> bool:
    """Take a job for a period and return whether it is ours; of several who ask at once one gets it.

    A finished one is never given again, one that was begun and not finished only after ``stale_after``. ``now`` is
    the real instant, also in a sandbox: crashes happen in real time.
    """
    statement = insert(JobRun).values(job=job, period=period, started_at=now, attempts=1)
    statement = statement.on_conflict_do_update(
        index_elements=[JobRun.job, JobRun.period],
        set_={"started_at": now, "attempts": JobRun.attempts + 1},
        where=JobRun.finished_at.is_(None) & (JobRun.started_at <= now - stale_after),
    )
    return conn.execute(statement.returning(JobRun.attempts)).first() is not None


def finish(conn: Connection, job: str, period: str, now: datetime, result: Mapping[str, Any] | None = None) -> None:
    """Note that a claimed job is done, and what came of it. ``now`` is the real instant."""
    mine = (JobRun.job == job, JobRun.period == period, JobRun.finished_at.is_(None))
    conn.execute(update(JobRun).where(*mine).values(finished_at=now, result=dict(result or {})))


def unfinished(conn: Connection, now: datetime, stale_after: timedelta = STALE_AFTER) -> list[tuple[str, str, int]]:
    """Return job, period and attempts of what was begun, not finished, and is not running any more."""
    statement = select(JobRun.job, JobRun.period, JobRun.attempts).where(
        JobRun.finished_at.is_(None), JobRun.started_at <= now - stale_after
    )
    return [(row.job, row.period, row.attempts) for row in conn.execute(statement.order_by(JobRun.started_at))]


def last_sweep_at(conn: Connection) -> datetime | None:
    """Return when the newest finished sweep began, in real time; None before the first.

    One that a wrong clock wrote for a time to come is none.
    """
    newest = select(func.max(Sweep.started_at)).where(Sweep.finished_at.is_not(None))
    return conn.execute(newest.where(Sweep.started_at <= clock.utc_now() + timedelta(minutes=5))).scalar_one()

"""How an installation is, from its own tables: this works whether or not anything else is running."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, ScalarSelect, func, select, text

from cases.environment import Environment, World, world
from cases.inbox.health import inbox_health
from cases.tables import CaseRow, Sweep
from config import clock
from config.database import Connection, reading
from config.tables import SANDBOX, Installation
from notifications import queries as message_queries
from state_machines.registry import processes

LATE_AFTER = timedelta(minutes=5)
"""A sweep comes every minute; after so long without one, people are told."""


def status(env: Environment, *, head: str | None = None) -> dict[str, Any]:
    """Return how this installation is, as plain values. ``head`` is the newest migration, where the caller knows it."""
    with reading(env.engine) as conn:
        here = world(conn, env)
        kind = conn.execute(select(Installation.kind)).scalar_one_or_none()
        return {
            "kind": kind, "sandbox": kind == SANDBOX, "clock": here.now.isoformat(),
            "time_zone": env.settings.time_zone, "policy_version": env.policy.version,
            "sweep": _sweep(conn), **_work(conn, here.now),
            "open_cases": _open_cases(conn), "outbox": _outbox(conn, here.now),
            "inbox": inbox_health(conn, here.now).to_dict(), **_staff(here),
            "migrations": {"current": migration(conn), "head": head},
        }  # fmt: skip


def last_sweep() -> ScalarSelect[Any]:
    """Return the start of the newest sweep that ended, by the real clock, as a part of a statement."""
    newest = select(Sweep.started_at).where(Sweep.finished_at.is_not(None)).order_by(Sweep.started_at.desc())
    return newest.limit(1).scalar_subquery()


def _sweep(conn: Connection) -> dict[str, Any]:
    """The heartbeat, by the real clock."""
    newest = select(Sweep.__table__).where(Sweep.finished_at.is_not(None)).order_by(Sweep.started_at.desc()).limit(1)
    row = conn.execute(newest).one_or_none()
    if row is None:
        nothing = dict.fromkeys(("due", "fired", "parked", "milliseconds"))
        return {"at": None, "age_seconds": None, "late": True, **nothing}
    age = clock.utc_now() - row.started_at
    return {
        "at": row.started_at.isoformat(), "age_seconds": max(0, int(age.total_seconds())), "late": age > LATE_AFTER,
        "due": row.due, "fired": row.fired, "parked": row.parked, "milliseconds": row.milliseconds,
    }  # fmt: skip


def _work(conn: Connection, now: datetime) -> dict[str, Any]:
    is_open = CaseRow.closed_at.is_(None)
    row: Row[Any] = conn.execute(select(
        func.count().filter(CaseRow.due_at <= now).label("due"),
        func.count().filter(is_open, CaseRow.deadline_at < now).label("overdue"),
        func.min(CaseRow.due_at).filter(CaseRow.due_at <= now).label("oldest_due_at"),
        func.count().filter(is_open, CaseRow.parked_at.is_not(None)).label("parked"),
        func.count().filter(is_open, CaseRow.on_hold).label("on_hold"),
    )).one()  # fmt: skip
    oldest = row.oldest_due_at.isoformat() if row.oldest_due_at else None
    return {
        "due": row.due, "overdue": row.overdue, "oldest_due_at": oldest, "parked": row.parked, "on_hold": row.on_hold,
    }  # fmt: skip


def _open_cases(conn: Connection) -> dict[str, int]:
    rows = conn.execute(
        select(CaseRow.process, func.count().label("n")).where(CaseRow.closed_at.is_(None)).group_by(CaseRow.process)
    )
    return {**dict.fromkeys(processes(), 0), **{row.process: row.n for row in rows}}


def _outbox(conn: Connection, now: datetime) -> dict[str, Any]:
    oldest = message_queries.oldest_queued(conn)
    age = max(0, int((now - oldest).total_seconds())) if oldest else None
    return {**message_queries.counts(conn), "oldest_age_seconds": age}


def _staff(here: World) -> dict[str, Any]:
    """Who is away today without a deputy who is there: their work falls to their manager."""
    today = here.env.calendar.local_date(here.now)
    active = [p for p in here.staffing.people.values() if p.active]
    away = [(p, found) for p in active if (found := here.staffing.away(p.id, today)) is not None]
    covered = {p.id for p, found in away if found.deputy_id and here.staffing.present(found.deputy_id, today)}
    return {"staff_active": len(active), "away_without_deputy": [p.name for p, _ in away if p.id not in covered]}


def migration(conn: Connection) -> str | None:
    """Return the migration a database is at, or None when it is empty."""
    if conn.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()

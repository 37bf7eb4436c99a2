"""How an installation is, from its own tables: this works whether or not anything else is running."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, ScalarSelect, func, select, text

from cases import clock_put_right
from cases.breaker.reading import summary
from cases.breaker.waiting import is_held
from cases.copies.resting import at_rest
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
            "sweep": _sweep(conn), **_work(conn, here.now), "held_back": summary(conn),
            "at_rest": rest.sentence if (rest := at_rest(conn)) is not None else None,
            "open_cases": _open_cases(conn), "outbox": _outbox(conn, here.now),
            "inbox": inbox_health(conn, here.now).to_dict(), **_staff(here),
            "migrations": {"current": migration(conn), "head": head}, "clock_set_back": clock_put_right.latest(conn),
        }  # fmt: skip


def last_sweep() -> ScalarSelect[Any]:
    """Return the start of the newest sweep that ended, by the real clock, as a part of a statement."""
    newest = select(Sweep.started_at).where(Sweep.finished_at.is_not(None)).order_by(Sweep.started_at.desc())
    return newest.limit(1).scalar_subquery()


def _sweep(conn: Connection) -> dict[str, Any]:
    """The heartbeat, by the real clock."""
    newest = select(Sweep.__table__, _machines().label("machines")).where(Sweep.finished_at.is_not(None))
    row = conn.execute(newest.order_by(Sweep.started_at.desc()).limit(1)).one_or_none()
    if row is None:
        nothing = dict.fromkeys(("due", "fired", "parked", "milliseconds", "worker"))
        return {"at": None, "age_seconds": None, "late": True, **nothing, "machines": []}
    age = clock.utc_now() - row.started_at
    return {
        "at": row.started_at.isoformat(), "age_seconds": max(0, int(age.total_seconds())),
        "late": abs(age) > LATE_AFTER,  # one from a time to come is no heartbeat either
        "due": row.due, "fired": row.fired, "parked": row.parked, "milliseconds": row.milliseconds,
        "worker": row.worker, "machines": row.machines or [],
    }  # fmt: skip


def _machines() -> ScalarSelect[Any]:
    """The machines whose sweeps are not late, by name, as a part of a statement."""
    name = func.split_part(Sweep.worker, ":", 1)
    fresh = Sweep.started_at > clock.utc_now() - LATE_AFTER
    return select(func.array_agg(name.distinct())).where(fresh, Sweep.worker.is_not(None)).scalar_subquery()


def _work(conn: Connection, now: datetime) -> dict[str, Any]:
    is_open = CaseRow.closed_at.is_(None)
    row: Row[Any] = conn.execute(select(
        func.count().filter(CaseRow.due_at <= now, ~is_held()).label("due"),
        func.count().filter(is_open, CaseRow.deadline_at < now).label("overdue"),
        func.min(CaseRow.due_at).filter(CaseRow.due_at <= now, ~is_held()).label("oldest_due_at"),
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

"""What a monitoring system asks every few seconds: numbers from indexes, in two statements however many cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from cases.breaker.tables import OPEN, SweepHold
from cases.breaker.waiting import is_held
from cases.environment import Environment
from cases.tables import CaseRow, Sweep
from config import clock
from config.database import reading
from notifications.tables import FAILED, KEPT, QUEUED, SENDING, UNMATCHED, InboxMessage, InboxSource, MessageRow
from state_machines.registry import processes


@dataclass(frozen=True)
class Gauges:
    """Numbers about the whole installation, without a word about anybody."""

    due: int
    overdue: int
    oldest_due_seconds: float
    """For how long the case that is due longest has waited for the sweep, by the organisation's clock."""
    parked: int
    queued: int
    oldest_queued_seconds: float
    failed: int
    swept_seconds_ago: float | None
    """By the real clock; None when there was no sweep yet."""
    last_sweep_milliseconds: int | None
    open: dict[str, int]
    """Open cases by process."""
    inbox_waiting: int = 0
    """Mails that came in and wait for a person."""
    inbox_read_seconds_ago: float | None = None
    """By the real clock; None when no mail was read yet."""
    held: int = 0
    """Cases that the sweep holds back until a manager decides; they are not counted as due."""
    held_seconds: float = 0.0
    """For how long the oldest such decision has waited, by the organisation's clock."""


def gauges(env: Environment) -> Gauges:
    """Return the numbers as they are now."""
    with reading(env.engine) as conn:
        now = clock.current(conn)
        row = conn.execute(select(*_numbers(now))).one()
        states = conn.execute(
            select(CaseRow.process, CaseRow.state, func.count().label("n")).group_by(CaseRow.process, CaseRow.state)
        ).all()
    known = processes()
    found = dict.fromkeys(known, 0)
    for state in states:
        process = known.get(state.process)
        if process is None or state.state not in process.by_name or not process.state(state.state).final:
            found[state.process] = found.get(state.process, 0) + state.n
    swept = None if row.swept_at is None else abs((clock.utc_now() - row.swept_at).total_seconds())
    return Gauges(
        row.due, row.overdue, _age(row.oldest_due, now), row.parked, row.queued, _age(row.oldest_queued, now),
        row.failed, swept, row.milliseconds, found, row.inbox_waiting,
        None if row.inbox_read_at is None else _age(row.inbox_read_at, clock.utc_now()),
        row.held, _age(row.held_since, now),
    )  # fmt: skip


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _numbers(now: datetime) -> list[Any]:
    """Each from an index of its own; together they are one picture of one moment."""
    last = select(Sweep.started_at, Sweep.milliseconds).where(Sweep.finished_at.is_not(None))
    newest = last.order_by(Sweep.started_at.desc()).limit(1).subquery()
    n = func.count()
    waits = MessageRow.state.in_([QUEUED, SENDING])
    found: dict[str, Select[Any]] = {
        "due": select(n).where(CaseRow.due_at <= now, ~is_held()),
        "oldest_due": select(func.min(CaseRow.due_at)).where(CaseRow.due_at <= now, ~is_held()),
        "held": select(n).select_from(CaseRow).where(is_held()),
        "held_since": select(func.min(SweepHold.raised_at)).where(SweepHold.state == OPEN),
        "overdue": select(n).where(CaseRow.closed_at.is_(None), CaseRow.deadline_at < now),
        "parked": select(n).where(CaseRow.parked_at.is_not(None)),
        "queued": select(n).where(waits),
        "oldest_queued": select(func.min(MessageRow.not_before)).where(waits),
        "failed": select(n).where(MessageRow.state == FAILED),
        "swept_at": select(newest.c.started_at),
        "milliseconds": select(newest.c.milliseconds),
        "inbox_waiting": select(n).where(InboxMessage.state.in_([UNMATCHED, KEPT])),
        "inbox_read_at": select(func.max(InboxSource.read_at)),
    }
    return [statement.scalar_subquery().label(name) for name, statement in found.items()]

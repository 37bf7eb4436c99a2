"""One person's own days: the deadlines of their cases, decisions that wait for them, and what comes by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from cases.calendar.days import DEADLINE, KINDS, decided_states
from cases.calendar.month import Scope, four_weeks
from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import visible
from cases.rows import staff_id_of
from cases.tables import CaseRow
from config.database import reading
from members.staffing import Away
from state_machines.registry import process_named
from state_machines.values import Actor

AHEAD = timedelta(days=90)
BEHIND = timedelta(days=14)
"""What is overdue longer than that has left the calendar; it is in the queue."""
MOST = 360
"""Deadlines in one feed, the soonest first."""


@dataclass(frozen=True, slots=True)
class Due:
    """A case of theirs that is due."""

    ref: str
    version: int
    process: str
    state: str
    subject: str
    at: datetime
    decision: bool
    """Whether it waits for their decision."""


@dataclass(frozen=True)
class OwnDays:
    """What a feed is made of."""

    due: Sequence[Due]
    counts: Sequence[tuple[date, Sequence[tuple[str, int]]]]
    """Of each day how many of each kind come by themselves, by kind."""
    away: Sequence[Away]


def own_days(env: Environment, *, actor: Actor, now: datetime | None = None) -> OwnDays:
    """Return somebody's own days: their deadlines of the coming three months, and what comes in four weeks."""
    month = four_weeks(env, Scope.MINE, actor=actor, now=now)
    counts = [(day.on, [(kind, day.count(kind)) for kind in KINDS if kind != DEADLINE and day.count(kind)])
              for day in month.days]  # fmt: skip
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        me = staff_id_of(actor.person) or 0
        mine = sorted({me, *acts_for(actor, here)})
        wanted = select(
            CaseRow.ref, CaseRow.version, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.deadline_at
        ).where(
            visible(actor, acts_for(actor, here)), CaseRow.owner_id.in_(mine), CaseRow.closed_at.is_(None),
            CaseRow.deadline_at >= here.now - BEHIND, CaseRow.deadline_at <= here.now + AHEAD,
        )  # fmt: skip
        rows = conn.execute(wanted.order_by(CaseRow.deadline_at, CaseRow.id).limit(MOST)).all()
        today = here.env.calendar.local_date(here.now)
        away = [a for a in here.staffing.absences if a.staff_id == me and a.until_date >= today]
        return OwnDays([_due(row) for row in rows], [(day, found) for day, found in counts if found], away)


def _due(row: Any) -> Due:
    process = process_named(row.process)
    decision = (row.process, row.state) in decided_states()
    return Due(row.ref, row.version, process.title, process.state(row.state).title, row.subject, row.deadline_at,
               decision)  # fmt: skip

"""Late cases that rungs have brought to managers, and what waits for whoever stands in while somebody is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from cases.approving.deciders import Decider
from cases.approving.decisions import DECIDERS
from cases.digest import concerns
from cases.tables import CaseEvent, CaseRow
from config.database import Connection
from members.tables import Member
from state_machines.values import Role

MOST = 20
TO_MANAGER, TO_SENIOR = "escalate_to_manager", "escalate_to_senior"
AHEAD = timedelta(days=14)
"""How early somebody is told of an absence of theirs."""


@dataclass(frozen=True)
class Escalated:
    """The late cases that were brought to somebody: the longest overdue, and how many there are."""

    rows: Sequence[Any]
    total: int


def escalated_to(conn: Connection, decider: Decider) -> Escalated:
    """Return the cases whose ladder has called for the person or their role since the case is where it is.

    A manager answers for their team and their people, a senior manager for what no manager has moved.
    """
    person = decider.here.staffing.people.get(decider.me)
    if person is None or not decider.roles & {Role.MANAGER, Role.SENIOR}:
        return Escalated((), 0)
    called = []
    if Role.MANAGER in decider.roles:
        theirs = [decider.here.staffing.people[n] for n in sorted(decider.mine)]
        managing = [concerns(p, decider.here) for p in theirs if Role.MANAGER in p.roles]
        called.append(and_(_since_it_is_there(TO_MANAGER, TO_SENIOR), or_(*managing)))
    if Role.SENIOR in decider.roles:
        called.append(_since_it_is_there(TO_SENIOR))
    rows = conn.execute(
        select(CaseRow.id, CaseRow.ref, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.owner_id, CaseRow.team,
               CaseRow.deadline_at, CaseRow.version, Member.name.label("member"), func.count().over().label("total"))
        .select_from(CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id))
        .where(decider.seen, CaseRow.closed_at.is_(None), CaseRow.deadline_at < decider.here.now, or_(*called))
        .order_by(CaseRow.deadline_at, CaseRow.id).limit(MOST)
    ).all()  # fmt: skip
    return Escalated(rows, rows[0].total if rows else 0)


def _since_it_is_there(*triggers: str) -> Any:
    """Whether one of these rungs has fired since the case entered its state."""
    return exists().where(
        CaseEvent.case_id == CaseRow.id, CaseEvent.trigger.in_(triggers), CaseEvent.kind == "transition",
        CaseEvent.at >= CaseRow.entered_at,
    )  # fmt: skip


@dataclass(frozen=True)
class Absence:
    """Somebody is away, or soon will be: until when, who stands in, and what waits for that person."""

    since: date
    until: date
    now: bool
    deputy: str | None
    waiting: int
    """Decisions of theirs that wait today."""
    due: int
    """How many of these fall due before they are back."""


def absence_of(conn: Connection, decider: Decider) -> Absence | None:
    """Return the absence of the person that is now or begins within two weeks, with what falls due meanwhile."""
    staffing, calendar = decider.here.staffing, decider.here.env.calendar
    today = calendar.local_date(decider.here.now)
    coming = sorted(
        (a for a in staffing.absences if a.staff_id == decider.me and a.until_date >= today
         and a.from_date <= today + AHEAD), key=lambda a: a.from_date,
    )  # fmt: skip
    if not coming:
        return None
    away = coming[0]
    acting = staffing.acting(decider.me, max(today, away.from_date)).staff
    meanwhile = CaseRow.deadline_at < calendar.end_of(away.until_date)
    n = conn.execute(
        select(func.count().label("waiting"), func.count().filter(meanwhile).label("due")).select_from(CaseRow).where(
            decider.seen, CaseRow.owner_id == decider.me, CaseRow.closed_at.is_(None),
            CaseRow.owner_role.in_(sorted(DECIDERS)),
        )
    ).one()  # fmt: skip
    deputy = None if acting.id == decider.me else acting.name
    return Absence(away.from_date, away.until_date, away.from_date <= today, deputy, n.waiting, n.due)

"""The weekly digest: each manager is told what waits for them, what is late, escalated or parked, once a week.

What few people may see is counted and not named: a digest may be read by whoever stands in for the manager.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from cases import campaigns
from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.ledger import MONDAY_MORNING
from cases.permissions import guarded, visible
from cases.tables import CaseEvent, CaseRow
from config.database import Connection, transaction
from members.staffing import Person
from members.tables import Member
from notifications import outbox
from notifications.tables import FAILED, QUEUED, MessageRow
from notifications.values import NewMessage
from state_machines.registry import process_named
from state_machines.values import Role

KIND = "manager_digest"
MOST = 20
"""Cases that are named in one section; of the others the number is told."""
SENIOR_AFTER_WORKING_DAYS = 10
STUCK_AFTER = timedelta(days=1)


def send_digests(env: Environment, *, now: datetime) -> int:
    """Queue this week's digest for every manager and senior manager; return how many were new.

    Each is queued once a week, whoever asks and however often.
    """
    week = MONDAY_MORNING.period(now.astimezone(env.calendar.zone))
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        people = [p for p in here.staffing.people.values() if p.active and p.roles & {Role.MANAGER, Role.SENIOR}]
        shared = {"campaigns": _campaigns(conn), "messages": _stuck(conn, now)}
        messages = [
            NewMessage(key=f"digest:{week}:{p.id}", kind=KIND, audience=p.person, data=_digest(conn, p, here) | shared)
            for p in people
        ]
        return outbox.enqueue(conn, messages, now=now)


def _digest(conn: Connection, person: Person, here: World) -> dict[str, Any]:
    """Return the sections of one person's digest."""
    team, now = concerns(person, here), here.now
    late = and_(CaseRow.deadline_at < now, team)
    to_manager, to_senior = _escalated("escalate_to_manager"), _escalated("escalate_to_senior")
    if Role.SENIOR in person.roles:
        days_ago = here.env.calendar.add_working_days(here.env.calendar.local_date(now), -SENIOR_AFTER_WORKING_DAYS)
        very_late = CaseRow.deadline_at <= here.env.calendar.end_of(days_ago)
        late = or_(very_late, late) if Role.MANAGER in person.roles else very_late
        escalated = or_(to_senior, and_(to_manager, team))
    else:
        escalated = and_(or_(to_manager, to_senior), team)
    sections = {
        "decisions": and_(CaseRow.owner_id == person.id, CaseRow.owner_role != Role.COORDINATOR.value),
        "overdue": late,
        "escalated": escalated,
        "parked": CaseRow.parked_at.is_not(None),
    }
    found = {name: _section(conn, condition, person, here) for name, condition in sections.items()}
    return {**found, "as_at": now.isoformat()}


def concerns(person: Person, here: World) -> ColumnElement[bool]:
    """Cases of the person's team, of the people they manage, and their own; all cases when they have neither."""
    mine = [p.id for p in here.staffing.people.values() if p.manager_id == person.id]
    if person.team is None and not mine:
        return CaseRow.id.is_not(None)
    of_mine = or_(CaseRow.owner_id.in_([person.id, *mine]), CaseRow.coordinator_id.in_(mine))
    return or_(of_mine, CaseRow.team == person.team) if person.team else of_mine


def _escalated(trigger: str) -> ColumnElement[bool]:
    """Whether a rung has called for a manager since the case entered its state."""
    return exists().where(
        CaseEvent.case_id == CaseRow.id, CaseEvent.trigger == trigger, CaseEvent.kind == "transition",
        CaseEvent.at >= CaseRow.entered_at,
    )  # fmt: skip


def _section(conn: Connection, condition: ColumnElement[bool], person: Person, here: World) -> dict[str, Any]:
    actor = here.staffing.actor(person.id)
    where = and_(CaseRow.closed_at.is_(None), condition, visible(actor, acts_for(actor, here)))
    open_to_all = ~guarded()
    counts = conn.execute(
        select(func.count().label("all"), func.count().filter(open_to_all).label("named"))
        .select_from(CaseRow).where(where)
    ).one()  # fmt: skip
    named = (
        select(CaseRow.ref, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.owner_id, CaseRow.deadline_at,
               Member.name.label("member"))
        .select_from(CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id))
        .where(where, open_to_all).order_by(CaseRow.deadline_at.asc().nulls_last(), CaseRow.id).limit(MOST)
    )  # fmt: skip
    lines = [_line(row, here) for row in conn.execute(named)]
    return {"total": counts.all, "confidential": counts.all - counts.named, "cases": lines}


def _line(row: Any, here: World) -> dict[str, Any]:
    """A case in a letter: no personal data beyond the name of the member."""
    process = process_named(row.process)
    owner = here.staffing.get(row.owner_id) if row.owner_id is not None else None
    return {
        "ref": row.ref, "title": process.title, "subject": row.member or row.subject,
        "state": process.state(row.state).title, "owner": owner.name if owner else None,
        "due": row.deadline_at.isoformat() if row.deadline_at else None,
    }  # fmt: skip


def _campaigns(conn: Connection) -> list[dict[str, Any]]:
    running = select(CaseRow.__table__).where(
        CaseRow.process.in_(sorted(campaigns.KINDS.values())), CaseRow.closed_at.is_(None),
        CaseRow.restricted_to.is_(None),
    )  # fmt: skip
    rows: Sequence[Any] = conn.execute(running.order_by(CaseRow.id).limit(MOST)).all()
    return [campaigns.progress(conn, row).to_dict() for row in rows]


def _stuck(conn: Connection, now: datetime) -> dict[str, int]:
    """Messages that failed in the last week, and those that could have left more than a day ago."""
    message = MessageRow.__table__.c
    row = conn.execute(select(
        func.count().filter(message.state == FAILED, message.decided_at >= now - timedelta(days=7)).label("failed"),
        func.count().filter(message.state == QUEUED, message.not_before < now - STUCK_AFTER).label("waiting"),
    )).one()  # fmt: skip
    return {"failed": row.failed, "waiting": row.waiting}

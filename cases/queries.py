"""What people read about cases: a list, one case with everything about it. Every one goes through one filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from cases import facts as case_facts
from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.forecast import Expected, expected
from cases.history import KINDS
from cases.permissions import require_sight, visible
from cases.rows import case_of, ref_of
from cases.tables import PERSONAL_PART, CaseEvent, CaseLink, CaseRow, CaseTask, EventPersonal, EvidenceFile
from config.database import Connection, reading, without_nul
from members.tables import Member
from notifications import queries as message_queries
from state_machines.choosing import Choice, choices
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Actor, Case, Context, Role


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to; None means no matter."""

    process: str | None = None
    state: str | None = None
    owner: str | None = None
    member: str | None = None
    overdue: bool = False
    open_only: bool = False
    parent: str | None = None


def _listed(narrow: Filter, here: World) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    narrow = Filter(**without_nul(vars(narrow)))
    if narrow.process:
        found.append(CaseRow.process == process_named(narrow.process).name)
    if narrow.state:
        found.append(CaseRow.state == narrow.state.replace("-", "_").lower())
    if narrow.owner:
        person = here.staffing.by_email(narrow.owner)
        found.append(CaseRow.owner_id == (person.id if person else -1))
    if narrow.member:
        found.append(
            or_(Member.ref == narrow.member.upper(), Member.name == narrow.member, Member.external_ref == narrow.member)
        )
    if narrow.overdue:
        found.append((CaseRow.deadline_at < here.now) & CaseRow.closed_at.is_(None))
    if narrow.open_only:
        found.append(CaseRow.closed_at.is_(None))
    if narrow.parent:
        found.append(
            CaseRow.parent_id == select(CaseRow.id).where(CaseRow.ref == narrow.parent.upper()).scalar_subquery()
        )
    return found


_LIST = (
    CaseRow.id, CaseRow.ref, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.owner_id, CaseRow.owner_role,
    CaseRow.deadline_at, CaseRow.due_at, CaseRow.received_at, CaseRow.opened_at, CaseRow.closed_at, CaseRow.outcome,
    CaseRow.team, CaseRow.parked_at, CaseRow.on_hold, Member.ref.label("member_ref"), Member.name.label("member"),
)  # fmt: skip


def list_cases(
    env: Environment, narrow: Filter, *, actor: Actor, limit: int = 50, offset: int = 0, now: datetime | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Return cases the actor may see, soonest deadline first, and how many there are in all."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        where = [visible(actor, acts_for(actor, here)), *_listed(narrow, here)]
        source = CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id)
        total = conn.execute(select(func.count()).select_from(source).where(*where)).scalar_one()
        found = select(*_LIST).select_from(source).where(*where)
        page = found.order_by(CaseRow.deadline_at.asc().nulls_last(), CaseRow.id).limit(limit).offset(offset)
        return [_line(row, here) for row in conn.execute(page)], total


def _line(row: Any, here: World) -> dict[str, Any]:
    owner = here.staffing.get(row.owner_id) if row.owner_id is not None else None
    process = process_named(row.process)
    return {
        "ref": row.ref, "process": row.process, "state": row.state, "state_title": process.state(row.state).title,
        "subject": row.subject, "member": row.member, "member_ref": row.member_ref,
        "owner": owner.email if owner else None, "owner_name": owner.name if owner else None,
        "owner_role": row.owner_role, "team": row.team, "deadline": _iso(row.deadline_at), "next": _iso(row.due_at),
        "overdue": bool(row.closed_at is None and row.deadline_at and row.deadline_at < here.now),
        "received": _iso(row.received_at), "opened": _iso(row.opened_at), "closed": _iso(row.closed_at),
        "outcome": row.outcome, "parked": row.parked_at is not None, "on_hold": row.on_hold,
    }  # fmt: skip


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


@dataclass(frozen=True)
class CasePage:
    """Everything about one case that the viewer may see."""

    line: Mapping[str, Any]
    case: Case
    row: Any
    owner_acting: str | None
    """Who acts today when the owner is away."""
    events: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    links: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    choices: list[Choice]
    next: list[Expected]
    visited: frozenset[str] = frozenset()
    """The states it has been in."""


_ABOVE = aliased(CaseRow)
_PARENT = select(_ABOVE.ref).where(_ABOVE.id == CaseRow.parent_id).scalar_subquery().label("parent_ref")


def case_page(
    env: Environment, ref: str, *, actor: Actor, last_events: int | None = 20, before: int | None = None,
    only: str | None = None, acting: Callable[[int | None], Actor] | None = None, now: datetime | None = None,
) -> CasePage:  # fmt: skip
    """Return a case with its events, messages, tasks, links, what the viewer may do, and what happens if nobody acts.

    ``before`` leaves out events from this number on, ``only`` narrows them to a key of ``history.KINDS``. ``acting``
    says as whom the viewer acts on a case of this owner.
    Raises CaseNotFound also for a case the actor may not see.
    """
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = _row_seen(conn, ref, actor, here)
        case = case_of(row)
        process = process_named(case.process)
        facts = case_facts.gather(conn, [case], now=here.now)[case.id]
        context = here.context(facts)
        return CasePage(
            _line(row, here), case, row, _acting(row, here), _events(conn, case.id, last_events, before, only),
            [_message(m) for m in message_queries.messages_of(conn, case.id)], _tasks(conn, case.id),
            _links(conn, case.id, actor, here),
            _evidence(conn, case.id),
            _choices(process, case, acting(row.owner_id) if acting else actor, context, here.now),
            expected(process, case, context=context, now=here.now) if row.closed_at is None else [],
            _visited(conn, case.id),
        )  # fmt: skip


def case_in_brief(
    env: Environment, ref: str, *, actor: Actor, acting: Callable[[int | None], Actor], now: datetime | None = None
) -> CasePage:
    """Return a case and what the viewer may do, without its history and what is ahead of it: enough to take a step.

    Raises CaseNotFound also for a case the actor may not see.
    """
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = _row_seen(conn, ref, actor, here)
        case = case_of(row)
        context = here.context(case_facts.when_asked(conn, case, now=here.now))
        found = _choices(process_named(case.process), case, acting(row.owner_id), context, here.now)
        return in_brief(row, case, found, here)


def in_brief(row: Any, case: Case, choices_: list[Choice], here: World) -> CasePage:
    """Return a case and what may be done with it, without its history and what is ahead of it, from what was read."""
    return CasePage(_line(row, here), case, row, _acting(row, here), [], [], [], [], [], choices_, [])


def _row_seen(conn: Connection, ref: str, actor: Actor, here: World) -> Any:
    """The row of a case with the names of its member. Raises CaseNotFound."""
    source = CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id)
    row = conn.execute(
        select(CaseRow.__table__, Member.ref.label("member_ref"), Member.name.label("member"), _PARENT)
        .select_from(source).where(CaseRow.ref == ref_of(ref))
    ).one_or_none()  # fmt: skip
    require_sight(actor, row, ref, acts_for(actor, here))
    return row


def _acting(row: Any, here: World) -> str | None:
    if row.owner_id is None:
        return None
    acting = here.staffing.acting(row.owner_id, here.env.calendar.local_date(here.now)).staff
    return acting.name if acting.id != row.owner_id else None


def _events(
    conn: Connection, case_id: int, last: int | None, before: int | None, only: str | None
) -> list[dict[str, Any]]:
    newest = (
        select(CaseEvent.__table__, EventPersonal.data.label("personal"))
        .outerjoin(EventPersonal, PERSONAL_PART)
        .where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq.desc())
    )  # fmt: skip
    newest = newest.where(CaseEvent.seq < before) if before is not None else newest
    newest = newest.where(KINDS[only]) if only is not None else newest
    rows = conn.execute(newest.limit(last) if last else newest).all()
    return [
        {
            "seq": row.seq, "at": _iso(row.at), "actor": row.actor, "role": row.role, "on_behalf_of": row.on_behalf_of,
            "kind": row.kind, "trigger": row.trigger, "from": row.source, "to": row.target,
            "details": row.details, "personal": row.personal or {},
        }
        for row in reversed(rows)
    ]  # fmt: skip


def _visited(conn: Connection, case_id: int) -> frozenset[str]:
    return frozenset(conn.execute(select(CaseEvent.target).where(CaseEvent.case_id == case_id).distinct()).scalars())


def _choices(process: Process, case: Case, actor: Actor, context: Context, now: datetime) -> list[Choice]:
    """What a person may do; Muster itself is nobody who looks for a button."""
    return [] if Role.SYSTEM in actor.roles else list(choices(process, case, actor=actor, context=context, now=now))


def _message(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "audience": row.audience, "state": row.state, "reason": row.reason,
        "to_email": row.to_email, "to_name": row.to_name, "subject": row.subject, "event_seq": row.event_seq,
        "not_before": _iso(row.not_before), "sent_at": _iso(row.sent_at), "attempts": row.attempts,
    }  # fmt: skip


def _tasks(conn: Connection, case_id: int) -> list[dict[str, Any]]:
    rows = conn.execute(select(CaseTask.__table__).where(CaseTask.case_id == case_id).order_by(CaseTask.id))
    return [
        {"number": row.id, "kind": row.kind, "title": row.title, "role": row.role, "due": _iso(row.due_at),
         "data": row.data, "created": _iso(row.created_at), "closed": _iso(row.closed_at), "closed_by": row.closed_by}
        for row in rows
    ]  # fmt: skip


def _links(conn: Connection, case_id: int, actor: Actor, here: World) -> list[dict[str, Any]]:
    """Linked cases; of those the actor may not see only that there is one is not told either."""
    other = CaseRow.__table__
    both = conn.execute(
        select(other, CaseLink.type, CaseLink.from_id)
        .join(CaseLink, or_((CaseLink.from_id == case_id) & (CaseLink.to_id == other.c.id),
                            (CaseLink.to_id == case_id) & (CaseLink.from_id == other.c.id)))
        .where(visible(actor, acts_for(actor, here)))
    )  # fmt: skip
    return [
        {"ref": row.ref, "process": row.process, "state": row.state, "type": row.type,
         "direction": "to" if row.from_id == case_id else "from", "subject": row.subject}
        for row in both
    ]  # fmt: skip


def _evidence(conn: Connection, case_id: int) -> list[dict[str, Any]]:
    rows = conn.execute(select(EvidenceFile.__table__).where(EvidenceFile.case_id == case_id).order_by(EvidenceFile.id))
    return [
        {"sha256": row.sha256, "name": row.name, "media_type": row.media_type, "size": row.size,
         "added": _iso(row.added_at), "by": row.added_by}
        for row in rows
    ]  # fmt: skip

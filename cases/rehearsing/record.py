"""What a rehearsal leaves on its stage, read before the stage vanishes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from cases.delivering import case_views
from cases.environment import Environment
from cases.tables import CaseEvent, CaseRow, CaseTask
from config.database import Connection, reading
from members import staff_store
from members.staffing import Staffing
from members.tables import Member
from notifications import catalogue, links
from notifications.recipients import People, is_for_outsider, resolve
from notifications.tables import SENT, SUPPRESSED, MessageRow
from notifications.values import QueuedMessage

OFFICE = frozenset({"owner", "manager", "senior", "site"})


@dataclass(frozen=True)
class Trace:
    """Everything that happened on the stage after its beginning, for those cases that may be counted."""

    mails: Sequence[Any]
    not_sent: Sequence[Any]
    tasks: Sequence[Any]
    moves: Sequence[Any]
    """Changes of state of the members' cases, in order: ``case_id``, ``at``, ``target``."""
    children: Mapping[int, Any]
    campaign: Any
    staffing: Staffing


def trace(env: Environment, campaign_id: int, since: datetime, already: Collection[int]) -> Trace:
    """Return what happened since an instant; ``already`` are the messages that had been decided about before."""
    with reading(env.engine) as conn:
        rows = conn.execute(
            select(CaseRow.id, CaseRow.ref, CaseRow.state, CaseRow.process, CaseRow.member_id, CaseRow.owner_id,
                   CaseRow.coordinator_id, CaseRow.parent_id, CaseRow.data, CaseRow.parked_why,
                   CaseRow.subject, CaseRow.closed_at, CaseRow.opened_at,
                   Member.name.label("member"), Member.ref.label("member_ref"))
            .outerjoin(Member, Member.id == CaseRow.member_id)
            .where((CaseRow.id == campaign_id) | (CaseRow.parent_id == campaign_id))
        ).all()  # fmt: skip
        ids = [row.id for row in rows]
        return Trace(
            _messages(conn, ids, MessageRow.state == SENT, MessageRow.sent_at, since, already),
            _messages(conn, ids, MessageRow.state == SUPPRESSED, MessageRow.decided_at, since, already),
            conn.execute(
                select(CaseTask.case_id, CaseTask.kind, CaseTask.title, CaseTask.due_at, CaseTask.created_at)
                .where(CaseTask.case_id.in_(ids), CaseTask.created_at >= since)
            ).all(),
            conn.execute(
                select(CaseEvent.case_id, CaseEvent.at, CaseEvent.source, CaseEvent.target)
                .where(CaseEvent.case_id.in_(ids), CaseEvent.at >= since)
                .where(CaseEvent.source.is_distinct_from(CaseEvent.target), CaseEvent.case_id != campaign_id)
                .order_by(CaseEvent.at, CaseEvent.id)
            ).all(),
            {row.id: row for row in rows if row.id != campaign_id},
            next(row for row in rows if row.id == campaign_id),
            staff_store.staffing(conn),
        )  # fmt: skip


def _messages(
    conn: Connection, ids: Sequence[int], state: Any, at: Any, since: datetime, already: Collection[int]
) -> list[Any]:
    columns = (
        MessageRow.id, MessageRow.kind, MessageRow.audience, MessageRow.case_id, MessageRow.to_name,
        MessageRow.to_email, MessageRow.subject, MessageRow.body_text, MessageRow.reason, at.label("at"),
    )  # fmt: skip
    found = conn.execute(
        select(*columns).where(state, at >= since, MessageRow.case_id.in_(ids)).order_by(at, MessageRow.id)
    )
    return [row for row in found if row.id not in already]


def decided_before(env: Environment, since: datetime) -> frozenset[int]:
    """Return the messages that reality had sent or suppressed at the very instant at which a rehearsal begins."""
    with reading(env.engine) as conn:
        return frozenset(conn.execute(select(MessageRow.id).where(MessageRow.decided_at >= since)).scalars())


def by_rights(env: Environment, at: datetime) -> dict[int, str]:
    """Return for the mail to staff that has just left at an instant whose it is by rights, where that is another."""
    today = env.calendar.local_date(at)
    with reading(env.engine) as conn:
        rows = conn.execute(
            select(MessageRow.id, MessageRow.key, MessageRow.kind, MessageRow.audience, MessageRow.case_id,
                   MessageRow.to_email).where(MessageRow.sent_at == at, MessageRow.audience.in_(sorted(OFFICE)))
        ).all()  # fmt: skip
        if not rows:
            return {}
        views = case_views(conn, sorted({row.case_id for row in rows if row.case_id is not None}))
        staffing = staff_store.staffing(conn)
    everybody = People(Staffing(staffing.people, (), staffing.leads), {}, today)
    found = {}
    for row in rows:
        asked = QueuedMessage(row.id, row.key, row.kind, row.audience, case_id=row.case_id)
        meant = resolve(asked, views.get(row.case_id or 0), everybody)
        if meant and meant[0].address != (row.to_email or "").strip().lower():
            found[row.id] = meant[0].name
    return found


def title_of(kind: str) -> str:
    """Return what people call a kind of mail."""
    return catalogue.title_of(kind)


def is_outside(audience: str) -> bool:
    """Whether a mail goes to a member, and not to staff."""
    return is_for_outsider(audience)


def shown(text: str | None) -> str:
    """Return the text of a mail without the keys of personal links: who has one acts as whom it was made for."""
    return links.without_keys(text or "")


def local_day(env: Environment, at: datetime) -> date:
    """Return the local day of an instant."""
    return env.calendar.local_date(at)

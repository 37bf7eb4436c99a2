"""Before a case is opened by hand: which kinds somebody may open, for whom, and what is open about them already."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import visible
from cases.rows import ref_of
from cases.tables import CaseRow
from config.database import reading, without_nul
from members.cards import MemberCard
from members.tables import Member
from members.visibility import find_member, lent_teams
from state_machines.process import Process
from state_machines.registry import process_named, processes
from state_machines.values import STAFF, Actor, Role

BY_OTHER_WAYS = frozenset({"survey_campaign", "survey_response", "signoff_campaign", "signature", "code_document"})
"""A campaign is planned, and what it asks of each member comes of it; a document is begun with its text."""
MOST = 10
"""More open cases than this of one member and kind are not listed one by one."""


def openable(roles: Collection[Role]) -> list[Process]:
    """Return the kinds of case that staff with these roles may open by hand, in the order of the handbook."""
    mine = set(roles) & STAFF
    return [p for p in processes().values() if p.name not in BY_OTHER_WAYS and mine & set(p.opened_by)]


def member_for(env: Environment, text: str, *, actor: Actor, now: datetime | None = None) -> MemberCard:
    """Return the member meant by a reference or name, if the actor may see them. Raises NotFound or Ambiguous."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        lent = lent_teams(actor, here.staffing, env.calendar.local_date(here.now))
        return find_member(conn, without_nul(text.strip()), lent=lent, actor=actor)


def open_of_member(
    env: Environment, process_name: str, member_ref: str, *, actor: Actor, now: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the open cases of this kind and member that the actor may see, the newest first: perhaps duplicates."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        same = (CaseRow.process == process_named(process_name).name, CaseRow.closed_at.is_(None))
        rows = conn.execute(
            select(CaseRow.ref, CaseRow.subject, CaseRow.state, CaseRow.process, CaseRow.received_at)
            .join(Member, Member.id == CaseRow.member_id)
            .where(Member.ref == ref_of(member_ref), *same, visible(actor, acts_for(actor, here)))
            .order_by(CaseRow.received_at.desc(), CaseRow.id.desc()).limit(MOST)
        )  # fmt: skip
        return [dict(row._mapping) for row in rows]

"""Who may see mail that came in: with its case, by the one filter; without one, who sorts the inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true

from cases.commands import acts_for
from cases.environment import World
from cases.permissions import visible
from cases.tables import CaseRow
from members.tables import Contact, Member
from members.visibility import lent_teams, sees_all_teams, visible_members
from notifications.tables import InboxMessage
from state_machines.values import Actor, Role

MAY_SORT = frozenset({Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.ADMINISTRATOR})
"""See mail that belongs to no case yet, and say whose it is."""
MAY_SEE_RAW = frozenset({Role.ADMINISTRATOR})
"""Download a mail as it came, which a mail program may open with all its dangers."""


def seen_by(viewer: Actor, here: World) -> ColumnElement[bool]:
    """Return the condition on ``inbox_messages`` that lets through what the viewer may see.

    Mail that may be about a case they must not see is not theirs either, nor is mail from a contact of a member they
    must not see: whose it is, those who look after that member say.
    """
    if Role.SYSTEM in viewer.roles:
        return true()
    mine = visible(viewer, acts_for(viewer, here))
    on_case = _of(InboxMessage.case_id, mine)
    sorts = true() if viewer.roles & MAY_SORT else false()
    hint = or_(InboxMessage.perhaps_case_id.is_(None), _of(InboxMessage.perhaps_case_id, mine))
    return or_(on_case, and_(InboxMessage.case_id.is_(None), sorts, hint, _sender_seen(viewer, here)))


def _sender_seen(viewer: Actor, here: World) -> ColumnElement[bool]:
    """Whether the sender is nobody's contact, or a contact of a member the viewer may see."""
    if sees_all_teams(viewer):
        return true()
    theirs = visible_members(viewer, lent_teams(viewer, here.staffing, here.env.calendar.local_date(here.now)))
    known = (
        select(Contact.id).join(Member, Member.id == Contact.member_id)
        .where(func.lower(Contact.email) == func.lower(InboxMessage.from_email)).correlate(InboxMessage)
    )  # fmt: skip
    return or_(~known.exists(), known.where(theirs).exists())


def _of(column: Any, mine: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(CaseRow.id).where(CaseRow.id == column, mine).correlate(InboxMessage).exists()

"""Who may see a member, and who may change one. One rule, as a question and as a condition on the table; default deny.

`lent` are the teams whose people somebody stands in for today: their members are theirs to look after too.
"""

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, false, or_, true

from config.database import Connection
from members import store
from members.cards import MemberCard
from members.errors import NotYours
from members.staffing import Staffing
from members.tables import Member
from state_machines.values import Actor, Role

SEE_ALL_TEAMS = frozenset({Role.MANAGER, Role.SENIOR, Role.COUNCIL, Role.AUDITOR, Role.ADMINISTRATOR})
SEE_THEIR_TEAM = frozenset({Role.COORDINATOR, Role.SITE, Role.FINANCE})
CHANGE_ALL_TEAMS = frozenset({Role.MANAGER, Role.SENIOR, Role.ADMINISTRATOR, Role.SYSTEM})
"""They also merge members and import files."""
CHANGE_THEIR_TEAM = frozenset({Role.COORDINATOR})


def sees_all_teams(actor: Actor) -> bool:
    """Whether members and cases of every team are an actor's to see, walls aside; Muster itself sees them too."""
    return bool(actor.roles & {*SEE_ALL_TEAMS, Role.SYSTEM})


def lent_teams(actor: Actor, staffing: Staffing, on: date) -> frozenset[str]:
    """Return the teams of those for whom this person stands in on that day."""
    number = actor.person.removeprefix("staff:")
    if number == actor.person or not number.isdigit():
        return frozenset()
    others = (staffing.people[each].team for each in staffing.deputises_for(int(number), on))
    return frozenset(team for team in others if team)


def _teams(actor: Actor, lent: Collection[str]) -> frozenset[str] | None:
    """Return the teams whose members an actor may see, besides those without a team; None: all."""
    return None if sees_all_teams(actor) else actor.teams | frozenset(lent)


def may_see(actor: Actor, card: MemberCard, lent: Collection[str] = ()) -> bool:
    """Whether an actor may see a member."""
    if (teams := _teams(actor, lent)) is None:
        return True
    if actor.roles & SEE_THEIR_TEAM:
        return card.team is None or card.team in teams
    return actor.member_id == card.id


def visible_members(actor: Actor, lent: Collection[str] = ()) -> ColumnElement[bool]:
    """Return the condition on ``members`` that lets through what the actor may see."""
    if (teams := _teams(actor, lent)) is None:
        return true()
    if actor.roles & SEE_THEIR_TEAM:
        return or_(Member.team.is_(None), Member.team.in_(sorted(teams)))
    return Member.id == actor.member_id if actor.member_id is not None else false()


def find_member(conn: Connection, text: str, *, lent: Collection[str] = (), actor: Actor) -> MemberCard:
    """Return the member meant by a reference or name. Raises NotFound also for one the actor may not see."""
    return store.find_by_ref(conn, text, only=lambda card: may_see(actor, card, lent))


def may_edit(actor: Actor, team: str | None, lent: Collection[str] = ()) -> bool:
    """Whether an actor may change a member of this team: managers all, coordinators those of their own and of none."""
    if actor.roles & CHANGE_ALL_TEAMS:
        return True
    return bool(actor.roles & CHANGE_THEIR_TEAM) and (team is None or team in actor.teams or team in lent)


def require_edit(actor: Actor, card: MemberCard, lent: Collection[str] = ()) -> None:
    """Raise NotYours unless the actor may change the member."""
    if not may_edit(actor, card.team, lent):
        raise NotYours(f"{card.name} is changed by the coordinators of {card.team or 'a team'} and by managers.")


def may_change_many(actor: Actor) -> bool:
    """Whether an actor may merge members and import files of them."""
    return bool(actor.roles & CHANGE_ALL_TEAMS)


def require_change_many(actor: Actor) -> None:
    """Raise NotYours unless the actor may merge members and import files of them."""
    if not may_change_many(actor):
        raise NotYours("Members are merged and imported by managers and administrators.")

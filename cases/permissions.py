"""Who may see a case. One rule, as a question about a case and as a condition on the table; default deny.

Who may *do* what is the process's own: roles per transition, asked by the core.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, false, func, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.types import BigInteger

from cases.errors import CaseNotFound
from cases.looking.recording import looked_at_case
from cases.rows import ref_of, staff_id_of
from cases.tables import CaseRow
from members.visibility import SEE_ALL_TEAMS as SEE_ALL_TEAMS  # cases and members are seen by the same rule
from members.visibility import SEE_THEIR_TEAM
from state_machines.values import Actor, Role

MAY_WRITE = frozenset({Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.COUNCIL, Role.ADMINISTRATOR, Role.SYSTEM})
"""Notes, new owners, links: what is done to a case besides the moves of its process."""
MAY_RESTRICT = frozenset({Role.MANAGER, Role.SENIOR, Role.ADMINISTRATOR})
"""Say who alone may see a case."""


def may_see(actor: Actor, row: Any, acts_for: Collection[int] = ()) -> bool:
    """Whether an actor may see a case. ``acts_for``: staff ids this person deputises for today."""
    if Role.SYSTEM in actor.roles:
        return True
    me = staff_id_of(actor.person)
    if me is None:
        return _is_theirs(actor, row)
    if {me, *_substituted(actor)} & set(row.walled_off or ()):
        return False
    if row.restricted_to is not None:
        return me in row.restricted_to
    if actor.roles & SEE_ALL_TEAMS:
        return True
    if not actor.roles & SEE_THEIR_TEAM:
        return False
    return row.team is None or row.team in actor.teams or row.owner_id in {me, *acts_for}


def _is_theirs(actor: Actor, row: Any) -> bool:
    """Whether a case is of somebody outside: the one case of their personal link, or all of their member's."""
    own_member = actor.member_id is not None and actor.member_id == row.member_id
    if actor.only_case is not None:
        return actor.only_case == row.id and (own_member or actor.member_id is None)
    return own_member


def _substituted(actor: Actor) -> set[int]:
    other = staff_id_of(actor.on_behalf_of)
    return set() if other is None else {other}


def guarded() -> ColumnElement[bool]:
    """Return the condition that only some people may see a case, so that who opens it is written down."""
    return or_(CaseRow.restricted_to.is_not(None), func.coalesce(func.cardinality(CaseRow.walled_off), 0) > 0)


def visible(actor: Actor, acts_for: Collection[int] = ()) -> ColumnElement[bool]:
    """Return the condition on ``cases`` that lets through what the actor may see."""
    if Role.SYSTEM in actor.roles:
        return true()
    me = staff_id_of(actor.person)
    if me is None:
        return _theirs(actor)
    walls = as_ids({me, *_substituted(actor)})
    not_walled = or_(CaseRow.walled_off.is_(None), ~CaseRow.walled_off.overlap(walls))
    named = CaseRow.restricted_to.contains(as_ids({me}))
    return and_(not_walled, or_(named, and_(CaseRow.restricted_to.is_(None), _by_team(actor, me, acts_for))))


def _theirs(actor: Actor) -> ColumnElement[bool]:
    """The condition of ``_is_theirs``."""
    own_member = CaseRow.member_id == actor.member_id if actor.member_id is not None else None
    if actor.only_case is None:
        return false() if own_member is None else own_member
    this = CaseRow.id == actor.only_case
    return this if own_member is None else and_(this, own_member)


def _by_team(actor: Actor, me: int, acts_for: Collection[int]) -> ColumnElement[bool]:
    if actor.roles & SEE_ALL_TEAMS:
        return true()
    if not actor.roles & SEE_THEIR_TEAM:
        return false()
    teams = [CaseRow.team == team for team in sorted(actor.teams)]
    return or_(CaseRow.team.is_(None), *teams, *(CaseRow.owner_id == owner for owner in sorted({me, *acts_for})))


def kept_out(staff_id: int) -> ColumnElement[bool]:
    """Return the condition that this person is walled off from a case, or is not among those who alone may see it."""
    walled = func.coalesce(CaseRow.walled_off.contains(as_ids({staff_id})), false())
    return or_(walled, func.coalesce(~CaseRow.restricted_to.contains(as_ids({staff_id})), false()))


def as_ids(ids: Collection[int]) -> Any:
    return cast(array(sorted(ids)), ARRAY(BigInteger))


def require_sight(actor: Actor, row: Any, ref: str, acts_for: Collection[int] = ()) -> None:
    """Raise CaseNotFound unless the actor may see the case: whether it exists is not told either.

    A look at a restricted case is noted.
    """
    if row is None or not may_see(actor, row, acts_for):
        raise CaseNotFound(ref)
    looked_at_case(row, ref_of(ref), actor=actor)

"""The ways in which somebody comes to see a case, each answered by an index in the order of a list.

``visible`` is one condition with several ways in: by team, as the owner, by name. One index cannot answer it in the
order of a list. So a list is read as several branches, one for each way in and each cut to a page by an index of its
own; every branch still carries the whole condition, so that a branch too many shows nothing that may not be seen.
What a way in says already is not asked again: PostgreSQL takes "owned by me, and (in my team or owned by me)" to be few
of my cases, and then reads and sorts all of them for a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.sql.visitors import replacement_traverse

from cases.commands import acts_for
from cases.environment import World
from cases.lists.narrowing import Branch, Narrow, conditions, in_each_phase
from cases.permissions import as_ids, kept_out, visible
from cases.rows import staff_id_of
from cases.tables import CaseRow
from members.visibility import SEE_THEIR_TEAM, sees_all_teams
from state_machines.values import Actor, Role

_GUARDED = or_(CaseRow.restricted_to.is_not(None), CaseRow.walled_off.is_not(None))
"""Few cases are; they have an index of their own."""


def along(branch: Branch, where: Branch) -> Branch:
    """Return a way in with further conditions, in which what the way itself says is put as true."""

    def said(element: Any, **kw: Any) -> Any:
        return true() if any(element.compare(known) for known in branch) else None

    return [*branch, *(replacement_traverse(condition, {}, said) for condition in where)]


def ways(mine: bool, here: World, *, actor: Actor) -> tuple[list[Branch], list[Branch], ColumnElement[bool]]:
    """Return the ways into the queue (``mine``) or all cases, by team and otherwise, and what each has to carry."""
    teams = [] if mine else team_branches(actor)
    others = queue_branches(actor, here) if mine else other_branches(actor, here)
    return teams, others, visible(actor, acts_for(actor, here))


def narrowed(
    branches: Sequence[Branch], sight: ColumnElement[bool], narrow: Narrow, here: World, *, actor: Actor
) -> list[Branch]:
    """Return ways in, each with what may be seen and what the list is narrowed to."""
    where = [sight, *conditions(narrow, here, actor=actor)]
    return [along(branch, where) for branch in in_each_phase(branches, narrow)]


def queue_branches(actor: Actor, here: World) -> list[Branch]:
    """Return the ways into a person's queue: as the owner or who stands in for the owner, and as a last resort."""
    mine = sorted({staff_id_of(actor.person) or -1, *acts_for(actor, here)})
    return [*([CaseRow.owner_id == owner] for owner in mine), *unattended(actor, here)]


def unattended(actor: Actor, here: World) -> list[Branch]:
    """Return the ways to cases whose owner is away and whose stand-in may not see them.

    Managers get these, and who is named in them.
    """
    today = here.env.calendar.local_date(here.now)
    away: dict[int, list[int]] = {}
    for person in here.staffing.people.values():
        if here.staffing.present(person.id, today):
            continue
        acting = here.staffing.acting(person.id, today).staff.id
        if acting != person.id:
            away.setdefault(acting, []).append(person.id)
    last_resort: Branch = [_GUARDED]
    if not actor.roles & {Role.MANAGER, Role.SENIOR}:
        last_resort = [_GUARDED, CaseRow.restricted_to.contains(as_ids({staff_id_of(actor.person) or 0}))]
    return [[CaseRow.owner_id.in_(owners), kept_out(acting), *last_resort] for acting, owners in away.items()]


def team_branches(actor: Actor) -> list[Branch]:
    """Return the ways in by team, which do not overlap; for who sees all teams that is a single one."""
    if sees_all_teams(actor) or staff_id_of(actor.person) is None:
        return [[true()]]
    if not actor.roles & SEE_THEIR_TEAM:
        return []
    return [*([CaseRow.team == team] for team in sorted(actor.teams)), [CaseRow.team.is_(None)]]


def other_branches(actor: Actor, here: World) -> list[Branch]:
    """Return the ways in beside the team: as the owner, or who stands in for the owner, and by name."""
    me = staff_id_of(actor.person)
    if me is None or sees_all_teams(actor):
        return []
    owners = sorted({me, *acts_for(actor, here)}) if actor.roles & SEE_THEIR_TEAM else []
    named = [_GUARDED, CaseRow.restricted_to.contains(as_ids({me}))]
    return [*([CaseRow.owner_id == owner] for owner in owners), named]

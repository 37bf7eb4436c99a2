"""Putting right what people's comings and goings leave behind: cases whose owner has left, whose member was merged, or
whose member is now another team's.

This does it at once, and each night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from cases import side_writes
from cases.commands import plain_change, unhindered
from cases.environment import Environment, World, world
from cases.locking import COLUMNS, Locked, lock_ids, locked_of
from cases.rows import person_of
from cases.store import apply, named_owner, owner_after, owner_anew
from cases.tables import CaseEvent, CaseRow
from cases.writing import Change
from config.database import Connection, reading, transaction
from members import unmerging
from members.cards import MemberCard
from members.tables import Member, Staff
from notifications import outbox
from state_machines.values import SYSTEM, Actor, Role

BATCH = 500
AT_ONCE = 2_000
"""So many cases follow their members while somebody waits for a page; the others do at night."""


def hand_over(env: Environment, *, now: datetime) -> int:
    """Give every open case whose owner has left to whom the rules name, and return how many these were."""
    left = CaseRow.owner_id.in_(select(Staff.id).where(Staff.status != "active"))
    done = 0
    for ids in _open_where(env, left):
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            changes = [change for found in lock_ids(conn, ids) if (change := _handed_over(found, here)) is not None]
            apply(conn, changes, here)
            side_writes.let_owners_in(conn, [change.outcome.after.id for change in changes])
            done += len(changes)
    return done


def would_go_to(env: Environment, staff_id: int, *, now: datetime) -> dict[int, int]:
    """Return who would get the open cases of somebody if they left, and how many each: ids of the staff, most first.

    Numbers only, of all their cases: whoever sends somebody off must know that nothing is forgotten.
    """
    theirs, last, found = CaseRow.owner_id == staff_id, 0, Counter[int]()
    with reading(env.engine) as conn:
        here = _without(world(conn, env, now), staff_id)
        while True:
            page = select(*COLUMNS).where(theirs, CaseRow.closed_at.is_(None), CaseRow.id > last)
            rows = conn.execute(page.order_by(CaseRow.id).limit(BATCH)).all()
            changes = [change for row in rows if (change := _handed_over(locked_of(row), here)) is not None]
            found.update(change.owner_id for change in changes if change.owner_id is not None)
            if len(rows) < BATCH:
                return dict(found.most_common())
            last = rows[-1].id


def _without(here: World, staff_id: int) -> World:
    """Return the world in which this person has left."""
    people = here.staffing.people
    gone = replace(here.staffing, people={**people, staff_id: replace(people[staff_id], active=False)})
    return replace(here, staffing=gone)


def _handed_over(found: Locked, here: World) -> Change | None:
    if found.row.closed_at is not None:
        return None
    change = plain_change(found, found.case, "handed_over", {}, {}, actor=SYSTEM, now=here.now)
    owner, coordinator = owner_after(change.outcome, found, here)
    if owner == found.owner_id:
        return None
    details = {"from": person_of(found.owner_id), "to": person_of(owner), **_let_in(owner, found)}
    change = plain_change(found, found.case, "handed_over", details, {}, actor=SYSTEM, now=here.now)
    return replace(change, owner_id=owner, coordinator_id=coordinator)


def _let_in(owner: int | None, found: Locked) -> dict[str, Any]:
    """Say of a case that only named people may see that its new owner is one of them now: none of them is left."""
    named = found.row.restricted_to
    return {"let_in": person_of(owner)} if named is not None and owner not in named else {}


def follow_merges(env: Environment, *, now: datetime) -> int:
    """Move the open cases of members that were merged to the member they live on as; return how many these were.

    What a campaign asked of a member stays that member's: otherwise one would be asked twice and counted twice. Whether
    it still counts is for a manager to say (see ``cases/campaigning/register_changes.py``).
    """
    merged = CaseRow.member_id.in_(select(Member.id).where(Member.merged_into.is_not(None)))
    done = 0
    for ids in _open_where(env, merged & CaseRow.parent_id.is_(None)):
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = [found for found in lock_ids(conn, ids) if found.row.closed_at is None]
            kept = _kept(conn, locked)
            apply(conn, [_merged(found, kept[found.case.id], here) for found in locked], here)
            side_writes.give_to_members(conn, kept)
            outbox.give_to_members(conn, kept)
            done += len(locked)
    return done


def _kept(conn: Connection, locked: list[Locked]) -> dict[int, int]:
    """The member each case goes to, by case id."""
    members = [found.case.member_id for found in locked]
    rows = conn.execute(select(Member.id, Member.merged_into).where(Member.id.in_(members)))
    kept = {row.id: row.merged_into for row in rows}
    return {found.case.id: kept[found.case.member_id] for found in locked}


def _merged(found: Locked, to: int, here: World) -> Change:
    details = {"from": found.case.member_id, "to": to}
    return plain_change(found, found.case, "member_merged", details, {}, actor=SYSTEM, now=here.now)


def take_apart(env: Environment, keep: str, other: str, *, actor: Actor, now: datetime) -> tuple[MemberCard, int]:
    """Undo that a member was made part of another, give the cases back that had followed it, open or closed since, and
    return the member that is there again, and how many cases these were.

    Raises NotFound, NotYours, Unusable when the one they became was changed since, and CaseBusy.
    """

    def once() -> tuple[MemberCard, int]:
        with transaction(env.engine) as conn:
            kept, again = unmerging.take_apart(conn, keep, other, actor=actor, now=now)
            return again, _given_back(conn, kept.id, again.id, world(conn, env, now))

    again, cases = unhindered(once)
    follow_teams(env, [again.id], now=now)
    return again, cases


def _given_back(conn: Connection, kept: int, again: int, here: World) -> int:
    """Give a member back the cases that had followed it into another, and return how many these were."""
    came = [CaseEvent.details[end].as_string() == str(member) for end, member in (("from", again), ("to", kept))]
    with_it = select(CaseEvent.case_id).join(CaseRow, CaseRow.id == CaseEvent.case_id)
    with_it = with_it.where(CaseRow.member_id == kept, CaseEvent.kind == "member_merged", *came).distinct()
    locked = lock_ids(conn, sorted(conn.execute(with_it).scalars()))
    back = {found.case.id: again for found in locked}
    apply(conn, [_merged(found, again, here) for found in locked], here)
    side_writes.give_to_members(conn, back)
    outbox.give_to_members(conn, back)
    return len(back)


def follow_teams(
    env: Environment, members: Collection[int] | None = None, *, most: int | None = None, now: datetime
) -> int:
    """Give cases to the team that their member belongs to by now, and return how many these were.

    Who looks after a member needs to see what became of it, so that closed cases go along. An owner of the team before
    hands the open ones over; anybody else keeps them. ``members``: only theirs; ``most``: only so many, the open first.
    """
    done = 0
    while most is None or done < most:
        moved = unhindered(lambda: _followed(env, members, now))
        done += moved
        if moved < BATCH:
            break
    return done


def _followed(env: Environment, members: Collection[int] | None, now: datetime) -> int:
    """Give a batch of cases to the team of their member, and return how many these were."""
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        found = _elsewhere(conn, members)
        teams = {each.case.id: team for each, team in found}
        side_writes.give_to_teams(conn, teams)
        apply(conn, [_to_team(each, team, here) for each, team in found], here)
        side_writes.let_owners_in(conn, list(teams))
        return len(found)


def _elsewhere(conn: Connection, members: Collection[int] | None) -> list[tuple[Locked, str]]:
    """Return cases that are not with the team of their member, locked, each with that team; a batch at most."""
    apart = and_(Member.id == CaseRow.member_id, CaseRow.team.is_distinct_from(Member.team), Member.team.is_not(None))
    wanted = select(CaseRow.id).join(Member, apart).order_by(CaseRow.closed_at.is_not(None), CaseRow.id).limit(BATCH)
    if members is not None:
        wanted = wanted.where(CaseRow.member_id.in_(list(members)))
    locked = lock_ids(conn, list(conn.execute(wanted).scalars()))
    theirs = select(Member.id, Member.team).where(Member.id.in_([found.case.member_id for found in locked]))
    teams = {row.id: row.team for row in conn.execute(theirs)}
    now_in = [(found, teams.get(found.case.member_id or 0)) for found in locked]
    return [(found, team) for found, team in now_in if team is not None and team != found.case.team]


def _to_team(found: Locked, team: str, here: World) -> Change:
    before, details = found.case.team, {"from": found.case.team, "to": team}
    after = replace(found.case, team=team)
    change = plain_change(found, after, "team_changed", details, {}, actor=SYSTEM, now=here.now)
    owner, coordinator = found.owner_id, found.coordinator_id
    if found.row.closed_at is None:
        theirs = {p.id for p in here.staffing.people.values() if before is not None and p.team == before}
        coordinator = None if coordinator in theirs else coordinator
        if owner in theirs and named_owner(change.outcome, here) is None:
            owner = owner_anew(change.outcome, found, here, coordinator_id=coordinator)
            coordinator = owner if change.outcome.owner_role is Role.COORDINATOR else coordinator
    if owner != found.owner_id:
        details |= {"owner": person_of(owner), **_let_in(owner, found)}
        change = plain_change(found, after, "team_changed", details, {}, actor=SYSTEM, now=here.now)
    return replace(change, owner_id=owner, coordinator_id=coordinator)


def _open_where(env: Environment, condition: ColumnElement[bool]) -> list[list[int]]:
    with reading(env.engine) as conn:
        wanted = select(CaseRow.id).where(condition, CaseRow.closed_at.is_(None)).order_by(CaseRow.id)
        ids = list(conn.execute(wanted).scalars())
    return [ids[n : n + BATCH] for n in range(0, len(ids), BATCH)]

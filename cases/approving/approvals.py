"""What waits for somebody's decision: theirs by rights, or theirs today because who decides is away.

Every list here is one statement for its cases and a handful for all that is told about them, however many there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import array

from cases import facts as case_facts
from cases.approving.deciders import Decider
from cases.approving.decision_packs import Deed, Pack, brief, packs
from cases.approving.decisions import DECIDERS, DecisionPoint, points_for
from cases.environment import Environment, World, world
from cases.lists.keyset import Place
from cases.owners import owner_for
from cases.rows import case_of, ref_of
from cases.tables import CaseRow, EvidenceFile
from config.database import Connection, reading
from members.tables import Member
from state_machines.choosing import Choice, choices
from state_machines.registry import process_named
from state_machines.values import Actor, Case, Context, Role

FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""Where a case without a deadline stands in a list."""
PAGE = 20
MOST_ROUNDS = 5
"""How often a page that lost cases to a closer look is filled up."""


@dataclass(frozen=True)
class Decision:
    """One case that waits for a decision, and everything needed to make it."""

    row: Any
    case: Case
    owner: int
    """The staff id of who decides by rights."""
    actor: Actor
    """The person as who would decide: perhaps in the name of somebody who is away."""
    choices: Sequence[Choice]
    pack: Pack
    history: Sequence[Deed] = ()
    """The last moves of the case; only where one decision is looked at."""


@dataclass(frozen=True)
class Listed:
    """One page of decisions, and where the next begins."""

    decisions: Sequence[Decision]
    next: Place | None


# --------------------------------------------------------------------------------------- what waits for a person


def waiting(env: Environment, *, after: Place | None = None, limit: int = PAGE, actor: Actor, now: datetime) -> Listed:
    """Return the decisions that wait for the actor, also those of people who are away, soonest deadline first."""
    with reading(env.engine) as conn:
        return waiting_for(conn, Decider(actor, world(conn, env, now)), after=after, limit=limit)


def waiting_for(
    conn: Connection, decider: Decider, *, after: Place | None = None, limit: int = PAGE,
    only: ColumnElement[bool] | None = None,
) -> Listed:  # fmt: skip
    """Return what waits for somebody, narrowed by a condition on cases."""
    where = _waits_for(decider)
    if where is None:
        return Listed((), None)
    found: list[tuple[Any, Case, int, Actor, list[Choice], Context]] = []
    for _ in range(MOST_ROUNDS):
        rows = conn.execute(
            found_cases([where, *([only] if only is not None else [])], decider, after, limit + 1)
        ).all()
        found += _possible(conn, rows, decider)
        after = _place_of(rows[-1]) if len(rows) > limit else None
        if after is None or len(found) > limit:
            break
    page = found[:limit]
    if len(found) > limit:
        after = _place_of(page[-1][0])
    told = packs(conn, [(row, case, context) for row, case, *_, context in page], decider.here)
    return Listed([Decision(r, c, o, a, ch, told[c.id]) for r, c, o, a, ch, _ in page], after)


def decision(env: Environment, ref: str, *, actor: Actor, now: datetime) -> Decision | None:
    """Return one decision that waits for the actor, or None when there is none of theirs under this reference."""
    with reading(env.engine) as conn:
        decider = Decider(actor, world(conn, env, now))
        listed = waiting_for(conn, decider, limit=1, only=CaseRow.ref == ref_of(ref))
        found = next(iter(listed.decisions), None)
        return found and replace(found, history=brief(conn, found.case, found.row.member, decider.here))


def _place_of(row: Any) -> Place:
    return Place(row.deadline_at, row.id)


def found_cases(where: Sequence[ColumnElement[bool]], decider: Decider, after: Place | None, limit: int) -> Select[Any]:
    """Return a statement for the open cases that hold to the conditions, soonest deadline first, beyond a place."""
    place = func.coalesce(CaseRow.deadline_at, FAR)
    evidence = (
        select(func.count()).select_from(EvidenceFile).where(EvidenceFile.case_id == CaseRow.id).scalar_subquery()
    )
    beyond = [] if after is None else [tuple_(place, CaseRow.id) > tuple_(literal(after.at or FAR), literal(after.id))]
    return (
        select(CaseRow.__table__, Member.ref.label("member_ref"), Member.name.label("member"),
               evidence.label("evidence"))
        .select_from(CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id))
        .where(decider.seen, CaseRow.closed_at.is_(None), *where, *beyond)
        .order_by(place, CaseRow.id).limit(limit)
    )  # fmt: skip


def _waits_for(decider: Decider) -> ColumnElement[bool] | None:
    """Cases in a state of the person's roles that are theirs, and those in which their decision was asked for."""
    points = points_for(decider.roles)
    conditions: list[ColumnElement[bool]] = []
    if points:
        conditions.append(_in_states([p for p in points if p.owned]) & _is_theirs(decider))
    conditions += [_was_asked(point, decider) for point in points if not point.owned]
    return and_(~CaseRow.on_hold, or_(*conditions)) if conditions else None


def _in_states(points: Collection[DecisionPoint]) -> ColumnElement[bool]:
    by_process: dict[str, set[str]] = {}
    for point in points:
        by_process.setdefault(point.process, set()).add(point.state)
    found = [(CaseRow.process == name) & CaseRow.state.in_(sorted(states)) for name, states in by_process.items()]
    return or_(*found) if found else false()


def _is_theirs(decider: Decider) -> ColumnElement[bool]:
    """Owned by them or by whom they stand in for; or by nobody who holds the role, so that no one else would."""
    nobody = []
    for role in sorted(decider.roles):
        holders = [person.id for person in decider.here.staffing.with_role(role)]
        unheld = or_(CaseRow.owner_id.is_(None), CaseRow.owner_id.not_in(holders))
        nobody.append((CaseRow.owner_role == role.value) & unheld)
    return or_(CaseRow.owner_id.in_(sorted(decider.mine)), *nobody)


def _was_asked(point: DecisionPoint, decider: Decider) -> ColumnElement[bool]:
    """Where a decision was asked for in a state of somebody else; whose it is, is looked at case by case."""
    asked = or_(*(CaseRow.people.has_key(name) for name in point.asked_by))
    where = (CaseRow.process == point.process) & (CaseRow.state == point.state) & asked
    return where & _may_be_theirs(point, decider) if point.role is Role.MANAGER else where


def _may_be_theirs(point: DecisionPoint, decider: Decider) -> ColumnElement[bool]:
    """A manager decides for the people they manage, or where no manager, or only one who asked, is in the way."""
    staffing = decider.here.staffing
    others = []
    for person in staffing.people.values():
        manager = staffing.manager_of(person.id)
        if manager is not None and Role.MANAGER in manager.roles and manager.id not in decider.mine:
            others.append(person.id)
    managers = [p.person for p in staffing.with_role(Role.MANAGER)]
    by_manager = [CaseRow.people[name].op("?|")(array(managers)) for name in point.asked_by if managers]
    return or_(CaseRow.coordinator_id.is_(None), CaseRow.coordinator_id.not_in(others), *by_manager)


def _possible(
    conn: Connection, rows: Sequence[Any], decider: Decider
) -> list[tuple[Any, Case, int, Actor, list[Choice], Context]]:
    """Of these cases, those in which the person may decide something, with what."""
    cases = {row.id: case_of(row) for row in rows}
    facts = case_facts.gather(conn, list(cases.values()), now=decider.here.now)
    found = []
    for row in rows:
        case, context = cases[row.id], decider.here.context(facts[row.id])
        for owner, point in _owners(row, case, decider):
            actor = decider.as_owner(owner)
            able = _choices(case, actor, context, decider.here.now)
            if _may_decide(point, able):
                found.append((row, case, owner, actor, able, context))
                break
    return found


def _owners(row: Any, case: Case, decider: Decider) -> Iterator[tuple[int, DecisionPoint]]:
    """Who decides by rights, in each role in which this is waited for, where that is the person."""
    for point in points_for(decider.roles):
        if (point.process, point.state) != (case.process, case.state):
            continue
        owner = row.owner_id if point.owned else would_own(point.role, row, case, decider.here)
        holders = {p.id for p in decider.here.staffing.with_role(point.role)}
        if owner in decider.mine:
            yield owner, point
        elif owner not in holders:
            yield decider.me, point


def would_own(role: Role, row: Any, case: Case, here: World) -> int:
    """Who would own the case if it were in a state of this role: the same rule that gives out such cases."""
    named = row.restricted_to
    out = {*(row.walled_off or ()), *(set(here.staffing.people) - set(named) if named is not None else ())}
    process = process_named(case.process)
    return owner_for(role, case, process, here.staffing, coordinator_id=row.coordinator_id, kept_out=out)


def _choices(case: Case, actor: Actor, context: Context, now: datetime) -> list[Choice]:
    return list(choices(process_named(case.process), case, actor=actor, context=context, now=now))


def _may_decide(point: DecisionPoint, able: Sequence[Choice]) -> bool:
    """Whether there is something to decide: a decision that is allowed, or another way out where one is not yet."""
    decisions = [choice for choice in able if choice.transition in point.decisions]
    if any(choice.refused is None for choice in decisions):
        return True
    asked_themselves = any(choice.refused is not None and choice.refused.rule == "four_eyes" for choice in decisions)
    ways_out = [c for c in able if c.refused is None and not c.transition.internal and set(c.transition.by) <= DECIDERS]
    return point.owned and not asked_themselves and bool(ways_out)

"""What a decision about one case means for others: cases it opens, children it launches, linked cases it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, false, select

from cases import facts as case_facts
from cases import opening, who_counts
from cases.environment import World
from cases.errors import TransitionRefused
from cases.locking import lock_where
from cases.rows import ref_of
from cases.tables import CaseLink, CaseRow
from cases.writing import Change
from config.database import Connection
from members.tables import Member
from state_machines.engine import decide
from state_machines.processes.leaving_out import CHILD
from state_machines.registry import process_named
from state_machines.values import SYSTEM, FireLinked, Refused

CHILDREN_ALL = "children_all"
"""All children, closed ones too: what a newer version of a document makes of the signatures that were valid."""


def follow(conn: Connection, changes: Sequence[Change], world: World) -> list[Change]:
    """Return the changes to other cases that these changes ask for, decided and not yet written."""
    spawning = [(c, step) for c in changes for step in c.outcome.steps if step.spawns]
    found = opening.spawned(conn, spawning, world) if spawning else []
    moved: dict[int, Change] = {}
    for change in changes:
        for step in change.outcome.steps:
            if step.children is not None:
                found += opening.children(conn, change.outcome.after, step.children, world)
            for wish in step.fires:
                _fired(conn, change, wish, moved, world)
    return [*found, *moved.values()]


def _fired(conn: Connection, change: Change, wish: FireLinked, moved: dict[int, Change], world: World) -> None:
    """Pull a trigger on the cases a wish names. Those whose state does not allow it are left alone.

    A case that several wishes name is moved by one after the other, and written once. Who names the case of one member
    means just that: TransitionRefused is raised where it cannot be moved.
    """
    one = wish.where.startswith(CHILD)
    if one:
        who_counts.note(conn, change.outcome.after.id, wish)
    meant = _meant(change, wish)
    locked = lock_where(conn, meant if wish.where == CHILDREN_ALL else meant & CaseRow.closed_at.is_(None))
    gathered = case_facts.gather(conn, [found.case for found in locked], now=world.now)
    for found in locked:
        process = process_named(found.case.process)
        before = moved.get(found.case.id)
        outcome = decide(
            process, before.outcome.after if before else found.case, wish.trigger, payload=dict(wish.data) or None,
            actor=SYSTEM, context=world.context(gathered[found.case.id]), now=world.now,
        )  # fmt: skip
        if isinstance(outcome, Refused):
            if one:
                raise TransitionRefused(outcome)
            continue
        if before is not None:
            outcome = replace(outcome, before=found.case, steps=(*before.outcome.steps, *outcome.steps))
        moved[found.case.id] = Change(outcome, process.version, found.owner_id, found.coordinator_id, found)


def _meant(change: Change, wish: FireLinked) -> ColumnElement[bool]:
    """The condition for ``children``, ``children_all``, ``child:<member>``, ``parent``, ``member:<process>``, a type of
    link, or ``<type>><type>``."""
    case = change.outcome.after
    if wish.where in ("children", CHILDREN_ALL):
        return CaseRow.parent_id == case.id
    if wish.where.startswith(CHILD):
        member = select(Member.id).where(Member.ref == ref_of(wish.where.removeprefix(CHILD)))
        return (CaseRow.parent_id == case.id) & CaseRow.member_id.in_(member)
    if wish.where == "parent":
        return CaseRow.id == case.parent_id
    if wish.where.startswith("member:"):
        name = wish.where.split(":", 1)[1]
        if case.member_id is None:
            return false()
        return (CaseRow.member_id == case.member_id) & (CaseRow.process == name) & (CaseRow.id != case.id)
    if ">" in wish.where:
        return _beyond(case.id, *wish.where.split(">", 1))
    linked = select(CaseLink.to_id).where(CaseLink.from_id == case.id, CaseLink.type == wish.where).union(
        select(CaseLink.from_id).where(CaseLink.to_id == case.id, CaseLink.type == wish.where)
    )  # fmt: skip
    return CaseRow.id.in_(linked.scalar_subquery())


def _beyond(case_id: int, along: str, link: str) -> ColumnElement[bool]:
    """The cases with a link to whatever this one leads to ``along`` links of one type, however many steps away."""
    chain = select(CaseLink.to_id.label("id")).where(CaseLink.from_id == case_id, CaseLink.type == along)
    chain_ = chain.cte("chain", recursive=True)
    further = select(CaseLink.to_id).join(chain_, CaseLink.from_id == chain_.c.id).where(CaseLink.type == along)
    reached = chain_.union(further)
    asking = select(CaseLink.from_id).where(CaseLink.type == link, CaseLink.to_id.in_(select(reached.c.id)))
    return CaseRow.id.in_(asking)

"""What a decision about one case means for others: cases it opens, children it launches, linked cases it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, false, select

from cases import facts as case_facts
from cases import opening
from cases.environment import World
from cases.locking import lock_where
from cases.tables import CaseLink, CaseRow
from cases.writing import Change
from config.database import Connection
from state_machines.engine import decide
from state_machines.registry import process_named
from state_machines.values import SYSTEM, FireLinked, Refused


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

    A case that several wishes name is moved by one after the other, and written once.
    """
    locked = lock_where(conn, _meant(change, wish) & CaseRow.closed_at.is_(None))
    gathered = case_facts.gather(conn, [found.case for found in locked], now=world.now)
    for found in locked:
        process = process_named(found.case.process)
        before = moved.get(found.case.id)
        outcome = decide(
            process, before.outcome.after if before else found.case, wish.trigger, payload=dict(wish.data) or None,
            actor=SYSTEM, context=world.context(gathered[found.case.id]), now=world.now,
        )  # fmt: skip
        if isinstance(outcome, Refused):
            continue
        if before is not None:
            outcome = replace(outcome, before=found.case, steps=(*before.outcome.steps, *outcome.steps))
        moved[found.case.id] = Change(outcome, process.version, found.owner_id, found.coordinator_id, found)


def _meant(change: Change, wish: FireLinked) -> ColumnElement[bool]:
    """The condition for ``children``, ``parent``, ``member:<process>`` or a type of link."""
    case = change.outcome.after
    if wish.where == "children":
        return CaseRow.parent_id == case.id
    if wish.where == "parent":
        return CaseRow.id == case.parent_id
    if wish.where.startswith("member:"):
        name = wish.where.split(":", 1)[1]
        if case.member_id is None:
            return false()
        return (CaseRow.member_id == case.member_id) & (CaseRow.process == name) & (CaseRow.id != case.id)
    linked = select(CaseLink.to_id).where(CaseLink.from_id == case.id, CaseLink.type == wish.where).union(
        select(CaseLink.from_id).where(CaseLink.to_id == case.id, CaseLink.type == wish.where)
    )  # fmt: skip
    return CaseRow.id.in_(linked.scalar_subquery())

"""The one door: a case changes only through ``apply``. A click is a batch of one, a sweep a batch of many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from cases import writing
from cases.environment import World
from cases.errors import CaseError
from cases.follow import follow
from cases.locking import Locked
from cases.owners import owner_for
from cases.rows import staff_id_of
from cases.words import write_words
from cases.writing import Change
from config.database import Connection
from config.together import together
from members import writing as member_writing
from state_machines.registry import process_named
from state_machines.values import Outcome, Role

MOST_GENERATIONS = 6
"""Cases that open or move other cases go no deeper than this."""

CHUNK = 5_000
"""So many moved cases are written at once: they are one parameter."""
LAUNCH = 100_000
"""So many new ones: they are streamed."""


def change_of(outcome: Outcome, locked: Locked, world: World) -> Change:
    """Return the change a decision makes to a locked case, with its owner worked out."""
    owner, coordinator = owner_after(outcome, locked, world)
    return Change(outcome, process_named(outcome.after.process).version, owner, coordinator, locked)


def owner_after(outcome: Outcome, locked: Locked, world: World) -> tuple[int | None, int | None]:
    """Return who owns the case after this, and who is its coordinator. The owner changes with role or state, or when
    they have left or may no longer see it."""
    out = _kept_out(outcome, locked, world)
    named = named_owner(outcome, world)
    if named is not None and named not in out:
        return named, named if outcome.owner_role is Role.COORDINATOR else locked.coordinator_id
    stays = locked.owner_id not in out and _active(locked.owner_id, world)
    if outcome.final or (outcome.after.state == outcome.before.state and stays):
        return locked.owner_id, locked.coordinator_id
    same_role = outcome.owner_role.value == locked.owner_role and outcome.owner_role is Role.COORDINATOR
    if same_role and stays:
        return locked.owner_id, locked.coordinator_id
    owner = owner_anew(outcome, locked, world, coordinator_id=locked.coordinator_id)
    return owner, owner if outcome.owner_role is Role.COORDINATOR else locked.coordinator_id


def owner_anew(outcome: Outcome, locked: Locked, world: World, *, coordinator_id: int | None) -> int:
    """Return who owns the case after this by the rules alone, whoever owns it now."""
    return owner_for(
        outcome.owner_role, outcome.after, process_named(outcome.after.process), world.staffing,
        coordinator_id=coordinator_id, kept_out=_kept_out(outcome, locked, world),
    )  # fmt: skip


def _kept_out(outcome: Outcome, locked: Locked, world: World) -> Collection[int]:
    """The staff who may not see the case after this: walled off, also by this very step, or not among the named."""
    walled: Collection[int] = locked.walled_off
    if outcome.after.data is not outcome.before.data and "walled_off" in outcome.after.data:
        walled = {*walled, *writing.walled_off(outcome.after)}
    if locked.row.restricted_to is None:
        return walled
    return {*walled, *(set(world.staffing.people) - set(locked.row.restricted_to))}


def named_owner(outcome: Outcome, world: World) -> int | None:
    """The person whom a fact of the case names as its owner in this state, if they are still here."""
    fact = process_named(outcome.after.process).state(outcome.after.state).owner_fact
    person = staff_id_of(outcome.after.data.get(fact)) if fact else None
    return person if _active(person, world) else None


def _active(staff_id: int | None, world: World) -> bool:
    person = world.staffing.get(staff_id) if staff_id is not None else None
    return person is not None and person.active


def apply(conn: Connection, changes: Sequence[Change], world: World) -> list[Change]:
    """Write cases, events, messages, tasks, links, member changes and the cases these open: all or nothing.

    Returns every change written, those that followed included. Raises CaseChanged when a case was changed since it
    was read; the caller's transaction then undoes everything.
    """
    written: list[Change] = []
    generation: Sequence[Change] = changes
    for _ in range(MOST_GENERATIONS):
        if not generation:
            return written
        for chunk in _chunks(generation):
            _write(conn, chunk, world)
        written += generation
        generation = [_settled(change, world) for change in follow(conn, generation, world)]
    raise CaseError("Cases open one another without end; nothing was written.")


def _settled(change: Change, world: World) -> Change:
    if change.locked is None:
        return change
    owner, coordinator = owner_after(change.outcome, change.locked, world)
    return replace(change, owner_id=owner, coordinator_id=coordinator)


def _chunks(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    size = LAUNCH if all(change.locked is None for change in changes) else CHUNK
    for start in range(0, len(changes), size):
        yield changes[start : start + size]


def _write(conn: Connection, changes: Sequence[Change], world: World) -> None:
    with together(conn) if len(changes) <= writing.FEW else nullcontext():
        _write_rows(conn, changes, world)
    moved = [(c.outcome.after.member_id, dict(s.member_changes), s.actor)
             for c in changes for s in c.outcome.steps if s.member_changes and c.outcome.after.member_id]  # fmt: skip
    for actor in {m[2].person: m[2] for m in moved}.values():
        mine: list[tuple[int, dict[str, Any]]] = [(m[0], m[1]) for m in moved if m[2].person == actor.person and m[0]]
        member_writing.apply_changes(conn, mine, actor=actor, now=world.now)


def _write_rows(conn: Connection, changes: Sequence[Change], world: World) -> None:
    chained = writing.chain(changes, world.env.policy.version)
    writing.write_cases(conn, changes, chained.heads)
    writing.write_events(conn, chained)
    write_words(conn, changes)
    writing.write_messages(conn, changes, now=world.now)
    writing.write_tasks(conn, changes)
    writing.write_links(conn, (
        (c.outcome.after.id, c.link[0], c.link[1], world.now, c.outcome.steps[0].actor.person)
        for c in changes if c.link is not None
    ))  # fmt: skip

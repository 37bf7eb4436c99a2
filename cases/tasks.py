"""A task of a case is done: closed by hand, with who, when and a note in the record of the case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases import side_writes, store
from cases.commands import lock_seen, plain_change, require_staff, unhindered
from cases.environment import Environment, world
from cases.errors import BadInput
from cases.locking import Locked
from cases.tables import CaseTask
from config.database import Connection, transaction, without_nul
from state_machines.process import Process, Transition
from state_machines.registry import process_named
from state_machines.values import Actor, Role

DONE = "task_done"
LONGEST_NOTE = 20_000


@dataclass(frozen=True, slots=True)
class TaskDone:
    """A task that is closed now, and whether it was before."""

    ref: str
    number: int
    title: str
    was_closed: bool


def settling_step(process: Process, state: str, kind: str) -> str | None:
    """Return the title of the step that settles this kind of task; None where it is closed by hand.

    A step of people counts wherever the case stands, one of Muster only where it can come from this state.
    """
    steps = [t for t in process.transitions if kind in t.closes_tasks and (_of_people(t) or state in t.sources)]
    return max(steps, key=_of_people).title if steps else None


def _of_people(step: Transition) -> bool:
    return set(step.by) != {Role.SYSTEM}


def close_task(
    env: Environment, ref: str, number: int, *, note: str = "", actor: Actor, now: datetime | None = None
) -> TaskDone:
    """Close a task of a case by hand and return it; one that is closed already stays as it is.

    Raises NotAllowed, CaseNotFound, or BadInput when the case has no such task or when a step of its process settles
    it.
    """
    require_staff(actor)
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"The note is longer than {LONGEST_NOTE} characters.")

    def once() -> TaskDone:
        with transaction(env.engine) as conn:
            return _closed(conn, env, ref, number, without_nul(note.strip()), actor, now)

    return unhindered(once)


def _closed(
    conn: Connection, env: Environment, ref: str, number: int, note: str, actor: Actor, now: datetime | None
) -> TaskDone:
    """Write the event and the row; a title may name a member, so it is kept beside the event as the note is."""
    here = world(conn, env, now)
    locked = lock_seen(conn, ref, actor, here)
    row = _task(conn, locked, number)
    found = TaskDone(locked.case.ref, number, row.title, row.closed_at is not None)
    if found.was_closed:
        return found
    if (step := settling_step(process_named(locked.case.process), locked.case.state, row.kind)) is not None:
        raise BadInput(f"This task closes by itself with “{step}”, and not by hand.")
    words = {"title": row.title, **({"note": note} if note else {})}
    details = {"task": number, "kind": row.kind}
    store.apply(conn, [plain_change(locked, locked.case, DONE, details, words, actor=actor, now=here.now)], here)
    side_writes.close_task(conn, number, by=actor.person, now=here.now)
    return found


MOST = 2**63 - 1
"""The greatest number a task can have."""


def _task(conn: Connection, locked: Locked, number: int) -> Any:
    wanted = select(CaseTask.kind, CaseTask.title, CaseTask.closed_at)
    mine = wanted.where(CaseTask.case_id == locked.case.id, CaseTask.id == number)
    row = conn.execute(mine).first() if 0 < number <= MOST else None
    if row is None:
        raise BadInput(f"{locked.case.ref} has no task with the number {number}.")
    return row

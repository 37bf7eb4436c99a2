"""What happened to all cases that somebody may see, in the order in which it was written: for who follows along.

Told is that something happened, not what was said: who opens a restricted case for that leaves a trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.history import event_title
from cases.people import called
from cases.permissions import visible
from cases.tables import CaseEvent, CaseRow
from config.database import reading
from config.settled import Followed, read_on, settled
from state_machines.registry import process_named
from state_machines.values import Actor


@dataclass(frozen=True, slots=True)
class Happening:
    """That something happened to a case."""

    ref: str
    process: str
    seq: int
    at: datetime
    kind: str
    title: str
    trigger: str
    source: str | None
    target: str
    actor: str
    by: str


def newest(env: Environment) -> int | None:
    """Return where what has happened so far ends; None while somebody is long at writing."""
    return settled(env.engine, CaseEvent)


def happened_since(
    env: Environment, after: int, *, limit: int = 50, actor: Actor, now: datetime | None = None
) -> Followed[Happening]:
    """Return what happened after one place to the cases that an actor may see. Nothing is left out or told twice."""
    until = newest(env)
    if until is None or until <= after:
        return Followed([], after, False)
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        seen = visible(actor, acts_for(actor, here))
        found = select(*_COLUMNS).join(CaseRow, CaseRow.id == CaseEvent.case_id).where(seen)
        return read_on(conn, found, CaseEvent.id, after=after, until=until, limit=limit, of=lambda row: _of(row, here))


_COLUMNS = (
    CaseEvent.id, CaseEvent.seq, CaseEvent.at, CaseEvent.kind, CaseEvent.trigger, CaseEvent.source, CaseEvent.target,
    CaseEvent.actor, CaseRow.ref, CaseRow.process,
)  # fmt: skip


def _of(row: Any, here: World) -> Happening:
    process = process_named(row.process)
    return Happening(
        row.ref, row.process, row.seq, row.at, row.kind, event_title(process, row.kind, row.trigger), row.trigger,
        row.source, row.target, row.actor, called(row.actor, here.staffing),
    )  # fmt: skip

"""A glance at one case: whether somebody may see it, whose it is, and at which version it stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.permissions import require_sight, visible
from cases.rows import ref_of
from cases.tables import CaseRow
from config.database import Connection, reading
from state_machines.values import Actor


@dataclass(frozen=True, slots=True)
class Glance:
    """What one needs to know before anything else."""

    id: int
    ref: str
    process: str
    version: int
    owner_id: int | None


def row_seen(conn: Connection, ref: str, actor: Actor, here: World) -> Any:
    """Return the row of a case. Raises CaseNotFound also for a case the actor may not see."""
    row = conn.execute(select(CaseRow.__table__).where(CaseRow.ref == ref_of(ref))).one_or_none()
    require_sight(actor, row, ref, acts_for(actor, here))
    return row


def glance(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Glance:
    """Return a case in brief. Raises CaseNotFound also for a case the actor may not see."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = row_seen(conn, ref, actor, here)
        return Glance(row.id, row.ref, row.process, row.version, row.owner_id)


def seen(env: Environment, refs: Collection[str], *, actor: Actor, now: datetime | None = None) -> frozenset[str]:
    """Return which of these references are of cases that the actor may see."""
    if not refs:
        return frozenset()
    with reading(env.engine) as conn:
        mine = visible(actor, acts_for(actor, world(conn, env, now)))
        return frozenset(conn.execute(select(CaseRow.ref).where(CaseRow.ref.in_(sorted(refs)), mine)).scalars())

"""A glance at one case: whether somebody may see it, whose it is, and at which version it stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import require_sight, visible
from cases.tables import CaseRow
from config.database import reading, without_nul
from state_machines.values import Actor


@dataclass(frozen=True, slots=True)
class Glance:
    """What one needs to know before anything else."""

    id: int
    ref: str
    process: str
    version: int
    owner_id: int | None


def glance(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Glance:
    """Return a case in brief. Raises CaseNotFound also for a case the actor may not see."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        wanted = CaseRow.ref == without_nul(ref.strip().upper())
        row = conn.execute(select(CaseRow.__table__).where(wanted)).one_or_none()
        require_sight(actor, row, ref, acts_for(actor, here))
        assert row is not None  # noqa: S101  require_sight has raised otherwise
        return Glance(row.id, row.ref, row.process, row.version, row.owner_id)


def seen(env: Environment, refs: Collection[str], *, actor: Actor, now: datetime | None = None) -> frozenset[str]:
    """Return which of these references are of cases that the actor may see."""
    if not refs:
        return frozenset()
    with reading(env.engine) as conn:
        mine = visible(actor, acts_for(actor, world(conn, env, now)))
        return frozenset(conn.execute(select(CaseRow.ref).where(CaseRow.ref.in_(sorted(refs)), mine)).scalars())

"""The cases behind a figure of a report, as far as somebody may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import visible
from cases.tables import CaseRow
from config.database import reading
from members.tables import Member
from state_machines.values import Actor

MOST = 1000


@dataclass(frozen=True)
class Behind:
    """Cases by their lines, and how many more there are that are not shown."""

    rows: Sequence[Any]
    hidden: int
    """Not the viewer's to see."""
    cut: int
    """Too many for one page."""


def behind(env: Environment, refs: Sequence[str], *, actor: Actor) -> Behind:
    """Return the cases with these references that the actor may see."""
    with reading(env.engine) as conn:
        here = world(conn, env)
        rows = conn.execute(
            select(CaseRow.ref, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.deadline_at, CaseRow.closed_at,
                   CaseRow.team, CaseRow.owner_id, Member.name.label("member"))
            .outerjoin(Member, Member.id == CaseRow.member_id)
            .where(CaseRow.ref.in_(refs[:MOST]), visible(actor, acts_for(actor, here))).order_by(CaseRow.id)
        ).all()  # fmt: skip
    shown = min(len(refs), MOST)
    return Behind(rows, shown - len(rows), len(refs) - shown)

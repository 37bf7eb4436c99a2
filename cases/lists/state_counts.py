"""How many open cases are in each state, of those a person may see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import visible
from cases.tables import CaseRow
from config.database import reading
from state_machines.values import Actor


def open_by_state(
    env: Environment, process: str | None = None, *, actor: Actor, now: datetime | None = None
) -> Mapping[tuple[str, str], int]:
    """Return the numbers of open cases by process and state, of one process or of all; what has none is left out."""
    with reading(env.engine) as conn:
        mine = visible(actor, acts_for(actor, world(conn, env, now)))
        found = select(CaseRow.process, CaseRow.state, func.count()).where(mine, CaseRow.closed_at.is_(None))
        if process is not None:
            found = found.where(CaseRow.process == process)
        return {(row[0], row[1]): row[2] for row in conn.execute(found.group_by(CaseRow.process, CaseRow.state))}

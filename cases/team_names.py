"""Giving a team another name, on its cases as well: whose they are stays as it was, so nothing happened to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import JSONB

from cases import side_writes
from cases.campaigns import KINDS
from cases.tables import CaseRow
from config.database import Connection
from members import team_names
from members.errors import Unusable
from state_machines.values import Actor


def rename_team(conn: Connection, old: str, new: str, *, actor: Actor, now: datetime) -> None:
    """Call a team by another name wherever it stands, all at once. Raises Unusable where it cannot be."""
    chosen_by = CaseRow.data["population"]["team"].contains(literal(old, JSONB))  # one team, or one of several
    planned = select(CaseRow.ref).where(CaseRow.process.in_(sorted(KINDS.values())), CaseRow.closed_at.is_(None))
    if named := sorted(conn.execute(planned.where(chosen_by)).scalars()):
        raise Unusable(f"{', '.join(named)} chooses its members by the team {old}; close it first, or change its plan.")
    side_writes.rename_team(conn, old, new)  # cases before members, as steps that change their member do
    team_names.rename_team(conn, old, new, actor=actor, now=now)

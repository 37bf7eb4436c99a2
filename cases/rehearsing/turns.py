"""Whose turn it is to rehearse, and what is forgotten: each costs as much as a campaign, and holds its mails."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from cases.errors import BadInput
from cases.rehearsing.tables import RUNNING, RehearsalRow
from config import clock
from config.database import Connection
from state_machines.values import Actor

KEPT = timedelta(days=7)
MOST_KEPT = 10
"""So many rehearsals of one person are kept: each holds every mail of its campaign."""
LIVES = timedelta(seconds=60)
"""A rehearsal that has not been heard of for so long is taken for dead."""
STILL_RUNS = "A rehearsal of yours still runs, and costs about as much as a campaign; wait until it is done."
_ONE_AT_A_TIME = 770_049
"""The advisory lock, with a digest of who asks, under which somebody begins a rehearsal."""


def require_turn(conn: Connection, actor: Actor) -> None:
    """Forget this person's oldest rehearsals. Raises BadInput while one of theirs runs."""
    conn.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME, func.hashtext(actor.person))))
    mine = RehearsalRow.asked_by == actor.person
    alive = (RehearsalRow.state == RUNNING) & (RehearsalRow.touched_at >= clock.utc_now() - LIVES)
    if conn.execute(select(func.count()).where(mine, alive)).scalar_one():
        raise BadInput(STILL_RUNS)
    kept = select(RehearsalRow.id).where(mine).order_by(RehearsalRow.id.desc()).limit(MOST_KEPT - 1)
    conn.execute(delete(RehearsalRow).where(mine, RehearsalRow.id.not_in(kept)))


def forget_older(conn: Connection) -> None:
    """Delete what was found longer ago than rehearsals are kept."""
    conn.execute(delete(RehearsalRow).where(RehearsalRow.begun_at < clock.utc_now() - KEPT))

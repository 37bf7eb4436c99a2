"""The clocks that a case must have in its state: those that belong there, those that are missing begun again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from cases.environment import World
from cases.tables import CaseEvent
from config.database import Connection
from state_machines import clockwork
from state_machines.ladders import mark_fired
from state_machines.process import HOLD_CLOCK, Process
from state_machines.values import Case, RunningClock

HOLD = HOLD_CLOCK.name


def clocks_in_order(conn: Connection, process: Process, case: Case, here: World) -> Mapping[str, RunningClock]:
    """Return the clocks of a case as its state wants them, worked out under today's policy and calendar.

    A clock that is missing counts from when the case came into the state; rungs of it that have fired are not fired
    again.
    """
    if process.state(case.state).final:
        return {}
    context = here.context({})
    known = {n: c for n, c in case.clocks.items() if _belongs(process, case, n)}
    if not any(name != HOLD for name in known):
        known |= _begun(conn, process, case, here)
    if case.on_hold and HOLD not in known:
        known = {name: clockwork.paused(running, here.now) for name, running in known.items()}
        hold = clockwork.started(process, HOLD_CLOCK, case, case.data, context=context, now=here.now)
        known |= {HOLD: hold} if hold is not None else {}
    found = replace(case, clocks=known)
    return clockwork.recalculated(process, found, context) or known


def _belongs(process: Process, case: Case, name: str) -> bool:
    return case.on_hold if name == HOLD else process.clock_of(case.state, name) is not None


def _begun(conn: Connection, process: Process, case: Case, here: World) -> dict[str, RunningClock]:
    context, begun = here.context({}), dict[str, RunningClock]()
    for clock in process.state(case.state).clocks:
        fresh = clockwork.started(process, clock, case, case.data, context=context, now=case.entered_at)
        if fresh is not None:
            fired = _fired(conn, case, fresh)
            begun[clock.name] = clockwork.wound(process, clock, replace(fresh, fired=fired), context)
    return begun


def _fired(conn: Connection, case: Case, clock: RunningClock) -> tuple[str, ...]:
    """The rungs of this clock, from this anchor, that the record says have fired."""
    event: Any = CaseEvent.__table__.c
    stem = f"{case.id}:{clock.name}:{clock.anchor:%Y%m%dT%H%M%S}:"
    rows = select(event.occurrence).where(event.case_id == case.id, event.occurrence.startswith(stem, autoescape=True))
    fired: tuple[str, ...] = ()
    for key in conn.execute(rows.order_by(event.seq)).scalars():
        fired = mark_fired(fired, key.rsplit(":", 1)[1])
    return fired

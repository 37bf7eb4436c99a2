"""What becomes of a rung that is found late: it fires, it is dropped, it waits its turn. Pure.

Late is what the policy calls late (``breaker.late_hours``). Which rungs may be dropped at all is not the policy's to
say: what moves a case on, a deadline or a decision, always happens.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from state_machines.ladders import CatchUp, DueRung, moved
from state_machines.process import Process
from state_machines.values import SYSTEM, Actor, Case, Context, Role, Step

Firing = tuple[str, DueRung, str]
"""A rung that fires: its clock, itself, and the key of the occurrence."""
LATER_IS_DUE = "a later rung was due as well"
SPREAD = "it was late, and so are others: each has an instant of its own"
_GOLDEN = 0.6180339887498949
"""Multiples of it, taken modulo 1, lie evenly: neighbours in a list of cases lie far apart."""


def found_late(
    catch_up: CatchUp, case: Case, due_rung: DueRung, context: Context, now: datetime
) -> datetime | str | None:
    """Return until when a late rung waits, or why it is passed over; None when it fires."""
    if catch_up.skip_after is not None:
        count, unit = catch_up.skip_after
        if moved(due_rung.at, count, unit, None, context.calendar) < now:
            return "it was found too late to be of use"
    if catch_up.spread_hours is not None and is_late(due_rung, context, now):
        return now + timedelta(seconds=round(catch_up.spread_hours * 3600 * (case.id * _GOLDEN % 1)) + 1)
    return None


def is_late(due_rung: DueRung, context: Context, now: datetime) -> bool:
    """Whether a rung is found so long after its time that the policy calls it late."""
    return now - due_rung.at >= timedelta(hours=context.policy.breaker.late_hours)


def may_be_passed_over(process: Process, state: str, trigger: str) -> bool:
    """Whether a rung may be left out: it leaves the case where it is, whichever way it is taken, and starts nothing."""
    ways = [t for t in process.from_state.get(state, ()) if t.trigger == trigger and Role.SYSTEM in t.by]
    return all(t.internal and not (t.resumes or t.holds or t.restarts) for t in ways)


def left_out(
    case: Case, rung: Firing, trigger: str, kind: str, why: dict[str, Any], now: datetime, actor: Actor = SYSTEM
) -> Step:
    """Return the event of a rung that does nothing, ``passed_over`` or ``not_fired``, and does not come back."""
    details = {"clock": rung[0], "rung": rung[1].key, "rung_at": rung[1].at.isoformat()} | why
    return Step(kind, trigger, case.state, case.state, actor, now, rung[2], details)


def put_off(
    case: Case, rung: Firing, trigger: str, until: datetime, now: datetime, why: str = SPREAD, actor: Actor = SYSTEM
) -> Step:
    """Return the event of a rung that waits until an instant: none that fired, since it comes again under its key."""
    details = {"clock": rung[0], "rung": rung[1].key, "rung_at": rung[1].at.isoformat(), "until": until.isoformat()}
    return Step("put_off", trigger, case.state, case.state, actor, now, None, details | {"why": why})

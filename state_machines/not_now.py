"""What becomes of a case when somebody says that what is due shall not happen. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from state_machines import clockwork
from state_machines.catching_up import left_out, may_be_passed_over, put_off
from state_machines.engine import MOST_STEPS, EndlessCase
from state_machines.ladders import EXPIRES, latest_repeat, mark_fired
from state_machines.objections import title_of
from state_machines.process import Process
from state_machines.values import Actor, Case, Context, Outcome, Refused, Step


def not_now(
    process: Process, case: Case, *, until: datetime | None, why: str, actor: Actor, context: Context, now: datetime
) -> Outcome | Refused | None:
    """Return a case whose rungs that are due by now do not fire, because somebody says so; None when none is due.

    What only tells or asks is passed over. What would move the case on can only wait ``until`` an instant.
    """
    current = case
    steps: list[Step] = []
    while (found := clockwork.soonest_due(process, current, context=context, now=now)) is not None:
        if len(steps) > MOST_STEPS:
            raise EndlessCase(f"{case.ref} has more than {MOST_STEPS} rungs due at once in the state {current.state}.")
        clock, running, due_rung = found
        due_rung = latest_repeat(due_rung, now, context.calendar)
        rung = (clock.name, due_rung, clockwork.occurrence_key(running, due_rung.key))
        trigger = (clock.expires or "") if due_rung.rung.fires == EXPIRES else due_rung.rung.fires
        if may_be_passed_over(process, current.state, trigger):
            fired = mark_fired(running.fired, due_rung.key)
            waits = clockwork.ticked(process, clock, running, fired, context)
            steps.append(left_out(current, rung, trigger, "passed_over", {"why": why}, now, actor))
        elif until is None or until <= now:
            why_not = f"“{title_of(process, trigger)}” moves the case on; it can wait, and not be left out."
            return Refused(trigger, current.state, "until", why_not)
        else:
            waits = clockwork.postponed(process, clock, running, due_rung.key, until, context)
            steps.append(put_off(current, rung, trigger, until, now, why, actor))
        current = replace(current, clocks={**current.clocks, clock.name: waits})
    state = process.state(current.state)
    return Outcome(case, current, tuple(steps), state.owner, state.final) if steps else None

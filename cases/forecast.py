"""What happens next if nobody acts: the same code the sweep runs, run ahead on a clock of its own, writing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from state_machines.engine import EndlessCase, advance
from state_machines.process import Process
from state_machines.values import Case, Context

HORIZON = timedelta(days=731)
MOST = 40


@dataclass(frozen=True, slots=True)
class Expected:
    """One thing a sweep will do, when, and whom it will write to."""

    at: datetime
    clock: str
    rung: str
    trigger: str
    kind: str
    target: str
    messages: tuple[tuple[str, str], ...]
    tasks: tuple[str, ...]


def expected(process: Process, case: Case, *, context: Context, now: datetime, most: int = MOST) -> list[Expected]:
    """Return what sweeps will do to a case, in order, until it ends, repeats for ever or two years have passed."""
    found: list[Expected] = []
    current = case
    while len(found) < most:
        after = [c.next_at for c in current.clocks.values() if c.next_at is not None]
        moment = max(min(after), now) if after else None
        if moment is None or moment > now + HORIZON:
            break
        try:
            outcome = advance(process, current, context=context, now=moment)
        except EndlessCase:
            break
        if outcome is None:
            break
        steps = [step for step in outcome.steps if step.occurrence is not None]
        found += [
            Expected(
                moment, str(step.details.get("clock", "")), str(step.details.get("rung", "")), step.trigger, step.kind,
                step.target, tuple((m.kind, m.audience) for m in step.messages), tuple(t.title for t in step.tasks),
            )
            for step in steps
        ]  # fmt: skip
        current = outcome.after
        if outcome.final or (steps and all("#" in str(step.details.get("rung", "")) for step in steps)):
            break
    return found

"""What somebody may do with a case now: buttons and forms are made from this and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from state_machines.draft import Draft
from state_machines.objections import guard_objection, who_objection
from state_machines.process import Process, Transition
from state_machines.values import Actor, Case, Context, Refused


@dataclass(frozen=True, slots=True)
class Choice:
    """A transition as a person sees it on a case: allowed, or not and why."""

    transition: Transition
    refused: Refused | None


def choices(
    process: Process, case: Case, *, only: str | None = None, actor: Actor, context: Context, now: datetime
) -> Iterator[Choice]:
    """Yield the transitions of the state that are meant for this actor's roles, each with what stands in its way.

    What was typed is not asked yet. ``only``: those of this trigger.
    """
    for transition in process.from_state[case.state]:
        if not actor.roles & set(transition.by) or only not in (None, transition.trigger):
            continue
        draft = Draft(process, case, None, None, actor=actor, context=context, now=now)
        found = who_objection(transition, draft) or guard_objection(transition, draft)
        refused = Refused(transition.trigger, case.state, found[1], found[2]) if found else None
        yield Choice(transition, refused)

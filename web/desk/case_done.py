"""What a step did, in one sentence or three: for whoever took it, at once."""

from __future__ import annotations

from notifications import catalogue
from state_machines.process import Transition
from state_machines.registry import process_named
from state_machines.values import Outcome
from web.desk.case_people import Names
from web.naming import process_title


def sentence(outcome: Outcome, transition: Transition, names: Names) -> str:
    """Return what was done, where the case is now, what is mailed to whom, and what was opened."""
    before, after = outcome.before, outcome.after
    state = process_named(after.process).state(after.state)
    moved = before.state != after.state
    told = [f"“{transition.title}” is done" + (f"; the case is now in the state “{state.title}”." if moved else ".")]
    mails = []
    for step in outcome.steps:
        for message in step.messages:
            theirs = moved and message.audience == "owner" and not state.final
            to = names.owner_in(state, after.data) if theirs else names.audience(message.audience)
            mails.append(f"“{catalogue.title_of(message.kind)}” to {to}")
    if mails:
        told.append(f"Mail that goes out: {'; '.join(dict.fromkeys(mails))}.")
    opened = [process_title(spawn.process).lower() for step in outcome.steps for spawn in step.spawns]
    told += [f"A {title} was opened." for title in dict.fromkeys(opened)]
    tasks = [task.title for step in outcome.steps for task in step.tasks]
    told += [f"Task: {title}." for title in dict.fromkeys(tasks)]
    return " ".join(told)

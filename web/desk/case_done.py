"""What a step did, in one sentence or three: for whoever took it, at once."""

from __future__ import annotations

from notifications import catalogue
from state_machines.process import Transition
from state_machines.registry import process_named
from state_machines.values import Outcome
from web.desk.case_people import Names
from web.naming import process_title, words


def sentence(outcome: Outcome, transition: Transition, names: Names) -> str:
    """Return what was done, where the case is now, what is mailed to whom, and what was opened."""
    before, after = outcome.before, outcome.after
    state = process_named(after.process).state(after.state)
    moved = before.state != after.state
    told = [f"“{transition.title}” is done" + (f"; the case is now in the state “{state.title}”." if moved else ".")]
    known, mails = catalogue.entries(), []
    for step in outcome.steps:
        for message in step.messages:
            title = known[message.kind].kind.title if message.kind in known else words(message.kind)
            mails.append(f"“{title}” to {names.audience(message.audience)}")
    if mails:
        told.append(f"Mail that goes out: {'; '.join(dict.fromkeys(mails))}.")
    opened = [process_title(spawn.process).lower() for step in outcome.steps for spawn in step.spawns]
    told += [f"A {title} was opened." for title in dict.fromkeys(opened)]
    tasks = [task.title for step in outcome.steps for task in step.tasks]
    told += [f"Task: {title}." for title in dict.fromkeys(tasks)]
    return " ".join(told)

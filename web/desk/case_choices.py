"""What somebody may do with a case: the buttons, the forms behind them, and what cannot be done now and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cases.queries import CasePage
from notifications import catalogue
from state_machines.engine import Choice
from state_machines.process import Transition
from state_machines.registry import process_named
from web.desk.case_people import Names
from web.naming import words

ELSEWHERE = frozenset({"impute"})
"""Triggers that need more than a form: their page writes what belongs to them in the same transaction."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do with a case."""

    trigger: str
    title: str
    help: str
    danger: bool
    form: bool
    """Whether it is asked on a page of its own before it is done."""
    move: str | None
    """The state it leads to, by title."""
    refused: str | None


def actions(page: CasePage) -> list[Action]:
    """Return what the process offers this person: first what moves the case, what is dangerous last."""
    offered = (choice for choice in _one_each(page.choices) if choice.transition.trigger not in ELSEWHERE)
    found = [_action(page, choice) for choice in offered]
    return sorted(found, key=lambda action: (action.danger, action.move is None))


def _one_each(choices: Iterable[Choice]) -> list[Choice]:
    """One choice for each trigger: the first that is allowed, else the first that is not."""
    found: dict[str, Choice] = {}
    for choice in choices:
        known = found.get(choice.transition.trigger)
        if known is None or (known.refused is not None and choice.refused is None):
            found[choice.transition.trigger] = choice
    return list(found.values())


def _action(page: CasePage, choice: Choice) -> Action:
    transition = choice.transition
    return Action(
        transition.trigger, transition.title, transition.help, transition.danger,
        transition.needs is not None or transition.danger, _move(page, choice),
        choice.refused.sentence if choice.refused else None,
    )  # fmt: skip


def _move(page: CasePage, choice: Choice) -> str | None:
    """Where it leads, by title; what is typed may decide between several."""
    same = [c for c in page.choices if c.transition.trigger == choice.transition.trigger]
    likely = [c.transition for c in same if (c.refused is None) == (choice.refused is None)]
    process = process_named(page.case.process)
    titles = [process.state(t.target).title for t in likely if t.target is not None]
    return " or ".join(dict.fromkeys(titles)) or None


def chosen(page: CasePage, trigger: str) -> Choice | None:
    """Return the choice behind a button, or None where this person has no such button now."""
    mine = (choice for choice in _one_each(page.choices) if choice.transition.trigger == trigger)
    return next(mine, None) if trigger not in ELSEWHERE else None


def transition_of(page: CasePage, trigger: str) -> Transition | None:
    """Return the transition whose form is shown: the choice's or, where there is none now, any of that name."""
    choice = chosen(page, trigger)
    if choice is not None:
        return choice.transition
    known = (t for t in process_named(page.case.process).transitions if t.trigger == trigger)
    return next(known, None) if trigger not in ELSEWHERE else None


def mails_of(transition: Transition, names: Names) -> list[str]:
    """Return what may be mailed with a transition, and to whom."""
    known = catalogue.entries()
    found = []
    for send in transition.sends:
        title = known[send.kind].kind.title if send.kind in known else words(send.kind)
        found.append(f"“{title}” to {names.audience(send.to)}{', if that applies' if send.when else ''}")
    return list(dict.fromkeys(found))


def begun(page: CasePage, transition: Transition) -> dict[str, Any]:
    """Return what a form begins with: what the case knows of the fields that this step keeps on it."""
    known = {name: page.case.data[name] for name in transition.keeps if page.case.data.get(name) not in (None, "")}
    repeats = next((link["ref"] for link in page.links if _repeats(link)), None)
    if repeats and transition.needs is not None and "duplicate_of" in transition.needs.model_fields:
        known |= {"duplicate_of": repeats, "chosen": "DUPLICATE"}
    return known


def _repeats(link: Any) -> bool:
    return bool(link["type"] == "duplicate_of" and link["direction"] == "to")


def closers(page: CasePage, offered: Sequence[Action]) -> dict[str, list[Action]]:
    """Return by kind of task what settles it and may be done now."""
    allowed = {action.trigger: action for action in offered if action.refused is None}
    found: dict[str, list[Action]] = {}
    for choice in _one_each(page.choices):
        for kind in choice.transition.closes_tasks:
            action = allowed.get(choice.transition.trigger)
            if action is not None and kind != "*":
                found.setdefault(kind, []).append(action)
    return found

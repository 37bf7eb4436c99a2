"""What somebody may do with a case: the buttons, the forms behind them, and what cannot be done now and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from cases.queries import CasePage
from cases.tasks import settling_step
from notifications import catalogue
from state_machines.choosing import Choice
from state_machines.process import Transition
from state_machines.registry import process_named
from state_machines.values import STAFF
from web import wording
from web.desk.case_people import Names
from web.desk.case_points import by_point, points
from web.forms import Field, Option

ELSEWHERE = frozenset({"impute", "change_text", "describe", "choose_contact", "leave_out", "take_back_in"})
"""Triggers that need more than a form, or are chosen from a list: they have a page of their own."""


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
    own: bool
    """Whether it belongs to this state and to the staff: not what a member may do too, nor what is nearly always so."""
    decides: bool
    """Whether it grants what somebody else asked for."""
    anywhere: bool
    """Whether it is possible in more than half of the open states, such as a withdrawal: not what one came to do."""


MANY = 4
"""A step possible from more states than that is not what this one is about."""
FEW = 2
"""Of fewer it is not worth while."""
SHOWN = 4
"""So many buttons are taken in at a glance; of more, those that are possible anywhere are folded away."""


def actions(page: CasePage) -> list[Action]:
    """Return what the process offers this person: first what this state is about, what is dangerous last."""
    offered = (choice for choice in _one_each(page.choices) if choice.transition.trigger not in ELSEWHERE)
    found = [_action(page, choice) for choice in offered]
    return sorted(found, key=lambda action: (action.danger, not action.decides, not action.own, action.move is None))


def plain_next(offered: Iterable[Action]) -> str | None:
    """Return the trigger of the one step that goes on from here, or None where somebody has to weigh several.

    Where something was asked for, granting it is that step, whatever else leads on.
    """
    ways = [a for a in offered if a.own and a.refused is None and a.move is not None and not a.danger]
    deciding = [a for a in ways if a.decides]
    only = deciding if len(deciding) == 1 else ways
    return only[0].trigger if len(only) == 1 else None


def in_sight(possible: Sequence[Action]) -> tuple[list[Action], list[Action]]:
    """Return the steps that are shown at once, and those that are folded away; few are all shown."""
    folded = [a for a in possible if a.anywhere]
    shown = [a for a in possible if not a.anywhere]
    if len(possible) <= SHOWN or len(folded) < FEW or len(shown) < FEW:
        return list(possible), []
    return shown, folded


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
        choice.refused.sentence if choice.refused else None, _is_own(page, transition), bool(transition.four_eyes),
        not transition.four_eyes and _is_anywhere(page, transition),
    )  # fmt: skip


def _is_own(page: CasePage, transition: Transition) -> bool:
    same = [t for t in process_named(page.case.process).transitions if t.trigger == transition.trigger]
    return all(set(t.by) <= STAFF for t in same) and _reach(page.case.process, transition.trigger) <= MANY


def _is_anywhere(page: CasePage, transition: Transition) -> bool:
    open_states = [s for s in process_named(page.case.process).states if not s.final]
    return _reach(page.case.process, transition.trigger) * 2 > len(open_states)


@cache
def _reach(process: str, trigger: str) -> int:
    """From how many states a step is possible."""
    leaving = process_named(process).from_state.values()
    return sum(any(t.trigger == trigger for t in each) for each in leaving)


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


def mails_of(page: CasePage, transition: Transition, names: Names) -> list[str]:
    """Return what may be mailed with a transition, and to whom."""
    found = []
    for send in transition.sends:
        to, perhaps = _to(send.to, transition, page, names), ", if that applies" if send.when else ""
        found.append(f"“{catalogue.title_of(send.kind)}” to {to}{perhaps}")
    return list(dict.fromkeys(found))


def _to(audience: str, transition: Transition, page: CasePage, names: Names) -> str:
    """Who a message goes to; the owner is whoever owns the case where the transition leads."""
    if audience != "owner" or transition.target is None:
        return names.audience(audience)
    to = process_named(page.case.process).state(transition.target)
    return names.audience(audience) if to.final else names.owner_in(to, page.case.data)


def begun(page: CasePage, transition: Transition) -> dict[str, Any]:
    """Return what a form begins with: what the case knows of the fields that this step keeps on it."""
    known = {name: page.case.data[name] for name in transition.keeps if page.case.data.get(name) not in (None, "")}
    repeats = next((link["ref"] for link in page.links if _repeats(link)), None)
    if repeats and transition.needs is not None and "duplicate_of" in transition.needs.model_fields:
        known |= {"duplicate_of": repeats, "chosen": "DUPLICATE"}
    return known


def asked_of(page: CasePage, fields: Sequence[Field]) -> list[Field]:
    """Return the fields of a form; what names something of the case by its number offers what there is."""
    named = points(page.case)
    return [_promised(page, field) if field.name == "remedy" else by_point(field, named) for field in fields]


def still_promised(page: CasePage) -> list[Option]:
    """Return the actions that were promised and are still to be verified, in the order they were promised."""
    promised = enumerate(page.case.data.get("remedies", ()), start=1)
    return [Option(str(number), _action_words(each)) for number, each in promised if not each.get("done")]


def _promised(page: CasePage, field: Field) -> Field:
    still = still_promised(page)
    if not still:
        return field
    return replace(field, kind="select", label="Promised action", help="", options=tuple(still))


def _action_words(promised: Any) -> str:
    due = promised.get("due_on")
    return (
        f"{promised['what']} (by {wording.day_words(date.fromisoformat(str(due)))})" if due else str(promised["what"])
    )


def _repeats(link: Any) -> bool:
    return bool(link["type"] == "duplicate_of" and link["direction"] == "to")


def by_hand(page: CasePage) -> set[int]:
    """Return the numbers of the open tasks that no step settles: whoever works on the case says they are done."""
    process, state = process_named(page.case.process), page.case.state
    return {t["number"] for t in page.tasks if not t["closed"] and settling_step(process, state, t["kind"]) is None}


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

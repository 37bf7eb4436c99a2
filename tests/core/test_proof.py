"""What the proof finds: one sound process, broken in one way at a time, and each time the path is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from notifications import catalogue
from state_machines import registry
from state_machines.draft import Draft
from state_machines.escalation import escalations
from state_machines.holding import holding
from state_machines.policy import Policy
from state_machines.process import Clock, Process, Send, State, Transition
from state_machines.proof import BrokenProcess, prove
from state_machines.values import Role
from tests.core.builders import policy

C, M, SYSTEM = frozenset({Role.COORDINATOR}), frozenset({Role.MANAGER}), frozenset({Role.SYSTEM})
KINDS = frozenset({"letter", "case_due_soon", "case_overdue", "case_escalated", "case_hold_ended"})
RULES: dict[str, Any] = {
    "version": "t",
    "ladders": {
        "standard": [
            {"rung": "soon", "at": "soon", "fires": "due_soon"},
            {"rung": "weekly", "at": "due+5wd 09:00", "fires": "still_overdue", "every": "5wd"},
        ],
        "expiry": [{"rung": "end", "at": "due", "fires": "$expires"}],
    },
    "processes": {"loan": {"clocks": {
        "ask": {"allow": "WD(5)"}, "decide": {"allow": "WD(2)"}, "give_back": {"allow": "CM(1)"},
        "hold": {"allow": "CD(30)"},
    }}},
}  # fmt: skip


class Wish(BaseModel):
    """What somebody wants to borrow."""

    what: str
    name: Annotated[str, Field(max_length=80), "personal"] = ""


class MoreTime(BaseModel):
    """More time."""

    days: int
    reason: str


def is_open(draft: Draft) -> bool:
    """It is closed."""
    return True


def loan() -> Process:
    """A book is asked for, granted by somebody else, and given back; the time to give it back simply runs out."""
    states = [
        State("asked", clocks=(Clock("ask", "standard"),)),
        State("waiting", owner=Role.MANAGER, clocks=(Clock("decide", "standard"),)),
        State("lent", clocks=(Clock("give_back", "expiry", expires="missed"),)),
        State("done", final=True),
        State("lost", final=True),
    ]
    transitions = [
        Transition("propose", "asked", "waiting", by=C, needs=Wish, keeps=("what",)),
        Transition("grant", "waiting", "lent", by=M, four_eyes=("propose",), sends=(Send("letter", "member"),)),
        Transition("extend", "lent", None, by=M, needs=MoreTime, extends="give_back"),
        Transition("give_back", "lent", "done", by=C),
        Transition("missed", "lent", "lost", by=SYSTEM),
        *escalations(), *holding(),
    ]  # fmt: skip
    return Process("loan", 1, "LO", "Loan", "asked", states, transitions, opening=Wish, opening_keeps=("what",))


def found(process: Process, rules: dict[str, Any] = RULES) -> list[str]:
    return [str(bad) for bad in prove(process, Policy.model_validate(rules), message_kinds=KINDS)]


def with_state(name: str, **changes: Any) -> Process:
    whole = loan()
    return replace(whole, states=[replace(s, **changes) if s.name == name else s for s in whole.states])


def with_move(trigger: str, **changes: Any) -> Process:
    whole = loan()
    return replace(whole, transitions=[replace(t, **changes) if t.trigger == trigger else t for t in whole.transitions])


def plus(*more: State | Transition) -> Process:
    whole = loan()
    return replace(
        whole,
        states=[*whole.states, *(each for each in more if isinstance(each, State))],
        transitions=[*whole.transitions, *(each for each in more if isinstance(each, Transition))],
    )


def minus(trigger: str) -> Process:
    whole = loan()
    return replace(whole, transitions=[t for t in whole.transitions if t.trigger != trigger])


def rules(**changes: Any) -> dict[str, Any]:
    """The rules with other clocks or ladders."""
    clocks = RULES["processes"]["loan"]["clocks"] | changes.pop("clocks", {})
    clocks = {name: numbers for name, numbers in clocks.items() if numbers is not None}
    return RULES | {"processes": {"loan": {"clocks": clocks}}, "ladders": RULES["ladders"] | changes.pop("ladders", {})}


def forever(trigger: str) -> dict[str, Any]:
    return {"expiry": [{"rung": "end", "at": "due", "fires": trigger, "every": "1d"}]}


CALM = Clock("ask", "standard")


def test_the_sound_process_is_proved() -> None:
    assert found(loan()) == []


BROKEN: list[tuple[str, Callable[[], Process], str, str]] = [
    ("an unreachable state", lambda: plus(State("attic", clocks=(CALM,)), Transition("leave", "attic", "done", by=C)),
     "attic", "no path leads here from asked"),
    ("a trap", lambda: plus(State("pit", clocks=(CALM,)), State("well", clocks=(CALM,)),
                            Transition("fall", "asked", "pit", by=C), Transition("sink", "pit", "well", by=C),
                            Transition("climb", "well", "pit", by=C)),
     "pit -> well", "no path leads from here to a final state"),
    ("an owner outside", lambda: with_state("lent", owner=Role.MEMBER), "lent", "its owner is member, who cannot own"),
    ("an owner who only reads", lambda: with_state("lent", owner=Role.AUDITOR), "lent", "its owner is auditor"),
    ("a system that owns", lambda: with_state("lent", owner=Role.SYSTEM), "lent", "its owner is system"),
    ("nobody to move it", lambda: plus(State("shelf", clocks=(CALM,)), Transition("shelve", "asked", "shelf", by=C)),
     "shelf", "nobody and no clock can move a case out of it"),
    ("no clock", lambda: with_state("asked", clocks=()), "asked", "an open state has no clock that runs"),
    ("a clock that stands still", lambda: with_state("asked", clocks=(Clock("ask", "standard", paused=True),)),
     "asked", "an open state has no clock that runs"),
    ("a rung without a trigger", lambda: minus("still_overdue"), "asked / ask / weekly",
     "the rung fires 'still_overdue', which Muster cannot do in this state"),
    ("a rung Muster may not fire", lambda: with_move("missed", by=M), "lent / give_back / end",
     "the rung fires 'missed', which Muster cannot do"),
    ("an end without a trigger", lambda: with_state("lent", clocks=(Clock("give_back", "expiry"),)),
     "lent / give_back / end", "the clock names none"),
    ("an unknown ladder", lambda: with_state("lent", clocks=(Clock("give_back", "rope", expires="missed"),)),
     "lent / give_back", "the policy has no ladder 'rope'"),
    ("a clock without allowance", lambda: with_state("asked", clocks=(CALM, Clock("nap", "standard"))),
     "asked / nap", "the policy gives this clock no allowance"),
    ("a date without allowance", lambda: with_state("asked", clocks=(CALM, Clock("nap", "standard", until="day"))),
     "asked / nap", "the policy gives this clock no allowance"),
    ("a clock that falls silent", lambda: with_move("missed", target=None), "lent / give_back",
     "its last rung leaves the case where it is and nothing comes after it"),
    ("a clock that goes in a circle", lambda: with_move("missed", target="lent"), "lent / give_back",
     "its last rung leaves the case where it is and nothing comes after it"),
    ("a circle of clocks", lambda: plus(
        State("late", clocks=(Clock("ask", "expiry", expires="back"),)), Transition("back", "late", "lent", by=SYSTEM),
        Transition("missed", "lent", "late", by=SYSTEM), Transition("end", "late", "lost", by=C)),
     "lent -> late -> lent", "it can go round here for ever without a person"),
    ("a circle of clocks that a person could make as well", lambda: plus(
        State("late", clocks=(Clock("ask", "expiry", expires="back"),)),
        Transition("back", "late", "lent", by=SYSTEM | C), Transition("missed", "lent", "late", by=SYSTEM | M)),
     "lent -> late -> lent", "it can go round here for ever without a person"),
    ("a circle of automatic moves", lambda: plus(
        State("a", clocks=(CALM,), auto=("on",)), State("b", clocks=(CALM,), auto=("off",)),
        Transition("start", "asked", "a", by=C), Transition("on", "a", "b", by=SYSTEM | C),
        Transition("off", "b", "a", by=SYSTEM | C), Transition("stop", "a", "done", by=C)),
     "a -> b -> a", "it can go round here for ever without a person"),
    ("a counted trigger nobody counts", lambda: replace(loan(), repeats=("missed",)), "missed",
     "it is declared as counted, and no guard counts it"),
    ("a counted trigger counted on one way only", lambda: replace(
        plus(Transition("missed", "lent", "lost", by=SYSTEM, only_if=(is_open,))), repeats=("missed",)),
     "missed", "it is declared as counted, and no guard counts it"),
    ("a second person against nothing", lambda: with_move("grant", four_eyes=("beg",)),
     "waiting --grant--> lent", "measured against 'beg', which nobody can do"),
    ("a second person against Muster", lambda: with_move("grant", four_eyes=("missed",)),
     "waiting --grant--> lent", "no person can ask: 'missed' is done by Muster alone"),
    ("a second person against an opening by Muster", lambda: replace(
        with_move("grant", four_eyes=("open",)), opened_by=SYSTEM),
     "waiting --grant--> lent", "no person can ask: cases are opened by Muster alone"),
    ("a second person who is none", lambda: with_move("grant", by=SYSTEM), "waiting --grant--> lent",
     "it needs a second person, and no person may do it"),
    ("a message without templates", lambda: with_move("grant", sends=(Send("postcard", "member"),)),
     "waiting --grant--> lent", "the message 'postcard' has no templates"),
    ("an opening message without templates", lambda: replace(loan(), opening_sends=(Send("postcard", "member"),)),
     "opening", "the message 'postcard' has no templates"),
    ("an audience nobody knows", lambda: with_move("grant", sends=(Send("letter", "membre"),)),
     "waiting --grant--> lent", "goes to 'membre', and nobody is called that"),
    ("a role nobody has", lambda: with_move("grant", sends=(Send("letter", "role:king"),)),
     "waiting --grant--> lent", "goes to 'role:king', and nobody is called that"),
    ("a clock on the grave", lambda: with_state("done", clocks=(CALM,)), "done", "a final state has a clock"),
    ("an end at the beginning", lambda: replace(loan(), initial="done"), "done", "the initial state is final"),
    ("no end", lambda: replace(
        loan(), states=[replace(s, final=False, clocks=(CALM,)) for s in loan().states]),
     "asked", "no state is final"),
    ("a state twice", lambda: plus(State("lent", clocks=(CALM,))), "lent", "two states have this name"),
    ("a way to nowhere", lambda: with_move("give_back", target="cellar"), "lent --give_back--> cellar",
     "there is no state 'cellar'"),
    ("a way from nowhere", lambda: with_move("give_back", source="cellar"), "cellar --give_back--> done",
     "there is no state 'cellar'"),
    ("a beginning nowhere", lambda: replace(loan(), initial="cellar"), "cellar", "the initial state does not exist"),
    ("an automatic move that does not exist", lambda: with_state("asked", auto=("jump",)), "asked",
     "it moves on by 'jump', which does not exist here"),
    ("an automatic move of somebody else", lambda: with_state("asked", auto=("propose",)), "asked",
     "it moves on by 'propose', which Muster may not do"),
    ("an automatic move that can be refused", lambda: replace(
        plus(Transition("jump", "asked", "lent", by=SYSTEM, only_if=(is_open,))),
        states=[replace(s, auto=("jump",)) if s.name == "asked" else s for s in loan().states]),
     "asked", "its last way on, 'jump', can be refused, and then the case is stuck"),
    ("an automatic move with a check", lambda: replace(
        plus(Transition("jump", "asked", "lent", by=SYSTEM, checks=(is_open,))),
        states=[replace(s, auto=("jump",)) if s.name == "asked" else s for s in loan().states]),
     "asked", "its last way on, 'jump', can be refused"),
    ("a hold without an end", lambda: minus("resume"), "asked --hold--> itself", "Muster cannot end the hold"),
    ("a fact nobody types", lambda: with_move("propose", keeps=("colour",)), "asked --propose--> waiting",
     "it keeps 'colour', which its form does not ask for"),
    ("a fact without a form", lambda: with_move("give_back", keeps=("what",)), "lent --give_back--> done",
     "it keeps 'what', which its form does not ask for"),
    ("a personal fact", lambda: with_move("propose", keeps=("name",)), "asked --propose--> waiting",
     "it keeps 'name', which is personal and must stay beside the event"),
    ("a personal fact at the opening", lambda: replace(loan(), opening_keeps=("name",)), "opening",
     "it keeps 'name', which is personal"),
    ("more time without a number", lambda: with_move("extend", needs=Wish), "lent --extend--> itself",
     "it gives 'give_back' more time, and its form asks not how much"),
    ("more time for a clock that is not there", lambda: with_move("extend", source="asked"),
     "asked --extend--> itself", "it names the clock 'give_back', which no state has that it leads to"),
    ("a restart of a clock that is not there", lambda: with_move("propose", restarts=("egg",)),
     "asked --propose--> waiting", "it names the clock 'egg', which no state has that it leads to"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "path", "rule"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_is_broken_is_named_with_its_path(make: Callable[[], Process], path: str, rule: str) -> None:
    bad = [each for each in prove(make(), Policy.model_validate(RULES), message_kinds=KINDS) if rule in each.rule]
    assert [each.path for each in bad if each.path == path], [str(b) for b in bad] or found(make())


@pytest.mark.parametrize(
    ("changed", "path", "rule"),
    [
        ({"clocks": {"ask": {"allow": None}}}, "asked", "each of its clocks is switched off for some profile"),
        ({"clocks": {"ask": {"allow": "WD(5)", "by": "kind", "profiles": {"odd": None}}}}, "asked",
         "each of its clocks is switched off for some profile"),
        ({"clocks": {"ask": None}}, "asked / ask", "the policy gives this clock no allowance"),
        ({"clocks": {"hold": None}}, "* --hold--> itself", "a hold would never end"),
        ({"clocks": {"hold": {"allow": None}}}, "* --hold--> itself", "a hold would never end"),
        ({"ladders": {"expiry": [{"rung": "end", "at": "due", "fires": "due_soon"}]}}, "lent / give_back",
         "nothing comes after it"),
        ({"ladders": forever("overdue")}, "lent / give_back / end",
         "it repeats 'overdue' without end, and each time sends mail"),
    ],
)  # fmt: skip
def test_numbers_that_leave_a_case_alone_are_named_with_the_clock(
    changed: dict[str, Any], path: str, rule: str
) -> None:
    bad = [each for each in found(loan(), rules(**changed)) if each.startswith(f"loan: {path}: ")]
    assert any(rule in each for each in bad), found(loan(), rules(**changed))


@pytest.mark.parametrize(
    ("why", "make"),
    [
        ("every open state beside named ones", lambda: with_move("give_back", source=("*", "done"))),
        ("two of one role may ask and decide", lambda: with_move("grant", by=C)),
        ("measured against whoever opened it", lambda: with_move("grant", four_eyes=("open",))),
        ("a circle with a person in it", lambda: plus(Transition("send_back", "waiting", "asked", by=M))),
        ("an automatic move whose last way is free", lambda: replace(
            plus(Transition("jump", "asked", "lent", by=SYSTEM, only_if=(is_open,)),
                 Transition("walk", "asked", "waiting", by=SYSTEM)),
            states=[replace(s, auto=("jump", "walk")) if s.name == "asked" else s for s in loan().states])),
        ("an endless rung that sends nothing", lambda: with_state(
            "lent", clocks=(Clock("give_back", "standard"),))),
        ("a counted circle", lambda: replace(plus(
            State("late", clocks=(Clock("ask", "expiry", expires="back"),)),
            Transition("back", "late", "lent", by=SYSTEM, only_if=(is_open,)),
            Transition("missed", "lent", "late", by=SYSTEM), Transition("end", "late", "lost", by=C)),
            repeats=("back",))),
        ("a named party and a role", lambda: with_move(
            "grant", sends=(Send("letter", "party:friend"), Send("letter", "role:finance")))),
    ],
)  # fmt: skip
def test_what_only_looks_odd_is_allowed(why: str, make: Callable[[], Process]) -> None:
    assert found(make()) == [], why


def test_a_process_that_sends_mail_for_ever_may_do_so_a_counted_number_of_times() -> None:
    ends = [
        {"rung": "again", "at": "due", "fires": "overdue", "every": "1d", "times": 3},
        {"rung": "end", "at": "due+5d", "fires": "$expires"},
    ]
    assert found(loan(), rules(ladders={"expiry": ends})) == []


def test_without_the_kinds_of_message_templates_are_not_asked_for() -> None:
    assert prove(with_move("grant", sends=(Send("postcard", "member"),)), Policy.model_validate(RULES)) == []


# --- the processes that ship


@pytest.mark.parametrize("name", registry.MODULES)
def test_each_process_that_ships_is_proved_with_its_policy_and_its_letters(name: str) -> None:
    process = registry.process_named(name)
    assert [str(bad) for bad in prove(process, policy(), message_kinds=catalogue.entries().keys())] == []


def test_a_process_that_is_not_sound_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.require_sound(policy(), catalogue.entries().keys())
    monkeypatch.setattr(registry, "processes", lambda: {"loan": with_state("asked", clocks=())})
    with pytest.raises(BrokenProcess, match="loan: asked: an open state has no clock that runs"):
        registry.require_sound(Policy.model_validate(RULES))


def test_a_process_is_found_by_either_spelling_and_an_unknown_one_is_told_what_there_is() -> None:
    assert registry.process_named("survey-response") is registry.process_named("survey_response")
    with pytest.raises(registry.UnknownProcess, match="There is no process named 'bakery'; there are monitoring, "):
        registry.process_named("bakery")

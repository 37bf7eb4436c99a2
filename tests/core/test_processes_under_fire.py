"""Each process under fire: random people pull random triggers with random forms while time passes, and after every
step the promises of the design are asked. Nothing is written; the database has a test of its own.

Hypothesis draws the story as a list of moves, so a failure shrinks to the few that are needed; what happens in a move
is made from its number.
"""

from __future__ import annotations

import json
import os
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from random import Random
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from notifications import catalogue
from state_machines import choosing, engine
from state_machines.policy import PolicyError
from state_machines.process import Process, Transition
from state_machines.proof import AUDIENCES
from state_machines.registry import process_named, processes
from state_machines.standing import Standing
from state_machines.values import STAFF, SYSTEM, Actor, Case, Context, Message, Outcome, Refused, Role, Step
from tests.core import monitoring_story
from tests.core.builders import NOW, calendar, policy, staff

IN_CI = os.environ.get("MUSTER_CI") == "1"
STORIES = settings(max_examples=60, deadline=None, derandomize=IN_CI)

# --- forms filled in at random


PEOPLE = [
    staff(role, n)
    for role in (Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.COUNCIL, Role.FINANCE, Role.SITE)
    for n in (1, 2, 3)
]
MEMBER = Actor("member:7", "The member", frozenset({Role.MEMBER}), member_id=7)
COMPLAINANT = Actor("party:complainant", "Jo Doe", frozenset({Role.COMPLAINANT}))
BOTH = replace(staff(Role.MANAGER, 9), roles=frozenset({Role.COORDINATOR, Role.MANAGER, Role.SENIOR}))
"""Somebody with several roles: the second pair of eyes counts people, not roles."""

HINTS: Mapping[str, Sequence[Any]] = {
    "indicators": [dict.fromkeys(("extent", "duration", "intent", "impact", "remedy"), 2)],
    "rule": ["year_on_year", "copied_text"],
    "question": ["water_use", "staff"],
    "root_cause": ["training"],
    "flag": ["year_on_year:water_use", "copied_text:staff"],
    "profile": [
        None,
        "",
        "RSPO",
        "FLA",
        "BETTER_COTTON",
        "RSPO_2013",
        "UK_OMBUDSMAN",
        "FCA_DISP",
        "UK_DATA_PROTECTION",
    ],
    "code": ["freeze", "hardship_rate", "off_peak", "fix_and_credit", "payment_date"],
    "ladder": ["standard"],
    "status": ["5.1.1", "5.7.1"],
    "missing": [[]],
    "months": [1, 2],
    "percent": [100, 50, 10],
    "remedy": [1, 2],
    "panel": [["staff:901", "staff:902", "staff:903"], [PEOPLE[9].person]],
    "present": [["A. Kaya", "B. Moss", "C. Rao"], []],
    "conflict_declared": [False, False, True],
    "population": [{"category": ["retailer"]}],
    "document_languages": [{"en": "0" * 64}],
    "languages": [{"en": "0" * 64}],
    "number": ["3.1"],
    "document_sha256": ["0" * 64],
    "language": ["en"],
    "authoritative": ["en"],
}
"""What fields of these names mean, where a value made from their type alone would nearly always be refused."""


def dice(number: int, place: int = -1) -> Random:
    """Chance that falls the same way again for the same number at the same place of a story."""
    return Random(f"{place}:{number}")  # noqa: S311  a story, no secret


AHEAD = frozenset({"deadline", "until"})
"""Dates that mostly lie ahead."""


def filled(model: type[BaseModel], chance: Random, today: date) -> dict[str, Any]:
    """A form filled in at random as a web page would send it: mostly as it must be, sometimes not."""
    values: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        if not info.is_required() and chance.random() < 0.45:
            continue
        hints = _hints(model, name)
        about = (today + timedelta(days=60)) if name in AHEAD else today
        values[name] = chance.choice(hints) if hints else _value(info.annotation, info.metadata, chance, about)
    if chance.random() < 0.05:
        values[chance.choice([*values, "unknown"])] = chance.choice([None, "", "no such thing", -1, [], "😀\0"])
    return values


@cache
def _hints(model: type[BaseModel], name: str) -> Sequence[Any]:
    """The hints that this field takes; fields of one name may mean different things."""
    info = model.model_fields[name]
    reader: TypeAdapter[Any] = TypeAdapter(Annotated[info.annotation, *info.metadata, "as the field has it"])
    found = []
    for value in HINTS.get(name, ()):
        with suppress(ValidationError):
            reader.validate_python(value)
            found.append(value)
    return found


def _value(kind: Any, about: Sequence[Any], chance: Random, today: date) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is not None and hasattr(kind, "__metadata__"):
        return _value(inner[0], [*about, *kind.__metadata__], chance, today)
    if origin is Literal:
        return chance.choice(inner)
    if origin in (Union, types.UnionType):
        return _value(chance.choice(inner), about, chance, today)
    if origin is list:
        least = int(_limit(about, "min_length") or 0)
        return [_value(inner[0], (), chance, today) for _ in range(least + chance.randrange(3))]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return chance.choice(list(kind)).value
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return filled(kind, chance, today)
    return _plain(kind, about, chance, today)


def _plain(kind: Any, about: Sequence[Any], chance: Random, today: date) -> Any:
    if kind is bool:
        return chance.random() < 0.7
    if kind in (int, float, Decimal):
        low, high = _limit(about, "ge"), _limit(about, "le")
        least = int(low) if low is not None else 0
        return chance.randint(least, min(int(high) if high is not None else 60, least + 60))
    if kind is date:
        return (today + timedelta(days=chance.randint(-20, 90))).isoformat()
    if kind is datetime:
        return datetime.combine(today - timedelta(days=chance.randint(0, 20)), NOW.time(), UTC).isoformat()
    if kind is str:
        return _text(about, chance)
    return {} if kind is dict or get_origin(kind) is dict else None


def _text(about: Sequence[Any], chance: Random) -> str:
    if any("staff:" in str(_limit(about, name)) for name in ("pattern",)):
        return chance.choice(PEOPLE).person
    words = f"word {chance.randrange(10**9):09d} said"
    return words[: int(_limit(about, "max_length") or 1000)]


def _limit(about: Sequence[Any], name: str) -> Any:
    for each in about:
        found = _limit(each.metadata, name) if isinstance(each, FieldInfo) else getattr(each, name, None)
        if found is not None:
            return found
    return None


# --- a world around the case, at random

SIGNATORY = {"id": 1, "role": "signatory", "usable": True, "domain": "members.example"}


def facts(process: Process, chance: Random) -> dict[str, Any]:
    child = process.child or process_named("survey_response")
    states = [state.name for state in child.states]
    linked = [
        {"ref": "CO-2026-000009", "process": "complaint", "state": chance.choice(["stage_1", "actions_open", "closed"]),
         "outcome": chance.choice([None, "upheld", "not_upheld"]), "link": "spawned_from", "direction": "to",
         "data": {}}
        for _ in range(chance.randrange(2))
    ]  # fmt: skip
    done = sorted(child.states_in(Standing.COMPLETE))
    few = chance.choice([[*done, "exempt"], [*done, "exempt"], [*done, "failed"], states])
    children = {name: chance.randrange(9) for name in few}
    return {
        "member": {"id": 7, "name": "Chandra", "status": chance.choice(["active", "active", "suspended"]),
                   "joined_on": "2020-01-01", "flags": chance.choice([(), (), ("vulnerable",), ("no_offers",)])},
        "children": children,
        "population": {"eligible": sum(children.values()) or 100, "deliverable": chance.choice([60, 100])},
        "contact_list": chance.choice([[SIGNATORY], [SIGNATORY], [SIGNATORY | {"usable": False}], []]),
        "linked": linked,
        "history": {"same_criterion_24m": chance.randrange(3), "complaints_12m": chance.randrange(5),
                    "open_complaints": chance.randrange(2), "cancellations_window": chance.randrange(2),
                    "saved_case": None, "offers_24m": []},
    }  # fmt: skip


@dataclass
class Story:
    """One case and what has happened to it."""

    process: Process
    case: Case
    now: datetime
    context: Context
    did: list[tuple[str, str]] = field(default_factory=list)
    """Which trigger was pulled by which person, first to last."""
    occurrences: set[str] = field(default_factory=set)
    been: set[str] = field(default_factory=set)
    """In which states it has been."""
    told: list[str] = field(default_factory=list)
    """The story in words, for whoever reads a failure."""

    @property
    def final(self) -> bool:
        return self.process.state(self.case.state).final


def begun(process: Process, chance: Random) -> Story | None:
    """A story that begins with an opening as it happens; None when the form was refused."""
    context = Context(policy(), calendar(), facts(process, chance))
    if process.name == "monitoring" and chance.random() < 0.6:
        return under_way(process, context, chance)
    seed = Case(
        1, f"{process.prefix}-2026-000001", process.name, process.initial, 0, NOW, NOW, NOW,
        None if process.child else 7, "A case", "North",
    )  # fmt: skip
    actor = _opener(process, chance)
    payload = filled(process.opening, chance, NOW.date()) if process.opening else {}
    outcome = engine.open_case(process, seed, payload=payload, actor=actor, context=context, now=NOW)
    if isinstance(outcome, Refused):
        return None
    story = Story(process, outcome.after, NOW, context)
    note(story, outcome)
    return story


def under_way(process: Process, context: Context, chance: Random) -> Story:
    """A monitoring case in one of its states: chance alone seldom comes as far as its last ones."""
    criterion = chance.choice(["communication", "decent_work", "fees", "survey_signoff", "sourcing"])
    case = monitoring_story.in_state(chance.choice(sorted(monitoring_story.PLAYS)), criterion=criterion)
    story = Story(process, case, NOW, context, been={case.state}, told=[f"begun in -> {case.state}"])
    story.did = [(trigger, person) for trigger, people in case.people.items() for person in people]
    return story


def _opener(process: Process, chance: Random) -> Actor:
    can = [who for who in (*PEOPLE, MEMBER, SYSTEM) if who.roles & set(process.opened_by)]
    return chance.choice(can)


def pulled_by_muster(process: Process) -> set[str]:
    """The triggers that only a clock or a state itself pulls, so that no person or import does it at another time."""
    found = {trigger for state in process.states for trigger in state.auto}
    for state in process.states:
        for clock in state.clocks:
            try:
                found |= set(policy().ladder(process.name, clock.ladder).triggers(clock.expires))
            except PolicyError:
                continue
    return found | {"resume"}


def somebody(story: Story, chance: Random) -> Actor:
    who = chance.choice([*PEOPLE, MEMBER, COMPLAINANT, BOTH, SYSTEM])
    if who.roles & STAFF and chance.random() < 0.15:
        who = replace(who, on_behalf_of=chance.choice(PEOPLE).person)
    if who.roles & STAFF and chance.random() < 0.05:
        who = replace(who, conflicts=frozenset({7}))
    return who


def wished(story: Story, actor: Actor, chance: Random) -> Transition:
    """What somebody tries: mostly something that is offered to them and leads on, sometimes anything at all."""
    choices = list(choosing.choices(story.process, story.case, actor=actor, context=story.context, now=story.now))
    offered = [choice.transition for choice in choices if choice.refused is None or chance.random() < 0.1]
    if actor is SYSTEM:
        offered = [t for t in offered if t.trigger not in pulled_by_muster(story.process)]
    if not offered or (actor is not SYSTEM and chance.random() < 0.08):
        return chance.choice([t for t in story.process.transitions if set(t.by) != {Role.SYSTEM}])
    return chance.choices(offered, [_pull(story, transition) for transition in offered])[0]


def _pull(story: Story, transition: Transition) -> int:
    """How much somebody is drawn to a move: to where the case has not been most, to the end least."""
    if transition.target is None:
        return 3
    if story.process.state(transition.target).final:
        return 1
    return 4 if transition.target in story.been else 16


def attempt(story: Story, chance: Random) -> tuple[Actor, Transition]:
    """Who tries what; mostly something that leads on, for a story that ends at once proves little."""
    for _ in range(4):
        actor = somebody(story, chance)
        transition = wished(story, actor, chance)
        if transition.target is not None and transition.target not in story.been:
            break
    return actor, transition


def pull(story: Story, chance: Random) -> None:
    """Somebody pulls a trigger, and tries again when the form was not filled in well."""
    story.now += timedelta(seconds=chance.randint(1, 5000))
    if any(clock.next_at and clock.next_at <= story.now for clock in story.case.clocks.values()):
        wait_for(story, chance)
    actor, transition = attempt(story, chance)
    for _ in range(3):
        payload = filled(transition.needs, chance, story.now.date()) if transition.needs else {}
        found = decided(story, transition, payload, actor)
        if isinstance(found, Outcome):
            note(story, found)
            return


def decided(story: Story, transition: Transition, payload: Mapping[str, Any], actor: Actor) -> Outcome | Refused:
    """Ask twice: the answers are the same, and the case that was asked about has not changed."""
    before, picture = story.case, deepcopy(story.case)
    asked: dict[str, Any] = {"payload": payload, "actor": actor, "context": story.context, "now": story.now}
    found = engine.decide(story.process, before, transition.trigger, **asked)
    assert before == picture, "deciding changed the case it was asked about"
    assert engine.decide(story.process, before, transition.trigger, **asked) == found, "two answers to one question"
    if isinstance(found, Refused):
        assert found.sentence.endswith("."), found
    else:
        allowed = [t for t in story.process.from_state[before.state] if t.trigger == transition.trigger]
        assert any(actor.roles & set(t.by) for t in allowed), "somebody did what their role may not"
    return found


def wait_for(story: Story, chance: Random) -> None:
    """Time passes: some minutes, some months, or exactly until the next rung; the sweep comes by once."""
    soonest = min((c.next_at for c in story.case.clocks.values() if c.next_at), default=None)
    jump = chance.choice([timedelta(minutes=7), timedelta(hours=5), timedelta(days=1), timedelta(days=8),
                          timedelta(days=35), timedelta(days=150)])  # fmt: skip
    to_next = soonest is not None and chance.random() < 0.5
    story.now = max(story.now, soonest) if to_next and soonest is not None else story.now + jump
    if story.now.year > 2090:
        return
    picture = deepcopy(story.case)
    found = engine.advance(story.process, story.case, context=story.context, now=story.now)
    assert story.case == picture, "sweeping changed the case it was asked about"
    if found is not None:
        note(story, found)
    assert to_next is False or found is not None, "a rung is due and nothing fires"
    late = [c.name for c in story.case.clocks.values() if c.next_at is not None and c.next_at <= story.now]
    assert not late, f"swept, and still due: {late}"


# --- the promises


def note(story: Story, outcome: Outcome) -> None:
    """Take what happened into the story, and ask every promise about it."""
    state = story.case.state
    for number, step in enumerate(outcome.steps):
        story.told.append(
            f"{step.at:%Y-%m-%d %H:%M} {step.actor.person} {step.kind} {step.trigger}: {step.source} -> {step.target}"
        )
        if step.kind != "opened":
            assert step.source == state, "the steps do not follow each other"
        state = step.target
        two_people(story, step)
        once(story, step)
        written(step, outcome)
        for message in step.messages:
            wanted(message, [later.target for later in outcome.steps[number:]])
        orders(story, step)
        if step.kind in ("opened", "transition") and step.actor is not SYSTEM:
            story.did.append((step.trigger, step.actor.person))
    assert outcome.after.state == state
    story.case = outcome.after
    story.been |= {step.target for step in outcome.steps}
    never_stuck(story, outcome)


def _line(step: Step) -> str:
    what = f"{step.kind} {step.trigger}: {step.source} -> {step.target}"
    return f"{step.at:%Y-%m-%d %H:%M} {step.actor.person} {what}"


def never_stuck(story: Story, outcome: Outcome) -> None:
    """Promise 1: an open case has an owner who can exist, and a clock that will do something."""
    case = story.case
    if story.final:
        assert case.clocks == {} and outcome.due_at is None and outcome.final
        assert case.data.get("outcome"), f"closed as {case.state} without saying how it ended"
        return
    assert outcome.owner_role in STAFF
    assert outcome.due_at is not None, f"nothing will ever happen again in {case.state}: {case.clocks}"
    assert set(case.clocks) - {"hold"} <= set(story.process.clocks_by_state[case.state])
    assert case.on_hold == ("hold" in case.clocks)
    if case.on_hold:
        assert [name for name, clock in case.clocks.items() if clock.next_at] == ["hold"]


def once(story: Story, step: Step) -> None:
    """Promise 2: nothing fires twice."""
    if step.occurrence is not None:
        assert step.occurrence not in story.occurrences, f"{step.occurrence} fired twice"
        story.occurrences.add(step.occurrence)
        assert datetime.fromisoformat(step.details["rung_at"]) <= step.at, "fired before its time"
    if step.kind in ("passed_over", "not_fired"):
        assert step.details["why"] and not step.messages and step.source == step.target


def two_people(story: Story, step: Step) -> None:
    """Promise 5: who asked did not decide, whichever way the trigger was taken."""
    if step.kind != "transition" or step.actor is SYSTEM or step.source is None:
        return
    ways = [
        set(t.four_eyes) for t in story.process.from_state[step.source]
        if t.trigger == step.trigger and (t.target or step.source) == step.target
    ]  # fmt: skip
    assert ways, f"{step.trigger} leads nowhere from {step.source}"
    for asked in set.intersection(*ways):
        people = {person for trigger, person in story.did if trigger == asked}
        assert not people & {step.actor.person, step.actor.on_behalf_of}, f"one person did {asked} and {step.trigger}"


def written(step: Step, outcome: Outcome) -> None:
    """Promise 6: what is written can be written, and personal data stay beside the event."""
    details, facts_kept = json.dumps(dict(step.details)), json.dumps(dict(outcome.after.data))
    json.dumps([dict(step.personal), dict(outcome.after.parties), dict(step.member_changes)])
    for words in _words(step.personal):
        assert words not in details, f"{words!r} is personal, and {step.trigger} wrote it on the event"
        assert words not in facts_kept, f"{words!r} is personal, and {step.trigger} kept it among the facts"


def _words(personal: Mapping[str, Any]) -> Iterator[str]:
    """What was typed into personal fields; of lists of forms a process may keep parts on purpose."""
    for value in personal.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and re.fullmatch(r"word \d{9} said", each):
                yield each


def wanted(message: Message, states: Sequence[str]) -> None:
    """Promise 4: no mail is asked for that nobody wants in the state the case is in then."""
    kind = catalogue.kind(message.kind)
    assert not kind.while_in or kind.while_in & set(states), f"{message.kind} is not wanted in any of {states}"
    audience, _, name = message.audience.partition(":")
    assert message.audience in AUDIENCES or audience in ("party", "contact") or name in set(Role), message.audience


def orders(story: Story, step: Step) -> None:
    """What a step orders can be done: tasks lie ahead, cases it opens can be opened, triggers it pulls exist."""
    for task in step.tasks:
        assert task.due >= story.now and task.role in STAFF and task.title
    children = [step.children] if step.children else []
    for wish in (*step.spawns, *children):
        process = process_named(wish.process)
        seed = replace(story.case, id=2, process=process.name, data={}, parties={}, clocks={}, counts={}, people={})
        found = engine.open_case(
            process, replace(seed, member_id=7), payload=wish.data, actor=SYSTEM, context=story.context, now=story.now
        )
        assert isinstance(found, Outcome), f"{step.trigger} opens a case that cannot be opened: {found}"
    known = {t.trigger for process in processes().values() for t in process.transitions}
    assert {order.trigger for order in step.fires} <= known


# --- the fire


def play(name: str, opening: int, moves: Sequence[int]) -> Story | None:
    process = processes()[name]
    chance = dice(opening)
    story = begun(process, chance)
    if story is None:
        return None
    try:
        for place, number in enumerate(moves):
            chance = dice(number, place)
            if chance.random() < 0.15:
                story.context = replace(story.context, facts=facts(process, chance))
            (wait_for if chance.random() < 0.35 else pull)(story, chance)
    except BaseException as broken:
        broken.add_note("\n".join(story.told))
        raise
    return story


NUMBERS = st.integers(0, 2**48)


@pytest.mark.parametrize("name", list(processes()))
@STORIES
@given(opening=NUMBERS, moves=st.lists(NUMBERS, min_size=10, max_size=25))
def test_whatever_people_do_and_however_time_passes_the_promises_hold(
    name: str, opening: int, moves: list[int]
) -> None:
    play(name, opening, moves)


@pytest.mark.parametrize("name", list(processes()))
def test_the_fire_reaches_nearly_every_state(name: str) -> None:
    """Stories that never leave the first state would prove nothing."""
    process, seen, openings = processes()[name], set(), 0
    for number in range(150):
        chance = dice(number)
        with suppress(AssertionError):  # a broken promise is told by the test above
            story = play(name, number, [chance.randrange(2**48) for _ in range(25)])
            openings += story is not None
            seen |= story.been if story is not None else set()
    assert openings >= 60, "most forms of an opening are refused"
    assert len(seen) >= 0.75 * len(process.states), f"never reached: {sorted(set(process.by_name) - seen)}"


@pytest.mark.parametrize(
    "model", sorted({t.needs for p in processes().values() for t in p.transitions if t.needs}, key=lambda m: str(m)),
    ids=lambda model: f"{model.__module__.rsplit('.', 1)[1]}.{model.__name__}",
)  # fmt: skip
def test_a_form_filled_in_at_random_is_often_right(model: type[BaseModel]) -> None:
    good = 0
    for number in range(60):
        try:
            model.model_validate(filled(model, dice(number), NOW.date()))
        except ValidationError:
            continue
        good += 1
    assert good >= 10, f"only {good} of 60"

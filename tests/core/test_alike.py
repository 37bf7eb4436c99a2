"""One decision serves all cases that are alike: it says what deciding about each of them says, in every process.

Whatever a decision looks at of the one case, its id or its member's facts, it is not made for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state_machines.alike import advanced_alike
from state_machines.draft import Draft
from state_machines.engine import advance, open_case, same_for
from state_machines.process import Process
from state_machines.registry import process_named, processes
from state_machines.values import SYSTEM, Case, Context, Outcome
from tests.core.builders import NOW, calendar, context, policy
from tests.core.test_processes_under_fire import IN_CI, NUMBERS, Story, dice, facts, play

FEW = settings(max_examples=12, deadline=None, derandomize=IN_CI)
LATER = (timedelta(0), timedelta(hours=5), timedelta(days=1), timedelta(days=30))


def another(case: Case) -> Case:
    """Another case that is as this one, but for what is its own."""
    member = None if case.member_id is None else case.member_id + 1
    return replace(
        case, id=case.id + 1_000, ref=f"{case.ref}-9", version=case.version + 3, member_id=member, subject="B"
    )


def soonest(story: Story) -> datetime | None:
    return min((clock.next_at for clock in story.case.clocks.values() if clock.next_at), default=None)


@pytest.mark.parametrize("name", list(processes()))
@FEW
@given(opening=NUMBERS, moves=st.lists(NUMBERS, max_size=10), number=NUMBERS)
def test_what_is_decided_for_all_is_what_is_decided_about_each(
    name: str, opening: int, moves: list[int], number: int
) -> None:
    story = play(name, opening, moves)
    at = soonest(story) if story is not None else None
    if story is None or at is None:
        return
    now = max(story.now, at) + LATER[number % len(LATER)]
    shared = advanced_alike(story.process, story.case, context=Context(policy(), calendar()), now=now)
    if shared is None:
        return
    for place, case in enumerate((story.case, another(story.case))):
        about_it = Context(policy(), calendar(), facts(story.process, dice(number, place)))
        assert same_for(case, shared) == advance(story.process, case, context=about_it, now=now)


ASKED = {
    "launch": "2026-03-02", "deadline": "2026-04-17", "questionnaire": "pulse", "questionnaire_version": 1,
    "campaign_title": "Pulse 2026", "ladder": "standard",
}  # fmt: skip


def asked_to_answer() -> Case:
    """A survey response whose first rung is a reminder."""
    seed = Case(1, "SR-2026-000001", "survey_response", "invited", 0, NOW, NOW, NOW, 7, "Pulse 2026", "North", None, 90)
    found = open_case(
        process_named("survey_response"), seed, payload=ASKED, actor=SYSTEM, context=context(), now=NOW
    )  # fmt: skip
    assert isinstance(found, Outcome)
    return found.after


def due_to(case: Case) -> datetime:
    return min(clock.next_at for clock in case.clocks.values() if clock.next_at is not None)


def test_a_reminder_is_decided_for_all_at_once() -> None:
    case = asked_to_answer()
    shared = advanced_alike(process_named("survey_response"), case, context=context(), now=due_to(case))
    assert shared is not None
    assert [step.trigger for step in shared.steps] == ["first_reminder"]


LOOKS: list[Callable[[Draft], object]] = [
    lambda draft: draft.case.id == 1,
    lambda draft: f"{draft.case.ref}",
    lambda draft: str(draft.case.id),
    lambda draft: {draft.case.member_id},
    lambda draft: draft.case.version > 3,
    lambda draft: draft.fact("member"),
    lambda draft: draft.context.facts["member"],
    lambda draft: list(draft.context.facts),
    lambda draft: draft.set(whose=[draft.case.member_id]),
    lambda draft: draft.send("survey_reminder", "member", about=draft.case.ref),
]


@pytest.mark.parametrize("look", LOOKS)
def test_what_looks_at_the_one_case_is_decided_about_each(look: Callable[[Draft], object]) -> None:
    case, real = asked_to_answer(), process_named("survey_response")
    assert advanced_alike(_with(real, look), case, context=context(), now=due_to(case)) is None


def test_a_look_that_is_taken_for_something_else_counts_as_one() -> None:
    def looks_and_goes_on(draft: Draft) -> None:
        try:
            draft.set(even=draft.case.id % 2)
        except Exception:
            draft.set(even=0)

    case, real = asked_to_answer(), process_named("survey_response")
    assert advanced_alike(_with(real, looks_and_goes_on), case, context=context(), now=due_to(case)) is None


def _with(process: Process, effect: Callable[[Draft], object]) -> Process:
    """The process with one more effect of its first reminder."""

    def does(draft: Draft) -> None:
        effect(draft)

    transitions = [
        replace(t, does=(*t.does, does)) if t.trigger == "first_reminder" else t for t in process.transitions
    ]
    return replace(process, transitions=transitions)


def test_nothing_is_due_to_cases_of_which_nothing_is_due_to_one() -> None:
    case = asked_to_answer()
    assert advanced_alike(process_named("survey_response"), case, context=context(), now=NOW) is None

"""What becomes of a rung that is found late: it fires, is dropped, is spread out, or waits for a person."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from state_machines.catching_up import may_be_passed_over
from state_machines.clockwork import recalculated
from state_machines.engine import advance, open_case
from state_machines.escalation import escalations
from state_machines.ladders import BadLadder, CatchUp, parse_late
from state_machines.not_now import not_now
from state_machines.policy import BreakerPolicy, Policy
from state_machines.process import Clock, Process, State, Transition
from state_machines.proof import prove
from state_machines.registry import processes
from state_machines.values import SYSTEM, Case, Context, Outcome, Refused, Role
from tests.core import builders
from tests.core.builders import NOW, at

ERRAND = Process(
    "errand", 1, "ER", "Errand", "asked",
    [State("asked", clocks=(Clock("ask", "asking"), Clock("end", "ending", expires="run_out"))),
     State("over", final=True)],
    [Transition("run_out", "asked", "over", by={Role.SYSTEM}),
     Transition("finish", "asked", "over", by={Role.COORDINATOR}), *escalations()],
    opened_by={Role.COORDINATOR},
)  # fmt: skip
DAYS = {"ask": "WD(5)", "end": "WD(20)"}


def rules(late: Any = None, end: Any = None, clocks_late: Any = None) -> Policy:
    """Return a policy in which the first rung of an errand is caught up so, and its end so; both clocks besides."""
    first = {"rung": "soon", "at": "due-1wd 09:00", "fires": "due_soon"} | ({"late": late} if late else {})
    last = {"rung": "end", "at": "due", "fires": "$expires"} | ({"late": end} if end else {})
    weekly = {"rung": "weekly", "at": "due+5wd 09:00", "fires": "still_overdue", "every": "5wd"}
    clocks = {name: {"allow": allow, "late": clocks_late} for name, allow in DAYS.items()}
    return Policy.model_validate({"version": "t", "processes": {"errand": {
        "clocks": clocks, "ladders": {"asking": [first, weekly], "ending": [last]}}}})  # fmt: skip


def context(policy: Policy) -> Context:
    """Return what a decision looks at under this policy."""
    return Context(policy, builders.calendar(), {})


def opened(policy: Policy, number: int = 1) -> Case:
    """Return an errand asked for on Monday; its first rung lies on the Friday after, at nine."""
    seed = Case(number, f"ER-{number}", "errand", "asked", 0, NOW, NOW, NOW)
    found = open_case(ERRAND, seed, payload=None, actor=builders.staff(), context=context(policy), now=NOW)
    assert isinstance(found, Outcome)
    return found.after


SOON = at("2026-03-06 09:00")
LATE = SOON + timedelta(hours=5)
"""An hour later than what the policy calls late."""


def kinds(outcome: Outcome | Refused | None) -> list[str]:
    """Return what became of each rung."""
    assert isinstance(outcome, Outcome)
    return [step.kind for step in outcome.steps]


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("fire", (False, CatchUp())), ("skip", (True, CatchUp())), ("ask", (False, CatchUp(ask=True))),
        ("skip 3wd", (True, CatchUp(skip_after=(3, "wd")))), ("spread 4h", (False, CatchUp(spread_hours=4))),
        (["skip", "spread 8h"], (True, CatchUp(spread_hours=8))),
        (["skip 2d", "ask"], (True, CatchUp((2, "d"), ask=True))),
    ],
)  # fmt: skip
def test_late_is_read_as_a_word_or_as_a_list(given: Any, means: Any) -> None:
    assert parse_late(given) == means


@pytest.mark.parametrize("given", ["never", "spread", "spread 2d", "fire 2d", "ask 1h", ["ask", "spread 2h"]])
def test_what_cannot_be_meant_is_refused_in_a_sentence(given: Any) -> None:
    with pytest.raises(BadLadder, match="late is"):
        parse_late(given)


def test_without_a_word_a_late_rung_fires_once_as_soon_as_it_is_found() -> None:
    policy = rules()
    assert kinds(advance(ERRAND, opened(policy), context=context(policy), now=LATE)) == ["transition"]


def test_a_rung_that_is_dropped_after_a_day_fires_within_it_and_not_later() -> None:
    policy = rules("skip 1d")
    case, around = opened(policy), context(policy)
    assert kinds(advance(ERRAND, case, context=around, now=SOON + timedelta(days=1))) == ["transition"]
    late = advance(ERRAND, case, context=around, now=SOON + timedelta(days=1, minutes=1))
    assert kinds(late) == ["passed_over"]
    assert late is not None and late.steps[0].details["why"] == "it was found too late to be of use"
    assert late.steps[0].occurrence, "it does not come back"


def test_a_late_rung_is_spread_each_case_at_an_instant_of_its_own_the_same_one_whoever_asks() -> None:
    policy = rules("spread 6h")
    around = context(policy)
    instants = []
    for number in range(1, 201):
        found = advance(ERRAND, opened(policy, number), context=around, now=LATE)
        assert kinds(found) == ["put_off"] and found is not None and found.steps[0].occurrence is None
        assert advance(ERRAND, opened(policy, number), context=around, now=LATE) == found
        assert advance(ERRAND, found.after, context=around, now=LATE) is None, "it waits"
        assert recalculated(ERRAND, found.after, around) is None, "the night leaves it where it is"
        instants.append(found.due_at)
    hours = Counter((instant - LATE) // timedelta(hours=1) for instant in instants if instant)
    assert set(hours) == set(range(6)) and min(hours.values()) >= 30, hours


def test_what_was_spread_fires_at_its_instant_once_and_under_the_key_it_always_had() -> None:
    policy = rules("spread 6h")
    around, case = context(policy), opened(policy, 7)
    waits = advance(ERRAND, case, context=around, now=LATE)
    assert waits is not None and waits.due_at is not None
    fired = advance(ERRAND, waits.after, context=around, now=waits.due_at)
    in_time = advance(ERRAND, case, context=around, now=SOON)
    assert fired is not None and in_time is not None and kinds(fired) == ["transition"]
    assert fired.steps[0].occurrence == in_time.steps[0].occurrence
    assert fired.after.clocks["ask"].put_off == ()


def test_in_time_nothing_is_spread_or_dropped() -> None:
    policy = rules(["skip 1d", "spread 6h"])
    now = SOON + timedelta(hours=3, minutes=59)
    assert kinds(advance(ERRAND, opened(policy), context=context(policy), now=now)) == ["transition"]


def test_a_clock_says_it_for_those_of_its_rungs_that_say_nothing_and_never_for_what_moves_the_case_on() -> None:
    policy, own = rules(clocks_late="skip 1d"), rules("fire", clocks_late="skip 1d")
    now = SOON + timedelta(days=2)
    assert kinds(advance(ERRAND, opened(policy), context=context(policy), now=now)) == ["passed_over"]
    assert kinds(advance(ERRAND, opened(own), context=context(own), now=now)) == ["transition"]
    found = advance(ERRAND, opened(policy), context=context(policy), now=NOW + timedelta(days=90))
    assert found is not None and found.after.state == "over", "a deadline that was missed is a deadline"


def test_a_plain_skip_on_a_clock_is_refused_since_it_says_nothing() -> None:
    policy = Policy.model_validate({"version": "t", "processes": {"errand": {"clocks": {"ask": {"late": "skip"}}}}})
    with pytest.raises(BadLadder, match="after how long"):
        policy.check()


@pytest.mark.parametrize(("late", "words"), [("skip 3d", "dropped when it is late"), ("spread 4h", "delayed when")])
def test_the_proof_refuses_to_drop_or_delay_what_moves_a_case_on(late: str, words: str) -> None:
    found = [str(each) for each in prove(ERRAND, rules(end=late)) if "late" in str(each)]
    assert len(found) == 1 and words in found[0] and "asked / end / end" in found[0]
    assert not [each for each in prove(ERRAND, rules(late)) if "late" in str(each)]
    assert not [each for each in prove(ERRAND, rules(end="ask")) if "late" in str(each)], "one may always ask"


def test_what_somebody_does_not_want_now_is_passed_over_where_it_only_tells() -> None:
    policy = rules()
    mina = builders.staff(Role.MANAGER)
    found = not_now(ERRAND, opened(policy), until=None, why="No", actor=mina, context=context(policy), now=LATE)
    assert kinds(found) == ["passed_over"] and isinstance(found, Outcome)
    assert (found.steps[0].actor, found.steps[0].details["why"]) == (mina, "No")
    assert found.due_at is not None and found.due_at > LATE


def test_what_moves_the_case_on_waits_until_a_day_or_the_refusal_says_so() -> None:
    policy = rules()
    case, around, now = opened(policy), context(policy), NOW + timedelta(days=60)
    refused = not_now(ERRAND, case, until=None, why="No", actor=SYSTEM, context=around, now=now)
    assert isinstance(refused, Refused) and "moves the case on" in refused.sentence
    until = now + timedelta(days=3)
    found = not_now(ERRAND, case, until=until, why="No", actor=SYSTEM, context=around, now=now)
    assert isinstance(found, Outcome) and kinds(found).count("put_off") == 1
    assert found.after.state == "asked" and found.after.clocks["end"].next_at == until
    assert found.after.clocks["end"].due == case.clocks["end"].due, "the deadline stays what it was"
    gone = advance(ERRAND, found.after, context=around, now=until)
    assert gone is not None and gone.after.state == "over"


def test_where_nothing_is_due_there_is_nothing_to_leave_out() -> None:
    policy = rules()
    assert not_now(ERRAND, opened(policy), until=None, why="", actor=SYSTEM, context=context(policy), now=NOW) is None


def test_in_our_own_processes_no_move_out_of_a_state_can_be_left_out() -> None:
    for process in processes().values():
        for state, transitions in process.from_state.items():
            for each in transitions:
                if Role.SYSTEM in each.by and not each.internal:
                    assert not may_be_passed_over(process, state, each.trigger), (process.name, state, each.trigger)


def test_limits_are_those_of_the_process_or_of_all_and_a_share_only_raises_the_number() -> None:
    own = {"complaint": {"late": 2}, "monitoring": {"on_time": 7}}
    found = BreakerPolicy.model_validate({"late": 10, "on_time": 100, "on_time_percent": 50, "processes": own})
    assert (found.late_limit("complaint"), found.late_limit("monitoring")) == (2, 10)
    assert (found.on_time_limit("complaint", 1000), found.on_time_limit("complaint", 20)) == (500, 100)
    assert found.on_time_limit("monitoring", 10_000) == 7

"""The road out: from anywhere, in one step or in none, and never an offer inside the cooling-off time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from state_machines import engine
from state_machines.process import Transition
from state_machines.processes.cancellation import PRE_END, PROCESS
from state_machines.values import SYSTEM, Actor, Case, Outcome, Role
from tests.core.builders import at, context, fire, member, opened, opening, policy, staff, wait
from tests.core.test_cancellation import FREEZE, MONDAY, YES, ask, bank, offered

OUT = {"notice_running", "cooled_off"}
RETENTION = {"cancellation_offer", "cancellation_offer_confirmed", "cancellation_hardship"}


def targets(state: str, trigger: str, role: Role) -> list[Transition]:
    return [t for t in PROCESS.from_state[state] if t.trigger == trigger and role in t.by and t.target]


def leads_out(state: str) -> bool:
    """Whether automatic moves, whose last is never refused, take a case from here to the end."""
    if state in OUT:
        return True
    auto = PROCESS.state(state).auto
    return bool(auto) and any(leads_out(str(t.target)) for t in targets(state, auto[-1], Role.SYSTEM))


@pytest.mark.parametrize("state", [*PRE_END, "intent"])
@pytest.mark.parametrize("role", [Role.MEMBER, Role.COORDINATOR, Role.SITE])
def test_from_every_state_before_the_end_one_step_leads_out(state: str, role: Role) -> None:
    moves = targets(state, "end_now_without_offers", role)
    assert moves
    assert all(leads_out(str(t.target)) for t in moves)
    assert not any(t.four_eyes or t.checks for t in moves)
    unguarded = [t for t in moves if not t.only_if]
    assert unguarded, "one of them asks for nothing"
    assert all(t.needs is None or not t.needs.model_json_schema().get("required") for t in moves)


@pytest.mark.parametrize("state", PRE_END)
def test_from_every_state_before_the_end_time_alone_leads_out(state: str) -> None:
    clocks = [clock for clock in PROCESS.state(state).clocks if clock.expires == "time_is_up" and not clock.paused]
    assert clocks
    for clock in clocks:
        ladder = policy().ladder("cancellation", clock.ladder)
        assert "time_is_up" in ladder.triggers(clock.expires)
    assert all(leads_out(str(t.target)) for t in targets(state, "time_is_up", Role.SYSTEM))


@pytest.mark.parametrize("who", [member(), staff(), staff(Role.SITE)])
@pytest.mark.parametrize("case", [ask(), offered(), ask(hardship=True), ask(identity_doubtful=True), bank()])
def test_the_exit_takes_one_step_and_no_talk(case: Case, who: Actor) -> None:
    assert fire(PROCESS, case, "end_now_without_offers", actor=who).after.state == "notice_running"


def test_the_steps_of_the_member_are_counted() -> None:
    case = fire(PROCESS, ask(member(), channel="web"), "end_now_without_offers", actor=member()).after
    assert (case.data["exit_steps"], case.data["exit_unaided"]) == (2, True)
    assert ask(member(), channel="web", wants_no_offers=True).data["exit_steps"] == 1
    assert ask(wants_no_offers=True).data["exit_unaided"] is False


@pytest.mark.parametrize("channel", ["web", "email", "phone", "letter", "site", "executor"])
@pytest.mark.parametrize(
    "more", [{}, {"identity_doubtful": True}, {"hardship": True}], ids=["plain", "doubt", "hardship"]
)
def test_when_nobody_acts_the_notice_leaves_in_time_and_the_membership_ends(channel: str, more: dict[str, Any]) -> None:
    case = opened(PROCESS, {"channel": channel, **more}, now=MONDAY)
    due = case.clocks["end_notice"].due if "end_notice" in case.clocks else MONDAY
    case, _ = wait(PROCESS, case, at("2026-12-31"), context())
    assert case.state == "cancelled"
    assert datetime.fromisoformat(case.data["end_notice_sent_at"]) <= due
    assert case.data["notice_given_on"] == "2026-06-08"


def test_a_statement_that_comes_to_light_late_is_not_talked_about_any_more() -> None:
    case = ask(stated_at="2026-05-20T09:00:00+01:00")
    found = engine.advance(PROCESS, case, context=context(), now=MONDAY + timedelta(minutes=1))
    assert found is not None
    assert found.after.state == "notice_running"


FORMS: dict[str, dict[str, Any]] = {
    "make_offer": FREEZE,
    "accept_offer": {**YES, "evidence": "call 12"},
    "revoke": {**YES, "evidence": "call 12"},
    "confirm_identity": {"how": "called back"},
    "reject_identity": {"how": "called back"},
    "offer_help": {"help": "freeze_without_fee", "terms": "A free freeze."},
    "record_evidence": {"early_exit_reason": "redundancy", "seen": "letter"},
    "confirm_refund": {"amount": "0"},
    "settle": {"balance": "0", "refunded": "100"},
    "reinstate": {"membership": "M-9"},
}
TRIGGERS = sorted({t.trigger for t in PROCESS.transitions})
PEOPLE = (member(), staff(), staff(Role.MANAGER), staff(Role.SITE), staff(Role.FINANCE), SYSTEM)
steps = some.lists(
    some.tuples(some.sampled_from(TRIGGERS), some.sampled_from(PEOPLE), some.integers(0, 5 * 24)), max_size=12
)
openings = some.fixed_dictionaries(
    {"channel": some.sampled_from(["web", "email", "phone", "letter", "site", "executor"])},
    optional={
        "identity_doubtful": some.booleans(),
        "hardship": some.booleans(),
        "deceased": some.booleans(),
        "wants_no_offers": some.booleans(),
        "reasons": some.lists(some.sampled_from(["lack_of_time", "cost", "money_trouble"]), max_size=2),
    },
)


def typed(trigger: str, actor: Actor) -> dict[str, Any] | None:
    """What this person would type with a trigger."""
    if actor is SYSTEM:
        return None
    if actor.role is Role.MEMBER:
        return YES if trigger in ("accept_offer", "revoke") else {}
    return FORMS.get(trigger, {})


def walk(form: dict[str, Any], path: list[tuple[str, Actor, int]]) -> list[Outcome]:
    """Pull triggers as they come, with the time between them, and return what happened."""
    found = opening(PROCESS, form, now=MONDAY, member_id=7)
    assert isinstance(found, Outcome)
    happened, now = [found], MONDAY
    for trigger, actor, hours in path:
        now += timedelta(hours=hours)
        passed = engine.advance(PROCESS, happened[-1].after, context=context(), now=now)
        case = passed.after if passed else happened[-1].after
        payload = typed(trigger, actor)
        done = engine.decide(PROCESS, case, trigger, payload=payload, actor=actor, context=context(), now=now)
        happened += [outcome for outcome in (passed, done) if isinstance(outcome, Outcome)]
    return happened


@settings(max_examples=150, deadline=None)
@given(openings, steps)
def test_inside_the_cooling_off_time_nobody_is_ever_shown_an_offer(
    form: dict[str, Any], path: list[tuple[str, Actor, int]]
) -> None:
    for found in walk({**form, "contract_start": "2026-06-01"}, path):
        assert found.after.state not in ("contact_offered", "offer_made", "hardship", "offer_accepted")
        assert not found.after.data.get("offers")
        for step in found.steps:
            assert not {message.kind for message in step.messages} & RETENTION
            assert "contact_member" not in {task.kind for task in step.tasks}


@settings(max_examples=150, deadline=None)
@given(openings, steps)
def test_whatever_happens_the_date_of_the_notice_stays_and_the_case_can_move_on(
    form: dict[str, Any], path: list[tuple[str, Actor, int]]
) -> None:
    happened = walk(form, path)
    assert {found.after.data["notice_given_at"] for found in happened} == {MONDAY.isoformat()}
    for found in happened:
        assert found.final or found.due_at is not None
        assert len([o for o in found.after.data.get("offers", []) if not o.get("hardship")]) <= 2


@settings(max_examples=100, deadline=None)
@given(openings, steps)
def test_whatever_happened_time_alone_brings_every_case_to_its_end(
    form: dict[str, Any], path: list[tuple[str, Actor, int]]
) -> None:
    last = walk(form, path)[-1].after
    after, _ = wait(PROCESS, last, last.entered_at + timedelta(days=200), context())
    assert PROCESS.state(after.state).final or after.state == "cooled_off"

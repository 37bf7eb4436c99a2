"""The ladder of a response, day by day, and what must hold whatever happens in between."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.kinds.reaching import KINDS as REACHING
from notifications.kinds.survey_response import KINDS
from state_machines import clockwork, engine
from state_machines.calendars import Calendar
from state_machines.processes.survey_response import PROCESS, RESPOND
from state_machines.processes.survey_rules import ASKED
from state_machines.values import Actor, Case, Outcome, Refused, Role, Step
from tests.core.builders import (
    LONDON,
    at,
    calendar,
    context,
    fire,
    member,
    messages,
    opened,
    policy,
    refused,
    staff,
    system,
    tasks,
    wait,
)
from tests.core.test_survey_response import ANSWER, FLAG, INVITATION, MERGED, QUERY, REFUSAL

MANAGER = staff(Role.MANAGER)
LADDER = [
    ("first_reminder", "2026-03-10", "survey_reminder_unopened", "member"),
    ("second_contact", "2026-03-17", "reach_handed_on", "member"),
    ("second_reminder", "2026-03-24", "survey_reminder_second", "member"),
    ("third_contact", "2026-03-31", "reach_handed_on", "member"),
    ("week_left", "2026-04-10", "survey_week_left", "member"),
    ("three_days_left", "2026-04-14", "survey_three_days_left", "member"),
    ("one_day_left", "2026-04-16", "survey_one_day_left", "member"),
    ("last_day", "2026-04-17", "survey_last_day", "member"),
    ("overdue", "2026-04-18", "survey_overdue", "member"),
    ("overdue_contact", "2026-04-21", "reach_handed_on", "member"),
    ("phone_1", "2026-04-22", "survey_phone_due", "owner"),
    ("phone_2", "2026-04-27", "survey_phone_due", "owner"),
    ("letter", "2026-05-01", "survey_letter", "signatory"),
    ("notice_ahead", "2026-05-14", "survey_notice_ahead", "manager"),
    ("formal_notice", "2026-05-18", "survey_formal_notice", "signatory"),
    ("decision", "2026-06-02", "survey_decision_wanted", "manager"),
]


def invited(**seed: Any) -> Case:
    return opened(PROCESS, INVITATION, actor=system(), now=at("2026-03-03"), member_id=7, **seed)


def four_contacts() -> list[dict[str, Any]]:
    return [{"id": n, "role": "other", "usable": True, "domain": "wool.example"} for n in (1, 2, 3, 4)]


def test_every_rung_lies_on_its_day_at_nine() -> None:
    case = invited()
    rungs = clockwork.rungs(PROCESS, RESPOND, case.clocks["respond"], context())

    assert [(found.rung.name, found.at) for found in rungs] == [(name, at(day)) for name, day, *_ in LADDER]


def test_a_whole_ladder_passes_and_each_rung_fires_once() -> None:
    case, steps = invited(), []
    people = context(contact_list=four_contacts())
    day = datetime(2026, 3, 3, 10, tzinfo=LONDON)
    while day.date() < date(2026, 6, 2) or case.state != "decision":
        found = engine.advance(PROCESS, case, context=people, now=day)
        if found is not None:
            case = found.after
            steps += found.steps
        day += timedelta(days=1)

    assert [(step.details["rung"], step.at.date().isoformat()) for step in steps] == [row[:2] for row in LADDER]
    assert [step.kind for step in steps] == ["transition"] * len(LADDER)
    assert [step.messages[0].kind for step in steps] == [kind for _, _, kind, _ in LADDER]
    assert [step.messages[0].audience for step in steps] == [audience for *_, audience in LADDER]
    assert len({step.occurrence for step in steps}) == len(LADDER)


def test_who_has_not_opened_the_form_is_looked_for_at_another_contact() -> None:
    _, steps = wait(PROCESS, invited(), at("2026-03-10"), context())

    assert messages(steps) == [
        ("survey_reminder_unopened", "member"),
        ("survey_reminder_unopened", "next_contact"),
    ]


def test_the_calls_name_their_attempt_and_are_due_in_two_working_days() -> None:
    _, steps = wait(PROCESS, invited(), at("2026-04-27"), context(member={"name": "Wool Ltd"}))
    calls = [task for step in steps for task in step.tasks]

    assert [(task.data["attempt"], task.due) for task in calls] == [
        (1, at("2026-04-24 23:59")), (2, at("2026-04-29 23:59")),
    ]  # fmt: skip
    assert calls[0].title == "Ring Wool Ltd: the survey is overdue"


def test_the_formal_notice_goes_to_the_senior_contact_and_the_manager_hears_of_it() -> None:
    case, steps = wait(PROCESS, invited(), at("2026-05-18"), context())

    assert messages(steps)[-2:] == [("survey_formal_notice", "signatory"), ("survey_notice_sent", "manager")]
    assert (case.state, case.data["comply_by"]) == ("formal_notice", "2026-06-02")


def test_a_notice_that_is_withheld_does_not_go_and_the_manager_decides() -> None:
    warned, _ = wait(PROCESS, invited(), at("2026-05-15"), context())
    withheld = fire(PROCESS, warned, "withhold", actor=MANAGER, reason="They are moving house.").after
    case, steps = wait(PROCESS, withheld, at("2026-06-02"), context())

    assert messages(steps) == [("survey_decision_wanted", "manager")]
    assert case.state == "decision"


def test_a_withheld_notice_can_be_sent_by_hand_and_leaves_ten_working_days() -> None:
    warned, _ = wait(PROCESS, invited(), at("2026-05-15"), context())
    withheld = fire(PROCESS, warned, "withhold", actor=MANAGER, reason="They are moving house.").after
    noticed = fire(PROCESS, withheld, "formal_notice", actor=MANAGER, now=at("2026-05-26")).after
    before, quiet = wait(PROCESS, noticed, at("2026-06-08"), context())
    case, _ = wait(PROCESS, before, at("2026-06-10"), context())

    assert noticed.data["comply_by"] == "2026-06-09"
    assert messages(quiet) == []
    assert case.state == "decision"


def test_a_sweep_that_was_away_for_a_month_writes_one_reminder() -> None:
    found = engine.advance(PROCESS, invited(), context=context(), now=at("2026-04-12 10:00"))

    assert found is not None
    assert messages(found) == [("survey_week_left", "member")]
    assert Counter(step.kind for step in found.steps) == {"passed_over": 4, "transition": 1}


def test_a_member_invited_late_is_not_written_to_twice_on_a_day() -> None:
    late = INVITATION | {"launch": "2026-04-15"}
    case = opened(PROCESS, late, actor=system(), now=at("2026-04-15 11:00"))
    swept = engine.advance(PROCESS, case, context=context(), now=at("2026-04-15 11:05"))
    assert swept is not None
    _, steps = wait(PROCESS, swept.after, at("2026-04-17"), context())

    assert messages(swept) == []
    assert messages(steps) == [("survey_one_day_left", "member"), ("survey_last_day", "member")]


def test_a_proclaimed_holiday_moves_the_call() -> None:
    proclaimed = context()
    moved = type(proclaimed)(policy(), Calendar("EW", extra_holidays=frozenset({date(2026, 4, 21)})), {})
    rungs = clockwork.rungs(PROCESS, RESPOND, invited().clocks["respond"], moved)

    assert next(found.at for found in rungs if found.rung.name == "phone_1") == at("2026-04-23")


def test_the_formal_notice_is_only_withheld_by_a_manager() -> None:
    assert refused(PROCESS, invited(), "withhold", actor=staff(), reason="Please not.").rule == "role"


# --- whatever happens

MOVES: list[tuple[str, Actor, dict[str, Any]]] = [
    ("view", member(), {}),
    ("save", member(), {"revision": 1}),
    ("submit", member(), ANSWER | {"flags": [FLAG]}),
    ("submit", member(), ANSWER),
    ("bounce", system(), {"status": "5.1.1"}),
    ("contact_repaired", staff(), {}),
    ("contact_repaired", staff(), {"until": "2026-08-03"}),
    ("nudge", staff(), {}),
    ("log_call", staff(), {"outcome": "reached"}),
    ("query", staff(), QUERY),
    ("complete", staff(), {}),
    ("impute", staff(), {"revision": 2, "questions": ["q"], "reason": "On the phone.", "flags": []}),
    ("second_check", staff(n=2), {"agreed": True}),
    ("accept_with_caveat", MANAGER, {"reason": "Enough.", "excluded": ["q"]}),
    ("request_exemption", member(), MERGED),
    ("approve_exemption", MANAGER, {"reason": "It is so."}),
    ("decline_exemption", MANAGER, {"reason": "It is not so."}),
    ("extend", MANAGER, {"until": "2026-07-15", "reason": "A fire."}),
    ("deadline_moved", system(), {"until": "2026-06-12", "reason": "Holidays."}),
    ("withhold", MANAGER, {"reason": "Not now."}),
    ("formal_notice", MANAGER, {}),
    ("fail", MANAGER, {"reason": "No answer."}),
    ("not_me", member(), {"contact": 1}),
    ("not_me", member(), {"contact": 2, "email": "zoe@wool.example"}),
    ("contact_lost", system(), {"contact": 3}),
    ("choose_contact", staff(), {"contact": 1}),
    ("log_call", staff(), {"outcome": "voicemail"}),
    ("log_letter", staff(), {"posted_on": "2026-03-03", "address": "1 Mill Lane, Leeds"}),
    ("propose_unreachable", staff(), {"reason": "Nobody there."}),
    ("confirm_unreachable", MANAGER, {"reason": "It is so."}),
    ("decline_unreachable", MANAGER, {"reason": "Try the new address."}),
    ("left_out", system(), {"cause": "duplicate", "note": "Twice in the register."}),
    ("taken_back", system(), {"reason": "A mistake."}),
    ("refuse", member(), REFUSAL),
]
WANTED_IN = {kind.kind: kind.while_in for kind in (*KINDS, *REACHING)}
ASKING_FOR_AN_ANSWER = {row[2] for row in LADDER} - {"reach_handed_on"} | {"survey_nudge", "survey_invitation"}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 23), st.sampled_from(MOVES)), max_size=25))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_the_case_has_a_clock_and_no_reminder_follows_an_answer(
    moves: list[tuple[int, int, tuple[str, Actor, dict[str, Any]]]],
) -> None:
    case, now, around = invited(), at("2026-03-03"), context(contact_list=four_contacts())
    steps: list[Step] = []
    for days, hours, (trigger, actor, payload) in moves:
        now += timedelta(days=days, hours=hours)
        if trigger == "log_call" and days % 2:
            payload = {"outcome": "promised", "promised_on": (now + timedelta(days=days)).date().isoformat()}
        swept = engine.advance(PROCESS, case, context=around, now=now)
        if swept is not None:
            steps += swept.steps
            case = swept.after
        typed = None if not payload and Role.SYSTEM in actor.roles else payload
        found = engine.decide(PROCESS, case, trigger, payload=typed, actor=actor, context=around, now=now)
        if isinstance(found, Outcome):
            steps += found.steps
            case = found.after
        assert_a_clock_runs(case, found, now)
    assert_sound(steps)


def assert_a_clock_runs(case: Case, found: Outcome | Refused, now: datetime) -> None:
    if PROCESS.state(case.state).final:
        assert not case.clocks
        return
    assert [c for c in case.clocks.values() if c.next_at is not None], (case.state, case.clocks, now)


def assert_sound(steps: list[Step]) -> None:
    """No mail where it is not wanted, no reminder after an answer; nobody failed and no rung fired twice."""
    answered = False
    for step in steps:
        answered = answered or step.trigger == "submit"
        assert not (answered and {message.kind for message in step.messages} & ASKING_FOR_AN_ANSWER)
        for message in step.messages:
            wanted = WANTED_IN.get(message.kind, frozenset())
            assert not wanted or step.target in wanted, (step.trigger, step.source, step.target, message.kind)
            if message.kind in ASKING_FOR_AN_ANSWER and message.audience == "member":
                assert step.target in (*ASKED, "escalated")
    keys = [step.occurrence for step in steps if step.occurrence]
    assert len(keys) == len(set(keys))
    assert sum(len(step.spawns) for step in steps) <= 1


def test_the_tasks_of_a_ladder_are_two_calls() -> None:
    _, steps = wait(PROCESS, invited(), at("2026-06-30"), context())

    assert tasks(steps) == ["phone", "phone"]
    assert calendar().is_working(date(2026, 6, 2))

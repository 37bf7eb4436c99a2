"""A survey campaign: every row of its table taken once and refused once, the launch, and when it is 100 %."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.kinds.survey_campaign import KINDS
from state_machines import engine
from state_machines.processes.survey_campaign import PROCESS
from state_machines.processes.survey_response import PROCESS as RESPONSE
from state_machines.proof import prove
from state_machines.standing import Standing
from state_machines.values import Case, FireLinked, Outcome, Role
from tests.core.builders import (
    at,
    context,
    fire,
    member,
    messages,
    opened,
    opening,
    policy,
    refused,
    staff,
    system,
    wait,
)

PLAN: dict[str, Any] = {
    "title": "Annual self-assessment 2026", "questionnaire": "self-assessment",
    "questionnaire_fingerprint": "9f2c", "launch": "2026-03-03", "deadline": "2026-04-17",
    "population": {"category": ["retailer", "supplier"]}, "ladder": "standard",
    "owners": ["amara"], "risks": ["Easter"], "languages": ["en"],
}  # fmt: skip
APPROVAL = {"data_protection_checked": True}
SKIPPED = {"reason": "The same questions as last year.", "questionnaire_version": 4}
PILOT = {"members": 5, "internal_test_passed": True}
REPORT = {"report": "reports/2026.xlsx", "smallest_cell": 5}
ALL = {"population": {"eligible": 100, "deliverable": 99}}
EVERYBODY = ALL | {"children": {"complete": 97, "exempt": 3}}
ONE_LEFT = ALL | {"children": {"complete": 96, "exempt": 3, "failed": 1}}
SOME_IN = ALL | {"children": {"in_progress": 40, "complete": 60}}
LATER = {"until": "2026-05-15", "reason": "Holidays."}

AMARA = staff(Role.COORDINATOR)
MANAGER = staff(Role.MANAGER)
OTHER_MANAGER = staff(Role.MANAGER, 2)
SENIOR = staff(Role.SENIOR)


def planned(actor: Any = AMARA, **changes: Any) -> Case:
    return opened(PROCESS, PLAN | changes, actor=actor, now=at("2026-02-02"))


def approved() -> Case:
    return fire(PROCESS, planned(), "approve_plan", actor=MANAGER, **APPROVAL).after


def built() -> Case:
    return fire(PROCESS, approved(), "start_build", actor=AMARA, questionnaire_version=4).after


def piloted() -> Case:
    return fire(PROCESS, built(), "start_pilot", actor=AMARA, facts=ALL, **PILOT).after


def ready() -> Case:
    return fire(PROCESS, approved(), "skip_pilot", actor=MANAGER, **SKIPPED).after


def live() -> Case:
    return wait(PROCESS, ready(), at("2026-03-03"), context(**ALL))[0]


def chasing() -> Case:
    return wait(PROCESS, live(), at("2026-04-18"), context(**SOME_IN))[0]


def reviewing() -> Case:
    return fire(PROCESS, live(), "everyone_in", actor=AMARA, facts=EVERYBODY).after


def aggregating() -> Case:
    return fire(PROCESS, reviewing(), "all_settled", actor=system(), facts=EVERYBODY).after


def submitted() -> Case:
    return fire(PROCESS, aggregating(), "submit_report", actor=AMARA, **REPORT).after


def reported() -> Case:
    return fire(PROCESS, submitted(), "approve_report", actor=MANAGER).after


def listed(count: int) -> dict[str, Any]:
    rows = [{"member": f"M-{number}", "action": "passed to monitoring"} for number in range(count)]
    return {"outstanding": rows, "reason": "The year is over."}


PILOT_FINE = {"open_issues": 0, "median_minutes": 45}
TAKEN: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], dict[str, Any], str]] = [
    ("DC1", planned, "approve_plan", MANAGER, APPROVAL, {}, "plan_approved"),
    ("DC2", approved, "start_build", AMARA, {"questionnaire_version": 4}, {}, "build"),
    ("DC3", built, "start_pilot", AMARA, PILOT, ALL, "pilot"),
    ("DC3 a small membership", built, "start_pilot", AMARA, PILOT | {"members": 1},
     {"population": {"eligible": 40, "deliverable": 40}}, "pilot"),
    ("DC4 accepted", piloted, "accept_pilot", MANAGER, PILOT_FINE, {}, "ready"),
    ("DC4 back", piloted, "return_to_build", MANAGER, {"issues": ["Question 4 is unclear."]}, {}, "build"),
    ("no pilot", approved, "skip_pilot", MANAGER, SKIPPED, {}, "ready"),
    ("DC6", live, "deadline_passed", system(), {}, SOME_IN, "overdue_chase"),
    ("DC6 all in", live, "deadline_passed", system(), {}, EVERYBODY, "review"),
    ("DC7", chasing, "everyone_in", system(), {}, ONE_LEFT, "review"),
    ("DC7 chase end", chasing, "end_chase", system(), {}, SOME_IN, "review"),
    ("DC8", reviewing, "all_settled", system(), {}, ONE_LEFT, "aggregation"),
    ("DC9", submitted, "approve_report", MANAGER, {}, {}, "reported"),
    ("DC10", reported, "close_100", MANAGER, {}, EVERYBODY, "closed_100"),
    ("DC11", reported, "close_with_exceptions", SENIOR, listed(1), ONE_LEFT, "closed_exception"),
    ("cancelled", chasing, "cancel", MANAGER, {"reason": "A new system."}, {}, "cancelled"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "start", "trigger", "actor", "payload", "facts", "state"), TAKEN, ids=[row[0] for row in TAKEN]
)
def test_each_row_can_be_taken(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any],
    facts: dict[str, Any], state: str,
) -> None:  # fmt: skip
    assert fire(PROCESS, start(), trigger, actor=actor, facts=facts, **payload).after.state == state


def own_plan() -> Case:
    return planned(MANAGER)


def small_cell() -> Case:
    return fire(PROCESS, aggregating(), "submit_report", actor=AMARA, **REPORT | {"smallest_cell": 4}).after


BOTH = replace(staff(Role.MANAGER, 9), roles=frozenset({Role.MANAGER, Role.COORDINATOR}))


def own_report() -> Case:
    return fire(PROCESS, aggregating(), "submit_report", actor=BOTH, **REPORT).after


REFUSED: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], dict[str, Any], str]] = [
    ("DC1: own plan", own_plan, "approve_plan", MANAGER, APPROVAL, {}, "four_eyes"),
    ("DC1: ladder", lambda: planned(ladder="short"), "approve_plan", MANAGER, APPROVAL, {},
     "ladder_is_known"),
    ("DC1: data protection", planned, "approve_plan", MANAGER, {}, {}, "payload"),
    ("DC2: no version", approved, "start_build", AMARA, {}, {}, "questions_have_a_version"),
    ("DC3: too small", built, "start_pilot", AMARA, PILOT | {"members": 1}, ALL, "pilot_is_large_enough"),
    ("DC4: open issues", piloted, "accept_pilot", MANAGER, PILOT_FINE | {"open_issues": 1}, {},
     "pilot_went_well"),
    ("DC4: too long", piloted, "accept_pilot", MANAGER, PILOT_FINE | {"median_minutes": 90}, {},
     "pilot_went_well"),
    ("no pilot: no reason", approved, "skip_pilot", MANAGER, {"questionnaire_version": 4}, {}, "payload"),
    ("DC5: too early", ready, "launch", AMARA, {}, ALL, "launch_day_is_here"),
    ("DC6: only Muster", live, "deadline_passed", MANAGER, {}, SOME_IN, "role"),
    ("DC7: not all in", live, "everyone_in", AMARA, {}, SOME_IN, "everyone_is_in"),
    ("DC7: still chasing", chasing, "end_chase", AMARA, {}, SOME_IN, "chase_has_ended"),
    ("DC8: open query", reviewing, "all_settled", AMARA, {},
     ALL | {"children": {"complete": 99, "queried": 1}}, "everyone_is_settled"),
    ("DC9: no report", aggregating, "approve_report", MANAGER, {}, {}, "report_is_submitted"),
    ("DC9: own report", own_report, "approve_report", BOTH, {}, {}, "four_eyes"),
    ("DC9: four answers", small_cell, "approve_report", MANAGER, {}, {}, "no_cell_is_too_small"),
    ("DC10: one missing", reported, "close_100", MANAGER, {}, ONE_LEFT, "everyone_is_accounted_for"),
    ("DC10: nobody asked", reported, "close_100", MANAGER, {}, {"children": {}}, "everyone_is_accounted_for"),
    ("DC11: not the manager", reported, "close_with_exceptions", MANAGER, listed(1), ONE_LEFT, "role"),
    ("DC11: list too short", reported, "close_with_exceptions", SENIOR, listed(1),
     ALL | {"children": {"complete": 98, "failed": 2}}, "each_outstanding_has_an_action"),
    ("DC11: under review", reported, "close_with_exceptions", SENIOR, listed(1),
     ALL | {"children": {"complete": 99, "dq_review": 1}}, "no_answer_is_under_review"),
    ("cancel: no reason", live, "cancel", MANAGER, {}, {}, "payload"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "start", "trigger", "actor", "payload", "facts", "rule"), REFUSED, ids=[row[0] for row in REFUSED]
)
def test_each_row_can_be_refused(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any],
    facts: dict[str, Any], rule: str,
) -> None:  # fmt: skip
    assert refused(PROCESS, start(), trigger, actor=actor, facts=facts, **payload).rule == rule


def test_the_definition_holds() -> None:
    names = [kind.kind for kind in KINDS] + ["case_due_soon", "case_overdue", "case_escalated"]

    assert prove(PROCESS, policy(), message_kinds=names) == []


@pytest.mark.parametrize("change", [
    {"deadline": "2026-03-03"}, {"population": {}}, {"title": ""}, {"launch": "soon"}, {"colour": "red"},
])  # fmt: skip
def test_a_plan_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    found = opening(PROCESS, PLAN | change)

    assert not isinstance(found, Outcome)
    assert found.rule == "payload"


# --- the launch


def test_the_launch_goes_out_by_itself_at_nine_and_asks_everybody() -> None:
    case, steps = wait(PROCESS, ready(), at("2026-03-03"), context(**ALL))
    (children,) = [step.children for step in steps if step.children]

    assert [step.at for step in steps] == [at("2026-03-03 09:00")]
    assert case.state == "live"
    assert children.process == "survey_response"
    assert children.data == {
        "launch": "2026-03-03", "deadline": "2026-04-17", "ladder": "standard",
        "questionnaire": "self-assessment", "questionnaire_version": 4,
        "questionnaire_fingerprint": "9f2c",
        "campaign_title": "Annual self-assessment 2026",
    }  # fmt: skip


TOO_FEW = {"population": {"eligible": 100, "deliverable": 97}}


def test_a_launch_that_is_refused_is_told_once_and_tried_again_every_day() -> None:
    case, steps = wait(PROCESS, ready(), at("2026-03-05"), context(**TOO_FEW))
    told = [message for step in steps for message in step.messages]
    later, _ = wait(PROCESS, case, at("2026-03-06"), context(**ALL))

    assert [step.at for step in steps] == [at("2026-03-03"), at("2026-03-04"), at("2026-03-05")]
    assert [(message.kind, message.audience) for message in told] == [("campaign_launch_refused", "owner")]
    assert "97 of 100" in told[0].data["reason"]
    assert later.state == "live"
    assert later.data["launched_on"] == "2026-03-06"


def test_a_refused_launch_is_told_again_when_the_reason_changes_and_then_to_the_manager() -> None:
    case, _ = wait(PROCESS, ready(), at("2026-03-03"), context(**TOO_FEW))
    empty = context(population={"eligible": 0, "deliverable": 0})
    _, steps = wait(PROCESS, case, at("2026-03-06"), empty)

    assert messages(steps) == [("campaign_launch_refused", "owner"), ("case_escalated", "manager")]


def test_a_manager_may_launch_although_contacts_are_missing() -> None:
    day, reason = at("2026-03-03 10:00"), "Those three are being rung."
    assert refused(PROCESS, ready(), "launch", actor=MANAGER, now=day, facts=TOO_FEW).rule == (
        "contacts_are_deliverable"
    )
    anyway = fire(PROCESS, ready(), "launch_anyway", actor=MANAGER, now=day, facts=TOO_FEW, reason=reason)

    assert anyway.after.state == "live"
    assert anyway.steps[0].details["payload"] == {"reason": reason}


@pytest.mark.parametrize("trigger", ["launch", "launch_anyway"])
def test_nobody_launches_to_an_empty_population(trigger: str) -> None:
    typed = {"reason": "Go on."} if trigger == "launch_anyway" else {}
    nobody = {"population": {"eligible": 0, "deliverable": 0}}
    found = refused(PROCESS, ready(), trigger, actor=MANAGER, now=at("2026-03-03"), facts=nobody, **typed)

    assert found.rule == "population_is_not_empty"


def test_a_launch_that_is_moved_goes_out_on_the_new_day() -> None:
    moved = fire(PROCESS, ready(), "move_launch", actor=MANAGER, launch="2026-03-10", reason="The server moves.")
    case, steps = wait(PROCESS, moved.after, at("2026-03-10"), context(**ALL))

    assert [step.at for step in steps] == [at("2026-03-10")]
    assert case.state == "live"


# --- the deadline


def test_at_the_deadline_manager_and_senior_hear_how_many_are_missing() -> None:
    _, steps = wait(PROCESS, live(), at("2026-04-18"), context(**SOME_IN))
    told = [message for step in steps for message in step.messages]

    assert [(m.kind, m.audience) for m in told] == [
        ("campaign_deadline_passed", "manager"), ("campaign_deadline_passed", "senior"),
    ]  # fmt: skip
    assert told[0].data == {"missing": 40, "total": 100}


def test_ten_working_days_later_the_senior_manager_hears_again() -> None:
    _, steps = wait(PROCESS, chasing(), at("2026-05-01"), context(**SOME_IN))

    assert messages(steps) == [("campaign_still_outstanding", "senior")]
    assert steps[-1].at == at("2026-05-01")


def test_the_campaign_moves_on_the_morning_after_the_last_answer() -> None:
    case, _ = wait(PROCESS, live(), at("2026-03-20"), context(**SOME_IN))
    case, steps = wait(PROCESS, case, at("2026-03-21 09:01"), context(**EVERYBODY))

    assert [step.target for step in steps] == ["review", "aggregation"]
    assert messages(steps) == [("campaign_everyone_in", "owner")]


def test_a_chase_does_not_go_on_for_ever() -> None:
    case, _ = wait(PROCESS, chasing(), at("2026-06-15"), context(**SOME_IN))

    assert case.state == "review"


def test_a_new_deadline_reaches_everybody_who_was_asked() -> None:
    found = fire(PROCESS, chasing(), "move_deadline", actor=MANAGER, **LATER)
    case, steps = wait(PROCESS, found.after, at("2026-05-16"), context(**SOME_IN))

    assert found.after.state == "live"
    assert found.steps[0].fires == (FireLinked("deadline_moved", "children", LATER),)
    assert case.state == "overdue_chase"
    assert [step.at for step in steps if step.trigger == "deadline_passed"] == [at("2026-05-15 23:59")]


def test_a_deadline_that_members_know_is_not_moved_closer() -> None:
    sooner = {"until": "2026-04-01", "reason": "Hurry."}

    assert refused(PROCESS, live(), "move_deadline", actor=MANAGER, **sooner).rule == "deadline_is_later"
    moved = fire(PROCESS, ready(), "move_deadline", actor=MANAGER, **sooner)
    assert (moved.after.data["deadline"], moved.steps[0].fires) == ("2026-04-01", ())


def test_one_member_more_is_asked_while_it_is_live() -> None:
    joiner = {"member": "M-000301", "reason": "Joined on 2 March."}

    assert fire(PROCESS, live(), "add_member", actor=AMARA, **joiner).after.data["joined_late"] == 1
    assert refused(PROCESS, chasing(), "add_member", actor=AMARA, **joiner).rule == "state"


# --- the end

REPORTED = reported()


def test_the_refusal_counts_who_is_missing_and_names_the_way() -> None:
    found = refused(PROCESS, reported(), "close_100", actor=MANAGER, facts=ONE_LEFT)

    assert found.sentence == (
        "1 of 100 are outstanding (1 no answer), so it is not 100 %. Settle them, or let a senior manager"
        " close with exceptions."
    )


@given(
    children=st.dictionaries(
        st.sampled_from([state.name for state in RESPONSE.states]), st.integers(0, 50), max_size=6
    ),
    missing=st.integers(0, 2),
)
@settings(deadline=None)
def test_it_closes_at_100_only_when_complete_and_exempt_are_exactly_all(children: dict[str, int], missing: int) -> None:
    done = children.get("complete", 0) + children.get("exempt", 0)
    asked = sum(number for state, number in children.items() if RESPONSE.standings[state] is not Standing.DROPPED)
    case = replace(REPORTED, data={**REPORTED.data, "eligible": done + missing})
    found = engine.decide(
        PROCESS,
        case,
        "close_100",
        payload={},
        actor=MANAGER,
        context=context(children=children),
        now=case.entered_at,
    )

    assert isinstance(found, Outcome) == (done == asked and not missing and done > 0)


def test_who_leaves_the_register_after_the_launch_is_still_counted() -> None:
    fewer = {"population": {"eligible": 99, "deliverable": 99}, "children": {"complete": 99, "failed": 1}}

    assert refused(PROCESS, reported(), "close_100", actor=MANAGER, facts=fewer).rule == "everyone_is_accounted_for"


def test_who_joined_late_is_counted_too() -> None:
    joined = fire(PROCESS, live(), "add_member", actor=AMARA, member="M-000301", reason="Joined on 2 March.").after
    facts = {name: joined.data[name] for name in ("eligible", "joined_late")}
    case = replace(REPORTED, data={**REPORTED.data, **facts})
    everybody = ALL | {"children": {"complete": 98, "exempt": 3}}

    assert refused(PROCESS, case, "close_100", actor=MANAGER, facts=EVERYBODY).sentence.startswith("1 of 101")
    assert fire(PROCESS, case, "close_100", actor=MANAGER, facts=everybody).after.state == "closed_100"


def test_closing_and_cancelling_reach_the_responses() -> None:
    closed = fire(PROCESS, reported(), "close_100", actor=MANAGER, facts=EVERYBODY)
    excepted = fire(PROCESS, reported(), "close_with_exceptions", actor=SENIOR, facts=ONE_LEFT, **listed(1))
    cancelled = fire(PROCESS, planned(), "cancel", actor=MANAGER, reason="A new system.")

    assert [step.fires[0].trigger for step in (closed.steps[0], excepted.steps[0], cancelled.steps[0])] == [
        "campaign_closed", "campaign_closed", "campaign_cancelled",
    ]  # fmt: skip


def test_exceptions_are_never_called_100_percent() -> None:
    nearly = {"children": {"complete": 4999, "failed": 1}}
    large = replace(REPORTED, data={**REPORTED.data, "eligible": 5000})
    case = fire(PROCESS, large, "close_with_exceptions", actor=SENIOR, facts=nearly, **listed(1)).after

    assert (case.data["outcome"], case.data["exceptions"], case.data["share"]) == (
        "closed_with_exceptions",
        1,
        99.9,
    )


def test_a_member_is_listed_once() -> None:
    twice = {"outstanding": listed(1)["outstanding"] * 2, "reason": "The year is over."}
    found = refused(PROCESS, reported(), "close_with_exceptions", actor=SENIOR, facts=ONE_LEFT, **twice)

    assert found.rule == "payload"


def test_a_report_that_comes_back_is_submitted_again() -> None:
    back = fire(PROCESS, small_cell(), "return_report", actor=MANAGER, reason="Four answers.").after
    again = fire(PROCESS, back, "submit_report", actor=AMARA, report="reports/2026-b.xlsx").after

    assert refused(PROCESS, back, "approve_report", actor=MANAGER).rule == "report_is_submitted"
    assert fire(PROCESS, again, "approve_report", actor=OTHER_MANAGER).after.state == "reported"


FACTS: list[dict[str, Any]] = [{}, ALL, TOO_FEW, SOME_IN, ONE_LEFT, EVERYBODY]
MOVES: list[tuple[str, Any, dict[str, Any]]] = [
    ("approve_plan", MANAGER, APPROVAL), ("start_build", AMARA, {"questionnaire_version": 4}),
    ("start_pilot", AMARA, PILOT), ("return_to_build", MANAGER, {"issues": ["Unclear."]}),
    ("accept_pilot", MANAGER, PILOT_FINE), ("skip_pilot", MANAGER, SKIPPED), ("launch", AMARA, {}),
    ("launch_anyway", MANAGER, {"reason": "Go on."}), ("move_deadline", MANAGER, LATER),
    ("move_launch", MANAGER, {"launch": "2026-04-01", "reason": "The server moves."}),
    ("everyone_in", AMARA, {}), ("end_chase", AMARA, {}), ("all_settled", AMARA, {}),
    ("submit_report", AMARA, REPORT), ("approve_report", MANAGER, {}), ("close_100", MANAGER, {}),
    ("view", member(), {}),
]  # fmt: skip


@given(st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(MOVES), st.sampled_from(FACTS)),
    max_size=25,
))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_whatever_happens_an_open_campaign_has_a_clock(moves: list[tuple[int, Any, dict[str, Any]]]) -> None:
    case, now = planned(), at("2026-02-02")
    for days, (trigger, actor, payload), facts in moves:
        now += timedelta(days=days)
        swept = engine.advance(PROCESS, case, context=context(**facts), now=now)
        case = swept.after if swept else case
        found = engine.decide(PROCESS, case, trigger, payload=payload, actor=actor, context=context(**facts), now=now)
        case = found.after if isinstance(found, Outcome) else case
        final = PROCESS.state(case.state).final
        assert final or [clock for clock in case.clocks.values() if clock.next_at is not None]

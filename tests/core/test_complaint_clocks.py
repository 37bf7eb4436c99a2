"""The dates of a complaint under each profile, its ladders, and what never happens by itself."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from notifications import catalogue
from notifications.samples import render_samples
from state_machines.processes.complaint import PROCESS
from state_machines.proof import prove
from state_machines.values import Case, Role, Step
from tests.core.builders import at, fire, messages, opened, policy, refused, staff, tasks, wait
from tests.core.builders import context as around
from tests.core.test_complaint import ACK, ANSWER, COMPLAINANT, HANDLER, KNOWN, MANAGER, MANAGER_2, MORE, SENIOR

DONE = ("due_soon", "overdue", "manager", "senior")
OMBUDSMAN_LIKE = ("UK_OMBUDSMAN", "FCA_DISP", "FCA_SRC", "FCSA", "UK_DATA_PROTECTION")
PROFILES = (*OMBUDSMAN_LIKE, "BETTER_COTTON", "RSPO_2013")


def received(profile: str = "UK_OMBUDSMAN", when: str = "2026-04-02 10:00", **changes: Any) -> Case:
    seed = {"member_id": changes.pop("member_id")} if "member_id" in changes else {}
    return opened(PROCESS, KNOWN | {"profile": profile} | changes, now=at(when), **seed)


def acknowledged(profile: str = "UK_OMBUDSMAN", when: str = "2026-04-02 10:00", then: str = "2026-04-08 10:00",
                 **changes: Any) -> Case:  # fmt: skip
    return fire(PROCESS, received(profile, when, **changes), "acknowledge", now=at(then), **ACK).after


def investigated(profile: str = "UK_OMBUDSMAN", **changes: Any) -> Case:
    return fire(PROCESS, acknowledged(profile, **changes), "allocate", actor=MANAGER, handler=HANDLER.person).after


def rungs(steps: list[Step], clock: str) -> list[tuple[str, datetime]]:
    return [(step.details["rung"], step.at) for step in steps if step.details.get("clock") == clock]


@pytest.mark.parametrize(
    ("profile", "when", "due"),
    [
        ("UK_OMBUDSMAN", "2026-04-02 10:00", "2026-04-13 23:59"),
        ("UK_OMBUDSMAN", "2026-04-02 18:30", "2026-04-13 23:59"),
        ("BETTER_COTTON", "2026-04-02 10:00", "2026-04-13 23:59"),
        ("RSPO_2013", "2026-04-02 10:00", "2026-04-20 23:59"),
        ("FCSA", "2026-04-02 10:00", "2026-04-09 23:59"),
        ("UK_DATA_PROTECTION", "2026-06-22 10:00", "2026-07-21 23:59"),
    ],
)
def test_the_acknowledgement_is_due_by_the_profile_counted_from_receipt(profile: str, when: str, due: str) -> None:
    assert received(profile, when).clocks["acknowledge"].due == at(due)


@pytest.mark.parametrize(
    ("profile", "when", "then", "due"),
    [
        ("UK_OMBUDSMAN", "2026-04-02 10:00", "2026-04-08 10:00", "2026-04-22 23:59"),
        ("RSPO_2013", "2026-04-02 10:00", "2026-04-08 10:00", "2026-06-03 23:59"),
        ("FCA_DISP", "2026-03-02 10:00", "2026-03-04 10:00", "2026-04-27 23:59"),
        ("FCA_SRC", "2026-04-02 10:00", "2026-04-07 10:00", "2026-04-09 23:59"),
        ("BETTER_COTTON", "2026-04-02 10:00", "2026-04-08 10:00", "2026-04-23 23:59"),
        ("FCSA", "2026-03-02 10:00", "2026-03-04 10:00", "2026-04-27 23:59"),
    ],
)
def test_stage_1_counts_from_the_acknowledgement_or_from_receipt_as_the_profile_says(
    profile: str, when: str, then: str, due: str
) -> None:
    case = acknowledged(profile, when, then)
    assert case.clocks["stage_1"].due == at(due)
    assert case.data["answer_by"] == due[:10]


def test_where_the_time_counts_from_receipt_it_runs_before_the_acknowledgement_as_well() -> None:
    assert "stage_1" in received("FCA_SRC").clocks
    assert "stage_1" not in received("UK_OMBUDSMAN").clocks


def test_one_extension_of_ten_working_days_passes_over_the_may_holiday_and_the_letter_says_so() -> None:
    step = fire(PROCESS, investigated(), "extend", actor=MANAGER, **MORE)
    clock = step.after.clocks["stage_1"]
    assert clock.due == at("2026-05-07 23:59")
    assert clock.extensions[0].was == at("2026-04-22 23:59")
    assert step.after.data["answer_by"] == "2026-05-07"
    assert messages(step) == [("complaint_extended", "party:complainant")]


def test_an_extension_is_told_before_the_time_has_passed_or_not_given() -> None:
    late = refused(PROCESS, investigated(), "extend", actor=MANAGER, now=at("2026-04-23 09:00"), **MORE)
    assert "The time has passed already" in late.sentence
    on_the_day = fire(PROCESS, investigated(), "extend", actor=MANAGER, now=at("2026-04-22 17:00"), **MORE)
    assert on_the_day.after.state == "stage_1_extended"


def test_stage_2_is_acknowledged_in_five_working_days_answered_in_twenty_and_twenty_more() -> None:
    case = fire(PROCESS, investigated(), "respond", now=at("2026-04-20 10:00"), **ANSWER).after
    assert case.clocks["stage_2_window"].due == at("2026-05-20 23:59")
    case = fire(PROCESS, case, "request_stage_2", actor=COMPLAINANT, now=at("2026-04-27 10:00")).after
    assert case.clocks["stage_2_acknowledge"].due == at("2026-05-05 23:59")
    case = fire(PROCESS, case, "acknowledge_stage_2", actor=MANAGER_2, now=at("2026-04-29 10:00")).after
    assert case.clocks["stage_2"].due == at("2026-05-29 23:59")
    case = fire(PROCESS, case, "extend_stage_2", actor=SENIOR, days=20, reason=MORE["reason"]).after
    assert case.clocks["stage_2"].due == at("2026-06-26 23:59")
    assert case.data["stage_2_by"] == "2026-06-26"


@pytest.mark.parametrize(("profile", "until"), [("UK_OMBUDSMAN", None), ("FCA_DISP", "2026-10-08")])
def test_a_response_names_the_time_for_the_next_step(profile: str, until: str | None) -> None:
    case = fire(PROCESS, investigated(profile), "respond", now=at("2026-04-08 11:00"), **ANSWER).after
    assert case.data.get("external_until") == until
    assert case.data.get("stage_2_until") == (None if until else "2026-05-08")


def test_the_final_response_leaves_twelve_months_for_the_ombudsman_and_then_closes_by_itself() -> None:
    case = fire(PROCESS, investigated(), "respond", now=at("2026-04-20"), **ANSWER).after
    case = fire(PROCESS, case, "request_stage_2").after
    case = fire(PROCESS, case, "acknowledge_stage_2", actor=MANAGER_2).after
    case = fire(PROCESS, case, "respond_finally", actor=MANAGER_2, **ANSWER).after
    step = fire(PROCESS, case, "sign_off", actor=SENIOR, now=at("2026-05-01 10:00"))
    assert messages(step) == [("complaint_final_response", "party:complainant")]
    assert step.after.data["external_until"] == "2027-05-01"
    ended, steps = wait(PROCESS, step.after, at("2027-05-02"), around())
    assert ended.state == "closed"
    assert messages(steps) == [("complaint_satisfaction", "party:complainant")]


@pytest.mark.parametrize("profile", OMBUDSMAN_LIKE)
def test_no_clock_ever_stands_still_under_the_ombudsman_profiles(profile: str) -> None:
    case = investigated(profile)
    refusal = refused(PROCESS, case, "ask_complainant", question="When was it?").sentence
    assert "does not stop the clock" in refusal
    assert "not possible" in refused(PROCESS, case, "hold", actor=MANAGER, reason="police").sentence
    if profile == "UK_OMBUDSMAN":
        case = fire(PROCESS, case, "extend", actor=MANAGER, **MORE).after
    assert not any(clock.pauses for clock in case.clocks.values())


def test_better_cotton_waits_three_weeks_for_the_complainant_once_and_then_decides_on_what_is_known() -> None:
    case = investigated("BETTER_COTTON")
    case = fire(PROCESS, case, "ask_complainant", question="When was it?", now=at("2026-04-10 10:00")).after
    assert case.clocks["stage_1"].paused
    back, steps = wait(PROCESS, case, at("2026-05-02"), around())
    assert back.state == "stage_1"
    assert ("complaint_waiting_over", "owner") in messages(steps)
    assert back.clocks["stage_1"].due == at("2026-05-14 23:59")
    assert "waited for the complainant once" in refused(PROCESS, back, "ask_complainant", question="And?").sentence


def test_an_answer_of_the_complainant_ends_the_wait_and_gives_back_only_the_days_it_took() -> None:
    case = fire(PROCESS, investigated("BETTER_COTTON"), "ask_complainant", question="When?", now=at("2026-04-10")).after
    back = fire(PROCESS, case, "information_received", actor=COMPLAINANT, now=at("2026-04-14")).after
    assert back.clocks["stage_1"].due == at("2026-04-27 23:59")


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_acknowledged_or_answered_by_itself(profile: str) -> None:
    case, steps = wait(PROCESS, received(profile), at("2026-10-01"), around())
    assert case.state == "received"
    assert all(to != "party:complainant" for _, to in messages(steps))
    case, steps = wait(PROCESS, investigated(profile), at("2026-10-01"), around())
    assert case.state == "stage_1"
    assert all(to != "party:complainant" for _, to in messages(steps))


def test_a_late_acknowledgement_goes_to_the_manager_at_once_then_climbs_each_rung_once() -> None:
    _, steps = wait(PROCESS, received(), at("2026-05-20"), around())
    climbed = rungs(steps, "acknowledge")
    assert climbed[:4] == [
        ("due_soon", at("2026-04-10 09:00")),
        ("overdue", at("2026-04-13 23:59")),
        ("manager", at("2026-04-16 09:00")),
        ("senior", at("2026-04-27 09:00")),
    ]
    assert Counter(name for name, _ in climbed)["overdue"] == 1
    assert [name for name, _ in climbed[4:]] == ["weekly#1", "weekly#2", "weekly#3"]
    overdue = next(step for step in steps if step.details.get("rung") == "overdue")
    assert messages([overdue]) == [("case_overdue", "owner"), ("case_escalated", "manager")]


def test_a_late_answer_climbs_owner_and_manager_then_manager_then_senior_on_working_days() -> None:
    _, steps = wait(PROCESS, investigated(), at("2026-05-08"), around())
    climbed = rungs(steps, "stage_1")
    assert [name for name, _ in climbed] == list(DONE)
    assert [when for _, when in climbed[1:]] == [
        at("2026-04-22 23:59"), at("2026-04-27 09:00"), at("2026-05-07 09:00"),
    ]  # fmt: skip


def test_an_acknowledgement_in_time_silences_its_ladder() -> None:
    case, _ = wait(PROCESS, received(), at("2026-04-12"), around())
    case = fire(PROCESS, case, "acknowledge", now=at("2026-04-13 12:00"), **ACK).after
    assert "acknowledge" not in case.clocks


def test_a_late_stage_2_goes_to_the_senior_manager_at_once() -> None:
    case = fire(PROCESS, investigated(), "respond", now=at("2026-04-20"), **ANSWER).after
    case = fire(PROCESS, fire(PROCESS, case, "request_stage_2").after, "acknowledge_stage_2", actor=MANAGER_2).after
    due = case.clocks["stage_2"].due
    _, steps = wait(PROCESS, case, due, around())
    assert ("case_escalated", "senior") in messages([step for step in steps if step.trigger == "stage_2_overdue"])


def test_a_late_clock_of_the_law_reaches_the_senior_manager_at_once() -> None:
    _, steps = wait(PROCESS, received("UK_DATA_PROTECTION", "2026-06-22"), at("2026-07-22"), around())
    assert ("case_escalated", "senior") in messages([s for s in steps if s.details.get("rung") == "overdue"])


def test_somebody_is_asked_to_write_every_ten_working_days_and_writing_starts_the_count_again() -> None:
    case, steps = wait(PROCESS, investigated(), at("2026-04-22 12:00"), around())
    assert rungs(steps, "progress") == [("update", at("2026-04-21 09:00"))]
    assert tasks(steps) == ["progress_update"]
    step = fire(PROCESS, case, "update_complainant", now=at("2026-04-22 13:00"), message="We have seen the rota.")
    assert messages(step) == [("complaint_progress", "party:complainant")]
    assert step.steps[0].closes_tasks == ("progress_update",)
    assert step.after.clocks["progress"].due == at("2026-05-07 23:59")


def test_a_forgotten_update_is_asked_for_six_more_times_and_then_shown_without_mail() -> None:
    _, steps = wait(PROCESS, investigated(), at("2026-11-30"), around())
    wanted = [step for step in steps if ("complaint_progress_due", "owner") in messages([step])]
    assert len(wanted) == 7


def test_a_vulnerable_complainant_has_a_named_handler_and_a_call_within_one_working_day() -> None:
    case = received(vulnerable=True)
    assert case.clocks["first_contact"].due == at("2026-04-07 23:59")
    assert "first_contact" not in received().clocks
    assert "name the person" in refused(PROCESS, case, "acknowledge", **ACK).sentence
    called = fire(PROCESS, case, "record_first_contact", now=at("2026-04-07 11:00"))
    assert "first_contact" not in called.after.clocks
    assert called.steps[0].closes_tasks == ("first_contact",)
    named = fire(PROCESS, called.after, "acknowledge", handler=HANDLER.person, **ACK).after
    assert "first_contact" not in named.clocks


def test_a_person_found_to_be_vulnerable_later_is_called_within_one_working_day_as_well() -> None:
    step = fire(PROCESS, investigated(), "record_vulnerability", now=at("2026-04-10 10:00"))
    assert step.after.clocks["first_contact"].due == at("2026-04-13 23:59")
    assert tasks(step) == ["first_contact"]


def test_promised_actions_are_followed_to_the_last_date_promised() -> None:
    promised = {"remedies": [{"what": "A sign", "due_on": "2026-05-15"}, {"what": "Training"}]}
    case = fire(PROCESS, investigated(), "respond", now=at("2026-04-10"), **ANSWER, **promised).after
    case, _ = wait(PROCESS, case, at("2026-05-11"), around())
    assert case.state == "actions_open"
    assert case.clocks["actions"].due == at("2026-05-15 23:59")


def test_approval_does_not_stop_the_time_of_stage_1_and_the_senior_manager_hears_when_nobody_decides() -> None:
    case = fire(PROCESS, investigated(), "respond", legal_risk=True, **ANSWER).after
    assert case.clocks["stage_1"].due == at("2026-04-22 23:59")
    assert not case.clocks["stage_1"].paused
    _, steps = wait(PROCESS, case, at("2026-04-16"), around())
    assert [name for name, _ in rungs(steps, "approval")] == ["due_soon", "overdue", "senior"]


def test_a_returned_response_goes_back_to_the_extended_stage_it_came_from() -> None:
    case = fire(PROCESS, investigated(), "extend", actor=MANAGER, **MORE).after
    case = fire(PROCESS, case, "respond", legal_risk=True, **ANSWER).after
    step = fire(PROCESS, case, "return_response", actor=staff(Role.SENIOR), reason="too little")
    assert step.after.state == "stage_1_extended"
    assert set(step.after.parties) == {"complainant"}


def test_the_proof_finds_nothing_and_every_letter_can_be_written() -> None:
    assert prove(PROCESS, policy(), message_kinds=set(catalogue.entries())) == []
    mine = [entry.kind.kind for entry in catalogue.entries().values() if entry.folder == "complaint"]
    rendered, failed = render_samples(mine)
    assert failed == {}
    assert set(rendered) == set(mine)


def test_letters_that_steps_send_themselves_are_known_too() -> None:
    by_step = {"complaint_response", "complaint_resolved_early", "complaint_final_response", "complaint_satisfaction"}
    declared = {send.kind for transition in PROCESS.transitions for send in transition.sends}
    mine = {entry.kind.kind for entry in catalogue.entries().values() if entry.folder == "complaint"}
    assert mine - declared == by_step


def test_a_complaint_reopened_before_it_was_acknowledged_is_not_late_already() -> None:
    case = opened(PROCESS, {"category": "service"}, actor=staff(Role.COORDINATOR))
    case = fire(PROCESS, case, "withdraw", actor=staff(Role.COORDINATOR)).after
    later = at("2026-06-01 10:00")
    reopening = {"stage": 1, "cause": "new_facts", "reason": "The complainant wrote again"}
    case = fire(PROCESS, case, "reopen", actor=staff(Role.MANAGER), now=later, **reopening).after
    assert case.state == "received"
    assert case.clocks["acknowledge"].due > later

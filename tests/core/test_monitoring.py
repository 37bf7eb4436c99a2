"""Every row of a monitoring case: taken once, refused once, and what it leaves behind."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import Any

import pytest

from notifications.kinds.monitoring import KINDS
from state_machines import engine
from state_machines.processes import monitoring_effects, monitoring_sanction_effects
from state_machines.processes.monitoring import PROCESS
from state_machines.proof import prove
from state_machines.values import Actor, Outcome
from tests.core import builders
from tests.core.builders import NOW, at, context, messages, policy, tasks
from tests.core.monitoring_story import (
    COORD,
    COORD_2,
    COUNCIL,
    DECISION,
    FINANCE,
    FINDING,
    FORMS,
    MANAGER,
    MANAGER_2,
    MEMBER,
    MUSTER,
    SENIOR,
    do,
    in_state,
    new,
    no,
    past,
    play,
    until,
)

CRITICAL = {"severity": "critical"}
URGENT = {"urgent_interim": True}


def test_nothing_in_the_process_can_get_stuck() -> None:
    assert prove(PROCESS, policy()) == []


def test_every_message_of_the_process_is_defined_and_every_defined_one_is_sent() -> None:
    asked = {send.kind for t in PROCESS.transitions for send in t.sends} | {s.kind for s in PROCESS.opening_sends}
    for module in (monitoring_effects, monitoring_sanction_effects):
        asked |= set(re.findall(r'(?:send|letter)\(\s*(?:draft,\s+)?"(\w+)"', inspect.getsource(module)))
    assert {kind for kind in asked if kind.startswith("monitoring_")} == {kind.kind for kind in KINDS}


TAKEN: list[tuple[str, str, str, Actor, dict[str, Any], str]] = [
    ("A2", "signal", "start_triage", COORD, {}, "triage"),
    ("A3", "triage", "dismiss", COORD, {}, "closed"),
    ("A4", "triage", "accept", COORD, {}, "assessment"),
    ("A6 out", "assessment", "ask_member", COORD, {}, "clarification"),
    ("A6 back", "clarification", "reply", MEMBER, {}, "assessment"),
    ("A6 time-out", "clarification", "no_reply", MUSTER, {}, "assessment"),
    ("A8", "recommended", "accept_pack", MANAGER, {}, "manager_decision"),
    ("A9", "manager_decision", "return_assessment", MANAGER, {}, "assessment"),
    ("A10", "manager_decision", "close_without_case", MANAGER, {"chosen": "ADVISORY"}, "closed"),
    ("A11", "manager_decision", "warn", MANAGER, {}, "warned"),
    ("A12", "manager_decision", "recommend_sanction", MANAGER, {}, "senior_decision"),
    ("A13 warn", "senior_decision", "warn", SENIOR, {}, "warned"),
    ("A13 suspend", "senior_decision", "suspend", SENIOR, {}, "suspended"),
    ("A13 notice", "senior_decision", "give_notice", SENIOR, {}, "termination_notice"),
    ("A13 close", "senior_decision", "close_without_case", SENIOR, {}, "closed"),
    ("A14", "warned", "file_plan", MEMBER, {}, "cap_review"),
    ("A15", "cap_review", "reject_plan", COORD, {}, "warned"),
    ("A16", "cap_review", "accept_plan", MANAGER, {}, "cap_active"),
    ("A17", "cap_active", "report_complete", MEMBER, {}, "verification"),
    ("A18", "verification", "not_effective", COORD, {}, "cap_active"),
    ("A18 more time", "verification", "grant_more_time", MANAGER, {}, "cap_active"),
    ("A19", "verification", "close_resolved", MANAGER_2, {}, "follow_up"),
    ("A21", "suspended", "report_remedy", MEMBER, {}, "reinstatement_check"),
    ("A21 back", "reinstatement_check", "not_remedied", MANAGER, {}, "suspended"),
    ("A22", "suspended", "reinstate", SENIOR, {}, "follow_up"),
    ("A22 verified", "reinstatement_check", "reinstate", SENIOR, {}, "follow_up"),
    ("A24 withdrawn", "termination_notice", "withdraw_notice", SENIOR, {}, "suspended"),
    ("A25 warning", "warned", "appeal", MEMBER, {}, "appeal"),
    ("A25 suspension", "suspended", "appeal", MEMBER, {}, "appeal"),
    ("A25 expulsion", "terminated", "appeal", MEMBER, {}, "appeal"),
    ("A25 stay", "appeal", "stay", MANAGER, {}, "appeal_stayed"),
    ("A26 previous", "appeal", "dismiss_appeal", COUNCIL, {}, "suspended"),
    ("A26 upheld", "appeal", "uphold_appeal", COUNCIL, {}, "closed"),
    ("A26 varied", "appeal", "vary_appeal", COUNCIL, {}, "warned"),
    ("A27", "cap_active", "member_left", MUSTER, {}, "closed"),
    ("A27 follow-up", "follow_up", "member_left", MUSTER, {}, "closed"),
    ("A28", "closed", "reopen", MANAGER, {}, "assessment"),
    ("follow-up", "follow_up", "confirm_lasting", COORD, {}, "closed"),
    ("follow-up failed", "follow_up", "reopen", MANAGER, {}, "assessment"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "state", "trigger", "actor", "form", "target"), TAKEN, ids=[r[0] for r in TAKEN])
def test_the_row_is_taken(row: str, state: str, trigger: str, actor: Actor, form: dict[str, Any], target: str) -> None:
    assert do(in_state(state), trigger, actor, **form).after.state == target


UPHELD = {"linked": [{"process": "complaint", "state": "closed", "outcome": "upheld", "link": "relates_to"}]}
OPEN_ACTIONS = {"linked": [{"process": "complaint", "state": "actions_open", "outcome": "upheld"}]}
REPEATED = {"history": {"same_criterion_24m": 1}}

REFUSED: list[tuple[str, str, str, Actor, dict[str, Any], str]] = [
    ("A2 role", "signal", "start_triage", MANAGER, {}, "role"),
    ("A2 conflict", "signal", "start_triage", replace(COORD, conflicts=frozenset({7})), {},
     "conflict_of_interest"),
    ("A3 duplicate without link", "triage", "dismiss", COORD, {"chosen": "DUPLICATE"}, "duplicate_is_named"),
    ("A3 upheld complaint", "triage", "dismiss", COORD, {"facts": UPHELD}, "no_upheld_complaint"),
    ("A3 clause", "triage", "dismiss", COORD, {"policy_clause": ""}, "payload"),
    ("A4 clause", "triage", "accept", COORD, {"clause": ""}, "payload"),
    ("A4 duplicates", "triage", "accept", COORD, {"duplicates_checked": False}, "duplicates_were_checked"),
    ("A5 not critical", "triage", "call_senior", COORD, {}, "case_is_critical"),
    ("A6 approved", "assessment", "ask_member", COORD, {"approved": False}, "questions_are_approved"),
    ("A6 redacted", "assessment", "ask_member", COORD, {"source_redacted": False}, "source_is_redacted"),
    ("A6 reply", "clarification", "reply", FINANCE, {}, "role"),
    ("A7 unheard", "assessment", "submit_assessment", COORD, {}, "reply_offered_or_waived"),
    ("A8 role", "recommended", "accept_pack", COORD, {}, "role"),
    ("A9 role", "manager_decision", "return_assessment", COORD, {}, "role"),
    ("A9 questions", "manager_decision", "return_assessment", MANAGER, {"missing": ""}, "payload"),
    ("A10 rationale", "manager_decision", "close_without_case", MANAGER, {"rationale": ""}, "payload"),
    ("A10 upheld", "manager_decision", "close_without_case", MANAGER, {"facts": UPHELD},
     "upheld_complaint_is_answered"),
    ("A11 conflict", "manager_decision", "warn", MANAGER, {"conflict_declared": True},
     "no_conflict_declared"),
    ("A11 repeat", "manager_decision", "warn", MANAGER, {"facts": REPEATED}, "repeat_is_justified"),
    ("A12 role", "manager_decision", "recommend_sanction", SENIOR, {}, "role"),
    ("A13 quorum", "senior_decision", "suspend", SENIOR, {"present": "A. Kaya"}, "quorum_is_reached"),
    ("A13 role", "senior_decision", "suspend", MANAGER, {}, "role"),
    ("A14 empty", "warned", "file_plan", MEMBER, {"actions": ""}, "payload"),
    ("A14 no owner", "warned", "file_plan", MEMBER, {"actions": "Withdraw | | 2026-03-20 | list"}, "payload"),
    ("A15 reasons", "cap_review", "reject_plan", COORD, {"reason": ""}, "payload"),
    ("A16 major", "cap_review", "accept_plan", COORD, {}, "is_minor"),
    ("A17 evidence", "cap_active", "report_complete", MEMBER, {"evidence": "one"},
     "evidence_for_each_action"),
    ("A18 too late", "verification", "not_effective", COORD, {"next_date": "2026-05-01"},
     "within_time_to_resolve"),
    ("A18 extension", "verification", "grant_more_time", COORD, {}, "role"),
    ("A18 earlier", "verification", "grant_more_time", MANAGER, {"until": "2026-03-31"}, "later_than_now"),
    ("A19 accepter", "verification", "close_resolved", MANAGER, {}, "four_eyes"),
    ("A19 actions", "verification", "close_resolved", MANAGER_2, {"facts": OPEN_ACTIONS},
     "complaint_actions_settled"),
    ("A20 too early", "warned", "suspend", SENIOR, {}, "resolve_is_over_or_refused"),
    ("A21 evidence", "suspended", "report_remedy", MEMBER, {"evidence": ""}, "payload"),
    ("A22 role", "suspended", "reinstate", MANAGER, {}, "role"),
    ("A23 too early", "suspended", "give_notice", SENIOR, {}, "expel_is_over"),
    ("A24 unheard", "termination_notice", "terminate", SENIOR, {}, "representations_heard"),
    ("A25 grounds", "suspended", "appeal", MEMBER, {"grounds": "anger"}, "payload"),
    ("A25 role", "suspended", "appeal", FINANCE, {}, "role"),
    ("A26 role", "appeal", "uphold_appeal", SENIOR, {}, "role"),
    ("A26 panel", "appeal", "uphold_appeal", COUNCIL, {"panel": f"{SENIOR.person}\na\nb"},
     "panel_is_independent"),
    ("A26 quorum", "appeal", "uphold_appeal", COUNCIL, {"panel": "a\nb"}, "panel_has_quorum"),
    ("A26 milder", "appeal", "vary_appeal", COUNCIL, {"instead": "suspension"}, "milder"),
    ("A27 role", "warned", "member_left", COORD, {}, "role"),
    ("A27 expelled", "terminated", "member_left", MUSTER, {}, "not_expelled_here"),
    ("A28 role", "closed", "reopen", COORD, {}, "role"),
    ("A28 late", "closed", "reopen", MANAGER, {"now": at("2027-03-03")}, "within_reopening"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "state", "trigger", "actor", "form", "why"), REFUSED, ids=[r[0] for r in REFUSED])
def test_the_row_is_refused(row: str, state: str, trigger: str, actor: Actor, form: dict[str, Any], why: str) -> None:
    found = no(in_state(state), trigger, actor, **form)
    assert found.rule == why
    assert found.sentence.endswith(".")


# --- A1: how a case begins


def test_another_process_opens_a_case_with_a_handful_of_facts() -> None:
    data = {
        "criterion": "commitment_conduct", "severity": "major", "source": "survey non-response",
        "source_date": "2026-06-02", "evidence": "invited, reminded, phoned",
    }  # fmt: skip
    case = builders.opened(PROCESS, data, actor=MUSTER, member_id=7)
    assert case.state == "signal"
    assert case.data["stage"] == "none"
    assert "case_opened_at" not in case.data


def test_an_allegation_may_stand_for_the_evidence() -> None:
    data = {"criterion": "sourcing", "source": "hotline", "source_date": "2026-02-01", "allegation": "Mixed."}
    assert isinstance(builders.opening(PROCESS, data, actor=MUSTER), Outcome)


def test_a_finding_needs_evidence_or_the_reason_why_there_is_none() -> None:
    bare = {k: v for k, v in FINDING.items() if k != "evidence"}
    assert not isinstance(builders.opening(PROCESS, bare, actor=COORD), Outcome)
    assert isinstance(builders.opening(PROCESS, bare | {"no_evidence": "heard by phone"}, actor=COORD), Outcome)


def test_who_told_us_and_what_is_kept_apart_from_the_facts() -> None:
    form = FINDING | {
        "allegation": "Mr X did it",
        "source_name": "Ivy",
        "source_email": "i@example.org",
        "tell_source": True,
    }
    found = builders.opening(PROCESS, form, actor=COORD, member_id=7)
    assert isinstance(found, Outcome)
    assert "Ivy" not in str(found.after.data) and "Mr X" not in str(found.after.data)
    assert found.steps[0].personal.keys() == {"allegation", "source_name", "source_email"}
    assert messages(found) == [("monitoring_source_received", "party:source")]
    closed = do(play(found.after, [("start_triage", COORD)]), "dismiss", COORD)
    assert ("monitoring_source_concluded", "party:source") in messages(closed)


# --- A3: a second signature on grave findings


def test_a_grave_finding_is_dismissed_by_two_people() -> None:
    case = in_state("triage", severity="high")
    assert no(case, "dismiss", COORD).rule == "below_high"
    assert no(case, "dismiss", MANAGER).rule == "proposed_if_grave"
    case = do(case, "propose_dismissal", COORD).after
    both = replace(COORD, roles=COORD.roles | MANAGER.roles)
    assert no(case, "dismiss", both)
    assert do(case, "dismiss", MANAGER).after.data["outcome"] == "NO_CASE"


@pytest.mark.parametrize(("state", "trigger"), [("triage", "dismiss"), ("manager_decision", "close_without_case")])
def test_a_manager_may_close_without_a_case_despite_an_upheld_complaint_and_says_why(state: str, trigger: str) -> None:
    found = do(in_state(state), trigger, MANAGER, facts=UPHELD, despite_complaint="Another matter.")
    assert found.after.data["outcome"] == "NO_CASE"


# --- A5: critical findings


def test_a_critical_finding_on_friday_evening_alerts_manager_and_senior_at_once() -> None:
    friday = at("2026-03-06 18:00")
    found = builders.opening(PROCESS, FINDING | CRITICAL, actor=MUSTER, now=friday, member_id=7)
    assert isinstance(found, Outcome)
    assert {to for _, to in messages(found)} == {"manager", "senior"}
    assert tasks(found) == ["monitoring_phone_alert"]
    assert found.after.clocks["alert"].due == at("2026-03-07 18:00")


def test_an_alert_is_repeated_every_four_hours_until_somebody_takes_it() -> None:
    friday = at("2026-03-06 18:00")
    case, steps = until(new(friday, **CRITICAL), at("2026-03-07 07:00"))
    assert [s.trigger for s in steps] == ["repeat_alert"] * 3
    case = do(case, "acknowledge_alert", SENIOR, now=at("2026-03-07 07:05")).after
    assert "alert" not in case.clocks
    assert no(case, "acknowledge_alert", MANAGER).rule == "alert_is_open"
    _, steps = until(case, at("2026-03-08 23:00"))
    assert [s.trigger for s in steps] == []


def test_an_alert_that_nobody_takes_within_a_day_goes_to_the_council() -> None:
    _, steps = until(new(at("2026-03-06 18:00"), **CRITICAL), at("2026-03-07 18:30"))
    assert ("monitoring_critical_alert", "role:council") in messages(steps)


def test_the_meeting_on_a_critical_finding_is_due_seventy_two_hours_after_the_alert() -> None:
    case = play(new(at("2026-03-06 18:00"), **CRITICAL), [("start_triage", COORD), ("call_senior", COORD)])
    assert case.state == "senior_decision"
    assert case.clocks["meeting"].due == at("2026-03-09 18:00")
    assert "meeting" not in do(case, "record_meeting", MANAGER).after.clocks
    _, steps = until(case, at("2026-03-09 18:30"))
    assert ("monitoring_meeting_overdue", "senior") in messages(steps)


def test_a_finding_that_turns_out_critical_is_alerted_and_assessed_in_five_days() -> None:
    found = do(in_state("assessment"), "rate", COORD)
    assert ("monitoring_critical_alert", "senior") in messages(found)
    assert builders.calendar().local_date(found.after.clocks["assess"].due).isoformat() == "2026-03-09"
    assert {"alert", "meeting"} <= set(found.after.clocks)


def test_only_a_manager_lowers_a_critical_severity_and_the_alert_ends() -> None:
    case = in_state("triage", severity="critical")
    assert no(case, "rate", COORD, severity="major").rule == "rated_below"
    after = do(case, "rate", MANAGER, severity="major").after
    assert "alert" not in after.clocks


def test_interim_measures_stop_rights_and_are_given_back_when_nothing_follows() -> None:
    case = play(new(**CRITICAL), [("start_triage", COORD), ("call_senior", COORD)])
    found = do(case, "take_interim_measure", SENIOR)
    assert found.steps[0].member_changes == {"status": "suspended"}
    closed = do(found.after, "close_without_case", SENIOR)
    assert closed.steps[0].member_changes == {"status": "active"}


def test_a_sanction_on_an_unheard_member_is_only_an_urgent_interim_one() -> None:
    case = play(new(**CRITICAL), [("start_triage", COORD), ("call_senior", COORD)])
    assert no(case, "suspend", SENIOR).rule == "member_was_heard"
    assert do(case, "suspend", SENIOR, **URGENT, present="").after.state == "suspended"
    assert do(case, "send_to_assessment", SENIOR).after.state == "assessment"


def test_whoever_called_the_senior_manager_does_not_decide() -> None:
    both = replace(MANAGER, roles=MANAGER.roles | SENIOR.roles)
    case = play(new(**CRITICAL), [("start_triage", COORD), ("call_senior", both)])
    assert no(case, "suspend", both, **URGENT).rule == "four_eyes"


def test_a_critical_case_is_not_held_and_its_assessment_never_waits_for_the_member() -> None:
    case = in_state("assessment", severity="critical")
    assert no(case, "hold", MANAGER, reason="the police ask").rule == "not_critical"
    after = do(case, "ask_member", COORD).after
    assert after.state == "assessment"
    assert not after.clocks["assess"].paused
    assert do(after, "reply", MEMBER).after.state == "assessment"


def test_the_default_list_is_critical_whatever_severity_it_was_given() -> None:
    assert "alert" in new(criterion="default_list").clocks


# --- A6 to A13: assessment and decision


def test_the_assessment_stands_still_while_the_member_is_asked() -> None:
    case = in_state("clarification")
    due = in_state("assessment").clocks["assess"].due
    assert case.clocks["assess"].paused
    back = do(case, "reply", MEMBER, now=at("2026-03-09 10:00")).after
    assert builders.calendar().working_days_between(due.date(), back.clocks["assess"].due.date()) == 5


def test_the_time_to_reply_is_extended_once() -> None:
    case = in_state("clarification")
    longer = do(case, "extend_clarification", COORD).after
    assert builders.calendar().working_days_between(
        case.clocks["clarification"].due.date(), longer.clocks["clarification"].due.date()) == 10  # fmt: skip
    assert no(longer, "extend_clarification", COORD).rule == "not_extended_yet"
    assert no(case, "extend_clarification", COORD, days=11).rule == "payload"


def test_silence_ends_the_clarification() -> None:
    case = in_state("clarification")
    after, steps = until(case, case.clocks["clarification"].due)
    assert after.state == "assessment"
    assert [s.trigger for s in steps] == ["remind_clarification", "no_reply"]


def test_every_indicator_must_be_scored() -> None:
    case = do(in_state("assessment"), "waive_reply", MANAGER).after
    assert no(case, "submit_assessment", COORD, indicators="extent: 2").rule == "every_indicator_is_scored"
    assert do(case, "submit_assessment", COORD).after.state == "recommended"


@pytest.mark.parametrize("trigger", ["close_without_case", "warn", "recommend_sanction"])
def test_whoever_recommends_cannot_decide(trigger: str) -> None:
    both = replace(MANAGER, roles=MANAGER.roles | COORD.roles)
    case = do(in_state("assessment"), "waive_reply", MANAGER_2).after
    case = do(case, "submit_assessment", both).after
    assert no(case, "accept_pack", both).rule == "four_eyes"
    case = do(case, "accept_pack", MANAGER_2).after
    assert no(case, trigger, both).rule == "four_eyes"


def test_a_manager_who_recommends_a_sanction_cannot_decide_it_as_senior_manager() -> None:
    both = replace(MANAGER, roles=MANAGER.roles | SENIOR.roles)
    case = do(in_state("manager_decision"), "recommend_sanction", both).after
    for trigger in ("warn", "suspend", "give_notice", "close_without_case"):
        assert no(case, trigger, both).rule == "four_eyes"


def test_an_assessment_comes_back_twice_and_is_then_decided() -> None:
    case = in_state("manager_decision")
    for _ in range(2):
        found = do(case, "return_assessment", MANAGER)
        case = play(found.after, [("submit_assessment", COORD), ("accept_pack", MANAGER)])
    assert tasks(found) == ["monitoring_meet_author"]
    assert no(case, "return_assessment", MANAGER).rule == "returns_left"
    assert do(case, "warn", MANAGER).after.state == "warned"


def test_a_manager_does_not_warn_where_no_breach_was_found_or_the_finding_is_grave() -> None:
    case = play(in_state("assessment"), [("waive_reply", MANAGER), ("submit_assessment", COORD),
                                         ("accept_pack", MANAGER)],
                submit_assessment={"breach_found": False})  # fmt: skip
    assert no(case, "warn", MANAGER).rule == "breach_was_found"
    assert no(in_state("manager_decision", severity="high"), "warn", MANAGER).rule == "minor_or_major"


def test_a_repeat_is_warned_again_only_with_a_reason() -> None:
    found = do(
        in_state("manager_decision"),
        "warn",
        MANAGER,
        facts=REPEATED,
        why_not_next_stage="Small, soon put right.",
    )
    assert found.after.state == "warned"


def test_a_finding_becomes_a_counted_case_with_its_first_stage() -> None:
    assert not in_state("manager_decision").data.get("case_opened_at")
    assert not do(in_state("manager_decision"), "close_without_case", MANAGER).after.data.get("case_opened_at")
    assert in_state("warned").data["case_opened_at"] == "2026-03-02"
    assert in_state("suspended").data["case_opened_at"] == "2026-03-02"


def test_an_advisory_closes_with_a_letter_and_is_not_counted() -> None:
    found = do(in_state("manager_decision"), "close_without_case", MANAGER, chosen="ADVISORY")
    assert ("monitoring_advisory", "member") in messages(found)
    assert found.after.data["outcome"] == "ADVISORY"
    assert not found.after.data.get("case_opened_at")


def test_the_warning_tells_the_dates_and_the_way_to_appeal() -> None:
    found = do(in_state("manager_decision"), "warn", MANAGER)
    (letter, _) = found.steps[0].messages
    assert letter.data == {"plan_by": "2026-03-30", "resolve_by": "2026-04-01", "appeal_until": "2026-04-01"}
    assert found.after.clocks["resolve"].due == at("2026-04-01 23:59")
    assert found.after.data["stage"] == "warning"


def test_what_was_decided_is_on_the_record_and_names_are_kept_apart() -> None:
    step = do(in_state("manager_decision"), "warn", MANAGER, dissent="B. Moss would wait").steps[0]
    assert step.details["payload"].keys() >= DECISION.keys() - {"present", "conflict_declared"} | {"chosen"}
    assert step.personal.keys() >= {"present", "dissent"}


# --- A14 to A19: the plan


def test_a_coordinator_accepts_the_plan_on_a_minor_breach() -> None:
    assert do(in_state("cap_review", severity="minor"), "accept_plan", COORD_2).after.state == "cap_active"


def test_whoever_typed_the_plan_in_does_not_accept_it_or_verify_it() -> None:
    case = do(in_state("warned", severity="minor"), "file_plan", COORD_2).after
    assert no(case, "accept_plan", COORD_2).rule == "four_eyes"


def test_a_second_rejection_is_signed_by_a_manager_and_after_it_the_two_sides_meet() -> None:
    case = play(in_state("cap_review"), [("reject_plan", COORD), ("file_plan", MEMBER)])
    assert no(case, "reject_plan", COORD).rule == "first_rejection"
    assert no(case, "reject_plan", MANAGER)
    case = do(case, "propose_rejection", COORD).after
    found = do(case, "reject_plan", MANAGER)
    assert tasks(found) == ["monitoring_meet_member"]
    assert no(found.after, "file_plan", MEMBER).rule == "rounds_left"
    case = play(found.after, [("record_plan_meeting", MANAGER), ("file_plan", MEMBER)])
    assert no(case, "reject_plan", COORD)
    assert no(case, "reject_plan", MANAGER)
    assert no(case, "propose_rejection", COORD).rule == "may_be_rejected_again"
    assert do(case, "record_refusal", MANAGER).after.state == "cap_review"
    assert do(case, "accept_plan", MANAGER).after.state == "cap_active"


def test_the_member_is_reminded_ten_and_two_working_days_before_each_milestone() -> None:
    case = in_state("cap_active", criterion="sourcing")
    after, steps = until(case, at("2026-03-26"))
    reminded = [s.at.date().isoformat() for s in steps if s.trigger == "remind_milestone"]
    assert reminded == ["2026-03-06", "2026-03-18", "2026-03-20", "2026-03-23"]
    assert [s.trigger for s in steps if s.trigger == "milestone_due"] == ["milestone_due"] * 2
    assert after.state == "verification"


def test_more_time_to_resolve_asks_for_a_new_notice_and_is_given_twice_at_the_most() -> None:
    case, _ = until(in_state("verification"), at("2026-03-26"))
    assert case.data["pre_notice_on"] == "2026-03-25"
    found = do(case, "grant_more_time", MANAGER, now=at("2026-03-26"))
    assert found.after.data["pre_notice_on"] is None
    assert found.after.clocks["resolve"].due == at("2026-05-29 23:59")
    assert ("monitoring_more_time", "member") in messages(found)
    again = do(found.after, "extend_resolve", MANAGER, until="2026-06-30").after
    assert no(again, "extend_resolve", MANAGER, until="2026-07-30").rule == "extensions_left"


def test_closing_looks_at_the_remedy_once_more_three_months_later() -> None:
    case = do(in_state("verification"), "close_resolved", MANAGER_2, split_off="CP-2026-1").after
    assert (case.data["outcome"], case.data["closed_on"]) == ("RESOLVED", "2026-03-02")
    assert case.clocks["follow_up"].due == at("2026-06-02 23:59")
    _, steps = until(case, at("2026-06-03"))
    assert tasks(steps) == ["monitoring_follow_up"]


# --- A20 to A24: suspension and termination


@pytest.mark.parametrize("state", ["warned", "cap_review", "cap_active", "verification"])
def test_the_time_to_resolve_never_stands_still_while_the_member_is_silent(state: str) -> None:
    case = in_state(state)
    assert case.clocks["resolve"].due == at("2026-04-01 23:59")
    after, _ = until(case, at("2026-04-01 20:00"))
    assert after.clocks["resolve"].due == at("2026-04-01 23:59")
    assert after.clocks["resolve"].pauses == ()


def test_a_warning_of_2_march_on_communication_may_lead_to_suspension_after_1_april() -> None:
    case, steps = until(in_state("warned"), at("2026-04-02"))
    assert [s.at for s in steps if s.trigger == "pre_notice"] == [at("2026-03-25")]
    assert ("monitoring_decision_due", "senior") in messages(steps)
    assert case.state == "warned"
    assert no(case, "suspend", SENIOR, now=at("2026-04-01 23:00")).rule == "resolve_is_over_or_refused"
    found = do(case, "suspend", SENIOR, now=at("2026-04-02"))
    assert found.after.data["stage"] == "suspension"
    assert found.steps[0].member_changes == {"status": "suspended"}
    assert ("monitoring_benefits_stopped", "role:finance") in messages(found)


def test_a_suspension_of_1_april_on_communication_may_lead_to_expulsion_sixty_days_later() -> None:
    assert in_state("suspended", now=at("2026-04-01")).clocks["expel"].due == at("2026-05-31 23:59")


def test_a_refusal_sends_the_notice_and_a_suspension_waits_seven_days() -> None:
    found = do(in_state("warned"), "record_refusal", MANAGER)
    assert ("monitoring_pre_notice", "member") in messages(found)
    assert no(found.after, "suspend", SENIOR, now=at("2026-03-08")).rule == "notice_was_given"
    assert do(found.after, "suspend", SENIOR, now=at("2026-03-09")).after.state == "suspended"


def test_whoever_recorded_the_refusal_does_not_suspend() -> None:
    both = replace(MANAGER_2, roles=MANAGER_2.roles | SENIOR.roles)
    case = do(in_state("warned"), "record_refusal", both).after
    assert no(case, "suspend", both, now=at("2026-03-09")).rule == "four_eyes"


def test_a_critical_case_is_suspended_without_a_notice() -> None:
    case = play(new(**CRITICAL), [
        ("start_triage", COORD), ("accept", COORD), ("waive_reply", MANAGER), ("call_senior", COORD),
        ("warn", SENIOR),
    ], accept=CRITICAL)  # fmt: skip
    case = replace(case, data={**case.data, "refused_on": "2026-03-02"})
    assert case.data["pre_notice_on"] is None
    assert do(case, "suspend", SENIOR).after.state == "suspended"


def test_the_time_after_a_suspension_runs_on_while_the_remedy_is_checked() -> None:
    case = in_state("reinstatement_check")
    assert case.clocks["expel"].anchor == NOW
    assert "resolve" not in case.clocks
    case, then = past(case, "expel")
    assert do(case, "give_notice", SENIOR, now=then).after.state == "termination_notice"


def test_nobody_is_suspended_or_terminated_by_a_clock() -> None:
    for state in ("warned", "suspended", "termination_notice"):
        after, _ = until(in_state(state), at("2027-01-04"))
        assert after.state == state


def test_a_termination_waits_for_representations_or_the_end_of_their_time() -> None:
    case = in_state("termination_notice")
    assert builders.calendar().working_days_between(NOW.date(), case.clocks["representations"].due.date()) == 14
    late, then = past(case, "representations")
    found = do(late, "terminate", SENIOR, now=then)
    assert found.after.data["stage"] == "expulsion"
    assert found.steps[0].member_changes == {"status": "terminated"}
    assert tasks(found) == ["monitoring_final_invoice"]
    heard = do(case, "make_representations", MEMBER).after
    assert do(heard, "terminate", SENIOR).after.state == "terminated"


def test_where_the_statutes_say_so_only_the_council_expels() -> None:
    rules = policy()
    mine = rules.processes["monitoring"]
    strict = rules.model_copy(update={"processes": {
        **rules.processes,
        "monitoring": mine.model_copy(update={"settings": {**mine.settings,
                                                           "expulsion_by_council": True}})}})  # fmt: skip
    case = do(in_state("termination_notice"), "make_representations", MEMBER).after
    for actor, moved in ((SENIOR, False), (COUNCIL, True)):
        found = engine.decide(PROCESS, case, "terminate", payload=FORMS["terminate"], actor=actor,
                              context=replace(context(), policy=strict), now=NOW)  # fmt: skip
        assert isinstance(found, Outcome) is moved


def test_an_expulsion_is_closed_when_the_time_to_appeal_is_over() -> None:
    case, _ = past(in_state("terminated"), "appeal_window")
    assert (case.state, case.data["outcome"], case.data["closed_on"]) == (
        "expelled",
        "TERMINATED",
        "2026-04-01",
    )


# --- A27, A28


def test_a_member_who_leaves_under_a_case_is_marked_in_the_register() -> None:
    found = do(in_state("warned"), "member_left", MUSTER)
    assert found.after.data["outcome"] == "MEMBER_LEFT"
    assert found.steps[0].member_changes == {"add_flags": ["left_under_case"]}
    assert no(found.after, "reopen", MANAGER).rule == "still_a_member"


def test_a_resolved_case_stays_resolved_when_the_member_leaves_later() -> None:
    assert do(in_state("follow_up"), "member_left", MUSTER).after.data["outcome"] == "RESOLVED"


def test_a_reopened_case_is_a_finding_again_with_its_counter_up() -> None:
    case = do(in_state("follow_up"), "reopen", MANAGER, now=at("2026-06-01")).after
    assert (case.data["reopened"], case.data["stage"], case.data["outcome"]) == (1, "none", None)
    assert case.data["earlier"] == [{"opened": "2026-03-02", "closed": "2026-03-02", "outcome": "RESOLVED"}]
    assert no(case, "submit_assessment", COORD).rule == "reply_offered_or_waived"

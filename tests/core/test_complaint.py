"""A complaint, row by row: each step taken once, and refused once with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from state_machines.processes.complaint import PROCESS
from state_machines.values import Actor, Case, Refused, Role
from tests.core.builders import at, fire, messages, opened, opening, refused, staff, tasks, wait
from tests.core.builders import context as around

HANDLER, OTHER = staff(), staff(n=2)
MANAGER, MANAGER_2 = staff(Role.MANAGER), staff(Role.MANAGER, 2)
SENIOR = staff(Role.SENIOR)
COMPLAINANT = Actor("party:complainant", "Jo Doe", frozenset({Role.COMPLAINANT}))
MEMBER = Actor("member:7", "Member", frozenset({Role.MEMBER}), member_id=7)

KNOWN = {"category": "Opening hours", "complainant_name": "Jo Doe", "complainant_email": "jo@example.org"}
ACK = {"issues": "Closed early\nRudeness", "understanding": "The doors were closed.", "adjustments_asked": True}
FINDINGS = "upheld: the doors closed at 20:40\nnot upheld: the accounts differ"
ANSWER = {"findings": FINDINGS, "answer": "We are sorry."}
BREACH = KNOWN | {"alleges_breach": True, "criterion": "decent_work"}
EXTERNAL = {"body": "Ombudsman", "due_on": "2026-05-01"}
MORE = {"days": 10, "reason": "The witness is away until Monday."}
AGAIN = {"cause": "new_facts", "reason": "A recording was found that was thought lost."}


def received(**changes: Any) -> Case:
    return opened(PROCESS, KNOWN | changes, actor=OTHER, now=at("2026-04-02 10:00"))


def acknowledged(**changes: Any) -> Case:
    return fire(PROCESS, received(**changes), "acknowledge", now=at("2026-04-08 10:00"), **ACK).after


def investigated(**changes: Any) -> Case:
    return fire(PROCESS, acknowledged(**changes), "allocate", actor=MANAGER, handler=HANDLER.person).after


def extended() -> Case:
    return fire(PROCESS, investigated(), "extend", actor=MANAGER, **MORE).after


def answered(**changes: Any) -> Case:
    return fire(PROCESS, investigated(), "respond", **ANSWER | changes).after


def to_approve() -> Case:
    return fire(PROCESS, investigated(), "respond", redress_amount=51, **ANSWER).after


def asked_again() -> Case:
    return fire(PROCESS, answered(), "request_stage_2", actor=COMPLAINANT).after


def at_stage_2() -> Case:
    return fire(PROCESS, asked_again(), "acknowledge_stage_2", actor=MANAGER_2).after


def to_sign_off() -> Case:
    return fire(PROCESS, at_stage_2(), "respond_finally", actor=MANAGER_2, **ANSWER).after


def answered_finally() -> Case:
    return fire(PROCESS, to_sign_off(), "sign_off", actor=SENIOR).after


def closed() -> Case:
    return fire(PROCESS, answered(), "accept", actor=COMPLAINANT).after


def at_the_ombudsman() -> Case:
    return fire(PROCESS, closed(), "external_review", actor=MANAGER, **EXTERNAL).after


def with_actions() -> Case:
    case = answered(remedies="Put up a sign | 2026-05-01\nTrain the team | 2026-06-01")
    return fire(PROCESS, case, "accept", actor=COMPLAINANT).after


Given = Callable[[], Case]
REFER = {"destination": "safeguarding", "reason": "A child is concerned."}
REJECT = {"ground": "not_about_us", "reason": "The shop next door is not ours."}
FIX = {"answer": "We have put up a sign.", "complainant_accepts": True}
SIMPLE = {"complexity": "one sign is missing"}
DONE = {"remedy": 1, "evidence": "seen on site"}

TAKEN: list[tuple[str, Given, str, Actor, dict[str, Any], str]] = [
    ("B2", received, "refer", OTHER, REFER, "referred"),
    ("B3", received, "reject", MANAGER, REJECT, "rejected"),
    ("B4", received, "acknowledge", OTHER, ACK, "acknowledged"),
    ("B5 begins", acknowledged, "try_early_resolution", HANDLER, SIMPLE, "early_resolution"),
    ("B6", acknowledged, "allocate", MANAGER, {"handler": "staff:102"}, "stage_1"),
    ("B7", investigated, "extend", MANAGER, MORE, "stage_1_extended"),
    ("B8", investigated, "respond", HANDLER, ANSWER, "stage_1_responded"),
    ("B8 extended", extended, "respond", HANDLER, ANSWER, "stage_1_responded"),
    ("B8 money", investigated, "respond", HANDLER, ANSWER | {"redress_amount": 50.01}, "stage_1_approval"),
    ("B8 legal", investigated, "respond", HANDLER, ANSWER | {"legal_risk": True}, "stage_1_approval"),
    ("B8 approved", to_approve, "approve_response", MANAGER, {}, "stage_1_responded"),
    ("B8 returned", to_approve, "return_response", MANAGER, {"reason": "too little"}, "stage_1"),
    ("B9", answered, "request_stage_2", COMPLAINANT, {}, "stage_2_requested"),
    ("B9 closed early", closed, "request_stage_2", COMPLAINANT, {}, "stage_2_requested"),
    ("B10", asked_again, "acknowledge_stage_2", MANAGER_2, {}, "stage_2"),
    ("B11", at_stage_2, "extend_stage_2", SENIOR, MORE | {"days": 20}, "stage_2_extended"),
    ("B12 written", at_stage_2, "respond_finally", MANAGER_2, ANSWER, "stage_2_approval"),
    ("B12 signed off", to_sign_off, "sign_off", SENIOR, {}, "stage_2_responded"),
    ("B12 returned", to_sign_off, "return_final_response", SENIOR, {"reason": "a point is missing"}, "stage_2"),
    ("B13 accepted", answered, "accept", COMPLAINANT, {}, "closed"),
    ("B13 final accepted", answered_finally, "accept", COMPLAINANT, {}, "closed"),
    ("B13 one of two", with_actions, "verify_action", HANDLER, DONE, "actions_open"),
    ("B14", investigated, "external_review", MANAGER, EXTERNAL, "external_review"),
    ("B14 closed", closed, "external_review", MANAGER, EXTERNAL, "external_review"),
    ("B14 decided", at_the_ombudsman, "external_decision", MANAGER, {"decision": "upheld"}, "closed"),
    ("B15", investigated, "withdraw", COMPLAINANT, {}, "withdrawn"),
    ("B15 goes on", investigated, "withdraw", HANDLER, {"continue_anyway": True}, "stage_1"),
    ("B16 stage 1", closed, "reopen", MANAGER, AGAIN | {"stage": 1}, "stage_1"),
    ("B16 stage 2", closed, "reopen", MANAGER, AGAIN | {"stage": 2}, "stage_2"),
    ("B16 remitted", at_the_ombudsman, "reopen", MANAGER, AGAIN | {"stage": 2}, "stage_2"),
]


@pytest.mark.parametrize(
    ("given", "trigger", "who", "typed", "state"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN]
)
def test_the_step_leads_where_the_table_says(
    given: Given, trigger: str, who: Actor, typed: dict[str, Any], state: str
) -> None:
    assert fire(PROCESS, given(), trigger, actor=who, **typed).after.state == state


SHORT = ANSWER | {"findings": "upheld: only one point is answered"}
REFUSED: list[tuple[str, Given, str, Actor, dict[str, Any], str]] = [
    ("B2 later", acknowledged, "refer", OTHER, REFER, "not possible while"),
    ("B3 by a coordinator", received, "reject", OTHER, REJECT, "Only a manager"),
    ("B3 without reasons", received, "reject", MANAGER, {"ground": "legal_action"}, "reason: is required"),
    ("B4 not asked", received, "acknowledge", OTHER, ACK | {"adjustments_asked": False}, "adjustments"),
    ("B4 without points", received, "acknowledge", OTHER, ACK | {"issues": " "}, "issues"),
    ("B5 not agreed", lambda: fire(PROCESS, acknowledged(), "try_early_resolution", **SIMPLE).after, "fix_agreed",
     HANDLER, FIX | {"complainant_accepts": False}, "agreement"),
    ("B5 too much", lambda: fire(PROCESS, acknowledged(), "try_early_resolution", **SIMPLE).after, "fix_agreed",
     HANDLER, FIX | {"redress_amount": 60}, "manager's approval"),
    ("B6 involved", lambda: acknowledged(about_staff="staff:102"), "allocate", MANAGER, {"handler": "staff:102"},
     "person it is about"),
    ("B7 too long", investigated, "extend", MANAGER, MORE | {"days": 11}, "ten working days"),
    ("B7 twice", extended, "extend", MANAGER, MORE, "not possible while"),
    ("B7 elsewhere", lambda: investigated(profile="BETTER_COTTON"), "extend", MANAGER, MORE, "gives no more time"),
    ("B8 a point short", investigated, "respond", HANDLER, SHORT, "Every point"),
    ("B8 by another", investigated, "respond", OTHER, ANSWER, "Only the handler"),
    ("B8 own approval", lambda: fire(PROCESS, fire(PROCESS, acknowledged(), "allocate", actor=MANAGER,
     handler=MANAGER.person).after, "respond", actor=MANAGER, legal_risk=True, **ANSWER).after,
     "approve_response", MANAGER, {}, "Someone other"),
    ("B9 one stage only", lambda: fire(PROCESS, investigated(profile="FCA_DISP"), "respond", **ANSWER).after,
     "request_stage_2", COMPLAINANT, {}, "one stage only"),
    ("B10 same person", asked_again, "acknowledge_stage_2", HANDLER, {}, "Someone other"),
    ("B10 same manager", asked_again, "acknowledge_stage_2", MANAGER, {}, "Someone other"),
    ("B11 by a manager", at_stage_2, "extend_stage_2", MANAGER_2, MORE, "Only a senior manager"),
    ("B11 too long", at_stage_2, "extend_stage_2", SENIOR, MORE | {"days": 21}, "twenty working days"),
    ("B12 not the reviewer", at_stage_2, "respond_finally", SENIOR, ANSWER, "Only the reviewer"),
    ("B12 by a manager", to_sign_off, "sign_off", MANAGER_2, {}, "Only a council or senior manager"),
    ("B13 by hand", answered, "window_ended", MANAGER, {}, "Only a system"),
    ("B13 no such action", with_actions, "verify_action", HANDLER, DONE | {"remedy": 3}, "no open action"),
    ("B14 by a coordinator", closed, "external_review", HANDLER, EXTERNAL, "Only a manager"),
    ("B15 when closed", closed, "withdraw", COMPLAINANT, {}, "not possible while"),
    ("B16 by a coordinator", closed, "reopen", HANDLER, AGAIN | {"stage": 1}, "Only a manager"),
    ("B16 stage 2 by stage 1", closed, "reopen", MANAGER, AGAIN | {"stage": 2, "handler": HANDLER.person}, "took part"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "trigger", "who", "typed", "sentence"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_the_step_is_refused_with_a_sentence(
    given: Given, trigger: str, who: Actor, typed: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(PROCESS, given(), trigger, actor=who, **typed).sentence


def test_any_staff_the_complainant_and_muster_may_log_a_complaint_that_says_what_it_is_about() -> None:
    for who in (HANDLER, staff(Role.SITE), COMPLAINANT, Actor("system:import", "Import", frozenset({Role.SYSTEM}))):
        assert opened(PROCESS, {"category": "Debt collection"}, actor=who).state == "received"
    found = opening(PROCESS, {"channel": "phone"})
    assert isinstance(found, Refused)
    assert "Say what the complaint is about" in found.sentence


def test_an_imported_complaint_without_an_address_is_anonymous_and_sends_no_mail_to_a_complainant() -> None:
    found = opening(PROCESS, {"category": "Debt collection"}, actor=staff(), received_at=at("2016-10-03"))
    assert not isinstance(found, Refused)
    assert messages(found) == [] and tasks(found) == []
    assert found.after.data["anonymous"] is True
    step = fire(PROCESS, found.after, "acknowledge", issues="Calls at night", understanding="Calls at night.")
    assert messages(step) == []


def test_an_early_fix_is_logged_answered_in_writing_and_counts_as_resolved_early() -> None:
    case = fire(PROCESS, acknowledged(), "try_early_resolution", **SIMPLE).after
    step = fire(PROCESS, case, "fix_agreed", **FIX)
    assert messages(step) == [("complaint_resolved_early", "party:complainant")]
    assert fire(PROCESS, step.after, "accept").after.data["outcome"] == "resolved_early"


def test_an_approved_response_goes_out_word_for_word_and_is_no_longer_kept_as_a_draft() -> None:
    step = fire(PROCESS, to_approve(), "approve_response", actor=MANAGER)
    sent = step.steps[0].messages[0]
    assert sent.kind == "complaint_response"
    assert sent.data["answer"] == "We are sorry."
    assert [finding["decision"] for finding in sent.data["findings"]] == ["upheld", "not_upheld"]
    assert set(step.after.parties) == {"complainant"}


def test_reasons_are_kept_beside_the_event_and_only_decisions_on_the_case() -> None:
    step = fire(PROCESS, investigated(), "respond", **ANSWER)
    assert "20:40" not in str(step.after.data)
    assert "20:40" in str(step.steps[0].personal)
    assert step.after.data["decision"] == "partly_upheld"


def test_the_answer_goes_out_before_the_promised_actions_are_done_and_the_last_one_closes_it() -> None:
    case = with_actions()
    assert case.state == "actions_open"
    case = fire(PROCESS, case, "verify_action", **DONE).after
    last = fire(PROCESS, case, "verify_action", remedy=2, evidence="list of participants")
    assert last.after.state == "closed"
    assert messages(last) == [
        ("complaint_satisfaction", "party:complainant"),
        ("complaint_action_completed", "party:complainant"),
    ]


def test_how_it_was_is_asked_once_even_when_it_is_closed_twice() -> None:
    again = fire(PROCESS, closed(), "reopen", actor=MANAGER, stage=1, **AGAIN).after
    step = fire(PROCESS, fire(PROCESS, again, "respond", **ANSWER).after, "accept")
    assert step.after.state == "closed"
    assert messages(step) == []


def test_stage_2_needs_no_reasons_within_the_window_and_a_manager_s_good_cause_after_it() -> None:
    case, _ = wait(PROCESS, answered(), at("2026-05-20"), around())
    assert case.state == "closed"
    late = at("2026-05-20 10:00")
    assert "time to ask" in refused(PROCESS, case, "request_stage_2", actor=COMPLAINANT, now=late).sentence
    assert "good cause" in refused(PROCESS, case, "request_stage_2", actor=MANAGER, now=late).sentence
    taken = fire(PROCESS, case, "request_stage_2", actor=MANAGER, now=late, good_cause="She was in hospital.")
    assert taken.after.state == "stage_2_requested"


def test_a_second_reviewer_may_not_be_somebody_of_stage_1() -> None:
    case = at_stage_2()
    sentence = refused(PROCESS, case, "name_reviewer", actor=SENIOR, handler=HANDLER.person).sentence
    assert "took part at the first stage" in sentence
    assert fire(PROCESS, case, "name_reviewer", actor=SENIOR, handler="staff:900").after.data["reviewer"] == "staff:900"


def test_a_handler_who_was_only_named_and_never_acted_cannot_review_either() -> None:
    case = acknowledged()
    case = fire(PROCESS, case, "allocate", actor=MANAGER, handler=OTHER.person).after
    case = fire(PROCESS, case, "allocate", actor=MANAGER, handler=HANDLER.person).after
    case = fire(PROCESS, fire(PROCESS, case, "respond", **ANSWER).after, "request_stage_2").after
    assert "handler at the first stage" in refused(PROCESS, case, "acknowledge_stage_2", actor=OTHER).sentence


def test_who_is_named_in_a_complaint_and_who_acts_for_them_can_do_nothing_in_it() -> None:
    case = opened(PROCESS, KNOWN | {"about_staff": HANDLER.person}, actor=OTHER)
    deputy = replace(OTHER, on_behalf_of=HANDLER.person)
    for who in (HANDLER, deputy):
        assert "named in this complaint" in refused(PROCESS, case, "acknowledge", actor=who, **ACK).sentence
    later = fire(PROCESS, investigated(), "wall_off", actor=MANAGER, about_staff=HANDLER.person).after
    assert "named in this complaint" in refused(PROCESS, later, "respond", **ANSWER).sentence
    assert later.data["handler"] is None


def test_a_new_point_joins_before_the_response_and_needs_a_new_complaint_after_it() -> None:
    case = fire(PROCESS, investigated(), "add_issue", category="No lift").after
    assert len(case.data["issues"]) == 3
    assert "Every point" in refused(PROCESS, case, "respond", **ANSWER).sentence
    assert "open a new complaint" in refused(PROCESS, answered(), "add_issue", category="No lift").sentence
    waiting = fire(PROCESS, to_approve(), "add_issue", category="No lift").after
    assert "A point was added" in refused(PROCESS, waiting, "approve_response", actor=MANAGER).sentence


def test_an_outside_body_sets_the_date_of_the_evidence_and_a_rejected_complaint_can_be_sent_back() -> None:
    case = fire(PROCESS, received(), "reject", actor=MANAGER, **REJECT).after
    case = fire(PROCESS, case, "external_review", actor=MANAGER, **EXTERNAL).after
    assert case.clocks["evidence"].due == at("2026-05-01 23:59")
    case = fire(PROCESS, case, "send_evidence", actor=MANAGER, next_look_on="2026-07-01").after
    assert case.clocks["evidence"].due == at("2026-07-01 23:59")
    assert fire(PROCESS, case, "reopen", actor=MANAGER, stage=1, **AGAIN).after.state == "received"


def test_actions_that_an_outside_body_asks_for_are_followed_until_they_are_done() -> None:
    step = fire(PROCESS, at_the_ombudsman(), "external_decision", actor=MANAGER, decision="upheld", remedies="Pay it")
    assert step.after.state == "actions_open"
    assert fire(PROCESS, step.after, "verify_action", **DONE).after.data["outcome"] == "upheld"


def test_a_withdrawal_is_confirmed_in_writing_and_nobody_writes_again_when_we_go_on_anyway() -> None:
    step = fire(PROCESS, investigated(), "withdraw", continue_anyway=True)
    assert messages(step) == [("complaint_withdrawn", "party:complainant")]
    assert messages(fire(PROCESS, step.after, "respond", **ANSWER)) == []


def test_a_complainant_without_e_mail_gets_letters_by_post() -> None:
    case = opened(PROCESS, {"category": "Hours", "complainant_name": "Jo Doe"})
    step = fire(PROCESS, case, "acknowledge", **ACK)
    assert messages(step) == []
    assert tasks(step) == ["post_letter"]


def test_a_member_who_complains_is_written_to_and_may_withdraw_but_not_one_who_is_complained_about() -> None:
    ours = opened(PROCESS, {"category": "Hours", "complainant_type": "member"}, member_id=7)
    assert messages(fire(PROCESS, ours, "acknowledge", **ACK)) == [("complaint_acknowledged", "member")]
    assert fire(PROCESS, ours, "withdraw", actor=MEMBER).after.state == "withdrawn"
    theirs = opened(PROCESS, BREACH | {"profile": "BETTER_COTTON"}, member_id=7)
    assert "Only the complainant" in refused(PROCESS, theirs, "withdraw", actor=MEMBER).sentence


# --- members, and the code


def spawned(found: Any) -> list[Any]:
    return [spawn for step in found.steps for spawn in step.spawns]


def test_a_complaint_about_the_code_opens_one_monitoring_case_that_does_not_say_who_complained() -> None:
    case = opened(PROCESS, BREACH | {"profile": "BETTER_COTTON"}, now=at("2026-04-02"), member_id=7)
    step = fire(PROCESS, case, "acknowledge", **ACK)
    (spawn,) = spawned(step)
    assert (spawn.process, spawn.link) == ("monitoring", "spawned_from")
    assert spawn.data == {
        "criterion": "decent_work", "severity": "major", "source": "complaint", "source_date": "2026-04-02",
        "evidence": "complaint on file",
    }  # fmt: skip
    assert "Jo" not in str(spawn)
    sentence = refused(PROCESS, step.after, "open_monitoring", criterion="sourcing").sentence
    assert "opened from this complaint already" in sentence


def test_a_breach_that_shows_later_opens_a_monitoring_case_and_closing_the_complaint_closes_nothing_else() -> None:
    case = opened(PROCESS, KNOWN, member_id=7)
    case = fire(PROCESS, case, "acknowledge", **ACK).after
    step = fire(PROCESS, case, "open_monitoring", criterion="sourcing")
    assert len(spawned(step)) == 1
    left = fire(PROCESS, step.after, "withdraw", actor=COMPLAINANT)
    assert all(not step.fires for step in left.steps)
    assert "not about a member" in refused(PROCESS, investigated(), "open_monitoring", criterion="sourcing").sentence


def test_the_third_complaint_on_a_member_in_twelve_months_raises_one_signal() -> None:
    raised = {}
    for earlier in range(5):
        facts = {"history": {"complaints_12m": earlier}}
        raised[earlier] = len(spawned(opening(PROCESS, KNOWN, member_id=7, facts=facts)))
    assert raised == {0: 0, 1: 0, 2: 1, 3: 0, 4: 0}


def test_the_member_complained_about_is_asked_for_its_side_without_hearing_who_complained() -> None:
    case = opened(PROCESS, KNOWN | {"profile": "BETTER_COTTON"}, member_id=7)
    step = fire(PROCESS, case, "acknowledge", **ACK)
    assert ("complaint_about_member", "member") in messages(step)
    assert step.after.clocks["reply"].due == at("2026-03-16 23:59")
    replied = fire(PROCESS, step.after, "record_reply", actor=MEMBER, reply="It was a holiday.").after
    assert "reply" not in replied.clocks
    assert "Nobody is asked" in refused(PROCESS, acknowledged(), "record_reply", reply="x").sentence

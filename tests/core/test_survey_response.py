"""One member's response: every row of its table taken once and refused once, and what stops the reminders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from notifications import samples
from notifications.kinds import reaching as reaching_kinds
from notifications.kinds import survey_campaign as campaign_kinds
from notifications.kinds import survey_response as kinds
from state_machines import engine
from state_machines.process import personal_fields
from state_machines.processes import survey_forms as forms
from state_machines.processes.survey_response import PROCESS
from state_machines.proof import prove
from state_machines.values import Case, Outcome, Role, Step
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
    tasks,
    wait,
)

INVITATION = {
    "launch": "2026-03-03", "deadline": "2026-04-17", "questionnaire": "self-assessment",
    "questionnaire_version": 4, "campaign_title": "Annual self-assessment 2026",
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "revision": 1, "respondent_name": "Chandra Rao", "respondent_role": "Head of sourcing",
    "declaration": True,
}  # fmt: skip
FLAG = {
    "rule": "year_on_year",
    "question": "water_use",
    "severity": "medium",
    "text": "Three times last year's.",
}
QUERY = {"questions": [{"question": "water_use", "text": "Litres or cubic metres?"}]}
MERGED = {"exemption": "merged", "answered_by": "M-000004"}
SAMPLED = 4
"""The id of a case that the sample for a second check takes."""

AMARA = staff(Role.COORDINATOR)
BO = staff(Role.COORDINATOR, 2)
MANAGER = staff(Role.MANAGER)
OTHER_MANAGER = staff(Role.MANAGER, 2)


def invited(**seed: Any) -> Case:
    given = {"id": 1, "member_id": 7, "now": at("2026-03-03")} | seed
    return opened(PROCESS, INVITATION, actor=system(), **given)


def after(case: Case, *moves: tuple[Any, ...], day: str | None = None) -> Case:
    """The case after some moves: (trigger, actor, payload)."""
    for trigger, actor, *payload in moves:
        when = at(day) if day else None
        case = fire(PROCESS, case, trigger, actor=actor, now=when, **(payload[0] if payload else {})).after
    return case


def until(day: str, case: Case | None = None) -> Case:
    return wait(PROCESS, case or invited(), at(day), context())[0]


def begun() -> Case:
    return after(invited(), ("view", member()), ("save", member(), {"revision": 1}), day="2026-03-05")


def in_review(flags: list[Any] | None = None, **seed: Any) -> Case:
    return after(invited(**seed), ("submit", member(), ANSWER | {"flags": flags or []}), day="2026-03-09")


def queried(rounds: int = 1) -> Case:
    case = after(in_review([FLAG]), ("query", AMARA, QUERY))
    for number in range(2, rounds + 1):
        again = ANSWER | {"revision": number, "flags": [FLAG]}
        case = after(case, ("submit", member(), again), ("query", AMARA, QUERY))
    return case


def exemption_asked(case: Case | None = None) -> Case:
    return after(case or begun(), ("request_exemption", member(), MERGED))


def escalated() -> Case:
    return until("2026-04-23")


def noticed() -> Case:
    return until("2026-05-19")


def to_decide() -> Case:
    return until("2026-06-02")


def failed() -> Case:
    return after(to_decide(), ("fail", MANAGER, {"reason": "No answer and no reason."}))


def bounced() -> Case:
    return after(invited(), ("bounce", system(), {"status": "5.1.1"}))


REFUSAL = {"in_writing": True, "statement": "We will not take part."}
TAKEN: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], str]] = [
    ("DR2", invited, "bounce", system(), {"status": "5.1.1"}, "bounced"),
    ("DR2 back", bounced, "contact_repaired", AMARA, {}, "invited"),
    ("opened", invited, "view", member(), {}, "opened"),
    ("DR3", invited, "save", member(), {"revision": 1}, "in_progress"),
    ("DR4 and DR5", begun, "submit", member(), ANSWER, "dq_review"),
    ("DR4 escalated", escalated, "submit", member(), ANSWER, "dq_review"),
    ("DR4 after the notice", noticed, "submit", member(), ANSWER, "dq_review"),
    ("DR4 before a decision", to_decide, "submit", member(), ANSWER, "dq_review"),
    ("DR6", in_review, "complete", AMARA, {}, "complete"),
    ("DR7", in_review, "query", AMARA, QUERY, "queried"),
    ("DR8", queried, "submit", member(), ANSWER, "dq_review"),
    ("DR9", queried, "accept_with_caveat", MANAGER, {"reason": "Enough.", "excluded": ["q1"]}, "complete"),
    ("DR10 asked", begun, "request_exemption", AMARA, MERGED, "exemption_requested"),
    ("DR10", exemption_asked, "approve_exemption", MANAGER, {"reason": "The parent answers."}, "exempt"),
    ("DR10 back", exemption_asked, "decline_exemption", MANAGER, {"reason": "No merger."}, "in_progress"),
    ("DR11", to_decide, "fail", MANAGER, {"reason": "No answer."}, "failed"),
    ("DR11 exempt", to_decide, "exempt", MANAGER, {"exemption": "insolvent"}, "exempt"),
    ("DR11 extend", to_decide, "extend", MANAGER, {"until": "2026-06-30", "reason": "Fire."}, "in_progress"),
    ("DR12", failed, "submit", member(), ANSWER, "dq_review"),
    ("DR13", begun, "refuse", member(), REFUSAL, "refused"),
    ("closed", failed, "campaign_closed", system(), {}, "not_answered"),
    ("cancelled", in_review, "campaign_cancelled", system(), {}, "cancelled"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "start", "trigger", "actor", "payload", "state"), TAKEN, ids=[r[0] for r in TAKEN])
def test_each_row_can_be_taken(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any], state: str
) -> None:
    assert fire(PROCESS, start(), trigger, actor=actor, **payload).after.state == state


REFUSED: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], str]] = [
    ("DR2: a full mailbox is no bounce", invited, "bounce", system(), {"status": "4.2.2"}, "payload"),
    ("DR3: staff do not answer for members", invited, "save", AMARA, {"revision": 1}, "role"),
    ("DR4: nobody is named", begun, "submit", member(), {"revision": 1, "declaration": True}, "payload"),
    ("DR4: no declaration", begun, "submit", member(), ANSWER | {"declaration": False}, "payload"),
    ("DR4: an answer is missing", begun, "submit", member(), ANSWER | {"missing": ["q9"]},
     "nothing_is_missing"),
    ("DR5: only Muster", in_review, "begin_review", AMARA, {}, "state"),
    ("DR6: a flag is open", lambda: in_review([FLAG]), "complete", AMARA, {}, "every_flag_is_settled"),
    ("DR6: sampled", lambda: in_review(id=SAMPLED), "complete", AMARA, {}, "second_check_is_done"),
    ("DR7: no text", in_review, "query", AMARA, {"questions": []}, "payload"),
    ("DR8: two rounds", lambda: after(queried(2), ("submit", member(), ANSWER)), "query", AMARA, QUERY,
     "a_round_is_left"),
    ("DR9: not the coordinator", queried, "accept_with_caveat", AMARA, {"reason": "Fine.", "excluded": ["q"]},
     "role"),
    ("DR10: no such reason", begun, "request_exemption", member(), {"exemption": "busy"}, "payload"),
    ("DR10: merged into whom", begun, "request_exemption", member(), {"exemption": "merged"}, "payload"),
    ("DR11: not the coordinator", to_decide, "fail", AMARA, {"reason": "No answer."}, "role"),
    ("DR11: a past date", to_decide, "extend", MANAGER, {"until": "2026-05-30", "reason": "Fire."},
     "new_deadline_is_later"),
    ("DR11: a notice before the deadline", begun, "formal_notice", MANAGER, {}, "notice_may_go"),
    ("DR12: after the close", lambda: after(failed(), ("campaign_closed", system())), "submit",
     member(), ANSWER, "state"),
    ("DR13: not in writing", begun, "refuse", member(), REFUSAL | {"in_writing": False}, "payload"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "start", "trigger", "actor", "payload", "rule"), REFUSED, ids=[r[0] for r in REFUSED])
def test_each_row_can_be_refused(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any], rule: str
) -> None:
    assert refused(PROCESS, start(), trigger, actor=actor, **payload).rule == rule


def test_muster_opens_a_response_and_invites_the_member() -> None:
    found = opening(PROCESS, INVITATION, actor=system(), now=at("2026-03-03"), member_id=7)

    assert isinstance(found, Outcome)
    assert messages(found) == [("survey_invitation", "member")]
    assert found.after.clocks["respond"].due == at("2026-04-17 23:59")


def test_nobody_but_muster_opens_a_response() -> None:
    assert not isinstance(opening(PROCESS, INVITATION, actor=AMARA), Outcome)


def test_the_definition_holds() -> None:
    assert prove(PROCESS, policy(), message_kinds=[kind.kind for kind in kinds.KINDS] + GENERAL) == []


GENERAL = ["case_due_soon", "case_overdue", "case_escalated", *(kind.kind for kind in reaching_kinds.KINDS)]


def test_every_message_renders() -> None:
    names = [kind.kind for kind in (*kinds.KINDS, *campaign_kinds.KINDS)]
    rendered, failed_ones = samples.render_samples(names)

    assert failed_ones == {}
    assert {kind: page.subject for kind, page in rendered.items() if not page.subject} == {}
    assert len({page.subject for page in rendered.values()}) == len(names)


REMINDERS = {
    "survey_reminder_unopened", "survey_reminder_first", "survey_reminder_second", "survey_reminder_progress",
    "survey_week_left", "survey_three_days_left", "survey_one_day_left", "survey_last_day", "survey_nudge",
    "survey_overdue", "survey_letter", "survey_formal_notice", "survey_invitation",
}  # fmt: skip


NOT_WANTED_IN = [
    "bounced", "submitted", "dq_review", "queried", "exemption_requested", "exempt", "complete", "failed",
    "refused", "cancelled", "not_answered", "decision",
]  # fmt: skip


@pytest.mark.parametrize("state", NOT_WANTED_IN)
def test_a_reminder_that_waits_to_leave_is_dropped_where_it_is_not_wanted(state: str) -> None:
    wanted = {kind.kind for kind in kinds.KINDS if not kind.while_in or state in kind.while_in}

    assert wanted & REMINDERS == set()


def test_while_in_names_only_states_there_are() -> None:
    named = {state for kind in kinds.KINDS for state in kind.while_in}

    assert named <= set(PROCESS.by_name)


# --- the answer


def test_a_submission_settles_every_task() -> None:
    called = until("2026-04-22")
    step = fire(PROCESS, called, "submit", actor=member(), now=at("2026-04-22 12:00"), **ANSWER).steps[0]

    assert step.closes_tasks == ("*",)
    assert step.messages[0].kind == "survey_receipt"


@pytest.mark.parametrize("start", [begun, escalated, noticed, to_decide, bounced, exemption_asked, failed])
def test_after_a_submission_nothing_is_sent_that_asks_for_one(start: Callable[[], Case]) -> None:
    case = after(start(), ("submit", member(), ANSWER))
    _, steps = wait(PROCESS, case, at("2027-03-01"), context())

    assert "respond" not in case.clocks
    assert [kind for kind, _ in messages(steps) if kind.startswith("survey_")] == []
    assert tasks(steps) == []


@pytest.mark.parametrize(("band", "asked"), [("LOW", []), ("MEDIUM", []), ("HIGH", ["risk_review"]),
                                             ("CRITICAL", ["risk_review"])])  # fmt: skip
def test_a_high_score_is_reviewed_in_ten_working_days_until_the_answer_is_complete(band: str, asked: list[str]) -> None:
    found = fire(PROCESS, begun(), "submit", actor=member(), now=at("2026-03-09 10:00"), **ANSWER, score=60, band=band)
    assert tasks(found) == asked
    assert all(task.due == at("2026-03-23 23:59") for step in found.steps for task in step.tasks)

    assert fire(PROCESS, found.after, "complete", actor=AMARA).steps[0].closes_tasks == ("risk_review",)


def test_opening_the_form_is_no_answer() -> None:
    viewed = after(invited(), ("view", member()))
    _, steps = wait(PROCESS, viewed, at("2026-03-24"), context())

    assert messages(steps) == [("survey_reminder_first", "member"), ("survey_reminder_second", "member")]


def test_who_has_begun_is_reminded_of_how_far_they_are() -> None:
    case = after(invited(), ("save", member(), {"revision": 1, "answered": 31, "required": 40}))
    _, steps = wait(PROCESS, case, at("2026-03-24"), context())

    assert ("survey_reminder_progress", "member") in messages(steps)
    assert (case.data["answered"], case.data["required"]) == (31, 40)


def test_a_late_answer_is_marked_as_late() -> None:
    assert after(escalated(), ("submit", member(), ANSWER)).data["late"] is True
    assert in_review().data["late"] is False


def test_the_name_of_the_respondent_is_kept_apart() -> None:
    found = fire(PROCESS, begun(), "submit", actor=member(), **ANSWER, flags=[FLAG])

    assert personal_fields(forms.Submission) == {"respondent_name", "respondent_role", "flags"}
    assert "Chandra" not in str(found.after.data) + str(found.steps[0].details)
    assert found.after.data["open_flags"] == [{"id": "year_on_year:water_use", "severity": "medium"}]


# --- review


def test_a_flag_is_dismissed_with_a_reason() -> None:
    dismissed = [{"flag": "year_on_year:water_use", "reason": "A new plant opened."}]
    done = after(in_review([FLAG]), ("complete", AMARA, {"dismissed": dismissed}))

    assert (done.state, done.data["outcome"]) == ("complete", "complete")


def test_an_open_flag_is_named_in_the_refusal() -> None:
    assert "year_on_year:water_use" in refused(PROCESS, in_review([FLAG]), "complete", actor=AMARA).sentence


def test_a_sampled_answer_is_completed_by_another_than_who_checked_it() -> None:
    checked = after(in_review(id=SAMPLED), ("second_check", BO, {"agreed": True}))

    assert refused(PROCESS, checked, "complete", actor=BO).rule == "four_eyes"
    assert after(checked, ("complete", AMARA)).state == "complete"


def test_an_answer_outside_the_sample_needs_no_second_check() -> None:
    assert refused(PROCESS, in_review(), "second_check", actor=BO, agreed=True).rule == "needs_second_check"


def test_about_a_tenth_is_sampled() -> None:
    from state_machines.processes.survey_rules import needs_second_check

    case = in_review()
    taken = 0
    for number in range(1000):
        draft = engine.Draft(
            PROCESS, replace(case, id=number), None, None, actor=AMARA, context=context(), now=case.entered_at
        )
        taken += needs_second_check(draft)

    assert 80 <= taken <= 125


def test_what_staff_have_changed_is_marked_and_checked_by_another() -> None:
    change = {"revision": 2, "questions": ["water_use"], "reason": "Said on the phone.", "flags": []}
    changed = after(in_review([FLAG]), ("impute", AMARA, change))

    assert changed.data["imputed"] == ["water_use"]
    assert refused(PROCESS, changed, "complete", actor=AMARA).rule == "second_check_is_done"
    assert refused(PROCESS, changed, "second_check", actor=AMARA, agreed=True).rule == "four_eyes"
    checked = after(changed, ("second_check", BO, {"agreed": True}))
    assert after(checked, ("complete", AMARA)).state == "complete"


def test_an_answer_with_a_caveat_says_what_is_left_out() -> None:
    done = after(queried(), ("accept_with_caveat", MANAGER, {"reason": "Good enough.", "excluded": ["water_use"]}))

    assert (done.data["outcome"], done.data["excluded"]) == ("complete_with_caveat", ["water_use"])


def test_after_two_rounds_a_call_and_a_correction_still_lead_to_an_end() -> None:
    case = after(queried(2), ("submit", member(), ANSWER | {"flags": [FLAG]}))
    case = after(case, ("log_call", AMARA, {"outcome": "reached"}))

    change = {"revision": 4, "questions": ["water_use"], "reason": "Said on the phone.", "flags": []}
    case = after(case, ("impute", AMARA, change), ("second_check", BO, {"agreed": True}), ("complete", AMARA))
    assert case.state == "complete"


def test_a_query_without_a_reply_leads_to_a_call_and_to_the_manager() -> None:
    _, steps = wait(PROCESS, queried(), at("2026-04-01"), context())

    assert messages(steps) == [
        ("survey_query_reminder", "member"), ("survey_query_unanswered", "owner"),
        ("case_escalated", "manager"),
    ]  # fmt: skip
    assert tasks(steps) == ["phone"]


# --- exemption


def test_who_asked_for_an_exemption_does_not_decide_it() -> None:
    both = replace(MANAGER, roles=frozenset({Role.MANAGER, Role.COORDINATOR}))
    asked = after(begun(), ("request_exemption", both, MERGED))

    for trigger in ("approve_exemption", "decline_exemption"):
        assert refused(PROCESS, asked, trigger, actor=both, reason="It is so.").rule == "four_eyes"
    assert after(asked, ("approve_exemption", OTHER_MANAGER, {"reason": "It is so."})).data["outcome"] == "exempt"


def test_reminders_stand_still_while_an_exemption_is_decided_and_are_not_caught_up() -> None:
    asked = after(until("2026-04-08"), ("request_exemption", member(), MERGED), day="2026-04-09")
    waited, quiet = wait(PROCESS, asked, at("2026-04-15 12:00"), context())
    back = after(waited, ("decline_exemption", MANAGER, {"reason": "No merger."}), day="2026-04-15 12:00")
    _, steps = wait(PROCESS, back, at("2026-04-17"), context())

    assert [kind for kind, _ in messages(quiet) if kind.startswith("survey_")] == []
    assert back.clocks["respond"].due == at("2026-04-17 23:59")
    assert messages(steps) == [("survey_one_day_left", "member"), ("survey_last_day", "member")]


def test_the_record_says_which_reminders_fell_into_a_pause() -> None:
    asked = after(until("2026-04-08"), ("request_exemption", member(), MERGED), day="2026-04-09")
    back = fire(PROCESS, asked, "decline_exemption", actor=MANAGER, now=at("2026-04-15 12:00"), reason="No merger.")

    assert back.steps[0].details["passed_over"] == {"respond": ["week_left", "three_days_left"]}


@pytest.mark.parametrize("start", [invited, begun, escalated, noticed, to_decide, failed, in_review, queried, bounced])
def test_a_declined_exemption_goes_back_to_where_it_was(start: Callable[[], Case]) -> None:
    case = start()
    back = after(exemption_asked(case), ("decline_exemption", MANAGER, {"reason": "No such thing."}))

    assert back.state == case.state


# --- bounces, calls, nudges


def test_a_bounce_asks_for_a_repair_and_holds_the_reminders() -> None:
    found = fire(PROCESS, invited(), "bounce", actor=system(), status="5.1.1", address="old@example.org")
    _, steps = wait(PROCESS, found.after, at("2026-04-17"), context())

    assert tasks(found) == ["contact_repair"]
    assert [kind for kind, _ in messages(steps) if kind.startswith("survey_")] == []


def test_after_a_repair_there_is_a_fresh_invitation_and_the_ladder_goes_on() -> None:
    found = fire(PROCESS, bounced(), "contact_repaired", actor=AMARA, now=at("2026-03-12"))
    _, steps = wait(PROCESS, found.after, at("2026-03-24"), context())

    assert messages(found) == [("survey_invitation", "member")]
    assert messages(steps) == [("survey_reminder_second", "member")]


def test_who_is_reached_only_after_the_deadline_gets_a_new_one() -> None:
    late = at("2026-04-24")
    assert refused(PROCESS, bounced(), "contact_repaired", actor=AMARA, now=late).rule == "payload"

    back = fire(PROCESS, bounced(), "contact_repaired", actor=AMARA, now=late, until="2026-05-15").after
    _, steps = wait(PROCESS, back, at("2026-05-15"), context())
    assert [kind for kind, _ in messages(steps)] == [
        "survey_week_left", "survey_three_days_left", "survey_one_day_left", "survey_last_day",
    ]  # fmt: skip


def test_one_nudge_a_day_and_it_takes_the_place_of_a_reminder() -> None:
    nudged = fire(PROCESS, invited(), "nudge", actor=AMARA, now=at("2026-03-10 08:30"))

    assert nudged.after.data["reminders"] == 1
    assert refused(PROCESS, nudged.after, "nudge", actor=AMARA, now=at("2026-03-10 17:00")).rule == (
        "not_written_to_today"
    )
    assert messages(wait(PROCESS, nudged.after, at("2026-03-11"), context())[1]) == []


def test_a_promise_is_looked_at_on_its_day_and_spares_the_second_call() -> None:
    called = until("2026-04-22")
    promise = {"outcome": "promised", "promised_on": "2026-04-28"}
    found = fire(PROCESS, called, "log_call", actor=AMARA, now=at("2026-04-22 10:00"), **promise)
    _, steps = wait(PROCESS, found.after, at("2026-04-28"), context())

    assert "phone" in found.steps[0].closes_tasks
    assert messages(steps) == [("reach_promise_today", "member")]
    assert tasks(steps) == []


@pytest.mark.parametrize("call", [
    {"outcome": "promised"}, {"outcome": "promised", "promised_on": "2026-03-01"},
    {"outcome": "voicemail", "promised_on": "2026-05-01"},
])  # fmt: skip
def test_a_promise_and_its_day_go_together(call: dict[str, str]) -> None:
    assert refused(PROCESS, invited(), "log_call", actor=AMARA, **call).rule == "promise_has_a_day"


def test_a_wrong_number_is_repaired() -> None:
    assert tasks(fire(PROCESS, invited(), "log_call", actor=AMARA, outcome="wrong_number")) == ["contact_repair"]


# --- the end


def spawned(steps: Any) -> list[Any]:
    return [spawn for step in steps for spawn in step.spawns]


def test_failing_opens_one_monitoring_case() -> None:
    found = fire(PROCESS, to_decide(), "fail", actor=MANAGER, reason="No answer.")
    (incident,) = spawned(found.steps)

    assert (incident.process, incident.link) == ("monitoring", "caused_by")
    assert incident.data == {
        "criterion": "commitment_conduct", "severity": "major", "source": "survey non-response",
        "source_date": "2026-06-02", "evidence": "campaign record",
    }  # fmt: skip


def test_a_refusal_opens_one_monitoring_case_and_no_second_follows() -> None:
    found = fire(PROCESS, begun(), "refuse", actor=member(), **REFUSAL)
    again = after(found.after, ("submit", member(), ANSWER))

    assert len(spawned(found.steps)) == 1
    assert spawned(fire(PROCESS, again, "refuse", actor=member(), **REFUSAL).steps) == []


def test_who_never_answers_is_given_up_in_the_end() -> None:
    case, _ = wait(PROCESS, failed(), at("2027-01-01"), context())

    assert (case.state, case.data["outcome"]) == ("not_answered", "not_answered")


def test_an_extension_starts_the_ladder_again_from_the_new_day() -> None:
    more = after(to_decide(), ("extend", MANAGER, {"until": "2026-06-30", "reason": "Fire."}), day="2026-06-03")
    _, steps = wait(PROCESS, more, at("2026-07-01"), context())

    assert more.data["extension_granted"] is True
    assert [kind for kind, _ in messages(steps)] == [
        "survey_week_left", "survey_three_days_left", "survey_one_day_left", "survey_last_day",
        "survey_overdue",
    ]  # fmt: skip


def test_a_deadline_moved_for_all_does_not_shorten_an_extension() -> None:
    more = after(begun(), ("extend", MANAGER, {"until": "2026-06-30", "reason": "Fire."}))

    moved = {"until": "2026-05-15", "reason": "Holidays."}
    assert refused(PROCESS, more, "deadline_moved", actor=system(), **moved).rule == "new_deadline_is_later"


def test_a_deadline_moved_for_all_brings_who_is_late_back_to_friendly_reminders() -> None:
    found = fire(PROCESS, escalated(), "deadline_moved", actor=system(), until="2026-05-15", reason="Holidays.")

    assert found.after.state == "in_progress"
    assert found.after.clocks["respond"].due == at("2026-05-15 23:59")
    assert messages(found) == [("survey_deadline_moved", "member")]
    assert found.steps[0].closes_tasks == ("*",)


def test_the_words_of_a_refusal_are_kept_apart() -> None:
    step: Step = fire(PROCESS, begun(), "refuse", actor=member(), **REFUSAL).steps[0]

    assert step.personal == {"statement": "We will not take part."}
    assert "statement" not in step.details["payload"]

"""One member's response to a survey campaign, from the invitation to a complete answer or a decision.

The ladder belongs to the response, not to the page the member is on: opening the form is not answering it,
and only a submission by a named person ends the reminders. The order is kind: reminders, two calls, a letter
to the senior contact, a formal notice with ten working days to comply, then a manager's decision. Letter and
notice leave by themselves on their day; two working days before the notice the manager hears of it and may
withhold it.

Sources: RSPO Annual Communication of Progress (a window of about 45 days; who does not submit is warned, and
suspended after two years in a row); RFC 3463 for what counts as a permanent failure of delivery.
"""

from __future__ import annotations

from typing import Any

from state_machines.escalation import escalations
from state_machines.process import EVERY_OPEN_STATE, Clock, Process, Send, State, Transition
from state_machines.processes import chasing, leaving_out, reaching
from state_machines.processes import survey_forms as forms
from state_machines.processes import survey_rules as rules
from state_machines.processes.exempting import Asked, exempting
from state_machines.processes.pressing import letter_and_notice, rung
from state_machines.processes.reaching_rules import count_bounce
from state_machines.processes.survey_rules import ASKED, CHASED, LATE, UNDER_REVIEW, WAITING
from state_machines.standing import Standing
from state_machines.values import Role

MEMBER = frozenset({Role.MEMBER})
COORDINATOR = frozenset({Role.COORDINATOR})
MANAGER = frozenset({Role.MANAGER})
EITHER = COORDINATOR | MANAGER
SYSTEM = frozenset({Role.SYSTEM})

_RESPOND: dict[str, Any] = {
    "ladder": "response", "anchor": "launch", "until": "deadline", "label": "answer to the survey",
}  # fmt: skip
RESPOND = Clock("respond", **_RESPOND)
HELD = Clock("respond", paused=True, **_RESPOND)
PROMISE = reaching.PROMISE
REVIEW = Clock("review", ladder="standard", label="review of the answer")
LATE_ANSWER = Clock("late_answer", ladder="reminded_expiry", expires="give_up", label="last chance to answer")

EXEMPTIBLE = (*CHASED, "bounced", "decision", *UNDER_REVIEW, *LATE, "unreachable")

STATES = [
    State("invited", standing=Standing.AWAITED, clocks=(RESPOND, PROMISE),
          help="Asked, and the form has not been opened."),
    State("bounced", standing=Standing.UNREACHED, clocks=(HELD, Clock("contact_repair", ladder="standard")),
          help="Mail came back for good. Reminders stand still until somebody finds a contact that works."),
    State("opened", standing=Standing.AWAITED, clocks=(RESPOND, PROMISE),
          help="The form has been looked at, which is not an answer."),
    State("in_progress", standing=Standing.AWAITED, clocks=(RESPOND, PROMISE), help="Something has been saved."),
    State("submitted", standing=Standing.IN_REVIEW, clocks=(REVIEW,), auto=("begin_review",)),
    State("dq_review", standing=Standing.IN_REVIEW, clocks=(REVIEW,), label="Data-quality review",
          help="A coordinator looks at what the automatic checks found."),
    State("queried", standing=Standing.ASKED_BACK,
          clocks=(Clock("query_reply", ladder="query", label="reply to our questions"),),
          help="The member has been asked back."),
    State("resubmitted", standing=Standing.IN_REVIEW, clocks=(REVIEW,), auto=("begin_review",)),
    State("exemption_requested", standing=Standing.UNDECIDED, owner=Role.MANAGER,
          clocks=(HELD, Clock("exemption", ladder="decision")),
          help="Reminders stand still; the deadline does not."),
    State("escalated", standing=Standing.AWAITED, clocks=(RESPOND, PROMISE),
          help="Overdue: calls, then a letter to the senior contact."),
    State("formal_notice", standing=Standing.AWAITED, owner=Role.MANAGER,
          clocks=(RESPOND, PROMISE, Clock("comply", ladder="expiry", expires="bring_to_decision"))),
    State("decision", standing=Standing.UNDECIDED, owner=Role.MANAGER,
          clocks=(HELD, Clock("decide", ladder="decision")),
          help="A manager gives more time, exempts, or records that no answer came."),
    State("failed", standing=Standing.UNANSWERED, clocks=(LATE_ANSWER,), label="No answer",
          help="Passed to monitoring. A late answer is still taken until the campaign closes."),
    State("refused", standing=Standing.UNANSWERED, clocks=(LATE_ANSWER,), label="Refused to answer"),
    *reaching.states(HELD, LATE_ANSWER),
    *leaving_out.states(HELD),
    State("complete", standing=Standing.COMPLETE, final=True),
    State("exempt", standing=Standing.EXEMPT, final=True),
    State("not_answered", standing=Standing.UNANSWERED, final=True),
    State("cancelled", standing=Standing.DROPPED, final=True, label="Campaign cancelled"),
]  # fmt: skip


def _reminder(trigger: str, *sends: Send) -> Transition:
    guards, does = (rules.may_be_reminded,), (chasing.count_reminder,)
    return Transition(trigger, CHASED, None, by=SYSTEM, only_if=guards, does=does, sends=sends)


LADDER = [
    _reminder(
        "first_reminder",
        Send("survey_reminder_unopened", "member", when=rules.has_not_opened),
        Send("survey_reminder_unopened", "next_contact", when=rules.has_not_opened),
        Send("survey_reminder_first", "member", when=rules.has_opened),
    ),
    _reminder(
        "second_reminder",
        Send("survey_reminder_progress", "member", when=rules.has_begun),
        Send("survey_reminder_second", "member", when=rules.has_not_begun),
    ),
    _reminder("week_left", Send("survey_week_left", "member")),
    _reminder("three_days_left", Send("survey_three_days_left", "member")),
    _reminder("one_day_left", Send("survey_one_day_left", "member")),
    _reminder("last_day", Send("survey_last_day", "member")),
    Transition("overdue_notice", CHASED, None, by=SYSTEM, only_if=(rules.is_still_asked,),
               does=(chasing.mark_overdue, chasing.note_writing),
               sends=(Send("survey_overdue", "member", when=chasing.no_promise_stands),)),
    *rung("first_call", ASKED, does=(rules.ask_first_call,), sends=(Send("survey_phone_due", "owner"),),
          only_if=(chasing.no_promise_stands,)),
    *rung("second_call", ASKED, does=(rules.ask_second_call,), sends=(Send("survey_phone_due", "owner"),),
          only_if=(chasing.no_promise_stands,), closes_tasks=("phone",)),
    *letter_and_notice("survey", ASKED),
]  # fmt: skip

INVITING = [
    Transition("bounce", ASKED, "bounced", by=SYSTEM | COORDINATOR, needs=forms.Bounce,
               does=(count_bounce, chasing.ask_contact_repair), sends=(Send("survey_bounced", "owner"),),
               label="Mail came back",
               help="Only where the address is refused for good; an automatic reply does not count."),
    Transition("bounce", ("escalated", "formal_notice", "exemption_requested", "decision", *UNDER_REVIEW),
               None, by=SYSTEM | COORDINATOR, needs=forms.Bounce,
               does=(count_bounce, chasing.ask_contact_repair),
               sends=(Send("survey_bounced", "owner"),), label="Mail came back"),
    Transition("contact_repaired", ("bounced", "unreachable"), "invited", by=EITHER, needs=forms.Repaired,
               only_if=(chasing.deadline_is_ahead,), does=(chasing.note_writing,),
               sends=(Send("survey_invitation", "member"),), closes_tasks=("contact_repair",)),
    Transition("contact_repaired", ("bounced", "unreachable"), "invited", by=EITHER, needs=forms.RepairedLate,
               only_if=(chasing.deadline_has_passed,), checks=(chasing.new_deadline_is_ahead,), extends="respond",
               does=(chasing.take_new_deadline, chasing.grant_extension),
               sends=(Send("survey_invitation", "member"),), closes_tasks=("contact_repair",),
               help="The deadline passed while nobody could be reached: the member gets a new one."),
    Transition("nudge", (*ASKED, "escalated"), None, by=COORDINATOR, only_if=(chasing.not_written_to_today,),
               does=(chasing.count_reminder,), sends=(Send("survey_nudge", "member"),),
               label="Send a reminder now", help="At most one message a day; it counts as a reminder."),
]  # fmt: skip

RESTING = tuple(s.name for s in STATES if not s.final and not s.auto and s.name != leaving_out.LEFT_OUT)
REACHING = reaching.reaching(reaching.Reach(
    unopened=("invited",), chased=CHASED, provable=(*CHASED, "bounced", "decision"),
    others=tuple(name for name in RESTING if name not in CHASED),
))  # fmt: skip
LEAVING_OUT = leaving_out.leaving_out(RESTING)

_RECEIPT = (Send("survey_receipt", "member"),)
_ANSWER: dict[str, Any] = {
    "by": MEMBER, "needs": forms.Submission, "checks": (rules.nothing_is_missing,),
    "does": (rules.take_answer,), "sends": _RECEIPT, "closes_tasks": ("*",), "label": "Submit the answer",
}  # fmt: skip
_PROGRESS = ("revision", "answered", "required")

ANSWERING = [
    Transition("view", "invited", "opened", by=MEMBER, label="Open the form",
               help="Looking is not answering."),
    Transition("save", ("invited", "opened"), "in_progress", by=MEMBER, needs=forms.Saved, keeps=_PROGRESS),
    Transition("save", tuple(s for s in (*WAITING, "queried", *LATE, "unreachable") if s not in ("invited", "opened")),
               None, by=MEMBER, needs=forms.Saved, keeps=_PROGRESS),
    Transition("submit", (*WAITING, *LATE, "unreachable"), "submitted", **_ANSWER),
    Transition("submit", "queried", "resubmitted", **_ANSWER),
    Transition("begin_review", ("submitted", "resubmitted"), "dq_review", by=SYSTEM),
]  # fmt: skip

REVIEWING = [
    Transition("complete", "dq_review", "complete", by=EITHER, needs=forms.Completion,
               only_if=(rules.second_check_is_done,), checks=(rules.every_flag_is_settled,),
               four_eyes=("second_check",), does=(rules.settle_flags,), outcome="complete", label="Accept as complete",
               sends=(Send("survey_complete", "member"),), closes_tasks=("risk_review",)),
    Transition("second_check", "dq_review", None, by=EITHER, needs=forms.SecondCheck,
               only_if=(rules.needs_second_check,), four_eyes=("impute",), does=(rules.note_second_check,),
               help="A second person reads every tenth answer, and every answer that staff have changed."),
    Transition("query", "dq_review", "queried", by=COORDINATOR, needs=forms.Query,
               only_if=(rules.a_round_is_left,), sends=(Send("survey_query", "member"),),
               does=(chasing.note_writing,), label="Ask the member back"),
    Transition("remind_of_query", "queried", None, by=SYSTEM, only_if=(chasing.not_written_to_today,),
               sends=(Send("survey_query_reminder", "member"),)),
    Transition("query_unanswered", "queried", None, by=SYSTEM, does=(rules.ask_call_about_query,),
               sends=(Send("survey_query_unanswered", "owner"),)),
    Transition("accept_with_caveat", UNDER_REVIEW, "complete", by=MANAGER, needs=forms.Caveat,
               keeps=("excluded",), does=(rules.mark_caveat, rules.settle_flags),
               sends=(Send("survey_complete", "member"),),
               outcome="complete_with_caveat", closes_tasks=("*",),
               help="Taken as it is; the questions you name are left out of every total."),
    Transition("impute", UNDER_REVIEW, None, by=COORDINATOR, needs=forms.Imputation, keeps=("revision",),
               does=(rules.note_imputation,), label="Correct an answer",
               help="Marked as imputed by staff; a second person must check it."),
]  # fmt: skip

DECIDING = [
    *exempting(Asked(
        kinds="survey", to="member", request=forms.ExemptionRequest, exemptible=EXEMPTIBLE, reminded=ASKED,
        begins_again="in_progress", tell_decline=rules.tell_decline,
    )),
    Transition("fail", "decision", "failed", by=MANAGER, needs=forms.Because, does=(rules.open_incident,),
               sends=(Send("survey_failed", "member"),), closes_tasks=("*",), danger=True,
               label="Record that no answer came",
               help="Opens a monitoring case. The member may still answer until the campaign closes."),
    Transition("refuse", (*WAITING, *UNDER_REVIEW), "refused", by=MEMBER | COORDINATOR,
               needs=forms.Refusal, does=(rules.open_incident,),
               sends=(Send("survey_refused", "member"),), closes_tasks=("*",),
               label="The member refuses to answer", danger=True),
]  # fmt: skip

_MOVED: dict[str, Any] = {
    "by": SYSTEM, "needs": forms.NewDeadline, "only_if": (chasing.a_move_is_left,),
    "checks": (chasing.new_deadline_is_later,), "extends": "respond",
    "label": "The campaign's deadline was moved",
}  # fmt: skip
_ASKED_ANEW: dict[str, Any] = {
    "sends": (Send("survey_deadline_moved", "member"),),
    "does": (chasing.take_new_deadline, chasing.note_writing),
}  # fmt: skip

CAMPAIGN = [
    Transition("deadline_moved", ASKED, None, **_ASKED_ANEW, **_MOVED),
    Transition("deadline_moved", ("escalated", "formal_notice", "decision"), "in_progress",
               closes_tasks=("*",), **_ASKED_ANEW, **_MOVED),
    Transition("deadline_moved", ("bounced", "exemption_requested", "unreachable_asked", "left_out"), None,
               does=(chasing.take_new_deadline,), **_MOVED),
    Transition("campaign_closed", (*WAITING, *LATE), "not_answered", by=SYSTEM, outcome="not_answered",
               closes_tasks=("*",)),
    Transition("campaign_cancelled", EVERY_OPEN_STATE, "cancelled", by=SYSTEM, outcome="cancelled",
               sends=(Send("survey_cancelled", "member"),), closes_tasks=("*",)),
    Transition("give_up", LATE, "not_answered", by=SYSTEM, outcome="not_answered", closes_tasks=("*",)),
]  # fmt: skip

PROCESS = Process(
    "survey_response",
    version=1,
    prefix="SR",
    title="Survey response",
    initial="invited",
    states=STATES,
    transitions=[
        *ANSWERING,
        *LADDER,
        *INVITING,
        *REACHING,
        *REVIEWING,
        *DECIDING,
        *LEAVING_OUT,
        *CAMPAIGN,
        *escalations(),
    ],
    opening=forms.Invitation,
    opening_keeps=tuple(forms.Invitation.model_fields),
    opening_does=(chasing.note_writing,),
    opening_sends=(Send("survey_invitation", "member"),),
    opened_by=SYSTEM,
    opens_alike=True,
    repeats=("deadline_moved", "taken_back"),
    doc=__doc__,
)

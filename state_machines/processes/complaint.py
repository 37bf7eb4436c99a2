"""A complaint: acknowledged, answered at one or two stages, put right, and closed.

Sources: Complaint Handling Codes of the Local Government and Social Care Ombudsman and of the Housing Ombudsman (times,
extensions, what an answer must contain, a second stage by somebody else); FCA Handbook DISP 1.5 and 1.6 (profiles
FCA_DISP and FCA_SRC); Better Cotton's published promise of three weeks; RSPO complaints system of 2013; FCSA complaints
procedure; Data (Use and Access) Act 2025 s.103; ISO 10002 (the order of the steps).

A complaint cannot be put on hold and, under an ombudsman's code, never waits: more time is given openly, before it has
run out, with reasons. The answer goes out when it is known; what was promised in it is then followed until it is done.
"""

from __future__ import annotations

from dataclasses import replace

from state_machines.escalation import escalations
from state_machines.process import EVERYONE_INSIDE, Clock, Process, Send, State, Transition
from state_machines.processes import complaint_effects as does
from state_machines.processes import complaint_forms as forms
from state_machines.processes import complaint_rules as rules
from state_machines.values import STAFF, Role

TEAM = frozenset({Role.COORDINATOR, Role.MANAGER})
MANAGERS = frozenset({Role.MANAGER, Role.SENIOR})
MANAGER = frozenset({Role.MANAGER})
SENIOR = frozenset({Role.SENIOR})
SYSTEM = frozenset({Role.SYSTEM})
COMPLAINANT = frozenset({Role.COMPLAINANT, Role.MEMBER})
"""Who complained; a member only where the member of the case is the one who complains."""

ACKNOWLEDGE = Clock("acknowledge", "act_now", anchor="acknowledge_from", label="acknowledgement")
FIRST_CONTACT = Clock("first_contact", "act_now", label="first contact with a vulnerable person")
REPLY = Clock("reply", "reply", label="reply of the member it is about")
STAGE_1 = Clock("stage_1", "standard", anchor="stage_1_from", label="stage 1 response")
PROGRESS = Clock("progress", "progress", label="progress update")
APPROVAL = Clock("approval", "decision", label="approval of the response")
STAGE_2 = Clock("stage_2", "second_stage", label="stage 2 response")
AT_STAGE_1 = (STAGE_1, PROGRESS, REPLY, FIRST_CONTACT)

STATES = (
    State("received", clocks=(ACKNOWLEDGE, STAGE_1, FIRST_CONTACT), help="Logged; the complainant has not heard yet."),
    State("acknowledged", clocks=(Clock("triage", "standard"), STAGE_1, REPLY, FIRST_CONTACT),
          help="Settle it early, or let a manager name who investigates."),
    State("early_resolution", clocks=AT_STAGE_1, help="A quick fix is being tried."),
    State("stage_1", owner_fact="handler", clocks=AT_STAGE_1, label="Stage 1", help="The handler investigates."),
    State("stage_1_extended", owner_fact="handler", clocks=AT_STAGE_1, label="Stage 1, extended",
          help="Once more time, openly given."),
    State("waiting_for_complainant",
          clocks=(Clock("waiting", "reminded_expiry", expires="stop_waiting", label="wait for the complainant"),
                  replace(STAGE_1, paused=True), REPLY, FIRST_CONTACT),
          help="The clock stands still, for three weeks at the most; then it is decided on what is known."),
    State("stage_1_approval", owner=Role.MANAGER, clocks=(APPROVAL, *AT_STAGE_1), label="Stage 1, to approve",
          help="Money or a legal risk: a manager agrees, or returns it. The time of stage 1 goes on."),
    State("stage_1_responded", label="Stage 1 answered",
          clocks=(Clock("stage_2_window", "expiry", expires="window_ended", label="time to ask for stage 2"),)),
    State("stage_2_requested", owner=Role.MANAGER, label="Stage 2 asked for",
          clocks=(Clock("stage_2_acknowledge", "second_stage", label="stage 2 acknowledgement"),),
          help="Somebody who had nothing to do with stage 1 takes it."),
    State("stage_2", owner=Role.MANAGER, owner_fact="reviewer", clocks=(STAGE_2, PROGRESS), label="Stage 2"),
    State("stage_2_extended", owner=Role.MANAGER, owner_fact="reviewer", clocks=(STAGE_2, PROGRESS),
          label="Stage 2, extended"),
    State("stage_2_approval", owner=Role.SENIOR, clocks=(APPROVAL, STAGE_2, PROGRESS), label="Stage 2, to sign off"),
    State("stage_2_responded", label="Stage 2 answered",
          clocks=(Clock("external_window", "expiry", expires="window_ended", label="time to go to the ombudsman"),)),
    State("external_review", owner=Role.MANAGER,
          clocks=(Clock("evidence", "act_now", until="evidence_due", label="evidence for the ombudsman"),)),
    State("actions_open", clocks=(Clock("actions", "standard", until="actions_due", label="promised actions"),)),
    *(State(name, final=True) for name in ("closed", "rejected", "withdrawn", "referred")),
)  # fmt: skip

EVERY = tuple(state.name for state in STATES)
OPEN = tuple(state.name for state in STATES if not state.final)
UNDER_WAY = ("early_resolution", "stage_1", "stage_1_extended", "stage_1_approval", "stage_2", "stage_2_extended",
             "stage_2_approval")  # fmt: skip
BEFORE_RESPONSE = ("acknowledged", "early_resolution", "stage_1", "stage_1_extended", "waiting_for_complainant",
                   "stage_1_approval")  # fmt: skip
ANSWERED = ("stage_1_responded", "stage_2_responded")
STAGE_1_GOES_ON = ("stage_1", "stage_1_extended")
STAGE_2_GOES_ON = ("stage_2", "stage_2_extended")


def letter(kind: str) -> tuple[Send, ...]:
    """A letter to the complainant: to their own address or, of a member who complains, to the member's contact."""
    return (Send(kind, "party:complainant", when=rules.may_write), Send(kind, "member", when=rules.complains_as_member))


_FIRST_STEPS = (
    Transition("refer", "received", "referred", by=TEAM, needs=forms.Referral, does=(does.refer,),
               keeps=("destination",), sends=letter("complaint_referred"), outcome="referred", closes_tasks=("*",),
               help="It belongs elsewhere: safeguarding, whistleblowing, data protection, an appeal, another body."),
    Transition("reject", "received", "rejected", by=MANAGERS, needs=forms.Rejection, keeps=("ground",), danger=True,
               does=(does.by_post("the refusal"),), sends=letter("complaint_rejected"), outcome="rejected",
               closes_tasks=("*",), help="The letter gives the reasons and the right to go to the ombudsman."),
    Transition("acknowledge", "received", "acknowledged", by=TEAM, needs=forms.Acknowledgement,
               checks=(rules.vulnerable_has_handler, rules.handler_is_free, rules.adjustments_were_asked,
                       rules.breach_has_criterion),
               does=(does.start_stage_1, does.by_post("the acknowledgement")),
               sends=(*letter("complaint_acknowledged"),
                      Send("complaint_about_member", "member", when=rules.has_respondent),
                      Send("complaint_at_site", "site", when=rules.names_a_site))),
    Transition("record_vulnerability", (*BEFORE_RESPONSE, "received"), None, by=TEAM, needs=forms.Note,
               does=(does.mark_vulnerable,), restarts=("first_contact",),
               sends=(Send("complaint_vulnerable", "manager"),)),
    Transition("record_first_contact", (*BEFORE_RESPONSE, "received"), None, by=EVERYONE_INSIDE, needs=forms.Note,
               only_if=(rules.first_contact_is_owed,), does=(does.note_contact,), restarts=("first_contact",),
               closes_tasks=("first_contact",)),
    Transition("try_early_resolution", "acknowledged", "early_resolution", by=TEAM, needs=forms.EarlyResolution,
               checks=(rules.handler_is_free,), keeps=("complexity",), does=(does.name_handler,)),
    Transition("fix_agreed", "early_resolution", "stage_1_responded", by=TEAM, needs=forms.FixAgreed,
               checks=(rules.complainant_accepts, rules.redress_is_small),
               does=(does.respond_early, does.by_post("the answer")), closes_tasks=("progress_update",)),
    Transition("allocate", ("acknowledged", "early_resolution"), "stage_1", by=MANAGERS, needs=forms.Allocation,
               checks=(rules.handler_is_free,), does=(does.name_handler,),
               sends=(Send("complaint_allocated", "owner"),)),
    Transition("allocate", (*STAGE_1_GOES_ON, "stage_1_approval"), None, by=MANAGERS, needs=forms.Allocation,
               checks=(rules.handler_is_free,), does=(does.name_handler,),
               sends=(Send("complaint_allocated", "owner"),)),
)  # fmt: skip

_INVESTIGATION = (
    Transition("update_complainant", UNDER_WAY, None, by=EVERYONE_INSIDE, needs=forms.Update, restarts=("progress",),
               does=(does.by_post("the news"),), sends=letter("complaint_progress"), closes_tasks=("progress_update",)),
    Transition("add_issue", BEFORE_RESPONSE, None, by=TEAM, needs=forms.Issue, does=(does.add_issue,)),
    Transition("add_issue", tuple(s for s in EVERY if s not in (*BEFORE_RESPONSE, "received")), None, by=TEAM,
               only_if=(rules.response_not_sent,), help="Always refused: the point needs a complaint of its own."),
    Transition("record_reply", BEFORE_RESPONSE, None, by=TEAM | {Role.MEMBER}, needs=forms.Reply,
               only_if=(rules.has_respondent,), does=(does.note_reply,), restarts=("reply",)),
    Transition("ask_complainant", "stage_1", "waiting_for_complainant", by=TEAM, needs=forms.Question,
               only_if=(rules.may_wait, rules.not_waited_yet), does=(does.by_post("the question"),),
               sends=letter("complaint_question")),
    Transition("information_received", "waiting_for_complainant", "stage_1", by=TEAM | COMPLAINANT, needs=forms.Note,
               only_if=(rules.is_complainant,)),
    Transition("stop_waiting", "waiting_for_complainant", "stage_1", by=MANAGER | SYSTEM,
               sends=(Send("complaint_waiting_over", "owner"),), help="It is decided on what is known."),
    Transition("extend", "stage_1", "stage_1_extended", by=MANAGERS, needs=forms.MoreTime, extends="stage_1",
               only_if=(rules.may_extend, rules.stage_1_not_due), checks=(rules.extension_is_short,),
               does=(does.give_more_time, does.by_post("the notice of more time")), restarts=("progress",),
               sends=letter("complaint_extended"), closes_tasks=("progress_update",)),
    Transition("respond", STAGE_1_GOES_ON, "stage_1_approval", by=EVERYONE_INSIDE, needs=forms.Response,
               only_if=(rules.is_handler,), checks=(rules.every_point_answered, rules.needs_approval),
               does=(does.keep_stage_1_letter,), sends=(Send("complaint_to_approve", "manager"),)),
    Transition("respond", STAGE_1_GOES_ON, "stage_1_responded", by=EVERYONE_INSIDE, needs=forms.Response,
               only_if=(rules.is_handler,), checks=(rules.every_point_answered,),
               does=(does.respond, does.by_post("the response")), closes_tasks=("progress_update",)),
    Transition("approve_response", "stage_1_approval", "stage_1_responded", by=MANAGERS, needs=forms.Note,
               four_eyes=("respond",), only_if=(rules.letter_answers_all,),
               does=(does.respond_as_approved, does.by_post("the response")), closes_tasks=("progress_update",),
               help="The response goes to the complainant as it stands."),
    Transition("return_response", "stage_1_approval", "stage_1_extended", by=MANAGERS, needs=forms.Return,
               only_if=(rules.was_extended,), does=(does.drop_letters,), sends=(Send("complaint_returned", "owner"),)),
    Transition("return_response", "stage_1_approval", "stage_1", by=MANAGERS, needs=forms.Return,
               does=(does.drop_letters,), sends=(Send("complaint_returned", "owner"),)),
)  # fmt: skip

_SECOND_STAGE = (
    Transition("request_stage_2", ("stage_1_responded", "actions_open", "closed"), "stage_2_requested",
               by=TEAM | COMPLAINANT, needs=forms.SecondStage, does=(does.ask_second_stage,),
               only_if=(rules.is_complainant, rules.has_second_stage, rules.stage_1_was_answered, rules.within_window),
               sends=(Send("complaint_stage_2_wanted", "manager"),), label="Ask for stage 2",
               help="No reasons are needed."),
    Transition("request_stage_2", ("stage_1_responded", "actions_open", "closed"), "stage_2_requested",
               by=MANAGERS, needs=forms.SecondStage, only_if=(rules.has_second_stage, rules.stage_1_was_answered),
               checks=(rules.good_cause_given,), does=(does.ask_second_stage,), label="Ask for stage 2",
               sends=(Send("complaint_stage_2_wanted", "manager"),), help="After the time: for a good cause."),
    Transition("acknowledge_stage_2", "stage_2_requested", "stage_2", by=EVERYONE_INSIDE, needs=forms.Note,
               four_eyes=rules.STAGE_1, only_if=(rules.reviewer_is_new,),
               does=(does.start_stage_2, does.by_post("the acknowledgement of stage 2")),
               sends=letter("complaint_stage_2_acknowledged"), help="Whoever does this becomes the reviewer."),
    Transition("extend_stage_2", "stage_2", "stage_2_extended", by=SENIOR, needs=forms.MoreTime, extends="stage_2",
               only_if=(rules.stage_2_not_due,), checks=(rules.stage_2_extension_is_short,),
               does=(does.give_more_time_at_stage_2, does.by_post("the notice of more time")), restarts=("progress",),
               sends=letter("complaint_stage_2_extended"), closes_tasks=("progress_update",)),
    Transition("name_reviewer", STAGE_2_GOES_ON, None, by=MANAGERS, needs=forms.Allocation,
               checks=(rules.new_reviewer_is_free,), does=(does.name_reviewer,)),
    Transition("respond_finally", STAGE_2_GOES_ON, "stage_2_approval", by=EVERYONE_INSIDE, needs=forms.Response,
               four_eyes=rules.STAGE_1, only_if=(rules.reviewer_is_new, rules.is_reviewer),
               checks=(rules.every_point_answered,), does=(does.keep_final_letter,),
               sends=(Send("complaint_to_sign_off", "senior"),)),
    Transition("sign_off", "stage_2_approval", "stage_2_responded", by=SENIOR | {Role.COUNCIL}, needs=forms.Note,
               four_eyes=("respond_finally", "respond", "approve_response"),
               does=(does.respond_finally, does.by_post("the final response")), closes_tasks=("progress_update",),
               help="The final response goes to the complainant as it stands."),
    Transition("return_final_response", "stage_2_approval", "stage_2_extended", by=SENIOR | {Role.COUNCIL},
               needs=forms.Return, only_if=(rules.stage_2_was_extended,), does=(does.drop_letters,),
               sends=(Send("complaint_returned", "owner"),)),
    Transition("return_final_response", "stage_2_approval", "stage_2", by=SENIOR | {Role.COUNCIL},
               needs=forms.Return, does=(does.drop_letters,), sends=(Send("complaint_returned", "owner"),)),
)  # fmt: skip

_ENDS = (
    Transition("window_ended", ANSWERED, "actions_open", by=SYSTEM, only_if=(rules.actions_left,)),
    Transition("window_ended", ANSWERED, "closed", by=SYSTEM, does=(does.close,), closes_tasks=("*",)),
    Transition("accept", ANSWERED, "actions_open", by=TEAM | COMPLAINANT, needs=forms.Note,
               only_if=(rules.is_complainant, rules.actions_left)),
    Transition("accept", ANSWERED, "closed", by=TEAM | COMPLAINANT, needs=forms.Note, does=(does.close,),
               only_if=(rules.is_complainant,), closes_tasks=("*",),
               help="The complainant is content; nothing waits for the window to end."),
    Transition("verify_action", "actions_open", "closed", by=TEAM, needs=forms.Verified,
               checks=(rules.remedy_is_open, rules.it_is_the_last), does=(does.verify, does.close),
               sends=letter("complaint_action_completed"), closes_tasks=("*",), label="Verify a promised action",
               help="With the last one the case is closed, and the complainant is asked once how it was dealt with."),
    Transition("verify_action", ("actions_open", *ANSWERED), None, by=TEAM, needs=forms.Verified,
               checks=(rules.remedy_is_open,), does=(does.verify,), sends=letter("complaint_action_completed"),
               restarts=("actions",), label="Verify a promised action"),
    Transition("withdraw", OPEN, None, by=TEAM, needs=forms.Withdrawal, checks=(rules.goes_on_anyway,),
               label="Withdraw the complaint",
               does=(does.go_on_anyway,), sends=letter("complaint_withdrawn")),
    Transition("withdraw", OPEN, "withdrawn", by=TEAM | COMPLAINANT, needs=forms.Withdrawal, danger=True,
               label="Withdraw the complaint",
               only_if=(rules.is_complainant,),
               does=(does.withdraw, does.drop_letters, does.by_post("the confirmation")),
               sends=letter("complaint_withdrawn"), outcome="withdrawn", closes_tasks=("*",)),
    Transition("external_review", tuple(s for s in EVERY if s != "external_review"), "external_review", by=MANAGERS,
               needs=forms.ExternalReview, does=(does.note_external,), closes_tasks=("progress_update",),
               sends=(Send("complaint_external_review", "manager"), Send("complaint_external_review", "senior"))),
    Transition("send_evidence", "external_review", None, by=MANAGERS, needs=forms.Evidence,
               does=(does.note_evidence_sent,), restarts=("evidence",)),
    Transition("external_decision", "external_review", "actions_open", by=MANAGERS, needs=forms.ExternalDecision,
               checks=(rules.remedies_promised,), does=(does.note_external_decision,)),
    Transition("external_decision", "external_review", "closed", by=MANAGERS, needs=forms.ExternalDecision,
               does=(does.note_external_decision, does.close), closes_tasks=("*",)),
    Transition("reopen", ("closed", "external_review", "withdrawn"), "stage_1", by=MANAGERS, needs=forms.Reopening,
               only_if=(rules.was_acknowledged,), checks=(rules.stage_exists, rules.person_is_free, rules.to_stage_1),
               does=(does.reopen_stage_1,)),
    Transition("reopen", ("closed", "external_review", "withdrawn"), "stage_2", by=MANAGERS, needs=forms.Reopening,
               only_if=(rules.was_acknowledged,),
               checks=(rules.stage_exists, rules.person_is_free, rules.to_stage_2), does=(does.reopen_stage_2,)),
    Transition("reopen", ("rejected", "withdrawn", "external_review"), "received", by=MANAGERS, needs=forms.Reopening,
               only_if=(rules.never_acknowledged,), does=(does.reopen_unacknowledged,),
               help="It was never acknowledged: that comes first."),
)  # fmt: skip

_ANY_TIME = (
    Transition("open_monitoring", OPEN, None, by=TEAM, needs=forms.Breach,
               only_if=(rules.has_member, rules.monitoring_not_opened), does=(does.open_monitoring,),
               help="A member may have breached the code: that has a case of its own."),
    Transition("wall_off", OPEN, None, by=MANAGERS, needs=forms.Walled, does=(does.wall_off,), label="Keep people away",
               help="Keep the people whom it is about away from it."),
)  # fmt: skip

_BY_CLOCK = (
    Transition("overdue_act_now", OPEN, None, by=SYSTEM, label="Overdue: act now",
               sends=(Send("case_overdue", "owner"), Send("case_escalated", "manager"),
                      Send("case_escalated", "senior", when=rules.is_statutory)),
               help="The manager must act at once; of a clock of the law the senior manager hears as well."),
    Transition("stage_2_overdue", (*STAGE_2_GOES_ON, "stage_2_requested", "stage_2_approval"), None, by=SYSTEM,
               sends=(Send("case_overdue", "owner"), Send("case_escalated", "senior")),
               help="At the second stage the senior manager hears at once."),
    Transition("progress_due", OPEN, None, by=SYSTEM, does=(does.ask_for_progress,),
               sends=(Send("complaint_progress_due", "owner"),)),
    Transition("progress_late", OPEN, None, by=SYSTEM, sends=(Send("complaint_progress_due", "owner"),)),
    Transition("remind_respondent", BEFORE_RESPONSE, None, by=SYSTEM, only_if=(rules.has_respondent,),
               sends=(Send("complaint_member_reminder", "member"),)),
    Transition("reply_time_over", BEFORE_RESPONSE, None, by=SYSTEM, sends=(Send("complaint_no_reply", "owner"),)),
)  # fmt: skip


def _walled(transition: Transition) -> Transition:
    """Nobody whom it is about, and nobody acting for them, may do anything in it."""
    if not set(transition.by) & STAFF:
        return transition
    return replace(transition, only_if=(rules.not_walled_off, *transition.only_if))


PROCESS = Process(
    name="complaint",
    version=1,
    prefix="CO",
    title="Complaint",
    initial="received",
    states=STATES,
    transitions=(
        *map(_walled, (*_FIRST_STEPS, *_INVESTIGATION, *_SECOND_STAGE, *_ENDS, *_ANY_TIME)),
        *_BY_CLOCK,
        *escalations(),
    ),
    opening=forms.Complaint,
    opening_keeps=("category", "channel", "complainant_type", "severity", "profile", "alleges_breach", "criterion"),
    opening_does=(does.open_file, does.watch_trend),
    opening_sends=(Send("complaint_vulnerable", "manager", when=rules.is_vulnerable),),
    opened_by=(STAFF - {Role.AUDITOR}) | {Role.MEMBER, Role.COMPLAINANT, Role.SYSTEM},
    facts=("history",),
    doc=__doc__ or "",
)

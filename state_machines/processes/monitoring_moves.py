"""The transitions of a finding: triage, the path of critical ones, the assessment."""

from __future__ import annotations

from functools import partial
from typing import Any

from state_machines.process import Send, Transition
from state_machines.processes import monitoring_effects as do
from state_machines.processes import monitoring_forms as form
from state_machines.processes import monitoring_rules as rule
from state_machines.values import Role

C, M, S, K = Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.COUNCIL
MEMBER, SYS = Role.MEMBER, Role.SYSTEM

UNDECIDED = ("signal", "triage", "assessment", "recommended", "manager_decision", "senior_decision")


def move(trigger: str, source: str | tuple[str, ...], target: str | None, by: set[Role], **rest: Any) -> Transition:
    """Return a transition, written short."""
    return Transition(trigger, source, target, by=frozenset(by), **rest)


def beginnings() -> list[Transition]:
    """From the finding to its assessment, and the path of critical findings."""
    dismissal = partial(
        move,
        "dismiss",
        "triage",
        "closed",
        needs=form.Dismissal,
        does=(do.close_as_chosen,),
        closes_tasks=("*",),
    )
    return [
        move("start_triage", "signal", "triage", {C}, does=(do.search_duplicates,), label="Open"),
        move("propose_dismissal", "triage", None, {C}, needs=form.Dismissal, only_if=(rule.is_grave,),
             checks=(rule.duplicate_is_named,), does=(do.propose_dismissal,),
             sends=(Send("monitoring_cosign", "manager"),), help="A manager signs as well."),
        dismissal({C}, only_if=(rule.below_high,),
                  checks=(rule.duplicate_is_named, rule.no_upheld_complaint)),
        dismissal({M}, only_if=(rule.proposed_if_grave,), four_eyes=("propose_dismissal",),
                  checks=(rule.duplicate_is_named, rule.upheld_complaint_is_answered)),
        move("accept", "triage", "assessment", {C}, needs=form.Acceptance,
             checks=(rule.duplicates_were_checked,),
             keeps=("criterion", "clause", "severity", "reliability", "credibility"),
             does=(do.alert_if_critical,),
             closes_tasks=("monitoring_duplicates",), label="Accept for assessment"),
        move("rate", ("triage", "assessment"), None, {C, M}, needs=form.Rating, checks=(rule.rated_below,),
             keeps=("severity",),
             does=(do.drop_alert,), restarts=("alert", "meeting"), label="Change severity"),
        move("rate", ("triage", "assessment"), None, {C, M}, needs=form.Rating, checks=(rule.rated_critical,),
             keeps=("severity",),
             does=(do.alert_if_critical,), restarts=("assess", "alert", "meeting"), label="Change severity"),
        move("refer_to_complaints", ("triage", "assessment"), None, {C, M}, needs=form.Reason,
             does=(do.ask_the_complaints_team,),
             help="Somebody aggrieved seeks redress; the finding goes on here."),
        move("call_senior", ("triage", "assessment"), "senior_decision", {C, M}, needs=form.Escalation,
             only_if=(rule.case_is_critical,), does=(do.alert_if_critical,),
             sends=(Send("monitoring_decision_due", "senior"),), label="Call the senior manager"),
        move("acknowledge_alert", UNDECIDED, None, {M, S}, only_if=(rule.alert_is_open,),
             does=(do.acknowledge,),
             restarts=("alert",), closes_tasks=("monitoring_phone_alert",),
             help="Whoever takes the alert sees that the other knows of it."),
        move("repeat_alert", UNDECIDED, None, {SYS}, only_if=(rule.alert_is_open,),
             sends=(Send("monitoring_critical_alert", "manager"),
                    Send("monitoring_critical_alert", "senior"))),
        move("alert_unanswered", UNDECIDED, None, {SYS}, only_if=(rule.alert_is_open,),
             sends=(Send("monitoring_critical_alert", "role:council"),)),
        move("record_meeting", UNDECIDED, None, {M, S}, needs=form.Meeting, only_if=(rule.meeting_is_open,),
             does=(do.note(meeting="held"),), restarts=("meeting",)),
        move("meeting_overdue", UNDECIDED, None, {SYS}, only_if=(rule.meeting_is_open,),
             sends=(Send("monitoring_meeting_overdue", "manager"),
                    Send("monitoring_meeting_overdue", "senior"))),
        move("take_interim_measure", ("triage", "assessment", "senior_decision"), None, {M, S},
             needs=form.Interim,
             only_if=(rule.case_is_critical,), does=(do.take_interim_measure,), danger=True),
    ]  # fmt: skip


def assessing() -> list[Transition]:
    """Questions to the member, the assessment and its return."""
    asking = partial(move, "ask_member", "assessment", by={C}, needs=form.Questions,
                     does=(do.note(reply_asked=True),),
                     checks=(rule.questions_are_approved, rule.source_is_redacted),
                     sends=(Send("monitoring_clarification_request", "member"),),
                     label="Ask the member")  # fmt: skip
    reply = partial(move, "reply", by={MEMBER, C}, needs=form.Statement, does=(do.note_today("replied_on"),),
                    sends=(Send("monitoring_reply_received", "owner"),), label="Reply")  # fmt: skip
    return [
        asking(target="clarification", only_if=(rule.not_critical,)),
        asking(target=None, only_if=(rule.case_is_critical,),
               help="In a critical case the assessment does not wait."),
        move("extend_clarification", "clarification", None, {C, M}, needs=form.MoreDays,
             only_if=(rule.not_extended_yet,),
             extends="clarification", does=(do.note(reply_extended=True),),
             sends=(Send("monitoring_clarification_extended", "member"),), label="Give more time to reply"),
        move("remind_clarification", "clarification", None, {SYS},
             sends=(Send("monitoring_clarification_reminder", "member"),)),
        reply(source="clarification", target="assessment"),
        reply(source="assessment", target=None, only_if=(rule.was_asked,)),
        move("no_reply", "clarification", "assessment", {SYS}, sends=(Send("monitoring_no_reply", "owner"),)),
        move("waive_reply", "assessment", None, {M}, needs=form.Reason, does=(do.note(reply_waived=True),),
             label="Waive the right of reply"),
        move("submit_assessment", "assessment", "recommended", {C}, needs=form.Assessment,
             only_if=(rule.reply_offered_or_waived,), checks=(rule.every_indicator_is_scored,),
             keeps=("indicators", "evidence_grade", "breach_found", "recommendation"),
             does=(do.note_today("recommended_on"),),
             sends=(Send("monitoring_pack_ready", "manager"),), help="The pack is frozen with this step."),
        move("accept_pack", "recommended", "manager_decision", {M}, only_if=(rule.pack_is_complete,),
             four_eyes=("submit_assessment",)),
        move("return_assessment", "manager_decision", "assessment", {M}, needs=form.Shortcomings,
             only_if=(rule.returns_left,),
             does=(do.after_return,), sends=(Send("monitoring_returned", "owner"),),
             label="Return with questions"),
        move("send_to_assessment", "senior_decision", "assessment", {S}, needs=form.Reason,
             only_if=(rule.returns_left,),
             does=(do.after_return,), sends=(Send("monitoring_returned", "owner"),),
             help="A critical finding came here before it was assessed."),
    ]  # fmt: skip

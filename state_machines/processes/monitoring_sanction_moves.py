"""The transitions of a case: decision, plan, suspension, termination, appeal, and what comes after."""

from __future__ import annotations

from functools import partial
from typing import Any

from state_machines.process import EVERY_OPEN_STATE, Send, Transition
from state_machines.processes import monitoring_sanction_effects as do
from state_machines.processes import monitoring_sanction_forms as form
from state_machines.processes import monitoring_sanction_rules as rule
from state_machines.processes.monitoring_effects import close_as_chosen, note, note_today
from state_machines.processes.monitoring_forms import Meeting, MoreTime, Reason, Shortcomings, Statement
from state_machines.processes.monitoring_moves import MEMBER, SYS, C, K, M, S, move
from state_machines.processes.monitoring_rules import (
    complaint_actions_settled,
    not_critical,
    upheld_complaint_is_answered,
)

WARNED = ("warned", "cap_review", "cap_active", "verification")
"""The states in which the time to resolve runs."""
SUSPENDED = ("suspended", "reinstatement_check")
SANCTIONED = (*WARNED, *SUSPENDED, "terminated")
"""From here a member may appeal, and here a dismissed appeal comes back."""
APPEALS = ("appeal", "appeal_stayed")
RESOLVING = (*WARNED, *APPEALS)
EXPELLING = (*SUSPENDED, *APPEALS)
RECOMMENDERS = ("submit_assessment", "recommend_sanction", "call_senior")


def deciding() -> list[Transition]:
    """The decisions of the manager and of the senior manager on an assessed finding."""
    alone = {"four_eyes": ("submit_assessment",), "closes_tasks": ("*",)}
    above: dict[str, Any] = {"four_eyes": RECOMMENDERS, "closes_tasks": ("*",)}
    sat = (rule.no_conflict_declared, rule.quorum_is_reached)
    sanction = partial(move, source="senior_decision", by={S}, needs=form.SanctionDecision, danger=True, **above)
    return [
        move("close_without_case", "manager_decision", "closed", {M}, needs=form.CloseDecision,
             does=(close_as_chosen,),
             checks=(rule.no_conflict_declared, upheld_complaint_is_answered), label="Close without a case",
             **alone),
        move("close_without_case", "senior_decision", "closed", {S}, needs=form.CloseDecision,
             does=(close_as_chosen,),
             checks=(*sat, upheld_complaint_is_answered), label="Close without a case", **above),
        move("warn", "manager_decision", "warned", {M}, needs=form.WarningDecision, does=(do.warn,),
             only_if=(rule.breach_was_found, rule.minor_or_major),
             checks=(rule.no_conflict_declared, rule.repeat_is_justified),
             danger=True, **alone),
        move("warn", "senior_decision", "warned", {S}, needs=form.WarningDecision, does=(do.warn,),
             danger=True,
             checks=(*sat, rule.member_was_heard, rule.repeat_is_justified), **above),
        move("recommend_sanction", "manager_decision", "senior_decision", {M}, needs=form.Recommendation,
             four_eyes=("submit_assessment",), checks=(rule.no_conflict_declared,), keeps=("chosen",),
             sends=(Send("monitoring_decision_due", "senior"),), label="Recommend a sanction"),
        sanction(trigger="suspend", target="suspended", does=(do.suspend,),
                 checks=(rule.chosen("suspend"), *sat, rule.member_was_heard)),
        sanction(trigger="give_notice", target="termination_notice", does=(do.give_notice,),
                 label="Suspend and give notice of termination",
                 checks=(rule.chosen("give_notice"), *sat, rule.member_was_heard)),
    ]  # fmt: skip


def planning() -> list[Transition]:
    """The corrective plan of a warned member, its milestones and its verification."""
    rejecting = partial(move, "reject_plan", "cap_review", "warned", needs=Shortcomings, does=(do.plan_is_rejected,))
    reaching = partial(move, "milestone_due", "cap_active", by={SYS})
    return [
        move("file_plan", "warned", "cap_review", {MEMBER, C}, needs=form.Plan, only_if=(rule.rounds_left,),
             does=(do.keep_plan,),
             sends=(Send("monitoring_plan_received", "owner"),), label="Send the corrective plan"),
        move("remind_plan", "warned", None, {SYS}, sends=(Send("monitoring_plan_reminder", "member"),)),
        rejecting(by={C, M}, only_if=(rule.first_rejection,)),
        rejecting(by={M}, only_if=(rule.last_rejection_proposed,), four_eyes=("propose_rejection",)),
        move("propose_rejection", "cap_review", None, {C}, needs=Shortcomings,
             only_if=(rule.may_be_rejected_again,),
             does=(note(rejection_proposed=True),), sends=(Send("monitoring_cosign", "manager"),)),
        move("record_plan_meeting", "warned", None, {M}, needs=Meeting, only_if=(rule.rounds_are_used_up,),
             does=(note(plan_meeting=True),), closes_tasks=("monitoring_meet_member",),
             help="The member may then send one more plan, which is accepted or taken as a refusal."),
        move("accept_plan", "cap_review", "cap_active", {C}, only_if=(rule.is_minor,),
             four_eyes=("file_plan",),
             does=(do.schedule_milestones,), sends=(Send("monitoring_plan_accepted", "member"),)),
        move("accept_plan", "cap_review", "cap_active", {M}, four_eyes=("file_plan",),
             does=(do.schedule_milestones,),
             sends=(Send("monitoring_plan_accepted", "member"),)),
        move("remind_milestone", "cap_active", None, {SYS},
             sends=(Send("monitoring_milestone_reminder", "member"),)),
        reaching(target=None, only_if=(rule.more_milestones,), does=(do.next_milestone,),
                 restarts=("milestone",),
                 sends=(Send("monitoring_milestone_passed", "owner"),)),
        reaching(target="verification", sends=(Send("monitoring_milestone_passed", "owner"),)),
        move("report_complete", "cap_active", "verification", {MEMBER, C}, needs=form.Evidence,
             checks=(rule.evidence_for_each_action,), sends=(Send("monitoring_evidence_received", "owner"),),
             label="Report completion"),
        move("not_effective", "verification", "cap_active", {C}, needs=form.Gaps,
             checks=(rule.within_time_to_resolve,),
             does=(do.set_new_date,), sends=(Send("monitoring_gaps", "member"),)),
        move("grant_more_time", "verification", "cap_active", {M}, needs=form.GapsWithTime,
             only_if=(rule.extensions_left,),
             checks=(rule.later_than_now,), extends="resolve", does=(do.set_new_date, do.give_more_time),
             sends=(Send("monitoring_gaps", "member"),), label="Not effective, with more time"),
        move("extend_resolve", WARNED, None, {M}, needs=MoreTime, only_if=(rule.extensions_left,),
             checks=(rule.later_than_now,), extends="resolve", does=(do.give_more_time,),
             label="Give more time to resolve"),
        move("close_resolved", "verification", "follow_up", {M, S}, needs=form.Verification,
             four_eyes=("file_plan", "accept_plan"),
             checks=(complaint_actions_settled,), does=(do.close_resolved,), closes_tasks=("*",),
             label="Close as resolved"),
    ]  # fmt: skip


def sanctioning() -> list[Transition]:
    """From the end of the time to resolve to termination. People decide; clocks ask."""
    decision: dict[str, Any] = {"needs": form.SanctionDecision, "danger": True, "four_eyes": RECOMMENDERS}
    sat = (rule.no_conflict_declared, rule.quorum_is_reached)
    notice = partial(move, "pre_notice", RESOLVING, None, {SYS}, only_if=(rule.no_notice_yet,))
    return [
        notice(does=(do.pre_notice,), help="Seven days before the time to resolve ends."),
        move("record_refusal", WARNED, None, {M}, needs=Reason, does=(do.record_refusal,),
             sends=(Send("monitoring_decision_due", "senior"),),
             help="The member refuses to remedy; the notice goes out now."),
        move("resolve_over", RESOLVING, None, {SYS}, sends=(Send("monitoring_decision_due", "senior"),)),
        move("suspend", WARNED, "suspended", {S},
             only_if=(rule.resolve_is_over_or_refused, rule.notice_was_given),
             checks=(rule.chosen("suspend"), *sat), does=(do.suspend,), closes_tasks=("*",),
             **decision | {"four_eyes": (*RECOMMENDERS, "record_refusal")}),
        move("review_suspension", "suspended", None, {SYS}, does=(do.review_task,),
             closes_tasks=("monitoring_suspension_review",)),
        move("report_remedy", "suspended", "reinstatement_check", {MEMBER, C}, needs=form.Evidence,
             sends=(Send("monitoring_evidence_received", "owner"),), label="Report the remedy"),
        move("not_remedied", "reinstatement_check", "suspended", {M, S}, needs=Shortcomings,
             sends=(Send("monitoring_not_remedied", "member"),)),
        move("reinstate", SUSPENDED, "follow_up", {S}, needs=form.Verification, four_eyes=("report_remedy",),
             checks=(complaint_actions_settled,), does=(do.reinstate,), closes_tasks=("*",)),
        move("expel_over", EXPELLING, None, {SYS}, sends=(Send("monitoring_decision_due", "senior"),)),
        move("give_notice", SUSPENDED, "termination_notice", {S}, only_if=(rule.expel_is_over,),
             checks=(rule.chosen("give_notice"), *sat), does=(do.give_notice,), closes_tasks=("*",),
             label="Give notice of termination", **decision),
        move("make_representations", "termination_notice", None, {MEMBER, C}, needs=Statement,
             does=(note_today("representations_on"),), sends=(Send("monitoring_representations", "senior"),)),
        move("representations_over", "termination_notice", None, {SYS},
             sends=(Send("monitoring_decision_due", "senior"),)),
        move("terminate", "termination_notice", "terminated", {S, K},
             only_if=(rule.statutes_allow, rule.representations_heard),
             checks=(rule.chosen("terminate"), *sat), does=(do.terminate,), closes_tasks=("*",), **decision),
        move("withdraw_notice", "termination_notice", "suspended", {S, K}, needs=Reason,
             sends=(Send("monitoring_notice_withdrawn", "member"),),
             help="The representations convince: still suspended, and the time starts afresh."),
        move("appeal_window_over", "terminated", "expelled", {SYS}, does=(note_today("closed_on"),),
             outcome="TERMINATED"),
    ]  # fmt: skip


def appeals() -> list[Transition]:
    """An appeal goes back to where it came from, ends the case, or leads to something milder."""
    panel: dict[str, Any] = {"by": {K}, "four_eyes": rule.DECIDERS, "closes_tasks": ("*",)}
    sat = (rule.no_conflict_declared, rule.panel_is_independent, rule.panel_has_quorum)
    dismiss = partial(move, "dismiss_appeal", APPEALS, needs=form.PanelDecision, checks=sat,
                      does=(do.lift_stay, do.appeal_is("dismissed")), **panel)  # fmt: skip
    vary = partial(move, "vary_appeal", APPEALS, needs=form.Variation, **panel)
    return [
        move("appeal", SANCTIONED, "appeal", {MEMBER, C}, needs=form.Appeal,
             only_if=(rule.in_time_to_appeal, rule.first_appeal_of_stage), does=(do.begin_appeal,),
             sends=(Send("monitoring_appeal_received", "member"),
                    Send("monitoring_appeal_for_panel", "role:council"))),
        move("stay", "appeal", "appeal_stayed", {M}, needs=Reason, only_if=(not_critical,), does=(do.stay,),
             sends=(Send("monitoring_stayed", "member"),), label="Stay the sanction"),
        move("lift_stay", "appeal_stayed", "appeal", {M}, needs=Reason, does=(do.lift_stay,),
             sends=(Send("monitoring_stay_lifted", "member"),)),
        *(dismiss(target=state, only_if=(rule.came_from(state),)) for state in SANCTIONED),
        move("uphold_appeal", APPEALS, "closed", needs=form.PanelDecision, checks=sat,
             does=(do.appeal_is("upheld"), do.restore("APPEAL_UPHELD")), **panel),
        vary(target="closed", checks=(*sat, rule.varied_to("advisory")),
             does=(do.appeal_is("varied"), do.restore("ADVISORY"))),
        vary(target="warned", checks=(*sat, rule.varied_to("warning")),
             does=(do.vary_to_warning, do.appeal_is("varied"))),
        vary(target="suspended", checks=(*sat, rule.varied_to("suspension")),
             does=(do.vary_to_suspension, do.appeal_is("varied"))),
    ]  # fmt: skip


def afterwards() -> list[Transition]:
    """The follow-up check, the end of the membership, and new evidence."""
    return [
        move("follow_up_due", "follow_up", None, {SYS}, does=(do.follow_up_task,)),
        move("confirm_lasting", "follow_up", "closed", {C, M}, needs=Reason, closes_tasks=("*",),
             label="The remedy has lasted"),
        move("member_left", "follow_up", "closed", {SYS, M}, needs=form.Left, closes_tasks=("*",)),
        move("member_left", EVERY_OPEN_STATE, "closed", {SYS, M}, needs=form.Left,
             only_if=(rule.not_expelled_here,),
             does=(do.member_left,), closes_tasks=("*",), label="The membership has ended"),
        move("reopen", ("closed", "follow_up"), "assessment", {M}, needs=Reason, does=(do.reopen,),
             only_if=(rule.within_reopening, rule.still_a_member), closes_tasks=("*",),
             label="Reopen on new evidence"),
    ]  # fmt: skip

"""A monitoring case: from a finding about a member to closure, suspension or expulsion, and through appeals.

A finding is private and uncounted. It becomes a case, with a date in ``case_opened_at``, by the first
decision that applies a stage: warning, suspension, expulsion. Sources: Better Cotton monitoring protocol
(criteria, stages, public table without names) and BCI resolution procedures 1, 2 and 5 (times to resolve);
RSPO complaints and appeals procedure 2017 (right of reply, appeal); FLA third-party complaints (45 days for
a plan); amfori zero tolerance protocol (24 hours, 72 hours); UK GDPR Art. 22A to 22D as put in by the Data
(Use and Access) Act 2025 (no sanction without a human decision).

* RESOLVE (``resolve``) runs from the warning through plan, verification and appeal; silence never stops it.
  When it ends nothing happens to the member by itself: the senior manager is asked. EXPEL (``expel``) does
  the same after a suspension. Which of the two an appeal carries on follows from the stage of the case, in
  the policy.
* Verification has two states, since a warned member is checked by a manager while RESOLVE runs, and a
  suspended one by the senior manager while EXPEL runs.
* An appeal has no suspensive effect: the sanction stands and its time runs on, but the next sanction waits
  for the panel. A manager may stay it; then the clock stands still and its time is given back. When the
  panel dismisses the appeal the case goes back to where it came from. RESOLVE and EXPEL go on as they were;
  the times to send or review a plan, or to verify one, begin again.
"""

from __future__ import annotations

from dataclasses import replace

from state_machines.escalation import escalations
from state_machines.holding import holding
from state_machines.process import Clock, Process, Send, State
from state_machines.processes import monitoring_effects as do
from state_machines.processes import monitoring_forms as forms
from state_machines.processes import monitoring_rules as rule
from state_machines.processes.monitoring_moves import assessing, beginnings
from state_machines.processes.monitoring_sanction_moves import (
    afterwards,
    appeals,
    deciding,
    planning,
    sanctioning,
)
from state_machines.values import Role

C, M, S, K = Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.COUNCIL

URGENT = (
    Clock("alert", ladder="alert", label="critical alert acknowledged"),
    Clock("meeting", ladder="meeting", anchor="alerted_at", label="meeting on a critical finding"),
)
"""Run in critical cases only, until the sanction is decided."""
TRIAGE = Clock("triage", ladder="standard")
DECIDE = Clock("manager", ladder="decision", label="manager's decision")
RESOLVE = Clock("resolve", ladder="resolve", expires="resolve_over", anchor="resolve_from", label="time to resolve")
EXPEL = Clock("expel", ladder="expel", expires="expel_over", label="time after suspension")
PANEL = Clock("appeal", ladder="decision", label="decision on the appeal")
VERIFY = Clock("verify", ladder="standard", label="verification")

STATES = (
    State("signal", C, (TRIAGE, *URGENT), label="Finding", help="Logged, and nobody has looked at it yet."),
    State("triage", C, (TRIAGE, *URGENT), help="Is it ours, is it new, how grave is it?"),
    State("assessment", C, (Clock("assess", ladder="standard", label="assessment"), *URGENT)),
    State("clarification", C, (
        Clock("clarification", ladder="clarification", expires="no_reply", label="member's reply"),
        Clock("assess", ladder="standard", paused=True, label="assessment"),
    ), help="The member has been asked; the assessment waits."),
    State("recommended", M, (DECIDE, *URGENT), help="The pack waits for a manager who did not write it."),
    State("manager_decision", M, (DECIDE, *URGENT), label="Manager's decision"),
    State("senior_decision", S,
          (Clock("senior", ladder="decision", label="senior manager's decision"), *URGENT),
          label="Senior manager's decision"),
    State("warned", C, (Clock("plan", ladder="plan", label="corrective plan"), RESOLVE),
          help="The member has a formal warning and owes a corrective plan."),
    State("cap_review", C, (Clock("cap_review", ladder="standard", label="review of the plan"), RESOLVE),
          label="Plan in review"),
    State("cap_active", C,
          (Clock("milestone", ladder="milestone", expires="milestone_due", until="next_milestone"), RESOLVE),
          label="Plan under way"),
    State("verification", M, (VERIFY, RESOLVE), help="Evidence of a warned member is checked."),
    State("suspended", S,
          (Clock("suspension_review", ladder="review", label="review of the suspension"), EXPEL)),
    State("reinstatement_check", S, (VERIFY, EXPEL), label="Verification before reinstatement",
          help="Evidence of a suspended member is checked; the time after the suspension runs on."),
    State("termination_notice", S,
          (Clock("representations", ladder="representations", expires="representations_over"),),
          label="Notice of termination"),
    State("terminated", K,
          (Clock("appeal_window", ladder="expiry", expires="appeal_window_over", until="appeal_until"),),
          help="The membership has ended; the member may still appeal."),
    State("appeal", K, (PANEL, RESOLVE, EXPEL),
          help="A panel decides; the sanction stands and its time runs on."),
    State("appeal_stayed", K, (PANEL, replace(RESOLVE, paused=True), replace(EXPEL, paused=True)),
          label="Appeal, sanction stayed"),
    State("follow_up", C, (Clock("follow_up", ladder="follow_up", label="follow-up check"),),
          label="Closed, follow-up due",
          help="Closed for every count; the remedy is looked at once more three months on."),
    State("closed", C, final=True),
    State("expelled", C, final=True),
)  # fmt: skip

PROCESS = Process(
    name="monitoring", version=1, prefix="MC", title="Monitoring case", initial="signal", states=STATES,
    transitions=[
        *beginnings(), *assessing(), *deciding(), *planning(), *sanctioning(), *appeals(), *afterwards(),
        *escalations(), *holding(by=(Role.MANAGER,), only_if=(rule.not_critical,)),
    ],
    opening=forms.Finding,
    opening_keeps=("criterion", "severity", "clause", "reliability", "credibility", "source", "source_date",
                   "source_url", "profile", "tell_source"),
    opening_does=(do.record_source,),
    opening_sends=(Send("monitoring_source_received", "party:source", when=rule.source_asked),),
    facts=("linked", "history"),
    doc=__doc__,
)  # fmt: skip

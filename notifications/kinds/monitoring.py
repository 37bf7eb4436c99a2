"""The messages of a monitoring case. To a member they are legal notices: content and delivery are proof.

A source hears only that its word was received and that it is concluded.
"""

from __future__ import annotations

from notifications.kind import MessageKind, Purpose

UNDECIDED = frozenset({"signal", "triage", "assessment", "recommended", "manager_decision", "senior_decision"})
RESOLVING = frozenset({"warned", "cap_review", "cap_active", "verification", "appeal", "appeal_stayed"})

CASE = {
    "criterion": "communication",
    "clause": "CoC 4.2",
    "severity": "major",
    "stage": "warning",
    "source": "annual report",
    "source_date": "2026-02-20",
}
DECISION = {
    "rationale": "The figures do not match the delivery notes.",
    "options_considered": ["advice", "warning"],
    "policy_clause": "CoC 4.2",
    "present": ["A. Kaya", "B. Moss"],
}

KINDS = [
    MessageKind(
        "monitoring_clarification_request",
        Purpose.LEGAL,
        "Questions to the member",
        sample={
            "case": CASE,
            "payload": {
                "questions": "Which lots were sold with the logo in 2025?\nWho approved the claim?",
                "approved": True,
                "source_redacted": True,
            },
        },
    ),
    MessageKind(
        "monitoring_clarification_reminder",
        Purpose.LEGAL,
        "Reminder of our questions",
        while_in=frozenset({"clarification"}),
        sample={"case": CASE},
    ),
    MessageKind(
        "monitoring_clarification_extended",
        Purpose.LEGAL,
        "More time to reply",
        sample={"case": CASE, "payload": {"days": 10, "reason": "The responsible person is travelling"}},
    ),
    MessageKind(
        "monitoring_interim",
        Purpose.LEGAL,
        "Precaution until a decision",
        sample={
            "case": CASE,
            "payload": {
                "measure": "No sales with the logo from lot 77.",
                "reason": "Workers may be in danger.",
                "suspend_rights": True,
            },
        },
    ),
    MessageKind(
        "monitoring_advisory",
        Purpose.LEGAL,
        "Advisory letter",
        sample={
            "case": CASE,
            "payload": DECISION | {"chosen": "ADVISORY", "advice": "Have claims approved by one person."},
        },
    ),
    MessageKind(
        "monitoring_warning",
        Purpose.LEGAL,
        "Formal warning",
        sample={
            "case": CASE,
            "payload": DECISION
            | {
                "chosen": "warn",
                "facts_found": "Two claims without a licence.",
                "required_action": "Withdraw both claims.",
            },
            "data": {"plan_by": "2026-03-30", "resolve_by": "2026-04-01", "appeal_until": "2026-04-01"},
        },
    ),
    MessageKind(
        "monitoring_plan_reminder",
        Purpose.LEGAL,
        "Reminder of the corrective plan",
        while_in=frozenset({"warned"}),
        sample={"case": CASE},
    ),
    MessageKind(
        "monitoring_plan_rejected",
        Purpose.LEGAL,
        "Corrective plan not accepted",
        sample={
            "case": CASE,
            "payload": {"reason": "No dates.", "missing": ["a date for each action"]},
            "data": {"plan_by": "2026-05-04"},
        },
    ),
    MessageKind(
        "monitoring_plan_accepted",
        Purpose.LEGAL,
        "Corrective plan accepted",
        sample={"case": CASE | {"plan": [{"text": "Withdraw the claims", "due": "2026-05-01", "evidence": "photos"}]}},
    ),
    MessageKind(
        "monitoring_milestone_reminder",
        Purpose.LEGAL,
        "Milestone of the plan",
        while_in=frozenset({"cap_active"}),
        sample={
            "case": CASE
            | {
                "next_milestone": "2026-05-01",
                "plan": [{"text": "Withdraw the claims", "due": "2026-05-01", "evidence": "photos"}],
            }
        },
    ),
    MessageKind(
        "monitoring_gaps",
        Purpose.LEGAL,
        "Remedy not complete",
        sample={"case": CASE, "payload": {"gaps": ["proof for action 2"], "next_date": "2026-05-20"}},
    ),
    MessageKind(
        "monitoring_more_time",
        Purpose.LEGAL,
        "More time to resolve",
        sample={"case": CASE, "payload": {"reason": "The auditor is late."}, "data": {"until": "2026-06-30"}},
    ),
    MessageKind(
        "monitoring_pre_notice",
        Purpose.LEGAL,
        "Notice before suspension",
        while_in=RESOLVING,
        sample={"case": CASE, "data": {"earliest": "2026-04-01"}},
    ),
    MessageKind(
        "monitoring_suspension",
        Purpose.LEGAL,
        "Suspension",
        sample={
            "case": CASE,
            "payload": DECISION | {"chosen": "suspend", "grounds": "The claims stand unchanged."},
            "data": {"expel_after": "2026-06-01", "appeal_until": "2026-05-02"},
        },
    ),
    MessageKind(
        "monitoring_not_remedied",
        Purpose.LEGAL,
        "Still suspended",
        sample={
            "case": CASE,
            "payload": {"reason": "One claim is still online.", "missing": ["removal of the claim"]},
        },
    ),
    MessageKind(
        "monitoring_reinstatement",
        Purpose.LEGAL,
        "Reinstatement",
        sample={"case": CASE, "payload": {"method": "documents", "findings": "All claims withdrawn."}},
    ),
    MessageKind(
        "monitoring_termination_notice",
        Purpose.LEGAL,
        "Notice of termination",
        sample={
            "case": CASE,
            "payload": DECISION | {"chosen": "give_notice", "grounds": "Not remedied in time."},
            "data": {"representations_by": "2026-06-22"},
        },
    ),
    MessageKind(
        "monitoring_notice_withdrawn",
        Purpose.LEGAL,
        "Notice withdrawn",
        sample={"case": CASE, "payload": {"reason": "A buyer confirmed the withdrawal."}},
    ),
    MessageKind(
        "monitoring_termination",
        Purpose.LEGAL,
        "Termination",
        sample={
            "case": CASE,
            "payload": DECISION | {"chosen": "terminate", "grounds": "Not remedied in time."},
            "data": {"appeal_until": "2026-07-24"},
        },
    ),
    MessageKind(
        "monitoring_appeal_received",
        Purpose.LEGAL,
        "Appeal received",
        sample={"case": CASE, "payload": {"grounds": "proportionality", "statement": "Too hard."}},
    ),
    MessageKind(
        "monitoring_appeal_decided",
        Purpose.LEGAL,
        "Decision on the appeal",
        sample={
            "case": CASE,
            "payload": {
                "rationale": "The notice was one day short.",
                "panel": ["A", "B", "C"],
                "policy_clause": "Statutes 9",
                "conflict_declared": False,
            },
            "data": {"result": "varied", "instead": "warning"},
        },
    ),
    MessageKind(
        "monitoring_stayed",
        Purpose.LEGAL,
        "Sanction stayed",
        sample={"case": CASE, "payload": {"reason": "The evidence is new."}},
    ),
    MessageKind(
        "monitoring_stay_lifted",
        Purpose.LEGAL,
        "Stay lifted",
        sample={"case": CASE, "payload": {"reason": "New claims were made."}},
    ),
    MessageKind(
        "monitoring_closure",
        Purpose.LEGAL,
        "Case closed",
        sample={"case": CASE, "data": {"outcome": "RESOLVED"}},
    ),
    MessageKind("monitoring_source_received", Purpose.SERVICE, "Source: received", sample={"case": CASE}),
    MessageKind("monitoring_source_concluded", Purpose.SERVICE, "Source: concluded", sample={"case": CASE}),
    MessageKind(
        "monitoring_cosign",
        Purpose.INTERNAL,
        "Second signature",
        sample={
            "case": CASE,
            "payload": {"reason": "Outside the code.", "chosen": "OUT_OF_SCOPE", "policy_clause": "1.1"},
        },
    ),
    MessageKind(
        "monitoring_critical_alert",
        Purpose.INTERNAL,
        "Critical finding",
        while_in=UNDECIDED,
        urgent=True,
        sample={"case": CASE},
    ),
    MessageKind(
        "monitoring_meeting_overdue",
        Purpose.INTERNAL,
        "Meeting overdue",
        while_in=UNDECIDED,
        urgent=True,
        sample={"case": CASE},
    ),
    MessageKind("monitoring_decision_due", Purpose.INTERNAL, "Decision due", urgent=True, sample={"case": CASE}),
    MessageKind(
        "monitoring_pack_ready",
        Purpose.INTERNAL,
        "Decision pack ready",
        sample={"case": CASE | {"recommendation": "warning", "evidence_grade": "strong"}},
    ),
    MessageKind(
        "monitoring_returned",
        Purpose.INTERNAL,
        "Assessment returned",
        sample={
            "case": CASE,
            "payload": {"reason": "Two questions are open.", "missing": ["Who approved the claim?"]},
        },
    ),
    MessageKind(
        "monitoring_reply_received",
        Purpose.INTERNAL,
        "Reply received",
        sample={"case": CASE, "payload": {"statement": "We disagree."}},
    ),
    MessageKind("monitoring_no_reply", Purpose.INTERNAL, "No reply", sample={"case": CASE}),
    MessageKind("monitoring_plan_received", Purpose.INTERNAL, "Plan received", sample={"case": CASE}),
    MessageKind("monitoring_milestone_passed", Purpose.INTERNAL, "Milestone passed", sample={"case": CASE}),
    MessageKind("monitoring_evidence_received", Purpose.INTERNAL, "Evidence received", sample={"case": CASE}),
    MessageKind(
        "monitoring_benefits_stopped",
        Purpose.INTERNAL,
        "Benefits stopped",
        sample={"case": CASE | {"stage": "suspension"}},
    ),
    MessageKind("monitoring_representations", Purpose.INTERNAL, "Representations", sample={"case": CASE}),
    MessageKind(
        "monitoring_appeal_for_panel",
        Purpose.INTERNAL,
        "Appeal to decide",
        sample={"case": CASE, "payload": {"grounds": "new_evidence", "statement": "See the invoice."}},
    ),
]

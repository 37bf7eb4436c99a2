"""Messages of a complaint. Letters that a code asks for are legal notices: what was written and when is kept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from notifications.kind import MessageKind, Purpose

FACTS = {
    "category": "Opening hours",
    "issues": [
        {"category": "Closed early", "site": "Riverside", "happened_on": "2026-03-30"},
        {"category": "Rudeness"},
    ],
    "answer_by": "2026-04-22",
    "stage_2_by": "2026-05-20",
    "stage_2_until": "2026-05-22",
    "external_until": "2027-05-20",
    "external_body": "",
    "remedies": [
        {"what": "Put the hours on the door", "due_on": "2026-05-01", "done": False},
        {"what": "Train the evening team", "due_on": None, "done": True},
    ],
    "redress_amount": 25.0,
    "reply_by": "2026-04-24",
    "evidence_due": "2026-06-30",
    "reviewed_by": "Local Government and Social Care Ombudsman",
    "external_reference": "26 000 001",
    "action_done": "Train the evening team",
    "destination": "data_protection",
}
ANSWER = {
    "findings": [
        {"decision": "upheld", "reasons": "The doors closed at 20:40; the published time is 21:00."},
        {"decision": "no_finding", "reasons": "Nobody else was there & the accounts differ."},
    ],
    "answer": "We are sorry.\nThe hours were not kept.",
}
UNDER_WAY = frozenset(
    {"early_resolution", "stage_1", "stage_1_extended", "stage_1_approval", "stage_2", "stage_2_extended",
     "stage_2_approval"}
)  # fmt: skip
BEFORE_RESPONSE = frozenset(
    {"acknowledged", "early_resolution", "stage_1", "stage_1_extended", "waiting_for_complainant", "stage_1_approval"}
)


def _kind(
    kind: str,
    purpose: Purpose,
    title: str,
    *while_in: str,
    window: str = "any",
    payload: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> MessageKind:
    sample = {"case": FACTS, "payload": payload or {}, "data": data or {}}
    return MessageKind(kind, purpose, title, window, frozenset(while_in), sample=sample)


def _legal(kind: str, title: str, *while_in: str, **more: Any) -> MessageKind:
    return _kind(kind, Purpose.LEGAL, title, *while_in, **more)


def _service(kind: str, title: str, *while_in: str, **more: Any) -> MessageKind:
    return _kind(kind, Purpose.SERVICE, title, *while_in, **more)


def _internal(kind: str, title: str, *while_in: str, **more: Any) -> MessageKind:
    return _kind(kind, Purpose.INTERNAL, title, *while_in, window="office", **more)


REASON = {"reason": "The person who knows the accounts is away until Monday."}

KINDS = [
    _legal("complaint_acknowledged", "Complaint acknowledged",
           payload={"understanding": "You found the doors closed.", "desired_outcome": "An apology"}),
    _service("complaint_progress", "Progress of a complaint", payload={"message": "We have spoken with the team."}),
    _legal("complaint_extended", "More time at stage 1", payload=REASON),
    _legal("complaint_resolved_early", "Complaint settled early", data=ANSWER),
    _legal("complaint_response", "Response at stage 1", data=ANSWER),
    _legal("complaint_stage_2_acknowledged", "Stage 2 acknowledged"),
    _legal("complaint_stage_2_extended", "More time at stage 2", payload=REASON),
    _legal("complaint_final_response", "Final response", data=ANSWER),
    _legal("complaint_rejected", "Complaint not accepted", payload=REASON),
    _legal("complaint_referred", "Complaint referred", payload={"body": "our data protection lead"}),
    _legal("complaint_withdrawn", "Withdrawal confirmed", payload={"continue_anyway": True}),
    _service("complaint_action_completed", "Promised action done"),
    _service("complaint_question", "Question to the complainant", "waiting_for_complainant",
             payload={"question": "On which day was it?"}),
    _service("complaint_satisfaction", "How a complaint was dealt with", "closed", window="office"),
    _legal("complaint_about_member", "Notice to the member it is about"),
    _service("complaint_member_reminder", "Reminder of the right of reply", *BEFORE_RESPONSE, window="office"),
    replace(_internal("complaint_vulnerable", "Vulnerable complainant"), urgent=True),
    _internal("complaint_allocated", "Complaint allocated"),
    _internal("complaint_to_approve", "Response to approve", "stage_1_approval"),
    _internal("complaint_returned", "Response returned", payload=REASON),
    _internal("complaint_stage_2_wanted", "Stage 2 asked for", "stage_2_requested"),
    _internal("complaint_to_sign_off", "Final response to sign off", "stage_2_approval"),
    _internal("complaint_external_review", "Outside review", "external_review"),
    _internal("complaint_progress_due", "Progress update due", *UNDER_WAY),
    _internal("complaint_waiting_over", "Wait for the complainant is over", "stage_1"),
    _internal("complaint_no_reply", "No reply from the member", *BEFORE_RESPONSE),
    _internal("complaint_at_site", "Complaint about a site"),
]  # fmt: skip

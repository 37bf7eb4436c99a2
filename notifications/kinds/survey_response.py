"""Messages of a survey response.

Each reminder is wanted only in the states in which an answer is awaited and nothing else comes first. So
whoever has submitted, is exempt, cannot be reached or has been asked back never gets one that was already
waiting to leave.
"""

from collections.abc import Mapping
from typing import Any

from notifications.kind import MessageKind, Purpose

ASKED = frozenset({"invited", "opened", "in_progress"})
ESCALATED = frozenset({"escalated"})
CHASED = ASKED | {"escalated", "formal_notice"}
QUERIED = frozenset({"queried"})

ASKING = {
    "campaign_title": "Annual self-assessment 2026",
    "launch": "2026-03-03",
    "deadline": "2026-04-17",
    "questionnaire": "self-assessment",
    "questionnaire_version": 4,
    "ladder": "standard",
    "last_written": "2026-03-03",
}
NOTICED = ASKING | {
    "overdue": True,
    "comply_by": "2026-06-02",
    "code_clause": "the duty in the Code of Practice to complete the self-assessment",
}
REASON = {"reason": "A merger takes the time of everybody who could answer."}


def _reminder(kind: str, title: str, while_in: frozenset[str] = ASKED, **facts: Any) -> MessageKind:
    sample: Mapping[str, Mapping[str, Any]] = {"case": ASKING | facts}
    return MessageKind(kind, Purpose.SERVICE, title, window="office", while_in=while_in, sample=sample)


def _letter(
    kind: str,
    title: str,
    while_in: frozenset[str] = frozenset(),
    purpose: Purpose = Purpose.SERVICE,
    **sample: Any,
) -> MessageKind:
    return MessageKind(kind, purpose, title, while_in=while_in, sample={"case": ASKING} | sample)


def _internal(kind: str, title: str, while_in: frozenset[str] = frozenset(), **sample: Any) -> MessageKind:
    return _letter(kind, title, while_in, Purpose.INTERNAL, **sample)


KINDS = [
    _reminder("survey_invitation", "Invitation"),
    _reminder("survey_reminder_unopened", "First reminder, form not opened", frozenset({"invited"})),
    _reminder("survey_reminder_first", "First reminder", frozenset({"opened", "in_progress"})),
    _reminder("survey_reminder_second", "Second reminder", frozenset({"invited", "opened"})),
    _reminder(
        "survey_reminder_progress",
        "Second reminder, begun",
        frozenset({"in_progress"}),
        answered=31,
        required=40,
    ),
    _reminder("survey_week_left", "One week left"),
    _reminder("survey_three_days_left", "Three days left"),
    _reminder("survey_one_day_left", "One day left"),
    _letter("survey_last_day", "Last day", ASKED),
    _reminder("survey_nudge", "Reminder by hand", ASKED | ESCALATED),
    _reminder("survey_overdue", "Overdue notice", overdue=True),
    _reminder("survey_letter", "Letter to the senior contact", ESCALATED, overdue=True),
    _letter("survey_formal_notice", "Formal notice", frozenset({"formal_notice"}), Purpose.LEGAL, case=NOTICED),
    _letter(
        "survey_query",
        "Questions about the answer",
        QUERIED,
        payload={"questions": [{"question": "water_use", "text": "Is this in litres or in cubic metres?"}]},
    ),
    _reminder("survey_query_reminder", "Questions still open", QUERIED),
    _letter(
        "survey_receipt",
        "Receipt of the answer",
        case=ASKING
        | {
            "submitted_on": "2026-04-09",
            "submitted_at": "2026-04-09T10:31:00+00:00",
            "revision": 7,
            "answers_sha256": "0123456789abcdef" * 4,
        },
        payload={"respondent_name": "Chandra Rao"},
    ),
    _letter("survey_complete", "Answer complete", case=ASKING | {"caveat": True, "excluded": ["water_use"]}),
    _letter("survey_exempt", "Exempt", payload=REASON),
    _letter(
        "survey_exemption_declined",
        "Exemption declined",
        payload=REASON,
        data={"passed": False, "answered": False},
    ),
    _letter("survey_extension", "More time", ASKED, payload=REASON),
    _letter("survey_deadline_moved", "Deadline moved", ASKED, payload=REASON),
    _letter("survey_cancelled", "Campaign cancelled"),
    _letter("survey_failed", "Recorded as not answered", frozenset({"failed"})),
    _letter("survey_refused", "Refusal recorded", frozenset({"refused"})),
    _internal("survey_phone_due", "Ring the member", CHASED),
    _internal("survey_notice_ahead", "Formal notice goes out soon", CHASED),
    _internal("survey_notice_sent", "Formal notice sent", frozenset({"formal_notice"}), case=NOTICED),
    _internal("survey_decision_wanted", "Decision wanted", frozenset({"decision"}), case=NOTICED),
    _internal(
        "survey_exemption_asked",
        "Exemption asked for",
        frozenset({"exemption_requested"}),
        case=ASKING | {"exemption": "under_12_months"},
        payload={"details": "We joined in November."},
    ),
    _internal("survey_bounced", "Mail came back", payload={"status": "5.1.1", "address": "info@example.org"}),
    _internal("survey_query_unanswered", "No reply to our questions", QUERIED),
]

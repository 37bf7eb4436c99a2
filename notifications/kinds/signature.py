"""Messages of a signature.

Each reminder is wanted only in the states in which a signature is awaited and nothing else comes first. So whoever has
signed, is exempt, cannot be reached or waits for a decision never gets one that was already waiting to leave.
"""

from typing import Any

from notifications.kind import MessageKind, Purpose

ASKED = frozenset({"sent", "viewed", "expired"})
ESCALATED = frozenset({"escalated"})
CHASED = ASKED | {"escalated", "formal_notice"}
SEARCHED = frozenset({"pending", "bounced", "wrong_signatory"})
LATE = frozenset({"failed", "refused"})

ASKING = {
    "campaign_title": "Code of Practice 2026",
    "document": "CD-2026-000003",
    "document_title": "Code of Practice",
    "document_number": "3.0",
    "document_languages": {"en": "0123456789abcdef" * 4},
    "authoritative": "en",
    "launch": "2026-03-03",
    "deadline": "2026-04-02",
    "ladder": "standard",
    "round": 2,
    "summary": "Principle 4 now covers suppliers of suppliers.",
    "last_written": "2026-03-03",
}
NOTICED = ASKING | {
    "overdue": True,
    "comply_by": "2026-05-15",
    "code_clause": "the duty in the terms of membership to sign the current Code of Practice",
}
SIGNED = ASKING | {
    "signed_on": "2026-03-09",
    "signed_at": "2026-03-09T10:31:00+00:00",
    "signed_sha256": "0123456789abcdef" * 4,
    "signed_language": "en",
    "legal_name": "Brennhølm Spinneri AS",
}
SIGNER = {"name": "Ingrid Brennhølm", "position": "Managing director"}
RESERVATION = SIGNER | {"reservation": "Clause 7.2 applies to us only within the European Union."}
REASON = {"reason": "The head of purchasing may not sign for the company alone."}


def _reminder(kind: str, title: str, while_in: frozenset[str] = ASKED, **facts: Any) -> MessageKind:
    return MessageKind(
        kind, Purpose.SERVICE, title, window="office", while_in=while_in, sample={"case": ASKING | facts}
    )


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
    _reminder("signature_request", "Request to sign", CHASED),
    _reminder("signature_reminder_first", "First reminder"),
    _reminder("signature_reminder_second", "Second reminder"),
    _reminder("signature_three_days_left", "Three days left"),
    _letter("signature_fresh_link", "A new link", CHASED),
    _letter("signature_last_day", "Last day", ASKED),
    _reminder("signature_nudge", "Reminder by hand", ASKED | ESCALATED),
    _reminder("signature_letter", "Letter to the signatory", ESCALATED, overdue=True),
    _letter("signature_formal_notice", "Formal notice", frozenset({"formal_notice"}), Purpose.LEGAL, case=NOTICED),
    _letter("signature_receipt", "Receipt of the signature", case=SIGNED, payload=RESERVATION),
    _letter("signature_valid", "Signature counts", frozenset({"valid"}), case=SIGNED),
    _letter("signature_wrong_signatory", "Signed by the wrong person", frozenset({"wrong_signatory"}), payload=REASON),
    _letter("signature_reservation_rejected", "Reservation rejected", ASKED, payload=REASON),
    _letter("signature_refused", "Refusal recorded", frozenset({"refused"})),
    _letter("signature_failed", "Recorded as not signed", frozenset({"failed"})),
    _letter("signature_extension", "More time", ASKED, payload=REASON),
    _letter("signature_deadline_moved", "Deadline moved", ASKED, payload=REASON),
    _reminder("signature_new_edition", "A newer text took effect", frozenset()),
    _letter("signature_exempt", "Exempt", payload=REASON),
    _letter("signature_exemption_declined", "Exemption declined", payload=REASON, data={"passed": False}),
    _letter("signature_cancelled", "Campaign cancelled"),
    _internal("signature_no_signatory", "Nobody may sign", frozenset({"pending"})),
    _internal("signature_bounced", "Mail came back", payload={"status": "5.1.1", "address": "info@example.org"}),
    _internal("signature_not_me", "Not the right person", SEARCHED, payload=SIGNER | {"email": "ceo@example.org"}),
    _internal("signature_phone_due", "Ring the member", CHASED),
    _internal("signature_notice_ahead", "Formal notice goes out soon", CHASED),
    _internal("signature_notice_sent", "Formal notice sent", frozenset({"formal_notice"}), case=NOTICED),
    _internal("signature_decision_wanted", "Decision wanted", frozenset({"decision"}), case=NOTICED),
    _internal("signature_to_check", "A signature to check", frozenset({"signed"}), case=SIGNED),
    _internal(
        "signature_reservation",
        "A reservation to decide",
        frozenset({"signed_with_reservation"}),
        case=SIGNED,
        payload=RESERVATION,
    ),
    _internal("signature_countersign", "To be countersigned", frozenset({"countersigning"}), case=SIGNED),
    _internal(
        "signature_exemption_asked",
        "Exemption asked for",
        frozenset({"exemption_requested"}),
        case=ASKING | {"exemption": "merged"},
        payload={"details": "The parent signs for both."},
    ),
]

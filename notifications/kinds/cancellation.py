"""Messages of a cancellation. An offer is sent in direct reply only, so it is a service message."""

from notifications.kind import MessageKind, Purpose

NOTICE = {
    "notice_given_at": "2026-06-04T10:00:00+00:00",
    "notice_given_on": "2026-06-04",
    "end_date": "2026-06-30",
    "end_explained": "Your notice is one full calendar month.",
    "last_payment_on": "2026-06-15",
    "refund": "18.67",
    "refund_due": "yes",
}
OFFER = {
    "offer": {
        "code": "freeze",
        "kind": "freeze",
        "terms": "A freeze for two months; you pay nothing in that time.",
        "months": 2,
        "new_price": "20.00",
        "open_until": "2026-06-08T22:59:00+00:00",
    }
}
LEAVING = frozenset({"notice_running", "end_confirmed", "cancelled"})

KINDS = [
    MessageKind("cancellation_receipt", Purpose.LEGAL, "Receipt of a cancellation", sample={"case": NOTICE}),
    MessageKind(
        "cancellation_end_notice",
        Purpose.LEGAL,
        "End-of-contract notice",
        while_in=LEAVING,
        after_leaving=True,
        sample={"case": NOTICE},
    ),
    MessageKind(
        "cancellation_offer",
        Purpose.SERVICE,
        "Offer in reply to a cancellation",
        while_in=frozenset({"offer_made", "notice_running"}),
        sample={"case": OFFER},
    ),
    MessageKind("cancellation_offer_confirmed", Purpose.LEGAL, "Accepted offer, confirmed", sample={"case": OFFER}),
    MessageKind("cancellation_ended", Purpose.SERVICE, "Membership has ended", sample={"case": NOTICE}),
    MessageKind("cancellation_cooled_off", Purpose.LEGAL, "Cancelled in cooling-off", sample={"case": NOTICE}),
    MessageKind(
        "cancellation_hardship",
        Purpose.SERVICE,
        "Help in hardship",
        while_in=frozenset({"hardship", "notice_running"}),
    ),
    MessageKind("cancellation_revoked", Purpose.LEGAL, "Notice taken back"),
    MessageKind("cancellation_bereavement", Purpose.SERVICE, "To an executor", sample={"case": NOTICE}),
    MessageKind(
        "cancellation_refund_note",
        Purpose.INTERNAL,
        "Refund to make",
        window="office",
        while_in=frozenset({"cooled_off", "end_confirmed"}),
        sample={"case": NOTICE},
    ),
    MessageKind(
        "cancellation_intent",
        Purpose.SERVICE,
        "Did you mean to leave?",
        window="office",
        while_in=frozenset({"intent"}),
    ),
    MessageKind("cancellation_intent_closed", Purpose.SERVICE, "The membership goes on", window="office"),
]

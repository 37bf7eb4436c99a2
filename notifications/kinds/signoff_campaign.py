"""Messages of a sign-off campaign; all of them go to staff. What every campaign tells is with the survey campaign."""

from notifications.kind import MessageKind, Purpose

PLAN = {
    "title": "Code of Practice 2026",
    "launch": "2026-03-03",
    "deadline": "2026-04-02",
    "document": "CD-2026-000004",
    "document_title": "Code of Practice",
    "document_number": "3.1",
    "summary": "Principle 4 now covers suppliers of suppliers.",
}

KINDS = [
    MessageKind(
        "signoff_new_round",
        Purpose.INTERNAL,
        "A newer version began a new round",
        window="office",
        sample={"case": PLAN},
    ),
]

"""Messages about versions of documents that members sign; all of them go to staff."""

from notifications.kind import MessageKind, Purpose

VERSION = {
    "title": "Code of Practice",
    "number": "3.0",
    "material": True,
    "summary": "Principle 4 now covers suppliers of suppliers.",
    "effective_on": "2026-09-01",
    "supersedes": "CD-2025-000012",
}

KINDS = [
    MessageKind(
        "document_review_wanted",
        Purpose.INTERNAL,
        "A text waits for review",
        while_in=frozenset({"legal_review"}),
        sample={"case": VERSION},
    ),
    MessageKind(
        "document_returned",
        Purpose.INTERNAL,
        "A text was sent back",
        while_in=frozenset({"draft"}),
        sample={"case": VERSION, "payload": {"reason": "Clause 7 contradicts the statutes."}},
    ),
    MessageKind("document_approved", Purpose.INTERNAL, "A text is approved", sample={"case": VERSION}),
    MessageKind("document_in_force", Purpose.INTERNAL, "A text is in force", window="office", sample={"case": VERSION}),
]

"""Messages that every process uses: about clocks, holds, tasks, and the digest of what is late."""

from notifications.kind import MessageKind, Purpose

LATE = {
    "ref": "MC-2026-0001",
    "title": "Monitoring case",
    "subject": "Claims without a licence",
    "state": "triage",
    "owner": "Amara",
    "due": "2026-04-13T16:00:00+00:00",
}
RUNNING = {
    "ref": "SC-2026-0002",
    "title": "Annual self-assessment 2026",
    "responded": 30,
    "eligible": 45,
    "exempt": 1,
    "outstanding": 14,
}

KINDS = [
    MessageKind(
        "case_assigned", Purpose.INTERNAL, "A case was given to you", window="office", sample={"data": {"by": "Mina"}}
    ),
    MessageKind("case_due_soon", Purpose.INTERNAL, "Time is running out", window="office"),
    MessageKind("case_overdue", Purpose.INTERNAL, "A case is late", window="office"),
    MessageKind("case_escalated", Purpose.INTERNAL, "A late case for a manager", window="office"),
    MessageKind("case_hold_ended", Purpose.INTERNAL, "A hold has ended by itself", window="office"),
    MessageKind(
        "address_needed",
        Purpose.INTERNAL,
        "A member cannot be reached by mail",
        window="office",
        sample={"data": {"title": "Second reminder", "why": "no usable address"}},
    ),
    MessageKind(
        "case_told",
        Purpose.INTERNAL,
        "Somebody wrote on their personal page",
        window="office",
        sample={"data": {"about": "more time"}, "payload": {"text": "We need until Friday.\nThe auditor is late."}},
    ),
    MessageKind(
        "case_reply",
        Purpose.INTERNAL,
        "Somebody answered by mail",
        urgent=True,
        sample={
            "data": {"known": False, "guessed": False, "closed": False},
            "payload": {
                "name": "Jo Example",
                "from": "jo@example.org",
                "subject": "Re: Please answer",
                "text": "Hello",
            },
        },
    ),
    MessageKind(
        "work_held_back",
        Purpose.INTERNAL,
        "Muster has stopped and asks",
        urgent=True,
        sample={
            "data": {
                "number": 3,
                "process": "Complaint",
                "cases": 260,
                "messages": 520,
                "moves": 0,
                "again": False,
                "hours": 4,
                "page": "https://muster.example/approvals/held/3",
            }
        },
    ),
    MessageKind("own_link", Purpose.SERVICE, "A new personal link"),
    MessageKind("leave_link", Purpose.SERVICE, "Link to end a membership", sample={"data": {"days": 7}}),
    MessageKind(
        "manager_digest",
        Purpose.INTERNAL,
        "Weekly digest",
        window="office",
        sample={
            "data": {
                "decisions": {"total": 1, "confidential": 1, "cases": []},
                "overdue": {"total": 3, "confidential": 0, "cases": [LATE]},
                "escalated": {"total": 0, "confidential": 0, "cases": []},
                "parked": {"total": 0, "confidential": 0, "cases": []},
                "campaigns": [RUNNING],
                "messages": {"failed": 1, "waiting": 0},
            }
        },
    ),
]
"""``leave_link`` carries its link sealed (`notifications/sealing.py`). ``manager_digest`` is about no single case; its
``data`` is as in the sample."""

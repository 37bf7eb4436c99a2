"""Messages by which a member is reached: the next contact, a promise, who is not the right person, who is unreachable.

Shared by every process in which members are asked for something; each is wanted only while an answer is awaited.
"""

from notifications.kind import MessageKind, Purpose

AWAITED = frozenset({"invited", "opened", "in_progress", "sent", "viewed", "expired", "escalated", "formal_notice"})
"""States of all these processes in which an answer is awaited and the ladder runs."""
ASKING = {
    "campaign_title": "Annual self-assessment 2026", "launch": "2026-03-03", "deadline": "2026-04-17",
    "promised_on": "2026-04-10", "bounces": 1, "calls_missed": 2, "letters_posted": 1,
}  # fmt: skip
REASON = {"reason": "They moved, and the register of companies has a newer address."}
NAMED = {"contact": 5, "name": "Zoë Novák", "position": "Head of sourcing", "email": "zoe@mills.example"}

KINDS = [
    MessageKind(
        "reach_handed_on",
        Purpose.SERVICE,
        "Asked as the next contact",
        window="office",
        while_in=AWAITED,
        sample={"case": ASKING, "data": {"why": "silent", "late": False}},
    ),
    MessageKind(
        "reach_also_asked",
        Purpose.SERVICE,
        "A colleague was asked as well",
        window="office",
        while_in=AWAITED,
        sample={"case": ASKING},
    ),
    MessageKind(
        "reach_promise_today",
        Purpose.SERVICE,
        "The day that was promised",
        window="office",
        while_in=AWAITED,
        sample={"case": ASKING},
    ),
    MessageKind(
        "reach_left_out",
        Purpose.SERVICE,
        "Need not answer any more",
        while_in=frozenset({"left_out"}),
        sample={"case": ASKING},
    ),
    MessageKind(
        "reach_promise_broken",
        Purpose.INTERNAL,
        "A promise was not kept",
        window="office",
        while_in=AWAITED,
        sample={"case": ASKING},
    ),
    MessageKind(
        "reach_not_me",
        Purpose.INTERNAL,
        "“I am not the right person”",
        sample={"case": ASKING, "payload": NAMED, "data": {"named": True, "colleague": False, "nobody_left": False}},
    ),
    MessageKind(
        "reach_unreachable_asked",
        Purpose.INTERNAL,
        "Said to be unreachable",
        while_in=frozenset({"unreachable_asked"}),
        sample={"case": ASKING, "payload": REASON},
    ),
    MessageKind(
        "reach_unreachable_declined",
        Purpose.INTERNAL,
        "Not unreachable yet",
        sample={"case": ASKING, "payload": REASON},
    ),
]

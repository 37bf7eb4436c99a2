"""Messages about somebody's own account. They go to the person alone, never to whoever stands in for them."""

from notifications.kind import MessageKind, Purpose

KINDS = [
    MessageKind(
        "password_invitation",
        Purpose.INTERNAL,
        "Invitation to the desk",
        urgent=True,
        sample={"data": {"by": "Ada", "days": 7, "email": "chandra@example.org"}},
    ),
    MessageKind(
        "password_forgotten",
        Purpose.INTERNAL,
        "Link to choose a new password",
        urgent=True,
        sample={"data": {"minutes": 60}},
    ),
    MessageKind("password_changed", Purpose.INTERNAL, "Your password was changed", urgent=True),
]
"""The first two carry their link sealed (`notifications/sealing.py`); ``link`` of the third is the desk."""

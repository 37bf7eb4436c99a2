"""A mail that came in, as it was understood. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a mail that came in is. Only a reply is somebody's words to us; nothing of it is an answer to a question."""

    BOUNCE = "bounce"
    """It could not be delivered, for good."""
    TEMPORARY = "temporary"
    """It was given up for now: the mailbox is full, or the other server did not take it."""
    DELAYED = "delayed"
    """Somebody still tries (RFC 3464, Action: delayed); it is no bounce."""
    POLICY = "policy"
    """Refused for what we are or send (5.7.x); nothing is wrong with the address."""
    DELIVERED = "delivered"
    """Delivered, relayed or expanded."""
    AUTOMATIC = "automatic"
    """An automatic reply: out of office, a receipt, a mailing list."""
    LEFT = "left"
    """An automatic reply that says the person is not there any more."""
    CHALLENGE = "challenge"
    """Somebody's filter wants us to prove that we are people."""
    RECEIPT = "receipt"
    """It was opened, or deleted unread (RFC 8098)."""
    COMPLAINT = "complaint"
    """Reported as unwanted (RFC 5965)."""
    UNSUBSCRIBE = "unsubscribe"
    """Somebody wants no more mail."""
    OWN = "own"
    """Our own mail come back to us."""
    REPLY = "reply"
    """Written by a person, as far as one can tell."""
    UNREADABLE = "unreadable"
    """It could not be understood."""


TITLES = {
    Kind.BOUNCE: "Came back", Kind.TEMPORARY: "Came back for now", Kind.DELAYED: "Delayed",
    Kind.POLICY: "Refused by a mail server's rules", Kind.DELIVERED: "Delivered", Kind.AUTOMATIC: "Automatic reply",
    Kind.LEFT: "Has left, says an automatic reply", Kind.CHALLENGE: "A filter asks for proof",
    Kind.RECEIPT: "Receipt", Kind.COMPLAINT: "Reported as unwanted", Kind.UNSUBSCRIBE: "Wants no more mail",
    Kind.OWN: "Our own mail", Kind.REPLY: "Written by a person", Kind.UNREADABLE: "Could not be read",
}  # fmt: skip

RETURNED = frozenset({Kind.BOUNCE, Kind.TEMPORARY, Kind.POLICY})
"""The message did not arrive."""
REPORTS = RETURNED | {Kind.DELAYED, Kind.DELIVERED}
"""Mail servers write them."""
WRITTEN = frozenset({Kind.REPLY, Kind.UNSUBSCRIBE})
"""A person wrote it, as far as one can tell."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a mail was taken for."""

    kind: Kind
    status: str | None = None
    """The code of RFC 3463, where one was given."""
    reason: str = ""
    """What the other side said about it, in its words."""
    failed: tuple[str, ...] = ()
    """The addresses it is about, in small letters."""
    mailbox_full: bool = False
    back_on: str | None = None
    """When somebody is back, as they wrote it."""
    guessed: bool = False
    """Whether it is called automatic for its words alone: a person may have written it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with it, by name only."""

    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail that came in."""

    sorted: Sorted
    message_id: str | None = None
    from_email: str | None = None
    from_name: str = ""
    subject: str = ""
    text: str = ""
    """What was newly written, as plain text, without what it quotes."""
    originals: tuple[str, ...] = ()
    """The Message-IDs of what it may be about, the likeliest first."""
    tags: tuple[str, ...] = ()
    """What stands as a tag of our reply address; whether one is genuine is not known here."""
    case_refs: tuple[str, ...] = ()
    """References of cases that it names; they prove nothing."""
    attachments: tuple[Attachment, ...] = ()
    trouble: str | None = None
    """What was wrong with its form, in a sentence."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.sorted.kind

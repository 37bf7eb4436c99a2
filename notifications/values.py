"""What delivery must be told about a case, and what it reports back. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ClockView:
    """A clock that runs now."""

    name: str
    title: str
    due: datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as its mail sees it at the moment of sending."""

    case_id: int
    ref: str
    process: str
    state: str
    title: str = ""
    """What people call the process: "Complaint"."""
    state_label: str = ""
    subject: str = ""
    final: bool = False
    on_hold: bool = False
    team: str | None = None
    owner_id: int | None = None
    owner_role: str = "coordinator"
    """Who is asked when no person owns it."""
    restricted_to: frozenset[int] | None = None
    """Staff who alone may see it; None: no such limit."""
    walled_off: frozenset[int] = frozenset()
    """Staff who may never see it."""
    opened_at: datetime | None = None
    received_at: datetime | None = None
    deadline: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    parties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Persons named on the case by role: ``name``, ``email`` and, where known, ``language``."""
    clocks: Mapping[str, ClockView] = field(default_factory=dict)
    """The clocks that run now, by name."""
    member_id: int | None = None
    member_name: str = ""
    member_ref: str = ""
    member_status: str = ""
    member_language: str = ""
    member_flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to put into the outbox. ``key`` is made from the fact that asks for it."""

    key: str
    kind: str
    audience: str
    case_id: int | None = None
    event_seq: int | None = None
    member_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    clock: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A claimed message, as far as deciding about it and rendering it need to know."""

    id: int
    key: str
    kind: str
    audience: str
    purpose: str = "service"
    case_id: int | None = None
    event_seq: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    clock: str | None = None
    member_id: int | None = None
    attempts: int = 0
    staff_id: int | None = None
    """Set when it is one of several that go to everybody of a role."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message goes to."""

    email: str
    name: str
    role: str
    """``member``, ``staff``, or the role of a person named on the case."""
    language: str = ""
    contact_id: int | None = None
    staff_id: int | None = None

    @property
    def address(self) -> str:
        """The address as it is compared: two spellings of one mailbox are one."""
        return self.email.strip().lower()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An address the mail server refused for good."""

    case_id: int | None
    message_id: int
    contact_id: int | None
    code: int
    text: str


@dataclass(slots=True)
class DeliveryReport:
    """What one delivery did."""

    sent: int = 0
    suppressed: dict[str, int] = field(default_factory=dict)
    """How many were not sent, by reason."""
    failed: int = 0
    held: int = 0
    retried: int = 0
    unusable: list[int] = field(default_factory=list)
    """Cases whose member has no usable address: somebody must repair it."""
    refused: list[Refusal] = field(default_factory=list)
    """Addresses that do not exist; contacts with them are marked as bounced, somebody must repair them."""
    stopped: str | None = None
    """Why it ended before everything was tried: the mail server, in a sentence; None when all was done."""

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values, with the reasons why something was not sent."""
        return {
            "sent": self.sent, "suppressed": sum(self.suppressed.values()), "failed": self.failed, "held": self.held,
            "retried": self.retried, "reasons": dict(self.suppressed), "stopped": self.stopped,
        }  # fmt: skip

    def add(self, other: DeliveryReport) -> None:
        """Count in what another delivery did beside this one. Why that one ended early is its own matter: this one
        has gone on until nothing was due."""
        self.sent += other.sent
        self.failed += other.failed
        self.held += other.held
        self.retried += other.retried
        for reason, count in other.suppressed.items():
            self.suppressed[reason] = self.suppressed.get(reason, 0) + count
        self.unusable += [case_id for case_id in other.unusable if case_id not in self.unusable]
        self.refused += other.refused

    def suppress(self, reason: str) -> None:
        """Count one that is not sent."""
        self.suppressed[reason] = self.suppressed.get(reason, 0) + 1

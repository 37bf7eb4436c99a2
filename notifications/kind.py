"""What a kind of message is: why it is sent, when it may leave, and in which states it is still wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Purpose(StrEnum):
    """Why a message is sent; it decides who may stop it.

    Source: Privacy and Electronic Communications Regulations 2003 (marketing needs consent or soft opt-in and carries a
    way out; service and legal messages carry none, and no promotion).
    """

    SERVICE = "service"
    LEGAL = "legal"
    INTERNAL = "internal"
    MARKETING = "marketing"


@dataclass(frozen=True)
class MessageKind:
    """One kind of message of one process."""

    kind: str
    purpose: Purpose
    title: str
    """What people call it in a list: "Second reminder"."""
    window: str = "any"
    """``office``: leaves in office hours only. ``any``: at once (receipts, answers, statutory notices)."""
    while_in: frozenset[str] = frozenset()
    """The states in which it is still wanted when it is sent; empty for a message that is always owed."""
    demands_payment: bool = False
    """Never sent to a member in breathing space (Debt Respite Scheme Regulations 2020)."""
    after_leaving: bool = False
    """Still owed to a member who has left before it could be sent."""
    urgent: bool = False
    """Internal kinds: leaves however many notices its reader got today; the queue and the digest would be too late."""
    sample: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``case`` facts, ``payload`` and ``data`` it is proved with."""

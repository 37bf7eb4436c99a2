"""What others get to see of the register: frozen values, read in sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

GONE = ("left", "terminated")
DECIDED = ("suspended", "terminated")
"""Statuses that only a decision in a case gives or lifts."""
_LABELS = {"external_ref": "Their own reference", "email": "E-mail", "phone": "Telephone"}


@dataclass(frozen=True, slots=True)
class MemberCard:
    """One member as lists, letters and decisions need it."""

    id: int
    ref: str
    external_ref: str | None
    kind: str
    name: str
    status: str
    tier: str | None
    category: str | None
    country: str | None
    region: str | None
    site: str | None
    team: str | None
    website: str | None
    language: str
    joined_on: date | None
    left_on: date | None
    flags: frozenset[str]
    merged_into: int | None
    version: int


@dataclass(frozen=True, slots=True)
class Place:
    """One member of a population, and the team it belongs to: all that a launch needs to know of it."""

    id: int
    team: str | None


@dataclass(frozen=True, slots=True)
class Contact:
    """One person or mailbox of a member."""

    id: int
    member_id: int
    position: int
    name: str
    email: str | None
    phone: str | None
    role: str
    language: str | None
    status: str
    bounced_at: datetime | None
    bounce_reason: str | None

    @property
    def reachable(self) -> bool:
        """Whether mail may be tried: there is an address that has not bounced, of someone still there."""
        return self.status == "ok" and self.email is not None


def label_of(field: str) -> str:
    """Return what people call a field of a member or of a contact."""
    return _LABELS.get(field, field.replace("_", " ").capitalize())


def said(value: object) -> str:
    """Return a value of a field as text."""
    if value is None:
        return ""
    if isinstance(value, Sequence | frozenset) and not isinstance(value, str):
        return ", ".join(sorted(map(str, value)))
    return value.isoformat() if isinstance(value, date) else str(value)

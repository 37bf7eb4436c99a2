"""The values in which it is told why something happened to a case, or did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.explaining.asking import Answer

FIRED, PASSED_OVER, REFUSED = "fired", "passed over", "refused"
NOT_YET, STOOD_STILL, LATE = "not due yet", "stood still", "late"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message a rung asked for, and what became of it."""

    title: str
    audience: str
    state: str
    to: str | None
    at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class RungThen:
    """A rung of a clock as it stood at an instant."""

    name: str
    title: str
    due: datetime
    verdict: str
    """``fired``, ``passed over``, ``refused``, ``not due yet``, ``stood still`` or ``late``."""
    happened_at: datetime | None
    """When the sweep came to it."""
    late_by: timedelta | None
    seq: int | None
    """The event that tells of it."""
    why: str
    answers: tuple[Answer, ...]
    """Of every way that it could take."""
    refused: str
    """What would have refused it as things stood; empty where a way was open, or where the record tells what was."""
    messages: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class ClockWhy:
    """A clock as it ran at an instant."""

    name: str
    title: str
    anchor: datetime
    due: datetime
    paused: bool
    rungs: tuple[RungThen, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """What is known of a case at an instant."""

    ref: str
    subject: str
    at: datetime
    state_title: str
    on_hold: bool
    parked: str | None
    """Why it was set aside then."""
    answer: str
    """The short answer, in a paragraph."""
    clocks: tuple[ClockWhy, ...]
    notes: tuple[str, ...]

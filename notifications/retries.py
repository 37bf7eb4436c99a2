"""Whether and when a message that could not be handed over is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.refusals import NeverDeliverable, TransportError
from state_machines.policy import MailPolicy

_NO_DELAYS = (60,)


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Try once more, not before this instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try any more."""

    reason: str


def after_failure(attempt: int, error: TransportError, policy: MailPolicy, *, now: datetime) -> SendAgain | GiveUp:
    """Return what follows on the `attempt`-th failed attempt (1 is the first), by the organisation's clock."""
    if isinstance(error, NeverDeliverable):
        return GiveUp(f"the mail server refused it for good: {error}")
    if attempt >= policy.attempts:
        return GiveUp(f"gave up after {attempt} attempts: {error}")
    delays = policy.retry_minutes or _NO_DELAYS
    return SendAgain(now + timedelta(minutes=delays[min(attempt, len(delays)) - 1]))

"""Whether a message is still due, decided at the moment of sending. Pure.

The order of the questions matters: first what makes it pointless for ever, then who gets it, then what makes it wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from notifications.kind import MessageKind, Purpose
from notifications.recipients import CONTACT, is_for_member, is_for_outsider
from notifications.values import CaseView, QueuedMessage, Recipient
from notifications.windows import next_opening, tomorrow
from state_machines.calendars import Calendar
from state_machines.policy import MailPolicy

CONSENT = "MARKETING_CONSENT"
REFUSALS = frozenset({"MARKETING_OPT_OUT", "NO_OFFERS"})

NO_ADDRESS = "no usable address"
NO_PARTY_ADDRESS = "no address on file"
NOBODY = "nobody is there to receive it"
LEFT = frozenset({"left", "terminated", "merged"})
"""Statuses of a member who is one no longer."""

SAME_PERSON = "the same person gets it already"
"""Why a copy is not sent where two of those it is for are one."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send it to this person."""

    recipient: Recipient
    others: tuple[Recipient, ...] = ()
    """Who else gets one of their own."""


@dataclass(frozen=True, slots=True)
class Suppress:
    """Never send it."""

    reason: str
    repair: bool = False
    """Whether somebody must repair the member's address."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Look again later."""

    until: datetime
    reason: str


Verdict = Send | Suppress | Hold


@dataclass(frozen=True)
class Rules:
    """What is the same for a whole batch."""

    policy: MailPolicy
    calendar: Calendar
    now: datetime


@dataclass
class Facts:
    """What other messages mean for this batch; it grows while the batch is decided."""

    newest: Mapping[tuple[int, str, str], int] = field(default_factory=dict)
    """The last event that sent by a clock, by case, clock and side (`side`)."""
    received: set[tuple[int, int, str, str]] = field(default_factory=set)
    """Case, event, kind and address of what was sent already."""
    today: Counter[str] = field(default_factory=Counter)
    """How many messages an address outside got today."""
    notices: Counter[str] = field(default_factory=Counter)
    """How many internal messages an address of the staff got today."""

    def note(self, message: QueuedMessage, recipient: Recipient) -> None:
        """Count a message that is about to be sent."""
        if message.case_id is not None and message.event_seq is not None:
            self.received.add((message.case_id, message.event_seq, message.kind, recipient.address))
        counted = self.today if recipient.staff_id is None else self.notices
        counted[recipient.address] += 1


def side(audience: str) -> str:
    """Return the audience as supersession sees it: all contacts of a member are one."""
    return "member" if is_for_member(audience) else audience


def judge(
    message: QueuedMessage,
    view: CaseView | None,
    kind: MessageKind,
    recipients: Sequence[Recipient],
    facts: Facts,
    rules: Rules,
) -> Verdict:
    """Return whether and to whom it is sent. Raises LookupError for a window the policy lacks, and NeverOpens."""
    return (
        _pointless(message, view, kind, facts, rules)
        or _forbidden(message, view, kind)
        or _unaddressed(message, view, kind, recipients)
        or _waiting(message, view, kind, rules)
        or _addressed(message, kind, recipients, facts, rules)
    )


def _pointless(
    message: QueuedMessage, view: CaseView | None, kind: MessageKind, facts: Facts, rules: Rules
) -> Suppress | None:
    """What the case has made needless since."""
    if message.case_id is None:
        return None
    if view is None:
        return Suppress("the case is no longer there")
    if kind.while_in and view.state not in kind.while_in:
        return Suppress(f"no longer needed: the case is {view.state_label or view.state.replace('_', ' ')}")
    if view.final and kind.kind in UNTIL_CLOSED:
        return Suppress("no longer needed: the case is closed")
    if kind.kind in ABOUT_A_CLOCK and (reason := _clock_moved(message, view, kind, rules.now)):
        return Suppress(reason)
    if message.clock and message.event_seq is not None and kind.purpose is not Purpose.LEGAL:
        newest = facts.newest.get((message.case_id, message.clock, side(message.audience)), 0)
        if newest > message.event_seq:
            return Suppress("a newer message took its place")
    return None


ABOUT_A_CLOCK = {"case_due_soon": False, "case_overdue": True, "case_escalated": True}
"""General kinds that speak of a clock, and whether they say that its time has passed."""
UNTIL_CLOSED = frozenset({*ABOUT_A_CLOCK, "case_assigned", "case_hold_ended", "address_needed"})
"""General kinds that nobody needs once the case is closed, in whichever process."""


def _clock_moved(message: QueuedMessage, view: CaseView, kind: MessageKind, now: datetime) -> str | None:
    if message.clock is None:
        return None
    clock = view.clocks.get(message.clock)
    if clock is None:
        return "no longer needed: the clock was stopped"
    if ABOUT_A_CLOCK[kind.kind] and clock.due > now:
        return "no longer needed: there is more time now"
    return None


def _forbidden(message: QueuedMessage, view: CaseView | None, kind: MessageKind) -> Suppress | None:
    """What the member's circumstances rule out."""
    if view is None or not is_for_member(message.audience):
        return None
    flags = _flags(view)
    if "DECEASED" in flags:
        return Suppress("the member has died: nothing is sent automatically")
    if "LEGAL_HOLD_CONTACT" in flags:
        return Suppress("contact is on legal hold: a person must write")
    if "INVALID_ADDRESS" in flags:
        return Suppress(NO_ADDRESS, repair=True)
    if kind.demands_payment and (reason := _no_demand(flags)):
        return Suppress(reason)
    useless = (kind.while_in and not kind.after_leaving) or kind.purpose is Purpose.MARKETING
    if view.member_status in LEFT and useless:
        return Suppress("the member has left")
    return None


def _flags(view: CaseView) -> frozenset[str]:
    return frozenset(flag.upper() for flag in view.member_flags)


def _no_demand(flags: frozenset[str]) -> str | None:
    """Source: Debt Respite Scheme Regulations 2020; the two others ask for a person's judgement first."""
    if "BREATHING_SPACE" in flags:
        return "the member is in breathing space: no demand for payment"
    if "VULNERABLE" in flags:
        return "the member is vulnerable: a person must look before payment is demanded"
    if "COMPLAINT_ON_SAME_DEBT" in flags:
        return "there is a complaint about this debt: no demand for payment"
    return None


def _unaddressed(
    message: QueuedMessage, view: CaseView | None, kind: MessageKind, recipients: Sequence[Recipient]
) -> Suppress | None:
    if not recipients:
        if is_for_member(message.audience):
            return Suppress(NO_ADDRESS, repair=not message.audience.startswith(CONTACT))
        return Suppress(NO_PARTY_ADDRESS if is_for_outsider(message.audience) else NOBODY)
    if kind.purpose is Purpose.MARKETING and not _agreed(view):
        return Suppress("no consent to marketing")
    return None


def _agreed(view: CaseView | None) -> bool:
    flags = _flags(view) if view else frozenset()
    return CONSENT in flags and not REFUSALS & flags


def _waiting(message: QueuedMessage, view: CaseView | None, kind: MessageKind, rules: Rules) -> Hold | None:
    """What must wait for a time of day or for the case."""
    paused = view is not None and view.on_hold and message.clock is not None
    if paused and kind.purpose in {Purpose.SERVICE, Purpose.MARKETING}:
        return Hold(tomorrow(rules.now, rules.calendar), "the case is on hold")
    if kind.window == "any":
        return None
    window = rules.policy.windows.get(kind.window)
    if window is None:
        raise LookupError(f"The policy has no mail window {kind.window!r}.")
    opening = next_opening(window, rules.now, rules.calendar)
    return Hold(opening, f"it is outside {kind.window} hours") if opening > rules.now else None


def _addressed(
    message: QueuedMessage, kind: MessageKind, recipients: Sequence[Recipient], facts: Facts, rules: Rules
) -> Verdict:
    """Leave out who has it already, and whoever got enough today."""
    fresh = [r for r in recipients if not _has_it(message, r, facts)]
    if not fresh:
        return Suppress(SAME_PERSON)
    if _is_notice(message, kind):
        most = rules.policy.notice_budget_per_day
        fresh.sort(key=lambda to: facts.notices[to.address] >= most)  # the others are judged again, on their own
        if facts.notices[fresh[0].address] >= most:
            return Suppress(f"more than {most} notices today; see your queue and the digest")
    budget = rules.policy.contact_budget_per_day
    if _is_budgeted(message, kind) and facts.today[fresh[0].address] >= budget:
        return Hold(tomorrow(rules.now, rules.calendar), f"this address got {budget} messages today")
    for recipient in fresh:
        facts.note(message, recipient)
    return Send(fresh[0], tuple(fresh[1:]))


def _has_it(message: QueuedMessage, recipient: Recipient, facts: Facts) -> bool:
    if message.case_id is None or message.event_seq is None:
        return False
    return (message.case_id, message.event_seq, message.kind, recipient.address) in facts.received


def _is_notice(message: QueuedMessage, kind: MessageKind) -> bool:
    """Whether it tells staff of a case they find in their queue as well; thousands come when old cases are imported."""
    return kind.purpose is Purpose.INTERNAL and message.case_id is not None and not kind.urgent


def _is_budgeted(message: QueuedMessage, kind: MessageKind) -> bool:
    """Whether it can wait a day: what Muster sends of its own accord, not answers, receipts and legal notices."""
    if not is_for_outsider(message.audience) or kind.purpose in {Purpose.LEGAL, Purpose.INTERNAL}:
        return False
    return message.clock is not None or kind.window != "any"

"""When a membership ends after notice, and whether the member is still in the cooling-off time. Pure.

Sources: Consumer Contracts Regulations 2013 reg. 30 (14 days from the day after the contract); Digital
Markets, Competition and Consumers Act 2024 s.264 (a second cooling-off time at some renewals); OFT v
Ashbourne Management Services [2011] EWHC 1237 (Ch): terms above twelve months, and demands for the whole
remaining balance, are unfair. There is no field for a charge on leaving: what is collected until the end are
the ordinary payments, never a balance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from state_machines.calendars import Calendar
from state_machines.deadlines import add_months

LONGEST_LOCK_IN = 12
"""Months. A longer minimum term can be left at any time."""
LONG_TERM_NOTICE = 30
"""Days of notice with which a longer minimum term can be left."""
_DAY = timedelta(days=1)
Day = date
"""A type name that a field called ``date`` cannot hide."""


class BadRule(ValueError):
    """A notice rule in the policy cannot be read."""


class ContractType(StrEnum):
    """How long the member is bound."""

    ROLLING = "rolling"
    FIXED = "fixed"
    ANNUAL_PREPAID = "annual_prepaid"


class EarlyExit(StrEnum):
    """Reasons that end a membership at once, whatever its term."""

    ILLNESS_INJURY = "illness_injury"
    PREGNANCY = "pregnancy"
    REDUNDANCY = "redundancy"
    RELOCATION = "relocation"
    BEREAVEMENT = "bereavement"
    CENTRE_CLOSURE = "centre_closure"
    MATERIAL_CHANGE = "material_change"


KNOWN_TO_US = frozenset({EarlyExit.CENTRE_CLOSURE, EarlyExit.MATERIAL_CHANGE})
"""Reasons the organisation itself brought about, so nobody has to show anything."""


class RuleKind(StrEnum):
    """How the notice period is counted."""

    ROLLING_DAYS = "ROLLING_DAYS"
    CALENDAR_MONTH = "CALENDAR_MONTH"
    BILLING_PERIOD_END = "BILLING_PERIOD_END"
    IMMEDIATE = "IMMEDIATE"


_RULE = re.compile(r"^(?:(ROLLING_DAYS|CALENDAR_MONTH)\((\d{1,3})\)|(BILLING_PERIOD_END|IMMEDIATE))$")


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """A notice rule: ``ROLLING_DAYS(30)``, ``CALENDAR_MONTH(4)``, ``BILLING_PERIOD_END`` or ``IMMEDIATE``."""

    kind: RuleKind
    count: int = 0
    """Days of notice; for a calendar month the last day of the month that still counts as its first."""

    @classmethod
    def parse(cls, text: str) -> NoticeRule:
        """Return the rule a policy text means. Raises BadRule with a sentence."""
        found = _RULE.match(text.strip())
        if not found:
            raise BadRule(f"{text!r} is no notice rule; write CALENDAR_MONTH(4), ROLLING_DAYS(30) or IMMEDIATE.")
        return cls(RuleKind(found[1] or found[3]), int(found[2] or 0))

    def __str__(self) -> str:
        return (
            f"{self.kind}({self.count})" if self.kind in (RuleKind.ROLLING_DAYS, RuleKind.CALENDAR_MONTH) else self.kind
        )


IMMEDIATE = NoticeRule(RuleKind.IMMEDIATE)


@dataclass(frozen=True, slots=True)
class Contract:
    """What the end depends on."""

    kind: ContractType = ContractType.ROLLING
    start: date | None = None
    months: int | None = None
    billing_day: int | None = None
    frozen_until: date | None = None
    """The last frozen day of a freeze that runs now."""
    frozen_months: int = 0
    """Whole months frozen in this term; they are added to it."""
    renewed_on: date | None = None
    renewal_after_free: bool = False
    early_exit: EarlyExit | None = None
    evidence: bool = False
    """Whether the early-exit reason has been shown."""

    @property
    def term_start(self) -> date | None:
        """The first day of the term that runs now."""
        return self.renewed_on or self.start

    @property
    def may_leave_at_once(self) -> bool:
        """Whether an early-exit reason counts: it was shown, or it is our own doing."""
        return self.early_exit is not None and (self.evidence or self.early_exit in KNOWN_TO_US)


@dataclass(frozen=True, slots=True)
class EndDate:
    """The last day of a membership, and why."""

    date: Day
    rule_id: str
    explanation: str
    last_payment_on: Day | None = None
    """None: nothing more is collected."""
    payments_left: int = 0


def end_date(contract: Contract, notice_given_on: date, calendar: Calendar, rule: NoticeRule) -> EndDate:
    """Return the last day of the membership when notice was given on this day."""
    day, rule_id, why = _last_day(contract, notice_given_on, rule)
    payments = _payments(contract, notice_given_on, day)
    return EndDate(day, rule_id, why, _collected(payments[-1], day, calendar) if payments else None, len(payments))


def _last_day(contract: Contract, notice: date, rule: NoticeRule) -> tuple[date, str, str]:
    if contract.may_leave_at_once and contract.early_exit is not None:
        reason = contract.early_exit.replace("_", " ")
        return (
            notice,
            f"IMMEDIATE:{contract.early_exit}",
            f"It ends on the day you told us, because of {reason}.",
        )
    if rule.kind is RuleKind.IMMEDIATE:
        return notice, str(rule), "It ends on the day you told us."
    if contract.kind is ContractType.ANNUAL_PREPAID and contract.term_start is not None:
        return (
            _year_end(contract, notice),
            "PREPAID_YEAR_END",
            "It runs to the end of the year you have paid for.",
        )
    counted = _counts_from(contract, notice)
    ordinary = _noticed(rule, counted, contract.billing_day)
    why = _why(rule, counted > notice)
    return _in_term(contract, counted, ordinary, str(rule), why)


def _in_term(contract: Contract, counted: date, ordinary: date, rule_id: str, why: str) -> tuple[date, str, str]:
    last = minimum_term_ends(contract)
    if last is None:
        return ordinary, rule_id, why
    end = max(ordinary, last)
    if (contract.months or 0) > LONGEST_LOCK_IN:
        short = counted + timedelta(days=LONG_TERM_NOTICE)
        if short < end:
            text = f"A term above {LONGEST_LOCK_IN} months can be left with {LONG_TERM_NOTICE} days' notice."
            return short, f"LONG_TERM({LONG_TERM_NOTICE})", text
    if last > ordinary:
        return last, "MINIMUM_TERM", "It ends with the minimum term you agreed to, frozen months added."
    return end, rule_id, why


def minimum_term_ends(contract: Contract) -> date | None:
    """The last day of the minimum term, frozen months added; None when no term is on record."""
    if contract.kind is not ContractType.FIXED or contract.term_start is None or not contract.months:
        return None
    return add_months(contract.term_start, contract.months + contract.frozen_months) - _DAY


def _counts_from(contract: Contract, notice: date) -> date:
    """Frozen days cannot serve as notice: it counts from the day after the freeze."""
    return max(notice, contract.frozen_until + _DAY) if contract.frozen_until else notice


def _noticed(rule: NoticeRule, counted: date, billing_day: int | None) -> date:
    if rule.kind is RuleKind.ROLLING_DAYS:
        return counted + timedelta(days=rule.count)
    if rule.kind is RuleKind.BILLING_PERIOD_END:
        return _next_billing(counted, billing_day or 1) - _DAY
    first = counted.replace(day=1)
    return add_months(first, 1 if counted.day <= rule.count else 2) - _DAY


def _why(rule: NoticeRule, frozen: bool) -> str:
    text = {
        RuleKind.ROLLING_DAYS: f"Your notice is {rule.count} days.",
        RuleKind.CALENDAR_MONTH: "Your notice is one full calendar month; notice that reaches us by day "
        f"{rule.count} of a month counts from its first day.",
    }.get(rule.kind, "It runs to the end of the time you pay for.")
    return f"{text} It counts from the day after your freeze." if frozen else text


def _year_end(contract: Contract, notice: date) -> date:
    start = contract.term_start or notice
    years = 1
    while (last := add_months(start, 12 * years + contract.frozen_months) - _DAY) < notice:
        years += 1
    return last


def _next_billing(after: date, billing_day: int) -> date:
    """The first billing date after a day."""
    found = _billing_in(after, billing_day)
    return found if found > after else _billing_in(add_months(after.replace(day=1), 1), billing_day)


def _billing_in(month: date, billing_day: int) -> date:
    first = month.replace(day=1)
    return min(first + timedelta(days=billing_day - 1), add_months(first, 1) - _DAY)


def _payments(contract: Contract, notice: date, last: date) -> list[date]:
    """The ordinary billing dates after the notice and until the end; none in frozen or prepaid time."""
    if contract.billing_day is None or contract.kind is ContractType.ANNUAL_PREPAID:
        return []
    found: list[date] = []
    day = max(notice, contract.frozen_until or notice)
    while (day := _next_billing(day, contract.billing_day)) <= last:
        found.append(day)
    return found


def _collected(day: date, last: date, calendar: Calendar) -> date:
    """The working day on which a payment is collected: the next one, but never after the end."""
    rolled = calendar.next_working(day)
    return rolled if rolled <= last else calendar.previous_working(day)


def refund(contract: Contract, last: date, monthly_price: Decimal | None) -> Decimal:
    """What was paid in advance for days after the last one, to the penny; 0 when it cannot be known here."""
    if not monthly_price:
        return Decimal(0)
    if contract.kind is ContractType.ANNUAL_PREPAID and contract.term_start is not None:
        until = _year_end(contract, last)
        begun, price = add_months(until + _DAY, -12), monthly_price * 12
    elif contract.billing_day is not None:
        until = _next_billing(last, contract.billing_day) - _DAY
        begun, price = _billing_in(last, contract.billing_day), monthly_price
        if begun > last:
            begun = _billing_in(add_months(last.replace(day=1), -1), contract.billing_day)
    else:
        return Decimal(0)
    share = Decimal((until - last).days) / Decimal((until - begun).days + 1)
    return (price * min(share, Decimal(1))).quantize(Decimal("0.01"), ROUND_HALF_UP)


def cooling_off_ends(contract: Contract, notice: date, days: int, *, renewals: bool) -> date | None:
    """Return the last day of the cooling-off time this notice falls into, or None.

    The day of the contract is day 0: of a contract of 1 March the last day is 15 March. ``renewals``: whether
    a renewal after free or discounted time, or into twelve months or more, opens a second one.
    """
    if contract.start is not None and notice <= (last := contract.start + timedelta(days=days)):
        return last
    long = contract.kind is ContractType.ANNUAL_PREPAID or (contract.months or 0) >= LONGEST_LOCK_IN
    if renewals and contract.renewed_on is not None and (contract.renewal_after_free or long):
        last = contract.renewed_on + timedelta(days=days)
        if contract.renewed_on <= notice <= last:
            return last
    return None

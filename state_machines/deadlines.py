"""From an anchor and an allowance to the instant something is due.

Six kinds of allowance: working days, calendar days, calendar months (clamped to the month's end), elapsed hours,
working days backwards from a fixed date, and "n days beginning with the day". The day of the event is day 0, except
with BEGIN, where it is day 1. Sources: Interpretation of periods in English law (the day of the event is left out:
Lester v Garland 1808; "beginning with" includes it: Trow v Ind Coope 1967); Data (Use and Access) Act 2025 s.103 for
BEGIN(30); ICO, right of access, for months clamped and rolled to a working day.
"""

from __future__ import annotations

import calendar as gregorian
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from state_machines.calendars import Calendar
from state_machines.values import Pause


class BadAllowance(ValueError):
    """An allowance in the policy cannot be read."""


class Kind(StrEnum):
    """How an allowance counts."""

    WORKING_DAYS = "WD"
    CALENDAR_DAYS = "CD"
    MONTHS = "CM"
    HOURS = "H"
    BACK = "BACK"
    BEGIN = "BEGIN"


_TEXT = re.compile(r"^(WD|CD|CM|H|BACK|BEGIN)\((\d{1,4})(?: WD)?(, *roll)?\)$")


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much time there is: ``WD(5)``, ``CD(21)``, ``CM(1, roll)``, ``H(24)``, ``BACK(10)``, ``BEGIN(30)``."""

    kind: Kind
    count: int
    roll: bool = False
    """Months only: a date that is not worked rolls forward to one that is."""

    @classmethod
    def parse(cls, text: str) -> Allowance:
        """Return the allowance a policy text means. Raises BadAllowance with a sentence."""
        found = _TEXT.match(text.strip())
        if not found:
            raise BadAllowance(f"{text!r} is no allowance; write for example WD(5), CD(21), CM(1, roll), H(24).")
        if found[3] and found[1] != "CM":
            raise BadAllowance(f"{text!r}: only months (CM) can roll to a working day.")
        return cls(Kind(found[1]), int(found[2]), bool(found[3]))

    def __str__(self) -> str:
        return f"{self.kind}({self.count}{', roll' if self.roll else ''})"

    @property
    def words(self) -> str:
        """The allowance for people: "5 working days"."""
        unit = {
            Kind.WORKING_DAYS: "working day",
            Kind.CALENDAR_DAYS: "day",
            Kind.MONTHS: "month",
            Kind.HOURS: "hour",
            Kind.BACK: "working day",
            Kind.BEGIN: "day",
        }[self.kind]
        tail = {Kind.BACK: " before", Kind.BEGIN: " beginning with the day"}.get(self.kind, "")
        return f"{self.count} {unit}{'' if self.count == 1 else 's'}{tail}"


def add_months(day: date, months: int) -> date:
    """Return the same day of the month so many months on, clamped to the end of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def due_date(allowance: Allowance, day: date, calendar: Calendar) -> date:
    """Return the last local date allowed, counting from the date of the event (or back from it, for BACK).

    Raises BadAllowance for hours, which have no date of their own.
    """
    match allowance.kind:
        case Kind.WORKING_DAYS:
            return calendar.add_working_days(day, allowance.count)
        case Kind.CALENDAR_DAYS:
            return day + timedelta(days=allowance.count)
        case Kind.MONTHS:
            then = add_months(day, allowance.count)
            return calendar.next_working(then) if allowance.roll else then
        case Kind.BEGIN:
            return day + timedelta(days=allowance.count - 1)
        case Kind.BACK:
            start = calendar.previous_working(day)
            return calendar.add_working_days(start, -allowance.count) if allowance.count else start
        case Kind.HOURS:
            raise BadAllowance("An allowance in hours has an instant, not a date.")


def due_instant(
    allowance: Allowance,
    anchor: datetime,
    calendar: Calendar,
    *,
    pauses: Sequence[Pause] = (),
    cut_off: bool = False,
) -> datetime:
    """Return the UTC instant at which the allowance runs out: 23:59 local on the last day, or to the second for hours.

    ``cut_off``: an event after the calendar's cut-off counts from the next working day (never for statutory clocks).
    Closed pauses give back the time they took: working days for working days, days for days and months, and the exact
    time for hours. Pauses may overlap; their time counts once.
    """
    if allowance.kind is Kind.HOURS:
        taken = sum((until - since for since, until in _merged(pauses)), timedelta())
        return anchor + timedelta(hours=allowance.count) + taken
    day = start_day(anchor, calendar, cut_off=cut_off)
    last = due_date(allowance, day, calendar)
    if pauses:
        last = give_back(allowance.kind, last, pauses, calendar)
    return calendar.end_of(last)


def start_day(anchor: datetime, calendar: Calendar, *, cut_off: bool) -> date:
    """Return the local date that counts as day 0."""
    day = calendar.local_date(anchor)
    if cut_off and anchor.astimezone(calendar.zone).time() >= calendar.cut_off:
        return calendar.next_working(day + timedelta(days=1))
    return day


def give_back(kind: Kind, last: date, pauses: Sequence[Pause], calendar: Calendar) -> date:
    """Return the last day moved by what closed pauses took: working days where those count, otherwise days."""
    for since, until in _merged(pauses):
        a, b = calendar.local_date(since), calendar.local_date(until)
        if kind is Kind.WORKING_DAYS:
            lost = calendar.working_days_between(a, b)
            last = calendar.add_working_days(last, lost) if lost else last
        else:
            last += b - a
    return last


def _merged(pauses: Sequence[Pause]) -> list[tuple[datetime, datetime]]:
    """The closed pauses as disjoint intervals, in order."""
    merged: list[tuple[datetime, datetime]] = []
    for since, until in sorted((p.since, p.until) for p in pauses if p.until is not None):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged

"""The course of a year: what came and what went, month by month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from reports.periods import months_on
from state_machines.calendars import Calendar

MONTHS = 12


@dataclass
class Months:
    """What came and what went in each of twelve months, the last of them the last of the period or the present one."""

    firsts: Sequence[date]
    """The first day of each month."""
    calendar: Calendar
    came: Counter[date] = field(default_factory=Counter)
    went: Counter[date] = field(default_factory=Counter)

    def month_of(self, instant: datetime) -> date:
        """Return the first day of the month of an instant, in the organisation's zone."""
        return self.calendar.local_date(instant).replace(day=1)


def months_until(end: datetime, calendar: Calendar, now: datetime) -> Months:
    """Return the twelve months before ``end``, with nothing in them yet; none of them lies after ``now``."""
    last = calendar.local_date(min(end - timedelta(seconds=1), now)).replace(day=1)
    return Months([months_on(last, number) for number in range(1 - MONTHS, 1)], calendar)

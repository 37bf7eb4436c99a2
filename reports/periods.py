"""The periods a report is about: a month, a quarter or a year, in the organisation's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from state_machines.calendars import Calendar

_WRITTEN = re.compile(r"(\d{4})(?:-?[qQ]([1-4])|-(0[1-9]|1[0-2]))?", re.ASCII)
FIRST_YEAR, LAST_YEAR = 2000, 2199


@dataclass(frozen=True)
class Period:
    """A stretch of whole months: ``2026``, ``2026Q1`` or ``2026-03`` as addresses write it."""

    key: str
    title: str
    first: date
    after: date
    """The first day that is no part of it any more."""

    def bounds(self, calendar: Calendar) -> tuple[datetime, datetime]:
        """Return the instants at which it begins and ends; the end is no part of it."""
        return _midnight(self.first, calendar), _midnight(self.after, calendar)

    @property
    def is_quarter(self) -> bool:
        """Whether it is a quarter of a year."""
        return "Q" in self.key


def _midnight(day: date, calendar: Calendar) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=calendar.zone)


def days_of(start: datetime, end: datetime) -> str:
    """Return the first and the last day of a stretch of time, in words; its end is no part of it."""
    return f"{start:%d %B %Y} to {end - timedelta(seconds=1):%d %B %Y}"


def period(text: str) -> Period | None:
    """Return the period that is written so, or None."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    year = int(found[1])
    if found[2]:
        return quarter_of(date(year, 3 * int(found[2]) - 2, 1))
    if found[3]:
        return month_of(date(year, int(found[3]), 1))
    return Period(str(year), f"the year {year}", date(year, 1, 1), date(year + 1, 1, 1))


def quarter_of(day: date) -> Period:
    """Return the quarter a day lies in."""
    number = (day.month + 2) // 3
    first = date(day.year, 3 * number - 2, 1)
    return Period(f"{day.year}Q{number}", f"quarter {number} of {day.year}", first, months_on(first, 3))


def month_of(day: date) -> Period:
    """Return the month a day lies in."""
    first = date(day.year, day.month, 1)
    return Period(f"{first:%Y-%m}", f"{first:%B %Y}", first, months_on(first, 1))


def months_on(day: date, months: int) -> date:
    """Return the first day of the month so many months after that of a day; before it, where they are negative."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def recent(today: date) -> dict[str, list[Period]]:
    """Return the periods to choose from, the newest first: quarters, months, years."""
    this_quarter = quarter_of(today)
    return {
        "Quarters": [quarter_of(months_on(this_quarter.first, -3 * back)) for back in range(9)],
        "Months": [month_of(months_on(date(today.year, today.month, 1), -back)) for back in range(13)],
        "Years": [found for year in range(today.year, today.year - 4, -1) if (found := period(str(year)))],
    }

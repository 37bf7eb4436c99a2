"""Working days of a place, with the organisation's own closure days on top.

Public holidays come from the ``holidays`` package, which knows the substitute days that UK law gives (Banking and
Financial Dealings Act 1971) as well as one-off days. Calendars carry an IANA time zone: a date is a local thing, an
instant is UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

SUBDIVISIONS = {"EW": "ENG", "SCT": "SCT", "NI": "NIR", "BACS": "ENG"}
"""Our calendar names and the package's. Bacs works by the days of England and Wales, wherever the payer lives."""

_FIRST_YEAR, _LAST_YEAR = 2000, 2100
END_OF_DAY = time(23, 59)
_ONE_DAY = timedelta(days=1)


class CalendarError(ValueError):
    """The calendar cannot answer this."""


@lru_cache(maxsize=1_000)
def holidays_of(name: str, year: int) -> frozenset[date]:
    """Return the public holidays of a calendar in one year. Raises CalendarError for a name unknown."""
    if name not in SUBDIVISIONS:
        raise CalendarError(f"There is no calendar named {name!r}; known are {', '.join(sorted(SUBDIVISIONS))}.")
    found: Any = holidays.country_holidays("GB", subdiv=SUBDIVISIONS[name], years=year)
    return frozenset(found)


def public_holidays(name: str, years: Iterable[int] = range(_FIRST_YEAR, _LAST_YEAR + 1)) -> frozenset[date]:
    """Return the public holidays of a calendar in some years, 2000 to 2100 unless given. Raises CalendarError."""
    return frozenset().union(*(holidays_of(name, year) for year in years))


@lru_cache(maxsize=10_000)
def _local_date(zone: ZoneInfo, instant: datetime) -> date:
    return instant.astimezone(zone).date()


@dataclass(frozen=True, eq=False)
class Calendar:
    """Which days are worked at a place, and in which time zone a day begins and ends. Compared by identity."""

    name: str = "EW"
    zone_name: str = "Europe/London"
    closures: frozenset[date] = frozenset()
    """Days on which the organisation is closed although they are no public holidays."""
    extra_holidays: frozenset[date] = frozenset()
    cut_off: time = time(17, 0)
    """What is received later counts from the next working day, for clocks that allow it."""
    _cache: dict[Any, date] = field(default_factory=dict, repr=False)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.zone_name)

    def is_working(self, day: date) -> bool:
        """Whether the day is worked. Raises CalendarError outside the years the calendar knows."""
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise CalendarError(f"The calendar {self.name} knows the years {_FIRST_YEAR} to {_LAST_YEAR}, not {day}.")
        closed = day in self.closures or day in self.extra_holidays
        return day.weekday() < 5 and not closed and day not in holidays_of(self.name, day.year)

    def next_working(self, day: date) -> date:
        """The day itself when it is worked, otherwise the first working day after it."""
        while not self.is_working(day):
            day += _ONE_DAY
        return day

    def previous_working(self, day: date) -> date:
        """The day itself when it is worked, otherwise the last working day before it."""
        while not self.is_working(day):
            day -= _ONE_DAY
        return day

    def add_working_days(self, day: date, count: int) -> date:
        """The count-th working day after ``day`` (before it when negative); the day itself is day 0 and need not be
        worked. With a count of 0 the answer is the day, rolled forward to a working day."""
        if count == 0:
            return self.next_working(day)
        key = (day, count)
        found = self._cache.get(key)
        if found is None:
            found = self._walk(day, count)
            if len(self._cache) < 20_000:
                self._cache[key] = found
        return found

    def _walk(self, day: date, count: int) -> date:
        step = _ONE_DAY if count > 0 else -_ONE_DAY
        left = abs(count)
        while left:
            day += step
            if self.is_working(day):
                left -= 1
        return day

    def working_days_between(self, after: date, until: date) -> int:
        """How many working days lie in the half-open interval (after, until]; negative when it runs backwards."""
        if until < after:
            return -self.working_days_between(until, after)
        return sum(self.is_working(after + timedelta(days=n)) for n in range(1, (until - after).days + 1))

    def local_date(self, instant: datetime) -> date:
        """The date at this place at an instant."""
        return _local_date(self.zone, instant)

    def at(self, day: date, at: time) -> datetime:
        """The UTC instant of a local date and time of day. Of an hour that happens twice the first is meant; an hour
        that is skipped is taken as the same distance after midnight, so it never fails."""
        return datetime.combine(day, at, self.zone).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """The UTC instant at which a day allowed in full runs out: 23:59 local time."""
        return self.at(day, END_OF_DAY)


def calendar(name: str, zone_name: str = "Europe/London", closures: Iterable[date] = ()) -> Calendar:
    """Return the calendar with this name. Raises CalendarError when there is none."""
    holidays_of(name, _FIRST_YEAR)
    return Calendar(name, zone_name, frozenset(closures))

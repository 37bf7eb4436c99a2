"""When messages may leave: half-open intervals of local time, several a day, on some days. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from state_machines.calendars import Calendar
from state_machines.policy import Window

_MIDNIGHT = time(0, 0)
_FAR = 400
"""Days looked ahead; a window that does not open in a year never does."""


class NeverOpens(ValueError):
    """The window has no opening within a year; nothing in it could ever be sent."""


def next_opening(window: Window, now: datetime, calendar: Calendar) -> datetime:
    """Return `now` when the window is open, otherwise the instant it opens next, in UTC.

    An interval includes its start and excludes its end; an end of 00:00 is the midnight that ends the day. Raises
    NeverOpens.
    """
    now = now.astimezone(UTC)
    today = calendar.local_date(now)
    for ahead in range(_FAR):
        for start, end in openings(window, today + timedelta(days=ahead), calendar):
            if now < end:
                return max(now, start)
    raise NeverOpens(NeverOpens.__doc__)


def openings(window: Window, day: date, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """Yield the intervals of a local day as UTC instants, in order; one that the clocks skip is left out."""
    if day.weekday() not in window.days or (window.working_days_only and not calendar.is_working(day)):
        return
    for start, end in sorted(window.hours):
        opens = calendar.at(day, start)
        closes = start_of(day + timedelta(days=1), calendar) if end == _MIDNIGHT else calendar.at(day, end)
        if opens < closes:
            yield opens, closes


def start_of(day: date, calendar: Calendar) -> datetime:
    """Return the instant at which a local day begins."""
    return calendar.at(day, _MIDNIGHT)


def tomorrow(now: datetime, calendar: Calendar) -> datetime:
    """Return the instant at which the next local day begins."""
    return start_of(calendar.local_date(now) + timedelta(days=1), calendar)

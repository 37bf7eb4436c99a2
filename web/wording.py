"""Instants, days and times left as people say them, in the organisation's zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from state_machines.english import capital
from surveys.values import show
from web.naming import plural

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_SOON = timedelta(days=2)
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Left:
    """How much time is left: in words, and how pressing it is (overdue, today, soon, later, none)."""

    words: str
    tone: str


def instant(value: datetime | str | None) -> datetime | None:
    """Return an instant given as such or in ISO 8601."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def left(deadline: datetime | str | None, now: datetime, zone: ZoneInfo) -> Left:
    """Return how long it is until a deadline, or how long it is overdue."""
    at = instant(deadline)
    if at is None:
        return Left("No deadline", "none")
    if at < now:
        return Left(f"Overdue by {length(now - at)}", "overdue")
    days = (at.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days == 0:
        return Left(f"{capital(length(at - now))} left, today", "today")
    if days == 1:
        return Left("Tomorrow", "soon")
    return Left(f"{days} days left", "soon" if at - now < _SOON + DAY else "later")


def length(span: timedelta) -> str:
    """Return a length of time in its largest unit: ``3 days``, ``5 hours``, ``12 minutes``."""
    span = abs(span)
    if span >= DAY:
        return plural(span // DAY, "day")
    if span >= HOUR:
        return plural(span // HOUR, "hour")
    return plural(max(1, span // timedelta(minutes=1)), "minute")


def day_words(value: date) -> str:
    """Return a day: ``2 March 2026``."""
    return f"{value.day} {value:%B %Y}"


def when_words(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant: ``2 Mar 2026, 09:00``."""
    local = at.astimezone(zone)  # strftime takes longer than all the rest of a line of a list
    return f"{local.day} {_MONTHS[local.month]} {local.year}, {local.hour:02}:{local.minute:02}"


def full_day_words(value: date) -> str:
    """Return a day by which somebody must have done something: ``Friday 4 December 2026``."""
    return f"{value:%A} {day_words(value)}"


def full_when_words(at: datetime, zone: ZoneInfo) -> str:
    """Return such an instant, with the city whose time it is: ``Friday 4 December 2026, 23:59 (London time)``."""
    local = at.astimezone(zone)
    city = "UTC" if zone.key == "UTC" else f"{zone.key.rpartition('/')[2].replace('_', ' ')} time"
    return f"{full_day_words(local.date())}, {local:%H:%M} ({city})"


def _time(machine: str, words: str) -> Markup:
    # Digits and names of days, months and zones: there is nothing to escape, and a list of fifty would feel it.
    return Markup(f'<time datetime="{machine}">{words}</time>')  # noqa: S704  see above


def filters(zone: ZoneInfo) -> dict[str, Callable[..., Any]]:
    """Return the filters of templates that speak of time."""

    def when(value: datetime | str | None, otherwise: str = "") -> Markup | str:
        at = instant(value)
        if at is None:
            return otherwise
        return _time(at.isoformat(timespec="seconds"), when_words(at, zone))

    def day(value: date | datetime | str | None, otherwise: str = "") -> Markup | str:
        if value in (None, ""):
            return otherwise
        on = _day(value, zone)
        return _time(on.isoformat(), day_words(on))

    def full_day(value: date | datetime | str | None, otherwise: str = "") -> Markup | str:
        if value in (None, ""):
            return otherwise
        on = _day(value, zone)
        return _time(on.isoformat(), full_day_words(on))

    def full_when(value: datetime | str | None, otherwise: str = "") -> Markup | str:
        at = instant(value)
        if at is None:
            return otherwise
        return _time(at.isoformat(timespec="seconds"), full_when_words(at, zone))

    def clock_time(value: datetime | str) -> str:
        at = instant(value)
        return at.astimezone(zone).strftime("%H:%M") if at else ""

    return {
        "when": when, "day": day, "full_day": full_day, "full_when": full_when, "clock_time": clock_time,
        "left": lambda deadline, now: left(deadline, now, zone),
        "count": lambda number: f"{number:,}",
        "amount": lambda number, digits=2: show(round(number, digits)),
    }  # fmt: skip


def _day(value: date | datetime | str | None, zone: ZoneInfo) -> date:
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(zone).date()
    assert value is not None  # noqa: S101  the filter has answered for nothing
    return value

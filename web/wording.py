"""Instants, days and times left as people say them, in the organisation's zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_SOON = timedelta(days=2)


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
        return Left(f"{_capital(length(at - now))} left, today", "today")
    if days == 1:
        return Left("Tomorrow", "soon")
    return Left(f"{days} days left", "soon" if at - now < _SOON + DAY else "later")


def length(span: timedelta) -> str:
    """Return a length of time in its largest unit: ``3 days``, ``5 hours``, ``12 minutes``."""
    span = abs(span)
    if span >= DAY:
        return _counted(span // DAY, "day")
    if span >= HOUR:
        return _counted(span // HOUR, "hour")
    return _counted(max(1, span // timedelta(minutes=1)), "minute")


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def day_words(value: date) -> str:
    """Return a day: ``2 March 2026``."""
    return f"{value.day} {value:%B %Y}"


def when_words(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant: ``2 Mar 2026, 09:00``."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def filters(zone: ZoneInfo) -> dict[str, Callable[..., Any]]:
    """Return the filters of templates that speak of time."""

    def when(value: datetime | str | None, otherwise: str = "") -> Markup | str:
        at = instant(value)
        if at is None:
            return otherwise
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), when_words(at, zone))

    def day(value: date | datetime | str | None, otherwise: str = "") -> Markup | str:
        if value in (None, ""):
            return otherwise
        on = _day(value, zone)
        return Markup('<time datetime="{}">{}</time>').format(on.isoformat(), day_words(on))

    def clock_time(value: datetime | str) -> str:
        at = instant(value)
        return at.astimezone(zone).strftime("%H:%M") if at else ""

    return {
        "when": when, "day": day, "clock_time": clock_time, "span": length,
        "left": lambda deadline, now: left(deadline, now, zone),
        "count": lambda number: f"{number:,}",
        "counted": _counted,
        "percent": lambda share: "–" if share is None else f"{share:.1f} %".replace(".0 %", " %"),
    }  # fmt: skip


def _day(value: date | datetime | str | None, zone: ZoneInfo) -> date:
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(zone).date()
    assert value is not None  # noqa: S101  the filter has answered for nothing
    return value

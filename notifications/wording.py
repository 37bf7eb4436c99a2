"""How dates, times and money are written in messages. Pure."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip


class NotWritable(ValueError):
    """A template asked to write something that is not there or not of the kind it expects."""


def day(value: date | datetime | str | None, zone: ZoneInfo) -> str:
    """Return "Monday 13 April 2026"."""
    found = _local(value, zone)
    return f"{_DAYS[found.weekday()]} {found.day} {_MONTHS[found.month - 1]} {found.year}"


def moment(value: date | datetime | str | None, zone: ZoneInfo) -> str:
    """Return "13 April 2026, 17:00", or without the time for a bare date."""
    found = _local(value, zone)
    written = f"{found.day} {_MONTHS[found.month - 1]} {found.year}"
    return f"{written}, {found:%H:%M}" if isinstance(found, datetime) else written


def money(value: Decimal | float | int | str | None, currency: str = "£") -> str:
    """Return "£1,234.50"."""
    try:
        amount = Decimal(str(value))
        sign = "-" if amount < 0 else ""
        return f"{sign}{currency}{abs(amount):,.2f}"
    except (InvalidOperation, ValueError):
        raise NotWritable(f"{value!r} is not an amount of money.") from None


def one_line(text: str, longest: int) -> str:
    """Return text as one line that cannot start a second one, cut at a word when it is too long."""
    printable = text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)
    line = " ".join(printable.split())
    if len(line) <= longest:
        return line
    return line[: longest - 1].rsplit(" ", 1)[0].rstrip() + "…"


def _local(value: date | datetime | str | None, zone: ZoneInfo) -> date | datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
        except ValueError:
            raise NotWritable(f"{value!r} is not a date.") from None
    if isinstance(value, datetime):
        return value.astimezone(zone) if value.tzinfo else value
    if isinstance(value, date):
        return value
    raise NotWritable(f"{value!r} is not a date.")

"""Figures and instants as people read them in reports."""

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from surveys.values import show

LEFT_OUT = "left out"


def amount(value: float | None, digits: int = 2) -> float | int | None:
    """Return a number without digits that say nothing, for a cell of a table."""
    if value is None:
        return None
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def amount_words(value: float | None, unit: str = "", digits: int = 2) -> str:
    """Return a number with its unit, or that it is left out."""
    return LEFT_OUT if value is None else f"{show(round(value, digits))} {unit}".strip()


def share_of(part: int, whole: int) -> str:
    """Return a share to one decimal, rounded down, so that 100 % is everybody and nothing less; n/a of nobody."""
    if whole <= 0:
        return "n/a"
    tenths = int(Fraction(1000 * part, whole))
    return f"{tenths / 10:.1f} %"


def instant_words(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant in the organisation's zone: 3 November 2026, 10:12 (London)."""
    local = instant.astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M} ({zone.key.rpartition('/')[2].replace('_', ' ')})"

"""What a part of a formula can come to, and how one kind of it is taken for another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from surveys.values import Value

NOTHING = Decimal("NaN")
"""No number: whatever is reckoned with it is none, and it compares with nothing."""
EPOCH = date(1970, 1, 1).toordinal()
_BEYOND = Decimal(10) ** 24
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Several:
    """The choices of an answer, or the cells of a column."""

    items: tuple["Result", ...]


Result: TypeAlias = str | Decimal | bool | Several


def read(value: Value | None) -> Result:
    """Return an answer as a formula takes it; what is not there is the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return Decimal(repr(value))
    items: Sequence[object] = tuple(value.values()) if isinstance(value, Mapping) else value
    return Several(tuple(read(each) if isinstance(each, bool | str | int | float) else "" for each in items))


def words(found: Result) -> str:
    """Return what was found as a text."""
    if isinstance(found, Several):
        return " ".join(words(each) for each in found.items)
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, Decimal):
        if found.is_nan():
            return ""
        plain = f"{found:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return found


def number(found: Result) -> Decimal:
    """Return what was found as a number; NOTHING where it is none."""
    if isinstance(found, Decimal):
        return found
    if isinstance(found, bool):
        return Decimal(int(found))
    text = words(found).strip()
    if _NUMBER.fullmatch(text):
        return bounded(Decimal(text))
    return _days(text)


def _days(text: str) -> Decimal:
    """Return the days since 1970 of an ISO date; no number for anything else."""
    try:
        return Decimal(date.fromisoformat(text).toordinal() - EPOCH) if _DAY.fullmatch(text) else NOTHING
    except ValueError:
        return NOTHING


def truth(found: Result) -> bool:
    """Return whether what was found counts as true."""
    if isinstance(found, bool):
        return found
    if isinstance(found, Decimal):
        return not found.is_nan() and found != 0
    return bool(found.items) if isinstance(found, Several) else bool(found)


def bounded(number: Decimal) -> Decimal:
    """Return a number, or NOTHING where it is beyond all reckoning."""
    return NOTHING if not number.is_finite() or abs(number) > _BEYOND else number


def same(left: Result, right: Result) -> bool:
    """Return whether two things are equal: as yes and no, else as numbers, else as texts."""
    if isinstance(left, bool) or isinstance(right, bool):
        return _agrees(left) is _agrees(right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return number(left) == number(right)
    return words(left) == words(right)


def _agrees(found: Result) -> bool:
    word = _WORDS.get(found.casefold()) if isinstance(found, str) else None
    return truth(found) if word is None else word

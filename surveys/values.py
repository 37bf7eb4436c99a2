"""What an answer is once it has been read, and how text and numbers typed by people become one.

Everything here survives a journey through JSON: numbers are `int` or `float`, dates are ISO text.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Number: TypeAlias = int | float
Scalar: TypeAlias = str | int | float | bool
Row: TypeAlias = Mapping[str, Scalar]
Value: TypeAlias = Scalar | tuple[str, ...] | tuple[Row, ...] | Mapping[str, Number] | Mapping[str, Row]

LARGEST = 10**15
"""Magnitude beyond which a number is taken for a slip of the keyboard; floats are exact below it."""

_GROUPED = re.compile(r"[+-]?([0-9]{1,3}([, '\u2019][0-9]{3})+|[0-9]+)(\.[0-9]+)?|[+-]?\.[0-9]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_NUMBER = 60


class Frozen(BaseModel):
    """A value which can't change and refuses fields that it doesn't know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, Mapping) else value


Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
OneOrMore = BeforeValidator(_listed)
"""Lets a definition write one mapping where a list of them is meant."""


def clean_text(raw: str) -> str:
    """Return `raw` in NFC, line ends as \\n, trimmed, without control, surrogate or invisible characters."""
    lines = raw.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", "".join(kept).replace("\ufeff", "").replace("\u200b", "")).strip()


def clean_line(raw: str) -> str:
    """Return `raw` as clean text on one line, runs of white space made one space."""
    return " ".join(clean_text(raw).split())


def read_number(raw: object, unit: str = "") -> Number | None:
    """Return the number that `raw` says, or None where it says none.

    Text may group thousands by comma, space or apostrophe, uses a decimal point, and may end in `unit`. A
    decimal comma is refused rather than guessed at.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    exact = _from_text(raw, unit) if isinstance(raw, str) else _exact(raw)
    if exact is None or not exact.is_finite() or abs(exact) > LARGEST:
        return None
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def is_sha256(raw: object) -> bool:
    """Return whether `raw` is the lower-case hexadecimal SHA-256 of something."""
    return isinstance(raw, str) and _SHA256.fullmatch(raw) is not None


def is_blank(raw: object) -> bool:
    """Return whether `raw` holds nothing that a person entered: absent, white space, or blanks only."""
    if raw is None:
        return True
    if isinstance(raw, str):
        return not clean_text(raw)
    if isinstance(raw, Mapping):
        return all(_nothing(item) for item in raw.values())
    return isinstance(raw, list | tuple) and all(_nothing(item) for item in raw)


def exact_sum(numbers: list[Number]) -> Decimal:
    """Return the sum of `numbers` without the rounding of binary floats: 0.1 + 0.2 is 0.3."""
    return sum((_exact(number) for number in numbers), Decimal(0))


def show(number: Number | Decimal) -> str:
    """Return `number` as a person would write it: 1,234.5."""
    text = f"{number:,.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def day_words(day: date) -> str:
    """Return `day` as a person would write it: 31 March 2026."""
    return f"{day.day} {day:%B %Y}"


def _nothing(item: object) -> bool:
    """Return whether one entry of a list or mapping is blank; looks two levels deep, as far as tables go."""
    if isinstance(item, Mapping):
        return all(inner is None or (isinstance(inner, str) and not inner.strip()) for inner in item.values())
    return item is None or (isinstance(item, str) and not clean_text(item)) or item == []


def _exact(number: Number) -> Decimal:
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def _from_text(raw: str, unit: str) -> Decimal | None:
    if len(raw) > _LONGEST_NUMBER:
        return None
    text = clean_line(raw).replace("\u2212", "-")
    if unit and text.casefold().endswith(unit.casefold()):
        text = text[: -len(unit)].rstrip()
    if not _GROUPED.fullmatch(text):
        return None
    try:
        return Decimal(re.sub(r"[, '\u2019]", "", text))
    except InvalidOperation:
        return None

"""The kinds of value that can be asked for, on their own as in a question or in the column of a table."""

import re
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictInt, model_validator

from surveys.values import Finite, Frozen, Slug, Words


def rises(low: Any, high: Any, what: str) -> None:
    """Raise ValueError, naming `what`, unless `low` is at most `high`; None is open."""
    if low is not None and high is not None and low > high:
        raise ValueError(f"{what}: min is greater than max")


class Range(Frozen):
    """From `min` to `max`, both included; either may be open."""

    min: Finite | None = None
    max: Finite | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Range":
        rises(self.min, self.max, "the range")
        return self

    def holds(self, number: float) -> bool:
        """Return whether `number` lies in the range."""
        return (self.min is None or number >= self.min) and (self.max is None or number <= self.max)


class Choice(Frozen):
    """One of the values offered; an `exclusive` one ("none of these") stands alone."""

    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    label: Words
    exclusive: StrictBool = False


class Part(Frozen):
    """A named part of percentages, or a fixed row of a table."""

    id: Slug
    text: Words


class TextKind(Frozen):
    """One line of text, which fully matches `pattern` where there is one; `example` shows how."""

    type: Literal["text"]
    max_length: StrictInt = Field(200, ge=1, le=1000)
    pattern: str | None = None
    example: str | None = None

    @model_validator(mode="after")
    def _shows_how(self) -> "TextKind":
        if self.pattern is None:
            return self
        try:
            compiled = re.compile(self.pattern)
        except re.error as broken:
            raise ValueError(f"pattern is not a regular expression ({broken})") from broken
        if self.example is None or not compiled.fullmatch(self.example):
            raise ValueError("a pattern needs an example which matches it")
        return self


class NumberKind(Frozen):
    """A number in `unit`. Outside min..max it is refused; outside `plausible` it is accepted and queried."""

    type: Literal["number"]
    unit: str = ""
    min: Finite | None = None
    max: Finite | None = None
    integer: StrictBool = False
    plausible: Range | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "NumberKind":
        rises(self.min, self.max, "the number")
        return self


class DateKind(Frozen):
    """A calendar date from `min` to `max`."""

    type: Literal["date"]
    min: date | None = None
    max: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "DateKind":
        rises(self.min, self.max, "the date")
        return self


class YesNoKind(Frozen):
    """Yes (true) or no (false)."""

    type: Literal["yes_no"]


class SingleKind(Frozen):
    """One of `choices`."""

    type: Literal["single"]
    choices: tuple[Choice, ...] = Field(min_length=2)


class TextColumn(TextKind, Part):
    """A column of text."""

    required: StrictBool = False


class NumberColumn(NumberKind, Part):
    """A column of numbers."""

    required: StrictBool = False


class DateColumn(DateKind, Part):
    """A column of dates."""

    required: StrictBool = False


class YesNoColumn(YesNoKind, Part):
    """A column of yes and no."""

    required: StrictBool = False


class SingleColumn(SingleKind, Part):
    """A column of choices."""

    required: StrictBool = False


Column: TypeAlias = Annotated[
    TextColumn | NumberColumn | DateColumn | YesNoColumn | SingleColumn, Field(discriminator="type")
]

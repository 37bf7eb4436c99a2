"""How an answer becomes a risk r between 0 (none) and 1 (all of it), and how much the question weighs.

Source: risk scoring of the self-assessment survey, `sum(w*r) / sum(w)`; the numbers are the questionnaire's.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from surveys.values import Finite, Frozen, Share, Slug, Value

Weight = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1000)]


class YesNoRisk(Frozen):
    """r for yes and r for no; the bare keys, which YAML 1.1 reads as true and false, are understood."""

    weight: Weight
    yes: Share
    no: Share

    @model_validator(mode="before")
    @classmethod
    def _plain_keys(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        return {("yes" if key else "no") if isinstance(key, bool) else key: raw[key] for key in raw}

    def rate(self, value: Value) -> float:
        """Return r for `value`."""
        return self.yes if value is True else self.no


class ChoiceRisk(Frozen):
    """r for each choice; of several chosen the highest counts, unless `combine` says lowest or mean."""

    weight: Weight
    choices: dict[str, Share]
    combine: Literal["highest", "lowest", "mean"] = "highest"

    def rate(self, value: Value) -> float:
        """Return r for `value`; a choice that isn't mapped is never "no risk" and counts 1."""
        chosen = value if isinstance(value, tuple) else (value,)
        rates = [self.choices.get(str(choice), 1.0) for choice in chosen] or [1.0]
        if self.combine == "mean":
            return sum(rates) / len(rates)
        return max(rates) if self.combine == "highest" else min(rates)


class Threshold(Frozen):
    """r for a number below a limit."""

    below: Finite
    r: Share


class NumberRisk(Frozen):
    """r of the first threshold that the number is below, or `otherwise`; of `part`, for percentages."""

    weight: Weight
    thresholds: tuple[Threshold, ...] = Field(min_length=1)
    otherwise: Share
    part: Slug | None = None

    @model_validator(mode="after")
    def _ascending(self) -> "NumberRisk":
        limits = [threshold.below for threshold in self.thresholds]
        if limits != sorted(set(limits)):
            raise ValueError("the limits of the thresholds must rise from one to the next")
        return self

    def rate(self, value: Value) -> float:
        """Return r for `value`; a part of percentages that isn't given is 0 %."""
        number = value.get(self.part or "", 0) if isinstance(value, Mapping) else value
        if not isinstance(number, int | float):
            return 1.0
        return next((step.r for step in self.thresholds if number < step.below), self.otherwise)


class AnsweredRisk(Frozen):
    """One r for whatever answer is given."""

    weight: Weight
    answered: Share

    def rate(self, value: Value) -> float:
        """Return r for `value`."""
        return self.answered


def _way(raw: Any) -> str:
    """Return the tag of the way of rating that a definition means: the key it holds, else yes_no."""
    if isinstance(raw, Mapping):
        return next((f"({key})" for key in ("choices", "thresholds", "answered") if key in raw), "(yes_no)")
    if isinstance(raw, ChoiceRisk):
        return "(choices)"
    if isinstance(raw, NumberRisk):
        return "(thresholds)"
    return "(answered)" if isinstance(raw, AnsweredRisk) else "(yes_no)"


Risk: TypeAlias = Annotated[
    Annotated[YesNoRisk, Tag("(yes_no)")]
    | Annotated[ChoiceRisk, Tag("(choices)")]
    | Annotated[NumberRisk, Tag("(thresholds)")]
    | Annotated[AnsweredRisk, Tag("(answered)")],
    Discriminator(_way),
]

"""Figures of numbers: total, mean, median and what lies between the 10th and the 90th percentile.

In what is shared they are rounded to three digits, extremes are left out, and so is a total that one member makes
almost alone (the rule of dominance): from it the member could reckon everybody else, and everybody else the member.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from surveys.values import exact_sum

DIGITS = 3


@dataclass(frozen=True)
class Numbers:
    """Figures of some numbers; None where one is not told."""

    n: int
    total: float | None = None
    mean: float | None = None
    median: float | None = None
    p10: float | None = None
    p90: float | None = None
    low: float | None = None
    high: float | None = None


def figures(values: Sequence[float]) -> Numbers:
    """Return all figures of some numbers; of none, that there are none."""
    if not values:
        return Numbers(0)
    ordered = sorted(values)
    total = float(exact_sum(list(ordered)))
    return Numbers(
        len(ordered), total, total / len(ordered), quantile(ordered, 0.5), quantile(ordered, 0.1),
        quantile(ordered, 0.9), ordered[0], ordered[-1],
    )  # fmt: skip


def shareable(found: Numbers, smallest: int, *, with_total: bool) -> Numbers:
    """Return the figures that may be shared; percentiles need twice as many answers as the smallest cell."""
    if found.n < smallest:
        return Numbers(found.n)
    between = found.n >= 2 * smallest
    return Numbers(
        found.n, rounded(found.total) if with_total else None, rounded(found.mean) if with_total else None,
        rounded(found.median), rounded(found.p10) if between else None, rounded(found.p90) if between else None,
    )  # fmt: skip


def dominated(values: Sequence[float], share: float) -> bool:
    """Return whether one of the values makes more than this share of them all."""
    sizes = [abs(value) for value in values]
    return bool(sizes) and max(sizes) > share * sum(sizes) > 0


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which a share of the ordered values lies, in proportion between two of them."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def rounded(value: float | None) -> float | None:
    """Return a value with three digits that count."""
    if not value:
        return value
    return round(value, DIGITS - 1 - floor(log10(abs(value))))

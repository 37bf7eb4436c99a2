"""What is told of one item: of everybody, of groups, and of those who answered both years."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from surveys.crossing import ALL, Crossing, Given, Place, crossing
from surveys.items import Item
from surveys.numbers import Numbers, dominated, figures, shareable
from surveys.suppression import hidden

PANEL, BOTH, ONCE = "panel", "both years", "this year only"


@dataclass(frozen=True)
class Rule:
    """What may be told. ``smallest`` 0: everything, which is for those who may read every answer anyway."""

    smallest: int = 0
    dominance: float = 0.8


@dataclass(frozen=True)
class Cell:
    """How many gave one answer; None is left out."""

    value: str
    label: str
    number: int | None
    share: float | None


@dataclass(frozen=True)
class Group:
    """The figures of one group, or of everybody."""

    name: str
    n: int | None
    cells: tuple[Cell, ...] = ()
    numbers: Numbers | None = None


@dataclass(frozen=True)
class Change:
    """What became of the answers of those who answered both years; shares in per cent of them."""

    n: int
    shares: tuple[tuple[str, float, float], ...] = ()
    """Answer, last year's share and this year's."""
    medians: tuple[float, float] | None = None


@dataclass(frozen=True)
class ItemFigures:
    """The figures of one item, of everybody and by dimension and group."""

    item: Item
    all: Group
    by: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)
    change: Change | None = None
    """None: not asked last year, or not to be told."""


class Telling:
    """One item with what of it may not be told."""

    def __init__(
        self, item: Item, table: Crossing, values: Mapping[Place, Sequence[float]], rule: Rule,
        blocked: Collection[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        self._item, self._table, self._values, self._rule = item, table, values, rule
        beforehand = [place for place in table.counts if (place.dimension, place.group) in blocked]
        self.secret: frozenset[Place] = frozenset()
        if rule.smallest:
            self.secret = hidden(table.counts, table.sums, rule.smallest, beforehand=beforehand)

    def group(self, at: Place) -> Group:
        """Return the figures of a group, or of everybody."""
        if at in self.secret:
            return Group(at.group, None)
        n = self._table.counts.get(at, 0)
        if self._item.kind == "number":
            return Group(at.group, n, numbers=self._numbers(at))
        return Group(at.group, n, tuple(self._cell(value, label, at, n) for value, label in self._answers))

    def change(self, pairs: Sequence[tuple[Any, Any]]) -> Change | None:
        """Return the change since last year, of pairs of last year's and this year's answer; None: not to be told."""
        if not pairs or len(pairs) < self._rule.smallest or self._item.kind == "given":
            return None
        if self._item.kind == "number":
            before, now = (self._median([pair[year] for pair in pairs]) for year in (0, 1))
            return Change(len(pairs), medians=(before, now))
        return None if Place(PANEL, BOTH) in self.secret else self._shares(pairs)

    def _numbers(self, at: Place) -> Numbers:
        found = figures(self._values.get(at, ()))
        if not self._rule.smallest:
            return found
        return shareable(found, self._rule.smallest, with_total=at not in self._silent)

    def _median(self, values: Sequence[float]) -> float:
        found = figures(values)
        told = shareable(found, self._rule.smallest, with_total=False) if self._rule.smallest else found
        return told.median or 0

    def _cell(self, value: str, label: str, at: Place, n: int) -> Cell:
        place = at.of(value)
        if place in self.secret:
            return Cell(value, label, None, None)
        number = self._table.counts.get(place, 0)
        return Cell(value, label, number, 100 * number / n if n else None)

    @cached_property
    def _answers(self) -> Sequence[tuple[str, str]]:
        """The answers there are with their words: those to choose from, and others that were found."""
        found = {place.answer for place in self._table.counts if place.answer}
        known = dict(self._item.choices)
        return [*known.items(), *((value, value) for value in sorted(found - set(known)))]

    @cached_property
    def _silent(self) -> frozenset[Place]:
        """The places whose total is not told: too few, almost one member's alone, or what would give such away."""
        found = set(self.secret)
        found |= {place for place, values in self._values.items() if dominated(values, self._rule.dominance)}
        while True:
            found = set(hidden(self._table.counts, self._table.sums, self._rule.smallest, beforehand=found))
            more = self._still_dominated(found)
            if more is None:
                return frozenset(found)
            found.add(more)

    def _still_dominated(self, found: Collection[Place]) -> Place | None:
        """Return a group to be hidden besides, where those hidden so far are together almost one member's."""
        for dimension in {place.dimension for place in self._table.counts if place.dimension}:
            groups = self._table.groups(dimension)
            inside = [value for place in groups if place in found for value in self._values[place]]
            rest = [place for place in groups if place not in found]
            if rest and ALL not in found and dominated(inside, self._rule.dominance):
                return min(rest, key=lambda place: self._table.counts[place])
        return None

    def _shares(self, pairs: Sequence[tuple[Any, Any]]) -> Change | None:
        """Return the shares of each answer in both years; of last year's too none is told that stands on few."""
        earlier, later = (crossing(self._item, [({}, pair[year]) for pair in pairs]) for year in (0, 1))
        smallest, n = self._rule.smallest, len(pairs)
        left_out = hidden(earlier.counts, earlier.sums, smallest) if smallest else frozenset()
        shares = tuple(
            (label, 100 * earlier.counts.get(ALL.of(value), 0) / n, 100 * later.counts.get(ALL.of(value), 0) / n)
            for value, label in self._answers
            if ALL.of(value) not in left_out and Place(PANEL, BOTH).of(value) not in self.secret
        )
        return Change(n, shares) if shares else None


def values_of(item: Item, given: Sequence[Given]) -> Mapping[Place, Sequence[float]]:
    """Return the numbers of each group and of everybody; of an item that is no number, none."""
    found: dict[Place, list[float]] = defaultdict(list)
    for groups, value in given if item.kind == "number" else ():
        found[ALL].append(value)
        for dimension, group in groups.items():
            found[Place(dimension, group)].append(value)
    return found

"""The table in which everything stands that is told of one item: answers across groups, and what adds up to what."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from surveys.items import Item
from surveys.suppression import Sum

Given = tuple[Mapping[str, str], Any]
"""The groups of one member, and what the member answered to the item."""


class Place(NamedTuple):
    """A place of the table: a group of a dimension (everybody without one), and an answer; without it, all.

    ``chosen`` False counts who gave an answer and did not choose this one.
    """

    dimension: str = ""
    group: str = ""
    answer: str = ""
    chosen: bool = True

    @property
    def whole(self) -> "Place":
        """Return the place of everybody in the same group."""
        return Place(self.dimension, self.group)

    def of(self, answer: str, *, chosen: bool = True) -> "Place":
        """Return the place of an answer in the same group."""
        return Place(self.dimension, self.group, answer, chosen)


ALL = Place()


@dataclass(frozen=True)
class Crossing:
    """How many stand in each place, and which of these numbers add up to which."""

    counts: Mapping[Place, int]
    sums: Sequence[Sum[Place]]

    def groups(self, dimension: str) -> list[Place]:
        """Return the places of the groups of a dimension, by name."""
        return sorted(each for each in self.counts if each.dimension == dimension and not each.answer)


def crossing(item: Item, given: Sequence[Given]) -> Crossing:
    """Return the table of one item; each group has a place for every answer, also where nobody gave it."""
    combined = Counter((tuple(groups.items()), value if _counts(item) else None) for groups, value in given)
    answers = _answers(item, [value for _, value in combined])
    counts: dict[Place, int] = {ALL: 0}
    for (groups, value), number in combined.items():
        for at in (ALL, *(Place(dimension, group) for dimension, group in groups)):
            for place, inside in _places(item, at, value, answers):
                counts[place] = counts.get(place, 0) + number * inside
    return Crossing(counts, [*_within(counts), *_across(counts), *_nested(counts, [dict(g) for g, _ in combined])])


def _counts(item: Item) -> bool:
    return item.kind in ("one", "several")


def _answers(item: Item, values: Sequence[Any]) -> list[str]:
    if not _counts(item):
        return []
    found = {each for value in values for each in (value if isinstance(value, tuple) else (value,))}
    return list(dict.fromkeys([*(value for value, _ in item.choices), *sorted(found)]))


def _places(item: Item, at: Place, value: Any, answers: Sequence[str]) -> Iterator[tuple[Place, bool]]:
    """Yield the places of one group, and whether a value counts there."""
    yield at, True
    for answer in answers:
        chosen = answer in value if isinstance(value, tuple) else answer == value
        yield at.of(answer), chosen
        if item.kind == "several":
            yield at.of(answer, chosen=False), not chosen


def _within(counts: Mapping[Place, int]) -> Iterator[Sum[Place]]:
    """Yield, for each group, that its answers are all who answered; of several choices each divides them anew."""
    inside: dict[Place, list[Place]] = defaultdict(list)
    for place in counts:
        if place.answer:
            inside[place.whole].append(place)
    for whole, places in inside.items():
        if all(place.chosen for place in places):
            yield Sum(whole, tuple(places), together=True)
            continue
        for place in places:
            if place.chosen:
                yield Sum(whole, (place, place.of(place.answer, chosen=False)), together=True)


def _across(counts: Mapping[Place, int]) -> Iterator[Sum[Place]]:
    """Yield, for each dimension and each answer, that the groups are everybody."""
    groups: dict[tuple[str, Place], list[Place]] = defaultdict(list)
    for place in counts:
        if place.dimension:
            groups[place.dimension, Place(answer=place.answer, chosen=place.chosen)].append(place)
    yield from (Sum(whole, tuple(places)) for (_, whole), places in groups.items())


def _nested(counts: Mapping[Place, int], members: Sequence[Mapping[str, str]]) -> Iterator[Sum[Place]]:
    """Yield where groups of one dimension lie in one of another, as countries do in regions, and add up to it."""
    reaches: dict[tuple[Place, str], set[str]] = defaultdict(set)
    for groups in members:
        for dimension, group in groups.items():
            for other in groups:
                if other != dimension:
                    reaches[Place(dimension, group), other].add(groups[other])
    for (outer, dimension), inner in reaches.items():
        places = [Place(dimension, group) for group in sorted(inner)]
        if any(reaches[place, outer.dimension] != {outer.group} for place in places):
            continue
        for place in list(counts):
            if place.whole == outer:
                yield Sum(place, tuple(each.of(place.answer, chosen=place.chosen) for each in places))

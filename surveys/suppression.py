"""Which counts may not be told, so that none of them can be worked out from the others that are.

Source: no cell below the smallest in what is shared (guard of the approval of the report; the number is the policy's).
A count that is too small is hidden. Where the counts that belong to one sum would give it away, a second one is hidden
with it; and because sums cross (answers add up to those who answered, groups to everybody, countries to regions), it is
then tried, by solving all sums together, whether a hidden count can still be worked out.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

LARGEST_SYSTEM = 1200
"""Hidden counts up to which the sums are solved together; of more, everything that any of the sums holds is hidden."""

_PRIME = 2_147_483_647


@dataclass(frozen=True)
class Sum(Generic[Key]):
    """A total and the parts that add up to it. ``together``: without the total no part of it is told."""

    total: Key
    parts: tuple[Key, ...]
    together: bool = False


def hidden(
    counts: Mapping[Key, int], sums: Sequence[Sum[Key]], smallest: int, *, beforehand: Collection[Key] = ()
) -> frozenset[Key]:
    """Return which counts may not be told: none below `smallest` but 0, none that the others give away.

    What is hidden `beforehand` stays so. Every key of a sum must be counted.
    """
    found = {key for key, number in counts.items() if 0 < number < smallest} | set(beforehand)
    # short sums leave the least choice: closing them first hides less elsewhere
    sums = sorted(sums, key=lambda each: len(each.parts))
    while True:
        _close(found, counts, sums, smallest)
        if len(found) > LARGEST_SYSTEM:
            return frozenset(counts)
        wanted = [_next(key, found, counts, sums) for key in derivable(found, sums)]
        more = {key for key in wanted if key is not None}
        if not more:
            return frozenset(found)
        found |= more


def derivable(unknown: Collection[Key], sums: Sequence[Sum[Key]]) -> frozenset[Key]:
    """Return which of the unknown counts follow from the known ones: the only solution of the sums, if they are so."""
    rows = _reduced([_equation(each, unknown) for each in sums])
    return frozenset(next(iter(row)) for row in rows if len(row) == 1)


def _close(found: set[Key], counts: Mapping[Key, int], sums: Sequence[Sum[Key]], smallest: int) -> None:
    """Hide more, sum by sum, until none gives anything away by itself."""
    before = -1
    while before != len(found):
        before = len(found)
        for each in sums:
            if each.together and each.total in found:
                found |= set(each.parts)
            while (more := _missing(each, found, counts, smallest)) is not None:
                found.add(more)


def _missing(each: Sum[Key], found: Collection[Key], counts: Mapping[Key, int], smallest: int) -> Key | None:
    """Return what has to be hidden besides in one sum, or None."""
    inside = [key for key in each.parts if key in found]
    if not inside and each.total not in found:
        return None
    alone = len(inside) + (each.total in found) < 2
    few = each.total not in found and sum(counts[key] for key in inside) < smallest
    return _candidate(each, found, counts) if alone or few else None


def _candidate(each: Sum[Key], found: Collection[Key], counts: Mapping[Key, int]) -> Key | None:
    """Return what is best hidden next in a sum: the smallest part that is not 0, else a 0, else the total."""
    rest = [key for key in each.parts if key not in found]
    if rest:
        return min(rest, key=lambda key: (counts[key] == 0, counts[key]))
    return None if each.total in found else each.total


def _next(key: Key, found: Collection[Key], counts: Mapping[Key, int], sums: Sequence[Sum[Key]]) -> Key | None:
    """Return what is hidden so that `key` can no longer be worked out."""
    around = [each for each in sums if key == each.total or key in each.parts]
    candidates = [each for each in (_candidate(one, found, counts) for one in around) if each is not None]
    return min(candidates, key=lambda each: (counts[each] == 0, counts[each]), default=None)


def _equation(each: Sum[Key], unknown: Collection[Key]) -> dict[Key, int]:
    """Return what a sum says of the unknown: its parts less its total are a known number."""
    row: dict[Key, int] = {key: 1 for key in each.parts if key in unknown}
    if each.total in unknown:
        row[each.total] = _PRIME - 1
    return row


def _reduced(rows: Sequence[Mapping[Key, int]]) -> Iterator[Mapping[Key, int]]:
    """Yield the rows of a system in reduced form, over a prime field: exact, and quick where rows are short."""
    pivots: dict[Hashable, dict[Key, int]] = {}
    for each in rows:
        row = dict(each)
        for pivot in [key for key in row if key in pivots]:
            _subtract(row, pivots[pivot], row[pivot])
        if not row:
            continue
        pivot = next(iter(row))
        inverse = pow(row[pivot], -1, _PRIME)
        row = {key: value * inverse % _PRIME for key, value in row.items()}
        for other in pivots.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        pivots[pivot] = row
    yield from pivots.values()


def _subtract(row: dict[Key, int], other: Mapping[Key, int], times: int) -> None:
    for key, value in other.items():
        left = (row.get(key, 0) - times * value) % _PRIME
        if left:
            row[key] = left
        else:
            row.pop(key, None)

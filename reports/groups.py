"""Cases in groups, such as those with the same reason: behind each figure of a group stand their references."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

ALL = "all"
"""The row of everybody, and the second part of the key of every group."""


@dataclass
class Group:
    """The cases of one group: references by figure."""

    refs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, figure: str, ref: str) -> None:
        """Count a case in a figure, once."""
        if self.refs[figure][-1:] != [ref]:
            self.refs[figure].append(ref)

    def count(self, figure: str) -> int:
        """Return how many cases a figure is made of."""
        return len(self.refs.get(figure, ()))

    def join(self, other: Group) -> None:
        """Take in the cases of another group."""
        for figure, refs in other.refs.items():
            self.refs[figure] += refs


def refs_of(groups: Sequence[tuple[str, Group]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the references behind each figure of named groups, as a table keeps them."""
    return {(name, ALL, figure): tuple(refs) for name, group in groups for figure, refs in group.refs.items() if refs}

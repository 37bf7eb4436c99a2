"""How many cases there are in each state of a list. One statement, whose cost does not grow with the number of cases.

Counting a million rows for a number beside a list would cost more than the list. A list that is narrowed is counted
itself, as far as ``COUNTED`` lines; the list of everything is counted state by state, each as far as ``SHOWN``, which
then reads as "100+". Nothing is kept in a table that could be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    CompoundSelect,
    Select,
    Text,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union,
    union_all,
)

from cases.lists.keyset import Order, keys
from cases.lists.narrowing import Branch, Narrow, Phase, in_each_phase
from cases.lists.ways_in import along
from cases.tables import CaseRow
from config.database import Connection
from state_machines.registry import processes

COUNTED = 2_000
SHOWN = 100


@dataclass(frozen=True)
class Tallies:
    """Numbers of cases by process and state."""

    counts: Mapping[tuple[str, str], int]
    most: int | None = None
    """Each number is counted as far as this and then means "at least"; None: each is exact."""
    cut: bool = False
    """The list is longer than what was counted: these are the numbers of its first ``COUNTED`` cases."""

    def of(self, process: str) -> int:
        """Return the number of cases of a process, in whatever state."""
        return sum(count for (name, _), count in self.counts.items() if name == process)

    def said(self, count: int) -> str:
        """Return a number as it is shown: "17", or "100+" where it may be more."""
        if self.most is not None and count >= self.most:
            return f"{self.most}+"
        return str(count)


@dataclass(frozen=True)
class Asked:
    """The statement that counts a list, and whether it does so state by state."""

    statement: Select[Any] | CompoundSelect[Any]
    by_state: bool


def asking(teams: Sequence[Branch], others: Sequence[Branch], where: Branch, narrow: Narrow, order: Order) -> Asked:
    """Return how to count a list in whatever process and state, from its ways in and its other conditions."""
    if teams and narrow.by_state_alone:
        return Asked(_state_by_state(teams, others, where, narrow), True)
    branches = in_each_phase([along(branch, where) for branch in (*teams, *others)], narrow)
    key = keys(branches, order, None, COUNTED + 1, CaseRow.process, CaseRow.state).subquery()
    return Asked(select(key.c.process, key.c.state, func.count(), false()).group_by(key.c.process, key.c.state), False)


def tallied(conn: Connection, asked: Asked) -> Tallies:
    """Return the numbers of a list."""
    counts: dict[tuple[str, str], int] = {}
    beside = 0
    for process, state, count, probed in conn.execute(asked.statement):
        counts[process, state] = counts.get((process, state), 0) + count
        beside += 0 if probed else count
    if not asked.by_state:
        return Tallies(counts, cut=beside > COUNTED)
    return Tallies({key: min(SHOWN, count) for key, count in counts.items()}, most=SHOWN, cut=beside >= COUNTED)


def _state_by_state(
    teams: Sequence[Branch], others: Sequence[Branch], where: Branch, narrow: Narrow
) -> CompoundSelect[Any]:
    parts = [_probes([*branch, *where], narrow) for branch in teams]
    if others:
        elsewhere = not_(or_(*(branch[0] for branch in teams)))
        parts.append(_counted(in_each_phase([[*branch, elsewhere, *where] for branch in others], narrow)))
    return union_all(*parts)


def _probes(where: Branch, narrow: Narrow) -> Select[Any]:
    """One look into an index for every state, as far as is shown."""
    group = _groups(narrow.listed)
    few = (
        select(literal(1).label("one"))
        .where(CaseRow.process == group.c.process, CaseRow.state == group.c.state, *where)
        .limit(SHOWN)
        .lateral()
    )
    found = select(group.c.process, group.c.state, func.count(few.c.one).label("n"), true().label("probed"))
    return found.select_from(group.join(few, true())).group_by(group.c.process, group.c.state)


def _counted(branches: Sequence[Branch]) -> Select[Any]:
    """What can be seen beside the team: few cases, counted one by one, as far as ``COUNTED`` each way."""
    each = [select(CaseRow.id, CaseRow.process, CaseRow.state).where(*b).limit(COUNTED) for b in branches]
    once = union(*(select(part.subquery()) for part in each)).subquery()
    found = select(once.c.process, once.c.state, func.count().label("n"), false().label("probed"))
    return found.group_by(once.c.process, once.c.state)


def _groups(phase: Phase) -> Any:
    """Every state that cases of such a list can be in."""
    pairs = [
        (process.name, state.name)
        for process in processes().values()
        for state in process.states
        if phase is Phase.ALL or state.final == (phase is Phase.CLOSED)
    ]
    names = [cast(list(column), ARRAY(Text)) for column in zip(*pairs, strict=True)]
    return func.unnest(*names).table_valued("process", "state").render_derived(name="groups")

"""Cases that are alike: of one process and state, with clocks that began and are due on the same days and have fired
the same rungs. What time does to one of them it does to all, to the day; so it is worked out for one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, func, select

from cases.rows import case_of
from cases.tables import CaseRow
from config.database import Connection
from state_machines.values import Case

MOST_KINDS = 10_000
"""So many kinds of cases are told apart; cases of rarer ones are only counted."""


@dataclass
class Alike:
    """Cases of one kind, counted by owner."""

    process: str
    state: str
    pattern: str
    one: int
    """The id of one of them."""
    owners: Counter[int | None] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.owners.values())

    @property
    def key(self) -> str:
        """What tells them from others, as the database works it out too."""
        return f"{self.process}:{self.state}:{self.pattern}"


_CLOCK_TIMES = r'T[0-9:.]+(\+00:00|Z)"'
_RUNS = r'"run": [0-9]+(, )?'


def pattern() -> ColumnElement[str]:
    """Return a digest of the clocks of a case to the day, as a column: their text without hours and counts of runs.

    One pass over the text costs a tenth of taking the clocks apart, which a million cases would feel.
    """
    days = func.regexp_replace(cast(CaseRow.clocks, Text), _CLOCK_TIMES, '"', "g")
    return func.md5(func.regexp_replace(days, _RUNS, "", "g"))


def kinds_of_cases(conn: Connection, where: Sequence[ColumnElement[bool]], until: datetime) -> tuple[list[Alike], int]:
    """Return the kinds of open cases to which something comes by an instant, the most frequent first, and of how many
    cases the kind was too rare to be told apart."""
    digest = pattern().label("pattern")
    chosen = select(CaseRow.process, CaseRow.state, CaseRow.owner_id, CaseRow.id, digest).where(
        CaseRow.closed_at.is_(None), CaseRow.due_at <= until, *where
    ).subquery()  # fmt: skip
    count = func.count().label("number")
    columns = (chosen.c.process, chosen.c.state, chosen.c.pattern, chosen.c.owner_id)
    rows = conn.execute(
        select(*columns, count, func.min(chosen.c.id).label("one")).group_by(*columns).order_by(count.desc())
    )
    found: dict[tuple[str, str, str], Alike] = {}
    rare = 0
    for row in rows:
        key = (row.process, row.state, row.pattern)
        if key not in found and len(found) >= MOST_KINDS:
            rare += row.number
            continue
        alike = found.setdefault(key, Alike(*key, row.one))
        alike.owners[row.owner_id] += row.number
    return sorted(found.values(), key=lambda alike: (-alike.total, alike.one)), rare


def examples(conn: Connection, ids: Collection[int]) -> dict[int, Case]:
    """Return these cases by id."""
    rows = conn.execute(select(CaseRow.__table__).where(CaseRow.id.in_(sorted(ids))))
    return {row.id: case_of(row) for row in rows}

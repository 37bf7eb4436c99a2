"""One case followed through its events: where it was when, what was known of it, and when it changed places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from config.database import Connection
from reports.histories import LEFT_OUT, histories, outcome_of

Bounds = tuple[datetime, datetime]
"""When a period begins and ends; the end is no part of it."""


@dataclass(frozen=True)
class Followed:
    """What is known of one case at a moment."""

    ref: str
    received: datetime
    guarded: bool
    moves: Sequence[tuple[datetime, str]]
    """Each state it came to, and when; the first is where it began."""
    facts: Mapping[str, Any]
    noted: Sequence[tuple[datetime, Mapping[str, Any]]]
    """What was written down, and when."""

    @property
    def entered(self) -> datetime:
        """When it was written down, perhaps days after it was received."""
        return self.moves[0][0]

    @property
    def state(self) -> str:
        """Where it is."""
        return self.moves[-1][1]

    def state_before(self, instant: datetime) -> str | None:
        """Where it was just before an instant; nowhere before it was entered."""
        found = [state for at, state in self.moves if at < instant]
        return found[-1] if found else None

    def came_to(self, states: Collection[str]) -> list[datetime]:
        """When it came to one of these states from one that is not among them."""
        before = [None, *(state for _, state in self.moves)]
        return [at for (at, state), last in zip(self.moves, before, strict=False)
                if state in states and last not in states]  # fmt: skip

    def left_states(self, states: Collection[str]) -> list[datetime]:
        """When it went from one of these states to one that is not among them."""
        pairs = zip(self.moves, self.moves[1:], strict=False)
        return [at for (_, last), (at, state) in pairs if last in states and state not in states]


def followed(
    conn: Connection, process: str, end: datetime, among: ColumnElement[bool] | None, now: datetime,
    left_out: Counter[str],
) -> Iterator[Followed]:  # fmt: skip
    """Yield the cases of a process as known before ``end``; duplicates are counted in ``left_out`` instead."""
    for _, events in histories(conn, end, process, among, now):
        if outcome_of(events) in LEFT_OUT:
            left_out["duplicate cases"] += 1
        else:
            yield _follow(events)


def _follow(events: Sequence[Any]) -> Followed:
    moves: list[tuple[datetime, str]] = []
    facts: dict[str, Any] = {}
    noted = []
    for event in events:
        if not moves or event.target != moves[-1][1]:
            moves.append((event.at, event.target))
        if data := event.details.get("data"):
            facts |= data
            noted.append((event.at, data))
    first = events[0]
    return Followed(first.ref, first.received_at, bool(first.guarded), moves, facts, noted)

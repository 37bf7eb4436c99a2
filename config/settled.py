"""Up to where a table that only grows can be read without missing what is being written at this moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select, text

from config.database import Connection, Engine, reading

Item = TypeVar("Item")

LONGEST_WAIT = 1.0
"""Seconds."""
LOOKED_AT_ONCE = 2000
"""Ids in a stretch, of rows that somebody may see or not."""
MOST_STRETCHES = 25
_LOOK_AGAIN = 0.02
_WRITERS = text("""
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = to_regclass(:name) AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


def settled(engine: Engine, table: Any, *, wait: float = LONGEST_WAIT) -> int | None:
    """Return the newest id of a table below which no row will appear any more; None if that takes longer than ``wait``.

    Ids are given out before rows are seen, so who commits later may bring a lower one. Whoever adds rows holds a lock
    on the table from before the first id to the end: when all who held one after the newest row was seen are gone,
    everything up to that row is there. ``wait`` is in seconds.
    """
    with reading(engine) as conn:
        newest = conn.execute(select(func.max(table.id))).scalar() or 0
    until = time.monotonic() + wait
    with reading(engine) as conn:
        name = table.__tablename__
        awaited = _writers(conn, name)
        while awaited and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN)
            awaited &= _writers(conn, name)
    return None if awaited else int(newest)


@dataclass(frozen=True)
class Followed(Generic[Item]):
    """Some of what was written, where the next begins, and whether there is more already."""

    items: list[Item]
    after: int
    more: bool


def read_on(
    conn: Connection, wanted: Select[Any], number: Any, *, after: int, until: int, limit: int, of: Callable[[Any], Item]
) -> Followed[Item]:
    """Return what ``of`` makes of the first rows after one id and up to another, ``limit`` at most.

    ``number`` is the column of the ids, which is ``id`` among those wanted.
    """
    rows: Any = ()
    last = after
    for begin, last in _stretches(after, until):
        if rows := conn.execute(wanted.where(number > begin, number <= last).order_by(number).limit(limit + 1)).all():
            break
    if len(rows) > limit:
        return Followed([of(row) for row in rows[:limit]], rows[limit - 1].id, True)
    return Followed([of(row) for row in rows], last, last < until)


def _stretches(after: int, until: int) -> Iterator[tuple[int, int]]:
    """The ids after one and up to another in stretches, a bounded number: who may see few rows among very many is
    answered soon, and is not told how many there are that they may not see."""
    for begin in range(after, min(until, after + MOST_STRETCHES * LOOKED_AT_ONCE), LOOKED_AT_ONCE):
        yield begin, min(begin + LOOKED_AT_ONCE, until)


def _writers(conn: Connection, name: str) -> set[str]:
    return set(conn.execute(_WRITERS, {"name": name}).scalars())

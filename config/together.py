"""A few statements sent in one go: the way to the database and back is made once, not once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple, cast

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_ROWS = 8
"""So many rows go into one INSERT: a statement of a handful of shapes is prepared by the database once for each."""


class _Waiting(NamedTuple):
    statement: str
    values: Any
    check: Callable[[int], None] | None


_waiting: ContextVar[list[_Waiting] | None] = ContextVar("waiting", default=None)


@contextmanager
def together(conn: Connection) -> Iterator[None]:
    """Send what is written inside with `run`, `copy_rows` and `copy_lines` at the end, in its order and in one go.

    For few rows: each becomes part of an INSERT, which costs less than a COPY of its own. Nothing else may be asked
    inside that depends on it. Raises SQLAlchemy's errors, as every statement does, and what a check raises.
    """
    waiting: list[_Waiting] = []
    mark = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(mark)
    if waiting:
        _send(conn, waiting)


def run(conn: Connection, statement: str, values: Any, check: Callable[[int], None] | None = None) -> None:
    """Run a statement that returns nothing, with its parameters as ``%s`` or ``%(name)s``, now or with the others
    inside `together`. ``check`` is told how many rows it found."""
    waiting = _waiting.get()
    if waiting is not None:
        waiting.append(_Waiting(statement, values, check))
        return
    found = conn.exec_driver_sql(statement, values).rowcount
    if check is not None:
        check(found)


def is_together() -> bool:
    """Whether what is appended now is sent with others."""
    return _waiting.get() is not None


def append(table_name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Let rows go into a table with the other statements inside `together`; return how many there are."""
    waiting = _waiting.get()
    assert waiting is not None  # noqa: S101  whoever calls has asked
    left, count = iter(rows), 0
    while some := list(islice(left, _ROWS)):
        statement = _insert(table_name, tuple(columns), len(some))
        waiting.append(_Waiting(statement, list(chain.from_iterable(some)), None))
        count += len(some)
    return count


@lru_cache(maxsize=200)
def _insert(table_name: str, columns: tuple[str, ...], count: int) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    row = f"({', '.join(['%s'] * len(columns))})"
    return f'INSERT INTO "{table_name}" ({names}) VALUES {", ".join([row] * count)}'  # noqa: S608  names of ours


def _send(conn: Connection, waiting: Sequence[_Waiting]) -> None:
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    cursors: list[psycopg.Cursor[Any]] = []
    try:
        with driver.pipeline():
            for each in waiting:
                cursors.append(driver.execute(each.statement, each.values))
    except psycopg.Error as error:
        found = as_of_a_statement(conn, driver, "; ".join(each.statement for each in waiting), error)
        _check(waiting, cursors)  # what came before the error may be its reason
        raise found from error
    _check(waiting, cursors)


def _check(waiting: Sequence[_Waiting], cursors: Iterable[psycopg.Cursor[Any]]) -> None:
    for each, cursor in zip(waiting, cursors, strict=False):
        if each.check is not None and cursor.rowcount >= 0:
            each.check(cursor.rowcount)


def as_of_a_statement(
    conn: Connection, driver: psycopg.Connection[Any], statement: str, error: psycopg.Error
) -> BaseException:
    """Return the error as SQLAlchemy raises it. A connection that broke is closed: a rollback would wait for ever."""
    lost = driver.broken or driver.closed or driver.pgconn.status != psycopg.pq.ConnStatus.OK
    if lost:
        conn.invalidate(error)
    return DBAPIError.instance(
        statement, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost,
        dialect=conn.dialect,
    )  # fmt: skip

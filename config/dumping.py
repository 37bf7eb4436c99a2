"""Whole tables out of a database and into another: as text, in an order in which no row lacks the one it names.

The schema is not copied. Migrations make it, so that a copy goes into any PostgreSQL that Muster runs on, older or
newer than the one it comes from; PostgreSQL's own programs only go from older to newer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import text

from config.database import Connection

NOT_COPIED = frozenset({"alembic_version"})
"""What migrations write themselves."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns; those that the database computes are left out."""

    name: str
    columns: tuple[str, ...]
    numbered: str | None = None
    """The column whose numbers come from a sequence."""


_TABLES = text("""
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns,
  min(a.attname::text) FILTER (WHERE a.attidentity <> '') AS numbered
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)
GROUP BY c.relname ORDER BY c.relname
""")
_NEEDS = text("""
SELECT f.relname AS child, t.relname AS parent FROM pg_constraint k
JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND f.relnamespace = CAST(current_schema() AS regnamespace) AND f.oid <> t.oid
""")
_EXACT = (
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL client_encoding = 'UTF8'; "
    "SET LOCAL idle_in_transaction_session_timeout = 0"
)


def be_exact(conn: Connection) -> None:
    """Have values written and read the same everywhere, for the transaction of ``conn``, however long it takes."""
    conn.exec_driver_sql(_EXACT)


def tables(conn: Connection) -> list[Table]:
    """Return the tables there are, each after those whose rows it names."""
    found = {row.name: Table(row.name, tuple(row.columns), row.numbered) for row in conn.execute(_TABLES)}
    order: TopologicalSorter[str] = TopologicalSorter({name: set() for name in sorted(found)})
    for row in conn.execute(_NEEDS):
        order.add(row.child, row.parent)
    return [found[name] for name in order.static_order() if name not in NOT_COPIED]


def is_empty(conn: Connection) -> bool:
    """Return whether there is no table at all."""
    return not conn.execute(_TABLES).all()


def count(conn: Connection, table: str) -> int:
    """Return how many rows a table has."""
    found = _driver(conn).execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(found[0]) if found is not None else 0


def copy_out(conn: Connection, table: Table) -> Iterator[bytes]:
    """Yield the rows of a table as the text that ``copy_in`` reads."""
    with _driver(conn).cursor() as cursor, cursor.copy(_copy(table.name, table.columns, "TO STDOUT")) as copy:
        for chunk in copy:
            yield bytes(chunk)


def copy_in(conn: Connection, table: str, columns: Sequence[str], chunks: Iterable[bytes]) -> None:
    """Append rows that ``copy_out`` wrote. Raises psycopg's errors for what the table refuses."""
    with _driver(conn).cursor() as cursor, cursor.copy(_copy(table, columns, "FROM STDIN")) as copy:
        for chunk in chunks:
            copy.write(chunk)


def clear(conn: Connection, found: Collection[Table]) -> None:
    """Empty tables of what migrations have put into them, and let no trigger act on what is copied in."""
    for table in found:
        _run(conn, "ALTER TABLE {} DISABLE TRIGGER USER", table.name)
        if count(conn, table.name):
            _run(conn, "DELETE FROM {}", table.name)


def settle(conn: Connection, found: Collection[Table]) -> None:
    """Let triggers act again, and let numbers go on after the highest."""
    for table in found:
        _run(conn, "ALTER TABLE {} ENABLE TRIGGER USER", table.name)
        if table.numbered is not None:
            newest = sql.SQL(
                "SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {} HAVING max({}) IS NOT NULL"
            )
            column = sql.Identifier(table.numbered)
            _driver(conn).execute(
                newest.format(
                    sql.Literal(table.name), sql.Literal(table.numbered), column, sql.Identifier(table.name), column
                )
            )


def _run(conn: Connection, statement: str, table: str) -> None:
    _driver(conn).execute(sql.SQL(statement).format(sql.Identifier(table)))


def _copy(table: str, columns: Sequence[str], way: str) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) " + way).format(sql.Identifier(table), names)


def _driver(conn: Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", conn.connection.driver_connection)

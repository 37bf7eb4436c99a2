"""Bulk rows through PostgreSQL's COPY, several times faster than INSERT, on SQLAlchemy's own connection."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any, cast

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import JSON, Boolean, Connection, Integer

from config import together
from config.together import as_of_a_statement

REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What PostgreSQL cannot store: NUL, and halves of surrogate pairs, which JSON may escape and UTF-8 cannot hold."""


def to_json(value: object) -> str:
    """Return `value` as JSON text, dates as ISO 8601; raises TypeError or ValueError for what JSON lacks."""
    return _ENCODER.encode(value)


def without_nul(value: Any) -> Any:
    """Return `value` with every NUL character and lone surrogate, which cannot be stored, replaced by U+FFFD.

    Looks inside dicts, lists and tuples. Use it where text enters (forms, mail, files), before anything is
    hashed.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([without_nul(item) for item in value])
    return value


def copy_rows(conn: Connection, table_name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Append `rows` to a table and return their number; part of the transaction of `conn`.

    Values are Python values in the order of `columns`; what goes into a JSON column (or is a dict) is dumped.
    Raises ValueError for NUL characters and naive datetimes, and SQLAlchemy's errors, as every statement does.
    """
    adapters = [_adapter(table_name, column) for column in columns]
    adapted = ([v if adapt is None else adapt(v) for adapt, v in zip(adapters, row, strict=True)] for row in rows)
    if together.is_together():
        return together.append(table_name, columns, adapted)
    count = 0
    with _copying(conn, table_name, columns) as copy:
        for row in adapted:
            copy.write_row(row)
            count += 1
    return count


def copy_lines(conn: Connection, table_name: str, columns: Sequence[str], lines: Iterable[str]) -> int:
    """Append rows that are lines of COPY already, made with `as_line`, and return their number.

    Part of the transaction of `conn`. Several times faster than `copy_rows`, since it looks at nothing: raises
    SQLAlchemy's errors for what PostgreSQL refuses.
    """
    if together.is_together():
        return together.append(table_name, columns, map(_taken_apart, lines))
    count, left = 0, iter(lines)
    with _copying(conn, table_name, columns) as copy:
        while some := list(islice(left, _LINES)):
            copy.write("\n".join(some) + "\n")
            count += len(some)
    return count


_LINES = 1_000
"""So many lines are handed to the driver at once."""


@contextmanager
def _copying(conn: Connection, table_name: str, columns: Sequence[str]) -> Iterator[psycopg.Copy]:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table_name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except psycopg.Error as error:
        raise as_of_a_statement(conn, driver, f"COPY {table_name}", error) from error


def as_line(values: Iterable[Any]) -> str:
    """Return values as a line of COPY, or a part of one: parts are put together with tabs."""
    return "\t".join([_in_line(value) for value in values])


_AWKWARD = re.compile(r"[\\\t\n\r]")
_ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def _in_line(value: Any) -> str:
    if isinstance(value, str):
        return _AWKWARD.sub(lambda found: _ESCAPED[found[0]], value) if _AWKWARD.search(value) else value
    if value is None:
        return r"\N"
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, list | tuple):  # of numbers
        return "{" + ",".join(map(str, value)) + "}"
    return str(value)


_ESCAPES = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"t": "\t", "n": "\n", "r": "\r"}


def _taken_apart(line: str) -> list[str | None]:
    """The values of a line of COPY, as text of which the database knows what it means."""
    return [None if part == r"\N" else _meant(part) for part in line.split("\t")]


def _meant(part: str) -> str:
    return _ESCAPES.sub(lambda found: _MEANT.get(found[1], found[1]), part) if "\\" in part else part


@lru_cache(maxsize=10_000)
def _instant(at: datetime) -> str:
    return at.isoformat()


def _plain(value: object) -> str:
    if isinstance(value, date):  # datetimes are dates too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON.")


_ENCODER = json.JSONEncoder(default=_plain, ensure_ascii=False, allow_nan=False)
"""Made once: json.dumps would make a new one at each call."""


class JsonText(str):
    """Text that is JSON already, and is stored to the letter."""

    __slots__ = ()


def json_text(value: object) -> JsonText:
    """Return `value` as compact JSON for bulk work, instants as ISO 8601; raises TypeError for what JSON lacks.

    Several times faster than `to_json`. NaN, which JSON lacks as well, becomes null.
    """
    return JsonText(orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode())


def _adapter(table_name: str, column: str) -> Callable[[Any], object] | None:
    """Return the function that prepares one column's values for COPY; None when they go as they are."""
    from config.database import metadata  # at call time: config.database imports this module

    table = metadata.tables.get(table_name)
    kind = table.columns[column].type if table is not None else None
    where = f"{table_name}.{column}"
    if isinstance(kind, JSON):
        return partial(_json_value, where)
    if isinstance(kind, Integer | Boolean):
        return None
    return partial(_value, where)


def _json_value(where: str, value: Any) -> object:
    if value is None:
        return None
    return _checked(value if isinstance(value, JsonText) else to_json(value), "\\u0000", where)


def _value(where: str, value: Any) -> object:
    if isinstance(value, str):
        return _checked(value, "\0", where)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"{where}: {value!r} has no time zone.")
    if isinstance(value, dict):
        return _checked(to_json(value), "\\u0000", where)
    return value


def _checked(text: str, nul: str, where: str) -> str:
    if nul in text and (nul == "\0" or _holds_nul(json.loads(text))):
        raise ValueError(f"{where}: the text contains a NUL character, which cannot be stored.")
    return text


def _holds_nul(value: object) -> bool:
    return bool(without_nul(value) != value)

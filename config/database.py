"""The way to the database: engine, transactions, the type of an instant, and COPY.

Statements are SQLAlchemy Core on declarative tables; nobody commits outside `transaction`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import DateTime, Dialect, MetaData, Text, create_engine
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from config.checkout import verify
from config.copying import JsonText, as_line, copy_lines, copy_rows, json_text, to_json, without_nul

__all__ = [
    "Base",
    "Connection",
    "Engine",
    "JsonText",
    "TransactionNested",
    "UtcDateTime",
    "as_line",
    "asking",
    "copy_lines",
    "copy_rows",
    "driver_url",
    "json_text",
    "make_engine",
    "metadata",
    "reading",
    "to_json",
    "transaction",
    "without_nul",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SESSION_OPTIONS = {
    "timezone": "UTC",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "5min",
}

ALIVE = {
    "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,  # seconds, seconds, times
    "tcp_user_timeout": 60_000,  # milliseconds
}  # fmt: skip
"""A server that went without a word, as a machine does that lost its power, is noticed within a minute or so and not
after the two hours that the operating system would wait. For addresses on the network; sockets need none of it."""

_open_transaction: ContextVar[bool] = ContextVar("open_transaction", default=False)


class TransactionNested(RuntimeError):
    """A transaction is already open here; pass its connection on instead of opening another."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware going in (naive raises ValueError), aware in UTC coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC; raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; instants are stored aware.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored instant in UTC."""
        return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Parent of every table; a `datetime` column is an instant and a `str` column is text of any length."""

    metadata = metadata
    type_annotation_map = {datetime: UtcDateTime(), str: Text()}


def driver_url(url: str | URL) -> URL:
    """Return `url` for the psycopg 3 driver; raises ValueError when it is not a PostgreSQL address."""
    parsed = make_url(url)
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("Muster needs a PostgreSQL address, such as postgresql://user@host/muster.")
    if "@" in (parsed.host or ""):  # the rest of a password: looked up, it would be told in every error
        raise ValueError("In the password of a PostgreSQL address, write %40 for an @.")
    return parsed.set(drivername="postgresql+psycopg")


def make_engine(url: str | URL, *, pool_size: int = 5, alone: bool = False) -> Engine:
    """Return an engine for `url` with up to `2 * pool_size` connections, all in UTC with bounded waits.

    ``alone``: with one connection only; whoever needs a second one at the same time fails at once. Nothing is connected
    yet. Raises ValueError when `url` is not a PostgreSQL address.
    """
    target = driver_url(url)
    given = target.query.get("options", "")
    options = " ".join([f"-c {name}={value}" for name, value in SESSION_OPTIONS.items()])
    engine = create_engine(
        target,
        pool_size=1 if alone else pool_size,
        max_overflow=0 if alone else pool_size,
        pool_timeout=1 if alone else 30,
        hide_parameters=True,  # what people typed, and keys, stay out of what is said when a statement fails
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        connect_args={
            "options": f"{options} {given if isinstance(given, str) else ' '.join(given)}".strip(),
            "application_name": target.query.get("application_name", "muster"),
            "connect_timeout": 10,
            **{name: value for name, value in ALIVE.items() if name not in target.query},
        },
    )
    if not alone:
        verify(engine)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose work is committed at the end and rolled back when anything is raised.

    Raises TransactionNested inside another `transaction` of the same thread or task: one use case is one
    transaction, and the functions it calls take its connection.
    """
    if _open_transaction.get():
        raise TransactionNested
    mark = _open_transaction.set(True)
    try:
        with engine.begin() as conn:
            yield conn
    finally:
        _open_transaction.reset(mark)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that can only read; the database refuses any write on it.

    Raises TransactionNested inside a `transaction`, whose unwritten changes it could not see.
    """
    if _open_transaction.get():
        raise TransactionNested
    with engine.connect() as bare:
        options: dict[str, Any] = {"postgresql_readonly": True}
        conn = bare.execution_options(**options)
        with conn.begin():
            yield conn


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """Yield a connection for a question that is one statement: it begins and ends with it, without a word of its own.

    Nothing may be written on it. Raises TransactionNested inside a `transaction`, whose unwritten changes it could not
    see.
    """
    if _open_transaction.get():
        raise TransactionNested
    with engine.connect() as bare:
        yield bare.execution_options(isolation_level="AUTOCOMMIT")

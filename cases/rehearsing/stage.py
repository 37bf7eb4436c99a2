"""The stage of a rehearsal: one connection whose tables are temporary copies, on which the real code runs.

Three things keep what is real from being touched, each enough by itself. Names mean the copies, which come first on the
search path. Every transaction after the copying is read only, in which the database lets nothing but temporary tables
be written. And its engine connects once: when that connection is lost, the rehearsal ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from cases.environment import Environment
from cases.errors import CaseBusy, CaseError
from cases.rehearsing.copying import copy_all
from cases.writing import make_room
from config.database import Connection, Engine, make_engine
from state_machines.policy import Policy

AT_ONCE = 2
"""So many rehearsals may run at the same time: each costs about as much as the sweep and the delivery of a campaign."""
_FIRST_LOCK = 770_050
_NO_RIGHT = "42501"


class StageLost(RuntimeError):
    """The connection of a rehearsal was lost, and its copies with it; please start it again."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


class RehearsalsBusy(CaseBusy):
    """Other rehearsals are running at this very moment; please try again in a minute."""


class NoRoom(CaseError):
    """The database does not let Muster make temporary tables; its administrator can grant the right TEMP."""


@contextmanager
def stage(env: Environment, campaign_id: int, *, now: datetime) -> Iterator[Environment]:
    """Yield an environment in which this campaign can be run ahead; nothing real is written, whatever is done in it.

    Its clock stands at ``now``. Raises RehearsalsBusy when enough rehearsals are running already.
    """
    engine = make_engine(env.engine.url, alone=True)
    _connect_once(engine)
    _wait_for_nobody(engine)
    try:
        _set_up(engine, env, campaign_id, now)
        _read_only(engine)
        yield replace(env, engine=engine, policy=_never_asks(env.policy))
    finally:
        _leave_place(engine)
        engine.dispose()  # the copies vanish with the connection


def _never_asks(policy: Policy) -> Policy:
    """What happens here was wished for, and nobody is asked before it does."""
    return policy.model_copy(update={"breaker": policy.breaker.model_copy(update={"enabled": False})})


def _set_up(engine: Engine, env: Environment, campaign_id: int, now: datetime) -> None:
    midnight = env.calendar.at(env.calendar.local_date(now), time())
    with engine.begin() as conn:
        conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))  # all of it as of one instant
        _take_place(conn)
        conn.execute(text("SET SESSION search_path = pg_temp, public"))
        try:
            copy_all(conn, campaign_id, midnight=midnight, now=now)
        except ProgrammingError as bad:
            if getattr(bad.orig, "sqlstate", "") == _NO_RIGHT:
                raise NoRoom from None
            raise
        make_room(conn)


def _take_place(conn: Connection) -> None:
    """Take one of the places for rehearsals; the connection keeps it until it closes."""
    for place in range(AT_ONCE):
        if conn.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": _FIRST_LOCK + place}).scalar_one():
            return
    raise RehearsalsBusy


def _leave_place(engine: Engine) -> None:
    """Free the place at once: the database takes its time to notice that a connection was closed."""
    try:
        with engine.connect() as conn:
            conn.execute(text("SELECT pg_advisory_unlock_all()"))
    except (DBAPIError, StageLost):
        return  # the connection is gone, and its place with it


def _connect_once(engine: Engine) -> None:
    connected: list[Any] = []

    @event.listens_for(engine, "do_connect")
    def once(*_: Any) -> None:
        if connected:
            raise StageLost
        connected.append(True)


def _read_only(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql("SET TRANSACTION READ ONLY")


def _wait_for_nobody(engine: Engine) -> None:
    """Leave out the locks by which real deliveries take turns: nobody else can see these tables."""

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def without_turns(
        conn: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        return statement.replace("pg_advisory_xact_lock(", "abs("), parameters

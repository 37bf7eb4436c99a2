"""Moving an installation's database to another server, table by table, while nothing else may write.

The one that is left behind is marked and refuses writes, so that it does not go on by accident.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import sleep

from sqlalchemy import text

from cases import audit
from cases.copies import resting
from cases.copies.errors import NotMoved, NotRestored
from cases.copies.restoring import Schema, compare, loading
from cases.copies.taking import facts
from config import dumping
from config.clock import monotonic
from config.database import Connection, Engine

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved."""

    rows: int
    cases: int
    events: int


PATIENCE = 3.0
"""Seconds in which connections that were closed may end."""
_OTHERS = text("""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
""")


def move(
    source: Engine, target: Engine, schema: Schema, *, to: str, replace: bool = False,
    progress: Progress | None = None, now: datetime,
) -> Moved:  # fmt: skip
    """Copy a database into an empty one, compare the two, and leave the old one marked; ``now`` is the real instant.

    ``to`` is how the new address is told, without a password. ``replace``: the new one may be one that was moved away
    from before, and is emptied first. Raises NotMoved with the reason; the old one then goes on as before.
    """
    source.dispose()
    with source.connect() as old, target.connect() as new, old.begin():
        _require_alone(old)
        with new.begin():
            _make_room(new, replace)
            moved = _copied(old, new, schema, progress)
        _leave(old, to, now)
    return moved


def _make_room(new: Connection, replace: bool) -> None:
    if dumping.is_empty(new):
        return
    rest = resting.at_rest(new)
    if not replace or rest is None or rest.why != resting.MOVED:
        again = ", or say --replace: it was moved away from before." if rest and rest.why == resting.MOVED else "."
        raise NotMoved(f"the database there is not empty. Name one that is{again}")
    new.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def _others(old: Connection) -> int:
    """Return how many others are connected; those that have just gone are still seen for a moment."""
    until = monotonic() + PATIENCE
    while True:
        old.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        others = int(old.execute(_OTHERS).scalar_one())
        if not others or monotonic() > until:
            return others
        sleep(0.1)


def _require_alone(old: Connection) -> None:
    resting.require_here(old)
    others = _others(old)
    if others:
        raise NotMoved(
            f"{others} other connections use the database. Stop muster up on every machine (muster stop), and close "
            "whatever else looks into it."
        )
    names = ", ".join(f'"{table.name}"' for table in dumping.tables(old))
    old.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")  # whoever comes now waits, and finds it marked


def _copied(old: Connection, new: Connection, schema: Schema, progress: Progress | None) -> Moved:
    dumping.be_exact(old)
    dumping.be_exact(new)
    known = facts(old)
    if not schema.knows(known["revision"]):
        raise NotMoved("this database is of a newer Muster than this program.")
    schema.bring(new, known["revision"])
    ours = {table.name: table for table in dumping.tables(new)}
    counted: dict[str, int] = {}
    with loading(new, list(ours.values())):
        for table in (each for each in dumping.tables(old) if each.name in ours):
            dumping.copy_in(new, table.name, table.columns, dumping.copy_out(old, table))
            counted[table.name] = dumping.count(old, table.name)
            if progress is not None:
                progress(counted[table.name])
    try:
        compare(new, counted, known["record"])
    except NotRestored as bad:
        raise NotMoved(*bad.args) from None
    schema.bring(new, "head")
    if problems := len(audit.verify(new).problems):
        raise NotMoved(f"the record has {problems} problems (muster audit verify); look into them first.")
    return Moved(sum(counted.values()), known["record"]["cases"], known["record"]["events"])


def _leave(old: Connection, to: str, now: datetime) -> None:
    """Mark the old database, and have it refuse what others might still write."""
    resting.lay_to_rest(old, resting.MOVED, {"to": to}, now=now)
    resting.refuse_writes(old)

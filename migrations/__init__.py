"""Bringing a database to the schema of this version, with Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from config import roles
from config.database import Connection, Engine

HERE = Path(__file__).parent


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    return config


@cache
def head() -> str:
    """Return the newest revision; it cannot change while the program runs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None  # noqa: S101  there is always a first migration
    return found


def current(engine: Engine) -> str | None:
    """Return the revision a database is at, or None when it is empty."""
    with engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def knows(revision: str) -> bool:
    """Return whether there is such a revision; a database of a newer version has one that is not known."""
    return revision in {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}


def bring(conn: Connection, revision: str) -> None:
    """Bring the database of a connection to a revision, in its transaction and under a lock; ``head`` is the newest."""
    config = _config()
    conn.exec_driver_sql("SELECT pg_advisory_xact_lock(770017)")
    config.attributes["connection"] = conn
    command.upgrade(config, revision)
    if revision == "head":
        roles.renew(conn)


def upgrade(engine: Engine) -> list[str]:
    """Bring the database to the newest revision and return the revisions applied, first to last.

    One transaction, under a lock: two processes starting at once apply them once.
    """
    scripts = ScriptDirectory.from_config(_config())
    before = current(engine)
    with engine.begin() as conn:
        bring(conn, "head")
    applied = scripts.iterate_revisions(head(), before) if before != head() else ()
    return [step.revision for step in applied][::-1]

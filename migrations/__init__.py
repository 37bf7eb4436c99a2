"""Bringing a database to the schema of this version, with Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from config.database import Engine

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


def upgrade(engine: Engine) -> list[str]:
    """Bring the database to the newest revision and return the revisions applied, first to last.

    One transaction, under a lock: two processes starting at once apply them once.
    """
    scripts = ScriptDirectory.from_config(_config())
    before = current(engine)
    config = _config()
    with engine.begin() as conn:
        conn.exec_driver_sql("SELECT pg_advisory_xact_lock(770017)")
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    applied = scripts.iterate_revisions(head(), before) if before != head() else ()
    return [step.revision for step in applied][::-1]

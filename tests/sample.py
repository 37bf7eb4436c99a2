"""The organisation of the demo, loaded once for all tests that look at it: each of them has a copy of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

from sqlalchemy import text

import migrations
from cases import installation
from cases.demo import load_sample
from cases.environment import Environment, load_policy, working_calendar
from config import postgres, roles
from config.database import Engine, make_engine
from config.locks import locked
from config.settings import load_settings

NOW = datetime(2026, 6, 17, 14, 25, tzinfo=UTC)
"""When it is loaded: a Wednesday in summer time."""
TODAY_AT_NINE = datetime(2026, 6, 17, 8, 0, tzinfo=UTC)
"""Where its clock then stands."""
LOADED = "muster_sample"


def environment(engine: Engine, home: Path) -> Environment:
    """Return an installation on this database, whose mail goes nowhere."""
    url = engine.url.render_as_string(hide_password=False)
    settings = load_settings(
        {"MUSTER_HOME": str(home), "MUSTER_DATABASE_URL": url, "MUSTER_SMTP_URL": "smtp://127.0.0.1:1"}
    )
    policy = load_policy(settings)
    return Environment(engine, settings, policy, working_calendar(settings, policy))


@contextmanager
def sample_organisation(server: Path, home: Path) -> Iterator[Environment]:
    """Yield a copy of the loaded organisation, with a home of its own; the first who asks waits until it is loaded."""
    admin = make_engine(postgres.start(server, database="postgres"), pool_size=1)
    kept = server.parent / "sample-home"
    with locked(server.parent / "sample.lock"):
        if not kept.exists():
            _load(server, server.parent / "sample-loading")
            (server.parent / "sample-loading").rename(kept)
    copytree(kept, home, dirs_exist_ok=True)
    name = f"sample_{uuid.uuid4().hex}"
    _administer(admin, f"CREATE DATABASE {name} TEMPLATE {LOADED} STRATEGY file_copy")
    engine = make_engine(str(admin.url.set(database=name).render_as_string(hide_password=False)))
    yield environment(engine, home)
    engine.dispose()
    _administer(admin, f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


def _load(server: Path, home: Path) -> None:
    home.mkdir()
    engine = make_engine(postgres.start(server, database=LOADED))
    migrations.upgrade(engine)
    roles.prepare(engine)
    env = environment(engine, home)
    installation.initialise(engine, env.settings, sandbox=True, now=NOW)
    load_sample(env, now=NOW)
    engine.dispose()


def _administer(admin: Engine, statement: str) -> None:
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(statement))

"""Migrations make exactly the tables that the code knows, once, whoever starts them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

import migrations
from config.database import Engine, make_engine, metadata


@pytest.fixture
def empty(engine: Engine) -> Iterator[Engine]:
    """A database with nothing in it."""
    with engine.begin() as conn:
        conn.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    fresh = make_engine(engine.url)
    yield fresh
    fresh.dispose()


def test_a_migrated_database_is_what_the_tables_say(engine: Engine) -> None:
    for folder in ("config", "members", "notifications", "cases", "web"):
        import_module(f"{folder}.tables")
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), metadata) == []


def test_an_empty_database_is_brought_to_the_newest_revision_and_a_second_time_nothing_happens(empty: Engine) -> None:
    assert migrations.current(empty) is None
    assert migrations.upgrade(empty)[-1] == migrations.head()
    assert migrations.upgrade(empty) == []
    assert migrations.current(empty) == migrations.head()


def test_two_processes_that_migrate_at_once_do_it_once(empty: Engine) -> None:
    with ThreadPoolExecutor(3) as pool:
        applied = [done.result() for done in [pool.submit(migrations.upgrade, empty) for _ in range(3)]]
    assert migrations.current(empty) == migrations.head()
    assert any(applied)
    with empty.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1

"""The database moved to another server: everything is there, and the old one does not go on by accident."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from cases import audit, commands
from cases.copies import moving, resting
from cases.copies.errors import NotMoved
from cases.sweep import sweep_due
from config.clock import utc_now
from config.database import Engine, make_engine, transaction
from tests.cast import Cast
from tests.conftest import fresh_database
from tests.shell.cli_runner import Muster, muster_of
from tests.shell.test_backup import a_complaint, assert_guarded_and_usable, elsewhere, empty, organisation, rows

__all__ = ["organisation"]


def moved(source: Engine, target: Engine, **more: Any) -> moving.Moved:
    return moving.move(source, target, migrations, to="there", now=utc_now(), **more)


def test_everything_is_there_and_the_old_database_refuses_to_go_on(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast = organisation
    before = rows(cast.env.engine)
    with empty(database_admin) as engine:
        done = moved(cast.env.engine, engine)

        assert rows(engine) == before, "who is signed in stays so: it is the same installation"
        assert done.events == len(before["case_events"])
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        assert sweep_due(there).parked == 0
        with engine.connect() as conn:
            assert audit.verify(conn).ok
            assert resting.at_rest(conn) is None

        with pytest.raises(resting.AtRest, match=r"moved to there on .*MUSTER_DATABASE_URL"):
            sweep_due(cast.env)
        cast.env.engine.dispose()
        with pytest.raises(SQLAlchemyError, match="nothing is written here"):
            a_complaint(cast, "By accident")
        muster = muster_of(cast)
        for words in (["up"], ["sweep"], ["deliver"], ["cases", "list"]):
            assert "moved to there" in muster(*words, code=1).err


def test_it_can_be_moved_back_and_the_old_one_can_go_on_after_all(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast = organisation
    with empty(database_admin) as engine:
        moved(cast.env.engine, engine)
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        sweep_due(there)
        after = rows(engine)
        with pytest.raises(NotMoved, match="--replace"):
            moved(engine, cast.env.engine)
        moved(engine, cast.env.engine, replace=True)
        cast.env.engine.dispose()
        assert rows(cast.env.engine) == after
        assert_guarded_and_usable(cast)
        muster = Muster(engine.url.render_as_string(hide_password=False), tmp_path / "elsewhere")
        assert muster.json("db", "resume", "--yes")["resumed"]
        engine.dispose()
        assert sweep_due(there).parked == 0


def test_nothing_is_moved_while_somebody_is_connected_or_into_a_database_that_is_used(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast = organisation
    other = make_engine(cast.env.engine.url, pool_size=1)
    with empty(database_admin) as engine, other.connect() as conn:
        conn.execute(text("SELECT 1"))
        with pytest.raises(NotMoved, match=r"\d other connections"):
            moved(cast.env.engine, engine)
    other.dispose()
    with fresh_database(database_admin) as url:
        used = make_engine(url, pool_size=1)
        with pytest.raises(NotMoved, match="not empty"):
            moved(cast.env.engine, used)
        used.dispose()
    with cast.env.engine.connect() as conn:
        assert resting.at_rest(conn) is None
    assert sweep_due(cast.env).parked == 0
    commands.note(cast.env, "CO-2026-000001", "It goes on here", actor=cast.actor("Amara"))


def test_a_record_that_is_broken_is_not_moved(organisation: Cast, database_admin: Engine) -> None:
    with transaction(organisation.env.engine) as conn:
        conn.execute(text("ALTER TABLE case_events DISABLE TRIGGER USER"))
        conn.execute(text("UPDATE case_events SET actor = 'x' WHERE id = 2"))
    with empty(database_admin) as engine:
        with pytest.raises(NotMoved, match="problems"):
            moved(organisation.env.engine, engine)
        with engine.connect() as conn:
            assert conn.execute(text("SELECT to_regclass('cases')")).scalar() is None


def test_the_command_says_what_to_set_and_never_a_password(organisation: Cast, database_admin: Engine) -> None:
    cast = organisation
    muster = muster_of(cast)
    with empty(database_admin) as engine:
        cast.env.engine.dispose()
        engine.dispose()
        assert "already" in muster("db", "move", muster.url, code=1).err
        url = engine.url.set(password="hush").render_as_string(hide_password=False)
        told = muster("db", "move", url).out
    assert "set MUSTER_DATABASE_URL to postgresql://postgres:***@" in told
    assert "hush" not in told
    assert os.environ.get("MUSTER_DATABASE_URL") is None

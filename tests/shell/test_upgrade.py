"""An installation that is brought to this version in the middle of its work: from every revision there was, with cases
open in many states, clocks running, mail waiting and mail being sent. Nothing is lost, and everything goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

import migrations
from cases import audit, nightly, promises
from cases.delivering import deliver
from cases.repairing.repair import repaired
from cases.sweep import sweep_due
from config import dumping, roles
from config.database import Engine, make_engine, reading, transaction
from tests.cast import Cast, cast_of
from tests.conftest import fresh_database
from tests.core.test_processes_under_fire import dice
from tests.pages.conftest import as_role, sign_in
from tests.post import letterbox
from tests.shell.test_backup import empty
from tests.shell.test_promises_under_fire import Fire
from web.app import create_app

REVISIONS = [step.revision for step in ScriptDirectory.from_config(migrations._config()).walk_revisions()][::-1]
STEPS = 20
BEING_SENT = """
UPDATE messages SET state = 'sending', lease_by = 'gone', lease_until = now()
WHERE id IN (SELECT id FROM messages WHERE state = 'queued' ORDER BY id LIMIT 2)
"""
OLD_CASE = """
INSERT INTO cases (ref, process, process_version, state, version, owner_role, owner_id, subject, on_hold, received_at,
  opened_at, entered_at, due_at, clocks, last_seq, last_hash)
VALUES ('CO-2020-000001', 'complaint', 1, 'first_stage', 1, 'coordinator', 4, 'Old', false, now(), now(), now(), now(),
  '{"answer": {"anchor": "2020-01-01T00:00:00+00:00", "due": "2020-02-01T00:00:00+00:00"}}', 0, 'x')
"""


@pytest.fixture(scope="module")
def in_flight(database_admin: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """An organisation in the middle of its work; mail waits, and some was being sent when it was stopped."""
    home = tmp_path_factory.mktemp("in_flight")
    with fresh_database(database_admin) as url, letterbox() as box:
        engine = make_engine(url, pool_size=2)
        fire = Fire(cast_of(engine, home / "home", box.url))
        fire.open_everything(home)
        for place in range(STEPS):
            fire.step(dice(7, place))
        with transaction(engine) as conn:
            conn.execute(text(BEING_SENT))
        yield fire.cast
        engine.dispose()


def as_of(source: Engine, target: Engine, revision: str) -> list[dumping.Table]:
    """Fill an empty database as that version held it, and return its tables with the columns they had."""
    with source.connect() as old, old.begin(), target.connect() as new, new.begin():
        dumping.be_exact(old)
        dumping.be_exact(new)
        migrations.bring(new, revision)
        given = {table.name: table for table in dumping.tables(old)}
        then = [_then(table, given[table.name]) for table in dumping.tables(new) if table.name in given]
        dumping.clear(new, then)
        for table in then:
            dumping.copy_in(new, table.name, table.columns, dumping.copy_out(old, table))
        dumping.settle(new, then)
        return then


def _then(table: dumping.Table, given: dumping.Table) -> dumping.Table:
    return replace(table, columns=tuple(name for name in table.columns if name in given.columns))


def content(engine: Engine, tables: Sequence[dumping.Table]) -> dict[str, list[bytes]]:
    """Every row of these tables, as text, with these columns."""
    with engine.connect() as conn, conn.begin():
        dumping.be_exact(conn)
        return {t.name: sorted(b"".join(dumping.copy_out(conn, t)).splitlines()) for t in tables}


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_nothing_is_lost_and_everything_goes_on(
    in_flight: Cast, database_admin: Engine, tmp_path: Path, revision: str
) -> None:
    with empty(database_admin) as engine, letterbox() as box:
        then = as_of(in_flight.env.engine, engine, revision)
        before = content(in_flight.env.engine, then)
        assert len(before["cases"]) > 8 and len(before["messages"]) > 10
        assert migrations.upgrade(engine) == REVISIONS[REVISIONS.index(revision) + 1 :]
        assert content(engine, then) == before
        words = [dumping.Table("case_words", ("case_id", "seq", "words"))]
        assert content(engine, words) == content(in_flight.env.engine, words), "what is found by words is found"

        settings = in_flight.env.settings.model_copy(
            update={"smtp_url": type(in_flight.env.settings.smtp_url)(box.url)}
        )
        cast = Cast(replace(in_flight.env, engine=engine, settings=settings))
        assert_whole(cast)
        cast.go_to(a_working_morning(cast.env_now + timedelta(days=9)))
        assert sweep_due(cast.env).fired > 0
        assert deliver(cast.env).sent > 0 and box.mails
        assert cast.scalar("SELECT count(*) FROM messages WHERE state = 'sending'") == 0
        assert_whole(cast)
        if revision == REVISIONS[0]:
            assert_pages(cast)


def a_working_morning(after: datetime) -> datetime:
    """Return the next Tuesday at ten, when mail may leave."""
    day = after + timedelta(days=(1 - after.weekday()) % 7)
    return day.replace(hour=10, minute=0)


def assert_whole(cast: Cast) -> None:
    """Every promise is kept and every chain is whole."""
    with reading(cast.env.engine) as conn:
        found = promises.broken_promises(conn, cast.env, cast.env_now)
        assert [one for one in found if not one.warning] == []
        assert audit.verify(conn).ok


def assert_pages(cast: Cast) -> None:
    """The lists and every case can be opened."""
    with as_role(cast.env, roles.WEB) as env:
        desk = sign_in(create_app(env), cast, "Sol")
        refs = [row.ref for row in cast.rows("SELECT ref FROM cases ORDER BY id")]
        for path in ("/queue", "/cases", "/campaigns", "/calendar", "/inbox", *(f"/cases/{ref}" for ref in refs)):
            assert desk.get(path).status == 200, path


def test_a_case_whose_state_is_gone_after_an_upgrade_is_found_with_what_to_do(cast: Cast) -> None:
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql(OLD_CASE)
    found = {one.check: one for one in nightly.run_checks(cast.env, now=cast.env_now).findings}

    assert "first_stage" in found["unknown_state"].why
    assert "migration" in found["unknown_state"].advice
    assert [one.done for one in repaired(cast.env, [found["unknown_state"]], now=cast.env_now)] == [False]

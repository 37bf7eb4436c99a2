"""The roles of the database: what statements of a page may not do they cannot do, and all the work is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from cases import ledger
from cases.environment import Environment
from cases.inbox.taking import take
from cases.looking import store
from cases.sweep import sweep_due
from cli.database import initialised
from config import clock, postgres, roles
from config.database import Engine, make_engine, metadata, reading, transaction
from config.settings import load_settings
from tests.cast import MONDAY, Cast
from tests.core.incoming_samples import plain
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import as_role
from tests.shell.cli_runner import Muster
from workflows import jobs, supervisor

DENIED = "permission denied|must be (owner|superuser|member)|InsufficientPrivilege|permission to"
ALIKE = ("case_events", "event_personal", "evidence_files", "member_changes", "staff_changes", "response_answers",
         "questionnaires", "restricted_views")  # fmt: skip
"""What is added to and never changed."""
SECRETS = ("staff_passwords", "web_sessions", "password_links", "api_tokens", "oidc_identities", "idempotency_keys",
           "attempts", "drafts", "calendar_feeds")  # fmt: skip
"""What only the desk needs."""


NEVER = (
    "CREATE TABLE mine (n int)", "DROP TABLE cases", "ALTER TABLE cases ADD COLUMN n int", "CREATE SCHEMA mine",
    "ALTER TABLE case_events DISABLE TRIGGER ALL", "DROP TRIGGER case_events_append_only ON case_events",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE ROLE mine", "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres", "ALTER ROLE muster_web SUPERUSER", "SELECT rolpassword FROM pg_authid",
    "COPY cases TO PROGRAM 'cat'", "COPY cases FROM '/etc/passwd'", "SELECT pg_read_file('/etc/passwd')",
    "SET session_replication_role = replica", "LOCK TABLE case_events IN ACCESS EXCLUSIVE MODE",
    "UPDATE installation SET kind = 'production'", "DELETE FROM cases", "DELETE FROM messages", "DELETE FROM members",
    "SELECT lo_import('/etc/passwd')",
)  # fmt: skip


@pytest.fixture
def web(cast: Cast) -> Iterator[Environment]:
    """The installation as the desk enters it."""
    a_complaint(cast)
    with as_role(cast.env, roles.WEB) as env:
        yield env


def refused(env: Environment, statement: str) -> None:
    """Fail unless the database refuses a statement to who is asking."""
    with pytest.raises(DBAPIError, match=DENIED), transaction(env.engine) as conn:
        conn.execute(text(statement))


def test_no_statement_of_the_desk_rewrites_a_record(web: Environment) -> None:
    first = text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) AND attnum = 1")
    for table in ALIKE:
        with reading(web.engine) as conn:
            column = conn.execute(first, {"t": table}).scalar_one()
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            refused(web, statement)


def test_no_statement_of_the_desk_changes_what_the_database_is(cast: Cast, web: Environment) -> None:
    with transaction(cast.env.engine) as conn:
        conn.execute(text("REVOKE UPDATE ON installation FROM muster_web"))  # as in production
    for statement in NEVER:
        refused(web, statement)


def test_the_flows_read_no_secret_of_the_desk(cast: Cast) -> None:
    with as_role(cast.env, roles.WORKER) as env:
        for table in SECRETS:
            refused(env, f"SELECT * FROM {table}")


def test_in_production_the_desk_moves_no_clock_and_fires_nothing(engine: Engine) -> None:
    with engine.begin() as conn:
        given = [each for each in roles.statements(conn) if ' ON "installation"' in each or ' ON "sweeps"' in each]
    assert [each for each in given if "muster_web" in each] == [
        'GRANT SELECT ON "installation" TO "muster_web"', 'GRANT SELECT ON "sweeps" TO "muster_web"'
    ]  # fmt: skip


def test_of_every_table_it_is_decided_who_may_do_what(engine: Engine) -> None:
    with reading(engine) as conn:
        there = set(conn.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())
    assert set(metadata.tables) <= there
    assert there == set(roles.WEB.tables), "a table is new or gone: say in config/roles.py who may do what to it"
    assert there == set(roles.WORKER.tables) | {*SECRETS, "case_viewers", "saved_views", "view_pins"}


def test_the_flows_do_all_their_work_under_their_role(cast: Cast) -> None:
    ref = a_complaint(cast)
    cast.go_to(MONDAY + timedelta(days=30))
    with as_role(cast.env, roles.WORKER) as env:
        assert sweep_due(env).fired > 0
        assert jobs.delivered(env)["stopped"]  # there is no mail server, and that is said
        take(env, plain("zoe@example.org", f"About {ref}", "Still cold."), source="test")
        for number in range(2):  # the second time it is known where mail was read
            env.settings.spool.mkdir(parents=True, exist_ok=True)
            (env.settings.spool / f"{number}.eml").write_bytes(plain("zoe@example.org", f"About {ref}", str(number)))
            assert jobs.inbox_read(env)["read"] == 1
        done = jobs.run_missing(env)
        assert set(done) == set(ledger.JOBS)
        assert not done[ledger.CHECKS]["findings"]
    assert cast.scalar("SELECT count(*) FROM job_runs WHERE job = 'seal'") == 1
    assert cast.scalar("SELECT last_seq FROM cases WHERE ref = :r", r=ref) > 1


def test_the_flows_put_right_under_their_role_what_a_clock_that_was_ahead_has_left_behind(cast: Cast) -> None:
    ahead = clock.utc_now() + timedelta(days=3)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("INSERT INTO sweeps (started_at, finished_at, now, due, fired, parked, batches, milliseconds,"
                          " worker) VALUES (:at, :at, :at, 0, 0, 0, 0, 0, 'fast')"), {"at": ahead})  # fmt: skip
        conn.execute(
            text(
                "INSERT INTO job_runs (job, period, started_at, finished_at, attempts)"
                " VALUES (:job, '2099-01-01', :at, :at, 1)"
            ),
            {"job": ledger.CHECKS, "at": ahead},
        )
    with as_role(cast.env, roles.WORKER) as env:
        sweep_due(env)
    assert cast.scalar("SELECT count(*) FROM sweeps WHERE started_at > now() + interval '1 day'") == 0
    assert cast.scalar("SELECT count(*) FROM job_runs WHERE period = '2099-01-01'") == 0


def test_the_flows_forget_old_looks_and_no_others(cast: Cast) -> None:
    with transaction(cast.env.engine) as conn:
        conn.execute(text("INSERT INTO restricted_views (at, person, what, through, request) "
                          "VALUES (now(), 'staff:1', 'case', 'page', 'r')"))  # fmt: skip
    with as_role(cast.env, roles.WORKER) as env:
        assert store.forget_old(env.engine, now=clock.utc_now()) == 0
        with pytest.raises(DBAPIError, match="refused"), transaction(env.engine) as conn:
            conn.execute(text("DELETE FROM restricted_views"))


def test_our_own_database_has_the_roles_without_being_asked(tmp_path: Path) -> None:
    settings = load_settings({"MUSTER_HOME": str(tmp_path)})
    initialised(settings, sandbox=True)
    try:
        for role in roles.ROLES:
            engine = make_engine(roles.address(settings, role))
            with reading(engine) as conn:
                assert conn.execute(text("SELECT current_user")).scalar() == role.name
                assert conn.execute(text("SELECT kind FROM installation")).scalar() == "sandbox"
            engine.dispose()
    finally:
        postgres.stop_embedded(settings)


def test_a_database_of_somebody_elses_is_entered_as_they_say(tmp_path: Path, engine: Engine) -> None:
    def entered_as(role: roles.DatabaseRole, **given: str) -> str | None:
        settings = load_settings({"MUSTER_HOME": str(tmp_path), "MUSTER_DATABASE_URL": url("postgres"), **given})
        return make_url(roles.address(settings, role)).username

    def url(name: str) -> str:
        return engine.url.set(username=name).render_as_string(hide_password=False)

    assert entered_as(roles.WEB) == entered_as(roles.WORKER) == "postgres"
    assert entered_as(roles.WEB, MUSTER_WEB_DATABASE_URL=url("muster_web")) == "muster_web"
    assert entered_as(roles.WORKER, MUSTER_WEB_DATABASE_URL=url("muster_web")) == "postgres"
    assert entered_as(roles.WORKER, MUSTER_WORKER_DATABASE_URL=url("muster_worker")) == "muster_worker"


def test_each_part_is_told_its_own_address_and_no_other() -> None:
    env = {"MUSTER_DATABASE_URL": "owner", "MUSTER_WEB_DATABASE_URL": "web", "MUSTER_WORKER_DATABASE_URL": "worker"}
    assert dict(supervisor._entering(env, SecretStr("web"))) == {"MUSTER_DATABASE_URL": "web"}
    assert supervisor._entering(env, None) is env


def test_the_statements_can_be_read_before_they_are_carried_out(cast: Cast, engine_url: str) -> None:
    muster = Muster(engine_url, cast.env.settings.home)
    told = muster("db", "roles").out
    assert 'CREATE ROLE "muster_web" LOGIN NOSUPERUSER' in told and "PASSWORD" not in told
    assert 'GRANT SELECT, INSERT ON "case_events" TO "muster_web";' in told
    assert "may do what they need" in muster("db", "roles", "--apply").out

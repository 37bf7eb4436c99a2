"""The ground floor: settings, the clock, transactions and Muster's own PostgreSQL."""

import contextlib
import io
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from config import clock, postgres
from config import logging as logs
from config.database import (
    Engine,
    TransactionNested,
    UtcDateTime,
    copy_rows,
    driver_url,
    make_engine,
    metadata,
    reading,
    transaction,
    without_nul,
)
from config.settings import Settings, SettingsError, load_settings
from config.tables import Installation

LONDON = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REPOSITORY = Path(__file__).resolve().parents[2]


def settings(home: Path, **variables: str) -> Settings:
    given = {f"MUSTER_{name}": value for name, value in variables.items()}
    return load_settings({"MUSTER_HOME": str(home), **given})


def problems(home: Path, **variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(home, **variables)
    return caught.value.problems


def an_installation(engine: Engine, *, kind: str = "sandbox") -> None:
    row = {"id": 1, "kind": kind, "time_zone": "Europe/London", "created_at": MONDAY}
    with transaction(engine) as conn:
        conn.execute(insert(Installation), row)


# ------------------------------------------------------------------------------------------------- settings


def test_without_any_variable_muster_runs_on_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    found = load_settings({})

    assert found.home == tmp_path / ".muster"
    assert found.evidence == tmp_path / ".muster" / "evidence"
    assert (found.database_url, found.time_zone, found.calendar) == (None, "Europe/London", "EW")
    assert (found.smtp.host, found.smtp.port, found.smtp.tls) == ("127.0.0.1", 1025, "none")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 25, None, None, "none")),
        ("smtp://[::1]:2525", ("::1", 2525, None, None, "none")),
        ("smtp+starttls://u:p@mail.example.org", ("mail.example.org", 587, "u", "p", "starttls")),
        ("smtps://a%40b:p%2Fw@mail.example.org/", ("mail.example.org", 465, "a@b", "p/w", "implicit")),
    ],
)
def test_a_mail_server_is_one_address(tmp_path: Path, url: str, expected: tuple[object, ...]) -> None:
    smtp = settings(tmp_path, SMTP_URL=url).smtp
    password = smtp.password.get_secret_value() if smtp.password else None

    assert (smtp.host, smtp.port, smtp.user, password, smtp.tls) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "smtp://:25"),
        ("SMTP_URL", "smtp://user@host"),
        ("SMTP_URL", "smtp://host:99999"),
        ("SMTP_URL", "smtp://host/inbox"),
        ("DATABASE_URL", "mysql://localhost/muster"),
        ("DATABASE_URL", "nonsense"),
        ("BASE_URL", "muster.example.org"),
        ("BASE_URL", "https://u:p@muster.example.org"),
        ("BASE_URL", "http://[::1"),
        ("SECRET_KEY", "short"),
        ("POLICY", "nowhere.yaml"),
        ("TIME_ZONE", "London"),
        ("TIME_ZONE", "../etc"),
        ("CALENDAR", "FR"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@b\nBcc: c@d"),
        ("PREFECT_PORT", "0"),
        ("PREFECT_PORT", "soon"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_its_variable(tmp_path: Path, variable: str, value: str) -> None:
    (sentence,) = problems(tmp_path, **{variable: value})

    assert sentence.startswith(f"MUSTER_{variable} ")
    assert sentence.endswith(".")


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, CALENDAR="FR", TIME_ZONE="London", PREFECT_PORT="0", SMPT_URL="smtp://host")

    assert len(found) == 4
    assert "MUSTER_SMPT_URL is not a setting; did you mean MUSTER_SMTP_URL?" in found


def test_no_secret_is_shown_by_settings_or_by_their_errors(tmp_path: Path) -> None:
    good = settings(
        tmp_path,
        SECRET_KEY="hush-key-" * 5,
        SMTP_URL="smtps://u:hush-mail@host",
        DATABASE_URL="postgresql://u:hush-db@host/muster",
    )
    shown = [repr(good), str(good), repr(good.smtp), good.model_dump_json()]
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, SECRET_KEY="hush", SMTP_URL="smtp://u:hush@h:99999", DATABASE_URL="x://u:hush@h/d")
    shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]

    assert [line for line in shown if "hush" in line] == []


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: settings(tmp_path).secret_key.get_secret_value(), range(16)))

    assert len(keys) == 1
    assert len(keys.pop()) >= 43
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_a_new_home_is_for_its_owner_only(tmp_path: Path) -> None:
    settings(tmp_path / "home")

    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    (sentence,) = problems(tmp_path / "file" / "home")

    assert sentence.startswith("MUSTER_HOME must be a folder Muster can write to")


# ---------------------------------------------------------------------------------------------------- clock


def test_without_a_sandbox_the_real_clock_counts(engine: Engine) -> None:
    an_installation(engine, kind="production")
    with reading(engine) as conn:
        before, told, after = clock.utc_now(), clock.current(conn), clock.utc_now()

    assert before <= told <= after


def test_a_sandbox_stands_still_where_its_clock_was_set(engine: Engine) -> None:
    an_installation(engine)
    with transaction(engine) as conn:
        clock.set_sandbox(conn, MONDAY)

    with reading(engine) as conn:
        assert clock.current(conn) == clock.current(conn) == MONDAY


def test_a_sandbox_can_follow_the_real_clock_again(engine: Engine) -> None:
    an_installation(engine)
    with transaction(engine) as conn:
        clock.set_sandbox(conn, MONDAY)
        clock.set_sandbox(conn, None)

        assert clock.utc_now() - clock.current(conn) < timedelta(minutes=1)


@pytest.mark.parametrize("kind", ["production", None])
def test_the_clock_of_a_production_database_cannot_be_moved(engine: Engine, kind: str | None) -> None:
    if kind:
        an_installation(engine, kind=kind)

    with (
        pytest.raises(clock.ClockRefused, match=r"^This is a production database; its clock .* moved\.$"),
        transaction(engine) as conn,
    ):
        clock.set_sandbox(conn, MONDAY)


def test_not_even_a_statement_of_ones_own_moves_a_production_clock(engine: Engine) -> None:
    an_installation(engine, kind="production")

    with pytest.raises(DBAPIError, match="only_a_sandbox_stands_still"), transaction(engine) as conn:
        conn.execute(text("UPDATE installation SET clock_at = '2030-01-01'"))


@pytest.mark.parametrize(
    ("words", "instant"),
    [
        ("2026-03-02", datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
        ("2026-07-02", datetime(2026, 7, 2, 8, 0, tzinfo=UTC)),
        (" 2026-07-02T14:30 ", datetime(2026, 7, 2, 13, 30, tzinfo=UTC)),
        ("2026-07-02 14:30+02:00", datetime(2026, 7, 2, 12, 30, tzinfo=UTC)),
        ("2026-07-02T14:30Z", datetime(2026, 7, 2, 14, 30, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_the_organisations_zone(words: str, instant: datetime) -> None:
    assert clock.parse_instant(words, LONDON) == instant


@pytest.mark.parametrize("words", ["", "tomorrow", "2026-02-30", "02/03/2026", "2026-03-02T25", "0001-01-01"])
def test_what_is_not_an_instant_is_refused_with_a_sentence(words: str) -> None:
    with pytest.raises(ValueError, match="is not a date or time; write 2026-03-02"):
        clock.parse_instant(words, ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("7d", timedelta(days=7)),
        ("36h", timedelta(hours=36)),
        ("90m", timedelta(minutes=90)),
        ("2w", timedelta(days=14)),
        ("1D12H", timedelta(hours=36)),
        ("1w1d1h1m", timedelta(days=8, hours=1, minutes=1)),
    ],
)
def test_a_duration_is_read(words: str, length: timedelta) -> None:
    assert clock.parse_duration(words) == length


@pytest.mark.parametrize("words", ["", "7", "d", "-7d", "1h1d", "7 days", "1.5h", "0d", "999999w", "٣d"])
def test_what_is_not_a_duration_is_refused_with_a_sentence(words: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is not (a length of time|usable)"):
        clock.parse_duration(words)


@given(st.text(max_size=20))
def test_whatever_is_typed_as_time_gives_a_value_or_a_sentence(words: str) -> None:
    with contextlib.suppress(ValueError):
        assert clock.parse_duration(words) > timedelta(0)
    with contextlib.suppress(ValueError):
        assert clock.parse_instant(words, LONDON).tzinfo is UTC


# ------------------------------------------------------------------------------------------------- database


@pytest.fixture
def notes(engine: Engine) -> Iterator[Table]:
    """A table of this file's own."""
    columns: list[Column[Any]] = [
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime),
        Column("words", Text),
        Column("more", JSON),
    ]
    table = Table("notes", metadata, *columns)
    table.create(engine)
    yield table
    metadata.remove(table)


def stored(engine: Engine, table: Table) -> list[tuple[object, ...]]:
    with reading(engine) as conn:
        return [tuple(row) for row in conn.execute(select(table).order_by(table.c.id))]


def test_what_raises_inside_a_transaction_leaves_nothing_behind(engine: Engine, notes: Table) -> None:
    with pytest.raises(ZeroDivisionError), transaction(engine) as conn:
        conn.execute(insert(notes), {"id": 1})
        _ = 1 / 0

    assert stored(engine, notes) == []


def test_transactions_do_not_nest(engine: Engine) -> None:
    with transaction(engine):
        with pytest.raises(TransactionNested, match="already open"), transaction(engine):
            pass
        with pytest.raises(TransactionNested), reading(engine):
            pass
    with transaction(engine) as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1


def test_other_threads_have_transactions_of_their_own(engine: Engine) -> None:
    worked = threading.Event()

    def work() -> None:
        with transaction(engine) as conn:
            conn.execute(text("SELECT 1"))
        worked.set()

    with transaction(engine):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert worked.is_set()


def test_reading_cannot_write_and_does_not_taint_the_connection(engine: Engine, notes: Table) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"), reading(engine) as conn:
        conn.execute(insert(notes), {"id": 1})
    with transaction(engine) as conn:
        conn.execute(insert(notes), {"id": 2})

    assert len(stored(engine, notes)) == 1


def test_an_instant_comes_back_aware_in_utc_and_a_naive_one_is_refused(engine: Engine, notes: Table) -> None:
    with transaction(engine) as conn:
        conn.execute(insert(notes), {"id": 1, "at": MONDAY.astimezone(ZoneInfo("Asia/Tokyo"))})

    ((_, at, _, _),) = stored(engine, notes)
    assert isinstance(at, datetime)
    assert (at, at.tzinfo) == (MONDAY, UTC)
    with pytest.raises(StatementError, match="no time zone"), transaction(engine) as conn:
        conn.execute(insert(notes), {"id": 2, "at": MONDAY.replace(tzinfo=None)})


def test_nobody_waits_for_ever(engine: Engine) -> None:
    names = ["timezone", "lock_timeout", "idle_in_transaction_session_timeout"]
    with reading(engine) as conn:
        found = [conn.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    assert found == ["UTC", "10s", "5min"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_a_postgresql_address_is_understood(scheme: str) -> None:
    assert driver_url(f"{scheme}://u:p@h/d").drivername == "postgresql+psycopg"


def test_any_other_database_is_refused() -> None:
    with pytest.raises(ValueError, match="PostgreSQL address"):
        make_engine("sqlite://")


def test_copied_rows_read_as_inserted_ones_do(engine: Engine, notes: Table) -> None:
    rows: list[tuple[object, ...]] = [
        (1, MONDAY, "tab\tline\nback\\slash \\N é", {"a": [1, None, "é\n"], "at": MONDAY}),
        (2, None, None, None),
        (3, MONDAY, "", [1, 2]),
        (4, MONDAY, "\\u0000 spelt out", {"a": "\\u0000 spelt out"}),
    ]
    with transaction(engine) as conn:
        assert copy_rows(conn, "notes", ["id", "at", "words", "more"], rows) == 4

    expected = list(rows)
    expected[0] = (*rows[0][:3], {"a": [1, None, "é\n"], "at": MONDAY.isoformat()})
    assert stored(engine, notes) == expected


@pytest.mark.parametrize(
    "row",
    [
        (1, MONDAY, "a\0b", None),
        (1, MONDAY, "a", {"x": ["a\0b"]}),
        (1, MONDAY, "a", {"a\0": 1}),
        (1, MONDAY.replace(tzinfo=None), "a", None),
        (1, MONDAY, "a", {"x": float("nan")}),
        (1, MONDAY, "a"),
    ],
    ids=["nul in text", "nul in json", "nul in a key", "naive", "not a number", "too short"],
)
def test_a_row_that_cannot_be_stored_stops_the_copy_and_stores_none(
    engine: Engine, notes: Table, row: tuple[object, ...]
) -> None:
    with pytest.raises(ValueError), transaction(engine) as conn:
        copy_rows(conn, "notes", ["id", "at", "words", "more"], [(9, MONDAY, "good", None), row])

    assert stored(engine, notes) == []


def test_text_from_outside_loses_its_nul_characters_wherever_they_are() -> None:
    assert without_nul({"a\0": ["b\0", ("c\0", 1)]}) == {"a\ufffd": ["b\ufffd", ("c\ufffd", 1)]}


def test_constraints_have_names_that_migrations_can_use() -> None:
    names = {str(constraint.name) for constraint in metadata.tables["installation"].constraints}

    assert {"pk_installation", "ck_installation_single_row", "ck_installation_known_kind"} <= names


# ------------------------------------------------------------------------------------------------- postgres


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a space in its name, whose own server is stopped afterwards."""
    folder = tmp_path / "Muster home"
    yield folder
    postgres.stop(folder / "postgres")


ASK = """
import sys
from sqlalchemy import text
from config.database import make_engine, reading
from config.postgres import database_url
from config.settings import load_settings
engine = make_engine(database_url(load_settings({"MUSTER_HOME": sys.argv[1]})))
with reading(engine) as conn:
    print(conn.execute(text("SELECT pg_postmaster_start_time()")).scalar_one())
engine.dispose()
"""


def ask(home: Path) -> subprocess.Popen[str]:
    """Start a process that attaches to the server of `home` and prints when that server started."""
    command = [sys.executable, "-W", "error", "-c", ASK, str(home)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def answer(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err == ""
    return out.strip()


def test_processes_that_start_at_once_share_one_server_which_outlives_them(home: Path) -> None:
    together = [ask(home) for _ in range(3)]
    started = {answer(process) for process in together}

    assert len(started) == 1
    assert answer(ask(home)) == started.pop()


def test_the_server_is_stopped_when_asked_and_comes_back_with_its_data(home: Path) -> None:
    own = settings(home)
    first = make_engine(postgres.database_url(own))
    with transaction(first) as conn:
        conn.execute(text("CREATE TABLE kept AS SELECT 'é' AS word"))
    first.dispose()

    assert postgres.stop_embedded(own) is True
    assert postgres.stop_embedded(own) is False

    engine = make_engine(postgres.database_url(own))
    with reading(engine) as conn:
        found = conn.execute(
            text("SELECT word, upper(word), getdatabaseencoding(), current_database() FROM kept")
        ).one()
    engine.dispose()
    assert tuple(found) == ("é", "É", "UTF8", "muster")


def test_the_server_comes_back_after_it_was_killed(home: Path) -> None:
    own = settings(home)
    engine = make_engine(postgres.database_url(own))
    with transaction(engine) as conn:
        conn.execute(text("CREATE TABLE kept AS SELECT 1 AS one"))
    held = engine.connect()  # a backend that is alive when its postmaster dies
    os.kill(int((home / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    again = make_engine(postgres.database_url(own))

    with reading(again) as conn:
        assert conn.execute(text("SELECT one FROM kept")).scalar_one() == 1
    held.invalidate()
    held.close()
    with reading(engine) as conn:  # the first engine notices, too
        assert conn.execute(text("SELECT one FROM kept")).scalar_one() == 1
    engine.dispose()
    again.dispose()


def test_a_stranger_with_the_number_of_the_dead_server_is_not_taken_for_it(home: Path) -> None:
    own = settings(home)
    postgres.database_url(own)
    pid_file = home / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    postgres.stop_embedded(own)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    engine = make_engine(postgres.database_url(own))

    with reading(engine) as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()
    assert psutil.pid_exists(os.getpid())


def test_a_data_folder_that_was_left_half_made_is_made_again(home: Path) -> None:
    data = home / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    (home / "postgres.unfinished").touch()

    engine = make_engine(postgres.database_url(settings(home)))

    with reading(engine) as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


def test_a_home_too_deep_for_a_socket_works_and_keeps_its_socket_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / ("deep" * 20) / ("deeper" * 20)
    try:
        url = driver_url(postgres.database_url(settings(home)))
        engine = make_engine(url)
        with reading(engine) as conn:
            assert conn.execute(text("SELECT 1")).scalar_one() == 1
        engine.dispose()
        folder = Path(str(url.query["host"]))
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # another process may have another TMPDIR
        assert driver_url(postgres.database_url(settings(home))) == url
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / ".s.PGSQL.5432").stat().st_mode) == 0o700
    finally:
        postgres.stop(home / "postgres")
    assert not folder.exists()


def test_a_server_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    own = settings(tmp_path, DATABASE_URL="postgres://u:p%40ss@db.example.org/muster?sslmode=require")

    assert postgres.database_url(own) == "postgresql+psycopg://u:p%40ss@db.example.org/muster?sslmode=require"
    assert not (tmp_path / "postgres").exists()


# ------------------------------------------------------------------------------------------------------ logs


def logged(message: str, *, as_json: bool, **extra: object) -> str:
    stream = io.StringIO()
    record = logging.LogRecord("cases.sweep", logging.INFO, __file__, 1, message, (), None)
    record.__dict__.update(extra)
    stream.write(logs.OneLine(as_json=as_json).format(record))
    return stream.getvalue()


def test_a_log_line_is_one_line_with_its_case_actor_and_run() -> None:
    line = logged("fired\n2 rungs", as_json=False, case_ref="CMP-7", actor="system", run="r1")

    assert "\n" not in line
    assert line.endswith('level=INFO logger=cases.sweep message="fired\\n2 rungs" case_ref=CMP-7 actor=system run=r1')


def test_a_log_line_can_be_json() -> None:
    assert json.loads(logged("fired", as_json=True, case_ref="CMP-7"))["case_ref"] == "CMP-7"


@pytest.mark.parametrize("as_json", [True, False])
def test_no_password_and_no_mail_address_reaches_the_log(as_json: bool) -> None:
    words = "postgresql://muster:hu/sh@db/muster smtp://:hush@h for Amara.hush+x@example.org"
    line = logged(words, as_json=as_json)

    assert "hush" not in line
    assert "hu/sh" not in line
    assert "example.org" in line


def test_the_metadata_of_these_tests_is_left_as_it_was() -> None:
    assert isinstance(metadata, MetaData)
    assert "notes" not in metadata.tables

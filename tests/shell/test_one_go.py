"""What is few is sent to the database in one go, and a connection is looked at before it is used again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import sleep
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from cases import store
from cases.commands import plain_change
from cases.environment import world
from cases.errors import CaseChanged
from cases.locking import lock_ref
from config import checkout
from config.clock import monotonic
from config.database import Connection, Engine, as_line, asking, copy_lines, json_text, make_engine, transaction
from config.together import run, together
from tests.cast import MONDAY, Cast
from tests.pages.case_cast import a_complaint

AWKWARD = ["plain", "tab\tline\nreturn\rend", "back\\slash", "\\N", "\\t", "", None, "é 漢 %s %(a)s", "a\\\\nb"]
TABLE = (
    "CREATE TEMP TABLE {} (id int PRIMARY KEY, words text, said json, at timestamptz, ids bigint[], yes bool) "
    "ON COMMIT DROP"
)
COLUMNS = ("id", "words", "said", "at", "ids", "yes")


def lines() -> list[str]:
    return [
        as_line((n, words, json_text({"b": words, "a": n}), MONDAY, (n, 2), n % 2 == 0))
        for n, words in enumerate(AWKWARD * 2)
    ]


def test_lines_sent_in_one_go_are_stored_to_the_letter_as_copied_ones_are(engine: Engine) -> None:
    with transaction(engine) as conn:
        for name in ("copied", "sent"):
            conn.execute(text(TABLE.format(name)))
        assert copy_lines(conn, "copied", COLUMNS, lines()) == len(lines())
        with together(conn):
            assert copy_lines(conn, "sent", COLUMNS, lines()) == len(lines())
        found = {
            name: conn.execute(text(f"SELECT id, words, said::text, at, ids, yes FROM {name} ORDER BY id")).all()
            for name in ("copied", "sent")
        }

    assert [row.words for row in found["sent"]] == AWKWARD * 2
    assert json.loads(found["sent"][1].said)["b"] == AWKWARD[1]
    assert found["sent"] == found["copied"]


def test_what_is_refused_of_what_was_sent_in_one_go_undoes_all_of_it(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction(cast.env.engine) as conn, together(conn):
        run(conn, "INSERT INTO teams (name, covers) VALUES (%s, '[]')", ("Isles",))
        run(conn, "INSERT INTO teams (name, covers) VALUES (%s, '[]')", ("Isles",))

    assert cast.scalar("SELECT count(*) FROM teams WHERE name = 'Isles'") == 0


def test_nothing_is_sent_of_what_was_not_finished(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError), transaction(cast.env.engine) as conn, together(conn):
        run(conn, "INSERT INTO teams (name, covers) VALUES (%s, '[]')", ("Isles",))
        raise ZeroDivisionError

    assert cast.scalar("SELECT count(*) FROM teams WHERE name = 'Isles'") == 0


def test_a_case_that_changed_since_it_was_read_is_told_so_although_its_event_is_there_as_well(cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = cast.actor("Amara")

    def twice(conn: Connection) -> None:
        here = world(conn, cast.env, MONDAY)
        locked = lock_ref(conn, ref)
        assert locked is not None
        change = plain_change(locked, locked.case, "note", {}, {"text": "once"}, actor=amara, now=MONDAY)
        store.apply(conn, [change], here)
        store.apply(conn, [change], here)

    with pytest.raises(CaseChanged), transaction(cast.env.engine) as conn:
        twice(conn)

    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'note'") == 0


# -------------------------------------------------------------------------------------- connections that are kept


@pytest.fixture
def kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, list[str]]]:
    """An engine with one connection that was used a moment ago, and what is said on it from now on."""
    other = make_engine(engine.url, pool_size=1)
    said: list[str] = []
    really = other.dialect.do_ping

    def ping(driver: Any) -> bool:
        said.append("are you there?")
        return really(driver)

    monkeypatch.setattr(other.dialect, "do_ping", ping)
    try:
        pid(other)
        yield other, said
    finally:
        other.dispose()


def pid(engine: Engine) -> int:
    with engine.connect() as conn:
        return int(conn.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_connection_used_a_moment_ago_is_used_again_without_a_question(kept: tuple[Engine, list[str]]) -> None:
    engine, said = kept

    assert pid(engine) == pid(engine)
    assert said == []


def test_a_connection_nobody_used_for_long_is_asked_first(
    kept: tuple[Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, said = kept
    monkeypatch.setattr(checkout, "IDLE", 0.0)

    assert pid(engine) == pid(engine)
    assert said == ["are you there?"] * 2


def test_a_connection_that_was_ended_a_moment_ago_is_replaced_and_nobody_is_told(
    kept: tuple[Engine, list[str]], engine: Engine
) -> None:
    mine, _ = kept
    before = pid(mine)
    with engine.connect() as conn:
        conn.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
    ends = monotonic() + 60
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        while conn.execute(text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"), {"pid": before}).scalar():
            assert monotonic() < ends, "it does not end"
            sleep(0.005)

    assert pid(mine) != before


def test_a_question_of_one_statement_is_no_transaction_and_leaves_the_connection_as_it_was(engine: Engine) -> None:
    begun: list[str] = []
    event.listen(engine, "commit", lambda conn: begun.append("commit"))
    with asking(engine) as conn:
        assert conn.execute(text("SELECT pg_current_xact_id_if_assigned() IS NULL")).scalar()
        assert conn.connection.driver_connection is not None
        assert conn.connection.driver_connection.info.transaction_status.name == "IDLE"
    assert begun == []
    with transaction(engine) as conn:
        conn.execute(text("SELECT 1"))
        assert conn.connection.driver_connection is not None
        assert conn.connection.driver_connection.info.transaction_status.name == "INTRANS"

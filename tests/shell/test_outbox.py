"""Putting messages into the outbox, and asking about it."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from config.clock import monotonic
from config.database import Engine, copy_rows, reading, transaction
from notifications import outbox, queries
from notifications.catalogue import UnknownKind
from notifications.tables import MessageRow
from notifications.values import NewMessage

NOW = datetime(2026, 4, 13, 10, 0, tzinfo=UTC)


def new(key: str, **changes: Any) -> NewMessage:
    """A message with boring values."""
    return NewMessage(
        **{"key": key, "kind": "case_overdue", "audience": "owner", "case_id": 1, "event_seq": 1, **changes}
    )


def enqueue(engine: Engine, messages: Iterable[NewMessage]) -> int:
    """Queue in a transaction of its own."""
    with transaction(engine) as conn:
        return outbox.enqueue(conn, list(messages), now=NOW)


def test_a_queued_message_keeps_what_it_was_asked_with(engine: Engine) -> None:
    later = NOW + timedelta(days=1)
    asked = new(
        "a", data={"name": "Wētā", "days": 3, "on": later.date()}, clock="answer", not_before=later, member_id=7
    )
    enqueue(engine, [asked])

    with reading(engine) as conn:
        [row] = queries.messages_of(conn, 1)
    assert (row.key, row.state, row.purpose, row.clock, row.member_id) == ("a", "queued", "internal", "answer", 7)
    assert row.data == {"name": "Wētā", "days": 3, "on": "2026-04-14"}
    assert (row.not_before, row.created_at, row.attempts) == (later, NOW, 0)


def test_the_same_fact_asks_only_once(engine: Engine) -> None:
    assert enqueue(engine, [new("a"), new("b"), new("a")]) == 2
    assert enqueue(engine, [new("b"), new("c")]) == 1

    with reading(engine) as conn:
        assert queries.counts(conn)["queued"] == 3


def test_two_thousand_messages_are_one_quick_statement(engine: Engine) -> None:
    messages = [new(f"k{n}", case_id=n, data={"text": "Ünïcödé 'quoted' \"twice\" \\ and so on"}) for n in range(2_000)]

    started = monotonic()
    added = enqueue(engine, messages)

    assert added == 2_000
    assert monotonic() - started < 2
    assert enqueue(engine, messages) == 0


def test_nothing_to_queue_is_no_statement_at_all(engine: Engine) -> None:
    assert enqueue(engine, []) == 0


def test_a_kind_that_nobody_defined_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownKind, match="no_such_kind"):
        enqueue(engine, [new("a", kind="no_such_kind")])


def test_rows_can_be_copied_where_the_keys_are_known_to_be_new(engine: Engine) -> None:
    with transaction(engine) as conn:
        copy_rows(conn, "messages", outbox.COLUMNS, outbox.rows_for([new("a"), new("b")], now=NOW))

    with reading(engine) as conn:
        assert queries.counts(conn)["queued"] == 2


def test_the_same_fact_told_by_two_at_once_asks_only_once(engine: Engine) -> None:
    messages = [new(f"k{n}") for n in range(300)]
    added: list[int] = []
    threads = [threading.Thread(target=lambda: added.append(enqueue(engine, messages))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(added) == 300


def test_the_list_is_paged_with_the_newest_first_and_says_how_many_there_are(engine: Engine) -> None:
    enqueue(engine, [new(f"k{n}", case_id=n % 2) for n in range(5)])

    with reading(engine) as conn:
        rows, total = queries.messages(conn, limit=2, offset=1)
        assert [row.key for row in rows] == ["k3", "k2"]
        assert total == 5
        assert queries.messages(conn, case_id=1)[1] == 2
        assert queries.messages(conn, state="sent") == ([], 0)
        assert queries.message(conn, rows[0].id).key == "k3"  # type: ignore[union-attr]
        assert queries.message(conn, 0) is None


def test_the_message_that_waits_longest_can_be_seen(engine: Engine) -> None:
    with reading(engine) as conn:
        assert queries.oldest_queued(conn) is None
    enqueue(engine, [new("late", not_before=NOW + timedelta(days=2)), new("soon", not_before=NOW - timedelta(hours=2))])

    with reading(engine) as conn:
        assert queries.oldest_queued(conn) == NOW - timedelta(hours=2)


def test_failed_messages_can_be_tried_again_and_others_cannot(engine: Engine) -> None:
    enqueue(engine, [new("a"), new("b")])
    with transaction(engine) as conn:
        failed = {"state": "failed", "reason": "template", "attempts": 8, "decided_at": NOW}
        conn.execute(update(MessageRow).where(MessageRow.key == "a").values(failed))
        assert queries.reasons(conn, since=NOW) == {("failed", "template"): 1}
        ids = [row.id for row in queries.messages(conn)[0]]
        assert outbox.requeue(conn, ids, now=NOW) == 1
        assert queries.counts(conn) == {"queued": 2, "sending": 0, "sent": 0, "suppressed": 0, "failed": 0}


def test_disposing_of_a_case_takes_its_messages_along(engine: Engine) -> None:
    enqueue(engine, [new("a", case_id=1), new("b", case_id=2)])

    with transaction(engine) as conn:
        assert outbox.forget_case(conn, 1) == 1
        assert queries.counts(conn)["queued"] == 1

"""The sweep beside raw SQL doing the same writes. One run, one database, the same cases.

The floor is one hand-written statement per batch (case, event with its hash, message): what a person writes who knows
the answer beforehand. Both take turns over two rungs of the ladder, so that the moods of the machine are shared; what
is compared is the ratio. Beside it: cases of which no two are alike, so that each is decided by itself; one transaction
per case; and what a sweep spends its time on.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, text

from bench.organisation import go_to, organisation, responses, tidy
from cases.environment import Environment
from cases.sweep import sweep_batches, sweep_due
from config.clock import monotonic
from config.database import transaction

BATCH = 2000
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS = {1_000_000: 1}
"""How often Muster and raw SQL take turns; twice for what is not named."""
RAW = text("""
WITH due AS (
  SELECT id, member_id, last_seq, last_hash FROM cases WHERE due_at <= :now ORDER BY due_at, id LIMIT :batch
  FOR UPDATE SKIP LOCKED
), made AS (
  SELECT *, last_seq + 1 AS seq, encode(sha256(convert_to(concat_ws(chr(31), last_hash, id::text, (last_seq + 1)::text,
    CAST(:stamp AS text), 'system:sweep', 'system', '', 'transition', 'remind', 'invited', 'invited',
    id || ':respond:' || CAST(:rung AS text), '1', CAST(:policy AS text), CAST(:details AS text), ''), 'UTF8')),
    'hex') AS hash FROM due
), events AS (
  INSERT INTO case_events (case_id, seq, at, actor, role, kind, trigger, source, target, occurrence, process_version,
    policy_version, details, prev_hash, hash)
  SELECT id, seq, :now, 'system:sweep', 'system', 'transition', 'remind', 'invited', 'invited',
    id || ':respond:' || CAST(:rung AS text), 1, :policy, CAST(:details AS json), last_hash, hash FROM made
), mails AS (
  INSERT INTO messages (key, case_id, event_seq, kind, audience, purpose, data, clock, member_id, not_before,
    created_at)
  SELECT id || ':respond:' || CAST(:rung AS text) || ':0:survey_reminder:member', id, seq, 'survey_reminder',
    'member', 'service',
    '{}',
    'respond', member_id, :now, :now FROM made ON CONFLICT (key) DO NOTHING
)
UPDATE cases AS c SET version = c.version + 1, due_at = :next, last_seq = made.seq, last_hash = made.hash,
  data = c.data || jsonb_build_object('last_written', CAST(:day AS text), 'reminders', 2),
  clocks = jsonb_set(jsonb_set(c.clocks, '{respond,fired}',
    coalesce(c.clocks #> '{respond,fired}', '[]') || to_jsonb(CAST(:rung AS text))), '{respond,next}',
    to_jsonb(CAST(:stamp AS text)))
FROM made WHERE c.id = made.id
""")


def raw_sweep(env: Environment, now: datetime, following: datetime) -> int:
    """Do by hand what the sweep writes for these cases; return how many."""
    done = 0
    values = {
        "now": now, "next": following, "batch": BATCH, "stamp": now.isoformat(),
        "rung": f"raw_{now:%Y%m%d}", "policy": "2026.1",
        "day": now.date().isoformat(),
        "details": '{"data": {"last_written": "2026-03-23", "reminders": 2}, "guards": {"not_written_to_today": true}, '
                   '"clock": "respond", "rung": "second_reminder", "rung_at": "2026-03-23T09:00:00+00:00"}',
    }  # fmt: skip
    while True:
        with transaction(env.engine) as conn:
            count = conn.execute(RAW, values).rowcount
        done += count
        if count < BATCH:
            return done


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """Return how many were done and in how many seconds."""
    began = monotonic()
    count = work()
    return count, monotonic() - began


def statements(env: Environment, work: Callable[[], Any]) -> int:
    """Return how many statements a piece of work sends."""
    seen: list[str] = []

    def listener(*given: Any) -> None:
        seen.append(str(given[2]))

    event.listen(env.engine, "before_cursor_execute", listener)
    work()
    event.remove(env.engine, "before_cursor_execute", listener)
    return len(seen)


Result = dict[str, Any]


def measure(*sizes: int) -> dict[str, list[Result]]:
    """Return cases per second beside one statement of raw SQL a batch, and where the time of one thread goes."""
    found = [_measured("in batches", size) for size in sizes or SIZES]
    rest = [_measured("no two cases alike", 10_000, alike=False), _one_by_one()]
    parts = {title: shares(alike=alike) for title, alike in (("alike", True), ("no_two_alike", False))}
    few, many = (_statements_at(size) for size in (200, 2000))
    return {
        "sweep": [*found, *rest],
        "shares": [{"name": name, **{title: f"{share.get(name, 0):.0%}" for title, share in parts.items()}}
                   for name in parts["alike"]],
        "statements": [{"size": 200, "statements": few}, {"size": 2000, "statements": many}],
    }  # fmt: skip


def _measured(name: str, size: int, *, alike: bool = True) -> Result:
    with organisation() as env:
        responses(env, size)
        if not alike:
            _told_apart(env)
        ours = floor = 0.0
        rounds = ROUNDS.get(size, 2)
        for _ in range(rounds):
            now = _next_rung(env) + timedelta(minutes=1)
            go_to(env, now)
            tidy(env)
            ours += _all(size, lambda: sweep_due(env, batch=BATCH).due)
            tidy(env)
            later = _next_rung(env)
            floor += _all(size, lambda: raw_sweep(env, later, later + timedelta(seconds=1)))  # noqa: B023  called at once
    return _result(name, size, rounds * size / ours, rounds * size / floor)


def _result(name: str, size: int, rate: float, floor: float) -> Result:
    return {"name": name, "size": size, "rate": rate, "floor": floor, "ratio": rate / floor, "us": 1e6 / rate}


def _all(size: int, work: Callable[[], int]) -> float:
    count, seconds = timed(work)
    assert count == size, (count, size)
    return seconds


def _next_rung(env: Environment) -> datetime:
    with env.engine.connect() as conn:
        found: datetime = conn.execute(text("SELECT min(due_at) FROM cases")).scalar_one()
    return found


def _told_apart(env: Environment) -> None:
    """Give every case a fact of its own, so that none is decided along with another."""
    with transaction(env.engine) as conn:
        conn.execute(text("UPDATE cases SET data = data || jsonb_build_object('external', id)"))


def _one_by_one(size: int = 1_000) -> Result:
    with organisation() as env:
        responses(env, size)
        now = _next_rung(env) + timedelta(minutes=1)
        go_to(env, now)
        ours = _all(size, lambda: sweep_batches(env, now, 1).due)
        tidy(env)
        later = _next_rung(env)
        floor = _all(size, lambda: raw_sweep(env, later, later + timedelta(seconds=1)))
    return _result("one transaction per case", size, size / ours, size / floor)


# ------------------------------------------------------------------------------------------ what takes the time

PARTS = (
    ("waiting for PostgreSQL", ("psycopg/connection.py", "psycopg/generators.py")),
    ("deciding", ("state_machines/", "/transitions/", "cases/facts.py", "cases/owners.py")),
    ("writing it out: events, hashes, messages", ("cases/lines.py", "cases/writing.py", "notifications/outbox.py",
                                                  "config/copying.py", "cases/rows.py")),
    ("reading cases", ("cases/locking.py", "psycopg/", "sqlalchemy/")),
)  # fmt: skip
"""Whose code is running: the innermost frame that belongs to one of these."""


def shares(size: int = 20_000, *, alike: bool = True) -> dict[str, float]:
    """Return which share of a sweep of one thread goes where, by looking a thousand times a second."""
    with organisation() as env:
        responses(env, size)
        if not alike:
            _told_apart(env)
        now = _next_rung(env) + timedelta(minutes=1)
        go_to(env, now)
        tidy(env)
        seen = _looked_at(lambda: sweep_batches(env, now, BATCH))
    return {name: count / seen.total() for name, count in seen.most_common()}


def _looked_at(work: Callable[[], Any]) -> Counter[str]:
    seen: Counter[str] = Counter()
    done, me = threading.Event(), threading.get_ident()

    def look() -> None:
        while not done.wait(0.001):
            seen[_part(sys._current_frames()[me])] += 1

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return seen


def _part(frame: Any) -> str:
    while frame is not None:
        for name, places in PARTS:
            if any(place in frame.f_code.co_filename for place in places):
                return name
        frame = frame.f_back
    return "the rest: counting, grouping"


def _statements_at(size: int) -> int:
    with organisation() as env:
        responses(env, size)
        now = _next_rung(env) + timedelta(minutes=1)
        go_to(env, now)
        return statements(env, lambda: sweep_batches(env, now, size + 1))

"""The sweep beside raw SQL doing the same writes, and beside one transaction per case. One run, one database.

The same cases are swept three times, at three rungs of their ladder: by Muster, by one hand-written statement per batch
(case, event with its hash, message: what a person who knows the answer beforehand would write), and by Muster one case
at a time. What is compared is the ratio; the absolute numbers belong to the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import event, text

from bench.organisation import LAUNCH, go_to, organisation, responses
from cases.environment import Environment
from cases.sweep import sweep_due
from config.clock import monotonic
from config.database import transaction

BATCH = 2000
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


def raw_sweep(env: Environment, now: Any, following: Any) -> int:
    """Do by hand what the sweep writes for these cases; return how many."""
    done = 0
    values = {
        "now": now, "next": following, "batch": BATCH, "stamp": now.isoformat(), "rung": "raw", "policy": "2026.1",
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


def run(count: int, naive: int) -> list[tuple[str, float]]:
    """Return cases per second of each way."""
    with organisation() as env:
        responses(env, count)
        go_to(env, LAUNCH + timedelta(days=7, minutes=1))
        ours = timed(lambda: sweep_due(env, batch=BATCH).due)
        now = LAUNCH + timedelta(days=21, hours=1)
        with env.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("VACUUM ANALYZE")
        raw = timed(lambda: raw_sweep(env, now, now + timedelta(days=18)))
        assert ours[0] == raw[0] == count, (ours, raw)
        with transaction(env.engine) as conn:
            rest = text("UPDATE cases SET due_at = NULL WHERE id NOT IN (SELECT id FROM cases ORDER BY id LIMIT :n)")
            conn.execute(rest, {"n": naive})
        go_to(env, LAUNCH + timedelta(days=40))
        one_by_one = timed(lambda: sweep_due(env, batch=1, workers=1).due)
        small, large = (_statements_at(size) for size in (200, 2000))
        print(f"statements per batch of 200: {small}, of 2,000: {large}")
    return [("Muster, batches of 2,000", ours[0] / ours[1]), ("raw SQL, batches of 2,000", raw[0] / raw[1]),
            ("Muster, one transaction per case", one_by_one[0] / one_by_one[1])]  # fmt: skip


def _statements_at(size: int) -> int:
    with organisation() as env:
        responses(env, size)
        go_to(env, LAUNCH + timedelta(days=7, minutes=1))
        return statements(env, lambda: sweep_due(env, batch=size + 1))


def main(count: int = 100_000, naive: int = 1_000) -> None:
    """Print the table."""
    rates = run(count, naive)
    raw = rates[1][1]
    print(f"\n{count:,} due survey responses, each with an event and a message\n")
    print(f"{'':36}{'cases/s':>10}{'of raw SQL':>12}")
    for name, rate in rates:
        print(f"{name:36}{rate:>10,.0f}{rate / raw:>12.2f}")
    print(f"\nbatches are {rates[0][1] / rates[2][1]:.0f} times as fast as one transaction per case")

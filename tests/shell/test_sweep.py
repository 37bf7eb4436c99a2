"""The sweep: every occurrence once, however many sweeps run; a poisoned case is parked and the others move."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from cases import commands, opening, store, sweep_batch
from cases import sweep as sweeping
from cases.audit import verify
from cases.environment import world
from cases.sweep import sweep_due
from config.database import make_engine, transaction
from state_machines import alike
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Case
from tests.cast import MONDAY, Cast, asking_nobody


def complaints(cast: Cast, count: int) -> None:
    """Open so many complaints, received on Monday at nine."""
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env)
        wishes = [
            opening.Wish(process_named("complaint"), f"Complaint {n}", {"category": "service"}, team="North")
            for n in range(count)
        ]
        found = [c for c in opening.decided(conn, wishes, here, actor=SYSTEM) if not isinstance(c, tuple)]
        assert len(found) == count
        store.apply(conn, found, here)


def test_a_sweep_with_nothing_due_does_nothing_and_leaves_a_heartbeat(cast: Cast) -> None:
    complaints(cast, 3)
    assert sweep_due(cast.env).to_dict()["fired"] == 0
    assert cast.scalar("SELECT count(*) FROM sweeps") == 1


def test_the_ladder_of_an_unacknowledged_complaint_fires_each_rung_once_on_its_working_day(cast: Cast) -> None:
    complaints(cast, 1)
    for day in range(40):
        for hour in (9, 23.99):
            cast.go_to(MONDAY + timedelta(days=day, hours=hour - 9))
            sweep_due(cast.env)
            sweep_due(cast.env)
    fired = cast.rows(
        "SELECT trigger, (at AT TIME ZONE 'Europe/London')::date::text AS day FROM case_events "
        "WHERE occurrence IS NOT NULL AND trigger <> 'still_overdue' ORDER BY seq"
    )
    days = {row.trigger: row.day for row in fired}
    assert len(fired) == len(days), "a rung fired twice"
    assert [d for t, d in days.items() if t.startswith("overdue")] == ["2026-03-09"]
    assert days["escalate_to_manager"] == "2026-03-12"
    assert days["escalate_to_senior"] == "2026-03-23"
    assert cast.scalar("SELECT state FROM cases") == "received", "nothing acknowledges by itself"


def test_four_sweeps_at_once_on_two_thousand_cases_fire_each_occurrence_exactly_once(cast: Cast) -> None:
    complaints(cast, 2000)
    cast.go_to(MONDAY + timedelta(days=8))
    env = asking_nobody(cast)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: sweep_due(env, batch=150), range(4)))
    assert sum(report.due for report in reports) == 2000
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger LIKE 'overdue%'") == 2000
    assert cast.scalar("SELECT count(DISTINCT case_id) FROM case_events WHERE trigger LIKE 'overdue%'") == 2000
    assert cast.scalar("SELECT count(*) FROM (SELECT 1 FROM messages GROUP BY key HAVING count(*) > 1) AS twice") == 0
    assert sweep_due(cast.env).due == 0


def test_a_poisoned_case_is_parked_with_its_reason_and_the_others_move(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints(cast, 12)
    bad = cast.scalar("SELECT min(id) FROM cases")
    real = sweep_batch.advance

    def poisoned(process: Any, case: Case, **more: Any) -> Any:
        if case.id == bad:
            raise ZeroDivisionError("a guard broke")
        return real(process, case, **more)

    for decides in (sweep_batch, alike):  # whether it is this case is also asked where many are decided at once
        monkeypatch.setattr(decides, "advance", poisoned)
    cast.go_to(MONDAY + timedelta(days=8))
    report = sweep_due(cast.env, batch=5)
    assert (report.due, report.parked) == (12, 1)
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger LIKE 'overdue%'") == 11
    assert "ZeroDivisionError" in cast.scalar("SELECT parked_why FROM cases WHERE id = :id", id=bad)
    assert cast.scalar("SELECT kind FROM case_events WHERE case_id = :id ORDER BY seq DESC LIMIT 1", id=bad) == "parked"
    monkeypatch.undo()
    assert sweep_due(cast.env).due == 0, "it is left alone for a while"
    assert sweeping.unpark(cast.env, cast.scalar("SELECT ref FROM cases WHERE id = :id", id=bad))
    assert sweep_due(cast.env).due == 1, "or it is let go by hand, which is on the record"
    assert cast.scalar("SELECT count(*) FROM case_events WHERE case_id = :id AND kind = 'unparked'", id=bad) == 1
    assert cast.scalar("SELECT parked_at FROM cases WHERE id = :id", id=bad) is None


def test_a_case_that_cannot_be_written_is_parked_and_the_rest_of_its_batch_is_written(cast: Cast) -> None:
    complaints(cast, 6)
    bad = cast.scalar("SELECT max(id) FROM cases")
    with cast.env.engine.begin() as conn:
        conn.execute(text(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.trigger LIKE 'overdue%' "
            f"AND NEW.case_id = {bad} THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$"
        ))  # fmt: skip
        conn.execute(text("CREATE TRIGGER poison BEFORE INSERT ON case_events FOR EACH ROW EXECUTE FUNCTION poison()"))
    cast.go_to(MONDAY + timedelta(days=8))
    report = sweep_due(cast.env)
    assert report.parked == 1
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger LIKE 'overdue%'") == 5


def test_a_rung_and_a_click_at_the_same_moment_are_decided_by_one_row_lock(cast: Cast) -> None:
    complaints(cast, 20)
    cast.go_to(MONDAY + timedelta(days=8))
    refs = [row.ref for row in cast.rows("SELECT ref FROM cases ORDER BY id")]
    mina = cast.actor("Mina")

    def click(ref: str) -> None:
        commands.note(cast.env, ref, "Looked at it", actor=mina)

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(click, ref) for ref in refs] + [pool.submit(sweep_due, cast.env, batch=4) for _ in range(3)]
        for each in done:
            each.result()
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'note'") == 20
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger LIKE 'overdue%'") == 20
    heads = "SELECT count(*) FROM cases c WHERE last_seq <> (SELECT max(seq) FROM case_events WHERE case_id = c.id)"
    assert cast.scalar(heads) == 0


@pytest.mark.parametrize("count", [10, 300])
def test_the_number_of_statements_of_a_batch_does_not_depend_on_its_size(cast: Cast, count: int) -> None:
    complaints(cast, count)
    cast.go_to(MONDAY + timedelta(days=8))
    sweep_due(asking_nobody(cast))
    cast.go_to(MONDAY + timedelta(days=10))
    seen: list[str] = []
    event.listen(cast.env.engine, "before_cursor_execute", lambda *given: seen.append(str(given[2])))
    report = sweep_due(asking_nobody(cast), batch=1000)
    assert report.due == count
    statements = [s for s in seen if not s.startswith(("BEGIN", "COMMIT"))]
    assert len(statements) <= 12, statements


def test_a_long_sweep_is_shared_by_two_threads_and_still_fires_everything_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints(cast, 400)
    cast.go_to(MONDAY + timedelta(days=8))
    monkeypatch.setattr(sweeping, "LONG_SWEEP", 1)
    report = sweep_due(asking_nobody(cast), batch=10, workers=2)
    assert (report.due, report.more) == (400, False)
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger LIKE 'overdue%'") == 400
    assert sweep_due(cast.env).due == 0


def test_a_helping_thread_that_cannot_work_leaves_its_share_to_the_sweep(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    complaints(cast, 60)
    cast.go_to(MONDAY + timedelta(days=8))
    monkeypatch.setattr(sweeping, "LONG_SWEEP", 1)
    nowhere = cast.env.engine.url.set(database="no_such_database")
    real = sweeping.hands
    lost = replace(cast.env, engine=make_engine(nowhere))
    monkeypatch.setattr(sweeping, "hands", lambda env, *given: real(lost, *given))
    assert sweep_due(cast.env, batch=10, workers=2).due == 60
    assert "ended early" in caplog.text


WRITTEN = {
    "cases": "SELECT state, version, owner_id, owner_role, data, clocks, counts, people, due_at, deadline_at, last_seq "
    "FROM cases WHERE id = :id",
    "events": "SELECT seq, at, actor, role, kind, trigger, source, target, details::text, process_version, "
    "policy_version, substr(occurrence, length(CAST(:id AS text)) + 1) AS rung "
    "FROM case_events WHERE case_id = :id ORDER BY seq",
    "messages": "SELECT event_seq, kind, audience, purpose, data, clock, not_before, created_at, "
    "substr(key, length(CAST(:id AS text)) + 1) AS fact FROM messages WHERE case_id = :id ORDER BY id",
    "tasks": "SELECT kind, title, role, due_at, data FROM case_tasks WHERE case_id = :id ORDER BY id",
}


def test_cases_decided_at_once_are_written_as_if_each_had_been_swept_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints(cast, 6)
    decided: list[bool] = []
    real = sweep_batch.advanced_alike

    def watched(*given: Any, **named: Any) -> Any:
        found = real(*given, **named)
        decided.append(found is not None)
        return found

    monkeypatch.setattr(sweep_batch, "advanced_alike", watched)
    env = asking_nobody(cast)
    for days in (2, 4, 8, 9):
        now = cast.go_to(MONDAY + timedelta(days=days))
        with transaction(cast.env.engine) as conn:
            sweep_batch.sweep_locked(conn, sweeping.claim_due(conn, now, 3), world(conn, env, now))
        sweep_due(env, batch=1, now=now)
    assert any(decided), "nothing was decided at once"
    ids = [row.id for row in cast.rows("SELECT id FROM cases ORDER BY id")]
    for what, query in WRITTEN.items():
        first, *others = [cast.rows(query, id=number) for number in ids]
        assert all(other == first for other in others), what
    assert all(len(cast.rows(WRITTEN[what], id=ids[0])) > 1 for what in ("events", "messages"))
    with cast.env.engine.connect() as conn:
        assert verify(conn).problems == []

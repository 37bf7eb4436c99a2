"""The flows, called as functions: one call each, numbers only in what they say, reasons only in our own log."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from cases import ledger
from cases.tables import JobRun
from config.database import Engine, reading, transaction
from config.settings import load_settings
from config.tables import Installation
from workflows import flows, jobs, schedule

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


class AnEnvironment:
    """An environment with a clock that stands at NOW."""

    def __init__(self, engine: Any, home: Path) -> None:
        self.engine = engine
        self.settings = load_settings({"MUSTER_HOME": str(home)})

    def now(self) -> datetime:
        return NOW


class AReport:
    def __init__(self, **numbers: Any) -> None:
        self.numbers = numbers

    def to_dict(self) -> dict[str, Any]:
        return self.numbers


@pytest.fixture
def env(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AnEnvironment:
    made = AnEnvironment(engine, tmp_path)
    row = {"id": 1, "kind": "sandbox", "time_zone": "Europe/London", "created_at": NOW - timedelta(days=60)}
    with transaction(engine) as conn:
        conn.execute(insert(Installation), row)
    monkeypatch.setattr(flows, "open_environment", lambda **_: made)
    return made


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that were done, each of which succeeds."""
    done: list[str] = []

    def doing(job: str) -> jobs.Work:
        return lambda _: done.append(job) or {"count": 1}  # type: ignore[func-returns-value]

    monkeypatch.setattr(jobs, "WORK", {job: doing(job) for job in ledger.JOBS})
    return done


# ---------------------------------------------------------------------------------------------------- flows


def test_the_sweep_has_forty_seconds_of_each_minute(
    env: AnEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given: dict[str, Any] = {}

    def sweep_due(_: Any, **options: Any) -> AReport:
        given.update(options)
        return AReport(due=3, fired=2, parked=1)

    monkeypatch.setattr("cases.sweep.sweep_due", sweep_due)
    with caplog.at_level(logging.INFO, logger="workflows.flows"):
        flows.sweep.fn()

    assert given == {"budget_seconds": 40}
    assert [record.message for record in caplog.records] == ["sweep: 3 due, 2 fired, 1 parked"]


def test_what_broke_a_flow_is_in_our_log_and_not_in_prefects(
    env: AnEnvironment, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Any, **options: Any) -> AReport:
        raise LookupError("no row for chandra@example.org")

    monkeypatch.setattr("cases.sweep.sweep_due", broken)
    monkeypatch.setattr(flows.log, "handlers", [])
    monkeypatch.setattr(flows.log, "propagate", True)
    with pytest.raises(flows.FlowFailed) as caught:
        flows.sweep.fn()

    assert str(caught.value).startswith("LookupError. A flow ended early")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    logged = capfd.readouterr().err
    assert "no row for" in logged
    assert "chandra" not in logged


def test_the_page_of_a_run_names_no_reason_that_could_name_a_person() -> None:
    findings = [{"check": "owner", "ref": "CO-2026-000001", "why": "Chandra has left"}]
    page = flows._page("nightly", {"findings": 1}, {"findings": findings, "by_trigger": {"overdue": 2}})

    assert "CO-2026-000001" in page
    assert "| by trigger: overdue | 2 |" in page
    assert "Chandra" not in page


# --------------------------------------------------------------------------------------------------- ledger


def test_housekeeping_does_what_was_missed_and_then_nothing(env: AnEnvironment, work: list[str]) -> None:
    flows.housekeeping.fn()
    flows.housekeeping.fn()

    assert work == [ledger.CLOCKS, ledger.CHECKS, ledger.DIGEST]


def test_the_night_flow_and_housekeeping_never_do_the_same_twice(env: AnEnvironment, work: list[str]) -> None:
    flows.nightly.fn()
    flows.digest.fn()
    flows.housekeeping.fn()

    assert work == [ledger.CLOCKS, ledger.CHECKS, ledger.DIGEST]


def test_one_job_that_breaks_does_not_keep_the_others_from_being_done(
    env: AnEnvironment, work: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "WORK", {**jobs.WORK, ledger.CLOCKS: broken})
    with pytest.raises(jobs.JobsFailed, match=r"recalculate_clocks \(ZeroDivisionError\)$"):
        jobs.run_missing(env)  # type: ignore[arg-type]

    assert work == [ledger.CHECKS, ledger.DIGEST]
    with reading(env.engine) as conn:
        open_jobs = conn.execute(select(JobRun.job).where(JobRun.finished_at.is_(None))).scalars().all()
    assert open_jobs == [ledger.CLOCKS]


def test_what_came_of_a_job_is_kept(env: AnEnvironment, work: list[str]) -> None:
    jobs.run_missing(env)  # type: ignore[arg-type]

    with reading(env.engine) as conn:
        kept = {row.job: row.result for row in conn.execute(select(JobRun.job, JobRun.result))}
    assert kept == {job: {"count": 1} for job in ledger.JOBS}


def test_every_job_of_the_ledger_has_its_work() -> None:
    assert set(jobs.WORK) == set(ledger.JOBS)


# ------------------------------------------------------------------------------------------------- schedule


def test_every_flow_is_scheduled_once_with_a_slug_and_one_run_at_a_time() -> None:
    made = schedule.deployments(LONDON)

    assert [deployment.flow_name for deployment in made] == [flow.name for flow in flows.FLOWS]
    for deployment in made:
        (only,) = deployment.schedules or []
        assert only.slug
        assert deployment.concurrency_limit == 1
        assert deployment.concurrency_options is not None
        assert deployment.concurrency_options.collision_strategy == "CANCEL_NEW"
        assert deployment.entrypoint == f"workflows.flows.{deployment.flow_name}"


def test_what_runs_within_a_day_is_scheduled_in_utc() -> None:
    zones = {}
    for deployment in schedule.deployments(LONDON):
        (only,) = deployment.schedules or []
        zones[deployment.flow_name] = getattr(only.schedule, "timezone", None)

    assert zones == {
        "sweep": "UTC", "deliver": "UTC", "inbox": "UTC", "housekeeping": "UTC", "nightly": "Europe/London",
        "digest": "Europe/London",
    }  # fmt: skip


def test_where_no_mail_is_read_the_schedule_of_the_inbox_rests() -> None:
    resting = [each.flow_name for each in schedule.deployments(LONDON, inbox=False) if each.paused]

    assert resting == ["inbox"]


def test_every_flow_ends_before_its_job_could_be_taken_over() -> None:
    for flow in flows.FLOWS:
        assert flow.timeout_seconds is not None
        assert timedelta(seconds=flow.timeout_seconds) < ledger.STALE_AFTER


def test_the_schedules_are_those_of_the_ledger() -> None:
    assert f"{ledger.NIGHT.at.minute} {ledger.NIGHT.at.hour} * * *" == schedule.AT_NIGHT
    week = ledger.MONDAY_MORNING
    assert week.weekday == 0
    assert f"{week.at.minute} {week.at.hour} * * 1" == schedule.MONDAY_MORNING


def test_a_run_outside_prefect_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "flow_run", SimpleNamespace(scheduled_start_time=None))

    flows._wait_for_the_minute()


def test_a_run_that_begins_early_waits_for_its_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    soon = NOW + timedelta(seconds=0.4)
    monkeypatch.setattr(flows, "flow_run", SimpleNamespace(scheduled_start_time=soon))
    monkeypatch.setattr(flows, "utc_now", lambda: NOW)
    monkeypatch.setattr(flows, "sleep", waited.append)

    flows._wait_for_the_minute()

    assert waited == [pytest.approx(0.4)]

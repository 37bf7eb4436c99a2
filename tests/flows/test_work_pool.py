"""Several machines: a shared Prefect server and two workers, of which one is killed in the middle of a sweep."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import text

from cases import audit
from config.database import reading
from config.settings import load_settings
from tests.cast import MONDAY, Cast
from tests.flows.test_up import MUSTER, REPOSITORY, free_port, wait_for
from tests.shell.test_sweep import complaints
from workflows import prefect_settings, schedule
from workflows.schedule import POOL, REST, SWEEPS

pytestmark = [pytest.mark.flows, pytest.mark.timeout(700)]

CASES = 600
PASSWORD = "muster:made-up-for-this-test"
WAITING = (
    "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


class Machines:
    """Processes that are started as on machines of their own: each with a home, a name and a log."""

    def __init__(self, folder: Path, database: str, policy: Path) -> None:
        self.folder, self.database, self.policy, self.port = folder, database, policy, free_port()
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.running: dict[str, psutil.Popen] = {}

    def env(self, name: str) -> dict[str, str]:
        """The environment of one machine; the database shows who asks by its name."""
        others = {key: value for key, value in os.environ.items() if not key.startswith(("MUSTER_", "PREFECT_"))}
        sign = "&" if "?" in self.database else "?"
        return {
            **others, "MUSTER_HOME": str(self.folder / name), "MUSTER_POLICY": str(self.policy),
            "MUSTER_DATABASE_URL": f"{self.database}{sign}application_name={name}",
            "MUSTER_PREFECT_PORT": str(self.port), "PREFECT_API_URL": self.api, "PREFECT_API_AUTH_STRING": PASSWORD,
            "PYTHONPATH": str(REPOSITORY),
        }  # fmt: skip

    def start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = psutil.Popen(
                [*MUSTER, *arguments],
                env=self.env(name),
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def does(self, name: str, *arguments: str) -> str:
        command = [*MUSTER, *arguments]
        done = subprocess.run(command, env=self.env(name), cwd=REPOSITORY, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What Prefect answers; nothing while it does not."""
        try:
            answer = httpx.request(
                method, f"{self.api}/{path}", json=body, auth=("muster", PASSWORD.partition(":")[2]), timeout=10
            )
        except httpx.HTTPError:
            return None
        return answer.json() if answer.is_success else None

    def sweeps(self, *states: str) -> list[dict[str, Any]]:
        """The sweeps in these states."""
        wanted = {"flows": {"name": {"any_": ["sweep"]}}, "flow_runs": {"state": {"type": {"any_": list(states)}}}}
        return self.ask("POST", "flow_runs/filter", wanted) or []

    def said(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in self.folder.glob("*.log"))

    def end(self) -> None:
        for process in self.running.values():
            for each in [*_family(process), process]:
                with_no_complaint(each.kill)
        psutil.wait_procs(list(self.running.values()), timeout=20)


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def with_no_complaint(kill: Callable[[], None]) -> None:
    try:
        kill()
    except psutil.NoSuchProcess:
        return


@pytest.fixture
def machines(cast: Cast, tmp_path: Path, engine_url: str) -> Iterator[Machines]:
    policy = tmp_path / "policy.yaml"
    policy.write_text("sweep: {batch: 40}\nbreaker: {enabled: false}\n")
    made = Machines(tmp_path, engine_url, policy)
    yield made
    made.end()


@contextmanager
def nothing_is_written_to(cast: Cast, table: str) -> Iterator[None]:
    """Hold a table, so that whoever has claimed cases stands still before he can write."""
    with cast.env.engine.begin() as conn:
        conn.execute(text(f"LOCK TABLE {table} IN SHARE MODE"))
        yield


def test_a_worker_that_is_killed_in_the_middle_of_a_sweep_loses_nothing_and_another_ends_it(
    cast: Cast, machines: Machines
) -> None:
    complaints(cast, CASES)
    cast.go_to(MONDAY.replace(day=10))
    machines.start("server", "prefect")
    machines.does("server", "deploy", "--sweeps", "2")
    assert httpx.post(f"{machines.api}/flow_runs/filter", json={}).status_code == 401
    assert machines.ask("GET", f"work_pools/{POOL}")["type"] == "process"
    for name in ("alpha", "beta"):
        machines.start(name, "worker", "--name", name)

    killed = _kill_who_sweeps(cast, machines)
    survivor = {"alpha": "beta", "beta": "alpha"}[killed]
    wait_for(lambda: _overdue(cast) == CASES, 240, f"the others do not end it\n{machines.said()}")

    assert cast.scalar("SELECT count(DISTINCT case_id) FROM case_events WHERE trigger LIKE 'overdue%'") == CASES
    assert cast.scalar("SELECT count(*) FROM cases WHERE due_at <= '2026-03-10 09:00Z'") == 0
    with reading(cast.env.engine) as conn:
        assert audit.verify(conn).problems == []
    wait_for(lambda: _on_schedule(machines), 120, f"no sweep that was scheduled completed\n{machines.said()}")
    assert machines.running[survivor].is_running()


def _kill_who_sweeps(cast: Cast, machines: Machines) -> str:
    """Wait until somebody has claimed cases and is about to write them, kill that worker, and return its name."""
    with nothing_is_written_to(cast, "case_events"):
        (name, *_) = wait_for(lambda: [row[0] for row in cast.rows(WAITING)], 240, f"nobody sweeps\n{machines.said()}")
        worker = machines.running[name]
        runs = _family(worker)
        assert runs, "a sweep is a process of its own"
        worker.kill()
        worker.wait()
        assert _overdue(cast) < CASES
    _, left = psutil.wait_procs(runs, timeout=90)  # one that had just been started looks for its worker first
    assert not left, "what it had started goes on without it"
    return str(name)


def _overdue(cast: Cast) -> int:
    return int(cast.scalar("SELECT count(*) FROM case_events WHERE trigger LIKE 'overdue%'"))


def _on_schedule(machines: Machines) -> bool:
    return any(run["auto_scheduled"] for run in machines.sweeps("COMPLETED"))


# ------------------------------------------------------------------------------------------- without a Prefect server


def test_on_a_pool_so_many_sweeps_begin_each_minute_and_a_lost_one_leaves_room(tmp_path: Path) -> None:
    zone = load_settings({"MUSTER_HOME": str(tmp_path)}).zone
    sweep, *others = schedule.deployments(zone, sweeps=3)

    slugs = [each.slug for each in sweep.schedules or []]
    assert slugs == ["sweep-every-minute", "sweep-every-minute-2", "sweep-every-minute-3"]
    assert (sweep.work_queue_name, sweep.concurrency_limit) == (SWEEPS, 4)
    assert {(each.work_pool_name, each.work_queue_name, each.concurrency_limit) for each in others} == {(POOL, REST, 2)}


def test_without_a_pool_nothing_names_one(tmp_path: Path) -> None:
    zone = load_settings({"MUSTER_HOME": str(tmp_path)}).zone

    assert {each.work_pool_name for each in schedule.deployments(zone)} == {None}


def test_who_does_not_know_the_shared_database_or_server_is_told_what_to_set(
    tmp_path: Path, cast: Cast, engine_url: str
) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MUSTER_", "PREFECT_"))}
    env = {**kept, "MUSTER_HOME": str(tmp_path / "home")}
    told = [
        subprocess.run([*MUSTER, command], env={**env, **more}, cwd=REPOSITORY, capture_output=True, text=True)
        for command, more in (("worker", {}), ("worker", {"MUSTER_DATABASE_URL": engine_url}), ("deploy", {}))
    ]

    assert [done.returncode for done in told] == [1, 1, 1]
    assert told[0].stderr == "Several machines share one database: set MUSTER_DATABASE_URL.\n"
    assert "set PREFECT_API_URL and PREFECT_API_AUTH_STRING, as on" in told[1].stderr
    assert told[2].stderr == told[1].stderr


def test_who_joins_uses_the_password_it_is_given_and_makes_none_up(tmp_path: Path) -> None:
    settings = load_settings({"MUSTER_HOME": str(tmp_path)})
    given = {"PREFECT_API_URL": "http://10.0.0.5:4280/api", "PREFECT_API_AUTH_STRING": PASSWORD, "PREFECT_PROFILE": "x"}
    env = prefect_settings.joining_environment(settings, given)

    assert {name: env[name] for name in given if name in env} == {k: given[k] for k in list(given)[:2]}
    assert env["PATH"].startswith(str(Path(sys.executable).parent))
    assert not prefect_settings.password_file(settings).exists()


def test_the_server_keeps_its_runs_where_it_is_told_and_asks_for_the_password_it_is_given(tmp_path: Path) -> None:
    settings = load_settings({"MUSTER_HOME": str(tmp_path)})
    database = "postgresql+asyncpg://prefect@db/prefect"
    given = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": database, "PREFECT_API_AUTH_STRING": PASSWORD}
    told, alone = (prefect_settings.server_environment(settings, 4280, env) for env in (given, {}))

    assert told["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == database
    assert told["PREFECT_SERVER_API_AUTH_STRING"] == PASSWORD
    assert alone["PREFECT_SERVER_API_AUTH_STRING"] == prefect_settings.password(settings) != PASSWORD

"""What `muster up` does when its parts misbehave, without starting them."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from cases.environment import NotInitialised
from cases.tables import Sweep
from config.clock import utc_now
from config.database import Engine, transaction
from config.settings import load_settings
from workflows import supervisor
from workflows.only_one import AlreadyRunning, only_one
from workflows.supervisor import _Supervisor


@dataclass
class APart:
    name: str
    stopped: int = 0
    starts: int = 1
    log: Path = Path("x.log")
    trouble: list[Exception] = field(default_factory=list)

    def keep_log_short(self) -> None: ...

    def stop(self) -> None:
        self.stopped += 1

    def start_when_ready(self) -> bool:
        return False

    def ended(self) -> int | None:
        if self.trouble:
            raise self.trouble.pop()
        return None


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watching(engine: Engine, tmp_path: Path, said: list[str]) -> _Supervisor:
    settings = load_settings({"MUSTER_HOME": str(tmp_path), "MUSTER_DATABASE_URL": "postgresql://unused/x"})
    made = _Supervisor(settings, engine, said.append, None)
    parts = [APart("the Prefect server"), APart("the desk"), APart("the runner")]
    made._children = parts  # type: ignore[assignment]
    made._since = utc_now() - timedelta(minutes=11)
    return made


def stopped(watching: _Supervisor) -> list[str]:
    return [part.name for part in watching._children if part.stopped]  # type: ignore[attr-defined]


def swept(engine: Engine, minutes_ago: int) -> None:
    at = utc_now() - timedelta(minutes=minutes_ago)
    counts = dict.fromkeys(("due", "fired", "parked", "batches", "milliseconds"), 0)
    with transaction(engine) as conn:
        conn.execute(insert(Sweep).values(started_at=at, finished_at=at, now=at, oldest_due_at=None, **counts))


def test_prefect_is_started_again_when_nothing_is_swept(watching: _Supervisor, said: list[str]) -> None:
    watching._tick_safely()

    assert stopped(watching) == ["the Prefect server", "the runner"]
    assert said == ["Nothing has been swept for ten minutes; starting Prefect again."]


def test_after_that_it_has_ten_minutes_again(watching: _Supervisor, said: list[str]) -> None:
    watching._tick_safely()
    watching._next_look = 0.0
    watching._tick_safely()

    assert len(said) == 1


def test_nothing_is_done_to_a_prefect_that_sweeps(watching: _Supervisor, engine: Engine) -> None:
    swept(engine, minutes_ago=9)
    watching._tick_safely()

    assert stopped(watching) == []


def test_an_old_sweep_is_no_heartbeat(watching: _Supervisor, engine: Engine) -> None:
    swept(engine, minutes_ago=15)
    watching._tick_safely()

    assert stopped(watching) == ["the Prefect server", "the runner"]


def test_trouble_with_looking_after_the_parts_does_not_end_what_works(
    watching: _Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "sleep", lambda seconds: None)
    watching._children[0].trouble.append(OSError("no more processes"))  # type: ignore[attr-defined]
    watching._tick_safely()

    assert said == ["Something went wrong while looking after the parts (OSError); going on."]
    assert stopped(watching) == []


def test_parts_are_stopped_before_those_they_call(watching: _Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for part in watching._children:
        monkeypatch.setattr(part, "stop", lambda name=part.name: order.append(name))
    watching._stop_children()

    assert order == ["the runner", "the desk", "the Prefect server"]


def test_a_database_that_is_not_set_up_is_not_run(engine_url: str, tmp_path: Path, said: list[str]) -> None:
    settings = load_settings({"MUSTER_HOME": str(tmp_path), "MUSTER_DATABASE_URL": engine_url})

    with pytest.raises(NotInitialised, match=r"run: muster init$"):
        supervisor.up(settings, said.append)


def test_a_second_one_is_refused_before_it_touches_anything(tmp_path: Path, said: list[str]) -> None:
    settings = load_settings({"MUSTER_HOME": str(tmp_path)})

    with only_one(tmp_path), pytest.raises(AlreadyRunning):
        supervisor.up(settings, said.append)
    assert said == []
    assert not (tmp_path / "postgres").exists()

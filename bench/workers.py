"""How the throughput of a sweep grows with worker processes: one backlog, swept by one, two, three and four of them.

Each number sweeps its own copy of the same database, so that all find the same cases and the same state. The workers
start together once all of them have everything loaded. Beside the rate stands how many cores they and PostgreSQL kept
busy: where that is as many as the machine has, more workers need another machine.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url, text

from bench.organisation import LAUNCH, go_to, organisation, responses
from cases.environment import Environment
from cases.sweep import sweep_due
from config.clock import monotonic
from config.database import make_engine

MOST = 4
STARTS_WITHIN, LONGEST = 120.0, 3600.0


@dataclass(frozen=True)
class Crew:
    """Worker processes that wait for the word, and what each says at its end: cases done and processor seconds."""

    processes: Sequence[BaseProcess]
    go: Event
    said: Any

    def results(self) -> list[tuple[int, float]]:
        """Return what those said that came to their end."""
        for each in self.processes:
            each.join(LONGEST)
        done = [each for each in self.processes if each.exitcode == 0]
        return [self.said.get(timeout=STARTS_WITHIN) for _ in done]


@contextmanager
def crew(env: Environment, url: str, count: int, *, batch: int | None = None) -> Iterator[Crew]:
    """Yield so many workers of an organisation, ready to sweep the database at ``url``; PostgreSQL calls them
    ``worker-0``, ``worker-1`` and so on. Whoever is left in the end is killed."""
    spawn = multiprocessing.get_context("spawn")
    ready, go, said = spawn.Semaphore(0), spawn.Event(), spawn.Queue()
    rules = (env.settings, env.policy, env.calendar)
    made: list[BaseProcess] = []
    try:
        for number in range(count):
            named = make_url(url).update_query_dict({"application_name": f"worker-{number}"})
            address = named.render_as_string(hide_password=False)
            made.append(spawn.Process(target=_work, args=(address, rules, batch, ready, go, said), daemon=True))
            made[-1].start()
        for _ in made:
            if not ready.acquire(timeout=STARTS_WITHIN):
                raise RuntimeError("A worker did not start.")
        yield Crew(made, go, said)
    finally:
        for each in made:
            each.kill()
            each.join()


def _work(url: str, rules: tuple[Any, ...], batch: int | None, ready: Semaphore, go: Event, said: Any) -> None:
    env = Environment(make_engine(url, pool_size=2), *rules)
    env.now()  # connected, and everything is imported
    ready.release()
    go.wait()
    before = time.process_time()
    due = sweep_due(env, batch=batch).due
    said.put((due, time.process_time() - before))
    env.engine.dispose()


@contextmanager
def copy_of(env: Environment, name: str) -> Iterator[str]:
    """Yield the address of a copy of the database of an organisation, which nobody may be using."""
    source = env.engine.url.database
    env.engine.dispose()
    admin = make_engine(env.engine.url.set(database="postgres"), pool_size=1)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY file_copy'))
        yield admin.url.set(database=name).render_as_string(hide_password=False)
        conn.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


def measure(count: int = 100_000, most: int = MOST) -> dict[str, list[dict[str, Any]]]:
    """Return the rate of one to ``most`` workers: name, size, seconds, rate, the rate of one worker as floor, the ratio
    (the speed-up) and the cores they and PostgreSQL kept busy. Raises RuntimeError when a case was left or done twice.
    """
    rows: list[dict[str, Any]] = []
    with organisation() as env:
        responses(env, count)
        go_to(env, LAUNCH + timedelta(days=7, minutes=1))
        for workers in range(1, most + 1):
            with copy_of(env, f"copy_{workers}") as url:
                seconds, cores = _swept(env, url, workers, count)
            rate = count / seconds
            floor = rows[0]["rate"] if rows else rate
            name = f"{workers} worker{'' if workers == 1 else 's'}"
            rows.append({
                "name": name, "size": count, "seconds": seconds, "rate": rate, "floor": floor, "ratio": rate / floor,
                "cores": cores,
            })  # fmt: skip
    return {"workers": rows}


def _swept(env: Environment, url: str, workers: int, count: int) -> tuple[float, float]:
    """Return seconds and busy cores of so many workers on the whole backlog."""
    with crew(env, url, workers) as working:
        before, began = _server_seconds(env), monotonic()
        working.go.set()
        found = working.results()
        seconds = monotonic() - began
    busy = sum(own for _, own in found) + _server_seconds(env) - before
    if (done := sum(due for due, _ in found)) != count:
        raise RuntimeError(f"{done:,} cases were swept, {count:,} were due.")
    return seconds, busy / seconds


def _server_seconds(env: Environment) -> float:
    """Processor seconds of PostgreSQL and all it has started so far."""
    main = psutil.Process(int((Path(env.settings.home) / "postgres" / "postmaster.pid").read_text().split()[0]))
    times = main.cpu_times()
    living = sum(sum(child.cpu_times()[:2]) for child in main.children())
    return float(times.user + times.system + times.children_user + times.children_system + living)

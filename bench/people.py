"""Fifty people at their queues among a million cases, while a sweep goes through sixty thousand due ones. One run.

Each of them looks at a page about once a second, at moments of their own: four times in five the first page of the
queue, else the next page. How long they wait is measured four times: Muster and the bare handler of ``bench/queue.py``,
each with nothing else going on and beside the sweep, which works in a process of its own. Sweep and desk share one
PostgreSQL and the cores of one machine; how much longer a page takes beside the sweep is the answer that counts.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from typing import Any

from starlette.types import ASGIApp

from bench.organisation import LAUNCH, elsewhere, go_to, organisation, responses
from bench.queue import answer as asked
from bench.queue import crowded, floor, pages, signed_in
from cases.environment import Environment
from cases.sweep import sweep_batches
from cases.sweep_batch import SweepReport
from config.clock import monotonic
from web.app import create_app

PEOPLE, SECONDS, BATCH = 50, 10.0, 2_000
PAUSE = 1.0
"""Seconds between two looks of one person, on average."""


@dataclass(frozen=True)
class Waits:
    """How long people waited, in milliseconds, and how often they looked."""

    looks: int
    half: float
    most: float
    """Nineteen of twenty waited no longer than this."""


async def _person(app: ASGIApp, cookie: str, until: float, dice: random.Random, waits: list[float]) -> None:
    await asyncio.sleep(dice.random() * PAUSE)
    while monotonic() < until:
        began = monotonic()
        status, _ = await asked(app, "/queue" if dice.random() < 0.8 else "/queue?due=week", cookie)
        waits.append((monotonic() - began) * 1000)
        assert status == 200, status
        await asyncio.sleep(dice.expovariate(1 / PAUSE))


async def _at_work(app: ASGIApp, cookies: Sequence[str], seconds: float) -> Waits:
    waits: list[float] = []
    until = monotonic() + seconds
    await asyncio.gather(*(
        _person(app, cookie, until, random.Random(place), waits) for place, cookie in enumerate(cookies)
    ))  # fmt: skip
    cut = quantiles(waits, n=20)
    return Waits(len(waits), cut[9], cut[18])


def _beside_a_sweep(env: Environment, app: ASGIApp, cookies: Sequence[str], days: int) -> tuple[Waits, SweepReport]:
    """Let people look while what is due after so many days is swept; return their waits and what was swept."""
    now, began = LAUNCH + timedelta(days=days), monotonic()
    until = began + SECONDS + 2
    with elsewhere(env, sweep_batches, now, BATCH, until) as working:
        asyncio.run(_settled(1.5))  # the process of the sweep has started
        waits = asyncio.run(_at_work(app, cookies, SECONDS))
    return waits, working.result()


async def _settled(seconds: float) -> None:
    await asyncio.sleep(seconds)


def measure(count: int = 1_000_000, due: int = 60_000) -> dict[str, list[dict[str, Any]]]:
    """Return what `bench.queue` measures of its pages, and the waits of fifty people, alone and beside a sweep."""
    with organisation() as env:
        owners = crowded(env, count)
        found = asyncio.run(pages(env, owners["Team 3"][0]))
        responses(env, due)
        return {**found, "people": _together(env, [person for team in owners.values() for person in team])}


def _together(env: Environment, staff: Sequence[int]) -> list[dict[str, Any]]:
    cookies = [signed_in(env, person) for person in staff[:PEOPLE]]
    apps = {"bare handler": floor(env), "Muster": create_app(env)}
    found: list[dict[str, Any]] = []
    for days, (name, app) in zip((8, 30), apps.items(), strict=True):
        asyncio.run(_at_work(app, cookies, 3))  # once to get warm
        quiet = asyncio.run(_at_work(app, cookies, SECONDS))
        go_to(env, LAUNCH + timedelta(days=days))
        busy, swept = _beside_a_sweep(env, app, cookies, days)
        go_to(env, LAUNCH)
        found += [_row(name, quiet, 0), _row(f"{name}, beside a sweep", busy, swept.due)]
    return found


def _row(name: str, waits: Waits, swept: int) -> dict[str, Any]:
    return {
        "name": name, "people": PEOPLE, "looks": waits.looks, "half": waits.half, "most": waits.most, "swept": swept,
    }  # fmt: skip

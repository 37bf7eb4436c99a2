"""More hands for a long sweep: other processes of this machine that take batches of the same work.

They start while the sweep goes on, help as soon as they are there, and are not needed: what a hand that dies had
claimed is free again, and the sweep itself ends only when nothing is due.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from cases.environment import Environment, load_policy, working_calendar
from config.database import make_engine
from config.settings import Settings

log = logging.getLogger(__name__)

Work = Callable[..., Any]


@contextmanager
def hands(env: Environment, count: int, work: Work, *given: Any) -> Iterator[list[Future[Any]]]:
    """Yield the futures of ``work(env, *given)`` in ``count`` other processes; none when they cannot be started.

    ``work`` and ``given`` must be picklable. On leaving, waits for the hands that are still at work.
    """
    if count < 1:
        yield []
        return
    url = env.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        yield [pool.submit(_at_work, env.settings, url, work, given) for _ in range(count)]


def results(futures: list[Future[Any]]) -> Iterator[Any]:
    """Yield what the hands have done. One that failed is logged: its work was left for others."""
    for future in futures:
        try:
            yield future.result()
        except Exception as broken:  # a hand is a help, not a need; the sweep has done the work without it
            log.warning("A helping process of the sweep ended early: %s", type(broken).__name__)


def _at_work(settings: Settings, url: str, work: Work, given: tuple[Any, ...]) -> Any:
    policy = load_policy(settings)
    env = Environment(make_engine(url, pool_size=1), settings, policy, working_calendar(settings, policy))
    try:
        return work(env, *given)
    finally:
        env.engine.dispose()

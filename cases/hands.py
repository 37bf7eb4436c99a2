"""More hands for a long sweep or delivery: threads that take batches of the same work, with transactions of their own.

While one waits for the database or a mail server, another decides. They are a help and not a need: what a hand that
fails had claimed is free again, and the work itself ends only when nothing is due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

from cases.environment import Environment

log = logging.getLogger(__name__)

Work = Callable[..., Any]


@contextmanager
def hands(env: Environment, count: int, work: Work, *given: Any) -> Iterator[list[Future[Any]]]:
    """Yield the futures of ``work(env, *given, stop)`` in ``count`` threads. On leaving, waits for them.

    ``stop`` is set on leaving, so that hands do not go on for long after work that fails or is ended.
    """
    if count < 1:
        yield []
        return
    stop = Event()
    with ThreadPoolExecutor(count, thread_name_prefix="hand") as pool:
        try:
            yield [pool.submit(work, env, *given, stop) for _ in range(count)]
        finally:
            stop.set()


def results(futures: list[Future[Any]]) -> Iterator[Any]:
    """Yield what the hands have done. One that failed is logged: its work was left for others."""
    for future in futures:
        try:
            yield future.result()
        except Exception as broken:  # a hand is a help, not a need; the others have done the work without it
            log.warning("A helping thread ended early, and others did its work: %s", type(broken).__name__)

"""A bar for people who wait: on a terminal only, on standard error, and only for what takes more than a second."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

SILENT_SECONDS = 1.0


@contextmanager
def progress(label: str) -> Iterator[Callable[..., None]]:
    """Yield a function to call as work goes on: with what was just done, or with what is done so far and the total.

    It may also be given a new label, as text. A bar is shown on a terminal only, and only after a second.
    """
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress

    from config.clock import monotonic

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=None)
    began = monotonic()

    def tell(*facts: object) -> None:
        bar.update(task, **_known(facts))
        if not bar.live.is_started and monotonic() - began > SILENT_SECONDS:
            bar.start()

    try:
        yield tell
    finally:
        bar.stop()


def _known(facts: Iterable[object]) -> dict[str, Any]:
    """Return what a bar learns from a call: a new label, what was just done, or what is done and the total."""
    numbers = [fact for fact in facts if isinstance(fact, int | float)]
    known: dict[str, Any] = {}
    for label in (fact for fact in facts if isinstance(fact, str)):
        known["description"] = label
    if len(numbers) == 1:
        return {**known, "advance": numbers[0]}
    return known | dict(zip(("completed", "total"), numbers, strict=False))

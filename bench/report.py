"""What was measured, as tables, as a picture, and in docs/performance.md.

The page is written by hand, except for what stands between its two marks, which comes from here.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import click, delivery, launch, people, sweep, workers
from bench.picture import draw
from bench.tables import Rows, table
from config import clock

Measured = Mapping[str, Rows]

BENCHES: dict[str, Callable[..., Measured]] = {
    "sweep": sweep.measure,
    "click": click.measure,
    "queue": people.measure,
    "launch": launch.measure,
    "delivery": delivery.measure,
    "workers": workers.measure,
}
TITLES = {
    "sweep": "Sweeping what is due; the floor is one statement of raw SQL a batch",
    "shares": "Where the time of one sweeping thread goes",
    "statements": "Statements of one batch",
    "click": "Somebody acknowledges a complaint; the floor is a bare handler with SQL by hand",
    "queue": "The first page of a queue among a million cases",
    "pages": "Other pages among a million cases, and the tables they read from end to end",
    "people": "Fifty people at their queues, a look a second each, alone and beside a sweep",
    "launch": "Launching a campaign",
    "growth": "A campaign of a thousand members and of all",
    "delivery": "Delivering invitations to a sink on the same machine",
    "spans": "Microseconds a message over one connection",
    "workers": "Workers on one backlog; PostgreSQL on the same cores",
}
HEADS = {
    "name": "what", "size": "how many", "rate": "a second", "floor": "floor a second", "ratio": "of the floor",
    "us": "µs each", "of_floor": "times the floor", "half": "half within ms", "most": "95 % within ms",
    "page_statements": "statements of its page", "page_ms": "ms of its page", "scans": "end to end",
    "cores": "cores busy", "no_two_alike": "no two alike", "floor_ms": "floor ms",
    "floor_statements": "statements of the floor",
}  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent
PAGE, PICTURE = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"
KEPT = ROOT / ".bench.json"
"""What was measured so far, so that a page can be written of benches that ran one by one."""


def run(names: Sequence[str], sizes: Sequence[int], *, write: bool) -> None:
    """Run these benches and print their tables; put them into the page where asked to."""
    for name in names:
        began = clock.monotonic()
        found = BENCHES[name](*sizes)
        print(f"\n{as_text(found)}\n\n({name} took {clock.monotonic() - began:.0f} s)", flush=True)
        if write:
            _keep(found)
    if write:
        _write(json.loads(KEPT.read_text("utf-8")))


def as_text(found: Measured) -> str:
    """Return the tables of what was measured, each under its title."""
    return "\n\n".join(f"**{TITLES[name]}**\n\n{table(_headed(rows))}" for name, rows in found.items())


def _headed(rows: Rows) -> Rows:
    return [{HEADS.get(key, key.replace("_", " ")): value for key, value in row.items()} for row in rows]


def _keep(found: Measured) -> None:
    before = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    KEPT.write_text(json.dumps({**before, **found}), "utf-8")


def _write(found: dict[str, Rows]) -> None:
    draw(found, PICTURE)
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    said = f"Measured on {clock.utc_now():%d %B %Y} by `make bench`, on a machine with {machine}."
    ordered = {name: found[name] for name in TITLES if name in found}
    PAGE.write_text(f"{before}{BEGIN}\n\n{said}\n\n{as_text(ordered)}\n\n{END}{after}", "utf-8")

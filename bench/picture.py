"""The picture of docs/performance.md: cost per case by number of cases, each aim and what is reached, workers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.tables import Rows

OURS, FLOOR, AIM = "#206bc4", "#9aa5b1", "#d63939"
AIMS = (
    ("sweep", "sweep", 0.6), ("click", "click", 0.4), ("queue", "queue page", 0.5), ("launch", "launch", 0.5),
    ("delivery", "delivery", 0.4),
)  # fmt: skip
"""Of the floor, in speed: a page that may take twice its time is to reach half."""


def draw(found: Mapping[str, Rows], path: Path) -> None:
    """Write the picture of what was measured as an SVG file; what was not is left out."""
    mpl.rcParams |= {"svg.hashsalt": "muster", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    costs, reached, workers = figure.subplots(1, 3)
    _costs(costs, found.get("sweep", ()))
    _reached(reached, found)
    _workers(workers, found.get("workers", ()))
    for axes in (costs, reached, workers):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def _costs(axes: Any, rows: Rows) -> None:
    batches = [row for row in rows if row["name"] == "in batches"]
    sizes = [row["size"] for row in batches]
    axes.plot(sizes, [row["us"] for row in batches], "o-", color=OURS, label="Muster")
    axes.plot(sizes, [1e6 / row["floor"] for row in batches], "o-", color=FLOOR, label="raw SQL")
    axes.set(xscale="log", ylim=(0, None), title="A sweep: µs a case, by number of cases", xlabel="cases due")
    axes.legend(frameon=False)


def _reached(axes: Any, found: Mapping[str, Rows]) -> None:
    named = [(title, reached_by(found[name]), aim) for name, title, aim in AIMS if name in found]
    places = range(len(named))
    axes.barh(places, [ratio for _, ratio, _ in named], color=OURS, height=0.5)
    for place, (_, ratio, aim) in zip(places, named, strict=True):
        axes.plot([aim, aim], [place - 0.35, place + 0.35], color=AIM, linewidth=2)
        axes.text(ratio + 0.02, place, f"{ratio:.2f}", va="center")
    axes.set_yticks(places, [title for title, _, _ in named])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.1), title="Speed as a part of the floor's; red: the aim")


def reached_by(rows: Rows) -> float:
    """Return the part of its floor's speed that Muster reaches: with 100,000, where there are several sizes."""
    ours = [row for row in rows if row["name"] in {"Muster", "in batches"}]
    row = min(ours, key=lambda row: abs(row.get("size", 0) - 100_000))
    return float(row["ratio"] if "ratio" in row else 1 / row["of_floor"])


def _workers(axes: Any, rows: Rows) -> None:
    numbers = range(1, len(rows) + 1)
    axes.plot(numbers, [row["rate"] for row in rows], "o-", color=OURS)
    axes.set(ylim=(0, None), title="Cases a second, by number of workers", xlabel="workers")
    axes.set_xticks(numbers)

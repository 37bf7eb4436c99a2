"""A report as its page shows it: rows whose figures lead to the cases behind them, and the course of a year drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from reports import definitions
from reports.months import Months
from reports.table import Cell
from reports.viewing import Viewed
from state_machines.english import capital
from state_machines.registry import process_named
from web import naming
from web.charts import Series, line_chart, share_bar

NOT_MET = "not met"
HEADS = {"process": "Kind of case", "n due": "Due", "n met": "Number met", "n ended": "Ended",
         "p90 working days": "9 of 10 within working days", "p90 days": "9 of 10 within days",
         "p90 days to answer": "9 of 10 within days"}  # fmt: skip
"""What stands above columns where their own names are too short for people."""
DRILLED = {"n due": "n due", "n met": "n due", "still open": "n due"}
"""Figures of the deadlines that lead to cases, and under which name these are kept."""
SO_FAR = " so far"
SHARES = frozenset({"met", "save rate", "share that stays", "upheld share"})
"""Columns whose shares are drawn as bars as well."""


@dataclass(frozen=True)
class Figure:
    """One cell: what it says, the cases behind it, and its picture."""

    words: str
    behind: Mapping[str, str] | None = None
    bar: Markup | None = None


@dataclass(frozen=True)
class Course:
    """What came and went month by month: drawn, and as a table."""

    drawn: Markup
    told: str
    came: str
    went: str
    rows: Sequence[tuple[str, int, int]]


def heads(viewed: Viewed, keys: int) -> list[tuple[str, bool]]:
    """Return what stands above the columns, and whether numbers stand below."""
    return [(HEADS.get(name, naming.words(name)), place >= keys) for place, name in enumerate(viewed.table.columns)]


def named(meanings: Mapping[str, str]) -> dict[str, str]:
    """Return what the figures mean, by what stands above their columns."""
    return {HEADS.get(name, naming.words(name)): meaning for name, meaning in meanings.items()}


def deadline_row(viewed: Viewed, row: Sequence[Cell]) -> tuple[list[str], list[Figure]]:
    """Return the names of a clock and its process, and its figures."""
    process, clock = str(row[0]), str(row[1])
    figures = []
    for name, value in zip(viewed.table.columns[2:], row[2:], strict=True):
        drilled = DRILLED.get(name) if value else None
        link = {"one": process, "two": clock, "figure": drilled} if drilled else None
        if name == "met" and row[2] != row[3]:
            link = {"one": process, "two": clock, "figure": NOT_MET}
        figures.append(_figure(name, value, link))
    return [process_named(process).title, definitions.clock_title(process, clock)], figures


def monitoring_row(viewed: Viewed, row: Sequence[Cell]) -> tuple[list[str], list[Figure]]:
    """Return the names of a criterion and a stage, and their figures."""
    criterion, stage = str(row[0]), str(row[1])
    found = [_drilled(viewed, name, value, [(criterion, stage), (criterion, "all")])
             for name, value in zip(viewed.table.columns[2:], row[2:], strict=True)]  # fmt: skip
    return [naming.words(criterion), naming.words(stage)], found


def group_row(viewed: Viewed, row: Sequence[Cell]) -> tuple[list[str], list[Figure]]:
    """Return what complaints are about, or a reason to leave, and its figures."""
    group = str(row[0])
    found = [_drilled(viewed, name, value, [(group, "all")])
             for name, value in zip(viewed.table.columns[1:], row[1:], strict=True)]  # fmt: skip
    return [capital(group)], found


def _drilled(viewed: Viewed, name: str, value: Cell, groups: Sequence[tuple[str, str]]) -> Figure:
    keys = ((*group, name) for group in groups)
    key = next((key for key in keys if value and viewed.table.refs.get(key)), None)
    return _figure(name, value, {"one": key[0], "two": key[1], "figure": key[2]} if key else None)


def _figure(name: str, value: Cell, link: Mapping[str, str] | None) -> Figure:
    return Figure(_in_figures(value), link, share_bar(_share(value)) if name in SHARES else None)


def _share(value: Cell) -> float | None:
    number, percent, _ = str(value).partition(" %")
    return float(number) if percent else None


def _in_figures(value: Cell) -> str:
    """A cell as it is read: a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def group_title(name: str, one: str, two: str) -> str:
    """Return what a row is called where its cases are listed."""
    if name == "deadlines":
        return f"{definitions.clock_title(one, two)} ({naming.process_title(one).lower()})"
    return f"{naming.words(one)}, {naming.words(two).lower()}" if name == "monitoring" else capital(one)


def course(months: Months, came: str, went: str, today: date, *, key: str = "course") -> Course:
    """Return twelve months as two lines, with the same in a sentence and as rows; ``came`` and ``went`` name the lines.

    ``key`` makes the ids of the drawing on the page. A month that is not over is told, and not drawn: it would look as
    if less came.
    """
    rows = [(_month(first, today), months.came[first], months.went[first]) for first in months.firsts]
    last, whole = rows[-1], [row for row in rows if not row[0].endswith(SO_FAR)]
    told = (
        f"{came} and {went.lower()} in each of twelve months. {last[0]}: {last[1]:,} and {last[2]:,}."
        f" In all: {sum(row[1] for row in rows):,} and {sum(row[2] for row in rows):,}."
    )
    end = len(whole) - 1
    drawn = line_chart(
        f"{came} and {went.lower()} by month", told,
        [Series(went, "accounted", [(float(n), float(row[2])) for n, row in enumerate(whole)]),
         Series(came, "came", [(float(n), float(row[1])) for n, row in enumerate(whole)])],
        x_end=end, y_end=max([1, *(max(row[1:]) for row in whole)]), key=key,
        x_names=[(float(n), f"{months.firsts[n]:%b %Y}") for n in (0, end // 3, 2 * end // 3, end)],
    )  # fmt: skip
    return Course(drawn, told, came, went, rows)


def _month(first: date, today: date) -> str:
    return f"{first:%B %Y}" + (SO_FAR if (first.year, first.month) == (today.year, today.month) else "")

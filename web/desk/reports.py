"""The reports: read, printed, taken along as a file, and followed to the cases behind a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from cases.errors import BadInput, CaseNotFound, NotAllowed
from cases.lists.behind_figures import behind
from reports import definitions, viewing
from reports.periods import Period, period, quarter_of, recent
from reports.spreadsheet import XLSX, to_xlsx
from reports.table import CSV, Cell, to_csv
from reports.viewing import Viewed
from state_machines.registry import process_named, processes
from web import naming, wording
from web.access import STAFF
from web.desk_page import Desk, DeskPage
from web.routing import Pages

pages = Pages(may=STAFF)

NOT_MET = "not met"
HEADS = {"process": "Kind of case", "n due": "Due", "n met": "Number met", "n ended": "Ended",
         "p90 working days": "9 of 10 within working days", "p90 days": "9 of 10 within days"}  # fmt: skip
"""What stands above columns where their own names are too short for people."""
DRILLED = {"n due": "n due", "n met": "n due", "still open": "n due"}
"""Figures of the deadlines that lead to cases, and under which name these are kept."""


@pages.get("/reports", statements=5)
def reports(desk: Desk) -> Response:
    """Show which reports there are, with their periods to choose from."""
    return desk.page(
        "desk/reports.html", title="Reports", periods=recent(desk.today), chosen=quarter_of(desk.today),
        processes=processes().values(), sees_everything=viewing.sees_everything(desk.actor),
    )  # fmt: skip


@pages.get("/reports/deadlines", statements=8)
def deadlines(desk: Desk, period: str = "", process: str = "", format: str = "") -> Response:
    """Show how deadlines were kept, or send it as a file."""
    when, only = _period(desk, period), _process(process)
    viewed = viewing.deadlines(desk.env, when, process=only, actor=desk.actor)
    query = {"period": when.key, "process": only or ""}
    if format:
        return _file(desk, f"deadlines-{when.key}", viewed, definitions.DEADLINES, format)
    rows = [_deadline_row(viewed, row) for row in viewed.table.rows if any(row[2:4]) or row[7] or row[8]]
    return desk.page(
        "desk/report.html", title=f"Deadlines kept in {when.title}", name="deadlines", viewed=viewed, query=query,
        when=when, periods=recent(desk.today), processes=processes().values(), rows=rows,
        heads=_heads(viewed, 2), told=definitions.deadlines_in_words(viewed.table),
        meanings=_named(definitions.DEADLINES), silent=len(viewed.table.rows) - len(rows),
    )  # fmt: skip


@pages.get("/reports/monitoring", statements=9)
def monitoring(desk: Desk, period: str = "", copy: str = "", format: str = "") -> Response:
    """Show the monitoring cases of a quarter, or send them as a file."""
    when = _period(desk, period)
    if not when.is_quarter:
        raise BadInput("Monitoring cases are told by the quarter; please choose one.")
    viewed = viewing.monitoring(desk.env, when, public=copy == "public", actor=desk.actor)
    query = {"period": when.key, "copy": "public" if viewed.public else ""}
    meanings = {name: definitions.MONITORING[name] for name in viewed.table.columns if name in definitions.MONITORING}
    if format:
        return _file(desk, f"monitoring-{when.key}{'-public' if viewed.public else ''}", viewed, meanings, format)
    return desk.page(
        "desk/report.html", title=f"Monitoring cases in {when.title}", name="monitoring", viewed=viewed, query=query,
        when=when, periods={"Quarters": recent(desk.today)["Quarters"]}, processes=(), heads=_heads(viewed, 2),
        rows=[_monitoring_row(viewed, row) for row in viewed.table.rows], meanings=_named(meanings), silent=0,
        told=definitions.monitoring_in_words(viewed.table),
    )  # fmt: skip


@pages.get("/reports/{name}/cases", statements=11)
def cases_behind(desk: Desk, name: str, period: str = "", one: str = "", two: str = "", figure: str = "") -> Response:
    """Show the cases behind one figure, as far as the viewer may see them."""
    when = _period(desk, period)
    if name == "deadlines":
        viewed = viewing.deadlines(desk.env, when, process=_process(one), actor=desk.actor)
    elif name == "monitoring" and viewing.sees_everything(desk.actor):
        viewed = viewing.monitoring(desk.env, when, public=False, actor=desk.actor)
    elif name == "monitoring":
        raise NotAllowed("Which cases are behind these figures is told to managers only.")
    else:
        raise CaseNotFound(name)
    refs = viewed.table.refs.get((one, two, figure), ())
    found = behind(desk.env, refs, actor=desk.actor)
    return desk.page(
        "desk/report_cases.html", title=f"{naming.words(figure)}: {_group(name, one, two)}", when=when, found=found,
        name=name, total=len(refs), people=desk.staffing.names,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ what is shown


@dataclass(frozen=True)
class Figure:
    """One cell: what it says, whether it is a number, and the cases behind it."""

    name: str
    words: str
    number: bool
    behind: Mapping[str, str] | None = None


def _heads(viewed: Viewed, keys: int) -> list[tuple[str, bool]]:
    """What stands above the columns, and whether numbers stand below."""
    return [(HEADS.get(name, naming.words(name)), place >= keys) for place, name in enumerate(viewed.table.columns)]


def _named(meanings: Mapping[str, str]) -> dict[str, str]:
    return {HEADS.get(name, naming.words(name)): meaning for name, meaning in meanings.items()}


def _deadline_row(viewed: Viewed, row: Sequence[Cell]) -> tuple[list[str], list[Figure]]:
    process, clock = str(row[0]), str(row[1])
    figures = []
    for name, value in zip(viewed.table.columns[2:], row[2:], strict=True):
        drilled = DRILLED.get(name) if value else None
        link = {"one": process, "two": clock, "figure": drilled} if drilled else None
        if name == "met" and row[2] != row[3]:
            link = {"one": process, "two": clock, "figure": NOT_MET}
        figures.append(Figure(naming.words(name), _words(value), True, link))
    return [process_named(process).title, definitions.clock_title(process, clock)], figures


def _monitoring_row(viewed: Viewed, row: Sequence[Cell]) -> tuple[list[str], list[Figure]]:
    criterion, stage = str(row[0]), str(row[1])
    figures = []
    for name, value in zip(viewed.table.columns[2:], row[2:], strict=True):
        groups = ((criterion, stage, name), (criterion, "all", name))
        key = next((group for group in groups if value and viewed.table.refs.get(group)), None)
        link = {"one": key[0], "two": key[1], "figure": key[2]} if key else None
        figures.append(Figure(naming.words(name), _words(value), True, link))
    return [naming.words(criterion), naming.words(stage)], figures


def _group(name: str, one: str, two: str) -> str:
    if name == "deadlines":
        return f"{definitions.clock_title(one, two)} ({naming.process_title(one).lower()})"
    return f"{naming.words(one)}, {naming.words(two).lower()}"


def _words(value: Cell) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


# ------------------------------------------------------------------------------------------- what was asked for


def _period(desk: DeskPage, text: str) -> Period:
    found = period(text) if text else quarter_of(desk.today)
    if found is None:
        raise BadInput("This is no period; choose a month, a quarter or a year.")
    return found


def _process(name: str) -> str | None:
    return process_named(name).name if name else None


def _file(desk: DeskPage, name: str, viewed: Viewed, meanings: Mapping[str, str], kind: str) -> Response:
    stamp = wording.day_words(desk.today).replace(" ", "-")
    if kind == "csv":
        return desk.download(f"{name}-as-at-{stamp}.csv", CSV, [_marked(to_csv(viewed.table))])
    if kind == "xlsx":
        return desk.download(f"{name}-as-at-{stamp}.xlsx", XLSX, [to_xlsx(viewed.table, meanings)])
    raise BadInput("Reports are given as CSV or Excel.")


def _marked(text: str) -> Any:
    """CSV with the mark by which Excel knows that it is UTF-8."""
    return "\ufeff" + text

"""The reports: read, printed, taken along as a file, and followed to the cases behind a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from cases.campaigning.overview import campaign_list
from cases.errors import BadInput, CaseNotFound, NotAllowed
from cases.lists.behind_figures import behind
from reports import definitions, viewing
from reports.periods import Period, period, quarter_of, recent
from reports.spreadsheet import XLSX, to_xlsx
from reports.table import CSV, Table, to_csv
from reports.viewing import Viewed, ViewedByMonth
from state_machines.registry import process_named, processes
from web import naming, wording
from web.access import STAFF
from web.desk import report_shown as shown
from web.desk_page import Desk, DeskPage
from web.routing import Pages

pages = Pages(may=STAFF)

LATEST = 5
"""Campaigns that the list of reports names; all of them have a page of their own."""


@dataclass(frozen=True)
class Told:
    """What a report of groups has of its own: its title, its figures, its sentences, and the names of its lines."""

    title: str
    view: Callable[..., ViewedByMonth]
    meanings: Mapping[str, str]
    words: Callable[[Table], list[str]]
    came: str
    went: str


BY_GROUP = {
    "complaints": Told("Complaints", viewing.complaints, definitions.COMPLAINTS, definitions.complaints_in_words,
                       "Complaints that came in", "Complaints closed"),
    "cancellations": Told("Cancellations", viewing.cancellations, definitions.CANCELLATIONS,
                          definitions.cancellations_in_words, "Members who asked to leave", "Memberships ended"),
}  # fmt: skip


@pages.get("/reports", statements=9)
def reports(desk: Desk) -> Response:
    """Show which reports there are, with their periods to choose from."""
    campaigns = campaign_list(desk.env, actor=desk.actor, now=desk.now).lines
    return desk.page(
        "desk/reports.html", title="Reports", periods=recent(desk.today), chosen=quarter_of(desk.today),
        processes=processes().values(), sees_everything=viewing.sees_everything(desk.actor),
        campaigns=[line for line in campaigns if line.launched][:LATEST],
    )  # fmt: skip


@pages.get("/reports/deadlines", statements=8)
def deadlines(desk: Desk, period: str = "", process: str = "", format: str = "") -> Response:
    """Show how deadlines were kept, or send it as a file."""
    when, only = chosen_period(desk, period), _process(process)
    viewed = viewing.deadlines(desk.env, when, process=only, actor=desk.actor)
    query = {"period": when.key, "process": only or ""}
    if format:
        return _file(desk, f"deadlines-{when.key}", viewed, definitions.DEADLINES, format)
    rows = [shown.deadline_row(viewed, row) for row in viewed.table.rows if any(row[2:4]) or row[7] or row[8]]
    return desk.page(
        "desk/report.html", title=f"Deadlines kept in {when.title}", name="deadlines", viewed=viewed, query=query,
        when=when, periods=recent(desk.today), processes=processes().values(), rows=rows,
        heads=shown.heads(viewed, 2), told=definitions.deadlines_in_words(viewed.table),
        meanings=shown.named(definitions.DEADLINES), silent=len(viewed.table.rows) - len(rows),
    )  # fmt: skip


@pages.get("/reports/monitoring", statements=9)
def monitoring(desk: Desk, period: str = "", copy: str = "", format: str = "") -> Response:
    """Show the monitoring cases of a quarter, or send them as a file."""
    when = chosen_period(desk, period)
    if not when.is_quarter:
        raise BadInput("Monitoring cases are told by the quarter; please choose one.")
    viewed = viewing.monitoring(desk.env, when, public=copy == "public", actor=desk.actor)
    query = {"period": when.key, "copy": "public" if viewed.public else ""}
    meanings = {name: definitions.MONITORING[name] for name in viewed.table.columns if name in definitions.MONITORING}
    if format:
        return _file(desk, f"monitoring-{when.key}{'-public' if viewed.public else ''}", viewed, meanings, format)
    return desk.page(
        "desk/report.html", title=f"Monitoring cases in {when.title}", name="monitoring", viewed=viewed, query=query,
        when=when, periods={"Quarters": recent(desk.today)["Quarters"]}, processes=(), heads=shown.heads(viewed, 2),
        rows=[shown.monitoring_row(viewed, row) for row in viewed.table.rows], meanings=shown.named(meanings), silent=0,
        told=definitions.monitoring_in_words(viewed.table),
    )  # fmt: skip


@pages.get("/reports/complaints", statements=8)
def complaints(desk: Desk, period: str = "", format: str = "") -> Response:
    """Show the complaints of a period by what they are about, or send them as a file."""
    return _by_group(desk, "complaints", period, format)


@pages.get("/reports/cancellations", statements=8)
def cancellations(desk: Desk, period: str = "", format: str = "") -> Response:
    """Show who asked to leave in a period, why, and who stayed, or send it as a file."""
    return _by_group(desk, "cancellations", period, format)


def _by_group(desk: DeskPage, name: str, period: str, format: str) -> Response:
    when, told = chosen_period(desk, period), BY_GROUP[name]
    viewed = told.view(desk.env, when, actor=desk.actor)
    if format:
        return _file(desk, f"{name}-{when.key}", viewed, told.meanings, format)
    return desk.page(
        "desk/report.html", title=f"{told.title} in {when.title}", name=name, viewed=viewed, when=when,
        query={"period": when.key}, periods=recent(desk.today), processes=(), heads=shown.heads(viewed, 1),
        rows=[shown.group_row(viewed, row) for row in viewed.table.rows], told=told.words(viewed.table),
        meanings=shown.named(told.meanings), silent=0,
        course=shown.course(viewed.months, told.came, told.went, desk.today),
    )  # fmt: skip


@pages.get("/reports/{name}/cases", statements=11)
def cases_behind(desk: Desk, name: str, period: str = "", one: str = "", two: str = "", figure: str = "") -> Response:
    """Show the cases behind one figure, as far as the viewer may see them."""
    when = chosen_period(desk, period)
    if name == "deadlines":
        viewed = viewing.deadlines(desk.env, when, process=_process(one), actor=desk.actor)
    elif name == "monitoring" and viewing.sees_everything(desk.actor):
        viewed = viewing.monitoring(desk.env, when, public=False, actor=desk.actor)
    elif name in BY_GROUP:
        viewed = BY_GROUP[name].view(desk.env, when, actor=desk.actor)
    elif name == "monitoring":
        raise NotAllowed("Which cases are behind these figures is told to managers only.")
    else:
        raise CaseNotFound(name)
    refs = viewed.table.refs.get((one, two, figure), ())
    found = behind(desk.env, refs, actor=desk.actor)
    return desk.page(
        "desk/report_cases.html", title=f"{naming.words(figure)}: {shown.group_title(name, one, two)}", when=when,
        found=found, name=name, total=len(refs), people=desk.staffing.names,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------- what was asked for


def chosen_period(desk: DeskPage, text: str) -> Period:
    """Return the period that an address asks for; this quarter unless it says which. Raises BadInput for none."""
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

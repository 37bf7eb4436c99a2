"""All reports of a period on one page, to be read, printed, or taken along as one workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from cases.errors import BadInput
from reports import definitions, viewing
from reports.periods import Period, recent
from reports.spreadsheet import XLSX, book_of
from reports.table import Cell
from reports.viewing import Viewed
from web import wording
from web.access import STAFF
from web.desk import report_shown as shown
from web.desk.reports import BY_GROUP, chosen_period
from web.desk_page import Desk, DeskPage
from web.routing import Pages

pages = Pages(may=STAFF)


@dataclass(frozen=True)
class Part:
    """One report of the page: its figures, what they say, and the course of a year where it tells that."""

    name: str
    title: str
    viewed: Viewed
    told: list[str]
    meanings: Mapping[str, str]
    course: shown.Course | None = None


@pages.get("/reports/overview", statements=14)
def overview(desk: Desk, period: str = "", format: str = "") -> Response:
    """Show what the reports of a period say, or send all of them as one workbook."""
    when = chosen_period(desk, period)
    parts = list(_parts(desk, when))
    if format == "xlsx":
        name = f"reports-{when.key}-as-at-{wording.day_words(desk.today).replace(' ', '-')}.xlsx"
        return desk.download(name, XLSX, [book_of(list(_sheets(parts)))])
    if format:
        raise BadInput("All reports together are given as Excel.")
    return desk.page(
        "desk/report_overview.html", title=f"Reports of {when.title}", parts=parts, when=when,
        periods=recent(desk.today),
    )  # fmt: skip


def _parts(desk: DeskPage, when: Period) -> Iterator[Part]:
    for name, told in BY_GROUP.items():
        viewed = told.view(desk.env, when, actor=desk.actor)
        course = shown.course(viewed.months, told.came, told.went, desk.today, key=name)
        words = told.words(viewed.table)
        yield Part(name, told.title, viewed, words, told.meanings, course if viewed.table.rows else None)
    kept = viewing.deadlines(desk.env, when, process=None, actor=desk.actor)
    words = definitions.deadlines_in_words(kept.table)
    yield Part("deadlines", "Deadlines kept", kept, words, definitions.DEADLINES)
    if when.is_quarter:
        found = viewing.monitoring(desk.env, when, public=False, actor=desk.actor)
        words = definitions.monitoring_in_words(found.table)
        yield Part("monitoring", "Monitoring cases", found, words, definitions.MONITORING)


def _sheets(parts: list[Part]) -> Iterator[tuple[str, list[tuple[Cell, ...]]]]:
    for part in parts:
        yield part.title, [part.viewed.table.columns, *part.viewed.table.rows]
    about: list[tuple[Cell, ...]] = [("Report", "About it")]
    for part in parts:
        about += [(part.title, line) for line in (*part.told, *part.viewed.table.head)]
        about += [(f"{part.title}: {name}", text) for name, text in part.meanings.items()
                  if name in part.viewed.table.columns]  # fmt: skip
    yield "About", about

"""What a campaign hands out: results on a page, members and answers as files that are read and written in a stream."""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import openpyxl
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.campaign_counts import percent
from cases.campaign_export import Cell, answer_rows, member_rows
from cases.campaign_results import results as results_of
from web.access import STAFF
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=STAFF)
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES = {"members": member_rows, "answers": answer_rows}
_LONGEST_CELL = 32_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CHUNK = 64 * 1024


@pages.get("/campaigns/{ref}/results", statements=16)
def results(desk: Desk, ref: str) -> Response:
    """What members have answered, question by question."""
    found = results_of(desk.env, ref, actor=desk.actor, now=desk.now)
    return desk.page("desk/campaign_results.html", title=found.title, found=found, tab="results", share=percent)


@pages.get("/campaigns/{ref}/{what}.{kind}", statements=12)
def file(desk: Desk, ref: str, what: str, kind: str) -> Response:
    """Members or answers as CSV or for a spreadsheet program."""
    if what not in FILES or kind not in ("csv", "xlsx"):
        raise HTTPException(404)
    rows = FILES[what](desk.env, ref, actor=desk.actor, now=desk.now)
    rows = itertools.chain([next(rows)], rows)  # so that what is refused is refused before anything is sent
    name = f"{ref.upper()}-{what}-{desk.today.isoformat()}.{kind}"
    return desk.download(name, CSV, csv_chunks(rows)) if kind == "csv" else desk.download(name, XLSX, xlsx_chunks(rows))


def inert(cell: Cell) -> Cell:
    """Return a cell so that no spreadsheet takes a text of it for a formula; numbers stay numbers."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def csv_chunks(rows: Iterable[tuple[Cell, ...]]) -> Iterator[str]:
    """Yield rows as CSV, with the mark by which spreadsheet programs know UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    out.write("\ufeff")
    for row in rows:
        writer.writerow(["" if cell is None else _iso(inert(cell)) for cell in row])
        if out.tell() > _CHUNK:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _iso(cell: Cell) -> Cell:
    return cell.isoformat() if isinstance(cell, date) else cell


def xlsx_chunks(rows: Iterable[tuple[Cell, ...]]) -> Iterator[bytes]:
    """Yield rows as a workbook of one sheet, written through a file beside, so that no sheet is held in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Muster")
        sheet.freeze_panes = "A2"
        for row in rows:
            sheet.append([_legal(inert(cell)) for cell in row])
        book.save(path)
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk


def _legal(cell: Cell) -> Cell:
    """A text without what a workbook may not hold, and no longer than a cell."""
    if not isinstance(cell, str):
        return cell
    return "".join(c for c in cell if c >= " " or c in "\t\n\r")[:_LONGEST_CELL]

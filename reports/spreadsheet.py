"""Tables as workbooks: a report with what it is about on a second sheet, or rows alone in a stream.

Nothing in them is ever a formula.
"""

from __future__ import annotations

import io
import itertools
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reports.table import Cell, Table, Value, said

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BARRED = re.compile(r"[\\/*?:\[\]]")
_LONGEST_NAME = 31
_WIDEST = 60
_LOOKED_AT = 500
"""So many rows say how wide the columns are."""
_LONGEST_CELL = 32_000
_CHUNK = 64 * 1024


def to_xlsx(table: Table, definitions: Mapping[str, str] | None = None) -> bytes:
    """Return the table as an Excel workbook; ``definitions`` says what its columns mean."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # noqa: S101  a new workbook has one
    sheet.title = "Figures"
    for row in (table.columns, *table.rows):
        _write(sheet, row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    _widen(sheet)
    about = book.create_sheet("About")
    for line in table.head:
        _write(about, (line,))
    for name, meaning in (definitions or {}).items():
        _write(about, (name, meaning))
    _widen(about)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def book_of(sheets: Sequence[tuple[str, Sequence[Sequence[Cell]]]]) -> bytes:
    """Return a workbook of named sheets, the first row of each its heading. Names of sheets are cut to 31 letters."""
    book = Workbook(write_only=True)
    for name, rows in sheets:
        sheet = book.create_sheet(_BARRED.sub(" ", name)[:_LONGEST_NAME])
        sheet.freeze_panes = "A2"
        for number, width in enumerate(_widths(rows), start=1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        for row in rows:
            sheet.append([_text(sheet, value) if isinstance(value, str) else value for value in row])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _widths(rows: Sequence[Sequence[Value]]) -> list[int]:
    columns = max((len(row) for row in rows), default=0)
    cells = [[str(row[place]) for row in rows[:_LOOKED_AT] if place < len(row)] for place in range(columns)]
    return [min(_WIDEST, max((len(text) for text in column), default=8) + 2) for column in cells]


def xlsx_chunks(rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """Yield rows, their heading first, as a workbook of one sheet; it is written through a file, not held in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        book = Workbook(write_only=True)
        _fill(book.create_sheet("Muster"), iter(rows))
        book.save(path)
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk


def _fill(sheet: Any, rows: Iterator[Sequence[Value]]) -> None:
    """Write rows; the columns are as wide as the first of them need, and can be filtered by."""
    first = list(itertools.islice(rows, _LOOKED_AT))
    sheet.freeze_panes = "A2"
    for number, width in enumerate(_widths(first), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    count = 0
    for count, row in enumerate(itertools.chain(first, rows), start=1):
        bold = count == 1
        sheet.append([_text(sheet, value, bold=bold) if isinstance(value, str) else said(value) for value in row])
    if first and first[0]:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(first[0]))}{count}"


def _text(sheet: Any, text: str, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, value=_legal(text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _legal(text: str) -> str:
    """Return a text without what a workbook may not hold, and no longer than a cell."""
    return _CONTROLS.sub("", text)[:_LONGEST_CELL]


def _write(sheet: Worksheet, row: Sequence[Cell]) -> None:
    """Append a row. A text is written as a text, whatever it begins with."""
    number = 1 if sheet.max_row == 1 and sheet["A1"].value is None else sheet.max_row + 1
    for place, value in enumerate(row, start=1):
        cell = sheet.cell(number, place)
        cell.value = _legal(value) if isinstance(value, str) else value
        if isinstance(value, str):
            cell.data_type = "s"


def _widen(sheet: Worksheet) -> None:
    for number, column in enumerate(sheet.iter_cols(values_only=True), start=1):
        longest = max((len(str(value)) for value in column if value is not None), default=8)
        sheet.column_dimensions[get_column_letter(number)].width = min(_WIDEST, longest + 2)

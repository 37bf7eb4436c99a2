"""A report as a workbook: the table on one sheet, what it is about on another. Nothing in it is ever a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reports.table import Cell, Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WIDEST = 60


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


def _write(sheet: Worksheet, row: Sequence[Cell]) -> None:
    """Append a row. A text is written as a text, whatever it begins with."""
    number = 1 if sheet.max_row == 1 and sheet["A1"].value is None else sheet.max_row + 1
    for place, value in enumerate(row, start=1):
        cell = sheet.cell(number, place)
        cell.value = _CONTROLS.sub("", value) if isinstance(value, str) else value
        if isinstance(value, str):
            cell.data_type = "s"


def _widen(sheet: Worksheet) -> None:
    for number, column in enumerate(sheet.iter_cols(values_only=True), start=1):
        longest = max((len(str(value)) for value in column if value is not None), default=8)
        sheet.column_dimensions[get_column_letter(number)].width = min(_WIDEST, longest + 2)

"""Reading tables from CSV and XLSX files, row by row, with the line each row begins on."""

import codecs
import csv
import io
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TextIO
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml import DEFUSEDXML

from config.database import without_nul
from members.errors import Unusable

DELIMITERS = ",;\t"
SAMPLE = 65536
MOST_COLUMNS = 1000
_BEYOND = 20
OLD_EXCEL, ZIPPED = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_BROKEN_BOOK = (
    InvalidFileException,
    BadZipFile,
    KeyError,
    ValueError,
    IndexError,
    SyntaxError,
    EOFError,
    OSError,
)

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line of the file it begins on, and its values by column, trimmed."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not taken, and why."""

    line: int
    why: str


@dataclass
class Table:
    """A file being read: go through `records` once; `broken` fills with the rows that could not be read."""

    columns: tuple[str, ...]
    records: Iterator[Record] = field(default_factory=lambda: iter(()))
    broken: list[Refusal] = field(default_factory=list)


def read_table(path: Path) -> Table:
    """Open a CSV file (any usual encoding and delimiter) or the first sheet of an XLSX file.

    Rows are read while `records` is gone through. Raises Unusable when the file cannot be read as a table.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as problem:
        raise Unusable(f"{path} cannot be read: {problem.strerror or problem}.") from problem
    if start == OLD_EXCEL:
        raise Unusable(f"{path.name} is in the old Excel format; save it as .xlsx or CSV.")
    broken: list[Refusal] = []
    if start == ZIPPED:
        return _table(path.name, _sheet_rows(path), broken, ragged=True)
    return _table(path.name, _csv_rows(path, broken), broken)


def _table(name: str, rows: Iterator[Row], broken: list[Refusal], *, ragged: bool = False) -> Table:
    """Return the table whose header is the first row with anything in it.

    Where rows are `ragged`, empty cells at their end may be missing.
    """
    _, header = next(((line, cells) for line, cells in rows if any(cells)), (0, []))
    if not header:
        raise Unusable(f"{name} is empty: it has no row with the names of its columns.")
    columns = _column_names(header)
    if ragged:
        rows = ((line, cells + [""] * (len(columns) - len(cells))) for line, cells in rows)
    return Table(columns, _records(columns, rows, broken), broken)


def _column_names(header: list[str]) -> tuple[str, ...]:
    """Return a name for every column: nameless ones by their number, repeated ones with a number behind."""
    while header and not header[-1]:
        header = header[:-1]
    if len(header) > MOST_COLUMNS:
        raise Unusable(f"The first row has {len(header):,} columns; {MOST_COLUMNS} are the most that are read.")
    names: list[str] = []
    for number, given in enumerate(header, start=1):
        name, again = given or f"column {number}", 2
        while name in names:
            name, again = f"{given} ({again})", again + 1
        names.append(name)
    return tuple(names)


def _records(columns: tuple[str, ...], rows: Iterator[Row], broken: list[Refusal]) -> Iterator[Record]:
    width = len(columns)
    for line, cells in rows:
        if not any(cells):
            continue
        if len(cells) < width:
            broken.append(Refusal(line, f"The row ends after {len(cells)} of {width} columns; it looks cut off."))
        elif any(cells[width:]):
            why = f"The row has {len(cells)} values for {width} columns; is a quotation mark missing?"
            broken.append(Refusal(line, why))
        else:
            yield Record(line, dict(zip(columns, cells, strict=False)))


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        if start[1::2].count(0) > len(start) // 4:
            return "utf-16-le"
        raise Unusable(f"{path.name} is neither a CSV nor an XLSX file.")
    for encoding in ("utf-8-sig", "cp1252"):
        if _decodes(path, encoding):
            return encoding
    raise Unusable(f"The letters in {path.name} are neither UTF-8 nor Windows-1252; save it as UTF-8.")


def _decodes(path: Path, encoding: str) -> bool:
    """Whether the whole file is text in `encoding`; its last letter may be cut in two."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while piece := file.read(1 << 20):
                decoder.decode(piece)
        except UnicodeDecodeError:
            return False
    return True


class _Lines:
    """The physical lines of a file, which can be taken back to where the present row began."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.row_begins_on = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self._taken.append(line)
        return line

    def next_row(self) -> None:
        """The lines taken so far made a row."""
        self.row_begins_on += len(self._taken)
        self._taken.clear()

    def skip_one(self) -> None:
        """The first of the lines taken is broken; the others are to be read again."""
        self._again.extendleft(reversed(self._taken[1:]))
        self._taken.clear()
        self.row_begins_on += 1


def _csv_rows(path: Path, broken: list[Refusal]) -> Iterator[Row]:
    """Yield each row with the line it begins on. After a broken row, reading goes on with the next line."""
    encoding = _encoding(path)
    with path.open("r", encoding=encoding, errors="replace", newline="") as file:
        delimiter = _delimiter(file.read(SAMPLE))
        file.seek(0)
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                broken.append(Refusal(lines.row_begins_on, _explained(str(problem))))
                lines.skip_one()
                reader = csv.reader(lines, delimiter=delimiter, strict=True)
                continue
            yield lines.row_begins_on, [without_nul(cell.strip()) for cell in cells]
            lines.next_row()


def _delimiter(sample: str) -> str:
    """Return the character that divides the first row into most columns."""
    widths = {mark: len(_first_row(sample, mark)) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: widths[mark])


def _first_row(sample: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        return next((row for row in rows if any(row)), [])
    except csv.Error:
        return []


def _explained(problem: str) -> str:
    if "unexpected end" in problem:
        return "A quotation mark opens in this row and never closes; the row looks cut off."
    if "expected after" in problem:
        return 'A quotation mark stands inside a value; write it twice ("") or remove it.'
    if "field limit" in problem:
        return "A value is far too long; is a closing quotation mark missing?"
    return f"The row cannot be read: {problem}."


def _sheet_rows(path: Path) -> Iterator[Row]:
    """Yield each row of the first sheet with its number."""
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # remarks on styles and extensions, which do not matter here
        if not DEFUSEDXML:
            raise Unusable("Workbooks are not read without the package that refuses XML entities; save it as CSV.")
        try:
            sheet = load_workbook(file, read_only=True, data_only=True).worksheets[0]
            sheet.reset_dimensions()  # what a file says of its own size may be anything
            rows = sheet.iter_rows(values_only=True, max_col=_width(sheet))
            for number, cells in enumerate(rows, start=1):
                yield number, [_text(cell) for cell in cells]
        except _BROKEN_BOOK as problem:
            raise Unusable(f"{path.name} cannot be read as an XLSX file; open it and save it again.") from problem


def _width(sheet: Any) -> int:
    """How many columns are read: those of the first row that has any, and some beyond, so that strays are noticed.

    A cell at the far end of a row makes a row of 16,384 cells, and a file of a few kilobytes a million such rows.
    """
    rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1)
    first = next((cells for cells in rows if any(cell is not None for cell in cells)), ())
    return max((n for n, cell in enumerate(first, start=1) if cell is not None), default=1) + _BEYOND


def _text(cell: object) -> str:
    """Return a cell as a person reads it: no time for plain dates, no ".0" for whole numbers."""
    if cell is None:
        return ""
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    text: str = without_nul(str(cell).strip())
    return text

"""A report as a table: what it is about, as at when, its rows, and the cases behind each figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

Cell = str | int | float | None
Value = Cell | date | bool
"""What stands in the cells of files that are not reports."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CHUNK = 64 * 1024
CSV = "text/csv; charset=utf-8"
"""The media type of CSV."""
NOT_APPLICABLE = "n/a"
"""Where there is nothing to divide by: never 0 %."""


@dataclass(frozen=True)
class Table:
    """Figures to be read, printed and drilled into."""

    title: str
    as_at: datetime
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    refs: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    """References of the cases behind a figure, by row key and column; empty in what is made public."""

    @property
    def head(self) -> tuple[str, ...]:
        """What every copy begins with."""
        return (self.title, f"As at {self.as_at.isoformat(timespec='seconds')}. Rows: {len(self.rows)}.", *self.notes)


def percent(part: int, whole: int) -> str:
    """Return a share to one decimal, or n/a when there is nothing to share; 100 % is all of it and nothing less."""
    if not whole:
        return NOT_APPLICABLE
    found = round(float(Fraction(100 * part, whole)), 1)
    return f"{found if part >= whole else min(found, 99.9):.1f} %"


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which this share of the values lies, in proportion between two of them; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 1)


def to_csv(table: Table) -> str:
    """Return the table as CSV: comment lines with its head, then columns and rows."""
    out = io.StringIO()
    for line in table.head:
        out.write(f"# {line}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([inert(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def csv_chunks(rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """Yield rows alone, their heading first, as CSV in pieces, marked as UTF-8 for spreadsheets."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([inert(cell) for cell in row])
        if out.tell() > _CHUNK:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def said(cell: Value) -> Value:
    """Return a cell as people read it: yes and no as words."""
    return ("yes" if cell else "no") if isinstance(cell, bool) else cell


def inert(cell: Value) -> Value:
    """Return a cell for CSV: a text that a spreadsheet would take for a formula is written so that it stays a text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else said(cell)


def to_markdown(table: Table) -> str:
    """Return the table as Markdown."""
    head, *rest = table.head
    lines = [f"# {head}", "", *rest, "", _line(table.columns), _line(["---"] * len(table.columns))]
    return "\n".join([*lines, *(_line(row) for row in table.rows)]) + "\n"


def _line(cells: Sequence[Cell]) -> str:
    return "| " + " | ".join("" if c is None else str(c).replace("|", "\\|") for c in cells) + " |"

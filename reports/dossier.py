"""A report of several tables: one value, from which the paper, the workbook and the file of rows are made.

Every copy begins with what it is about: as at when, of whom, from which run over which answers, how many rows, and the
control total that ties its figures to the members of the campaign.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from reports.spreadsheet import XLSX, book_of
from reports.table import CSV, Cell, inert

if TYPE_CHECKING:
    from papers.blocks import Block

PDF = "application/pdf"
SUFFIX = "."


@dataclass(frozen=True)
class Sheet:
    """One table of a report."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True)
class Dossier:
    """A report of several tables with what it is about."""

    title: str
    subtitle: str
    as_at: datetime
    as_at_words: str
    footer: str
    about: Sequence[tuple[str, str]]
    notes: Sequence[str]
    sheets: Sequence[Sheet]
    listed: Sheet
    """What the file of rows holds."""
    blocks: Sequence[Block]
    """What the paper says, after what it is about."""
    stem: str
    """How its files are named, without what they end in."""


class Copy(NamedTuple):
    """A copy of a report as a file."""

    name: str
    media_type: str
    content: bytes


def to_pdf(dossier: Dossier) -> bytes:
    """Return a report as a PDF; the same report is the same bytes."""
    from papers.blocks import Bullets, Definitions, Heading, Paper
    from papers.pdf import printed

    paper = Paper(
        dossier.title, dossier.as_at, running=f"As at {dossier.as_at_words}", footer=dossier.footer,
        subtitle=dossier.subtitle, subject=dossier.subtitle,
    )  # fmt: skip
    begin: list[Block] = [Definitions(dossier.about), Heading("How this was counted"), Bullets(dossier.notes)]
    return printed(paper, [*begin, *dossier.blocks])


def to_book(dossier: Dossier) -> bytes:
    """Return a report as a workbook: what it is about first, then a sheet a table. Nothing in it is a formula."""
    about: list[tuple[Cell, ...]] = [(dossier.title, ""), (dossier.subtitle, ""), ("As at", dossier.as_at_words)]
    about += [*dossier.about, *(("Note", note) for note in dossier.notes)]
    about += [(f"Rows of the sheet “{sheet.name}”", len(sheet.rows)) for sheet in dossier.sheets]
    tables = [(sheet.name, [sheet.columns, *sheet.rows]) for sheet in dossier.sheets]
    return book_of([("About", about), *tables])


def to_rows(dossier: Dossier) -> bytes:
    """Return the rows of a report as CSV, below comment lines that say what it is about."""
    out = io.StringIO()
    out.write("\ufeff")
    head = [dossier.title, dossier.subtitle, f"As at {dossier.as_at_words}"]
    head += [f"{name}: {told}" for name, told in dossier.about] + [*dossier.notes]
    for line in [*head, f"Rows: {len(dossier.listed.rows)}"]:
        out.write(f"# {_one_line(line)}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(dossier.listed.columns)
    writer.writerows([inert(cell) for cell in row] for row in dossier.listed.rows)
    return out.getvalue().encode()


FORMATS: dict[str, tuple[str, Callable[[Dossier], bytes]]] = {
    "pdf": (PDF, to_pdf), "xlsx": (XLSX, to_book), "csv": (CSV, to_rows),
}  # fmt: skip


def copy_of(dossier: Dossier, kind: str) -> Copy:
    """Return a copy of a report as ``pdf``, ``xlsx`` or ``csv``. Raises KeyError for another kind."""
    media_type, make = FORMATS[kind]
    return Copy(f"{dossier.stem}{SUFFIX}{kind}", media_type, make(dossier))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)

"""The sheets of a form as rows, read by pyxform from a workbook that was looked at first: nothing in it is trusted."""

from __future__ import annotations

import copy
import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook
from pyxform import aliases
from pyxform.errors import PyXFormError
from pyxform.parsing.sheet_headers import dealias_and_group_headers
from pyxform.question import MultipleChoiceQuestion, Option
from pyxform.survey import Survey
from pyxform.xls2json import workbook_to_json
from pyxform.xls2json_backends import DefinitionData, xls_to_dict, xlsx_to_dict

from cases.xlsform.problems import FormRefused, at

LARGEST = 5 * 1024 * 1024
LARGEST_UNPACKED = 20 * 1024 * 1024
MOST_PARTS = 500
MOST_ROWS = 2000
MOST_COLUMNS = 200
MOST_EMPTY = 60
"""So many empty rows are the end of a sheet, for pyxform as for us."""
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_UNUSED = ("entities", "external_choices", "osm")
_READ = ("survey", "choices", "settings")
_BROKEN = (
    PyXFormError, zipfile.BadZipFile, zlib.error, struct.error, KeyError, ValueError, IndexError, TypeError,
    AttributeError, AssertionError, SyntaxError, EOFError, OSError, NotImplementedError, RecursionError,
    OverflowError, UnicodeError,
)  # fmt: skip
"""What pyxform, openpyxl and xlrd raise over a workbook that is none; the person hears that it cannot be read."""
_AT_ROW = re.compile(r"\[row : (\d+)\]\s*")


@dataclass(frozen=True)
class Form:
    """The rows of a form: each a mapping of its cells by what the column means, with its number as ``__row``."""

    survey: tuple[Mapping[str, Any], ...]
    choices: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]
    language: str
    """What texts are called whose column names no language."""


def read_form(content: bytes) -> Form:
    """Return the form in a workbook, .xlsx or .xls. Raises FormRefused."""
    if len(content) > LARGEST:
        raise FormRefused([f"The file is larger than {LARGEST >> 20} MB; no form is."])
    if content.startswith(_ZIP):
        _look_at(content)
        found = _opened(content, xlsx_to_dict)
    elif content.startswith(_OLE):
        found = _opened(content, xls_to_dict)
    else:
        raise FormRefused(["The file is no Excel workbook; save the form as .xlsx."])
    return _form(found)


def _look_at(content: bytes) -> None:
    """Raise FormRefused for a workbook that unpacks to too much, brings its own entities, or works cells out."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise FormRefused(["The file unpacks to far more than a form can be."])
            for part in parts:
                inside = packed.read(part)  # of every part: a workbook may call its sheets what it likes
                if any(mark in inside for mark in _DOCTYPES):
                    raise FormRefused(["The file declares XML entities, which no workbook needs; it is not read."])
        problems = list(_worked_out(content))
    except _BROKEN as bad:
        if isinstance(bad, FormRefused):
            raise
        raise FormRefused([_UNREADABLE]) from bad
    if problems:
        raise FormRefused(problems)


_UNREADABLE = "The file cannot be read as a workbook; open it, save it again as .xlsx, and try that."


def _worked_out(content: bytes) -> Iterator[str]:
    """Yield a sentence for each cell with a formula of the spreadsheet, and for a sheet that is far too long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on styles and extensions, which do not matter here
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    for sheet in book.worksheets:
        name = sheet.title.lower()
        if name not in _READ:
            continue
        sheet.reset_dimensions()  # what a file says of its own size may be anything
        filled = empty = 0
        for row in sheet.iter_rows(max_col=MOST_COLUMNS + 1):
            cells = [cell for cell in row if cell.value is not None]
            filled, empty = filled + bool(cells), 0 if cells else empty + 1
            if empty > MOST_EMPTY:
                break
            if filled > MOST_ROWS or len(cells) > MOST_COLUMNS:
                yield f"Sheet {name}: more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns are not read."
                break
            yield from (
                at(name, int(cell.row), f"cell {cell.coordinate} holds a spreadsheet formula; paste its value instead.")
                for cell in cells
                if cell.data_type == "f"
            )


def _opened(content: bytes, read: Any) -> DefinitionData:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return DefinitionData(fallback_form_name=None, **read(io.BytesIO(content)))
    except PyXFormError as bad:
        told = str(bad)
        raise FormRefused([_UNREADABLE if told.startswith("Error reading") else _sentence(told)]) from None
    except _BROKEN as bad:
        raise FormRefused([_UNREADABLE]) from bad


def _form(found: DefinitionData) -> Form:
    if not found.survey:
        raise FormRefused(["The workbook has no sheet called survey with questions in it."])
    unused = [f"The sheet {name} is not supported." for name in _UNUSED if getattr(found, name)]
    if unused:
        raise FormRefused(unused)
    if len(found.survey) > MOST_ROWS or len(found.choices or ()) > MOST_ROWS:
        raise FormRefused([f"A sheet has more than {MOST_ROWS:,} rows, the most that are read."])
    try:
        settings = _sheet(found, "settings", Survey, "default")[:1]
        language = str(settings[0].get("default_language") or "default") if settings else "default"
        survey = _sheet(found, "survey", MultipleChoiceQuestion, language)
        choices = _sheet(found, "choices", Option, language)
    except PyXFormError as bad:
        raise FormRefused([_sentence(str(bad))]) from None
    return Form(survey, choices, settings[0] if settings else {}, language)


_ALIASES = {"settings": "settings_header", "survey": "survey_header", "choices": "list_header"}


def _sheet(found: DefinitionData, name: str, kind: Any, language: str) -> tuple[Mapping[str, Any], ...]:
    rows = getattr(found, name)
    if not rows:
        return ()
    sheet = dealias_and_group_headers(
        sheet_name=name, sheet_data=copy.deepcopy(rows), sheet_header=getattr(found, f"{name}_header"),
        header_aliases=getattr(aliases, _ALIASES[name]), header_columns=set(kind.get_slot_names()),
        headers_required={"type"} if name == "survey" else None, default_language=language, strip_whitespace=False,
        add_row_number=True,
    )  # fmt: skip
    return tuple(row for row in sheet.data if set(row) - {"__row"})


def second_opinion(content: bytes) -> str | None:
    """Return what pyxform has against a form that we would take, or None."""
    read = xlsx_to_dict if content.startswith(_ZIP) else xls_to_dict
    try:
        workbook_to_json(workbook_dict=_opened(content, read), form_name="form", warnings=[])
    except PyXFormError as bad:
        return _sentence(str(bad))
    return None


def _sentence(told: str) -> str:
    """Return a message of pyxform as a sentence of ours."""
    words = " ".join(told.split())
    row = _AT_ROW.search(words)
    text = _AT_ROW.sub("", words)[:300].rstrip(" .")
    return at("survey", int(row[1]), f"{text}.") if row else f"{text}."

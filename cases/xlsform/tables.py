"""Repeats and lists of selects of a form as tables."""

from __future__ import annotations

import re
from typing import Any

from cases.xlsform.answers import Asked, limited
from cases.xlsform.kinds import kind_of
from cases.xlsform.naming import COLUMN
from cases.xlsform.rows import Line
from surveys.constraints import bounds
from surveys.questions import COLUMN_TYPES

ROWS = 50
"""The most rows of a repeat that names no number."""
_COUNT = re.compile(r"[1-9]\d{0,3}", re.ASCII)


def matrix(line: Line, asked: Asked) -> dict[str, Any]:
    """Return a group of selects with the same choices as one table with a row for each."""
    text = asked.speaking.text(line.cells.get("label"), line.row, "label")
    required = [each.always_required for each in line.inside]
    if any(required) and not all(required):
        asked.found.ignore(f"Sheet survey, row {line.row}: not all rows of the table are required; all may be left.")
    column: dict[str, Any] = {
        "id": COLUMN, "type": "single", "text": "Answer",
        "choices": asked.lists.of(line.inside[0].list_name, line.inside[0].row),
    }  # fmt: skip
    rows = [
        {"id": asked.names.ids[each.row], "text": asked.speaking.text(each.cells["label"], each.row, "label")}
        for each in line.inside
    ]
    must = {"required": True} if all(required) else {}
    kind = {"type": "table", "columns": [column | must], "rows": rows, **must}
    return asked.headed(line, kind, text)


def repeat(line: Line, asked: Asked) -> dict[str, Any] | None:
    """Return a repeat as a table with a column for each question in it; None, noted, where it does not fit."""
    before = len(asked.found.problems)
    text = asked.speaking.text(line.cells.get("label"), line.row, "label")
    columns = [column for each in line.inside if (column := _column(each, asked)) is not None]
    most = _most(line, asked)
    if not line.inside:
        asked.found.refuse(line.row, "the repeat has nothing in it.")
    if len(asked.found.problems) > before:
        return None
    must = {"required": True} if any(column.get("required") for column in columns) else {}
    kind = {"type": "table", "columns": columns, "max_rows": most, **must}
    return asked.headed(line, kind, text or line.name.replace("_", " ").capitalize())


def _most(line: Line, asked: Asked) -> int:
    control = line.cells.get("control")
    count = str(control.get("jr:count") or "").strip() if isinstance(control, dict) else ""
    if count and not _COUNT.fullmatch(count):
        asked.found.refuse(line.row, "the number of repeats must be a number; one that depends on answers is not.")
        return ROWS
    return min(int(count), 500) if count else ROWS


def _column(line: Line, asked: Asked) -> dict[str, Any] | None:
    if line.kind in ("group", "repeat", "note", "calculate") or line.bind("calculate"):
        asked.found.refuse(line.row, f"a {line.kind} inside a repeat is not supported.")
        return None
    for name in ("relevant", "readonly"):
        if line.bind(name):
            asked.found.refuse(line.row, f"{name} inside a repeat is not supported: the columns of a table stay.")
    if line.or_other or line.cells.get("choice_filter") or line.required_when:
        asked.found.refuse(line.row, "inside a repeat, required is yes or no, and there is no filter and no other.")
    kind = kind_of(line, asked.lists, asked.found)
    text = asked.speaking.text(line.cells.get("label"), line.row, "label")
    if kind is None:
        return None
    if kind["type"] not in COLUMN_TYPES:
        asked.found.refuse(line.row, f"a question of the type '{line.kind}' inside a repeat is not supported.")
        return None
    if text is None:
        asked.found.refuse(line.row, "there is no label.")
    if kind.pop("constraint", None):
        asked.found.refuse(line.row, "a range with steps inside a repeat is not supported.")
    column = {"id": asked.names.ids[line.row], "type": kind.pop("type"), "text": text, **kind}
    return column | ({"required": True} if line.always_required else {}) | _limits(line, asked, column["type"])


def _limits(line: Line, asked: Asked, kind: str) -> dict[str, Any]:
    if not line.bind("constraint"):
        return {}
    kept = asked.formula(line, "constraint", line.bind("constraint"))
    limits = bounds(kept) if kept is not None and kind == "number" else None
    if kept is not None and limits is None:
        asked.found.refuse(line.row, "inside a repeat a constraint can only say from what number to what number.")
    if line.message:
        asked.found.ignore(f"Sheet survey, row {line.row}: the constraint message; the limits say it themselves.")
    return limited(limits) if limits else {}

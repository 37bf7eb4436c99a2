"""What each type of question in a form is here, without its texts and conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from cases.file_types import ALLOWED
from cases.xlsform.choices import Lists
from cases.xlsform.problems import Found
from cases.xlsform.rows import Line

PICTURES = ("png", "jpg", "gif", "webp")
LONGEST_LINE = 500
LEFT_OUT = frozenset(
    {"start", "end", "today", "deviceid", "username", "phonenumber", "email", "audit", "imei", "simserial",
     "subscriberid"}
)  # fmt: skip
"""What a telephone notes by itself; the record of the case has who answered and when."""
_DOCUMENTS = ("pdf", "docx", "xlsx", "pptx", "odt", "ods", "txt", "csv", *PICTURES)
_PARAMETER = re.compile(r"([a-z-]+)\s*=\s*([^\s,;]+)", re.IGNORECASE)

Kind = dict[str, Any]


def kind_of(line: Line, lists: Lists, found: Found) -> Kind | None:
    """Return the type of a question with what belongs to it; None, noted, for a type that is not supported."""
    make = _KINDS.get(line.kind)
    if make is None:
        found.refuse(line.row, f"questions of the type '{line.kind[:40]}' are not supported.")
        return None
    return make(line, lists, found)


def _text(line: Line, lists: Lists, found: Found) -> Kind:
    if "multiline" in line.looks or "multi-line" in line.looks:
        return {"type": "long_text"}
    return {"type": "text", "max_length": LONGEST_LINE}


def _integer(line: Line, lists: Lists, found: Found) -> Kind:
    return {"type": "number", "integer": True}


def _decimal(line: Line, lists: Lists, found: Found) -> Kind:
    return {"type": "number"}


def _select(line: Line, lists: Lists, found: Found) -> Kind:
    choices = lists.of(line.list_name, line.row)
    if line.or_other and not any(each["value"] == "other" for each in choices):
        choices = [*choices, {"value": "other", "label": "Other"}]
    return {"type": line.kind, "choices": choices}


def _range(line: Line, lists: Lists, found: Found) -> Kind:
    given = parameters(line)
    try:
        start, end, step = (Decimal(given.get(name, usual)) for name, usual in _RANGE)
    except InvalidOperation:
        found.refuse(line.row, "the parameters of the range are not numbers; write start=1 end=10 step=1.")
        return {"type": "number"}
    whole = all(each == each.to_integral_value() for each in (start, end, step))
    kind: Kind = {"type": "number", "min": plain(start), "max": plain(end)}
    if step > 0 and not (whole and step == 1):
        told = f"Enter a number in steps of {step.normalize():f} from {start.normalize():f}."
        kind["constraint"] = [{"formula": f"(. - {start:f}) mod {step:f} = 0", "message": told}]
    return {**kind, "integer": True} if whole else kind


_RANGE = (("start", "1"), ("end", "10"), ("step", "1"))


def _file(line: Line, lists: Lists, found: Found) -> Kind:
    if line.kind not in ("file", "add file prompt") and {"signature", "draw", "annotate"} & set(line.looks):
        found.refuse(line.row, "drawings and signatures are not supported; ask for a file, or run a sign-off.")
    endings = _DOCUMENTS if line.kind in ("file", "add file prompt") else PICTURES
    return {"type": "file", "accept": [ALLOWED[each] for each in endings]}


def _plain(kind: str) -> Callable[[Line, Lists, Found], Kind]:
    return lambda line, lists, found: {"type": kind}


def parameters(line: Line) -> Mapping[str, str]:
    """Return what the column parameters says."""
    return {name.lower(): value for name, value in _PARAMETER.findall(str(line.cells.get("parameters") or "")[:500])}


def plain(number: Decimal) -> int | float:
    """Return a number as a definition writes it."""
    return int(number) if number == number.to_integral_value() else float(number)


_KINDS: Mapping[str, Callable[[Line, Lists, Found], Kind]] = {
    "text": _text, "string": _text, "integer": _integer, "int": _integer, "decimal": _decimal, "range": _range,
    "single": _select, "multiple": _select, "date": _plain("date"), "acknowledge": _plain("yes_no"), "trigger":
    _plain("yes_no"), "file": _file, "image": _file, "photo": _file, "add file prompt": _file,
    "add image prompt": _file, "add photo prompt": _file,
}  # fmt: skip

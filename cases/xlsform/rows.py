"""The rows of a form as a tree: groups with what is in them, each row by what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cases.xlsform.problems import Found

_BEGIN = re.compile(r"begin[ _](group|repeat|loop|lgroup|looped group)\b")
_END = re.compile(r"end[ _](group|repeat|loop|lgroup|looped group)\b")
_NAME = re.compile(r"[^\W\d][\w.-]*", re.ASCII)
DEEPEST = 6
YES_NO = {
    "yes": True, "true": True, "true()": True, "1": True, "no": False, "false": False, "false()": False, "": False,
    "0": False,
}  # fmt: skip
_READ = frozenset(
    {"type", "name", "label", "hint", "bind", "control", "parameters", "choice_filter", "trigger", "disabled", "__row"}
)
_BIND = frozenset({"relevant", "required", "constraint", "jr:constraintMsg", "calculate", "readonly"})
_WORDS = {"jr:requiredMsg": "required_message", "jr:noAppErrorString": "no_app_error_string"}


@dataclass
class Line:
    """A row of the survey sheet, or a group of them."""

    row: int
    kind: str
    """The type, in lower case, without the name of a list."""
    name: str
    cells: Mapping[str, Any]
    list_name: str = ""
    or_other: bool = False
    inside: list[Line] = field(default_factory=list)

    def bind(self, name: str) -> str:
        """Return a cell about the answer, such as relevant or constraint; empty where there is none."""
        bind = self.cells.get("bind")
        value = bind.get(name) if isinstance(bind, Mapping) else None
        return str(value).strip() if value is not None and not isinstance(value, Mapping) else ""

    @property
    def message(self) -> Any:
        """What is said when the constraint is not kept to, perhaps by language."""
        bind = self.cells.get("bind")
        return bind.get("jr:constraintMsg") if isinstance(bind, Mapping) else None

    @property
    def looks(self) -> list[str]:
        """The words of the column appearance."""
        control = self.cells.get("control")
        return str(control.get("appearance") or "").split() if isinstance(control, Mapping) else []

    @property
    def always_required(self) -> bool:
        """Whether an answer is required whatever else was answered."""
        return YES_NO.get(self.bind("required").lower(), False)

    @property
    def required_when(self) -> str:
        """The expression that makes an answer required; empty where there is none."""
        said = self.bind("required")
        return "" if said.lower() in YES_NO else said

    def everything(self) -> Iterator[Line]:
        """Yield this and all that is inside, in order."""
        yield self
        for each in self.inside:
            yield from each.everything()


def tree(survey: tuple[Mapping[str, Any], ...], found: Found) -> list[Line]:
    """Return the rows of a form, those of groups inside them; what is wrong is noted."""
    top = Line(1, "begin group", "", {})
    stack = [top]
    for cells in survey:
        row, typed = int(cells["__row"]), " ".join(str(cells.get("type") or "").split())
        if not typed:
            if cells.get("name") or cells.get("label"):
                found.refuse(row, "there is no type.")
            continue
        if YES_NO.get(str(cells.get("disabled") or "").lower(), False):
            found.ignore(f"Sheet survey, row {row}: disabled.")
            continue
        _note_unread(cells, found)
        if _END.match(typed.lower()):
            if len(stack) == 1:
                found.refuse(row, "a group ends here that never began.")
            else:
                stack.pop()
            continue
        line = _line(row, typed, cells, found)
        stack[-1].inside.append(line)
        if line.kind in ("group", "repeat"):
            stack.append(line)
            if len(stack) > DEEPEST:
                found.refuse(row, f"groups are nested more than {DEEPEST - 1} deep.")
                break
    for open_ in stack[1:]:
        found.refuse(open_.row, f"the group '{open_.name}' never ends.")
    return top.inside


def _line(row: int, typed: str, cells: Mapping[str, Any], found: Found) -> Line:
    begins, lower = _BEGIN.match(typed.lower()), typed.lower()
    name = str(cells.get("name") or "").strip()
    if begins:
        kind = "group" if begins[1] == "group" else "repeat"
        line = Line(row, kind, name or f"group_{row}", cells)
        if begins[1] == "loop":
            found.refuse(row, "loops are not supported.")
        return line
    if not name and lower != "note":
        found.refuse(row, "there is no name.")
    elif name and not _NAME.fullmatch(name):
        found.refuse(row, f"the name '{name[:60]}' is not letters, digits, dots, dashes and underscores.")
    for kind, heads in _SELECTS.items():
        for head in heads:
            if lower.startswith(f"{head} "):
                rest = typed[len(head) :].split()
                other = rest[-1].lower() == "or_other" or rest[-2:] == ["or", "specify"]
                return Line(row, kind, name, cells, rest[0], other)
    return Line(row, lower, name or f"note_{row}", cells)


_SELECTS = {
    "single": ("select_one", "select one from", "select one", "select1"),
    "multiple": ("select_multiple", "select all that apply from", "select all that apply"),
}


def _note_unread(cells: Mapping[str, Any], found: Found) -> None:
    """Note once each column that is not used."""
    for column in set(cells) - _READ:
        found.ignore(f"Sheet survey, column {column}: not used.")
    bind = cells.get("bind")
    for column in set(bind) - _BIND if isinstance(bind, Mapping) else ():
        found.ignore(f"Sheet survey, column {_WORDS.get(column, column)}: not used.")

"""What the questions of a form are called here: their names as ids, and where the cells of tables are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from cases.xlsform.problems import Found
from cases.xlsform.rows import Line
from surveys.consistency import RESERVED

COLUMN = "answer"
"""The one column of a table that was a list of selects."""


def slug(name: str, mark: str = "_", taken: Collection[str] = ()) -> str:
    """Return a name as an id: small letters, digits and ``mark``, beginning with a letter, none of those taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+" if mark == "-" else r"[^a-z0-9_]+", mark, plain).strip(mark)
    stem = (words if words[:1].isalpha() else f"q{mark}{words}".strip(mark))[:60]
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem[:56]}{mark}{number}", number + 1
    return found


def is_matrix(line: Line) -> bool:
    """Whether a group of selects is shown as one table."""
    lists = {each.list_name for each in line.inside}
    plain = all(
        each.kind == "single" and not each.or_other and not each.required_when
        and not any(each.bind(name) for name in ("relevant", "constraint", "calculate"))
        and each.cells.get("label") and not each.cells.get("choice_filter")
        for each in line.inside
    )  # fmt: skip
    return "table-list" in line.looks and bool(line.inside) and plain and len(lists) == 1 and bool(line.cells["label"])


class Names:
    """Our ids by the names of the form."""

    def __init__(self, lines: Iterable[Line], found: Found) -> None:
        self._found = found
        self._taken: set[str] = set(RESERVED)
        self._rows: dict[str, int] = {}
        self.of: dict[str, str] = {}
        """How a formula calls a question, by its name in the form."""
        self.ids: dict[int, str] = {}
        """The id of what a row became."""
        self.ticked: set[str] = set()
        for line in lines:
            self._learn(line)

    def _learn(self, line: Line) -> None:
        if line.kind == "group" and not is_matrix(line):
            for each in line.inside:
                self._learn(each)
            return
        self._once(line)
        number = self.ids[line.row] = slug(line.name, taken=self._taken)
        self._taken.add(number)
        if line.kind == "repeat":
            self._cells(line, number, "{table}.{cell}")
        elif line.kind == "group":
            self._cells(line, number, "{table}.{cell}." + COLUMN)
            return
        self.of.setdefault(line.name, number)
        if line.kind == "acknowledge":
            self.ticked.add(line.name)
        if line.or_other:
            self.of.setdefault(f"{line.name}_other", slug(f"{line.name}_other", taken=self._taken))
            self._taken.add(self.of[f"{line.name}_other"])

    def _cells(self, line: Line, table: str, pattern: str) -> None:
        cells: set[str] = set()
        for each in line.inside:
            self._once(each)
            cell = self.ids[each.row] = slug(each.name, taken=cells)
            cells.add(cell)
            self.of.setdefault(each.name, pattern.format(table=table, cell=cell))

    def _once(self, line: Line) -> None:
        if line.name in self._rows:
            self._found.refuse(line.row, f"the name '{line.name}' is used in row {self._rows[line.name]} already.")
        self._rows.setdefault(line.name, line.row)

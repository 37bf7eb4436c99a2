"""The lists of choices of a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cases.xlsform.languages import Speaking
from cases.xlsform.problems import Found
from cases.xlsform.workbook import Form

_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_KNOWN = frozenset({"list name", "list_name", "name", "label", "__row"})


class Lists:
    """The choices of each list, as our questionnaires write them."""

    def __init__(self, form: Form, speaking: Speaking, found: Found) -> None:
        self._found, self._speaking = found, speaking
        self._rows: dict[str, list[Mapping[str, Any]]] = {}
        for row in form.choices:
            self._rows.setdefault(str(row.get("list name") or row.get("list_name") or ""), []).append(row)
            for column in set(row) - _KNOWN:
                found.ignore(f"Sheet choices, column {column}: not used.")
        self._made: dict[str, list[dict[str, Any]]] = {}

    def of(self, name: str, row: int) -> list[dict[str, Any]]:
        """Return the choices of a list that the row of a question names; what is wrong is noted."""
        if name not in self._rows:
            self._found.refuse(row, f"there is no list of choices called '{name}'.")
            return []
        if name not in self._made:
            self._made[name] = [made for each in self._rows[name] if (made := self._choice(each))]
            self._require_each_once(name)
        if len(self._made[name]) < 2 and len(self._rows[name]) < 2:
            self._found.refuse(row, f"the list '{name}' has fewer than two choices; use acknowledge for one to tick.")
        return self._made[name]

    def _choice(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        number, value = int(row["__row"]), str(row.get("name") or "")
        if not _VALUE.fullmatch(value):
            told = f"the choice name '{value[:60]}' is not letters, digits, dots, dashes and underscores."
            self._found.refuse(number, told if value else "the choice has no name.", "choices")
            return None
        label = self._speaking.text(row.get("label"), number, "label", "choices")
        if label is None:
            self._found.ignore(f"Sheet choices, row {number}: no label; the name is shown.")
        return {"value": value, "label": label or value}

    def _require_each_once(self, name: str) -> None:
        seen: set[str] = set()
        for row in self._rows[name]:
            value = str(row.get("name") or "")
            if value in seen:
                self._found.refuse(int(row["__row"]), f"the choice '{value}' stands twice in '{name}'.", "choices")
            seen.add(value)

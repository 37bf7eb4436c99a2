"""A question of a form as a definition of ours writes it: its kind, its texts, when it is asked, what it must keep."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cases.xlsform.choices import Lists
from cases.xlsform.formulas import joined, translated
from cases.xlsform.kinds import kind_of, plain
from cases.xlsform.languages import Speaking
from cases.xlsform.naming import Names
from cases.xlsform.problems import Found
from cases.xlsform.rows import YES_NO, Line
from surveys.constraints import bounds
from surveys.tokens import BadFormula

UNFIT = "This answer does not fit; please check it."
TICK = "Please confirm this to go on."
_CALCULATED = frozenset({"calculate", "hidden", "text", "string", "integer", "int", "decimal"})


class Asked:
    """Makes questions from rows; what is wrong is noted."""

    def __init__(self, names: Names, speaking: Speaking, lists: Lists, found: Found) -> None:
        self.names, self.speaking, self.lists, self.found = names, speaking, lists, found

    def formula(self, line: Line, column: str, expression: str) -> str | None:
        """Return an expression of the form as a formula; None, noted, where that cannot be."""
        try:
            return translated(expression, self.names.of, frozenset(self.names.ticked))
        except BadFormula as bad:
            self.found.refuse(line.row, f"{column}: {bad}.")
            return None

    def narrowed(self, line: Line, conditions: tuple[str, ...]) -> tuple[str, ...]:
        """Return the conditions under which a row is shown: its own, and those of the groups around it."""
        if not line.bind("relevant"):
            return conditions
        own = self.formula(line, "relevant", line.bind("relevant"))
        return conditions if own is None else (*conditions, own)

    def shown(self, question: dict[str, Any], conditions: tuple[str, ...]) -> dict[str, Any]:
        """Return a question with the conditions under which it is shown."""
        return {**question, "show_if": {"formula": joined(*conditions)}} if conditions else question

    def headed(self, line: Line, kind: Mapping[str, Any], text: Any) -> dict[str, Any]:
        """Return a question with its id and texts."""
        head = {"id": self.names.ids[line.row], "type": kind["type"]} | ({"text": text} if text else {})
        hint = self.speaking.text(line.cells.get("hint"), line.row, "hint")
        return {**head, **({"help": hint} if hint else {}), **{k: v for k, v in kind.items() if k != "type"}}

    def question(self, line: Line) -> dict[str, Any] | None:
        """Return what a row asks for, or what it calculates."""
        for column in ("choice_filter", "trigger"):
            if line.cells.get(column):
                self.found.refuse(line.row, f"{column} is not supported.")
        reads_only = YES_NO.get(line.bind("readonly").lower(), True) if line.bind("readonly") else False
        if line.kind == "calculate" or (line.kind in _CALCULATED and line.bind("calculate") and reads_only):
            return self._calculation(line)
        if line.bind("calculate") or reads_only:
            told = "is read-only" if reads_only else "is both typed and calculated"
            self.found.refuse(line.row, f"a question that {told} is not supported; use calculate or a note.")
            return None
        kind = kind_of(line, self.lists, self.found)
        text = self.speaking.text(line.cells.get("label"), line.row, "label")
        if kind is None or text is None:
            if kind is not None:
                self.found.refuse(line.row, "there is no label.")
            return None
        return self._required(line, self._constrained(line, self.headed(line, kind, text)))

    def _calculation(self, line: Line) -> dict[str, Any] | None:
        if not line.bind("calculate"):
            self.found.refuse(line.row, "there is no calculation.")
            return None
        text = self.speaking.text(line.cells.get("label"), line.row, "label")
        return self._calculated(line, text, line.bind("calculate"))

    def _calculated(self, line: Line, text: Any, expression: str) -> dict[str, Any] | None:
        worked_out = self.formula(line, "calculation", expression)
        return None if worked_out is None else self.headed(line, {"type": "calculate", "formula": worked_out}, text)

    def shown_answer(self, line: Line, words: Mapping[str, str], expression: str) -> dict[str, Any] | None:
        """Return a calculation that shows one answer under these words."""
        text = self.speaking.text(words, line.row, "label") or line.name.replace("_", " ").capitalize()
        return self._calculated(line, text, expression)

    def other(self, line: Line, made: Mapping[str, Any]) -> dict[str, Any]:
        """Return the question for what "other" is."""
        name = self.names.of[f"{line.name}_other"]
        required = {"required": True} if made.get("required") else {}
        return {"id": name, "type": "text", "text": "Please say which other.", "max_length": 500, **required}

    def other_chosen(self, line: Line) -> str:
        """Return the condition that "other" was chosen."""
        return f"selected(${{{self.names.ids[line.row]}}}, 'other')"

    def _required(self, line: Line, question: dict[str, Any]) -> dict[str, Any]:
        if line.always_required:
            question["required"] = True
            if line.kind == "acknowledge":
                tick = {"formula": ". = 'yes'", "message": TICK}
                question["constraint"] = [*question.get("constraint", ()), tick]
        elif line.required_when:
            needed = self.formula(line, "required", line.required_when)
            if needed is not None:
                question["required_if"] = {"formula": needed}
        return question

    def _constrained(self, line: Line, question: dict[str, Any]) -> dict[str, Any]:
        if not line.bind("constraint"):
            return question
        kept = self.formula(line, "constraint", line.bind("constraint"))
        if kept is None:
            return question
        message = self.speaking.text(line.message, line.row, "constraint message")
        if message is None and question["type"] == "number" and (limits := bounds(kept)) is not None:
            return question | limited(limits)
        added = {"formula": kept, "message": message or UNFIT}
        return {**question, "constraint": [*question.get("constraint", ()), added]}


def limited(limits: tuple[Decimal | None, Decimal | None]) -> dict[str, int | float]:
    """Return the least and greatest number as a definition writes them."""
    return {side: plain(limit) for side, limit in zip(("min", "max"), limits, strict=True) if limit is not None}

"""Why a form is not taken, or not all of it: one sentence each, naming the sheet and the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cases.errors import BadInput


class FormRefused(BadInput):
    """The form cannot be made a questionnaire."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)


def at(sheet: str, row: int, told: str) -> str:
    """Return a sentence with the place it speaks of before it."""
    return f"Sheet {sheet}, row {row}: {told}"


@dataclass
class Found:
    """What was noticed while a form was read."""

    problems: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def refuse(self, row: int, told: str, sheet: str = "survey") -> None:
        """Note why the form cannot be taken."""
        self.problems.append(at(sheet, row, told))

    def ignore(self, told: str) -> None:
        """Note what was left out, once."""
        if told not in self.ignored:
            self.ignored.append(told)

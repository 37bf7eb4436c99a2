"""A form in a workbook made a questionnaire in our own format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from cases.xlsform.problems import FormRefused, Found, at
from cases.xlsform.translating import Translation
from cases.xlsform.workbook import read_form, second_opinion
from cases.xlsform.writing import written
from surveys.questionnaire import BadQuestionnaire, Questionnaire

_QUESTION = re.compile(r"^(?:Section '[^']*', )?[Qq]uestion '([^']+)', ")
_ROW = re.compile(r"Sheet (\w+), row (\d+):")
MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Imported:
    """A form that became a questionnaire."""

    questionnaire: Questionnaire
    text: str
    """The definition, in YAML."""
    ignored: tuple[str, ...]


def import_form(content: bytes, file_name: str) -> Imported:
    """Return the questionnaire of a form. Raises FormRefused with a sentence for everything that is not supported."""
    found = Found()
    translation = Translation(read_form(content), PurePath(file_name).stem or "form", found)
    questionnaire = None
    if not found.problems:
        try:
            questionnaire = Questionnaire.parse(translation.definition)
        except BadQuestionnaire as bad:
            found.problems += [_placed(told, translation.rows) for told in bad.problems]
    if questionnaire is not None and (told := second_opinion(content)) is not None:
        found.problems.append(told)
    if found.problems or questionnaire is None:
        raise FormRefused(sorted(dict.fromkeys(found.problems), key=_place)[:MOST_PROBLEMS])
    text = written(translation.definition, f"Imported from {PurePath(file_name).name}.")
    return Imported(questionnaire, text, tuple(found.ignored))


def _place(told: str) -> tuple[bool, str, int]:
    """Return where a sentence belongs: what speaks of no row first, then the sheets row by row, questions first."""
    row = _ROW.match(told)
    return (row is not None, "" if row is None or row[1] == "survey" else row[1], int(row[2]) if row else 0)


def _placed(told: str, rows: dict[str, int]) -> str:
    """Return what is wrong with a question with the row it came from."""
    question = _QUESTION.match(told)
    if question is None or question[1] not in rows:
        return told if not told.startswith("Sections") else "The form asks no question."
    return at("survey", rows[question[1]], told[question.end() :])

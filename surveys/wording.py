"""Answers as people read them: on a page, and as a text that can be kept."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from surveys.kinds import Choice
from surveys.questionnaire import Questionnaire
from surveys.questions import (
    CalculateQuestion,
    MultipleQuestion,
    NumberQuestion,
    PercentagesQuestion,
    Question,
    SingleQuestion,
    TableQuestion,
)
from surveys.routing import asked, counted
from surveys.values import Value, day_words, show

_NO_FILES: Mapping[str, str] = {}


def in_words(question: Question, value: Any, files: Mapping[str, str] = _NO_FILES) -> list[str]:
    """Return an answer as lines; ``files`` are the names of evidence files by SHA-256."""
    if value is None:
        return []
    if isinstance(question, TableQuestion):
        return list(_table(question, value))
    if isinstance(question, PercentagesQuestion) and isinstance(value, Mapping):
        return [f"{part.text}: {show(value[part.id])} %" for part in question.parts if part.id in value]
    if isinstance(question, MultipleQuestion) and isinstance(value, list | tuple):
        return [_label(question.choices, each) for each in value]
    if question.type == "file":
        return [files.get(digest, f"File {digest[:12]}") for digest in digests_of(value)]
    if question.type == "long_text":
        return str(value).splitlines()
    return [_plain(question, value)]


def _plain(kind: Any, value: Any) -> str:
    """Return a value of one of the kinds that a question or a column of a table may have."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if kind.type == "single":
        return _label(kind.choices, value)
    if kind.type in ("number", "calculate") and isinstance(value, int | float):
        return f"{show(value)} {kind.unit}".strip()
    if kind.type == "date":
        return _day(str(value))
    return str(value)


def _label(choices: Sequence[Choice], value: Any) -> str:
    return next((choice.label for choice in choices if choice.value == value), str(value))


def _day(iso: str) -> str:
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return day_words(day)


def _table(question: TableQuestion, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        rows = [(row.text, value[row.id]) for row in question.rows or () if row.id in value]
    else:
        rows = [(f"Row {number}", row) for number, row in enumerate(value, start=1)]
    for name, cells in rows:
        filled = [column for column in question.columns if column.id in cells]
        yield f"{name} – {'; '.join(f'{column.text}: {_plain(column, cells[column.id])}' for column in filled)}"


def digests_of(value: Any) -> list[str]:
    """Return the SHA-256 of each file of an answer that is a file, or several."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def unit_of(question: Question) -> str:
    """Return the unit a number is asked in, or an empty text."""
    return question.unit if isinstance(question, NumberQuestion | CalculateQuestion) else ""


def choices_of(question: Question) -> tuple[Choice, ...]:
    """Return the choices of a question that offers some."""
    return question.choices if isinstance(question, SingleQuestion | MultipleQuestion) else ()


def as_text(
    questionnaire: Questionnaire,
    answers: Mapping[str, Value],
    evidence: Mapping[str, Sequence[str]],
    comments: Mapping[str, str],
    head: Sequence[str],
) -> str:
    """Return all answers as one text, the same for the same answers: what was asked, what was said."""
    shown = {question.id for question in asked(questionnaire, counted(questionnaire, answers))}
    lines = [questionnaire.title, *head]
    for section in questionnaire.sections:
        lines += ["", "", section.title, "-" * len(section.title)]
        for question in section.questions:
            if question.id in shown and question.text:
                lines += ["", question.text, *_answer(question, answers, evidence, comments)]
    return "\n".join(lines) + "\n"


def _answer(
    question: Question,
    answers: Mapping[str, Value],
    evidence: Mapping[str, Sequence[str]],
    comments: Mapping[str, str],
) -> Iterator[str]:
    value = answers.get(question.id)
    yield from (f"  {line}" for line in in_words(question, value) or ["(no answer)"])
    if question.type == "file" and value is not None:
        yield from (f"  SHA-256 {digest}" for digest in digests_of(value))
    yield from (f"  Evidence: file with SHA-256 {digest}" for digest in evidence.get(question.id, ()))
    if question.id in comments:
        yield "  Comment: " + comments[question.id].replace("\n", "\n    ")

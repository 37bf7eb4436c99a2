"""The answers of one response as a reviewer reads them: each with last year's beside it, its files and its flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cases.campaigning.words import difference
from surveys.questionnaire import Questionnaire
from surveys.questions import Question
from surveys.routing import asked
from surveys.wording import digests_of, in_words


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with an answer."""

    sha256: str
    name: str
    there: bool = True


@dataclass(frozen=True)
class Answered:
    """One question with the member's answer, and last year's beside it."""

    question: Question
    asked: bool
    """Whether the answers before it lead to this question."""
    answer: list[str]
    value: Any
    last_year: list[str]
    difference: str
    comment: str
    files: list[File]
    flags: list[Mapping[str, Any]]
    imputed: bool


@dataclass(frozen=True)
class Part:
    """A section of the questionnaire with its answers."""

    title: str
    answers: list[Answered]


def parts_of(
    questionnaire: Questionnaire, newest: Any, before: Mapping[str, Any], flags: Sequence[Mapping[str, Any]],
    files: Mapping[str, File], data: Mapping[str, Any],
) -> list[Part]:  # fmt: skip
    """Return the sections of a questionnaire with the newest answers, and those ``before`` beside them."""
    stored: Mapping[str, Any] = newest.answers if newest is not None else {}
    answers: Mapping[str, Any] = stored.get("answers", {})
    shown = {question.id for question in asked(questionnaire, _tuples(answers))}

    names = {digest: file.name for digest, file in files.items()}

    def one(question: Question) -> Answered:
        value, old = answers.get(question.id), before.get(question.last_year or question.id)
        digests = list(stored.get("evidence", {}).get(question.id, ()))
        if question.type == "file" and value:
            digests += digests_of(value)
        return Answered(
            question, question.id in shown, in_words(question, value, names), value, in_words(question, old),
            difference(question, old, value) if before and newest is not None else "",
            str(stored.get("comments", {}).get(question.id, "")),
            [files.get(digest, File(digest, "", there=False)) for digest in digests],
            [flag for flag in flags if flag["question"] == question.id], question.id in data.get("imputed", ()),
        )  # fmt: skip

    return [
        Part(section.title, [one(question) for question in section.asked if question.text])
        for section in questionnaire.sections
    ]


def _tuples(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Stored answers as conditions compare them: what JSON made a list was a tuple."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in answers.items()}

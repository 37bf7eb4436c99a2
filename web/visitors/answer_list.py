"""Answers by section, in words, as somebody reads them before and after submitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cases.own.survey import Survey
from surveys.questions import Question
from surveys.wording import in_words


def read_answers(
    found: Survey, answers: Mapping[str, Any], files: Mapping[str, Sequence[str]], comments: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the answers by section, in words, for reading."""
    names = {digest: str(one["name"]) for digest, one in found.files.items()}
    shown = found.shown
    parts = []
    for section in found.questionnaire.sections:
        lines = [
            {"id": q.id, "text": q.text, "lines": in_words(q, answers.get(q.id), names), "needed": q.id in found.needed,
             "files": [(d if d in names else "", names.get(d, "A file sent before")) for d in files.get(q.id, ())],
             "comment": comments.get(q.id, ""), "wanted": q.evidence == "required" and _wants(q, answers.get(q.id))}
            for q in section.asked if q.id in shown and q.text
        ]  # fmt: skip
        if lines:
            parts.append({"id": section.id, "title": section.title, "questions": lines})
    return parts


def _wants(question: Question, value: Any) -> bool:
    return value is not None and (question.evidence_when is None or question.evidence_when.holds(value))

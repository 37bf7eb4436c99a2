"""Files that come with the answers of a survey, put to their questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases import evidence
from cases.errors import BadInput
from cases.file_types import ALLOWED
from cases.own.answering import Given
from cases.own.pages import require_room
from cases.own.survey import Survey
from surveys.questions import FileQuestion, Question
from surveys.wording import digests_of
from web.posted import Posted
from web.visitors.address import Address


def uploaded(
    own: Address, found: Survey, typed: Given, posted: Posted, trouble: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Put the files of a form on the case and return their digests by question; ``trouble`` gets what is not taken."""
    digests: dict[str, list[str]] = {}
    for name in typed.questions:
        question = found.questionnaire.by_id[name]
        for upload in posted.files(f"f.{name}"):
            try:
                require_room(own.env, found.holder)
                _require_kind(question, upload.name, upload.size)
                _require_space(question, found.filled.answers.get(name), len(digests.get(name, ())))
                kept = evidence.add(
                    own.env, found.holder.ref, upload.name, upload.content, actor=found.holder.actor
                )  # fmt: skip
            except BadInput as bad:
                trouble.setdefault(name, []).append(f"{upload.name}: {bad}")
            else:
                digests.setdefault(name, []).append(kept.sha256)
    return digests


def _require_kind(question: Question, name: str, size: int) -> None:
    if not isinstance(question, FileQuestion):
        return
    media_type = ALLOWED.get(Path(name).suffix.lower().lstrip("."))
    if size > question.max_mb * 1024 * 1024:
        raise BadInput(f"The file is larger than {question.max_mb:g} MB, the most that is taken here.")
    if question.accept and media_type is not None and media_type not in question.accept:
        taken = ", ".join(f".{ending}" for ending, kind in ALLOWED.items() if kind in question.accept)
        raise BadInput(f"This question takes another type of file{f': {taken}' if taken else ''}.")


def _require_space(question: Question, held: Any, more: int) -> None:
    if not isinstance(question, FileQuestion) or question.max_files == 1:
        return
    if (len(digests_of(held)) if held else 0) + more >= question.max_files:
        raise BadInput(f"At most {question.max_files} files are taken here; take one away first.")

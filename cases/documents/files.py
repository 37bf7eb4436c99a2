"""Which files are taken as the text of a document: Markdown and PDF, told apart by their content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cases.environment import Environment
from cases.errors import BadInput
from cases.evidence import keep_content
from cases.file_types import BadFile, check_text, safe_name
from papers import pdf_check

MARKDOWN, PDF = "text/markdown", "application/pdf"
_EXTENSIONS: Mapping[str, str] = {MARKDOWN: "md", PDF: "pdf"}


@dataclass(frozen=True)
class Given:
    """A file as it was given: its name, and its bytes or where they can be read."""

    name: str
    content: bytes | BinaryIO


@dataclass(frozen=True, slots=True)
class Kept:
    """A text in the evidence store."""

    sha256: str
    size: int
    media_type: str
    name: str


def keep(env: Environment, given: Given) -> Kept:
    """Put a text into the evidence store and return what it is. Raises BadInput with the sentence about it, or NoRoom.

    Content that no version has in the end is reported by ``muster check``.
    """
    found: list[str] = []
    largest = int(env.policy.setting("code_document", "file_megabytes")) * 1024 * 1024
    try:
        sha256, size = keep_content(
            env.settings.evidence, given.content, largest, lambda path: found.append(_media_type(path))
        )
        return Kept(sha256, size, found[0], _named(given.name, found[0]))
    except BadFile as bad:
        raise BadInput(f"{given.name[:120]}: {bad}") from None


def _media_type(path: Path) -> str:
    """What a file is. Raises BadFile."""
    content = path.read_bytes()
    if pdf_check.is_pdf(content):
        if (why := pdf_check.objection(content)) is not None:
            raise BadFile(f"The PDF is not taken: {why}. Members must be able to trust that it only shows its text.")
        return PDF
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadFile("It is neither a PDF nor a text in UTF-8; save it as one of these.") from None
    if not text.removeprefix("\ufeff").strip():
        raise BadFile("There is no text in it.")
    check_text(text, "text")
    return MARKDOWN


def _named(name: str, media_type: str) -> str:
    """Return the name a file is kept under; its extension says what it is. Raises BadFile."""
    stem = Path(name.replace("\\", "/")).stem.strip(" .") or "text"
    extension = _EXTENSIONS[media_type]
    return safe_name(f"{stem}.txt")[0].removesuffix("txt") + extension

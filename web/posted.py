"""What a form sent: texts and files by the names of their fields. Nothing here trusts what it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, BinaryIO

from fastapi import Depends
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cases.errors import BadInput
from config.database import without_nul

MOST_FIELDS = 5000
LONGEST_PART = 2 * 1024 * 1024
_STEP = re.compile(r"^[A-Za-z0-9_-]{1,80}$")
_DEEPEST = 6


class FormUnreadable(BadInput):
    """What was sent is not a form that can be read; nothing was changed."""

    status = 400


@dataclass(frozen=True)
class Upload:
    """A file that came with a form."""

    name: str
    media_type: str
    size: int
    content: BinaryIO


@dataclass(frozen=True)
class Posted:
    """The fields of a form; several values of one name keep their order."""

    texts: Mapping[str, list[str]] = field(default_factory=dict)
    uploads: Mapping[str, list[Upload]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.texts

    def text(self, name: str, default: str = "") -> str:
        """Return what was typed into a field, the last one of its name."""
        values = self.texts.get(name)
        return values[-1] if values else default

    def all(self, name: str) -> list[str]:
        """Return every value of this name."""
        return list(self.texts.get(name, ()))

    def yes(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.text(name).strip().lower() in ("true", "on", "yes", "1")

    def number(self, name: str) -> int | None:
        """Return a whole number, or None when nothing was typed. Raises BadInput."""
        typed = self.text(name).strip()
        if not typed:
            return None
        if not re.fullmatch(r"-?\d{1,15}", typed, re.ASCII):
            raise BadInput(f"{_label(name)} must be a whole number.")
        return int(typed)

    def day(self, name: str) -> date | None:
        """Return a day, or None when nothing was typed. Raises BadInput."""
        typed = self.text(name).strip()
        if not typed:
            return None
        try:
            return date.fromisoformat(typed)
        except ValueError:
            raise BadInput(f"{_label(name)} must be a date, such as 2026-03-02.") from None

    def files(self, name: str) -> list[Upload]:
        """Return the files of a field; one that was left empty has none."""
        return list(self.uploads.get(name, ()))

    def nested(self) -> dict[str, Any]:
        """Return the texts as a tree: ``issues.0.category`` becomes the category of the first of the issues.

        Lists keep the order of their numbers and lose the gaps. Raises FormUnreadable for a name that fits nowhere.
        """
        tree: dict[str, Any] = {}
        for name, values in self.texts.items():
            _plant(tree, name.split("."), values)
        found: dict[str, Any] = _grown(tree)
        return found


def number_of(text: str) -> int | None:
    """Return the whole number that a piece of an address or of a form is; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _label(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ").capitalize()


def _plant(tree: dict[str, Any], steps: list[str], values: list[str]) -> None:
    if len(steps) > _DEEPEST or not all(_STEP.match(step) for step in steps):
        raise FormUnreadable
    for step in steps[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            raise FormUnreadable
        tree = below
    if isinstance(tree.get(steps[-1]), dict):
        raise FormUnreadable
    tree[steps[-1]] = list(values) if len(values) > 1 else values[0]


def _grown(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isascii() and key.isdigit() for key in tree):
        return [_grown(tree[key]) for key in sorted(tree, key=int)]
    return {key: _grown(value) for key, value in tree.items()}


async def read(request: Request) -> Posted:
    """Return the form of a request. Raises FormUnreadable."""
    try:
        form = await request.form(max_files=50, max_fields=MOST_FIELDS, max_part_size=LONGEST_PART)
    except HTTPException as bad:
        raise FormUnreadable(str(bad.detail)) from None
    except (ValueError, UnicodeError):
        raise FormUnreadable from None
    if (after := request.scope.get("fastapi_middleware_astack")) is not None:
        after.push_async_callback(form.close)  # the files that came with it, once the request is answered
    texts: dict[str, list[str]] = {}
    uploads: dict[str, list[Upload]] = {}
    for given, value in form.multi_items():
        name = _clean(given)
        if isinstance(value, UploadFile):
            if value.filename:
                kind = value.content_type or "application/octet-stream"
                uploads.setdefault(name, []).append(Upload(_clean(value.filename), kind, value.size or 0, value.file))
        else:
            texts.setdefault(name, []).append(_clean(value))
    return Posted(texts, uploads)


def _clean(text: str) -> str:
    """Return typed text as it can be stored: without NUL and half characters, its lines ended alike."""
    whole: str = without_nul(text.encode("utf-8", "replace").decode())
    return whole.replace("\r\n", "\n")


async def _posted(request: Request) -> Posted:
    found: Posted = request.state.posted
    return found


Form = Annotated[Posted, Depends(_posted)]
"""What a handler of a POST takes."""

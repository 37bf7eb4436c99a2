"""What was written on an event, in the words of the form it was typed into: labels and choices, never keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from state_machines.process import Process
from web import wording
from web.forms import Field, Option, fields_of
from web.naming import words

HIDDEN = frozenset(
    {"answers_sha256", "questionnaire_fingerprint", "revision", "document_languages", "document_sha256", "contact_id"}
)
"""What only programs read."""
EITHER_WAY = frozenset({"role_fits", "domain_fits"})
"""Boxes of which "No" says as much as "Yes"."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was written: under which label, and what. Several lines keep their order."""

    label: str
    lines: tuple[str, ...]


def said(
    process: Process, trigger: str, typed: Mapping[str, Any], *, people: Sequence[Option] = (), zone: ZoneInfo
) -> list[Said]:
    """Return what was typed when a trigger was pulled or, with ``open``, when the case was opened."""
    model = _model(process, trigger, typed)
    known = {name: value for name, value in typed.items() if model is not None and name in model.model_fields}
    found = [Said(f.label, lines) for f in _fields(model, known, people, zone) if (lines := tuple(_lines(f, zone)))]
    others = ((name, value) for name, value in typed.items() if name not in known and name not in HIDDEN)
    return found + [Said(words(name), tuple(_plain(value))) for name, value in others if value not in (None, "", [])]


def _model(process: Process, trigger: str, typed: Mapping[str, Any]) -> type[BaseModel] | None:
    """The form of a trigger; where it has several, the one that knows most of what was typed."""
    if trigger == "open":
        return process.opening
    forms = [t.needs for t in process.transitions if t.trigger == trigger and t.needs is not None]
    return max(forms, key=lambda form: len(typed.keys() & form.model_fields.keys()), default=None)


def _fields(
    model: type[BaseModel] | None, typed: Mapping[str, Any], people: Sequence[Option], zone: ZoneInfo
) -> Iterator[Field]:
    for field in fields_of(model, typed, people=people, zone=zone):
        if field.name in typed and field.name not in HIDDEN:
            yield field


def _lines(field: Field, zone: ZoneInfo) -> Iterator[str]:
    titles = {option.value: option.title for option in field.options}
    if field.kind == "rows":
        for row in field.rows:
            parts = [(inner.label, " ".join(_lines(inner, zone))) for inner in row]
            if line := "; ".join(f"{label}: {text}" for label, text in parts if text):
                yield line
    elif field.kind == "yes":
        yield "Yes"
    elif field.kind == "checkbox":
        yield from ("Yes",) if field.value else ("No",) if field.name in EITHER_WAY else ()
    elif field.kind == "several":
        yield ", ".join(titles.get(each, each) for each in field.value)
    elif field.kind == "date" and field.value:
        yield _day(field.value)
    elif field.kind == "datetime" and field.value:
        yield _instant(field.value, zone)
    elif field.kind == "pairs":
        yield from (f"{words(key)}: {value.strip()}" for key, _, value in _pairs(field.value))
    elif field.kind == "number" and "." in str(field.value):
        yield _amount(str(field.value))
    elif field.value not in (None, ""):
        yield from titles.get(str(field.value), str(field.value)).splitlines()


def _instant(value: str, zone: ZoneInfo) -> str:
    """A time by the clock on the wall; what is none stays as it was typed."""
    try:
        return wording.when_words(datetime.fromisoformat(value).replace(tzinfo=zone), zone)
    except ValueError:
        return value


def _pairs(text: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition(":") for line in text.splitlines())


def _amount(value: str) -> str:
    """Money with its pence; what is no number stays as it was typed."""
    try:
        return f"{Decimal(value):,.2f}"
    except InvalidOperation:
        return value


def _day(value: str) -> str:
    try:
        return wording.day_words(date.fromisoformat(value))
    except ValueError:
        return value


def _plain(value: Any) -> Iterator[str]:
    """A value of which no form is known any more, as text."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{words(str(name))}: {', '.join(_plain(inner))}"
    elif isinstance(value, list | tuple):
        for inner in value:
            yield ", ".join(_plain(inner)) if isinstance(inner, Mapping | list | tuple) else next(_plain(inner))
    elif isinstance(value, bool):
        yield "Yes" if value else "No"
    else:
        text = str(value)
        yield from _day(text).splitlines() if len(text) == 10 else text.splitlines() or [""]

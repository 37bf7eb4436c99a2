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
from surveys import languages
from web import wording
from web.forms import Field, Option, fields_of
from web.naming import words

HIDDEN = frozenset(
    {"answers_sha256", "questionnaire_fingerprint", "revision", "document_languages", "document_sha256", "contact_id"}
)
"""What only programs read."""
EITHER_WAY = frozenset({"role_fits", "domain_fits"})
"""Boxes of which "No" says as much as "Yes"."""


LANGUAGES = frozenset({"language", "languages", "authoritative"})
"""What names a language by its code."""
NAMES = frozenset({"ladder", "questionnaire"})
"""What names something of ours by its key."""


@dataclass(frozen=True, slots=True)
class Record:
    """One of several things of a kind, such as a finding: what it is about, and what was said of it by label."""

    head: str
    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = "; ".join(f"{label}: {text}" for label, text in self.parts)
        return f"{self.head} ({told})" if self.head and told else self.head or told


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was written: under which label, and what. Several lines keep their order.

    Where it is a list of records, each is a line as well.
    """

    label: str
    lines: tuple[str, ...]
    records: tuple[Record, ...] = ()


Heads = Mapping[str, Sequence[str]]
"""By field: what each of its records is about, in their order, such as the point that a finding answers."""


def said(
    process: Process, trigger: str, typed: Mapping[str, Any], *, people: Sequence[Option] = (), zone: ZoneInfo,
    heads: Heads | None = None,
) -> list[Said]:  # fmt: skip
    """Return what was typed when a trigger was pulled or, with ``open``, when the case was opened."""
    model = _model(process, trigger, typed)
    known = {name: value for name, value in typed.items() if model is not None and name in model.model_fields}
    found = [each for f in _fields(model, known, people, zone) if (each := _field(f, zone, heads or {})).lines]
    others = ((name, value) for name, value in typed.items() if name not in known and name not in HIDDEN)
    return found + [Said(words(name), tuple(_plain(value))) for name, value in others if value not in (None, "", [])]


def _field(field: Field, zone: ZoneInfo, heads: Heads) -> Said:
    if field.kind != "rows":
        return Said(field.label, tuple(_lines(field, zone)))
    records = tuple(_records(field, zone, heads.get(field.name, ())))
    return Said(field.label, tuple(map(str, records)), records)


def _records(field: Field, zone: ZoneInfo, heads: Sequence[str]) -> Iterator[Record]:
    for number, row in enumerate(field.rows):
        parts = [(inner, text) for inner in row if (text := " ".join(_lines(inner, zone)))]
        head = heads[number] if number < len(heads) else ""
        if not head and parts and parts[0][0].kind in ("text", "textarea"):
            head = parts.pop(0)[1]
        if parts or (head and number >= len(heads)):
            yield Record(head, tuple((inner.label, text) for inner, text in parts))


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
    value = str(field.value)
    match field.kind:
        case "yes":
            yield "Yes"
        case "checkbox":
            yield from ("Yes",) if field.value else ("No",) if _plain_name(field) in EITHER_WAY else ()
        case "several":
            yield ", ".join(titles.get(each, each) for each in field.value)
        case "date" if value:
            yield _day(value)
        case "datetime" if value:
            yield _instant(value, zone)
        case "pairs":
            yield from (f"{words(key)}: {told.strip()}" for key, _, told in _pairs(value))
        case "number" if value and (field.limits or {}).get("step") != 1:
            yield from _amount(value)
        case _ if field.value not in (None, ""):
            yield from _named(field, titles.get(value, value)).splitlines()


def _plain_name(field: Field) -> str:
    return field.name.rpartition(".")[2]


def _named(field: Field, text: str) -> str:
    """A text in people's words, where the field names a language or something of ours by its key."""
    name = _plain_name(field)
    if name in LANGUAGES:
        return ", ".join(languages.name_of(code) for code in text.split())
    return words(text.replace("-", " ")) if name in NAMES else text


def _instant(value: str, zone: ZoneInfo) -> str:
    """A time by the clock on the wall; what is none stays as it was typed."""
    try:
        return wording.when_words(datetime.fromisoformat(value).replace(tzinfo=zone), zone)
    except ValueError:
        return value


def _pairs(text: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition(":") for line in text.splitlines())


def _amount(value: str) -> Iterator[str]:
    """Money with its pence, and of none nothing; what is no number stays as it was typed."""
    try:
        yield from (f"{amount:,.2f}",) if (amount := Decimal(value)) else ()
    except InvalidOperation:
        yield value


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

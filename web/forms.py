"""A payload model as the fields of a form; ``typed.py`` reads what was typed into them.

The model says everything: which fields there are, what they are for, what they take. Nested lists of models are rows of
fields named ``findings.0.reasons``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from state_machines.english import capital
from web.naming import words

SHORT = 250
"""Texts that may be longer get several lines."""
SPARE_ROWS = 2
_AS_TEXT = re.compile(r":? “[^”]*”|, one per line")
"""How a list is typed as text; who has fields for it need not know."""
_ACRONYMS = frozenset(("FCA", "UK", "RSPO", "FCSA", "DISP", "SRC"))

_CHOICES = {
    "email": "E-mail", "better_cotton": "Better Cotton", "commitment_conduct": "Commitment and conduct",
    "survey_signoff": "Survey sign-off", "injury_illness": "Injury or illness", "illness_injury": "Illness or injury",
    "uk_data_protection": "UK data protection",
}  # fmt: skip
"""Choices whose key would not read well as words."""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: what is sent, and what people read."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form as a template shows it.

    ``kind``: text, email, textarea, lines, date, datetime, number, checkbox, yes, select, several, rows, pairs.
    """

    name: str
    label: str
    kind: str
    help: str = ""
    required: bool = False
    options: tuple[Option, ...] = ()
    value: Any = ""
    """A text; for ``several`` the list of texts that are ticked; for ``checkbox`` whether it is."""
    errors: tuple[str, ...] = ()
    limits: Mapping[str, Any] | None = None
    """HTML attributes: maxlength, min, max, step."""
    rows: tuple[tuple[Field, ...], ...] = ()
    heads: tuple[str, ...] = ()
    """What each row is about, where its rows are given and no more can be added."""

    @property
    def key(self) -> str:
        """The id of its control."""
        return f"field-{self.name.replace('.', '-')}"


Errors = Mapping[str, Sequence[str]]


def fields_of(
    model: type[BaseModel] | None, typed: Mapping[str, Any] | None = None, errors: Errors | None = None, *,
    people: Sequence[Option] = (), zone: ZoneInfo, prefix: str = "",
) -> list[Field]:  # fmt: skip
    """Return the fields of a model with what was typed and what is wrong with it.

    ``people``: whom a field that names a member of staff offers. Without a model there are no fields.
    """
    found = []
    for name, info in (model.model_fields if model else {}).items():
        field = _field(name, info, people, prefix)
        mine = {key: list(told) for key, told in (errors or {}).items() if key == name or key.startswith(f"{name}.")}
        given = (typed or {}).get(name, default_of(info))
        found.append(_filled(field, info, given, name, mine, people, zone))
    return found


def leftover_errors(model: type[BaseModel] | None, errors: Errors) -> list[str]:
    """Return the errors that belong to no field, such as those about several fields at once."""
    known = set(model.model_fields) if model else set()
    return [text for key, told in errors.items() if key.split(".")[0] not in known for text in told]


# ------------------------------------------------------------------------------------------ what a field is


@dataclass(frozen=True, slots=True)
class Shape:
    """The bare type of a field, and whether it is a list of it."""

    inner: Any
    many: bool
    metadata: tuple[Any, ...]


def shape_of(info: FieldInfo) -> Shape:
    """Return the shape of a field of a model."""
    metadata = list(info.metadata)
    inner = _bare(info.annotation, metadata)
    if get_origin(inner) is list:
        return Shape(_bare(get_args(inner)[0], metadata), True, tuple(metadata))
    return Shape(inner, False, tuple(metadata))


def _bare(annotation: Any, metadata: list[Any]) -> Any:
    """Return a type without Annotated and without None."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            for each in more:
                metadata += each.metadata if isinstance(each, FieldInfo) else [each]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
        else:
            return annotation


def _field(name: str, info: FieldInfo, people: Sequence[Option], prefix: str) -> Field:
    shape = shape_of(info)
    kind, options = kind_of(name, shape, people)
    if kind == "select" and not info.is_required() and info.default is None:
        options = (Option("", "Not said"), *options)
    told = info.description or ""
    return Field(
        name=f"{prefix}{name}", label=info.title or words(name), kind=kind,
        help=_AS_TEXT.sub("", told) if kind == "rows" else told,
        required=info.is_required() and kind != "checkbox", options=options, limits=_limits(kind, shape),
    )  # fmt: skip


def kind_of(name: str, shape: Shape, people: Sequence[Option]) -> tuple[str, tuple[Option, ...]]:
    """Return which kind of `Field` a field of a model becomes, and what it offers to choose from."""
    inner = shape.inner
    if options := _options(shape, people):
        return ("several" if shape.many else "select"), options
    if inner is Literal[True] or (get_origin(inner) is Literal and get_args(inner) == (True,)):
        return "yes", ()
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return "rows", ()
    if inner is dict or get_origin(inner) is dict:
        return "pairs", ()
    if shape.many:
        return "lines", ()
    if inner in (int, float, Decimal):
        return "number", ()
    simple = {bool: "checkbox", date: "date", datetime: "datetime"}
    if inner in simple:
        return simple[inner], ()
    if "email" in name:
        return "email", ()
    return ("textarea" if (_of(shape, "max_length") or 0) > SHORT else "text"), ()


def _options(shape: Shape, people: Sequence[Option]) -> tuple[Option, ...]:
    inner = shape.inner
    if isinstance(inner, type) and issubclass(inner, Enum):
        return tuple(Option(str(each.value), choice_title(str(each.value))) for each in inner)
    if get_origin(inner) is Literal and get_args(inner) != (True,):
        return tuple(Option(str(each), choice_title(str(each))) for each in get_args(inner))
    if "staff:" in str(_of(shape, "pattern") or ""):
        return tuple(people)
    return ()


def choice_title(value: str) -> str:
    """Return a choice as people read it: ``OUT_OF_SCOPE`` becomes ``Out of scope``, a single letter stays."""
    if value in _CHOICES:
        return _CHOICES[value]
    if not value.isupper() or len(value) == 1:
        return words(value)
    parts = [part if part in _ACRONYMS else part.lower() for part in value.split("_")]
    text = " ".join(parts)
    return capital(text)


def _of(shape: Shape, name: str) -> Any:
    return next((value for each in shape.metadata if (value := getattr(each, name, None)) is not None), None)


def _limits(kind: str, shape: Shape) -> Mapping[str, Any]:
    if kind in ("text", "textarea", "email"):
        longest = _of(shape, "max_length")
        return {"maxlength": longest} if longest else {}
    if kind == "number":
        step = 1 if shape.inner is int else 0.01 if shape.inner is Decimal else "any"
        limits = {"min": _of(shape, "ge"), "max": _of(shape, "le"), "step": step}
        return {key: value for key, value in limits.items() if value is not None}
    return {}


# -------------------------------------------------------------------------------------------- what stands in it


def default_of(info: FieldInfo) -> Any:
    """Return what stands in a field before anything is typed; None for nothing."""
    default = info.get_default(call_default_factory=True) if not info.is_required() else None
    return default if default is not ... else None


def _filled(
    field: Field, info: FieldInfo, given: Any, name: str, errors: Errors, people: Sequence[Option], zone: ZoneInfo
) -> Field:
    own = tuple(errors.get(name, ()))
    if field.kind == "rows":
        return replace(field, rows=tuple(_rows(field, info, given, name, errors, people, zone)), errors=own)
    deeper = tuple(text for key, told in errors.items() if key != name for text in told)
    return replace(field, value=_shown(field.kind, given, zone), errors=own + deeper)


def _rows(
    field: Field, info: FieldInfo, given: Any, name: str, errors: Errors, people: Sequence[Option], zone: ZoneInfo
) -> Iterator[tuple[Field, ...]]:
    model = shape_of(info).inner
    rows = [row if isinstance(row, Mapping) else row.model_dump() for row in given or ()]
    for number, row in enumerate([*rows, *[{}] * SPARE_ROWS]):
        head = f"{name}.{number}."
        mine = {key.removeprefix(head): told for key, told in errors.items() if key.startswith(head)}
        inside = fields_of(model, row, mine, people=people, zone=zone, prefix=f"{field.name}.{number}.")
        yield tuple(inside if number < len(rows) else map(_spare, inside))


def _spare(field: Field) -> Field:
    """Return a field of a row that may stay blank."""
    unsaid = field.kind == "select" and field.value == "" and all(option.value for option in field.options)
    options = (Option("", "Please choose"), *field.options) if unsaid else field.options
    return replace(field, required=False, options=options)


def _shown(kind: str, given: Any, zone: ZoneInfo) -> Any:
    """Return a value as its control shows it."""
    if kind == "checkbox":
        return given is True or str(given).lower() in ("true", "on")
    if kind == "several":
        return [text_of(each) for each in given or ()]
    if given is None or kind == "yes":
        return ""
    if kind == "lines":
        return "\n".join(map(text_of, given)) if isinstance(given, list | tuple) else str(given)
    if kind == "pairs":
        return (
            "\n".join(f"{key}: {_listed(value)}" for key, value in given.items()) if isinstance(given, Mapping) else ""
        )
    if kind == "datetime":
        return _wall_time(given, zone)
    return text_of(given).removesuffix(".0") if kind == "number" else text_of(given)


def _wall_time(given: Any, zone: ZoneInfo) -> str:
    """Return an instant as the clock on the wall shows it; what is none stays as it was typed."""
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        return str(given)
    return (at.astimezone(zone) if at.tzinfo else at).strftime("%Y-%m-%dT%H:%M")


def _listed(value: Any) -> str:
    return ", ".join(map(text_of, value)) if isinstance(value, list | tuple) else text_of(value)


def text_of(value: Any) -> str:
    """Return a value as a control holds it."""
    return str(value.value if isinstance(value, Enum) else value)

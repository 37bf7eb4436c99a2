"""What bodies of the API are made of: days and instants, descriptions of fields, and names."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from state_machines.registry import process_named, processes

_EARLIEST, _LATEST = 1900, 2200


def _known(name: str) -> str:
    try:
        return process_named(name).name
    except KeyError as unknown:
        raise ValueError(str(unknown)) from None


def _written(form: str, example: str) -> BeforeValidator:
    """A day or an instant is written out: numbers could be seconds, milliseconds or days, and nobody means 1970."""

    def check(value: Any) -> Any:
        if value is not None and not (isinstance(value, str) and re.match(form, value, re.ASCII)):
            raise ValueError(f"must be written like {example}")
        return value

    return BeforeValidator(check)


def _near(instant: datetime) -> datetime:
    if not _EARLIEST <= instant.year <= _LATEST:
        raise ValueError(f"must lie between the years {_EARLIEST} and {_LATEST}")
    return instant


ProcessName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(processes())})]
Instant = Annotated[datetime, Field(examples=["2026-03-02T09:00:00Z"])]
"""Told in UTC."""
_INSTANT = _written(r"\d{4}-\d\d-\d\dT\d\d:\d\d", "2026-03-02T09:00:00Z")
InstantGiven = Annotated[AwareDatetime, _INSTANT, AfterValidator(_near), Field(examples=["2026-03-02T09:00:00Z"])]
"""Sent with its offset."""
DayGiven = Annotated[date, _written(r"\d{4}-\d\d-\d\d$", "2026-03-02")]
"""Sent as text."""


def about(text: str, *examples: Any, **more: Any) -> Any:
    """Return the description of a field."""
    if examples:
        more["examples"] = list(examples)
    return Field(description=text, **more)


class Told(BaseModel):
    """What the API answers: nothing that is not described."""

    model_config = ConfigDict(extra="forbid")


class Sent(BaseModel):
    """What is sent to the API: nothing that is not known."""

    model_config = ConfigDict(extra="forbid")


def _without_defaults(schema: dict[str, Any]) -> None:
    for told in schema["properties"].values():
        told.pop("default", None)


PARTIAL = ConfigDict(json_schema_extra=_without_defaults)
"""For bodies in which what is left out stays as it is: a default in the description would be sent by generated clients,
and overwrite what nobody meant to change."""


class StaffName(Told):
    """A member of staff."""

    person: Annotated[str, about("How the record names them.", "staff:3")]
    name: Annotated[str, about("Their name.", "Amara")]
    email: Annotated[str, about("Their e-mail address.", "amara@example.org")]


class MemberName(Told):
    """A member."""

    ref: Annotated[str, about("The reference.", "M-000012")]
    name: Annotated[str, about("The name.", "Acme Leisure Ltd")]

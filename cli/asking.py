"""What commands are given, made into what the use cases take: the environment, a person, fields, columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import refuse

if TYPE_CHECKING:
    from datetime import date, datetime

    from cases.environment import Environment
    from members.staffing import Person, Staffing
    from state_machines.values import Actor

AsOption = Annotated[
    str, typer.Option("--as", help="Who does it: the e-mail address of a member of staff.", metavar="EMAIL")
]
AsViewer = Annotated[
    str | None,
    typer.Option("--as", help="Through whose eyes; default: Muster itself, which sees all.", metavar="EMAIL"),
]
AsActor = Annotated[str | None, typer.Option("--as", help="Who does it; default: Muster itself.", metavar="EMAIL")]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map", help="Which column holds a field, e.g. name=Organisation. Repeat for each.", metavar="FIELD=COLUMN"
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="A field of the form, e.g. reason=Illness. Lists and tables as JSON.", metavar="FIELD=VALUE"
    ),
]
LimitOption = Annotated[int, typer.Option(help="How many to show at most.", min=1, max=100_000)]
OffsetOption = Annotated[int, typer.Option(help="How many to leave out at the beginning.", min=0)]


def environment() -> Environment:
    """Return the environment of an installation that is set up. Raises NotInitialised, or a sentence about settings."""
    from cli.database import opened

    return opened()


def staffing(env: Environment) -> Staffing:
    """Return the staff as they are now."""
    from config.database import reading
    from members import store

    with reading(env.engine) as conn:
        return store.staffing(conn)


def staff_names(env: Environment) -> dict[str, str]:
    """Return what the staff are called, by how the record names them: ``staff:3``."""
    return {who.person: who.name for who in staffing(env).people.values()}


def person(env: Environment, email: str | None) -> Actor:
    """Return the member of staff with this address as somebody who acts; without one, Muster itself."""
    from state_machines.values import SYSTEM

    if email is None:
        return SYSTEM
    everybody = staffing(env)
    found = colleague(everybody, email)
    if not found.active:
        refuse(f"{found.name} has left and cannot act any more.")
    return everybody.actor(found.id)


def colleague(everybody: Staffing, email: str) -> Person:
    """Return who has this address, here or not any more; refuse when nobody has."""
    found = everybody.by_email(email)
    if found is None:
        refuse(f"There is nobody on the staff with the address {email}; see: muster staff list")
    return found


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """Return ``FIELD=COLUMN`` arguments as a mapping. Raises typer.BadParameter: a usage error."""
    found: dict[str, str] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value:
            raise typer.BadParameter(f"{text!r} is not of the form FIELD=COLUMN.", param_hint=option)
        if name.strip() in found:
            raise typer.BadParameter(f"{name.strip()} is given twice.", param_hint=option)
        found[name.strip()] = value
    return found


def fields(given: Sequence[str] | None) -> dict[str, Any]:
    """Return ``--set`` arguments as the fields of a form: JSON where it looks like it, a list where repeated.

    ``true`` and ``false`` are values too, since a box to tick accepts no word in their place.
    """
    found: dict[str, Any] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name:
            raise typer.BadParameter(f"{text!r} is not of the form FIELD=VALUE.", param_hint="--set")
        read = _value(name, value)
        if name in found:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), read]
        else:
            found[name] = read
    return found


def day(text: str, option: str) -> date:
    """Return the day that an option names. Raises typer.BadParameter: a usage error."""
    from members.fields import parse_date

    try:
        return parse_date(text)
    except ValueError as bad:
        raise typer.BadParameter(str(bad), param_hint=option) from None


def today(env: Environment, now: datetime | None = None) -> date:
    """Return the day it is where the organisation is."""
    return env.calendar.local_date(now or env.now())


def _value(name: str, text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as bad:
        raise typer.BadParameter(f"{name} is not valid JSON: {bad.msg}.", param_hint="--set") from None

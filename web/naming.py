"""What people call things: processes, states, triggers, clocks, roles. Keys of the code never reach a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup, escape

from members.staffing import Person
from state_machines.english import capital
from state_machines.english import plural as plural  # pages take their words from here
from state_machines.objections import title_of
from state_machines.registry import process_named, processes
from state_machines.values import Role
from surveys import languages


def process_title(name: str) -> str:
    """Return what a process is called; a name nobody knows is written as words."""
    return process_named(name).title if name in processes() else words(name)


def state_title(process: str, state: str) -> str:
    """Return what a state is called."""
    found = process_named(process).by_name.get(state) if process in processes() else None
    return found.title if found else words(state)


def trigger_title(process: str, trigger: str) -> str:
    """Return what the button of a trigger says."""
    found = title_of(process_named(process), trigger) if process in processes() else words(trigger)
    return capital(found)


def person_title(person: Person) -> str:
    """Return somebody of the staff as a choice: name, roles, team."""
    return ", ".join(
        [person.name, *sorted(role.label for role in person.roles), *([person.team] if person.team else [])]
    )


def role_title(role: str) -> str:
    """Return a role as people say it."""
    return Role(role).label if role in Role._value2member_map_ else words(role)


def words(name: str) -> str:
    """Return a key as words: ``stage_1_letter`` becomes ``Stage 1 letter``."""
    return name.replace("_", " ").strip().capitalize()


@cache
def _countries() -> Mapping[str, str]:
    """The countries of ISO 3166 by code, as the time zone database lists them."""
    table = (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    listed = (line.partition("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {code: name for code, _, name in listed} | {"GB": "United Kingdom"}


def country_name(text: str) -> str:
    """Return what a country with this code is called; anything else as it stands."""
    return _countries().get(text, text)


def breakable(address: str) -> Markup:
    """Return an e-mail address that may go on in the next line where it can still be read: behind the @."""
    return escape(address).replace("@", Markup("@<wbr>"))


FILTERS: dict[str, Callable[..., Any]] = {
    "process_title": process_title, "role_title": role_title, "words": words, "plural": plural,
    "breakable": breakable, "country_name": country_name, "language_name": languages.name_of,
    "state_title": lambda state, process: state_title(process, state),
    "trigger_title": lambda trigger, process: trigger_title(process, trigger),
}  # fmt: skip

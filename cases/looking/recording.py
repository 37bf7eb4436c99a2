"""Noting that somebody looks. What is noted is written by whoever answers, before anything is shown.

Restricted are cases that name who alone may see them, cases about a member of staff, with their files and letters,
the answers of a campaign with nothing left out, and every copy that leaves the desk as a file. What a list tells of a
restricted case to those who may open it is not noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from state_machines.values import Actor, Role

CASE, FILE, LETTER, EXPORT, RESULTS = "case", "file", "letter", "export", "results"
"""What can be looked at: a case, a file or a letter of one, a copy that is taken away, answers and risks by name."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look: by whom, for whom, at what. It holds no content."""

    person: str
    on_behalf_of: str | None
    what: str
    case_ref: str | None
    name: str | None
    """Which file, letter or export, where that is not the case itself."""


_looks: ContextVar[list[Look] | None] = ContextVar("looks", default=None)


@contextmanager
def recorded() -> Iterator[list[Look]]:
    """Yield the list to which every look is added that happens inside, in threads begun there as well."""
    looks: list[Look] = []
    before = _looks.set(looks)
    try:
        yield looks
    finally:
        _looks.reset(before)


def begin() -> list[Look]:
    """Return the list to which every look of this process is added from now on, as a command needs it."""
    looks: list[Look] = []
    _looks.set(looks)
    return looks


def is_restricted(row: Any) -> bool:
    """Whether a case names who may see it, or is about a member of staff."""
    return row.restricted_to is not None or bool(row.walled_off)


def looked_at(what: str, *, case_ref: str | None = None, name: str | None = None, actor: Actor) -> None:
    """Note that somebody looks at something restricted; Muster itself looks at nothing."""
    looks = _looks.get()
    if looks is None or Role.SYSTEM in actor.roles:
        return
    look = Look(actor.person, actor.on_behalf_of, what, case_ref, name)
    if look not in looks:
        looks.append(look)


def looked_at_case(row: Any, ref: str, *, what: str = CASE, name: str | None = None, actor: Actor) -> None:
    """Note that somebody looks at a case, or at something of it, when it is restricted."""
    if is_restricted(row):
        looked_at(what, case_ref=ref, name=name, actor=actor)

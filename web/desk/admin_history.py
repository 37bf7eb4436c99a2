"""What changed about somebody, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cases.people import called
from members.staffing import Staffing
from state_machines.english import capital
from web.naming import role_title
from web.wording import day_words

_LABELS = {"name": "name", "email": "address", "team": "team", "roles": "roles", "manager_id": "manager"}


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the record: when, by whom, and what as sentences."""

    at: datetime
    by: str
    lines: tuple[str, ...]


def history(rows: Iterable[Any], staffing: Staffing) -> list[Told]:
    """Return the record of changes as people read it, in the order given."""
    return [Told(row.at, called(row.actor, staffing), tuple(_lines(row.changes, staffing))) for row in rows]


def _lines(changes: Mapping[str, Any], staffing: Staffing) -> Iterator[str]:
    if "status" in changes:
        on = changes.get("left_on", [None, None])[1]
        left = "Has left" + (f" on {_day(on)}" if on else "")
        yield left if changes["status"][1] == "left" else "Works here again"
    if "added" in changes:
        yield f"Added as {_value('roles', changes['added'][1]['roles'], staffing).lower()}"
    if "absence" in changes:
        before, after = changes["absence"]
        yield _absence(before, after, staffing)
    if "conflict_of_interest" in changes:
        told = changes["conflict_of_interest"][1]
        yield f"Does not judge {told['member']}{': ' + told['note'] if told['note'] else ''}"
    if "deed" in changes:
        yield capital(changes["deed"][1])
    if "rules" in changes:
        yield f"Team {changes['team'][1]} {'changed' if changes['rules'][0] else 'made'}"
    for name, label in _LABELS.items():
        if name in changes and "rules" not in changes:
            was, became = (_value(name, each, staffing) for each in changes[name])
            yield f"{label.capitalize()}: {was} → {became}"


def _value(name: str, value: Any, staffing: Staffing) -> str:
    if value in (None, "", []):
        return "nothing"
    if name == "roles":
        return ", ".join(role_title(each) for each in value).capitalize()
    if name == "manager_id":
        found = staffing.get(int(value))
        return found.name if found else "somebody"
    return str(value)


def _absence(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, staffing: Staffing) -> str:
    told = after or before or {}
    days = f"{_day(told['from'])} to {_day(told['until'])}"
    if after is None:
        return f"Stays after all: not away from {days}"
    if before is not None:
        return f"Back earlier: away from {days}"
    deputy = staffing.get(told["deputy"]) if told["deputy"] else None
    return f"Away from {days}; {deputy.name if deputy else 'the manager'} stands in"


def _day(text: str) -> str:
    return day_words(date.fromisoformat(text))

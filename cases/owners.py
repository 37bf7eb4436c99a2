"""Who owns a case: a role in a state becomes a person, and never nobody. Pure.

The owner is the person by rights. Who acts for them while they are away follows from absences at the moment it is
asked, so that nothing has to be handed back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from cases.errors import NobodyToOwn
from members.staffing import Person, Staffing
from state_machines.process import Process
from state_machines.values import Case, Role

LAST_RESORTS = (Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.COUNCIL, Role.ADMINISTRATOR)


def owner_for(
    role: Role,
    case: Case,
    process: Process,
    staffing: Staffing,
    *,
    coordinator_id: int | None = None,
    kept_out: Collection[int] = (),
) -> int:
    """Return the staff id of who owns a case in a state of this role.

    Coordinators keep their cases. A manager is the coordinator's own, unless that is who asked for the decision.
    Raises NobodyToOwn only when there is no active staff at all.
    """
    barred = {*kept_out, *_who_asked(process, case)}
    for avoid in (barred, set(kept_out), set[int]()):
        found = _candidate(role, case, staffing, coordinator_id, avoid)
        if found is not None:
            return found
    raise NobodyToOwn


def _who_asked(process: Process, case: Case) -> set[int]:
    """Staff who may not take the decision that this state waits for, because they asked for it."""
    asked = {trigger for t in process.from_state[case.state] for trigger in t.four_eyes}
    people = [person for trigger in asked for person in case.people.get(trigger, ())]
    return {int(person[6:]) for person in people if person.startswith("staff:")}


def _candidate(
    role: Role, case: Case, staffing: Staffing, coordinator_id: int | None, avoid: Collection[int]
) -> int | None:
    if role is Role.COORDINATOR and _usable(coordinator_id, role, staffing, avoid):
        return coordinator_id
    if role is Role.MANAGER and coordinator_id is not None:
        own = staffing.manager_of(coordinator_id)
        if own is not None and _usable(own.id, role, staffing, avoid):
            return own.id
    for wanted, team in _places(role, case.team):
        able = [s for s in staffing.with_role(wanted, team=team) if s.id not in avoid]
        if able:
            return sorted(able, key=lambda s: s.id)[case.id % len(able)].id
    return None


def _places(role: Role, team: str | None) -> Iterator[tuple[Role, str | None]]:
    """Where to look, in order. A coordinator of another team comes after this team's managers: owning shows a case."""
    roles, teams = (role, *LAST_RESORTS), (team, None)
    if role is Role.COORDINATOR:
        return ((wanted, place) for place in teams for wanted in roles)
    return ((wanted, place) for wanted in roles for place in teams)


def _usable(staff_id: int | None, role: Role, staffing: Staffing, avoid: Collection[int]) -> bool:
    if staff_id is None or staff_id in avoid:
        return False
    member = staffing.get(staff_id)
    return member is not None and member.active and role in member.roles


def why_not_own(person: Person, row: Any) -> str | None:
    """Return why somebody active may not be given a case as its row stands, or None."""
    if person.id in (row.walled_off or ()):
        return f"{person.name} is named in this case and may not own it."
    if row.restricted_to is not None and person.id not in row.restricted_to:
        return f"{person.name} may not see this case; name them among those who may first."
    if Role(row.owner_role) not in person.roles:
        return f"{person.name} is no {Role(row.owner_role).label}, and this case waits for one."
    return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a case can be given to."""

    person: Person
    away_until: date | None
    """The last day of an absence that covers today."""
    acting: str | None
    """Who acts for them meanwhile."""


def candidates(row: Any, staffing: Staffing, today: date) -> list[Candidate]:
    """Return who may own a case as its row stands: its own team first, then by name."""
    able = [p for p in staffing.people.values() if p.active and p.id != row.owner_id and why_not_own(p, row) is None]
    found = []
    for person in sorted(able, key=lambda p: (p.team != row.team, p.name.casefold())):
        away = staffing.away(person.id, today)
        acting = staffing.acting(person.id, today).staff if away else person
        found.append(Candidate(person, away.until_date if away else None, acting.name if acting != person else None))
    return found

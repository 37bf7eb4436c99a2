"""The people of a case by name: who acted, who is written to, who may be chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cases.mailroom import whom
from cases.queries import CasePage
from members.staffing import Person, Staffing
from state_machines.values import Role
from web.forms import Option
from web.naming import role_title


class Names:
    """Everybody a case page speaks of, by name."""

    def __init__(self, page: CasePage, staffing: Staffing) -> None:
        self._page, self._staffing = page, staffing

    def person(self, person: str | None) -> str:
        """Return who a person of the record is: staff by name, the member by theirs, Muster itself."""
        if person is None:
            return "nobody"
        kind, _, number = person.partition(":")
        if kind == "staff" and number.isdigit():
            found = self._staffing.get(int(number))
            return found.name if found else "somebody who was on the staff"
        if kind == "system":
            return "Muster"
        if kind == "member":
            return self._page.line["member"] or "the member"
        return whom(person if kind == "party" else kind)

    def by(self, event: Mapping[str, Any]) -> str:
        """Return who did something, and for whom."""
        who = self.person(event["actor"])
        return f"{who} for {self.person(event['on_behalf_of'])}" if event["on_behalf_of"] else who

    def address(self, email: str) -> str:
        """Return the name of who has this address on the staff."""
        found = self._staffing.by_email(email)
        return found.name if found else email

    def audience(self, audience: str) -> str:
        """Return whom a message goes to, by name where that is certain."""
        line, row = self._page.line, self._page.row
        if audience == "owner":
            acting = self._page.owner_acting
            return f"{acting} for {line['owner_name']}" if acting else line["owner_name"] or "the owner"
        if audience == "manager":
            manager = self._staffing.manager_of(row.coordinator_id) if row.coordinator_id else None
            return f"the manager, {manager.name}" if manager else "a manager"
        if audience in ("member", "signatory", "next_contact"):
            name = line["member"] or "the member"
            other = "signatory" if audience == "signatory" else "next contact"
            return name if audience == "member" else f"the {other} of {name}"
        if audience.startswith("role:"):
            return f"everybody who is {role_title(audience[5:])}"
        return f"the {'senior manager' if audience == 'senior' else whom(audience)}"

    def role(self, role: Role) -> str:
        """Return on whose desk a state with this owner's role lands."""
        row = self._page.row
        if role is Role.COORDINATOR and row.coordinator_id is not None:
            return self.person(f"staff:{row.coordinator_id}")
        if role.value == row.owner_role and row.owner_id is not None:
            return self.person(f"staff:{row.owner_id}")
        return f"a {role.label}"


def title_of(person: Person) -> str:
    """Return somebody as a choice: name, roles, team."""
    roles = ", ".join(sorted(role.label for role in person.roles))
    return f"{person.name} ({roles}{f', {person.team}' if person.team else ''})"


def options(people: Iterable[Person]) -> list[Option]:
    """Return people as choices of a field that names one, by name; who has left is none."""
    return [Option(p.person, title_of(p)) for p in sorted(people, key=lambda p: p.name.casefold()) if p.active]

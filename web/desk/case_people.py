"""The people of a case by name: who acted, who is written to, who may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.people import called, whom
from cases.queries import CasePage
from members.staffing import Staffing
from state_machines.english import within
from state_machines.process import State
from state_machines.values import Role
from web.forms import Option
from web.naming import person_title, role_title


class Names:
    """Everybody a case page speaks of, by name."""

    def __init__(self, page: CasePage, staffing: Staffing) -> None:
        self._page, self._staffing = page, staffing

    def person(self, person: str | None) -> str:
        """Return who a person of the record is: staff by name, the member by theirs, Muster itself."""
        return "nobody" if person is None else called(person, self._staffing, member=self._page.line["member"])

    def by(self, event: Mapping[str, Any]) -> str:
        """Return who did something, and for whom."""
        who = self.person(event["actor"])
        return f"{who} for {self.person(event['on_behalf_of'])}" if event["on_behalf_of"] else who

    def address(self, email: str) -> str:
        """Return the name of who has this address on the staff."""
        found = self._staffing.by_email(email)
        return found.name if found else email

    def owner_in(self, state: State, data: Mapping[str, Any]) -> str:
        """Return who owns the case in a state, as far as it is known before it comes there."""
        named = data.get(state.owner_fact) if state.owner_fact else None
        return self.person(str(named)) if named else self.role(state.owner)

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
        if audience.startswith("contact:"):
            return f"a contact of {line['member'] or 'the member'}"
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
        return self.whoever(role)

    def whoever(self, role: str) -> str:
        """Return whoever has a role: ``a coordinator``, ``finance``, ``the council``."""
        label = role_title(role)
        first = within(label)
        if role in (Role.FINANCE, Role.SITE):
            return "finance" if role == Role.FINANCE else "the site"
        return f"{'the' if role in (Role.SENIOR, Role.COUNCIL) else 'an' if first[0] in 'aeiou' else 'a'} {first}"


def options(staffing: Staffing) -> list[Option]:
    """Return the staff as choices of a field that names one, by name; who has left is none."""
    return [Option(p.person, person_title(p)) for p in staffing.active]

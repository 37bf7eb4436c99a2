"""Who an audience is, at the moment of sending. Pure: people are passed in.

Members are reached through their contacts, in order; staff through whoever acts for them on that day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from members.cards import Contact
from members.staffing import NoStaff, Person, Staffing
from notifications.values import CaseView, QueuedMessage, Recipient
from state_machines.values import Role

MEMBER_AUDIENCES = frozenset({"member", "next_contact", "signatory"})
CONTACT = "contact:"
"""Before the number of one contact, who alone asked for it."""
PARTY = "party:"
"""Before what somebody is in a case, such as its complainant."""
_PLAIN = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""Most addresses are like this; the others are looked at sign by sign."""
_SENIOR_CONTACTS = ("signatory", "executive")


@dataclass(frozen=True, slots=True)
class People:
    """Everybody a batch may need."""

    staffing: Staffing
    contacts: Mapping[int, Sequence[Contact]]
    on: date
    """The local day: absence is by day."""


def is_for_member(audience: str) -> bool:
    """Whether it goes to the member, so that the member's flags decide."""
    return audience in MEMBER_AUDIENCES or audience.startswith(CONTACT)


def is_for_outsider(audience: str) -> bool:
    """Whether it goes to anybody who is not staff."""
    return is_for_member(audience) or audience.startswith(PARTY)


def resolve(message: QueuedMessage, view: CaseView | None, people: People) -> list[Recipient]:
    """Return who receives it, nobody twice; empty when there is no address for it."""
    if is_for_member(message.audience):
        member_id = message.member_id or (view.member_id if view else None)
        return _contact(message.audience, people.contacts.get(member_id or 0, ()), view)
    if message.audience.startswith(PARTY):
        return _party(message.audience.removeprefix(PARTY), view)
    found = _unique(person for person in _staff(message, view, people) if _may_see(person, view))
    return found or (_instead(view, people) if view is not None and message.audience in _NAMED else [])


def usable(contacts: Iterable[Contact]) -> list[Contact]:
    """Return the contacts that mail can reach, in order."""
    found = [c for c in contacts if c.reachable and is_address(c.email)]
    return sorted(found, key=lambda contact: (contact.position, contact.id))


def is_address(email: str | None) -> bool:
    """Whether it can be written to at all: one address, nothing that could become a second header."""
    email = (email or "").strip()
    if _PLAIN.fullmatch(email):
        return len(email) <= 254
    if any(sign.isspace() or not sign.isprintable() or sign in '<>,;"()' for sign in email):
        return False
    local, _, domain = email.rpartition("@")
    return bool(local) and "@" not in local and all(domain.split(".")) and len(email) <= 254


def in_turn(contacts: Iterable[Contact], facts: Mapping[str, Any]) -> list[Contact]:
    """Return the contacts a case can write to, the one who is written to now first, then those who come next.

    Whoever said that they are not the right person is not among them. Whom the case has turned away from (see
    ``state_machines/processes/reaching_rules.py``) comes last; if it has turned away from everybody, the last usable
    contact stays the one who is written to.
    """
    declined, passed = facts.get("contacts_declined") or (), facts.get("contacts_passed") or ()
    there = [c for c in usable(contacts) if c.id not in declined]
    turned_away = [c for c in there if c.id in passed]
    return [c for c in there if c.id not in passed] + (turned_away[::-1])


def _contact(audience: str, contacts: Sequence[Contact], view: CaseView | None) -> list[Recipient]:
    reachable = in_turn(contacts, view.data if view else {})
    if audience.startswith(CONTACT):
        reachable = [c for c in usable(contacts) if str(c.id) == audience.removeprefix(CONTACT)]
    if not reachable:
        return []
    chosen = reachable[0]
    if audience == "next_contact" and len(reachable) > 1:
        chosen = reachable[1]
    elif audience == "signatory":
        chosen = next((c for role in _SENIOR_CONTACTS for c in reachable if c.role == role), chosen)
    language = view.member_language if view else ""
    return [
        Recipient(
            email=(chosen.email or "").strip(),
            name=chosen.name,
            role="member",
            language=chosen.language or language,
            contact_id=chosen.id,
        )
    ]


def _party(role: str, view: CaseView | None) -> list[Recipient]:
    details: Mapping[str, Any] = view.parties.get(role, {}) if view else {}
    email = str(details.get("email") or "").strip()
    if not is_address(email):
        return []
    name, language = str(details.get("name") or ""), str(details.get("language") or "")
    return [Recipient(email=email, name=name, role=role, language=language)]


def _staff(message: QueuedMessage, view: CaseView | None, people: People) -> list[Person]:
    """Return the people meant, already replaced by whoever acts for them; empty only when nobody works here."""
    audience, _, detail = message.audience.partition(":")
    try:
        if message.staff_id is not None:
            return _acting(message.staff_id, people)
        if audience == "staff" and detail.isdigit():
            return _acting(int(detail), people)
        if audience == "person" and detail.isdigit():
            return _themselves(int(detail), people)
        if audience == "role":
            return _everybody(Role(detail), None, people)
        return _NAMED[audience](view, people)
    except NoStaff:
        return []


def _owner(view: CaseView | None, people: People) -> list[Person]:
    """The owner; of a case nobody owns, everybody of its role and team."""
    if view is None:
        return []
    if view.owner_id is not None:
        return _acting(view.owner_id, people)
    return _everybody(Role(view.owner_role), view.team, people)


def _manager(view: CaseView | None, people: People) -> list[Person]:
    """The manager who decides, where one owns the case; otherwise the owner's manager, or one of the team's."""
    if view is not None and view.owner_id is not None and view.owner_role == Role.MANAGER:
        return _acting(view.owner_id, people)
    manager = people.staffing.manager_of(view.owner_id) if view and view.owner_id is not None else None
    return _acting(manager.id, people) if manager else _someone(Role.MANAGER, view, people)


def _senior(view: CaseView | None, people: People) -> list[Person]:
    return _someone(Role.SENIOR, view, people)


def _site(view: CaseView | None, people: People) -> list[Person]:
    """The site's team; without one, whoever owns the case must tell the site."""
    team = view.team if view else None
    return list(people.staffing.with_role(Role.SITE, team, on=people.on)) or _owner(view, people)


_NAMED: dict[str, Callable[[CaseView | None, People], list[Person]]] = {
    "owner": _owner,
    "manager": _manager,
    "senior": _senior,
    "site": _site,
}


def _acting(staff_id: int, people: People) -> list[Person]:
    return [people.staffing.acting(staff_id, people.on).staff]


def _themselves(staff_id: int, people: People) -> list[Person]:
    """The person and nobody who stands in: what opens their account is for nobody else."""
    found = people.staffing.get(staff_id)
    return [found] if found is not None and found.active else []


def _someone(role: Role, view: CaseView | None, people: People) -> list[Person]:
    return [people.staffing.responsible(role, view.team if view else None, people.on).staff]


def _everybody(role: Role, team: str | None, people: People) -> list[Person]:
    """Everybody of a role who is there; when none is, whoever acts for them."""
    there = people.staffing.with_role(role, team, on=people.on)
    return list(there) or [people.staffing.responsible(role, team, people.on).staff]


def _may_see(person: Person, view: CaseView | None) -> bool:
    """Mail never tells anybody of a case they may not open."""
    if view is None:
        return True
    allowed = view.restricted_to is None or person.id in view.restricted_to
    return allowed and person.id not in view.walled_off


def _instead(view: CaseView, people: People) -> list[Recipient]:
    """Somebody who may see a case whose own people may not today: who is named in it, else a manager."""
    staffing, on = people.staffing, people.on
    named = [p for n in sorted(view.restricted_to or ()) if (p := staffing.get(n)) is not None]
    above = (*staffing.with_role(Role.MANAGER, view.team, on=on), *staffing.with_role(Role.SENIOR, on=on))
    there = (p for p in (*named, *above) if staffing.present(p.id, on) and _may_see(p, view))
    return _unique([p] if (p := next(there, None)) is not None else [])


def _unique(found: Iterable[Person]) -> list[Recipient]:
    by_address: dict[str, Recipient] = {}
    for person in found:
        email = person.email.strip()
        if is_address(email):
            recipient = Recipient(email=email, name=person.name, role="staff", staff_id=person.id)
            by_address.setdefault(recipient.address, recipient)
    return list(by_address.values())

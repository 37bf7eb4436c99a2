"""How the contacts of a row join those a member has. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from members.cards import Contact
from members.fields import NewContact

_ROLES = ("primary", "deputy")


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """Contacts to add, and columns of contacts to set."""

    added: tuple[dict[str, Any], ...] = ()
    changed: tuple[dict[str, Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed)

    def as_log(self) -> dict[str, Any]:
        """Return the changes as the member's history keeps them: who is new, and which contacts changed."""
        added = [contact["email"] or contact["phone"] or contact["name"] for contact in self.added]
        return {"contacts": {"added": added, "changed": [contact["id"] for contact in self.changed]}}


def first_contacts(given: Sequence[NewContact]) -> list[dict[str, Any]]:
    """Return the contacts of a new member, in the order of the file."""
    return [
        {
            "position": position,
            "name": contact.name,
            "email": contact.email,
            "phone": contact.phone,
            "role": contact.role or (_ROLES[position - 1] if position <= len(_ROLES) else "other"),
        }
        for position, contact in enumerate(given, start=1)
    ]


def merge_contacts(given: Sequence[NewContact], present: Sequence[Contact]) -> ContactChanges:
    """Return what a row's contacts change: its own come first, in its order; nobody is removed.

    Who is not in the file and cannot be written to is in nobody's way: an exported file, which names who is written
    to first, changes nothing where somebody before them has left or bounced. A contact is recognised by e-mail
    address, one without an address by telephone number or name.
    """
    others = list(present)
    matched = [(new, _take(new, others)) for new in given]
    in_the_way = [contact for contact in others if contact.reachable]
    order = [old.id for _, old in matched if old] + [contact.id for contact in in_the_way]
    moved = any(old is None for _, old in matched) or order != [each.id for each in present if each.id in order]
    has_primary = any(contact.role == "primary" for contact in present)
    added, changed = [], []
    for position, (new, old) in enumerate([*matched, *((None, rest) for rest in others)], start=1):
        if old is None and new is not None:
            role = new.role or ("other" if has_primary or position > 1 else "primary")
            added.append({"position": position, "name": new.name, "email": new.email, "phone": new.phone, "role": role})
        elif old is not None:
            after = {
                "id": old.id,
                "name": (new.name if new else "") or old.name,
                "phone": (new.phone if new else None) or old.phone,
                "role": (new.role if new else None) or old.role,
                "position": position if moved else old.position,
            }
            if any(getattr(old, name) != value for name, value in after.items()):
                changed.append(after)
    return ContactChanges(tuple(added), tuple(changed))


def _take(new: NewContact, others: list[Contact]) -> Contact | None:
    """Remove the contact that `new` means from `others` and return it."""
    for old in others:
        if new.email and old.email:
            same = new.email.casefold() == old.email.casefold()
        else:
            same = not new.email and (new.phone == old.phone if new.phone else new.name == old.name)
        if same:
            others.remove(old)
            return old
    return None

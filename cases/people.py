"""People and audiences as one calls them; the record names them ``staff:3``, ``member:17``, ``system:link``."""

from __future__ import annotations

from cases.rows import staff_id_of
from members.staffing import Staffing


def called(person: str, staffing: Staffing, *, member: str | None = None) -> str:
    """Return what people call somebody: staff by name, the member by theirs where it is given, Muster itself."""
    kind, _, part = person.partition(":")
    if kind == "staff":
        found = staffing.get(staff_id_of(person) or 0)
        return found.name if found else "somebody who has left"
    known = {"system": "Muster", "member": member or "the member", "contact": "a contact of the member"}
    return known.get(kind) or f"the {whom(part or kind)}"


def whom(audience: str) -> str:
    """Return an audience as people say it."""
    return audience.removeprefix("party:").replace("_", " ")

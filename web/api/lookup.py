"""Members by reference, and people by name."""

from __future__ import annotations

from config.database import reading
from members.cards import MemberCard
from members.visibility import find_member, lent_teams
from web.api.asking import Asked


def member_seen(asked: Asked, ref: str) -> MemberCard:
    """Return the member with this reference. Raises NotFound also for one the asker may not see."""
    with reading(asked.env.engine) as conn:
        return find_member(conn, ref, lent=lent(asked), actor=asked.actor)


def lent(asked: Asked) -> frozenset[str]:
    """Return the teams whose people the asker stands in for today."""
    today = asked.env.calendar.local_date(asked.now)
    return lent_teams(asked.actor, asked.staffing, today)


def who(person: str, asked: Asked) -> str:
    """Return somebody the record names as people call them."""
    kind, _, number = person.partition(":")
    found = asked.staffing.get(int(number)) if kind == "staff" and number.isdecimal() else None
    words = {"system": "Muster", "member": "the member", "contact": "a contact of the member"}
    return found.name if found else words.get(kind, person)

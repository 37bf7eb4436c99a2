"""Members by reference, as far as the asker may see them."""

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

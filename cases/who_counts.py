"""Writing down who still counts in a campaign: the frozen population changes by a manager's decision, and only so."""

from __future__ import annotations

from sqlalchemy import select, text

from cases.errors import BadInput
from cases.rows import ref_of
from config.database import Connection
from members.tables import Member
from state_machines.processes.leaving_out import CAUSES, CHILD, Cause
from state_machines.values import FireLinked

_CHANGE = text("""
UPDATE campaign_members AS m SET included = :included, reason = :reason
FROM cases AS c WHERE m.campaign_id = :campaign AND m.member_id = :member AND m.included <> :included
  AND c.parent_id = m.campaign_id AND c.member_id = m.member_id AND c.closed_at IS NULL
""")
_WHY_NOT = text("""
SELECT m.included, bool_or(c.closed_at IS NULL) AS open FROM campaign_members AS m
LEFT JOIN cases AS c ON c.parent_id = m.campaign_id AND c.member_id = m.member_id
WHERE m.campaign_id = :campaign AND m.member_id = :member GROUP BY m.included
""")


def note(conn: Connection, campaign_id: int, wish: FireLinked) -> None:
    """Write down that a member does not count in a campaign any more, or counts again.

    Raises BadInput where the member is not in the campaign, has answered for good, or is left out already.
    """
    out = wish.trigger == "left_out"
    ref = ref_of(wish.where.removeprefix(CHILD))
    card = conn.execute(select(Member.id, Member.name).where(Member.ref == ref)).one_or_none()  # itself, though merged
    if card is None:
        raise BadInput(f"There is no member {ref}; write the reference, such as M-000017.")
    reason = f"left out: {CAUSES[Cause(wish.data['cause'])]}" if out else "taken back in"
    values = {"campaign": campaign_id, "member": card.id, "included": not out}
    if conn.execute(_CHANGE, values | {"reason": reason}).rowcount:
        return
    found = conn.execute(_WHY_NOT, {"campaign": campaign_id, "member": card.id}).one_or_none()
    raise BadInput(_why_not(card.name, out, *(found or (None, None))))


def _why_not(name: str, out: bool, included: bool | None, still_open: bool | None) -> str:
    if included is None or (not included and not still_open):
        return f"{name} is not asked in this campaign."
    if included == (not out):
        return f"{name} is left out already." if out else f"{name} is not left out."
    return f"What became of {name} is settled: it was decided or answered for good, so nothing is left out."

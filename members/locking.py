"""Holding a member still: whoever changes one waits for whoever was first, and sees what they left."""

from collections.abc import Collection

from sqlalchemy import select

from config.database import Connection
from members import store
from members.cards import MemberCard
from members.errors import Changed, NotFound, Unusable
from members.tables import Member
from members.visibility import find_member, require_edit
from state_machines.values import Actor


def lock_to_edit(
    conn: Connection, member: str, *, seen_version: int | None = None, lent: Collection[str] = (), actor: Actor
) -> MemberCard:
    """Return a member the actor may change, whom nobody else changes until this transaction ends.

    Raises NotFound, NotYours, or Changed when the member is not in the version the actor saw.
    """
    found = find_member(conn, member, lent=lent, actor=actor)
    [card] = locked(conn, [found.id])
    require_edit(actor, card, lent)
    if seen_version is not None and card.version != seen_version:
        raise Changed(f"{card.name} was changed by someone else in the meantime.")
    return card


def lock_both(conn: Connection, one: str, other: str) -> tuple[MemberCard, MemberCard]:
    """Return two different members, both locked in the order of their ids, so that two merges cannot block each other.

    Raises NotFound, Ambiguous or Unusable.
    """
    found = store.find_by_refs(conn, [one, other])
    for text in (one, other):
        if text in found.refused:
            raise NotFound(found.refused[text])
    first, second = found.members[one], found.members[other]
    if first.id == second.id:
        raise Unusable(f"{first.ref} and {other} are the same member.")
    cards = {card.id: card for card in locked(conn, sorted([first.id, second.id]))}
    return cards[first.id], cards[second.id]


def locked(conn: Connection, ids: Collection[int]) -> list[MemberCard]:
    """Return members by id, locked. Raises Changed when one was merged into another at this very moment."""
    conn.execute(select(Member.id).where(Member.id.in_(ids)).order_by(Member.id).with_for_update())
    cards = store.member_card(conn, ids)
    if merged := next((card for card in cards.values() if card.merged_into), None):
        raise Changed(f"{merged.name} was merged into another member in the meantime.")
    return [cards[each] for each in ids]

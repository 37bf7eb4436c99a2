"""Taking two members apart again that were made one by mistake, while nothing was done with the one they became."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import array

from config.database import Connection
from members import store
from members.cards import MemberCard
from members.errors import Unusable
from members.locking import locked
from members.tables import ChangeLog, ConflictOfInterest, Member, MemberProposal
from members.visibility import find_member, require_change_many
from members.writing import apply_changes, log_changes, update_contacts
from state_machines.values import Actor

TAKEN_IN = "taken in"
"""Under which the history of a member keeps what it took in."""
GIVEN_BACK = "given back"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a member got from the entry that was made part of it, as its history keeps it."""

    reference: str
    name: str
    version: int
    """Of the member when the two were one."""
    filled: Sequence[str] = ()
    flags: Sequence[str] = ()
    contacts: Sequence[Mapping[str, Any]] = ()
    """Those that came over: ``id``, and ``position`` and ``role`` from before."""
    proposals: Sequence[int] = ()
    conflicts: Sequence[int] = ()
    """Of the staff: whose conflicts of interest were not declared before."""
    earlier: Sequence[int] = ()
    """Entries that had been made part of the other one before."""
    status: str = ""
    left_on: str | None = None
    external_ref: str | None = None

    def to_log(self) -> dict[str, Any]:
        """Return it as the history keeps it."""
        return asdict(self)


def can_be_taken_apart(conn: Connection, card: MemberCard) -> frozenset[str]:
    """Return the references of the entries in a member that can be taken out again: the last one, if nothing else was
    changed on the member since."""
    last = _last_taken(conn, card.id)
    return frozenset({last.reference} if last is not None and last.version == card.version else ())


def _last_taken(conn: Connection, member_id: int) -> Taken | None:
    """Return what a member took in last; None where nothing, where it was given back, and where it was not kept how."""
    about = (ChangeLog.member_id == member_id, ChangeLog.changes.has_any(array([TAKEN_IN, GIVEN_BACK])))
    newest = select(ChangeLog.changes).where(*about).order_by(ChangeLog.id.desc()).limit(1)
    kept = (conn.execute(newest).scalar_one_or_none() or {}).get(TAKEN_IN, {})
    return Taken(**kept) if "version" in kept else None


def take_apart(
    conn: Connection, keep: str, other: str, *, actor: Actor, now: datetime
) -> tuple[MemberCard, MemberCard]:
    """Undo that `other` was made part of `keep`, and return both. Cases are not touched here.

    Raises NotFound, NotYours, and Unusable when something was changed since, or when it was merged before Muster kept
    what came from where.
    """
    require_change_many(actor)
    found = find_member(conn, keep, actor=actor)
    [card] = locked(conn, [found.id])
    taken = _last_taken(conn, card.id)
    if taken is None or taken.reference != other or taken.version != card.version:
        raise Unusable(
            f"{other} cannot be taken out of {card.name} by itself any more: something was changed since. Add it anew,"
            " and move its contacts there."
        )
    merged = conn.execute(select(Member.id).where(Member.ref == other)).scalar_one()
    _give_back(conn, card.id, merged, taken, actor=actor, now=now)
    told = {GIVEN_BACK: {"reference": taken.reference, "name": taken.name}}
    log_changes(conn, [(card.id, told)], source="merge", actor=actor, now=now)
    cards = store.member_card(conn, [card.id, merged])
    return cards[card.id], cards[merged]


def _give_back(conn: Connection, kept: int, merged: int, taken: Taken, *, actor: Actor, now: datetime) -> None:
    context: dict[str, Any] = {"source": "merge", "follow_merges": False, "actor": actor, "now": now}
    apply_changes(conn, [(kept, {**dict.fromkeys(taken.filled), "remove_flags": taken.flags})], **context)
    left_on = date.fromisoformat(taken.left_on) if taken.left_on else None
    stood = {"status": taken.status, "merged_into": None, "left_on": left_on, "external_ref": taken.external_ref}
    apply_changes(conn, [(merged, stood)], **context)
    apply_changes(conn, [(each, {"merged_into": merged}) for each in taken.earlier], **context)
    update_contacts(conn, [{**each, "member_id": merged} for each in taken.contacts])
    waiting = (MemberProposal.id.in_(taken.proposals), MemberProposal.status == "open")
    conn.execute(update(MemberProposal).where(*waiting).values(member_id=merged))
    theirs = (ConflictOfInterest.member_id == kept, ConflictOfInterest.staff_id.in_(taken.conflicts))
    conn.execute(delete(ConflictOfInterest).where(*theirs))

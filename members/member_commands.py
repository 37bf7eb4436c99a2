"""Changing one member, and making two entries for the same member one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from config.database import Connection, Engine, transaction
from members import store
from members.cards import DECIDED, Contact, MemberCard
from members.errors import Changed, Unusable, did_you_mean
from members.fields import check_value
from members.locking import lock_both, lock_to_edit
from members.tables import ConflictOfInterest, Member, MemberProposal
from members.tables import Contact as ContactTable
from members.unmerging import TAKEN_IN, Taken
from members.visibility import require_change_many, visible_members
from members.writing import apply_changes, log_changes
from state_machines.values import Actor

REQUIRED = ("name", "kind", "status", "language")
EDITED_BY_HAND = (
    *REQUIRED, "external_ref", "tier", "category", "country", "region", "site", "team", "website", "joined_on",
    "left_on", "add_flags", "remove_flags",
)  # fmt: skip
_FILLED_FROM_OTHER = (
    "tier", "category", "country", "region", "site", "team", "website", "joined_on", "external_ref",
)  # fmt: skip


def update_member(
    engine: Engine,
    member: str,
    changes: Mapping[str, Any],
    *,
    seen_version: int | None = None,
    lent: Collection[str] = (),
    actor: Actor,
    now: datetime,
) -> MemberCard:
    """Change fields of one member as a person typed them; a blank erases what need not be there.

    `add_flags` and `remove_flags` take lists. Raises Unusable, NotFound, NotYours, and Changed when the member is
    not as the person saw it (`seen_version`).
    """
    wanted = checked_fields(changes)
    with transaction(engine) as conn:
        card = lock_to_edit(conn, member, seen_version=seen_version, lent=lent, actor=actor)
        write_fields(conn, card, wanted, source="desk", actor=actor, now=now)
        return store.member_card(conn, [card.id])[card.id]


def checked_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return typed fields of a member as they are stored. Raises Unusable with a sentence."""
    return {field: _checked(field, value) for field, value in changes.items()}


def write_fields(
    conn: Connection, card: MemberCard, wanted: Mapping[str, Any], *, source: str, actor: Actor, now: datetime
) -> None:
    """Write checked fields of a locked member. Raises Unusable for what only a decision in a case may change."""
    _check_decisions(card, wanted)
    _check_days(card, wanted)
    check_external_ref(conn, wanted, of=card.id, actor=actor)
    apply_changes(conn, [(card.id, wanted)], source=source, actor=actor, now=now)


def _checked(field: str, value: Any) -> Any:
    if field not in EDITED_BY_HAND:
        raise Unusable(f'"{field}" cannot be changed.{did_you_mean(field, EDITED_BY_HAND)}')
    if field in ("add_flags", "remove_flags"):
        return [str(flag).strip().upper() for flag in value]
    if value is None or not str(value).strip():
        if field in REQUIRED:
            raise Unusable(f"A member needs a {field}.")
        return None
    try:
        return check_value(field, str(value))
    except ValueError as problem:
        raise Unusable(str(problem)) from problem


def _check_decisions(card: MemberCard, wanted: Mapping[str, Any]) -> None:
    status = wanted.get("status", card.status)
    if status != card.status and (status in DECIDED or card.status in DECIDED):
        raise Unusable(f"{card.name} is {card.status}; only a decision in a case can make that {status}.")


def _check_days(card: MemberCard, wanted: Mapping[str, Any]) -> None:
    joined, left = (wanted.get(name, getattr(card, name)) for name in ("joined_on", "left_on"))
    if joined and left and left < joined and {"joined_on", "left_on"} & wanted.keys():
        raise Unusable(f"{card.name} cannot leave on {left}, before it joined on {joined}.")


def check_external_ref(
    conn: Connection, wanted: Mapping[str, Any], *, of: int | None = None, lent: Collection[str] = (), actor: Actor
) -> None:
    """Raise Unusable when the reference that is wanted is another member's than that with the id ``of``.

    Whose it is, is told only to who may see that member.
    """
    if (external := wanted.get("external_ref")) is None:
        return
    others = [] if of is None else [Member.id != of]
    seen = visible_members(actor, lent).label("seen")
    statement = select(Member.ref, Member.name, seen).where(Member.external_ref == external, *others)
    if other := conn.execute(statement).first():
        whose = f"{other.ref} {other.name}" if other.seen else "another member"
        raise Unusable(f"{external} is already the reference of {whose}.")


def merge_members(
    engine: Engine,
    keep: str,
    other: str,
    *,
    seen_versions: tuple[int, int] | None = None,
    actor: Actor,
    now: datetime,
) -> MemberCard:
    """Make `other` part of `keep`: contacts, flags and what `keep` lacks come over; the old reference still finds it.

    Cases of `other` are not touched here. Raises NotFound, NotYours, Unusable, and Changed when the two are not as
    the person saw them (`seen_versions`).
    """
    require_change_many(actor)
    with transaction(engine) as conn:
        kept, merged = lock_both(conn, keep, other)
        if seen_versions is not None and (kept.version, merged.version) != seen_versions:
            raise Changed(f"{kept.name} or {merged.name} was changed by someone else in the meantime.")
        filled = filled_by_merging(kept, merged)
        ending: dict[str, Any] = {"status": "merged", "merged_into": kept.id}
        if "external_ref" in filled:
            ending["external_ref"] = None
        context: dict[str, Any] = {"source": "merge", "follow_merges": False, "actor": actor, "now": now}
        apply_changes(conn, [(merged.id, ending)], **context)
        apply_changes(conn, [(kept.id, {**filled, "add_flags": merged.flags})], **context)
        earlier = select(Member.id).where(Member.merged_into == merged.id)
        followers = [(each, {"merged_into": kept.id}) for each in conn.execute(earlier).scalars()]
        apply_changes(conn, followers, **context)
        contacts = _move_contacts(conn, kept, merged)
        conflicts = _move_conflicts(conn, kept, merged)
        moved = update(MemberProposal).where(MemberProposal.member_id == merged.id, MemberProposal.status == "open")
        proposals = conn.execute(moved.values(member_id=kept.id).returning(MemberProposal.id)).scalars()
        card = store.member_card(conn, [kept.id])[kept.id]
        taken = Taken(
            merged.ref, merged.name, card.version, sorted(filled), sorted(merged.flags - kept.flags), contacts,
            sorted(proposals), conflicts, [each for each, _ in followers], merged.status,
            merged.left_on.isoformat() if merged.left_on else None, merged.external_ref,
        )  # fmt: skip
        log_changes(conn, [(kept.id, {TAKEN_IN: taken.to_log()})], source="merge", actor=actor, now=now)
        return card


def filled_by_merging(kept: MemberCard, merged: MemberCard) -> dict[str, Any]:
    """Return what `kept` lacks and gets from `merged`."""
    return {
        name: getattr(merged, name)
        for name in _FILLED_FROM_OTHER
        if getattr(kept, name) is None and getattr(merged, name) is not None
    }


def contacts_that_move(contacts: Sequence[Contact], moving: Sequence[Contact]) -> list[Contact]:
    """Return those of `moving` whose address is not among `contacts`."""
    has = {contact.email.lower() for contact in contacts if contact.email}
    return [each for each in moving if each.email is None or each.email.lower() not in has]


def _move_contacts(conn: Connection, kept: MemberCard, merged: MemberCard) -> list[dict[str, Any]]:
    """Put the contacts of `merged` behind those of `kept`, and return how they stood; an address that `kept` has stays
    where it was."""
    contacts = store.contacts_of(conn, [kept.id, merged.id])
    stood = contacts_that_move(contacts[kept.id], contacts[merged.id])
    moving = [contact.id for contact in stood]
    last = max((contact.position for contact in contacts[kept.id]), default=0)
    conn.execute(
        update(ContactTable)
        .where(ContactTable.id == func.any(moving))
        .values(member_id=kept.id, position=ContactTable.position + last, role="other")
    )
    return [{"id": contact.id, "position": contact.position, "role": contact.role} for contact in stood]


def _move_conflicts(conn: Connection, kept: MemberCard, merged: MemberCard) -> list[int]:
    """Declare the conflicts of interest with `merged` about `kept` as well, and return whose were not before."""
    columns = ["staff_id", "member_id", "declared_on", "note"]
    theirs = select(
        ConflictOfInterest.staff_id,
        literal(kept.id, BigInteger),
        ConflictOfInterest.declared_on,
        ConflictOfInterest.note,
    ).where(ConflictOfInterest.member_id == merged.id)
    copied = upsert(ConflictOfInterest).from_select(columns, theirs).on_conflict_do_nothing()
    return sorted(conn.execute(copied.returning(ConflictOfInterest.staff_id)).scalars())

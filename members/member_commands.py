"""Changing one member, repairing a contact, and making two entries for the same member one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from config.database import Connection, Engine, transaction
from members import store
from members.cards import DECIDED, Contact, MemberCard
from members.errors import Changed, NotFound, Unusable, did_you_mean, listed
from members.fields import check_value, parse_email
from members.tables import CONTACT_ROLES, ConflictOfInterest, Member
from members.tables import Contact as ContactTable
from members.writing import apply_changes, insert_contacts, log_changes, update_contacts
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
    actor: Actor,
    now: datetime,
) -> MemberCard:
    """Change fields of one member as a person typed them; a blank erases what need not be there.

    `add_flags` and `remove_flags` take lists. Raises Unusable, NotFound, and Changed when the member is not as
    the person saw it (`seen_version`).
    """
    wanted = {field: _checked(field, value) for field, value in changes.items()}
    with transaction(engine) as conn:
        card = _locked(conn, member)
        if seen_version is not None and card.version != seen_version:
            raise Changed(f"{card.name} was changed by someone else in the meantime.")
        _check_decisions(card, wanted)
        _check_external_ref(conn, card, wanted)
        apply_changes(conn, [(card.id, wanted)], source="desk", actor=actor, now=now)
        return store.member_card(conn, [card.id])[card.id]


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


def _check_external_ref(conn: Connection, card: MemberCard, wanted: Mapping[str, Any]) -> None:
    if (external := wanted.get("external_ref")) is None:
        return
    statement = select(Member.ref, Member.name).where(Member.external_ref == external, Member.id != card.id)
    if other := conn.execute(statement).first():
        raise Unusable(f"{external} is already the reference of {other.ref} {other.name}.")


def save_contact(
    engine: Engine,
    member: str,
    values: Mapping[str, str | None],
    *,
    contact_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> list[Contact]:
    """Add a contact, or repair one: a new address is taken to work. Returns the member's contacts.

    `values` has any of name, email, phone, role and language; a new contact comes last.
    """
    wanted = _contact_values(values)
    with transaction(engine) as conn:
        card = _locked(conn, member)
        contacts = store.contacts_of(conn, [card.id])[card.id]
        present = next((contact for contact in contacts if contact.id == contact_id), None)
        if contact_id is not None and present is None:
            raise NotFound(f"{card.name} has no such contact.")
        _check_address_is_free(card, contacts, wanted.get("email"), contact_id)
        if present is None:
            last = max((contact.position for contact in contacts), default=0)
            insert_contacts(conn, [{"member_id": card.id, "position": last + 1, **wanted}])
        else:
            moved = wanted.get("email", present.email) != present.email
            fine = {"status": "ok", "bounced_at": None, "bounce_reason": None} if moved else {}
            update_contacts(conn, [{"id": present.id, **wanted, **fine}])
        touched = {"contacts": {"saved": sorted(wanted), "contact": contact_id}}
        log_changes(conn, [(card.id, touched)], source="desk", actor=actor, now=now)
        return store.contacts_of(conn, [card.id])[card.id]


def _contact_values(values: Mapping[str, str | None]) -> dict[str, Any]:
    known = ("name", "email", "phone", "role", "language")
    if unknown := [key for key in values if key not in known]:
        raise Unusable(f"A contact has no {listed(unknown)}; it has {listed(known)}.")
    wanted: dict[str, Any] = {key: " ".join((value or "").split()) or None for key, value in values.items()}
    if "name" in wanted:
        wanted["name"] = wanted["name"] or ""
    if "role" in wanted and wanted["role"] not in CONTACT_ROLES:
        raise Unusable(f'"{wanted["role"]}" is not a role of a contact; use {listed(CONTACT_ROLES)}.')
    try:
        if wanted.get("email"):
            wanted["email"] = parse_email(wanted["email"])[1]
    except ValueError as problem:
        raise Unusable(str(problem)) from problem
    if not wanted:
        raise Unusable("Say what is to be kept of the contact: name, email, phone, role or language.")
    return wanted


def _check_address_is_free(
    card: MemberCard, contacts: list[Contact], email: str | None, contact_id: int | None
) -> None:
    for other in contacts:
        if email and other.id != contact_id and (other.email or "").lower() == email.lower():
            raise Unusable(f"{card.name} already has a contact with the address {email}.")


def merge_members(engine: Engine, keep: str, other: str, *, actor: Actor, now: datetime) -> MemberCard:
    """Make `other` part of `keep`: contacts, flags and what `keep` lacks come over; the old reference still finds it.

    Cases of `other` are not touched here.
    """
    with transaction(engine) as conn:
        kept, merged = _locked(conn, keep), _locked(conn, other)
        if kept.id == merged.id:
            raise Unusable(f"{kept.ref} and {other} are the same member.")
        filled = {
            name: getattr(merged, name)
            for name in _FILLED_FROM_OTHER
            if getattr(kept, name) is None and getattr(merged, name) is not None
        }
        ending: dict[str, Any] = {"status": "merged", "merged_into": kept.id}
        if "external_ref" in filled:
            ending["external_ref"] = None
        context: dict[str, Any] = {"source": "merge", "follow_merges": False, "actor": actor, "now": now}
        apply_changes(conn, [(merged.id, ending)], **context)
        apply_changes(conn, [(kept.id, {**filled, "add_flags": merged.flags})], **context)
        earlier = select(Member.id).where(Member.merged_into == merged.id)
        followers = [(each, {"merged_into": kept.id}) for each in conn.execute(earlier).scalars()]
        apply_changes(conn, followers, **context)
        _move_contacts(conn, kept, merged)
        _move_conflicts(conn, kept, merged)
        return store.member_card(conn, [kept.id])[kept.id]


def _move_contacts(conn: Connection, kept: MemberCard, merged: MemberCard) -> None:
    """Put the contacts of `merged` behind those of `kept`; an address that `kept` has stays where it was."""
    contacts = store.contacts_of(conn, [kept.id, merged.id])
    has = {contact.email.lower() for contact in contacts[kept.id] if contact.email}
    moving = [c.id for c in contacts[merged.id] if c.email is None or c.email.lower() not in has]
    last = max((contact.position for contact in contacts[kept.id]), default=0)
    conn.execute(
        update(ContactTable)
        .where(ContactTable.id == func.any(moving))
        .values(member_id=kept.id, position=ContactTable.position + last, role="other")
    )


def _move_conflicts(conn: Connection, kept: MemberCard, merged: MemberCard) -> None:
    columns = ["staff_id", "member_id", "declared_on", "note"]
    theirs = select(
        ConflictOfInterest.staff_id,
        literal(kept.id, BigInteger),
        ConflictOfInterest.declared_on,
        ConflictOfInterest.note,
    ).where(ConflictOfInterest.member_id == merged.id)
    conn.execute(upsert(ConflictOfInterest).from_select(columns, theirs).on_conflict_do_nothing())


def _locked(conn: Connection, member: str) -> MemberCard:
    """Return the member, whom nobody else changes until this transaction ends."""
    found = store.find_by_ref(conn, member)
    conn.execute(select(Member.id).where(Member.id == found.id).with_for_update())
    return store.member_card(conn, [found.id])[found.id]

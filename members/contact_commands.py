"""Adding, repairing, ordering and letting go of the contacts of one member."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from config.database import Connection, Engine, transaction
from members import store
from members.cards import Contact, MemberCard
from members.errors import Changed, NotFound, Unusable, listed
from members.fields import LONGEST, check_value, parse_email
from members.locking import lock_to_edit
from members.tables import CONTACT_ROLES
from members.writing import insert_contacts, log_changes, touch_members, update_contacts
from state_machines.values import Actor

CONTACT_FIELDS = ("name", "email", "phone", "role", "language")
_FINE: dict[str, Any] = {"status": "ok", "bounced_at": None, "bounce_reason": None}


def save_contact(
    engine: Engine,
    member: str,
    values: Mapping[str, str | None],
    *,
    contact_id: int | None = None,
    seen_version: int | None = None,
    lent: Collection[str] = (),
    actor: Actor,
    now: datetime,
) -> list[Contact]:
    """Add a contact, or repair one: a new address is taken to work. Returns the member's contacts.

    `values` has any of name, email, phone, role and language; a new contact comes last. Raises Unusable, NotFound,
    NotYours, or Changed when the member is not as the person saw it (`seen_version`).
    """
    wanted = checked_contact(values)
    with transaction(engine) as conn:
        card = lock_to_edit(conn, member, seen_version=seen_version, lent=lent, actor=actor)
        write_contact(conn, card, wanted, contact_id=contact_id, source="desk", actor=actor, now=now)
        return _touched(conn, card, now)


def contact_left(
    engine: Engine, member: str, contact_id: int, *, lent: Collection[str] = (), actor: Actor, now: datetime
) -> Contact:
    """Record that somebody is no longer with a member: nobody writes to them any more. Twice is harmless."""
    with transaction(engine) as conn:
        card = lock_to_edit(conn, member, lent=lent, actor=actor)
        contact = let_go(conn, card, contact_id, source="desk", actor=actor, now=now)
        _touched(conn, card, now)
        return contact


def contact_is_back(
    engine: Engine, member: str, contact_id: int, *, lent: Collection[str] = (), actor: Actor, now: datetime
) -> Contact:
    """Record that somebody is with a member after all; what bounced before is still broken. Twice is harmless."""
    return _restored(engine, member, contact_id, "left", "back", lent=lent, actor=actor, now=now)


def contact_is_repaired(
    engine: Engine, member: str, contact_id: int, *, lent: Collection[str] = (), actor: Actor, now: datetime
) -> Contact:
    """Record that an address that bounced works again. Twice is harmless."""
    return _restored(engine, member, contact_id, "bounced", "repaired", lent=lent, actor=actor, now=now)


def _restored(
    engine: Engine, member: str, contact_id: int, was: str, told: str, *, lent: Collection[str], actor: Actor,
    now: datetime,
) -> Contact:  # fmt: skip
    with transaction(engine) as conn:
        card = lock_to_edit(conn, member, lent=lent, actor=actor)
        contact = _contact(conn, card, contact_id)
        if contact.status == was:
            bounced_before = was == "left" and contact.bounced_at is not None
            update_contacts(conn, [{"id": contact.id, **({"status": "bounced"} if bounced_before else _FINE)}])
            _log(conn, card, {told: called(contact), "contact": contact.id}, "desk", actor=actor, now=now)
            _touched(conn, card, now)
        return contact


def order_contacts(
    engine: Engine, member: str, order: Sequence[int], *, lent: Collection[str] = (), actor: Actor, now: datetime
) -> list[Contact]:
    """Put the contacts of a member into this order of their ids: who is first is written to first.

    Raises Changed when these are not the member's contacts any more.
    """
    with transaction(engine) as conn:
        card = lock_to_edit(conn, member, lent=lent, actor=actor)
        present = store.contacts_of(conn, [card.id])[card.id]
        if sorted(order) != sorted(contact.id for contact in present):
            raise Changed(f"The contacts of {card.name} were changed by someone else in the meantime.")
        if list(order) == [contact.id for contact in present]:
            return present
        update_contacts(conn, [{"id": each, "position": place} for place, each in enumerate(order, start=1)])
        first = next(contact for contact in present if contact.id == order[0])
        _log(conn, card, {"order": list(order), "first": called(first)}, "desk", actor=actor, now=now)
        return _touched(conn, card, now)


# ------------------------------------------------------------------------------- on a member that is locked already


def write_contact(
    conn: Connection, card: MemberCard, wanted: Mapping[str, Any], *, contact_id: int | None = None, source: str,
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Write a checked contact of a locked member: a new one, or changes of one. Raises NotFound or Unusable."""
    contacts = store.contacts_of(conn, [card.id])[card.id]
    present = _contact(conn, card, contact_id) if contact_id is not None else None
    _check_address_is_free(card, contacts, wanted.get("email"), contact_id)
    _check_can_be_reached(present, wanted)
    if present is None:
        last = max((contact.position for contact in contacts), default=0)
        insert_contacts(conn, [{"member_id": card.id, "position": last + 1, **wanted}])
        told: dict[str, Any] = {"added": wanted.get("email") or wanted.get("phone") or wanted.get("name")}
    else:
        changed = {name: [getattr(present, name), new] for name, new in wanted.items() if getattr(present, name) != new}
        if not changed:
            return
        fine = _FINE if "email" in changed and present.status == "bounced" else {}
        update_contacts(conn, [{"id": present.id, **wanted, **fine}])
        told = {"of": called(present), "contact": present.id, **changed}
    _log(conn, card, told, source, actor=actor, now=now)


def let_go(conn: Connection, card: MemberCard, contact_id: int, *, source: str, actor: Actor, now: datetime) -> Contact:
    """Record that a contact of a locked member has left, and return the contact as it was."""
    contact = _contact(conn, card, contact_id)
    if contact.status != "left":
        store.contacts_left(conn, [contact.id])
        _log(conn, card, {"left": called(contact), "contact": contact.id}, source, actor=actor, now=now)
    return contact


def _touched(conn: Connection, card: MemberCard, now: datetime) -> list[Contact]:
    touch_members(conn, [card.id], now)
    return store.contacts_of(conn, [card.id])[card.id]


def called(contact: Contact) -> str:
    """Return a contact as the record names it."""
    return contact.email or contact.phone or contact.name


def _contact(conn: Connection, card: MemberCard, contact_id: int) -> Contact:
    contacts = store.contacts_of(conn, [card.id])[card.id]
    found = next((contact for contact in contacts if contact.id == contact_id), None)
    if found is None:
        raise NotFound(f"{card.name} has no such contact.")
    return found


def _log(
    conn: Connection, card: MemberCard, told: Mapping[str, Any], source: str, *, actor: Actor, now: datetime
) -> None:
    log_changes(conn, [(card.id, {"contacts": dict(told)})], source=source, actor=actor, now=now)


def checked_contact(values: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what was typed about a contact as it is stored. Raises Unusable with a sentence."""
    if unknown := [key for key in values if key not in CONTACT_FIELDS]:
        raise Unusable(f"A contact has no {listed(unknown)}; it has {listed(CONTACT_FIELDS)}.")
    wanted: dict[str, Any] = {key: " ".join((value or "").split()) or None for key, value in values.items()}
    if "name" in wanted:
        wanted["name"] = wanted["name"] or ""
    for field in ("name", "phone"):
        if len(wanted.get(field) or "") > LONGEST[field]:
            raise Unusable(f"A contact's {field} has at most {LONGEST[field]} characters.")
    if "role" in wanted and wanted["role"] not in CONTACT_ROLES:
        raise Unusable(f'"{wanted["role"]}" is not a role of a contact; use {listed(CONTACT_ROLES)}.')
    try:
        if wanted.get("language"):
            wanted["language"] = check_value("language", wanted["language"])
        if wanted.get("email"):
            wanted["email"] = parse_email(wanted["email"])[1]
    except ValueError as problem:
        raise Unusable(str(problem)) from problem
    if not wanted:
        raise Unusable("Say what is to be kept of the contact: name, email, phone, role or language.")
    return wanted


def _check_address_is_free(
    card: MemberCard, contacts: Sequence[Contact], email: str | None, contact_id: int | None
) -> None:
    for other in contacts:
        if email and other.id != contact_id and (other.email or "").lower() == email.lower():
            gone = "; they have left, so bring them back instead" if other.status == "left" else ""
            raise Unusable(f"{card.name} already has a contact with the address {email}{gone}.")


def _check_can_be_reached(present: Contact | None, wanted: Mapping[str, Any]) -> None:
    kept = {name: wanted.get(name, getattr(present, name, None)) for name in ("name", "email", "phone")}
    if not any(kept.values()):
        raise Unusable("A contact needs a name, an e-mail address or a telephone number.")

"""Changes of a member that somebody asks for, and deciding about them.

A member, one of its contacts or a colleague proposes; a coordinator of the member's team, or a manager, accepts or
declines. What is stored says before and after of each field, so that a proposal that time has overtaken is seen to be.

Asked for are fields (``{"website": "https://new.example"}``), contacts (``{"contacts": [...]}``) and a word to the
coordinator (``{"note": "..."}``). Each of the contacts is one of

* ``{"do": "add", "name": ..., "email": ..., "phone": ..., "role": ...}``,
* ``{"do": "change", "id": 5, "email": ...}``,
* ``{"do": "left", "id": 5}``: no longer there, or never the right person.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, cast, insert, literal, select, update

from config.database import Connection, Engine, transaction, without_nul
from members import store
from members.cards import Contact, MemberCard
from members.contact_commands import called, checked_contact, let_go, write_contact
from members.errors import AlreadyDecided, NotFound, NotYours, Unusable
from members.locking import lock_to_edit, locked
from members.member_commands import checked_fields, write_fields
from members.proposal_parts import chosen
from members.tables import Member, MemberProposal, Staff
from members.visibility import visible_members
from members.writing import touch_members, update_contacts
from state_machines.values import Actor

PROPOSABLE = ("name", "kind", "external_ref", "category", "country", "region", "site", "website", "language")
"""What a member may ask to have changed; status, tier and team are the organisation's to say."""
MOST_OPEN = 20
LONGEST_NOTE = 2000


def not_the_right_person(contact_id: int, *, name: str = "", email: str = "", phone: str = "") -> dict[str, Any]:
    """Return the changes of "I am not the right person": this contact goes, and whoever is named comes instead."""
    gone: dict[str, Any] = {"do": "left", "id": contact_id}
    if not (name or email or phone):
        return {"contacts": [gone]}
    return {"contacts": [gone, {"do": "add", "name": name, "email": email, "phone": phone}]}


# ------------------------------------------------------------------------------------------------------ asking


def propose(
    engine: Engine, member_id: int, changes: Mapping[str, Any], *, proposed_by: str, source: str, now: datetime
) -> int:
    """Keep a proposal for a person to decide, and return its number; the same one again is the one that waits.

    `proposed_by` is who asks (``member:17``, ``contact:5``, ``staff:3``), `source` the page or case it comes from.
    Raises Unusable with a sentence when it is not understood or changes nothing, and NotFound without the member.
    """
    with transaction(engine) as conn:
        return proposed(conn, member_id, changes, proposed_by=proposed_by, source=source, now=now)


def proposed(
    conn: Connection, member_id: int, changes: Mapping[str, Any], *, proposed_by: str, source: str, now: datetime
) -> int:
    """Keep a proposal inside the caller's transaction, and return its number; errors as of ``propose``."""
    if not store.member_card(conn, [member_id]):
        raise NotFound("There is no such member.")
    [card] = locked(conn, [member_id])
    stored = _stored(conn, card, without_nul(dict(changes)))
    waiting = _open_of(conn, member_id)
    for each in waiting:
        if each.changes == stored and each.proposed_by == proposed_by:
            return int(each.id)
    if len(waiting) >= MOST_OPEN:
        raise Unusable(f"{len(waiting)} changes wait for us already; we will look at them first.")
    row = {"member_id": member_id, "proposed_by": proposed_by, "at": now, "source": source, "changes": stored}
    return conn.execute(insert(MemberProposal).values(**row).returning(MemberProposal.id)).scalar_one()


def _open_of(conn: Connection, member_id: int) -> list[Any]:
    waiting = select(MemberProposal.id, MemberProposal.changes, MemberProposal.proposed_by)
    where = (MemberProposal.member_id == member_id, MemberProposal.status == "open")
    return list(conn.execute(waiting.where(*where)))


def _stored(conn: Connection, card: MemberCard, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a proposal: only what would change, with what it is now. Raises Unusable."""
    note = str(asked.pop("note", "") or "").strip()
    if len(note) > LONGEST_NOTE:
        raise Unusable(f"A note has at most {LONGEST_NOTE} characters.")
    contacts = asked.pop("contacts", None) or []
    if unknown := [field for field in asked if field not in PROPOSABLE]:
        raise Unusable(f'"{unknown[0]}" cannot be changed this way.')
    fields = {name: [_plain(getattr(card, name)), _plain(value)] for name, value in checked_fields(asked).items()}
    stored: dict[str, Any] = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
    present = {contact.id: contact for contact in store.contacts_of(conn, [card.id])[card.id]}
    if kept := [found for each in contacts if (found := _contact_stored(each, present)) is not None]:
        stored["contacts"] = kept
    if not stored and not note:
        raise Unusable("Nothing would change.")
    return {**stored, "note": note} if note else stored


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _contact_stored(asked: Mapping[str, Any], present: Mapping[int, Contact]) -> dict[str, Any] | None:
    """Return what is kept of a change of a contact, or None when nothing would change."""
    rest = {name: value for name, value in asked.items() if name not in ("do", "id")}
    match asked.get("do"):
        case "add":
            return {"do": "add", **{name: value for name, value in _named(rest).items() if value}}
        case "left":
            contact = _present(asked, present)
            return {"do": "left", "id": contact.id, "who": called(contact)} if contact.status != "left" else None
        case "change":
            contact = _present(asked, present)
            pairs = {name: [getattr(contact, name), value] for name, value in checked_contact(rest).items()}
            changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
            return {"do": "change", "id": contact.id, "who": called(contact), **changed} if changed else None
    raise Unusable("A contact is added, changed, or has left.")


def _named(rest: Mapping[str, Any]) -> dict[str, Any]:
    wanted = checked_contact(rest)
    if not any(wanted.get(name) for name in ("name", "email", "phone")):
        raise Unusable("A contact needs a name, an e-mail address or a telephone number.")
    return wanted


def _present(asked: Mapping[str, Any], present: Mapping[int, Contact]) -> Contact:
    contact = present.get(asked.get("id", 0))
    if contact is None:
        raise Unusable("There is no such contact any more.")
    return contact


# ---------------------------------------------------------------------------------------------------- deciding


def accept(
    engine: Engine, number: int, *, only: Collection[str] | None = None, seen_version: int,
    lent: Collection[str] = (), actor: Actor, now: datetime,
) -> MemberCard:  # fmt: skip
    """Make the changes that were proposed, as they stood beside the member in the version that the actor saw.

    ``only``: these parts of them (`proposal_parts`), and none of the others; the decision says which were left out.
    Raises NotFound, NotYours, AlreadyDecided, Changed when the member is no longer as it was seen, or Unusable.
    """
    with transaction(engine) as conn:
        row, card = _to_decide(conn, number, seen_version=seen_version, lent=lent, actor=actor)
        changes, left_out = chosen(row.changes, only)
        fields = {name: pair[1] for name, pair in changes.items() if name not in ("contacts", "note")}
        write_fields(conn, card, checked_fields(fields), source="proposal", actor=actor, now=now)
        before = store.contacts_of(conn, [card.id])[card.id] if changes.get("contacts") else []
        for each in changes.get("contacts", ()):
            _make_contact(conn, card, each, actor=actor, now=now)
        if changes.get("contacts"):
            _take_places(conn, card, before, changes["contacts"])
            touch_members(conn, [card.id], now)
        _decided(conn, number, "accepted", left_out, by=actor.person, now=now)
        return store.member_card(conn, [card.id])[card.id]


def _take_places(
    conn: Connection, card: MemberCard, before: Sequence[Contact], changes: Sequence[Mapping[str, Any]]
) -> None:
    """Write to who was named instead of somebody where that contact stood in the order, not last."""
    gone = {each["id"] for each in changes if each["do"] == "left"}
    known = [contact.id for contact in before]
    new = [contact.id for contact in store.contacts_of(conn, [card.id])[card.id] if contact.id not in known]
    place = next((number for number, contact in enumerate(known) if contact in gone), None)
    if new and place is not None:
        order = [*known[:place], *new, *known[place:]]
        update_contacts(conn, [{"id": each, "position": number} for number, each in enumerate(order, start=1)])


def _make_contact(
    conn: Connection, card: MemberCard, change: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:
    context: dict[str, Any] = {"source": "proposal", "actor": actor, "now": now}
    rest = {name: value for name, value in change.items() if name not in ("do", "id", "who")}
    try:
        if change["do"] == "left":
            let_go(conn, card, change["id"], **context)
        elif change["do"] == "change":
            wanted = {name: pair[1] for name, pair in rest.items()}
            write_contact(conn, card, wanted, contact_id=change["id"], **context)
        else:
            write_contact(conn, card, rest, **context)
    except NotFound:
        raise Unusable(f"{change['who']} is no longer a contact of {card.name}; decline this proposal.") from None


def decline(
    engine: Engine, number: int, reason: str, *, lent: Collection[str] = (), actor: Actor, now: datetime
) -> None:
    """Leave the member as it is and keep why. Raises NotFound, NotYours, AlreadyDecided, or Unusable with no reason."""
    if not reason.strip():
        raise Unusable("Say why it is declined; whoever asked may want to know.")
    with transaction(engine) as conn:
        _to_decide(conn, number, lent=lent, actor=actor)
        _decided(conn, number, "declined", without_nul(reason.strip())[:LONGEST_NOTE], by=actor.person, now=now)


def withdraw(engine: Engine, number: int, *, proposed_by: str, now: datetime) -> None:
    """Take back one's own proposal. Raises NotFound for somebody else's, and AlreadyDecided."""
    with transaction(engine) as conn:
        row = conn.execute(_locking(number)).one_or_none()
        if row is None or row.proposed_by != proposed_by:
            raise NotFound("There is no such proposal.")
        if row.status not in ("open", "withdrawn"):
            raise AlreadyDecided(f"This was {row.status} in the meantime.")
        _decided(conn, number, "withdrawn", None, by=proposed_by, now=now)


def _to_decide(
    conn: Connection, number: int, *, seen_version: int | None = None, lent: Collection[str], actor: Actor
) -> tuple[Any, MemberCard]:
    """Return an open proposal and its member, both locked."""
    ref = select(Member.ref).join(MemberProposal, MemberProposal.member_id == Member.id)
    member = conn.execute(ref.where(MemberProposal.id == number, visible_members(actor, lent))).scalar_one_or_none()
    if member is None:
        raise NotFound("There is no such proposal.")
    card = lock_to_edit(conn, member, lent=lent, actor=actor)
    row = conn.execute(_locking(number)).one()
    if row.proposed_by == actor.person:
        raise NotYours("Whoever proposed a change does not decide about it; take it back, or change the member.")
    if row.status != "open":
        raise AlreadyDecided(f"This proposal was {row.status} in the meantime{_by(conn, row.decided_by)}.")
    if seen_version is not None:
        lock_to_edit(conn, member, seen_version=seen_version, lent=lent, actor=actor)
    return row, card


def _by(conn: Connection, person: str | None) -> str:
    name = conn.execute(
        select(Staff.name).where(literal("staff:") + cast(Staff.id, Text) == person)
    ).scalar_one_or_none()
    return f" by {name}" if name else ""


def _locking(number: int) -> Any:
    return select(*MemberProposal.__table__.c).where(MemberProposal.id == number).with_for_update()


def _decided(conn: Connection, number: int, status: str, reason: str | None, *, by: str, now: datetime) -> None:
    this = update(MemberProposal).where(MemberProposal.id == number)
    conn.execute(this.values(status=status, reason=reason, decided_by=by, decided_at=now))

"""Reading and writing the register in sets. Every function takes a connection; none commits."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, not_, or_, select, text, true, update

from config.database import Connection, without_nul
from members import tables
from members.cards import Contact, MemberCard, Place
from members.errors import Ambiguous, NotFound, Unusable, did_you_mean, listed
from members.matching import folded, name_key
from members.staff_store import staffing
from members.tables import Member
from members.writing import apply_changes, insert_contacts, insert_members, update_contacts

__all__ = [
    "FoundMembers",
    "apply_changes",
    "contacts_by_email",
    "contacts_left",
    "contacts_of",
    "find_by_ref",
    "find_by_refs",
    "insert_contacts",
    "insert_members",
    "mark_bounced",
    "meeting",
    "member_card",
    "population",
    "population_size",
    "search",
    "staffing",
    "update_contacts",
]

CRITERIA = ("status", "tier", "category", "country", "region", "site", "team", "kind")

CARD_COLUMNS = [getattr(Member, field.name) for field in fields_of(MemberCard)]
_CONTACT = [getattr(tables.Contact, field.name) for field in fields_of(Contact)]
_LIVING = Member.status != "merged"


@dataclass(frozen=True, slots=True)
class FoundMembers:
    """What became of each text that was looked up: a member, or the sentence that says why not."""

    members: Mapping[str, MemberCard]
    refused: Mapping[str, str]


def card_of(row: Row[Any]) -> MemberCard:
    """Return the card of a row that selects the card's columns."""
    values = row._mapping
    return MemberCard(**{**values, "flags": frozenset(values["flags"])})


def _cards(conn: Connection, statement: Select[Any]) -> list[MemberCard]:
    return [card_of(row) for row in conn.execute(statement)]


def member_card(conn: Connection, ids: Collection[int]) -> dict[int, MemberCard]:
    """Return the cards of these members by id; unknown ids are absent."""
    found = _cards(conn, select(*CARD_COLUMNS).where(Member.id == func.any(list(ids))))
    return {card.id: card for card in found}


def find_by_refs(
    conn: Connection, texts: Collection[str], *, only: Callable[[MemberCard], bool] = lambda _: True
) -> FoundMembers:
    """Look members up by Muster's reference, their own reference, or their name, in that order.

    A name that no member has to the letter may still be one member's name but for accents, capitals and legal
    form. Who was merged into another is found as that other member. A member for whom `only` does not hold might
    as well not be there. Two statements, however many texts.
    """
    wanted = {without_nul(text.strip()) for text in texts}
    candidates = _cards(conn, select(*CARD_COLUMNS).where(_could_be(wanted)))
    survivors = {card.merged_into for card in candidates if card.merged_into}
    merged = member_card(conn, survivors) if survivors else {}
    living = [merged[c.merged_into] if c.merged_into else c for c in candidates]
    likenesses = _by_likeness((was, now) for was, now in zip(candidates, living, strict=True) if only(now))
    chosen = {text: _choose(text.strip(), likenesses) for text in texts}
    return FoundMembers(
        {text: found for text, found in chosen.items() if isinstance(found, MemberCard)},
        {text: str(why) for text, why in chosen.items() if isinstance(why, Exception)},
    )


def find_by_ref(conn: Connection, text: str, *, only: Callable[[MemberCard], bool] = lambda _: True) -> MemberCard:
    """Return the one member meant by a reference or name; raises NotFound or Ambiguous."""
    found = find_by_refs(conn, [text], only=only)
    if text in found.members:
        return found.members[text]
    sentence = found.refused[text]
    raise (NotFound if sentence.startswith("No member") else Ambiguous)(sentence)


def _could_be(texts: set[str]) -> ColumnElement[bool]:
    keys = {name_key(text) for text in texts} | {name_key(text, person=True) for text in texts}
    return or_(
        Member.ref == func.any([text.upper() for text in texts]),
        Member.external_ref == func.any(list(texts)),
        Member.name_key == func.any(list(keys)),
    )


_Likenesses = Mapping[tuple[str, str], Mapping[int, MemberCard]]


def _by_likeness(candidates: Iterable[tuple[MemberCard, MemberCard]]) -> _Likenesses:
    """Return the members (as they live on) by each thing they may be called by (as they were found)."""
    found: dict[tuple[str, str], dict[int, MemberCard]] = defaultdict(dict)
    for card, living in candidates:
        found["ref", card.ref][living.id] = living
        found["external", card.external_ref or ""][living.id] = living
        found["name", card.name.casefold()][living.id] = living
        found[card.kind, name_key(card.name, person=card.kind == "person")][living.id] = living
    return found


def _choose(text: str, likenesses: _Likenesses) -> MemberCard | NotFound | Ambiguous:
    """Return the member meant by `text`; the closest likeness that anyone has decides."""
    closest_first = (
        likenesses.get(("ref", text.upper()), {}),
        likenesses.get(("external", text), {}) if text else {},
        likenesses.get(("name", text.casefold()), {}),
        {
            **likenesses.get(("organisation", name_key(text)), {}),
            **likenesses.get(("person", name_key(text, person=True)), {}),
        },
    )
    for found in closest_first:
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            names = listed([f"{card.ref} {card.name}" for card in found.values()])
            return Ambiguous(f'"{text}" may be {len(found)} members: {names}. Give the reference.')
    return NotFound(f'No member has the reference or name "{text}".')


def search(
    conn: Connection, text: str, *, limit: int = 50, offset: int = 0, teams: Collection[str] | None = None
) -> tuple[list[MemberCard], int]:
    """Return one page of the members found by words of their name, a reference or an e-mail address.

    Words match from their beginning and without accents. `teams` restricts to members of these teams. The
    second value is how many there are in all.
    """
    where = and_(_LIVING, matches(text))
    if teams is not None:
        where = and_(where, Member.team == func.any(list(teams)))
    beginning = Member.name_key.startswith(name_key(text), autoescape=True)
    page = select(*CARD_COLUMNS).where(where).order_by(beginning.desc(), Member.name_key, Member.id)
    rows = _cards(conn, page.limit(limit).offset(offset))
    total = conn.execute(select(func.count()).select_from(Member).where(where)).scalar_one()
    return rows, total


def matches(wanted: str) -> ColumnElement[bool]:
    """Return the condition that a member is found by words of the name, a reference or an e-mail address."""
    if not (words := folded(wanted).split()):
        return true() if not wanted.strip() else Member.name_key == name_key(wanted)
    query = func.to_tsquery(text("'simple'"), " & ".join(f"'{word}':*" for word in words))
    address = select(tables.Contact.member_id).where(
        func.lower(tables.Contact.email).startswith(wanted.strip().lower(), autoescape=True)
    )
    return or_(
        func.to_tsvector(text("'simple'"), Member.name_key).op("@@")(query),
        Member.name_key == name_key(wanted),
        Member.name_key.startswith(name_key(wanted), autoescape=True),
        Member.ref == wanted.strip().upper(),
        Member.external_ref == wanted.strip(),
        Member.id.in_(address),
    )


def population(conn: Connection, criteria: Mapping[str, Any]) -> list[MemberCard]:
    """Return the members a campaign is for, by id.

    Each key of `criteria` narrows by one value or a list of values; a key that is missing means all. Raises
    Unusable for a key that members do not have.
    """
    return _cards(conn, select(*CARD_COLUMNS).where(*meeting(criteria)).order_by(Member.id))


def places(conn: Connection, criteria: Mapping[str, Any]) -> list[Place]:
    """Return the same members as `population`, with nothing but their teams: there may be a hundred thousand."""
    rows = conn.execute(select(Member.id, Member.team).where(*meeting(criteria)).order_by(Member.id))
    return [Place(*row) for row in rows.tuples()]


def left_out(conn: Connection, criteria: Mapping[str, Any]) -> list[MemberCard]:
    """Return the members a campaign is not for, by id. Raises Unusable for a key that members do not have."""
    inside = func.coalesce(and_(*meeting(criteria)), False)
    return _cards(conn, select(*CARD_COLUMNS).where(_LIVING, not_(inside)).order_by(Member.id))


def population_size(conn: Connection, criteria: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many members a campaign is for, and how many of them have an address that works. Raises Unusable."""
    contact = tables.Contact
    reachable = select(contact.id).where(
        contact.member_id == Member.id, contact.status == "ok", contact.email.is_not(None)
    )
    counted = select(func.count().label("n"), func.count().filter(reachable.exists()).label("reachable"))
    row = conn.execute(counted.select_from(Member).where(*meeting(criteria))).one()
    return row.n, row.reachable


def meeting(criteria: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Return the conditions on `members` that these criteria mean. Raises Unusable."""
    conditions: list[ColumnElement[bool]] = [_LIVING]
    for key, wanted in criteria.items():
        if key not in CRITERIA:
            known = ", ".join(CRITERIA)
            raise Unusable(f'Members are not chosen by "{key}"; use {known}.{did_you_mean(key, CRITERIA)}')
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        conditions.append(getattr(Member, key) == func.any(values))
    return conditions


def contacts_of(conn: Connection, member_ids: Collection[int]) -> dict[int, list[Contact]]:
    """Return the contacts of these members, first to be written to first; every id has a list."""
    statement = (
        select(*_CONTACT)
        .where(tables.Contact.member_id == func.any(list(member_ids)))
        .order_by(tables.Contact.member_id, tables.Contact.position, tables.Contact.id)
    )
    found: dict[int, list[Contact]] = {member_id: [] for member_id in member_ids}
    for row in conn.execute(statement):
        found[row.member_id].append(Contact(**row._mapping))
    return found


def contacts_by_email(conn: Connection, addresses: Collection[str]) -> dict[str, list[Contact]]:
    """Return who has each of these addresses, by address in small letters; several members may share one."""
    wanted = [address.lower() for address in addresses]
    statement = select(*_CONTACT).where(func.lower(tables.Contact.email) == func.any(wanted))
    found: dict[str, list[Contact]] = defaultdict(list)
    for row in conn.execute(statement.order_by(tables.Contact.member_id, tables.Contact.position)):
        found[row.email.lower()].append(Contact(**row._mapping))
    return dict(found)


def mark_bounced(conn: Connection, reasons: Mapping[str, str], *, now: datetime) -> list[Contact]:
    """Mark every contact with one of these addresses as bounced and return those that were fine until now."""
    known = contacts_by_email(conn, reasons)
    fresh = [contact for contacts in known.values() for contact in contacts if contact.status == "ok"]
    by_email = {address.lower(): why for address, why in reasons.items()}
    rows = [
        {
            "id": contact.id,
            "status": "bounced",
            "bounced_at": now,
            "bounce_reason": by_email[contact.email.lower()],
        }
        for contact in fresh
        if contact.email
    ]
    update_contacts(conn, rows)
    return fresh


def contacts_left(conn: Connection, contact_ids: Iterable[int]) -> None:
    """Record that these people are no longer with their member."""
    conn.execute(update(tables.Contact).where(tables.Contact.id == func.any(list(contact_ids))).values(status="left"))

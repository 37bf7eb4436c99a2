"""Lists of members: searched, narrowed, page after page. Everything goes through `visible_members`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from config.database import Connection, without_nul
from members.cards import MemberCard
from members.matching import name_key
from members.store import CARD_COLUMNS, card_of, matches
from members.tables import Contact, Member, MemberProposal
from members.visibility import visible_members
from state_machines.values import Actor

EQUAL = ("status", "team", "tier", "country", "region", "kind")
NONE = "none"
"""What is asked for members without a team (or tier, country, region)."""


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """What a list of members is narrowed to; None and False mean no matter."""

    words: str = ""
    """Of the name, a reference, or the beginning of an e-mail address."""
    status: str | None = None
    team: str | None = None
    tier: str | None = None
    country: str | None = None
    region: str | None = None
    kind: str | None = None
    no_contact: bool = False
    """Only those to whom nobody can write."""
    bounced: bool = False
    """Only those with an address that bounced."""
    asked: bool = False
    """Only those about whom a proposed change waits."""
    external_ref: str = ""
    """Only the one with this number of its own, to the letter."""

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self != MemberFilter()


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A member in a list."""

    card: MemberCard
    reached_at: str | None
    """The address that is written to first, or None when nobody can be written to."""
    bounced: int
    """How many addresses bounced."""
    asked: int
    """How many proposed changes wait."""


@dataclass(frozen=True, slots=True)
class MemberPage:
    """One page of a list by name; `after` and `before` are references where the next and the previous one begin."""

    lines: tuple[MemberLine, ...]
    total: int
    after: str | None = None
    before: str | None = None


def _condition(narrow: MemberFilter, viewer: Actor, lent: Collection[str]) -> list[ColumnElement[bool]]:
    """Return the conditions on ``members`` of what is asked for and may be seen."""
    narrow = MemberFilter(**without_nul({each.name: getattr(narrow, each.name) for each in fields(narrow)}))
    found = [visible_members(viewer, lent)]
    found += [Member.status != "merged"] if narrow.status != "merged" else []
    for name in EQUAL:
        if wanted := (getattr(narrow, name) or "").strip():
            column = getattr(Member, name)
            found.append(column.is_(None) if wanted == NONE else func.lower(column) == wanted.lower())
    found += [matches(narrow.words)] if narrow.words.strip() else []
    found += [Member.external_ref == narrow.external_ref] if narrow.external_ref else []
    found += [~_contacts("ok", with_email=True)] if narrow.no_contact else []
    found += [_contacts("bounced")] if narrow.bounced else []
    asked = select(MemberProposal.id).where(MemberProposal.status == "open", MemberProposal.member_id == Member.id)
    return found + ([asked.exists()] if narrow.asked else [])


def _contacts(status: str, *, with_email: bool = False) -> ColumnElement[bool]:
    of_them = select(Contact.id).where(Contact.member_id == Member.id, Contact.status == status)
    return (of_them.where(Contact.email.is_not(None)) if with_email else of_them).exists()


def listed(
    conn: Connection, narrow: MemberFilter, *, limit: int = 50, offset: int = 0, lent: Collection[str] = (),
    viewer: Actor,
) -> tuple[list[MemberCard], int]:  # fmt: skip
    """Return members the viewer may see, by name or, where words are searched for, likeliest first; and how many."""
    where = _condition(narrow, viewer, lent)
    likeliest = [Member.name_key.startswith(name_key(narrow.words), autoescape=True).desc()] if narrow.words else []
    page = select(*CARD_COLUMNS).where(*where).order_by(*likeliest, Member.name_key, Member.id)
    cards = [card_of(row) for row in conn.execute(page.limit(limit).offset(offset))]
    return cards, conn.execute(select(func.count()).select_from(Member).where(*where)).scalar_one()


def page(
    conn: Connection, narrow: MemberFilter, *, after: str | None = None, before: str | None = None, limit: int = 50,
    lent: Collection[str] = (), viewer: Actor,
) -> MemberPage:  # fmt: skip
    """Return one page of members by name: the first, or the one after or before a member. Five statements at most.

    A reference the viewer may not see leads to the first page, so that nothing can be learned from where it stands.
    """
    where = _condition(narrow, viewer, lent)
    total = conn.execute(select(func.count()).select_from(Member).where(*where)).scalar_one()
    place = _place(conn, after or before, viewer, lent)
    back = place is not None and not after
    key = tuple_(Member.name_key, Member.id)
    found = select(*CARD_COLUMNS).where(*where)
    if place is not None:
        found = found.where(key < place if back else key > place)
    order = (Member.name_key.desc(), Member.id.desc()) if back else (Member.name_key, Member.id)
    cards = [card_of(row) for row in conn.execute(found.order_by(*order).limit(limit + 1))]
    more, cards = len(cards) > limit, cards[:limit]
    cards = cards[::-1] if back else cards
    has_next, has_previous = (True, more) if back else (more, place is not None)
    return MemberPage(
        tuple(_lines(conn, cards)), total,
        cards[-1].ref if cards and has_next else None, cards[0].ref if cards and has_previous else None,
    )  # fmt: skip


def by_id(
    conn: Connection, narrow: MemberFilter, *, after: int = 0, limit: int = 50, lent: Collection[str] = (),
    viewer: Actor,
) -> list[MemberCard]:  # fmt: skip
    """Return members after one with this id, in the order in which they were added, which no change of a name moves."""
    found = select(*CARD_COLUMNS).where(*_condition(narrow, viewer, lent), Member.id > after)
    return [card_of(row) for row in conn.execute(found.order_by(Member.id).limit(limit))]


def _place(conn: Connection, ref: str | None, viewer: Actor, lent: Collection[str]) -> Any:
    """Return where a member stands in the order of names, or None."""
    if ref is None:
        return None
    this = (Member.ref == without_nul(ref.strip().upper()), visible_members(viewer, lent))
    row = conn.execute(select(Member.name_key, Member.id).where(*this)).one_or_none()
    return tuple_(row.name_key, row.id) if row else None


def _lines(conn: Connection, cards: Sequence[MemberCard]) -> list[MemberLine]:
    ids = [card.id for card in cards]
    known = _contact_facts(conn, ids)
    waiting = select(MemberProposal.member_id, func.count()).where(
        MemberProposal.member_id == func.any(ids), MemberProposal.status == "open"
    )
    asked = dict(conn.execute(waiting.group_by(MemberProposal.member_id)).tuples().all())
    return [MemberLine(card, *known.get(card.id, (None, 0)), asked.get(card.id, 0)) for card in cards]


def _contact_facts(conn: Connection, ids: Sequence[int]) -> dict[int, tuple[str | None, int]]:
    """Return by member the address that is written to first, and how many bounced."""
    fine = (Contact.status == "ok") & Contact.email.is_not(None)
    in_order = func.array_agg(aggregate_order_by(Contact.email, Contact.position, Contact.id)).filter(fine)
    bounced = func.count().filter(Contact.status == "bounced")
    facts = select(Contact.member_id, in_order.label("emails"), bounced.label("n"))
    rows = conn.execute(facts.where(Contact.member_id == func.any(list(ids))).group_by(Contact.member_id))
    return {row.member_id: (row.emails[0] if row.emails else None, row.n) for row in rows}


def suggestions(
    conn: Connection, words: str, *, limit: int = 10, lent: Collection[str] = (), viewer: Actor
) -> list[MemberCard]:
    """Return a few members that these words may mean, likeliest first; none for no words."""
    if not words.strip():
        return []
    where = _condition(MemberFilter(words=words), viewer, lent)
    beginning = Member.name_key.startswith(name_key(words), autoescape=True)
    found = select(*CARD_COLUMNS).where(*where).order_by(beginning.desc(), Member.name_key, Member.id)
    return [card_of(row) for row in conn.execute(found.limit(limit))]


def choices(conn: Connection, *, lent: Collection[str] = (), viewer: Actor) -> Mapping[str, list[str]]:
    """Return the teams, tiers, countries and regions there are among the members the viewer may see, in order."""
    columns = (Member.team, Member.tier, Member.country, Member.region)
    found = select(*columns).where(visible_members(viewer, lent), Member.status != "merged").distinct()
    rows = conn.execute(found).all()
    return {
        column.key: sorted({row[place] for row in rows if row[place]}, key=str.casefold)
        for place, column in enumerate(columns)
    }


def everyone(
    conn: Connection, narrow: MemberFilter, *, lent: Collection[str] = (), viewer: Actor
) -> list[tuple[MemberCard, str | None]]:
    """Return all members of a list by name, each with the address that is written to first."""
    found = select(*CARD_COLUMNS).where(*_condition(narrow, viewer, lent)).order_by(Member.name_key, Member.id)
    cards = [card_of(row) for row in conn.execute(found)]
    known = _contact_facts(conn, [card.id for card in cards])
    return [(card, known.get(card.id, (None, 0))[0]) for card in cards]

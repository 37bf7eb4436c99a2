"""What people read about proposed changes: beside each what it was said to be, what it is now and what it shall be."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from config.database import Connection
from members import store
from members.cards import Contact, MemberCard, label_of, said
from members.contact_commands import called
from members.proposal_parts import part_of
from members.tables import Contact as ContactTable
from members.tables import Member, MemberProposal
from members.visibility import visible_members
from state_machines.values import Actor

GONE = "no longer a contact"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a proposal asks for: what it was when it was asked, what it is now, and what it shall be."""

    part: str
    """The part of the proposal that it belongs to: several things about one contact are decided together."""
    what: str
    before: str
    now: str
    after: str

    @property
    def outdated(self) -> bool:
        """Whether somebody has changed it since."""
        return self.before != self.now

    @property
    def done(self) -> bool:
        """Whether it is as was asked already."""
        return self.now == self.after


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change somebody asks for, beside the member as it is."""

    id: int
    card: MemberCard
    proposed_by: str
    proposer: str
    """The name of who asks; a member of staff is named by whoever shows it."""
    at: datetime
    source: str
    lines: tuple[Line, ...]
    note: str
    status: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None

    @property
    def outdated(self) -> bool:
        """Whether anything that it asks for was changed since."""
        return self.status == "open" and any(line.outdated and not line.done for line in self.lines)


def proposals_of(conn: Connection, member_id: int, *, limit: int = 50) -> list[Proposal]:
    """Return the proposals about a member: open ones first, then the newest."""
    open_first: list[ColumnElement[Any]] = [(MemberProposal.status == "open").desc(), MemberProposal.id.desc()]
    return _proposals(conn, [MemberProposal.member_id == member_id], open_first, limit)


def open_proposals(
    conn: Connection, *, after: int = 0, limit: int = 50, lent: Collection[str] = (), viewer: Actor
) -> list[Proposal]:
    """Return the open proposals about members the viewer may see, the oldest first, after that number."""
    where = [MemberProposal.status == "open", MemberProposal.id > after, visible_members(viewer, lent)]
    return _proposals(conn, where, [MemberProposal.id.asc()], limit)


def open_count(conn: Connection, *, lent: Collection[str] = (), viewer: Actor) -> int:
    """Return how many proposals about members the viewer may see are open."""
    joined = MemberProposal.__table__.join(Member.__table__, Member.id == MemberProposal.member_id)
    where = (MemberProposal.status == "open", visible_members(viewer, lent))
    return conn.execute(select(func.count()).select_from(joined).where(*where)).scalar_one()


def _proposals(
    conn: Connection, where: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]], limit: int
) -> list[Proposal]:
    joined = MemberProposal.__table__.join(Member.__table__, Member.id == MemberProposal.member_id)
    found = select(*MemberProposal.__table__.c).select_from(joined).where(*where).order_by(*order).limit(limit)
    rows = conn.execute(found).all()
    ids = {row.member_id for row in rows}
    cards, contacts = store.member_card(conn, ids), store.contacts_of(conn, ids)
    names = _contact_names(conn, [row.proposed_by for row in rows])
    return [_proposal(row, cards[row.member_id], contacts[row.member_id], names) for row in rows]


def _contact_names(conn: Connection, people: Collection[str]) -> dict[str, str]:
    ids = [int(who.removeprefix("contact:")) for who in people if who.startswith("contact:") and who[8:].isdigit()]
    if not ids:
        return {}
    rows = conn.execute(
        select(ContactTable.id, ContactTable.name, ContactTable.email).where(ContactTable.id == func.any(ids))
    )
    return {f"contact:{row.id}": row.name or row.email or "" for row in rows}


def _proposal(row: Row[Any], card: MemberCard, contacts: Sequence[Contact], names: Mapping[str, str]) -> Proposal:
    lines = tuple(_lines(row.changes, card, {contact.id: contact for contact in contacts}))
    proposer = card.name if row.proposed_by.startswith("member:") else names.get(row.proposed_by, "")
    return Proposal(
        row.id, card, row.proposed_by, proposer, row.at, row.source, lines, row.changes.get("note", ""),
        row.status, row.decided_by, row.decided_at, row.reason,
    )  # fmt: skip


def _lines(changes: Mapping[str, Any], card: MemberCard, contacts: Mapping[int, Contact]) -> Iterator[Line]:
    for field, pair in changes.items():
        if field not in ("contacts", "note"):
            yield Line(field, label_of(field), said(pair[0]), said(getattr(card, field)), said(pair[1]))
    for place, each in enumerate(changes.get("contacts", ())):
        yield from _contact_lines(part_of(place), each, contacts)


def _contact_lines(part: str, change: Mapping[str, Any], contacts: Mapping[int, Contact]) -> Iterator[Line]:
    if change["do"] == "add":
        yield _added(part, change, contacts)
        return
    contact = contacts.get(change["id"])
    if change["do"] == "left":
        now = GONE if contact is None or contact.status == "left" else "a contact"
        yield Line(part, f"Contact {change['who']}", "a contact", now, GONE)
        return
    for field, pair in change.items():
        if field not in ("do", "id", "who"):
            now = said(getattr(contact, field)) if contact else GONE
            yield Line(part, f"{label_of(field)} of {change['who']}", said(pair[0]), now, said(pair[1]))


def _added(part: str, change: Mapping[str, Any], contacts: Mapping[int, Contact]) -> Line:
    email = str(change.get("email") or "").lower()
    same = next((each for each in contacts.values() if email and (each.email or "").lower() == email), None)
    told = [change.get(name) for name in ("name", "email", "phone", "role")]
    wanted = ", ".join(text for text in told if text)
    there = f"{called(same)} ({same.status})" if same else ""
    return Line(part, "A new contact", "", wanted if same and same.status == "ok" else there, wanted)

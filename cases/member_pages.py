"""What people read about one member together with its cases: everything, or its history.

Members go through ``members.visibility``, cases through ``visible``; who stands in for a colleague sees their team.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from cases.campaigning.ladders import ContactLadder, contact_ladders
from cases.campaigns import KINDS, child_of
from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.lists.keyset import BY_CLOSING, BY_DEADLINE, Order, keys
from cases.lists.worklist import Line, lines, lines_at
from cases.mailroom import outbox
from cases.member_lists import lent
from cases.permissions import visible
from cases.tables import CaseRow
from config.database import Connection, reading
from members import store
from members.cards import Contact, MemberCard
from members.history import RECENT, Entry, changes_of
from members.proposal_lists import Proposal, proposals_of
from members.tables import ConflictOfInterest, Member
from members.unmerging import can_be_taken_apart
from members.visibility import find_member, may_change_many, may_edit
from state_machines.values import Actor

MOST_OPEN, MOST_CLOSED, MOST_RESPONSES, MOST_MESSAGES = 50, 10, 10, 10
HISTORY = RECENT
OF_CAMPAIGNS = sorted(child_of(name).name for name in KINDS.values())
"""What campaigns ask of members."""


@dataclass(frozen=True)
class Change:
    """A change of a member as people read it."""

    entry: Entry
    by: str


@dataclass(frozen=True)
class Conflict:
    """Somebody on the staff who must not judge a member."""

    name: str
    declared_on: date
    note: str


@dataclass(frozen=True)
class MemberPage:
    """Everything about a member that the viewer may see."""

    card: MemberCard
    data: Mapping[str, Any]
    """What files said about it that is no field."""
    contacts: list[Contact]
    open_cases: list[Line]
    closed_cases: list[Line]
    more_cases: bool
    """Whether there are cases beside those listed."""
    responses: list[Line]
    """Their answers to campaigns, open ones first."""
    ladders: list[ContactLadder]
    """Who is written to now in each campaign that runs."""
    messages: list[dict[str, Any]]
    """What the member, its contacts and other parties of its cases were written lately; not what told staff of it."""
    changes: list[Change]
    proposals: list[Proposal]
    sources: frozenset[str]
    """The references of the cases they came from."""
    names: Mapping[str, str]
    """Of the staff, as the record names them: ``staff:3``."""
    conflicts: list[Conflict]
    merged: list[MemberCard]
    """Entries that were made part of this one."""
    undoable: frozenset[str]
    """The references of those that can be taken out again."""
    may_edit: bool
    may_merge: bool

    @property
    def contact_names(self) -> Mapping[int, str]:
        """What the contacts are called, as far as they have a name."""
        return {contact.id: contact.name for contact in self.contacts if contact.name}

    @property
    def first(self) -> Contact | None:
        """Who is written to first."""
        return next((contact for contact in self.contacts if contact.reachable), None)


def member_page(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> MemberPage:
    """Return everything about a member that a person may see. Raises NotFound also for a member they may not see."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        teams = lent(actor, here)
        card = find_member(conn, ref, lent=teams, actor=actor)
        contacts = store.contacts_of(conn, [card.id])[card.id]
        data = conn.execute(select(Member.data).where(Member.id == card.id)).scalar_one()
        merged = _merged(conn, card)
        cases = _Cases(conn, [card.id, *(each.id for each in merged)], actor, here)
        opened, ended, responses = cases.open(), cases.closed(), cases.responses()
        changes = _changes(conn, card, contacts, here)
        mine = visible(actor, acts_for(actor, here))
        ladders = contact_ladders(conn, cases.members, contacts, env.policy, mine)
        undoable = can_be_taken_apart(conn, card) if merged and may_change_many(actor) else frozenset()
        proposals, conflicts = proposals_of(conn, card.id), _conflicts(conn, card, here)
        sources = sources_seen(conn, proposals, actor, here)
    messages, _ = outbox(env, member_id=card.id, outside=True, viewer=actor, limit=MOST_MESSAGES)
    return MemberPage(
        card=card, data=data, contacts=contacts, open_cases=opened[:MOST_OPEN], closed_cases=ended[:MOST_CLOSED],
        more_cases=len(opened) > MOST_OPEN or len(ended) > MOST_CLOSED, responses=responses,
        ladders=ladders, messages=messages,
        changes=changes, proposals=proposals, sources=sources, conflicts=conflicts, merged=merged, undoable=undoable,
        names=here.staffing.names_in_record,
        may_edit=may_edit(actor, card.team, teams), may_merge=may_change_many(actor),
    )  # fmt: skip


@dataclass(frozen=True)
class _Cases:
    """The cases of a member, and of who was merged into it, that the viewer may see."""

    conn: Connection
    members: Collection[int]
    actor: Actor
    here: World

    def open(self) -> list[Line]:
        return self._lines(BY_DEADLINE, MOST_OPEN, CaseRow.process.not_in(OF_CAMPAIGNS), CaseRow.closed_at.is_(None))

    def closed(self) -> list[Line]:
        others = CaseRow.process.not_in(OF_CAMPAIGNS)
        return self._lines(BY_CLOSING, MOST_CLOSED, others, CaseRow.closed_at.is_not(None))

    def responses(self) -> list[Line]:
        found = self._lines(BY_DEADLINE, MOST_RESPONSES, CaseRow.process.in_(OF_CAMPAIGNS))
        return sorted(found, key=lambda line: line.closed is not None)[:MOST_RESPONSES]

    def _lines(self, order: Order, limit: int, *where: Any) -> list[Line]:
        mine = visible(self.actor, acts_for(self.actor, self.here))
        found = keys([[CaseRow.member_id.in_(self.members), mine, *where]], order, None, limit + 1)
        return lines(lines_at(self.conn, found, order), self.here)


def _merged(conn: Connection, card: MemberCard) -> list[MemberCard]:
    into = select(*store.CARD_COLUMNS).where(Member.merged_into == card.id).order_by(Member.id)
    return [store.card_of(row) for row in conn.execute(into)]


def _conflicts(conn: Connection, card: MemberCard, here: World) -> list[Conflict]:
    table = ConflictOfInterest
    rows = conn.execute(select(table.staff_id, table.declared_on, table.note).where(table.member_id == card.id))
    found = [(here.staffing.get(row.staff_id), row) for row in rows]
    return [Conflict(person.name, row.declared_on, row.note) for person, row in found if person and person.active]


def sources_seen(conn: Connection, proposals: Sequence[Proposal], actor: Actor, here: World) -> frozenset[str]:
    """Return the references of those cases from which changes were proposed that the actor may see."""
    from_cases = (CaseRow.ref.in_([each.source for each in proposals]), visible(actor, acts_for(actor, here)))
    return frozenset(conn.execute(select(CaseRow.ref).where(*from_cases)).scalars()) if proposals else frozenset()


def _changes(
    conn: Connection, card: MemberCard, contacts: Sequence[Contact], here: World, before: int | None = None
) -> list[Change]:
    names = dict(here.staffing.names_in_record) | {f"member:{card.id}": card.name}
    names |= {f"contact:{contact.id}": contact.name or contact.email or "" for contact in contacts}
    found = changes_of(conn, card.id, before=before)
    return [Change(entry, names.get(entry.actor) or "Muster") for entry in found]


# ------------------------------------------------------------------------------------- its history, its contacts


@dataclass(frozen=True)
class MemberRecord:
    """A member with its contacts and what was changed; less than its page."""

    card: MemberCard
    contacts: list[Contact]
    changes: list[Change]
    may_edit: bool


def member_record(
    env: Environment, ref: str, *, before: int | None = None, actor: Actor, now: datetime | None = None
) -> MemberRecord:
    """Return a member with contacts and a page of its history. Raises NotFound also for one a person may not see."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        teams = lent(actor, here)
        card = find_member(conn, ref, lent=teams, actor=actor)
        contacts = store.contacts_of(conn, [card.id])[card.id]
        changes = _changes(conn, card, contacts, here, before)
        return MemberRecord(card, contacts, changes, may_edit(actor, card.team, teams))

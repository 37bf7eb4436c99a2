"""What guards ask about besides the case itself: its member, its children, its links, its history. Read in sets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy import case as when

from cases.tables import CaseLink, CaseRow
from config.database import Connection
from members import store as member_store
from members.cards import Contact, MemberCard
from notifications.recipients import usable
from state_machines.registry import process_named
from state_machines.values import Case

YEAR = timedelta(days=365)
Facts = dict[int, dict[str, Any]]
"""Facts by case id."""


class CaseFacts(dict[str, Any]):
    """The facts of one case. Its member and the contacts are looked up when a guard first asks, for all cases of the
    batch at once."""

    def __init__(self, members: _Members, member_id: int | None) -> None:
        super().__init__()
        self._members = members
        self._member_id = member_id

    def get(self, name: str, default: Any = None) -> Any:
        """Return a fact, or the default when there is none."""
        if name == "member" and self._member_id is not None:
            return self._members.of(self._member_id) or default
        if name == "contact_list" and self._member_id is not None:
            return self._members.contacts(self._member_id)
        return super().get(name, default)


class _WhenAsked(CaseFacts):
    """The facts of one case that is decided by itself: each is gathered when a guard first asks for it."""

    def __init__(self, conn: Connection, case: Case, now: datetime) -> None:
        super().__init__(_Members(conn, [] if case.member_id is None else [case.member_id]), case.member_id)
        self._conn, self._case, self._now = conn, case, now

    def get(self, name: str, default: Any = None) -> Any:
        """Return a fact, or the default when there is none."""
        if name not in self and name in process_named(self._case.process).facts:
            _GATHERERS[name](self._conn, [self._case], {self._case.id: self}, self._now)
        return super().get(name, default)


def when_asked(conn: Connection, case: Case, *, now: datetime) -> CaseFacts:
    """Return the facts of one case for a decision about it; nothing is read before a guard asks for it."""
    return _WhenAsked(conn, case, now)


class _Members:
    """The members of a batch of cases, read once and only when asked for."""

    def __init__(self, conn: Connection, ids: Collection[int]) -> None:
        self._conn, self._ids = conn, sorted(ids)
        self._found: dict[int, dict[str, Any]] | None = None
        self._contacts: dict[int, list[dict[str, Any]]] | None = None

    def of(self, member_id: int) -> dict[str, Any] | None:
        """Return what guards may know of a member."""
        if self._found is None:
            self._found = {n: _member(card) for n, card in member_store.member_card(self._conn, self._ids).items()}
        return self._found.get(member_id)

    def contacts(self, member_id: int) -> list[dict[str, Any]]:
        """Return what guards may know of a member's contacts, in their order: no names, no addresses."""
        if self._contacts is None:
            found = member_store.contacts_of(self._conn, self._ids)
            self._contacts = {n: [_contact(each) for each in theirs] for n, theirs in found.items()}
        return self._contacts.get(member_id, [])


def gather(conn: Connection, cases: Sequence[Case], *, now: datetime) -> Facts:
    """Return the facts of each case by id; a handful of statements however many cases there are."""
    members = _Members(conn, {case.member_id for case in cases if case.member_id is not None})
    facts: Facts = {case.id: CaseFacts(members, case.member_id) for case in cases}
    wanted: dict[str, list[Case]] = {}
    for case in cases:
        for name in process_named(case.process).facts:
            wanted.setdefault(name, []).append(case)
    for name, gatherer in _GATHERERS.items():
        if wanted.get(name):
            gatherer(conn, wanted[name], facts, now)
    return facts


def _member(card: MemberCard) -> dict[str, Any]:
    """A member as guards see it. Flags are in small letters, as in the policy; the register writes them in capitals."""
    return {
        "id": card.id, "ref": card.ref, "name": card.name, "status": card.status,
        "flags": tuple(sorted(flag.lower() for flag in card.flags)),
        "joined_on": card.joined_on.isoformat() if card.joined_on else None, "team": card.team,
    }  # fmt: skip


def _contact(contact: Contact) -> dict[str, Any]:
    """A contact as guards see it; the domain of its address tells whether somebody is a colleague."""
    domain = (contact.email or "").strip().rpartition("@")[2].lower()
    return {"id": contact.id, "role": contact.role, "usable": bool(usable([contact])), "domain": domain}


def _children(conn: Connection, cases: Sequence[Case], facts: Facts, now: datetime) -> None:
    counts = conn.execute(
        select(CaseRow.parent_id, CaseRow.state, func.count())
        .where(CaseRow.parent_id.in_([case.id for case in cases]))
        .group_by(CaseRow.parent_id, CaseRow.state)
    )
    for case in cases:
        facts[case.id]["children"] = {}
    for parent_id, state, number in counts:
        facts[parent_id]["children"][state] = number


def _linked(conn: Connection, cases: Sequence[Case], facts: Facts, now: datetime) -> None:
    ids = [case.id for case in cases]
    for case in cases:
        facts[case.id]["linked"] = []
    links = conn.execute(
        select(CaseLink.from_id, CaseLink.to_id, CaseLink.type).where(
            or_(CaseLink.from_id.in_(ids), CaseLink.to_id.in_(ids))
        )
    ).all()
    others = {row.to_id for row in links} | {row.from_id for row in links}
    rows = {row.id: row for row in conn.execute(select(CaseRow.__table__).where(CaseRow.id.in_(others)))}
    for link in links:
        for me, other, direction in ((link.from_id, link.to_id, "to"), (link.to_id, link.from_id, "from")):
            if me in facts and "linked" in facts[me]:
                row = rows[other]
                facts[me]["linked"].append(
                    {"ref": row.ref, "process": row.process, "state": row.state, "outcome": row.outcome,
                     "link": link.type, "direction": direction, "data": row.data}
                )  # fmt: skip


def _history(conn: Connection, cases: Sequence[Case], facts: Facts, now: datetime) -> None:
    """What happened in other cases of the member, counted by the database: a member may have any number of them."""
    members = {case.member_id for case in cases if case.member_id is not None}
    lately = and_(CaseRow.member_id.in_(members), CaseRow.received_at >= now - timedelta(days=731))
    of_member, of_case = _counted(conn, lately, {case.id for case in cases}, now)
    agreed: dict[int, list[Any]] = {}
    for row in conn.execute(_AGREED.where(lately)):
        agreed.setdefault(row.member_id, []).append(row)
    for case in cases:
        counts = of_member[case.member_id or 0] - of_case[case.id]
        others = [row for row in agreed.get(case.member_id or 0, []) if row.id != case.id]
        facts[case.id]["history"] = {
            "same_criterion_24m": counts["criterion", case.data.get("criterion")],
            **{name: counts[name, None] for name in ("complaints_12m", "open_complaints", "cancellations_window")},
            "saved_case": next((row.ref for row in others if row.state == "saved"), None),
            "offers_24m": [offer for row in others for offer in row.data.get("offers", ())],
        }


_Counts = defaultdict[int, Counter[tuple[str, str | None]]]
_AGREED = (
    select(CaseRow.id, CaseRow.member_id, CaseRow.ref, CaseRow.state, CaseRow.data)
    .where(CaseRow.process == "cancellation", or_(CaseRow.state == "saved", CaseRow.data.has_key("offers")))
    .order_by(CaseRow.received_at.desc(), CaseRow.id)
)
"""Cancellations in which something was offered or agreed."""


def _counted(conn: Connection, lately: ColumnElement[bool], ids: set[int], now: datetime) -> tuple[_Counts, _Counts]:
    """Return the counts of each member, and what each of some cases adds to them, by id."""
    criterion = when((CaseRow.process == "monitoring", CaseRow.data["criterion"].astext))
    own = when((CaseRow.id.in_(ids), CaseRow.id))
    rows = conn.execute(
        select(
            CaseRow.member_id, CaseRow.process, criterion, own,
            func.count().filter(func.coalesce(CaseRow.data["case_opened_at"].astext, "") != ""),
            func.count().filter(CaseRow.received_at >= now - YEAR),
            func.count().filter(CaseRow.closed_at.is_(None)),
            func.count().filter(CaseRow.received_at >= now - timedelta(days=90)),
        )
        .where(lately, CaseRow.process.in_(("monitoring", "complaint", "cancellation")))
        .group_by(CaseRow.member_id, CaseRow.process, criterion, own)
    )  # fmt: skip
    of_member: _Counts = defaultdict(Counter)
    of_case: _Counts = defaultdict(Counter)
    for member_id, process, named, case_id, opened, year, still_open, quarter in rows:
        counts: Counter[tuple[str, str | None]] = Counter()
        if process == "monitoring":
            counts["criterion", named] = opened
        elif process == "complaint":
            counts["complaints_12m", None], counts["open_complaints", None] = year, still_open
        else:
            counts["cancellations_window", None] = quarter
        of_member[member_id] += counts
        if case_id is not None:
            of_case[case_id] += counts
    return of_member, of_case


def _population(conn: Connection, cases: Sequence[Case], facts: Facts, now: datetime) -> None:
    """How many members a campaign asks, and how many of them have an address that works."""
    for case in cases:
        eligible, deliverable = member_store.population_size(conn, case.data.get("population") or {})
        facts[case.id]["population"] = {"eligible": eligible, "deliverable": deliverable}


_GATHERERS = {"population": _population, "children": _children, "linked": _linked, "history": _history}

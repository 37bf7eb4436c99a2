"""What an import would do to the register: which row is which member, and what it changes. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from members.cards import DECIDED, GONE, Contact, MemberCard
from members.contact_merging import ContactChanges, merge_contacts
from members.errors import listed
from members.fields import MemberRow
from members.matching import name_key, website_domain
from members.spreadsheets import Refusal


@dataclass(frozen=True, slots=True)
class Known:
    """A member as the register has it."""

    card: MemberCard
    data: Mapping[str, Any]
    contacts: tuple[Contact, ...] = ()

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return name_key(self.card.name, person=self.card.kind == "person")


@dataclass(frozen=True, slots=True)
class Update:
    """What changes for one member."""

    card: MemberCard
    changes: Mapping[str, Any]
    contacts: ContactChanges = field(default_factory=ContactChanges)
    line: int | None = None
    """Where the file says so; None for who leaves because the file does not mention them."""

    @property
    def leaves(self) -> bool:
        """Whether an active member would be gone."""
        return self.card.status == "active" and self.changes.get("status") in GONE


@dataclass
class Plan:
    """What an import would do."""

    created: list[MemberRow] = field(default_factory=list)
    updated: list[Update] = field(default_factory=list)
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)
    mentioned: set[int] = field(default_factory=set)
    """Members the file speaks of, also in rows that are refused."""
    nameless: list[int] = field(default_factory=list)
    """Lines that do not say which member they are about."""


class Register:
    """The members a file may be about, to look up by what a row says."""

    def __init__(self, known: Iterable[Known]) -> None:
        self.by_ref: dict[str, Known] = {}
        self.by_external: dict[str, Known] = {}
        self.by_key: dict[tuple[str, str], list[Known]] = defaultdict(list)
        for each in known:
            self.by_ref[each.card.ref] = each
            self.by_key[each.card.kind, each.key].append(each)
            if each.card.external_ref:
                self.by_external[each.card.external_ref] = each

    def named(self, row: MemberRow) -> list[Known]:
        """Return every member with the row's name."""
        return [known for kind_and_key in row.keys.items() for known in self.by_key.get(kind_and_key, ())]


class RowRefused(Exception):
    """Why a row cannot be taken; `about` are the members it may be about."""

    def __init__(self, why: str, about: Iterable[Known] = ()) -> None:
        super().__init__(why)
        self.about = [known.card.id for known in about]


def plan_import(rows: Sequence[MemberRow], register: Register, today: date) -> Plan:
    """Return what these rows would do to the register."""
    plan = Plan()
    same_name = Counter(key for row in rows for key in set(row.keys.values()))
    first = _FirstLines()
    for row in rows:
        try:
            known = find(row, register, repeated=any(same_name[key] > 1 for key in row.keys.values()))
            plan.mentioned |= {known.card.id} if known else set()
            if row.errors:
                plan.nameless += [] if row.name or row.external_ref or row.ref else [row.line]
                raise RowRefused(" ".join(row.errors))
            first.check(row, known)
            _place(plan, row, known, today)
        except RowRefused as refused:
            plan.mentioned.update(refused.about)
            plan.refused.append(Refusal(row.line, str(refused)))
    return plan


def _place(plan: Plan, row: MemberRow, known: Known | None, today: date) -> None:
    if known is None:
        plan.created.append(row)
        return
    contacts = merge_contacts(row.contacts, known.contacts)
    update = Update(known.card, changes_of(row, known, today), contacts, row.line)
    if update.changes or update.contacts:
        plan.updated.append(update)
    else:
        plan.unchanged += 1


def find(row: MemberRow, register: Register, *, repeated: bool) -> Known | None:
    """Return the member a row is about, or None when it is a new one; raises RowRefused when that is unclear.

    `repeated` says that the file has this name more than once, so that the website must tell them apart.
    """
    if (row.ref or row.external_ref) and (known := _by_reference(row, register)):
        return _living(known)
    named = register.named(row)
    if row.external_ref:
        unnumbered = [k for k in named if k.card.external_ref is None and k.card.kind == "organisation"]
        named = [] if repeated else unnumbered
    candidates = [known for known in named if known.card.status != "merged"]
    if named and not candidates:
        return _living(named[0])
    if row.domain and (len(candidates) > 1 or repeated):
        candidates = [k for k in candidates if website_domain(k.card.website) in (row.domain, None)]
        candidates = [k for k in candidates if k.card.website] or candidates
    if len(candidates) > 1:
        names = listed([f"{known.card.ref} {known.card.name}" for known in candidates])
        raise RowRefused(f"{len(candidates)} members are called this: {names}. Give the reference.", candidates)
    return candidates[0] if candidates else None


def _by_reference(row: MemberRow, register: Register) -> Known | None:
    external = register.by_external.get(row.external_ref) if row.external_ref else None
    if row.ref is None:
        return external or register.by_ref.get((row.external_ref or "").upper())
    known = register.by_ref.get(row.ref)
    if known is None:
        raise RowRefused(f"No member has the reference {row.ref}.", [external] if external else [])
    if external not in (None, known):
        raise RowRefused(f"{row.external_ref} is the reference of {external.card.name}.", [known, external])
    return known


def _living(known: Known) -> Known:
    if known.card.status == "merged":
        raise RowRefused(f"{known.card.ref} {known.card.name} was merged into another member.", [known])
    return known


class _FirstLines:
    """Where each member was first met in the file."""

    def __init__(self) -> None:
        self._members: dict[int, int] = {}
        self._external: dict[str, int] = {}
        self._named: dict[str, list[MemberRow]] = defaultdict(list)

    def check(self, row: MemberRow, known: Known | None) -> None:
        """Remember the row; raises RowRefused when an earlier line is about the same member."""
        earlier = self._members.get(known.card.id) if known else None
        if earlier is None and row.external_ref:
            earlier = self._external.get(row.external_ref)
        if earlier is None and known is None:
            earlier = next((o.line for k in row.keys.values() for o in self._named[k] if _alike(o, row)), None)
        if earlier is not None:
            raise RowRefused(f"The same member is already on line {earlier}.")
        if known:
            self._members[known.card.id] = row.line
        if row.external_ref:
            self._external[row.external_ref] = row.line
        for key in set(row.keys.values()) if known is None else ():
            self._named[key].append(row)


def _alike(one: MemberRow, other: MemberRow) -> bool:
    if one.external_ref and other.external_ref:
        return False
    return one.domain is None or other.domain is None or one.domain == other.domain


def changes_of(row: MemberRow, known: Known, today: date) -> dict[str, Any]:
    """Return the columns a row changes; what it leaves blank stays."""
    card = known.card
    wanted = {**row.values, **_status_changes(row, card, today)}
    if row.external_ref and row.external_ref.upper() == card.ref:
        del wanted["external_ref"]
    if not row.flags <= card.flags:
        wanted["flags"] = sorted(row.flags | card.flags)
    data = {**known.data, **row.data}
    changes = {name: value for name, value in wanted.items() if value != getattr(card, name)}
    return {**changes, "data": data} if data != known.data else changes


def _status_changes(row: MemberRow, card: MemberCard, today: date) -> dict[str, Any]:
    status = status_of(row, card.status, today)
    if card.status in DECIDED and status not in (*GONE, card.status):
        raise RowRefused(f"{card.ref} is {card.status} by a decision; a file cannot make it {status}.")
    if status == card.status or (card.status == "terminated" and status == "left"):
        return {"status": card.status}
    if status in GONE:
        return {"status": status, "left_on": row.values.get("left_on") or card.left_on or today}
    if card.status in GONE:
        return {"status": status, "left_on": row.values.get("left_on")}
    return {"status": status}


def status_of(row: MemberRow, before: str | None, today: date) -> str:
    """Return the status a row leads to: as it says, else by the date of leaving, else as before."""
    if said := row.values.get("status"):
        return str(said)
    left_on = row.values.get("left_on")
    if left_on is not None and left_on <= today and before not in GONE:
        return "left"
    if left_on is not None and left_on > today and before in (None, "prospect", "active"):
        return "leaving"
    return before or "active"


def missing(still_here: Iterable[MemberCard], today: date) -> list[Update]:
    """Return the leaving of members who are not in a file that lists everyone."""
    return [Update(card, {"status": "left", "left_on": card.left_on or today}) for card in still_here]

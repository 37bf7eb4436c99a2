"""Whose a mail is: the message of ours that it is about, the case, and who sent it.

Only what cannot be guessed proves it: the tag of our address, or the Message-ID of our message. The address of a sender
is no identity; with a case's reference beside it, it is enough to put the mail on that case, and for nothing more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from cases.environment import World
from cases.tables import CaseRow
from config.database import Connection
from members import store as members
from notifications import address_tags
from notifications.inbox import ledger
from notifications.inbox.incoming import REPORTS, Incoming

TAG, MESSAGE_ID, SUBJECT, BY_HAND = "the tag of our address", "our Message-ID", "the reference it names", "hand"
CONTACT, PARTY, COLLEAGUE, STRANGER = "contact", "party", "staff", "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """What a mail is about, as far as anything proves it."""

    case_id: int | None = None
    ours: Any = None
    """The row of our message."""
    how: str | None = None
    sender: str = STRANGER
    contact_id: int | None = None
    perhaps: int | None = None
    """A case it may be about, by nothing that proves it."""

    @property
    def internal(self) -> bool:
        """Whether our message went to one of the staff."""
        return self.ours is not None and self.ours.staff_id is not None


def match(conn: Connection, incoming: Incoming, here: World) -> Match:
    """Return what a mail is about."""
    ours, how = _ours(conn, incoming, here)
    case = _case(conn, ours.case_id) if ours is not None and ours.case_id is not None else None
    if case is not None:
        sender, contact_id = who_writes(conn, incoming.from_email, case, here)
        return Match(case.id, ours, how, sender, contact_id)
    if ours is not None:
        return Match(None, ours, how)
    return _by_reference(conn, incoming, here) or Match(perhaps=_perhaps(conn, incoming, here))


def _ours(conn: Connection, incoming: Incoming, here: World) -> tuple[Any, str | None]:
    """Return the message of ours that a mail names by its tag or its Message-ID, the likeliest first."""
    secret = here.env.settings.secret_key.get_secret_value()
    numbers = [found for tag in incoming.tags if (found := address_tags.read(secret, tag)) is not None]
    by_number = {row.id: row for row in ledger.ours_by_number(conn, numbers)}
    for number in numbers:
        if number in by_number:
            return by_number[number], TAG
    by_id = {row.message_id: row for row in ledger.ours_by_message_id(conn, incoming.originals)}
    for each in incoming.originals:
        if each in by_id:
            return by_id[each], MESSAGE_ID
    return None, None


def _case(conn: Connection, case_id: int) -> Any:
    return conn.execute(
        select(CaseRow.id, CaseRow.member_id, CaseRow.parties).where(CaseRow.id == case_id)
    ).one_or_none()


def _by_reference(conn: Connection, incoming: Incoming, here: World) -> Match | None:
    """Return the case whose reference a mail names, where its sender is known there; else that it may be about it."""
    if not incoming.case_refs:
        return None
    found = conn.execute(
        select(CaseRow.id, CaseRow.member_id, CaseRow.parties).where(CaseRow.ref.in_(incoming.case_refs)).limit(1)
    ).one_or_none()
    if found is None:
        return None
    sender, contact_id = who_writes(conn, incoming.from_email, found, here)
    if incoming.kind in REPORTS or sender not in (CONTACT, PARTY):
        return Match(perhaps=found.id)
    return Match(found.id, None, SUBJECT, sender, contact_id)


def _perhaps(conn: Connection, incoming: Incoming, here: World) -> int | None:
    addresses: Collection[str] = incoming.sorted.failed or ([incoming.from_email] if incoming.from_email else [])
    return ledger.last_sent_to(conn, addresses, here.now - ledger.A_WHILE)


def who_writes(conn: Connection, address: str | None, case: Any, here: World) -> tuple[str, int | None]:
    """Return who has this address in a case: one of its member's contacts, somebody named on it, staff, or nobody."""
    if not address:
        return STRANGER, None
    if case.member_id is not None:
        for contact in members.contacts_of(conn, [case.member_id])[case.member_id]:
            if (contact.email or "").strip().lower() == address:
                return CONTACT, contact.id
    if any(str(each.get("email") or "").strip().lower() == address for each in case.parties.values()):
        return PARTY, None
    return (COLLEAGUE, None) if here.staffing.by_email(address) is not None else (STRANGER, None)


def ref_of_case(conn: Connection, case_id: int | None) -> str | None:
    """Return the reference of a case."""
    if case_id is None:
        return None
    return conn.execute(select(CaseRow.ref).where(CaseRow.id == case_id)).scalar_one_or_none()

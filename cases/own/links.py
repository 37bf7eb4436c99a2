"""Asking for a personal link: it goes by mail to an address that is known, and to no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from cases.environment import Environment
from cases.own.pages import TO_MEMBERS, opened
from cases.tables import CaseRow
from config.database import Connection, reading, transaction, without_nul
from members import store as member_store
from members.cards import GONE, Contact, MemberCard
from notifications import links, outbox
from notifications.recipients import CONTACT, is_address
from notifications.sealing import SEALED_LINK, seal
from notifications.tables import SENT, MessageRow
from notifications.values import NewMessage

LEAVE = "leave"
"""The purpose of links with which a member ends the membership; they name the member, not a case."""
LEAVE_DAYS = 7
_STILL_SHOWN = timedelta(days=60)
"""So long after a case was closed a fresh link to it is mailed: to read what came of it, or to ask for stage 2."""
_MOST_CASES = 5
_OWN = ("survey_response", "signature", "cancellation", "complaint", "monitoring")


def own_token(env: Environment, conn: Connection, purpose: str, case_id: int) -> str:
    """Return the token of the personal link of a case."""
    epoch = links.epochs(conn, [case_id])[case_id]
    return links.make(env.settings.secret_key.get_secret_value(), purpose, case_id, epoch)


def token_of(env: Environment, purpose: str, case_id: int) -> str:
    """Return the token of the personal link of a case."""
    with reading(env.engine) as conn:
        return own_token(env, conn, purpose, case_id)


def ask_for_links(env: Environment, email: str, *, now: datetime) -> int:
    """Mail fresh links to whoever has this address on an open case, and return how many.

    Nobody is told whether there were any. Asking again within the hour sends nothing more.
    """
    address = without_nul(email.strip().lower())
    if not is_address(address):
        return 0
    with transaction(env.engine) as conn:
        wanted = [*_as_contact(conn, env, address, now), *_as_complainant(conn, address, now)]
        return outbox.enqueue(conn, wanted, now=now)


def _as_contact(conn: Connection, env: Environment, address: str, now: datetime) -> Iterator[NewMessage]:
    """Links to the newest cases of the members whose contact this is."""
    contacts = [c for c in member_store.contacts_by_email(conn, [address]).get(address, []) if c.reachable]
    by_member = {contact.member_id: contact for contact in contacts}
    for row in _recent(conn, CaseRow.member_id.in_(by_member), now):
        if row.process == "complaint" and not _is_told(conn, env, row.id, now):
            continue
        if row.process == "monitoring" and not _was_written_to(conn, row.id):
            continue
        contact = by_member[row.member_id]
        yield NewMessage(
            _key(row.id, f"{CONTACT}{contact.id}", now), "own_link", f"{CONTACT}{contact.id}", case_id=row.id,
            member_id=row.member_id,
        )  # fmt: skip


def _is_told(conn: Connection, env: Environment, case_id: int, now: datetime) -> bool:
    """Whether the member has a part in a complaint: where it does not, no link would open."""
    try:
        opened(conn, env, links.MEMBER, own_token(env, conn, links.MEMBER, case_id), now=now)
    except links.LinkExpired:
        return False
    return True


def _was_written_to(conn: Connection, case_id: int) -> bool:
    """Whether a letter about a case went to its member: before that a matter is looked at without telling it."""
    letters = select(MessageRow.id).where(MessageRow.case_id == case_id, MessageRow.state == SENT, TO_MEMBERS)
    return conn.execute(letters.limit(1)).first() is not None


def _as_complainant(conn: Connection, address: str, now: datetime) -> Iterator[NewMessage]:
    """Links to the newest complaints of whoever gave this address."""
    given = func.lower(CaseRow.parties["complainant"]["email"].as_string()) == address
    for row in _recent(conn, and_(CaseRow.process == "complaint", given), now):
        yield NewMessage(_key(row.id, "party", now), "own_link", "party:complainant", case_id=row.id)


def _recent(conn: Connection, whose: Any, now: datetime) -> list[Any]:
    shown = or_(CaseRow.closed_at.is_(None), CaseRow.closed_at > now - _STILL_SHOWN)
    rows = select(CaseRow.id, CaseRow.process, CaseRow.member_id).where(whose, shown, CaseRow.process.in_(_OWN))
    return list(conn.execute(rows.order_by(CaseRow.opened_at.desc(), CaseRow.id.desc()).limit(_MOST_CASES)))


def _key(case_id: int, whom: str, now: datetime) -> str:
    return f"own_link:{case_id}:{whom}:{now:%Y%m%d%H}"


# --- the public entrance of those who want to leave


@dataclass(frozen=True)
class LeaveLink:
    """Who may end their membership by a link, and since when their notice counts."""

    member: MemberCard
    asked_at: datetime


def ask_to_leave(env: Environment, text: str, *, now: datetime) -> int:
    """Mail a link for ending a membership to the member meant by an address or number; return how many were mailed.

    With an address it goes to that address, with a number to the member's first contact. Nobody is told which.
    """
    given = without_nul(text.strip())
    with transaction(env.engine) as conn:
        return outbox.enqueue(conn, list(_leaving(conn, env, given, now)), now=now)


def _leaving(conn: Connection, env: Environment, given: str, now: datetime) -> Iterator[NewMessage]:
    for contact in _contacts_meant(conn, given)[:_MOST_CASES]:
        card = member_store.member_card(conn, [contact.member_id])[contact.member_id]
        if card.status in (*GONE, "merged") or "DECEASED" in card.flags:
            continue
        secret = env.settings.secret_key.get_secret_value()
        token = leave_token(env, card.id, asked_at=now)
        link = seal(secret, f"{env.settings.base_url}/links/leave/{token}")
        yield NewMessage(
            f"leave_link:{card.id}:{contact.id}:{now:%Y%m%d%H}", "leave_link", f"{CONTACT}{contact.id}",
            member_id=card.id, data={SEALED_LINK: link, "days": LEAVE_DAYS},
        )  # fmt: skip


def _contacts_meant(conn: Connection, given: str) -> list[Contact]:
    if "@" in given:
        found = member_store.contacts_by_email(conn, [given]).get(given.lower(), [])
        return [contact for contact in found if contact.reachable]
    card = member_store.find_by_refs(conn, [given]).members.get(given) if given else None
    if card is None or given.upper() not in (card.ref, (card.external_ref or "").upper()):
        return []  # a name is no number: who knows somebody's name shall not send them mail
    return [contact for contact in member_store.contacts_of(conn, [card.id])[card.id] if contact.reachable][:1]


def leave_token(env: Environment, member_id: int, *, asked_at: datetime) -> str:
    """Return the token of a link for ending a membership; it holds for LEAVE_DAYS."""
    until = asked_at + timedelta(days=LEAVE_DAYS)
    return links.make(env.settings.secret_key.get_secret_value(), LEAVE, member_id, expires_at=until)


def leave_link(conn: Connection, env: Environment, token: str, *, now: datetime) -> LeaveLink:
    """Return whose membership a link ends. Raises LinkForged or LinkExpired."""
    link = links.read(env.settings.secret_key.get_secret_value(), LEAVE, token, now=now)
    card = member_store.member_card(conn, [link.case_id]).get(link.case_id)
    if card is None or link.expires_at is None or card.status == "merged":
        raise links.LinkExpired
    return LeaveLink(card, link.expires_at - timedelta(days=LEAVE_DAYS))

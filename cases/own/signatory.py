"""Whether whoever signs is on file as somebody who may, and writes from an address of the member's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func, select

from cases.own.pages import TO_MEMBERS
from config.database import Connection
from members import store as member_store
from members.cards import Contact, MemberCard
from notifications.tables import SENT, MessageRow
from state_machines.policy import Policy
from state_machines.values import Case


@dataclass(frozen=True)
class Signatory:
    """What is known about whoever signs."""

    contact: Contact | None = None
    role_fits: bool = False
    domain_fits: bool = False

    @property
    def email(self) -> str:
        """The address to which the link went."""
        return (self.contact.email or "") if self.contact else ""


def signatory(conn: Connection, case: Case, name: str, policy: Policy) -> Signatory:
    """Return who of the contacts to whom letters about a case went signs it, by the name that was typed.

    Whose name is not the typed one may hold the link and is named, but is not on file as somebody who may sign.
    """
    member_id = case.member_id or 0
    contacts = {contact.id: contact for contact in member_store.contacts_of(conn, [member_id])[member_id]}
    written = [contacts[number] for number in _written_to(conn, case.id) if number in contacts]
    if not written:
        return Signatory()
    named = next((contact for contact in written if is_named(contact.name, name)), None)
    contact = named or written[0]
    card = member_store.member_card(conn, [member_id])[member_id]
    may_sign = named is not None and named.role in policy.setting("signature", "signatory_roles")
    public = policy.setting("code_document", "public_mail")
    return Signatory(contact, may_sign, _is_theirs(contact, card, list(contacts.values()), public))


def _written_to(conn: Connection, case_id: int) -> list[int]:
    """The contacts to whom letters about a case went, the last one first."""
    rows = conn.execute(
        select(MessageRow.contact_id)
        .where(MessageRow.case_id == case_id, MessageRow.state == SENT, TO_MEMBERS, MessageRow.contact_id.is_not(None))
        .group_by(MessageRow.contact_id).order_by(func.max(MessageRow.sent_at).desc(), func.max(MessageRow.id).desc())
    )  # fmt: skip
    return [number for number in rows.scalars() if number is not None]


def is_named(on_file: str, typed: str) -> bool:
    """Whether two names are of one person: "Dr Chandra Rao" is Chandra Rao, and "C. Rao" is not."""
    mine, theirs = _parts(on_file), _parts(typed)
    if not mine or not theirs:
        return False
    fewer, more = sorted((mine, theirs), key=len)
    return fewer == more or (len(fewer) > 1 and fewer < more)


def _parts(name: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return frozenset(letters.split())


def domain(email: str) -> str:
    """Return the domain of an e-mail address, in small letters."""
    return email.rpartition("@")[2].strip().lower()


def _is_theirs(contact: Contact, card: MemberCard, contacts: Sequence[Contact], public: Sequence[str]) -> bool:
    """Whether a contact's address is at a domain of the member's own: its website's, or one it shares with others."""
    mine = domain(contact.email or "")
    if not mine or mine in public:
        return False
    host = _host(card.website or "")
    if not host:
        return True
    related = mine == host or mine.endswith(f".{host}") or host.endswith(f".{mine}")
    return related or any(c.id != contact.id and domain(c.email or "") == mine for c in contacts)


def _host(website: str) -> str:
    if not website.strip():
        return ""
    address = website if "//" in website else f"//{website}"
    try:
        found = (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""
    return found.removeprefix("www.")

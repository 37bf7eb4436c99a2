"""Who gets the receipt of a survey: the first contact always, and whoever submitted where the member has them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from cases.environment import Environment
from cases.own.pages import Holder, own_contacts
from cases.tables import CaseEvent
from config.database import Connection
from members import store as member_store
from members.cards import Contact
from notifications import outbox
from notifications.recipients import CONTACT, usable
from notifications.values import NewMessage

RECEIPT = "survey_receipt"


def receipt_goes_to(env: Environment, holder: Holder, email: str) -> list[str]:
    """Return the names of those who get the receipt when somebody with this address has submitted."""
    contacts = own_contacts(env, holder)
    also = _other(contacts, email)
    return [contact.name or contact.email or "" for contact in (*contacts[:1], *([also] if also else ()))]


def also_to_respondent(conn: Connection, holder: Holder, email: str, *, now: datetime) -> None:
    """Send the receipt to the respondent too, inside the caller's transaction.

    Only to a contact of the member: an address that somebody typed could be anybody's, and the receipt holds the link.
    """
    member_id = holder.case.member_id or 0
    contact = _other(usable(member_store.contacts_of(conn, [member_id])[member_id]), email)
    if contact is None:
        return
    events = select(func.max(CaseEvent.seq)).where(CaseEvent.case_id == holder.case.id)
    seq = conn.execute(events.where(CaseEvent.trigger == "submit")).scalar_one()
    wanted = NewMessage(
        f"{RECEIPT}:{holder.case.id}:{seq}:{contact.id}", RECEIPT, f"{CONTACT}{contact.id}", case_id=holder.case.id,
        event_seq=seq, member_id=member_id,
    )  # fmt: skip
    outbox.enqueue(conn, [wanted], now=now)


def _other(contacts: list[Contact], email: str) -> Contact | None:
    """The contact with this address, unless it is the first, who gets the receipt anyhow."""
    typed = email.strip().casefold()
    return next((c for c in contacts[1:] if typed and (c.email or "").strip().casefold() == typed), None)

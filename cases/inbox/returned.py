"""A message that did not arrive: the next contact gets it, somebody mends the address; a full mailbox is tried again.

Sources: RFC 3463 for what is permanent; two days for a full mailbox is what mySociety's Alaveteli settled on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from cases.delivering import ask_repair, tell_unreachable
from cases.environment import Environment, World, world
from cases.tables import CaseRow
from config.database import Connection, transaction
from members import store as members
from members.cards import Contact
from notifications import outbox
from notifications.inbox import ledger
from notifications.inbox.incoming import Kind, Sorted
from notifications.recipients import CONTACT, in_turn, is_for_member
from notifications.values import NewMessage

_AGAIN = "~again"
_NEXT = "~next:"
_BATCH = 500
MENDED = "the address was changed in the meantime"


@dataclass(frozen=True, slots=True)
class Then:
    """What follows of a message that came back."""

    retry_at: datetime | None = None
    told: str | None = None
    """In a sentence, for the inbox."""


def came_back(conn: Connection, ours: Any, found: Sorted, case_id: int, here: World) -> Then:
    """Do what follows of a message that did not arrive. The case may be locked by this transaction already."""
    if found.kind is Kind.POLICY:
        return Then(told="Nothing is wrong with the address: our mail was refused for what it is.")
    if found.kind is Kind.TEMPORARY and not ours.key.endswith(_AGAIN):
        again = here.now + timedelta(days=here.env.policy.mail.mailbox_full_retry_days)
        return Then(again, "It is sent once more in some days.")
    if not is_for_member(ours.audience):
        ask_repair(conn, {case_id}, here)
        return Then(told="Somebody was asked to find an address that works.")
    if found.kind is Kind.TEMPORARY:
        ask_repair(conn, {case_id}, here)
        return Then(told="It came back a second time; somebody was asked to find an address that works.")
    return _dead(conn, ours, found, case_id, here)


def _dead(conn: Connection, ours: Any, found: Sorted, case_id: int, here: World) -> Then:
    """An address that does not work: mark it, turn to the next contact, and ask for a repair."""
    before = _contacts(conn, ours)
    mine = next((each for each in before if each.id == ours.contact_id), None)
    if mine is not None and (mine.email or "").strip().lower() != (ours.to_email or "").strip().lower():
        return Then(told=f"Nothing was done: {MENDED}.")
    reason = " ".join(part for part in (found.status, found.reason) if part)[:300] or "mail came back"
    members.mark_bounced(conn, {ours.to_email: reason}, now=here.now)
    if _reachable(conn, ours):
        sent = not ours.audience.startswith(CONTACT) and _send_to_next(conn, ours, here)
        ask_repair(conn, {case_id}, here)
        return Then(told="The next contact gets it." if sent else "Another contact can be written to.")
    told = tell_unreachable(conn, {case_id}, here)
    ask_repair(conn, {case_id} - told, here)
    return Then(told="No contact is left; somebody was asked to find an address that works.")


def _contacts(conn: Connection, ours: Any) -> list[Contact]:
    return members.contacts_of(conn, [ours.member_id])[ours.member_id] if ours.member_id is not None else []


def _reachable(conn: Connection, ours: Any) -> list[Contact]:
    """Whom the case can write to now: not whoever has said that they are not the right person."""
    facts = conn.execute(select(CaseRow.data).where(CaseRow.id == ours.case_id)).scalar_one_or_none()
    return in_turn(_contacts(conn, ours), facts or {})


def _send_to_next(conn: Connection, ours: Any, here: World) -> bool:
    """Queue a message again for whoever is usable now: once for each contact that it came back from."""
    key = f"{ours.key}{_NEXT}{ours.contact_id}"
    return outbox.enqueue(conn, [_copy(ours, key, ours.audience)], now=here.now) == 1


def _copy(ours: Any, key: str, audience: str) -> NewMessage:
    return NewMessage(
        key=key, kind=ours.kind, audience=audience, case_id=ours.case_id, event_seq=ours.event_seq,
        member_id=ours.member_id, data=ours.data, clock=ours.clock,
    )  # fmt: skip


class _Ours:
    """Our message as the row of a retry holds it, under its own names."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, f"our_{name}")


def retry_due(env: Environment, *, now: datetime | None = None) -> int:
    """Queue what full mailboxes sent back some days ago once more, each once, and return how many there were."""
    count = 0
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        for row in ledger.due_retries(conn, here.now, _BATCH):
            ledger.write(conn, row.id, retry_at=None)
            if row.our_id is not None:
                count += _once_more(conn, _Ours(row), here)
    return count


def _once_more(conn: Connection, ours: Any, here: World) -> int:
    """Queue a message again for the same contact, or for the next where that one cannot be written to any more."""
    audience = ours.audience
    if is_for_member(audience) and ours.contact_id is not None:
        reachable = {each.id for each in _reachable(conn, ours)}
        audience = f"{CONTACT}{ours.contact_id}" if ours.contact_id in reachable else audience
    return outbox.enqueue(conn, [_copy(ours, f"{ours.key}{_AGAIN}", audience)], now=here.now)

"""Taking a mail in: once, whoever reads it how often; matched, put on its case, and acted upon, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from cases.commands import unhindered
from cases.environment import Environment, World, world
from cases.errors import CaseBusy
from cases.inbox import matching, returned
from cases.inbox.matching import Match, match
from cases.inbox.putting import Note, hold_back, legal_notice, put
from cases.locking import lock_ids
from config.database import Connection, transaction
from notifications.inbox import keeping, ledger
from notifications.inbox.incoming import RETURNED, Incoming, Kind, Sorted
from notifications.inbox.reading import read
from notifications.tables import IGNORED, KEPT, MATCHED, UNMATCHED
from notifications.windows import start_of
from state_machines.values import SYSTEM

_TRIES = 3
_SILENT = frozenset({Kind.DELIVERED, Kind.RECEIPT})
"""Noted in the inbox, and not worth a line on the case."""
_NOBODYS = frozenset({Kind.AUTOMATIC, Kind.LEFT, Kind.DELIVERED, Kind.RECEIPT, Kind.DELAYED})
"""What nobody needs to sort when it is about none of our messages."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail."""

    kind: Kind
    state: str
    number: int | None = None
    """In the inbox; none for a mail that had been taken before."""
    ref: str | None = None
    """The case it was put on."""

    @property
    def again(self) -> bool:
        """Whether it was taken before."""
        return self.number is None


def own_addresses(env: Environment) -> frozenset[str]:
    """Return the addresses that our own mail comes from, in small letters."""
    ours = (parseaddr(env.settings.mail_from)[1], env.settings.reply_address or "")
    return frozenset(address.lower() for address in ours if address)


def take(env: Environment, raw: bytes, *, source: str, now: datetime | None = None) -> Taken:
    """Take a mail in and return what became of it.

    Raises CaseBusy when its case was locked for long: nothing is written then, and the mail is to be read again.
    """
    whole, raw = raw, raw[: keeping.LARGEST]
    incoming = read(raw, own=own_addresses(env), reply_address=env.settings.reply_address)
    values = _values(env, raw, incoming, source)
    if len(whole) > len(raw):
        values["details"]["trouble"] = "It was larger than anything we keep; its end is lost."

    def once() -> Taken:
        with transaction(env.engine) as conn:
            return _taken(conn, incoming, values, world(conn, env, now))

    for attempt in range(_TRIES):
        try:
            return unhindered(once)
        except CaseBusy:
            if attempt == _TRIES - 1:
                raise
    raise CaseBusy


def keep(env: Environment, raw: bytes, why: str, *, source: str, now: datetime | None = None) -> Taken:
    """Keep a mail for a person that taking failed on, so that it is in nobody's way."""
    nothing = Incoming(Sorted(Kind.UNREADABLE))
    values = _values(env, raw[: keeping.LARGEST], nothing, source)
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        number = ledger.add(conn, {**values, "received_at": here.now, "state": KEPT, "why": why})
    return Taken(Kind.UNREADABLE, KEPT, number)


def _values(env: Environment, raw: bytes, incoming: Incoming, source: str) -> dict[str, Any]:
    found, digest = incoming.sorted, keeping.digest_of(raw)
    details = {
        "reason": found.reason, "failed": list(found.failed), "full": found.mailbox_full, "back_on": found.back_on,
        "guessed": found.guessed, "trouble": incoming.trouble, "status": found.status,
        "files": [each.name for each in incoming.attachments],
    }  # fmt: skip
    return {
        "source": source[:200], "sha256": digest, "size": len(raw), "raw": keeping.kept(env.settings.home, raw, digest),
        "message_id": incoming.message_id, "from_email": incoming.from_email, "from_name": incoming.from_name,
        "subject": incoming.subject, "body_text": incoming.text, "kind": found.kind.value, "status": found.status,
        "details": {name: value for name, value in details.items() if value},
    }  # fmt: skip


def _taken(conn: Connection, incoming: Incoming, values: dict[str, Any], here: World) -> Taken:
    number = ledger.add(conn, {**values, "received_at": here.now, "state": KEPT})
    if number is None:
        return Taken(incoming.kind, IGNORED)
    found = match(conn, incoming, here)
    about = {
        "outbox_id": found.ours.id if found.ours is not None else None, "perhaps_case_id": found.perhaps,
        "contact_id": found.contact_id, "matched_by": found.how,
    }  # fmt: skip
    ending = _left_out(conn, number, incoming, found)
    if ending is None:
        assert found.case_id is not None  # noqa: S101  what has no case was left out
        ending = _on_its_case(conn, number, incoming, values["details"], found, here)
    handled = {"handled_at": here.now, "handled_by": SYSTEM.person} if ending["state"] in (MATCHED, IGNORED) else {}
    ledger.write(conn, number, **about, **handled, **ending)
    return Taken(incoming.kind, ending["state"], number, matching.ref_of_case(conn, ending.get("case_id")))


def _left_out(conn: Connection, number: int, incoming: Incoming, found: Match) -> dict[str, Any] | None:
    """Return how a mail ends that is put on no case, or None."""
    kind = incoming.kind
    if kind is Kind.OWN:
        return {"state": IGNORED, "why": "It is our own mail."}
    earlier = ledger.same_words(conn, number, incoming.message_id, incoming.from_email, incoming.text)
    if earlier is not None:
        return {"state": IGNORED, "why": f"It is the same mail as number {earlier}, which came another way."}
    if kind is Kind.UNREADABLE:
        return {"state": KEPT, "why": incoming.trouble or "There is nothing in it."}
    if found.internal and kind in RETURNED:
        return {"state": KEPT, "why": "Mail to a colleague came back: put their address right."}
    if found.internal and kind in (*_NOBODYS, Kind.CHALLENGE):
        return {"state": IGNORED, "why": "It answers a notice to a colleague by itself."}
    if found.case_id is not None:
        return None
    if found.ours is not None and kind in RETURNED:
        return {"state": KEPT, "why": "A message of ours that is about no case came back."}
    if kind in _NOBODYS:
        return {"state": IGNORED, "why": "No person wrote it, and it is about no message of ours."}
    return {"state": UNMATCHED, "why": "Nothing in it proves which case it is about."}


def _on_its_case(
    conn: Connection, number: int, incoming: Incoming, details: dict[str, Any], found: Match, here: World
) -> dict[str, Any]:
    """Put a mail on its case, unless its sender has filled the case enough today, and do what follows of it."""
    assert found.case_id is not None  # noqa: S101  the caller knows
    [locked] = lock_ids(conn, [found.case_id])
    ending: dict[str, Any] = {"case_id": found.case_id, "state": MATCHED}
    if incoming.kind in _SILENT:
        return {**ending, "why": "Noted here only."}
    sender, most = incoming.from_email or "", here.env.policy.mail.incoming_per_sender_per_day
    midnight = start_of(here.env.calendar.local_date(here.now), here.env.calendar)
    before = ledger.of_sender_on(conn, found.case_id, sender, midnight)
    if before >= most:
        if before == most:
            hold_back(conn, locked, sender, here)
        return {**ending, "state": KEPT, "why": f"The case got {most} mails of this sender today already."}
    note = Note(
        number, incoming.kind, incoming.from_email, incoming.from_name, incoming.subject, incoming.text, details,
        found.sender, found.how, legal_notice(found.ours, incoming.kind),
    )  # fmt: skip
    ending["event_seq"] = put(conn, locked, note, here)
    if incoming.kind in RETURNED and found.ours is not None:
        then = returned.came_back(conn, found.ours, incoming.sorted, found.case_id, here)
        ending |= {"retry_at": then.retry_at, "why": then.told}
    return ending

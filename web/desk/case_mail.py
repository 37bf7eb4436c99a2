"""Mail as the history of a case tells it: what went out and what became of it, what came in and that it counts
for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.inbox.matching import CONTACT, PARTY, STRANGER
from cases.inbox.putting import EVENT as MAIL
from notifications import catalogue
from notifications.inbox.incoming import REPORTS, TITLES, WRITTEN, Kind
from web.desk.case_people import Names

__all__ = ["MAIL", "Mail", "mail", "mail_remarks", "mail_title"]

_SENDERS = {
    CONTACT: "a contact of the member", PARTY: "somebody named on this case", STRANGER: "not a known contact",
}  # fmt: skip


def mail_title(event: Mapping[str, Any]) -> str:
    """Return what a mail that came in is called."""
    return f"Mail came in: {TITLES[Kind(event['details']['mail'])].lower()}"


def mail_remarks(event: Mapping[str, Any]) -> Iterator[str]:
    """Return what the history says about a mail, a paragraph each; the words of a report of a mail server are short."""
    kind, personal = Kind(event["details"]["mail"]), event["personal"]
    if not personal:
        yield "What was written here has been erased."
        return
    yield _from(event["details"], personal)
    if kind in REPORTS:
        yield personal.get("reason") or "The mail server gave no reason."
        yield from ([] if not (code := event["details"].get("status")) else [f"Code {code}"])
    elif personal.get("text"):
        yield personal["text"]
    if personal.get("files"):
        yield f"Came with: {', '.join(personal['files'])}. The files stay in the inbox."
    if personal.get("back_on"):
        yield f"Back on: {personal['back_on']}"
    yield _meaning(kind)


def _from(details: Mapping[str, Any], personal: Mapping[str, Any]) -> str:
    name, address = personal.get("name"), personal.get("from") or "an address that cannot be read"
    who = f"{name} <{address}>" if name and name != address else address
    known = _SENDERS.get(details.get("sender", ""), "")
    known = f" ({known})" if known and Kind(details["mail"]) not in REPORTS else ""
    return f"From {who}{known}: {personal.get('subject') or 'without a subject'}"


def _meaning(kind: Kind) -> str:
    if kind in WRITTEN:
        return "It moves nothing by itself and no clock stands still because of it."
    return "It counts for nothing: no clock stands still because of it."


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in the history: what it is called, to whom, and what became of it."""

    id: int
    title: str
    to: str
    state: str
    words: str
    at: datetime | str | None
    reason: str | None


_STATES = {
    "queued": "Waits to be sent", "sending": "Is being sent", "sent": "Sent", "suppressed": "Not sent",
    "failed": "Failed",
}  # fmt: skip


def mail(message: Mapping[str, Any], names: Names, now: datetime) -> Mail:
    """Return a message of a case as its history shows it."""
    title = catalogue.title_of(message["kind"])
    told, at = _STATES[message["state"]], message["sent_at"]
    if message["state"] == "queued" and datetime.fromisoformat(message["not_before"]) > now:
        told, at = "Waits until", message["not_before"]
    to = message["to_name"] or message["to_email"] or names.audience(message["audience"])
    return Mail(message["id"], title, to, message["state"], told, at, message["reason"])

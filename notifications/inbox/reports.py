"""Reports that mail servers and programs write in the form of a standard: deliveries, receipts, complaints.

Sources: RFC 3464 (delivery), RFC 3463 (status codes), RFC 8098 (receipts), RFC 5965 (complaints). A mail that says
`Action: delayed` is no bounce; 5.7.x is about us and not about the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from email.message import Message

from notifications.inbox.incoming import Kind, Sorted
from notifications.inbox.opening import content_of, decoded, parts_of, type_of
from notifications.inbox.phrases import MAILBOX_FULL, said_in

STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_FIELD = re.compile(r"^([A-Za-z][A-Za-z-]{1,40}):[ \t]*(.*)$")
_ADDRESS = re.compile(r"[^\s<>;,\"']{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]")
_ORDER = (Kind.BOUNCE, Kind.POLICY, Kind.TEMPORARY, Kind.DELAYED, Kind.DELIVERED)
"""Of several receivers the worst decides: we write to one at a time, others come from forwarding."""
_LONGEST_REASON = 500
FULL = frozenset({"4.2.2", "5.2.2"})
NOT_THEIR_FAULT = frozenset({"5.3.4", "5.5.1", "5.5.2", "5.5.3", "5.5.4", "5.5.5"})
"""Size and protocol, as content (5.6) and policy (5.7): the address may be fine, so nobody's contact is marked. Not
5.5.0, by which large providers mean that there is no such mailbox."""

Fields = Mapping[str, str]


def report_of(message: Message) -> Sorted | None:
    """Return what a report in standard form says, or None when the mail is none."""
    for part in parts_of(message):
        kind = type_of(part)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            if (found := _delivery(_blocks(part))) is not None:
                return found
        elif kind in ("message/disposition-notification", "message/global-disposition-notification"):
            return Sorted(Kind.RECEIPT, reason=_words(_first(_blocks(part), "disposition")))
        elif kind == "message/feedback-report":
            blocks = list(_blocks(part))
            about = _first(blocks, "original-rcpt-to") + " " + _first(blocks, "removal-recipient")
            return Sorted(Kind.COMPLAINT, reason=_words(_first(blocks, "feedback-type")), failed=addresses_in(about))
    return None


def _delivery(blocks: Iterable[Fields]) -> Sorted | None:
    """Return the worst of what is said about the receivers."""
    found = [_receiver(block) for block in blocks if {"final-recipient", "original-recipient", "action"} & block.keys()]
    return min(found, key=lambda each: _ORDER.index(each.kind)) if found else None


def _receiver(block: Fields) -> Sorted:
    action = block.get("action", "").split(" ")[0].strip().lower()
    reason = _words(block.get("diagnostic-code", "").partition(";")[2] or block.get("diagnostic-code", ""))
    status = status_of(block.get("status", ""), reason)
    who = addresses_in(f"{block.get('final-recipient', '')} {block.get('original-recipient', '')}")
    if action in ("delivered", "relayed", "expanded"):
        return Sorted(Kind.DELIVERED, status, reason, who)
    if action == "delayed":
        return Sorted(Kind.DELAYED, status, reason, who)
    return returned(status, reason, who)


def status_of(stated: str, reason: str) -> str | None:
    """Return the status code; where the report says no more than 5.0.0, the one that the other server said."""
    given, said = STATUS.search(stated), STATUS.search(reason)
    vague = given is None or given[0].endswith(".0.0")
    best = said if said is not None and vague and (given is None or said[1] == given[1]) else given
    return best[0] if best is not None else None


def returned(status: str | None, reason: str, who: tuple[str, ...]) -> Sorted:
    """Return what a mail is that did not arrive, by its code, or by its words where the code says little."""
    vague = status is None or status[2:] in ("0.0", "2.0", "2.1", "7.1")
    full = status in FULL or (vague and said_in(reason, MAILBOX_FULL))
    kind = Kind.TEMPORARY if full else _kind_of(status or "")
    return Sorted(kind, status, reason[:_LONGEST_REASON], who, mailbox_full=full)


def _kind_of(status: str) -> Kind:
    if status.startswith(("5.6.", "5.7.")) or status in NOT_THEIR_FAULT:
        return Kind.POLICY
    return Kind.TEMPORARY if status.startswith("4.") else Kind.BOUNCE


def _blocks(part: Message) -> Iterator[Fields]:
    """Return the groups of fields of a report; also of one that the library could not take apart."""
    inner = part.get_payload()
    if isinstance(inner, list) and any(isinstance(each, Message) and each.keys() for each in inner):
        for each in inner[:200]:
            if isinstance(each, Message):
                yield {str(key).lower(): decoded(str(value)) for key, value in each.raw_items()}
        return
    for block in re.split(r"\n[ \t]*\n", content_of(part)):
        if fields := dict(_fields(block)):
            yield fields


def _fields(block: str) -> Iterator[tuple[str, str]]:
    for line in block.split("\n")[:200]:
        if match := _FIELD.match(line.strip()[:2000]):
            yield match[1].lower(), decoded(match[2])


def _first(blocks: Iterable[Fields], name: str) -> str:
    return next((block[name] for block in blocks if block.get(name)), "")


def addresses_in(text: str) -> tuple[str, ...]:
    """Return the addresses that a text names, in small letters, each once."""
    return tuple(dict.fromkeys(found.lower() for found in _ADDRESS.findall(text[:20_000])))[:20]


def _words(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_REASON]

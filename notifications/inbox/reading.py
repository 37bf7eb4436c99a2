"""Bytes in, a value out: what a mail is, what it says, and what it may be about. Never fails, whatever came."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from email.message import Message

from notifications.address_tags import tags_in
from notifications.inbox.incoming import Incoming, Kind, Sorted
from notifications.inbox.opening import addresses, content_of, header, headers, opened, parts_of, type_of
from notifications.inbox.sorting import sorted_out
from notifications.inbox.words import attachments_of, new_words, text_of

log = logging.getLogger(__name__)

_ID = re.compile(r"<[^<>\s@]{1,200}@[^<>\s@]{1,200}>")
_OURS = re.compile(r"<[0-9a-f]{32}@[^<>\s@]{1,200}>")
"""As `notifications.transport.message_id_for` makes them; in running text every address looks like an id."""
_CASE = re.compile(r"\b[A-Z]{2,4}-\d{4}-\d{4,9}\b")
_MOST_IDS = 40
_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "apparently-to")
_FOR_TAGS = ("to", "cc", "reply-to", "return-path", "received", *_DELIVERED_TO)


def read(raw: bytes, *, own: Collection[str] = (), reply_address: str | None = None) -> Incoming:
    """Return a mail as it was understood. ``own``: our addresses; ``reply_address``: where tags are looked for."""
    try:
        return _read(raw, frozenset(address.lower() for address in own), reply_address)
    except Exception as error:  # whatever it was, a person sees it, and the next mail is read
        log.warning("A mail could not be understood: %s", type(error).__name__)
        return Incoming(Sorted(Kind.UNREADABLE), trouble=f"It could not be understood ({type(error).__name__}).")


def _read(raw: bytes, own: Collection[str], reply_address: str | None) -> Incoming:
    mail = opened(raw)
    message, text = mail.message, text_of(mail.message)
    written = new_words(text)
    found = sorted_out(message, written, own=own)
    if not any(message.keys()) and not text:
        found = Sorted(Kind.UNREADABLE)
    name, sender = next(iter(addresses(message, "from", "sender", "return-path")), ("", None))
    return Incoming(
        found,
        message_id=_id_of(message),
        from_email=sender,
        from_name=name[:200],
        subject=header(message, "subject")[:500],
        text=written,
        originals=_originals(message, text),
        tags=tags_in(_address_text(message, text), reply_address) if reply_address else (),
        case_refs=tuple(dict.fromkeys(_CASE.findall(f"{header(message, 'subject')} {_named_cases(message)}")))[:5],
        attachments=attachments_of(message),
        trouble=mail.trouble,
    )


def _id_of(message: Message) -> str | None:
    found = _ID.search(header(message, "message-id"))
    return found[0] if found else None


def _originals(message: Message, text: str) -> tuple[str, ...]:
    """Return the ids of what it may be about: of what is enclosed, then of the thread, then what stands in the text."""
    found = [header(part, "message-id") for part in _enclosed(message)]
    lines = [content_of(part)[:20_000] for part in parts_of(message) if type_of(part) == "text/rfc822-headers"]
    found += [" ".join(_OURS.findall(each)) for each in lines]
    found += [header(part, "original-message-id") for part in _report_fields(message)]
    found += [headers(message, "in-reply-to")]
    found += [" ".join(reversed(_ID.findall(headers(message, "references"))))]
    found += [headers(message, "x-original-message-id"), headers(message, "x-ms-exchange-parent-message-id")]
    found += [" ".join(_OURS.findall(text))]
    own = _id_of(message)
    return tuple(dict.fromkeys(each for part in found for each in _ID.findall(part) if each != own))[:_MOST_IDS]


def _enclosed(message: Message) -> Iterator[Message]:
    """Return the mails inside a mail, the outermost first."""
    for part in parts_of(message):
        inner = part.get_payload()
        if type_of(part) in ("message/rfc822", "message/global") and isinstance(inner, list):
            yield from (each for each in inner if isinstance(each, Message))


def _report_fields(message: Message) -> Iterator[Message]:
    for part in parts_of(message):
        inner = part.get_payload()
        if type_of(part) in ("message/disposition-notification", "message/delivery-status") and isinstance(inner, list):
            yield from (each for each in inner if isinstance(each, Message))


def _address_text(message: Message, text: str) -> str:
    """Return everything in which our own address may stand with a tag."""
    places = [headers(part, name) for part in (message, *_enclosed(message)) for name in _FOR_TAGS]
    enclosed = [content_of(part)[:20_000] for part in parts_of(message) if type_of(part) == "text/rfc822-headers"]
    return "\n".join([*places, *enclosed, text])


def _named_cases(message: Message) -> str:
    """Return the cases that our own headers name in what is enclosed."""
    places = [header(part, "x-muster-case") for part in _enclosed(message)]
    lines = [content_of(part)[:20_000] for part in parts_of(message) if type_of(part) == "text/rfc822-headers"]
    return " ".join([*places, *(found for each in lines for found in re.findall(r"(?im)^x-muster-case:(.*)$", each))])

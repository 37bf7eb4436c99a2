"""From a message to a mail server: builds the MIME message, signs it where a key is set, and hands it over.

The `emails` library builds and signs. What it builds is the frame, which is the same for thousands of messages and is
built once; subject, address, text and page are filled in (`notifications/headers.py`). Sending is
`notifications/smtp.py`, since the library's own sending repeats a message whose connection broke.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode, encodebytes
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from types import TracebackType
from typing import Protocol, Self

from emails.message import Message
from emails.signers import DKIMSigner

from config.dkim import key_in
from config.settings import Settings
from notifications import headers
from notifications.refusals import NeverDeliverable
from notifications.smtp import TIMEOUT, SmtpSession
from notifications.wording import one_line


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person, ready to be sent."""

    message_id: str
    to_email: str
    to_name: str
    subject: str
    text: str
    html: str
    date: datetime
    case_ref: str | None = None
    unsubscribe: str | None = None
    """Where one POST ends marketing (RFC 8058); only on marketing."""
    reply_to: str | None = None
    """Our address with the tag of this message (`notifications/address_tags.py`): answers and bounces go there."""


class Transport(Protocol):
    """Hands messages over; raises what `notifications.refusals` defines."""

    def send(self, mail: Mail) -> None:
        """Hand one message over."""

    def close(self) -> None:
        """End the conversation."""


class SmtpTransport:
    """Sends through the configured mail server over one kept connection. Not for two threads at once."""

    def __init__(self, settings: Settings, *, timeout: float = TIMEOUT) -> None:
        self._name, self._sender = parseaddr(settings.mail_from)
        self._signer = signer(settings)
        self._session = SmtpSession(settings.smtp, name=domain_of(settings), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, mail: Mail) -> None:
        """Hand one message over. Raises TryLater, OutcomeUnknown, NeverDeliverable or ServerGone."""
        address, international = envelope_address(mail.to_email)
        content = build(mail, sender=(self._name, self._sender), signer=self._signer)
        sender = envelope_address(mail.reply_to or self._sender)[0]
        self._session.hand_over(sender, address, content, international=international)

    def close(self) -> None:
        """End the conversation with the server."""
        self._session.close()


def message_id_for(key: str, domain: str) -> str:
    """Return the Message-ID of the message with this key: the same at every attempt."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def domain_of(settings: Settings) -> str:
    """Return the domain our mail comes from, in ASCII."""
    return envelope_address(parseaddr(settings.mail_from)[1])[0].rpartition("@")[2]


def envelope_address(email: str) -> tuple[str, bool]:
    """Return the address with its domain in ASCII, and whether the part before the @ needs SMTPUTF8.

    Raises NeverDeliverable for what is no address.
    """
    local, _, domain = email.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        raise NeverDeliverable(0, "the address has no valid domain", bad_address=True) from None
    if not local or not ascii_domain or any(sign in email for sign in "\r\n<>"):
        raise NeverDeliverable(0, "the address is not an address", bad_address=True)
    return f"{local}@{ascii_domain}", not local.isascii()


def build(mail: Mail, *, sender: tuple[str, str], signer: DKIMSigner | None = None) -> bytes:
    """Return the message as it goes over the wire, signed where there is a signer.

    Raises NeverDeliverable for an address that is none, and UnicodeEncodeError for half a character.
    """
    before, between, after = _frame(sender)
    text, html = (encodebytes(part.encode()).replace(b"\n", b"\r\n") for part in (mail.text, mail.html))
    content = b"".join((_head(mail), before, text, between, html, after))
    return content if signer is None else bytes(signer.sign_message_bytes(content))


def _head(mail: Mail) -> bytes:
    """Return the headers that differ from message to message."""
    lines = [
        headers.mailbox("To", one_line(mail.to_name, 100), envelope_address(mail.to_email)[0]),
        headers.line("Subject", one_line(mail.subject, 200)),
        _date(mail.date),
        f"Message-ID: {mail.message_id}\r\n".encode(),
    ]
    if mail.reply_to:
        lines.append(f"Reply-To: {mail.reply_to}\r\n".encode())
    if mail.case_ref:
        lines.append(headers.line("X-Muster-Case", one_line(mail.case_ref, 80)))
    if mail.unsubscribe:
        lines.append(headers.line("List-Unsubscribe", f"<{mail.unsubscribe}>"))
        lines.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    return b"".join(lines)


@lru_cache(maxsize=64)
def _date(instant: datetime) -> bytes:
    return f"Date: {format_datetime(instant)}\r\n".encode()


@lru_cache(maxsize=64)
def _frame(sender: tuple[str, str]) -> tuple[bytes, bytes, bytes]:
    """Return what is the same in every message of a sender: what comes before the text, before the page, and after it.

    `emails` builds it once. What is filled in is Base64, in which no boundary can occur.
    """
    marks = "the text", "the page"
    message = Message(
        mail_from=(one_line(sender[0], 100) or None, envelope_address(sender[1])[0]),
        text=marks[0],
        html=marks[1],
        date=False,
        message_id=False,
        headers={"Auto-Submitted": "auto-generated"},
    )
    whole = bytes(message.build_message().as_bytes(linesep="\r\n"))
    before, text, rest = whole.partition(b64encode(marks[0].encode()) + b"\r\n")
    between, html, after = rest.partition(b64encode(marks[1].encode()) + b"\r\n")
    if not (text and html):
        raise RuntimeError("The emails library builds messages otherwise than it did; they cannot be filled in.")
    return before, between, after


_SIGNED = (
    "from", "from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type", "auto-submitted",
    "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
"""Headers under the signature, there or not. A second From cannot be added (RFC 6376, section 5.4), and a way out with
one click counts only where it is signed (RFC 8058, section 4)."""


def signer(settings: Settings) -> DKIMSigner | None:
    """Return what outgoing mail is signed with; None where the settings have no key."""
    if settings.dkim_key is None:
        return None
    domain = settings.dkim_domain or domain_of(settings)
    key = key_in(settings.dkim_key)
    signed = [name.encode() for name in _SIGNED]
    return DKIMSigner(selector=settings.dkim_selector, domain=domain, key=key, include_headers=signed)

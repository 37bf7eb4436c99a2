"""From a message to a mail server: builds the MIME message, signs it where a key is set, and hands it over.

The `emails` library builds and signs; sending is `notifications/smtp.py`, since the library's own sending repeats a
message whose connection broke.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from emails.message import Message

from config.settings import Settings
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


@dataclass(frozen=True, slots=True)
class DkimKey:
    """What outgoing mail is signed with."""

    selector: str
    domain: str
    key: bytes


class SmtpTransport:
    """Sends through the configured mail server over one kept connection. Not for two threads at once."""

    def __init__(self, settings: Settings, *, timeout: float = TIMEOUT) -> None:
        self._name, self._sender = parseaddr(settings.mail_from)
        self._dkim = dkim_key(settings)
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
        content = build(mail, sender=(self._name, self._sender), dkim=self._dkim)
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


def build(mail: Mail, *, sender: tuple[str, str], dkim: DkimKey | None = None) -> bytes:
    """Return the message as it goes over the wire."""
    address, international = envelope_address(mail.to_email)
    name = one_line(mail.to_name, 100)
    message = Message(
        subject=one_line(mail.subject, 200),
        mail_from=(one_line(sender[0], 100) or None, envelope_address(sender[1])[0]),
        mail_to=None if international else (name or None, address),
        text=mail.text,
        html=mail.html,
        date=format_datetime(mail.date),
        message_id=mail.message_id,
        headers=_headers(mail),
    )
    content = bytes(message.build_message().as_bytes(linesep="\r\n"))
    if international:
        content = _international_to(name, address) + content
    if dkim is not None:
        message.sign(selector=dkim.selector, domain=dkim.domain, key=dkim.key)
        content = bytes(message.sign_bytes(content))
    return content


def _headers(mail: Mail) -> dict[str, str]:
    headers = {"Auto-Submitted": "auto-generated"}
    if mail.reply_to:
        headers["Reply-To"] = mail.reply_to
    if mail.case_ref:
        headers["X-Muster-Case"] = one_line(mail.case_ref, 80)
    if mail.unsubscribe:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _international_to(name: str, address: str) -> bytes:
    """Return the To header of an address that only SMTPUTF8 can write (RFC 6532)."""
    phrase = f"{Header(name, 'utf-8').encode()} " if name else ""
    return f"To: {phrase}<{address}>\n".replace("\n", "\r\n").encode()


def dkim_key(settings: Any) -> DkimKey | None:
    """Return the key to sign with, where the settings have `dkim_key` (a file), `dkim_selector` and `dkim_domain`."""
    path = getattr(settings, "dkim_key", None)
    if not path or path == Path():
        return None
    selector = getattr(settings, "dkim_selector", None) or "muster"
    domain = getattr(settings, "dkim_domain", None) or domain_of(settings)
    return DkimKey(selector, domain, Path(path).read_bytes())

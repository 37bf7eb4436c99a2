"""One kept conversation with a mail server. It never hands the same message over twice by itself."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from config.smtp import Smtp
from notifications.patience import Encrypted, Plain
from notifications.refusals import (
    CLOSING,
    NeverDeliverable,
    OutcomeUnknown,
    ServerGone,
    TransportError,
    TryLater,
    refused_content,
    refused_recipient,
    refused_sender,
    said,
)

TIMEOUT = 30.0
_LOST = (smtplib.SMTPServerDisconnected, OSError)
_OK = 250
_GO_ON = 354
_QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Known to Linux alone."""
_EOL = re.compile(rb"\r\n|\r|\n")
_Reply = tuple[int, bytes]


class SmtpSession:
    """A connection that is opened when needed, kept between messages, and opened again when the server dropped it."""

    def __init__(self, server: Smtp, *, name: str, timeout: float = TIMEOUT) -> None:
        self._server, self._name, self._timeout = server, name, timeout
        self._smtp: smtplib.SMTP | None = None
        self._dirty = False
        self._unread = 0
        """Replies to what was asked in one write that were not read yet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def hand_over(self, sender: str, recipient: str, content: bytes, *, international: bool = False) -> None:
        """Send one message to one address.

        Raises TryLater, OutcomeUnknown, NeverDeliverable or ServerGone. A connection that turns out to be dead before
        the content was sent is opened again once; after that moment nothing is repeated.
        """
        reused = self._smtp is not None
        try:
            self._envelope(sender, recipient, international=international)
        except TransportError:
            if not reused or self._smtp is not None:
                raise
            self._envelope(sender, recipient, international=international)
        self._content(content)

    def close(self) -> None:
        """Say goodbye; a server that is gone already is no error."""
        smtp, self._smtp, self._unread = self._smtp, None, 0
        if smtp is not None:
            try:
                smtp.quit()
            except (smtplib.SMTPException, OSError):
                smtp.close()

    def _envelope(self, sender: str, recipient: str, *, international: bool) -> None:
        """Name sender and recipient. Raises what they were refused with."""
        smtp = self._connection()
        options = self._options(smtp, international=international)
        lost: type[TransportError] = ServerGone
        try:
            replies = self._asked(smtp, sender, recipient, options)
            code, text = next(replies)
            if code != _OK:
                raise self._after(refused_sender(code, text))
            lost = TryLater  # from here on it may be this address that the server cannot bear
            code, text = next(replies)
            if code not in {250, 251}:
                raise self._after(refused_recipient(code, text))
        except _LOST as error:
            raise self._dropped(lost(0, f"the connection was lost: {said(str(error))}")) from error

    def _asked(self, smtp: smtplib.SMTP, sender: str, recipient: str, options: list[str]) -> Iterator[_Reply]:
        """Yield what the server says to the sender, then to the recipient.

        Both are named, and leave to go on is asked for, in one write where the server takes that (RFC 2920).
        """
        dirty, self._dirty = self._dirty, True
        if smtp.has_extn("pipelining"):
            commands = (*(["RSET"] if dirty else []), _mail(sender, options), f"RCPT TO:<{recipient}>", "DATA")
            smtp.send("".join(f"{command}\r\n" for command in commands).encode(smtp.command_encoding))
            self._unread = len(commands)
            _acknowledge_at_once(smtp)
            if dirty:
                self._reply(smtp)
            yield self._reply(smtp)
            yield self._reply(smtp)
        else:
            if dirty:
                smtp.rset()
            yield smtp.mail(sender, options)
            yield smtp.rcpt(recipient)

    def _reply(self, smtp: smtplib.SMTP) -> _Reply:
        self._unread -= 1
        return smtp.getreply()

    def _call_off(self) -> None:
        """Read what was asked in one write and is of no use any more; leave to go on ends with a message of nothing."""
        if self._smtp is None or not self._unread:
            return
        try:
            codes = [self._reply(self._smtp)[0] for _ in range(self._unread)]
            if codes[-1] == _GO_ON and len(codes) > 1 and codes[-2] in {250, 251}:
                self._drop()  # no sender, and yet a recipient: they would get the message of nothing
            elif codes[-1] == _GO_ON:
                self._smtp.send(b".\r\n")
                self._smtp.getreply()
        except _LOST:
            self._drop()

    def _options(self, smtp: smtplib.SMTP, *, international: bool) -> list[str]:
        if not international:
            return []
        if not smtp.has_extn("smtputf8"):
            raise NeverDeliverable(0, "the mail server does not accept addresses with such letters")
        smtp.command_encoding = "utf-8"
        return ["SMTPUTF8", "BODY=8BITMIME"]

    def _content(self, content: bytes) -> None:
        """Send what the server agreed to take. Raises OutcomeUnknown when it falls silent."""
        smtp = self._connection()
        try:
            code, text = self._reply(smtp) if self._unread else smtp.docmd("data")
            if code != _GO_ON:
                raise self._after(refused_content(code, text))
            smtp.send(_ended(content))
            code, text = smtp.getreply()
        except _LOST as error:
            lost = OutcomeUnknown(0, f"the connection was lost while the message was handed over: {said(str(error))}")
            raise self._dropped(lost) from error
        if code != _OK:
            raise self._after(refused_content(code, text))
        self._dirty = False

    def _connection(self) -> smtplib.SMTP:
        if self._smtp is None:
            try:
                self._smtp, self._dirty = self._connected(), False
            except smtplib.SMTPResponseException as error:
                raise ServerGone(error.smtp_code, said(error.smtp_error)) from error
            except (smtplib.SMTPException, OSError) as error:
                words = f"the mail server at {self._server.host}:{self._server.port} does not answer"
                raise ServerGone(0, f"{words}: {said(str(error))}") from error
        return self._smtp

    def _connected(self) -> smtplib.SMTP:
        host, port, user, password, tls = self._server
        smtp: smtplib.SMTP
        if tls == "implicit":
            context = ssl.create_default_context()
            smtp = Encrypted(host, port, self._name, timeout=self._timeout, context=context)
        else:
            smtp = Plain(host, port, self._name, timeout=self._timeout)
        try:
            smtp.ehlo_or_helo_if_needed()
            if tls == "starttls" or (tls == "none" and smtp.has_extn("starttls")):
                smtp.starttls(context=_verifying() if tls == "starttls" else _opportunistic())
                smtp.ehlo()
            if user is not None and password is not None:
                smtp.login(user, password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _after(self, error: TransportError) -> TransportError:
        out_of_step = not 400 <= error.code < 600  # an answer to something else, or none: so are those that follow
        if isinstance(error, ServerGone) or error.code == CLOSING or out_of_step:
            return self._dropped(error)
        self._call_off()
        return error

    def _dropped(self, error: TransportError) -> TransportError:
        self._drop()
        return error

    def _drop(self) -> None:
        smtp, self._smtp, self._unread = self._smtp, None, 0
        if smtp is not None:
            smtp.close()


def _acknowledge_at_once(smtp: smtplib.SMTP) -> None:
    """Some servers send several answers in as many packets, each held back until the one before was acknowledged; the
    kernel would take 40 milliseconds over that. It forgets the wish soon, so it is told each time."""
    if _QUICK is not None and smtp.sock is not None:
        smtp.sock.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)


def _mail(sender: str, options: list[str]) -> str:
    return " ".join([f"MAIL FROM:<{sender}>", *options])


def _ended(content: bytes) -> bytes:
    """Return a message as it is sent: lines end in CRLF and nothing else, a leading dot is doubled, a dot ends it all.

    A line ending that only some servers take for one would let a message end where another begins.
    """
    if not content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n"):
        content = _EOL.sub(b"\r\n", content)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


def _verifying() -> ssl.SSLContext:
    return ssl.create_default_context()


def _opportunistic() -> ssl.SSLContext:
    """Encryption without proof of who the server is: asked for nothing, and better than plain text."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

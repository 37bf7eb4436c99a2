"""One kept conversation with a mail server. It never hands the same message over twice by itself."""

from __future__ import annotations

import smtplib
import ssl
from types import TracebackType
from typing import Self

from config.smtp import Smtp
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


class SmtpSession:
    """A connection that is opened when needed, kept between messages, and opened again when the server dropped it."""

    def __init__(self, server: Smtp, *, name: str, timeout: float = TIMEOUT) -> None:
        self._server, self._name, self._timeout = server, name, timeout
        self._smtp: smtplib.SMTP | None = None
        self._dirty = False

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
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except (smtplib.SMTPException, OSError):
                smtp.close()

    def _envelope(self, sender: str, recipient: str, *, international: bool) -> None:
        """Name sender and recipient. Raises what they were refused with."""
        smtp = self._connection()
        lost: type[TransportError] = ServerGone
        try:
            if self._dirty:
                smtp.rset()
            self._dirty = True
            code, text = smtp.mail(sender, self._options(smtp, international=international))
            if code != _OK:
                raise self._after(refused_sender(code, text))
            lost = TryLater  # from here on it may be this address that the server cannot bear
            code, text = smtp.rcpt(recipient)
            if code not in {250, 251}:
                raise self._after(refused_recipient(code, text))
        except _LOST as error:
            raise self._dropped(lost(0, f"the connection was lost: {said(str(error))}")) from error

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
            code, text = smtp.data(content)
        except smtplib.SMTPDataError as error:
            raise self._after(refused_content(error.smtp_code, error.smtp_error)) from error
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
            smtp = smtplib.SMTP_SSL(host, port, self._name, timeout=self._timeout, context=context)
        else:
            smtp = smtplib.SMTP(host, port, self._name, timeout=self._timeout)
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
        return self._dropped(error) if isinstance(error, ServerGone) or error.code == CLOSING else error

    def _dropped(self, error: TransportError) -> TransportError:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()
        return error


def _verifying() -> ssl.SSLContext:
    return ssl.create_default_context()


def _opportunistic() -> ssl.SSLContext:
    """Encryption without proof of who the server is: asked for nothing, and better than plain text."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

"""A mailbox that is read over IMAP: what is newer than what was read, each marked as seen after it was taken.

Numbers of mails hold only as long as the mailbox's UIDVALIDITY (RFC 3501, section 2.3.1.1); after another one, what is
unseen is read. Nothing is deleted. Passwords and words of mails are never part of an error.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from config.imap import Imap

TIMEOUT = 30.0
_GONE = (OSError, imaplib.IMAP4.error, ImapToolsError, UnicodeError)


class MailboxGone(Exception):
    """The mailbox cannot be read:"""

    def __str__(self) -> str:
        return " ".join([type(self).__doc__ or "", *map(str, self.args)])


class Mailbox:
    """A folder of a mailbox that is open."""

    def __init__(self, box: BaseMailBox, name: str) -> None:
        self._box, self._name = box, name

    @property
    def validity(self) -> int | None:
        """For how long the numbers of its mails hold; None where the server does not say."""
        _, found = self._box.client.response("UIDVALIDITY")
        return int(found[0]) if found and found[0] else None

    def newer(self, uid: int | None) -> list[int]:
        """Return the numbers of the mails after one, or of those that nobody has seen. Raises MailboxGone."""
        with _told(self._name):
            found = [
                int(each) for each in self._box.uids(f"UID {uid + 1}:*" if uid is not None else "UNSEEN", charset=None)
            ]
        return sorted(each for each in found if uid is None or each > uid)  # * is the last one, however old

    def content(self, uid: int) -> bytes | None:
        """Return a mail as it lies there, without marking it; None when it is gone. Raises MailboxGone."""
        with _told(self._name):
            _, found = self._box.client.uid("fetch", str(uid), "(BODY.PEEK[])")
        return next((bytes(part[1]) for part in found if isinstance(part, tuple)), None)

    def taken(self, uid: int) -> None:
        """Mark a mail as seen. Raises MailboxGone."""
        with _told(self._name):
            self._box.client.uid("store", str(uid), "+FLAGS.SILENT", r"(\Seen)")


@contextmanager
def opened(where: Imap, *, timeout: float = TIMEOUT) -> Iterator[Mailbox]:
    """Open a mailbox. Raises MailboxGone, in one sentence without the password."""
    with _told(where.host):
        box = _connected(where, timeout)
    try:
        try:
            box.login(where.user, where.password.get_secret_value(), initial_folder=None)
        except (MailboxLoginError, imaplib.IMAP4.error):
            raise MailboxGone(f"{where.host} does not let {where.user} in with this password.") from None
        except _GONE as bad:
            raise _gone(where.host, bad) from None
        try:
            box.folder.set(where.folder)
        except _GONE:
            raise MailboxGone(f"{where.host} has no folder {where.folder} for {where.user}.") from None
        yield Mailbox(box, where.host)
    finally:
        _left(box)


def _connected(where: Imap, timeout: float) -> BaseMailBox:
    secure: dict[str, Any] = {"ssl_context": ssl.create_default_context()}
    if where.tls == "implicit":
        return MailBox(where.host, where.port, timeout=timeout, **secure)
    if where.tls == "starttls":
        return MailBoxStartTls(where.host, where.port, timeout=timeout, **secure)
    return MailBoxUnencrypted(where.host, where.port, timeout=timeout)


def _left(box: BaseMailBox) -> None:
    try:
        box.logout()
    except _GONE:
        return


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except _GONE as bad:
        raise _gone(name, bad) from None


def _gone(name: str, bad: Exception) -> MailboxGone:
    """Return the sentence: what the system says, never what the server says, which may repeat what was sent."""
    why = bad.strerror if isinstance(bad, OSError) and bad.strerror else type(bad).__name__
    return MailboxGone(f"{name} does not answer as it should ({why}).")

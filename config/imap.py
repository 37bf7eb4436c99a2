"""The address of a mailbox that is read, as one setting."""

from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

PORTS: dict[str, tuple[int, Literal["none", "starttls", "implicit"]]] = {
    "imap": (143, "none"),
    "imap+starttls": (143, "starttls"),
    "imaps": (993, "implicit"),
}

_HERE = ("127.0.0.1", "::1", "localhost")


class Imap(NamedTuple):
    """Where mail that comes in is read; implicit `tls` means encrypted from the first byte."""

    host: str
    port: int
    user: str
    password: SecretStr
    folder: str
    tls: Literal["none", "starttls", "implicit"]

    @property
    def name(self) -> str:
        """The mailbox in words, without its password."""
        return f"{self.user} at {self.host}, folder {self.folder}"


def parse_imap(url: str) -> Imap:
    """Return the parts of imaps://user:password@host[:port][/Folder], imap+starttls://… or imap://…

    Raises ValueError, without repeating the address since a password is in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must have a port between 1 and 65535, as in imaps://user:password@host:993.") from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0 or parts.query or parts.fragment:
        raise ValueError("must look like imaps://user:password@host or imaps://user:password@host/Folder.")
    if parts.scheme == "imap" and parts.hostname not in _HERE:
        raise ValueError("must be encrypted, imaps:// or imap+starttls://, unless the mailbox is on this machine.")
    if not parts.username or parts.password is None:
        raise ValueError("must have a user and a password, as in imaps://user:password@host.")
    standard, tls = PORTS[parts.scheme]
    return Imap(
        host=parts.hostname,
        port=port or standard,
        user=unquote(parts.username),
        password=SecretStr(unquote(parts.password)),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        tls=tls,
    )

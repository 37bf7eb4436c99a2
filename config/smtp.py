"""The address of a mail server, as one setting."""

from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

PORTS: dict[str, tuple[int, Literal["none", "starttls", "implicit"]]] = {
    "smtp": (25, "none"),
    "smtp+starttls": (587, "starttls"),
    "smtps": (465, "implicit"),
}


class Smtp(NamedTuple):
    """Where and how mail is handed over; implicit `tls` means encrypted from the first byte."""

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    tls: Literal["none", "starttls", "implicit"]


def parse_smtp(url: str) -> Smtp:
    """Return the parts of smtp://host:port, smtp+starttls://user:password@host or smtps://user:password@host.

    Raises ValueError, without repeating the address since a password may be in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must have a port between 1 and 65535, as in smtp://host:1025.") from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise ValueError("must look like smtp://host:25, smtp+starttls://user:password@host or smtps://host.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end after the host and port.")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must have both a user and a password, or neither.")
    standard, tls = PORTS[parts.scheme]
    return Smtp(
        host=parts.hostname,
        port=port or standard,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else SecretStr(unquote(parts.password)),
        tls=tls,
    )

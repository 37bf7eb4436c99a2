"""What a mail server's refusal means: try later, never, or stop asking this server. Pure."""

from __future__ import annotations

import re

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS = re.compile(r"[^\s<>@,;:]+@[^\s<>@,;]+")
_LONGEST = 300
CLOSING = 421
_FULL = ("2", "2")
_TOO_BIG = 552


class TransportError(Exception):
    """A message was not handed over."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code} {text}" if code else text)


class TryLater(TransportError):
    """Not now: greylisted, mailbox full, the server busy."""


class OutcomeUnknown(TryLater):
    """The connection broke while the message was handed over; the server may have it or not."""


class NeverDeliverable(TransportError):
    """Refused for good."""

    def __init__(self, code: int, text: str, *, bad_address: bool = False) -> None:
        super().__init__(code, text)
        self.bad_address = bad_address
        """Whether the address is at fault, and not what was written or who sent it."""


class ServerGone(TransportError):
    """The server cannot be reached or does not want us; nothing was handed over, and no message is at fault."""


def said(text: bytes | str) -> str:
    """Return a server's words as one short line without mail addresses: it is stored and shown."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())
    return _ADDRESS.sub("***", line)[:_LONGEST]


def refused_recipient(code: int, text: bytes | str) -> TransportError:
    """Return what a refusal of the address means."""
    words = said(text)
    status = _status(words)
    if code < 500 or status == _FULL or status[:1] in {("4",), ("7",)}:  # full, unreachable, a policy: not its fault
        return TryLater(code, words)
    return NeverDeliverable(code, words, bad_address=status[:1] in {(), ("1",), ("2",)})


def refused_sender(code: int, text: bytes | str) -> TransportError:
    """Return what a refusal before any address means; it concerns us, unless the message is too big."""
    words = said(text)
    if code == _TOO_BIG:
        return NeverDeliverable(code, words)
    return ServerGone(code, words) if code >= 500 or code == CLOSING else TryLater(code, words)


def refused_content(code: int, text: bytes | str) -> TransportError:
    """Return what a refusal after the content means."""
    words = said(text)
    return NeverDeliverable(code, words) if code >= 500 and _status(words) != _FULL else TryLater(code, words)


def _status(words: str) -> tuple[str, ...]:
    """Return subject and detail of an enhanced status code (RFC 3463), subjects being 1 address, 2 mailbox, 4 network,
    7 policy; nothing when the server gave none."""
    match = _ENHANCED.search(words)
    return (match.group(2), match.group(3)) if match else ()

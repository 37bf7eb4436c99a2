"""Bytes to a message, whatever they are: broken, huge, nested without end. Takes bounded time and memory.

The mail is parsed with the old policy of the standard library: the newer one understands every header to the letter,
which costs minutes where somebody means harm. What we need of headers is decoded here, piece by piece and cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import Compat32
from email.utils import getaddresses

LARGEST_READ = 4 * 1024 * 1024
"""Of a mail so many bytes are understood: reports and words come first, what is cut are files."""
MOST_LINES = 150_000
MOST_WORK = 3_000_000
"""Lines times levels: the parser asks of each line whether it ends any of the levels it is in."""
MOST_PARTS = 2_000
DEEPEST = 40
LONGEST_HEADER = 20_000
LONGEST_PARAMETERS = 2_000
"""Of a header that says what a part is."""
LONGEST_TEXT = 200_000

_LEVELS = re.compile(rb"multipart/|message/", re.IGNORECASE)
_ENDS_HEADERS = re.compile(rb"\r?\n\r?\n")
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
"""What no text needs; NUL cannot be stored either."""


class _Short(Compat32):
    """The old policy, with headers cut: taking a long one apart costs the square of its length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[: LONGEST_PARAMETERS if name.lower().startswith("content-") else LONGEST_HEADER]


_POLICY = _Short()


@dataclass(frozen=True)
class Opened:
    """A mail that was opened, and what was wrong with its form."""

    message: Message
    trouble: str | None = None


def opened(raw: bytes) -> Opened:
    """Return the mail as far as it can be understood."""
    cut, trouble = _cut(raw)
    if _too_much(cut):
        return Opened(_headers(cut), "It is nested too deeply, or has too many parts; only its head was read.")
    try:
        return Opened(BytesParser(policy=_POLICY).parsebytes(cut), trouble)
    except Exception:  # the parser of the standard library raises whatever it stumbles upon
        return Opened(_headers(cut), "It is not built as mail should be; only its head was read.")


def _cut(raw: bytes) -> tuple[bytes, str | None]:
    cut = raw[:LARGEST_READ]
    lines = cut.count(b"\n")
    if lines > MOST_LINES:
        end = 0
        for _ in range(MOST_LINES):
            end = cut.find(b"\n", end) + 1
        cut = cut[:end]
    return cut, "It is very large; only its beginning was read." if len(cut) < len(raw) else None


def _too_much(cut: bytes) -> bool:
    levels = sum(1 for _ in _LEVELS.finditer(cut))
    return levels > DEEPEST or levels * cut.count(b"\n") > MOST_WORK or cut.count(b"\n--") > MOST_PARTS


def _headers(cut: bytes) -> Message:
    end = _ENDS_HEADERS.search(cut)
    head = cut[: min(end.start() if end else len(cut), 200_000)]
    try:
        return BytesHeaderParser(policy=_POLICY).parsebytes(head + b"\n\n")
    except Exception:  # as above
        return Message()


def header(message: Message, name: str) -> str:
    """Return a header as text on one line; empty where there is none."""
    return decoded(next(iter(_raw(message, name)), ""))


def headers(message: Message, name: str) -> str:
    """Return every header of a name as one text."""
    return ", ".join(decoded(value) for value in _raw(message, name))


def _raw(message: Message, name: str) -> list[str]:
    """The values of a header as they came: the library's own reading would lose letters that are not encoded."""
    found = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return [value[:LONGEST_HEADER] for value in found[:20]]


def decoded(value: str) -> str:
    """Return the words of a header: RFC 2047 undone, broken letters replaced, on one line."""
    try:
        text = "".join(
            part if isinstance(part, str) else as_text(part, charset or "ascii")
            for part, charset in decode_header(value[:LONGEST_HEADER])
        )
    except (HeaderParseError, ValueError, LookupError):
        text = value
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(plain(text).split())


def as_text(content: bytes, charset: str) -> str:
    """Return bytes as text, by the charset that they claim or, where that is wrong, by the likeliest."""
    for tried in (charset, "utf-8"):
        try:
            return content.decode(tried)
        except (LookupError, ValueError):
            continue
    return content.decode("latin-1")


def plain(text: str) -> str:
    """Return text without signs that cannot be shown or stored."""
    return text.translate(_CONTROL).encode("utf-8", "replace").decode()


def addresses(message: Message, *names: str) -> list[tuple[str, str]]:
    """Return name and address of everybody whom these headers name, addresses in small letters."""
    found: list[tuple[str, str]] = []
    for name in names:
        try:
            pairs = getaddresses(_raw(message, name)[:5])
        except Exception:  # the library stumbles over some addresses
            pairs = []
        found += [(decoded(who), plain(address).strip().lower()[:320]) for who, address in pairs if "@" in address]
    return found


def parts_of(message: Message) -> Iterator[Message]:
    """Return the message and its parts, not so many nor so deep that it would not end."""
    waiting, seen = [(message, 0)], 0
    while waiting and seen < MOST_PARTS:
        part, depth = waiting.pop()
        seen += 1
        yield part
        inner = part.get_payload()
        if isinstance(inner, list) and depth < DEEPEST * 2:
            waiting += [(child, depth + 1) for child in reversed(inner) if isinstance(child, Message)]


def type_of(part: Message) -> str:
    """Return the media type of a part in small letters; plain text where it is unreadable."""
    try:
        return part.get_content_type()
    except Exception:  # as above
        return "text/plain"


def content_of(part: Message) -> str:
    """Return the text of a part, whatever is broken about it; empty for one that has parts itself."""
    try:
        content = part.get_payload(decode=True)
        charset = str(part.get_content_charset() or "utf-8")
    except Exception:  # as above
        content, charset = str(part.get_payload()).encode("utf-8", "replace"), "utf-8"
    if not isinstance(content, bytes):
        return ""
    return plain(as_text(content[: LONGEST_TEXT * 2], charset))[:LONGEST_TEXT].replace("\r\n", "\n")

"""Header lines of outgoing mail: ASCII whatever is written in them, and folded (RFC 5322, RFC 2047). Pure.

A value is one line already (`wording.one_line`); nothing here looks for a second one.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache

_FRAME = len("=?utf-8?b??=")
_LONGEST = 76
"""Signs in a line that holds an encoded word, at most (RFC 2047, section 2)."""
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_ESCAPED = re.compile(r'(["\\])')


@lru_cache(maxsize=1024)
def line(name: str, value: str) -> bytes:
    """Return a header with free text, ending in CRLF."""
    return _folded(f"{name}: {value if _is_plain(value) else _encoded(value, len(name) + 2)}")


def mailbox(name: str, person: str, address: str) -> bytes:
    """Return a header with one address and the name of who has it, ending in CRLF.

    The address is written as it is: in UTF-8 where only SMTPUTF8 can write it (RFC 6532).
    """
    if not person:
        return _folded(f"{name}: {address}")
    return _folded(f"{name}: {_phrase(person, len(name) + 2)} <{address}>")


def _is_plain(value: str) -> bool:
    """Whether it reads as itself: what only looks like an encoded word would be decoded by who reads it."""
    return value.isascii() and "=?" not in value


def _phrase(person: str, used: int) -> str:
    if not _is_plain(person):
        return _encoded(person, used)
    if _PHRASE.fullmatch(person):
        return person
    return '"' + _ESCAPED.sub(r"\\\1", person) + '"'


def _encoded(value: str, used: int) -> str:
    """Return encoded words, the first so short that it fits behind what stands in its line already."""
    words, part, size = [], "", 0
    room = _bytes_in(_LONGEST - used)
    for sign in value:
        more = len(sign.encode())
        if size + more > room:
            words.append(part)
            part, size, room = "", 0, _bytes_in(_LONGEST - 1)
        part, size = part + sign, size + more
    return " ".join(f"=?utf-8?b?{b64encode(word.encode()).decode()}?=" for word in [*words, part])


def _bytes_in(signs: int) -> int:
    return (signs - _FRAME) // 4 * 3


def _folded(header: str) -> bytes:
    """Return the header in lines that are broken at spaces, never before its first word."""
    if len(header) > _LONGEST:
        name, first, *rest = header.split(" ")
        lines = [f"{name} {first}"]
        for word in rest:
            if len(lines[-1]) + 1 + len(word) > _LONGEST:
                lines.append("")
            lines[-1] += f" {word}"
        header = "\r\n".join(lines)
    return header.encode() + b"\r\n"

"""Whether a PDF only shows something: nothing that runs, opens, sends, or is hidden inside."""

from __future__ import annotations

import re
import zlib

_HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAME_WITH_HEX = re.compile(rb"/[^\s/<>\[\](){}%]*#[0-9A-Fa-f]{2}[^\s/<>\[\](){}%]*")
_STREAM = re.compile(rb"\bstream\r?\n")
_OF_OBJECTS = re.compile(rb"/ObjStm\b|/First\b")
_FILTER = re.compile(rb"/Filter\s*(.*)", re.DOTALL)
_FLATE = re.compile(rb"(?:/FlateDecode\b|\[\s*/FlateDecode\s*\])")
_LONGEST_HEAD = 4096
_UNSEEN = "objects are packed inside in a way that cannot be looked at"
_MOST_UNPACKED = 64 * 1024 * 1024

_REFUSED: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("it is protected by a password", re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")),
    ("it holds a script", re.compile(rb"/JavaScript\b|/JS\s*[(<\d]")),
    ("it starts another program", re.compile(rb"/Launch\b")),
    ("it holds other files", re.compile(rb"/EmbeddedFiles?\b")),
    ("it holds a film or a sound", re.compile(rb"/(?:RichMedia|Rendition|Movie|Sound)\b")),
    ("it holds a form that sends something", re.compile(rb"/(?:SubmitForm|ImportData|XFA)\b")),
    ("it opens other documents", re.compile(rb"/GoTo[RE]\b")),
)


def is_pdf(content: bytes) -> bool:
    """Whether content begins as a PDF does."""
    return content[:1024].lstrip().startswith(b"%PDF-")


def objection(content: bytes) -> str | None:
    """Return why a PDF is not taken ("it holds a script"), or None where it only shows something."""
    if b"%%EOF" not in content[-4096:] or b"startxref" not in content:
        return "it is not whole"
    try:
        parts = [content, *_unpacked(content)]
    except _Packed as hidden:
        return str(hidden)
    for part in parts:
        plain = _plain(part)
        for why, pattern in _REFUSED:
            if pattern.search(plain):
                return why
    return None


class _Packed(Exception):
    """What is packed inside cannot be looked at."""


def _plain(part: bytes) -> bytes:
    """Return content with its names as readers of PDF understand them."""
    return _NAME_WITH_HEX.sub(lambda found: _HEX.sub(_byte, found[0]), part)


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])


def _unpacked(content: bytes) -> list[bytes]:
    """The objects that are packed into streams, unpacked. Raises _Packed where they cannot be looked at."""
    found, left, seen = [], _MOST_UNPACKED, 0
    for match in _STREAM.finditer(content):
        head = content[max(0, match.start() - _LONGEST_HEAD) : match.start()]
        head = _plain(head[max(0, head.rfind(b"obj")) :])
        seen += b"/ObjStm" in head
        if not _OF_OBJECTS.search(head) or (how := _FILTER.search(head)) is None:
            continue
        if not _FLATE.match(how[1]) or b"/DecodeParms" in head:
            raise _Packed(_UNSEEN)
        plain = _inflated(content, match.end(), left)
        left -= len(plain)
        found.append(plain)
    if _plain(content).count(b"/ObjStm") > seen:
        raise _Packed(_UNSEEN)
    return found


def _inflated(content: bytes, start: int, most: int) -> bytes:
    """What is packed from a place on, to where it says itself that it ends, whatever stands in it. Raises _Packed."""
    reader = zlib.decompressobj()
    plain = b""
    try:
        while start < len(content) and not reader.eof and len(plain) <= most:
            plain += reader.decompress(reader.unconsumed_tail + content[start : start + 65536], most - len(plain) + 1)
            start += 65536
    except zlib.error:
        return plain  # no reader can unpack the rest either
    if len(plain) > most:
        raise _Packed("what is packed inside is too large to be looked at")
    return plain

"""Whether a PDF only shows something: nothing that runs, opens, sends, or is hidden inside."""

from __future__ import annotations

import re
import zlib

_HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAME_WITH_HEX = re.compile(rb"/[^\s/<>\[\](){}%]*#[0-9A-Fa-f]{2}[^\s/<>\[\](){}%]*")
_OBJECTS = re.compile(rb"/ObjStm\b.*?stream\r?\n(.*?)endstream", re.DOTALL)
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
    except ValueError:
        return "what is packed inside is too large to be looked at"
    for part in parts:
        plain = _NAME_WITH_HEX.sub(lambda found: _HEX.sub(_byte, found[0]), part)
        for why, pattern in _REFUSED:
            if pattern.search(plain):
                return why
    return None


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])


def _unpacked(content: bytes) -> list[bytes]:
    """The objects that are packed into streams, unpacked. Raises ValueError when they are too large."""
    found, left = [], _MOST_UNPACKED
    for match in _OBJECTS.finditer(content):
        reader = zlib.decompressobj()
        try:
            plain = reader.decompress(match[1], left)
        except zlib.error:
            continue  # no reader can unpack it either
        left -= len(plain)
        if left <= 0 or reader.unconsumed_tail:
            raise ValueError
        found.append(plain)
    return found

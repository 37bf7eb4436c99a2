"""What has changed between two texts: paragraph by paragraph, and within a changed one word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME, ADDED, REMOVED, CHANGED = "same", "added", "removed", "changed"
_PARAGRAPHS = re.compile(r"\n[ \t]*\n+")
_WORDS = re.compile(r"\s+|[^\s\w]|\w+")
_ALIKE = 0.35
"""Two paragraphs with a smaller share of words in common are two, not one that has changed."""
_MOST_WORDS = 3000
"""A paragraph longer than this is shown as removed and added: to compare it word by word would take too long."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words that stayed, came, or went."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: as a whole the same, added or removed, or changed in its pieces."""

    kind: str
    pieces: tuple[Piece, ...]


def compared(before: str, after: str) -> list[Paragraph]:
    """Return the paragraphs of both texts in order, each with what became of it."""
    old, new = _split(before), _split(after)
    found: list[Paragraph] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found += [Paragraph(SAME, (Piece(SAME, text),)) for text in old[a:b]]
        else:
            found += _replaced(old[a:b], new[c:d])
    return found


def _split(text: str) -> list[str]:
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return [part.strip("\n") for part in _PARAGRAPHS.split(plain) if part.strip()]


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Paragraph]:
    """Pair what went with what came, in order, where they have much in common; the rest went or came as a whole."""
    left = list(new)
    for text in old:
        match = next((place for place, other in enumerate(left) if _alike(text, other)), None)
        if match is None:
            yield Paragraph(REMOVED, (Piece(REMOVED, text),))
            continue
        for other in left[:match]:
            yield Paragraph(ADDED, (Piece(ADDED, other),))
        yield Paragraph(CHANGED, tuple(_words(text, left[match])))
        left = left[match + 1 :]
    for other in left:
        yield Paragraph(ADDED, (Piece(ADDED, other),))


def _alike(one: str, other: str) -> bool:
    a, b = one.split(), other.split()
    if len(a) > _MOST_WORDS or len(b) > _MOST_WORDS:
        return False
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= _ALIKE and matcher.ratio() >= _ALIKE


def _words(before: str, after: str) -> Iterator[Piece]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    gone = come = ""
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (what, a, b, c, d) in enumerate(steps):
        same = "".join(old[a:b])
        if what != "equal":
            gone, come = gone + same, come + "".join(new[c:d])
        elif not same.strip() and 0 < place < len(steps) - 1:  # a blank between two changed words belongs to both
            gone, come = gone + same, come + same
        else:
            yield from _changed(gone, come)
            gone = come = ""
            yield Piece(SAME, same)
    yield from _changed(gone, come)


def _changed(gone: str, come: str) -> Iterator[Piece]:
    if gone:
        yield Piece(REMOVED, gone)
    if come:
        yield Piece(ADDED, come)

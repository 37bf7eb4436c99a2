"""A text that was found, in pieces: with the words that were searched for marked, or what stands around the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from members.matching import folded

Piece = tuple[str, bool]
"""A piece of a text, and whether it was searched for."""

_AROUND = 70
"""Characters of a note shown before and after the first word that was found in it."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def marked(words: str, terms: Sequence[str]) -> Iterator[Piece]:
    """Yield a text in pieces, with those that were searched for marked. Nothing of it is markup."""
    done = 0
    for match in _WORD.finditer(words):
        if _meant(match.group(), terms):
            if match.start() > done:
                yield words[done : match.start()], False
            yield match.group(), True
            done = match.end()
    if done < len(words):
        yield words[done:], False


def _meant(word: str, terms: Sequence[str]) -> bool:
    plain = folded(word)
    return any(part in terms or part.startswith(terms[-1]) for part in plain.split())


def excerpt(note: str, terms: Sequence[str]) -> Iterator[Piece]:
    """Yield what stands around the first word that was searched for, in pieces."""
    note = " ".join(note.split())
    first = next((match.start() for match in _WORD.finditer(note) if _meant(match.group(), terms)), 0)
    start, end = max(0, first - _AROUND), first + 2 * _AROUND
    start = note.find(" ", start) + 1 if start else 0
    end = note.rfind(" ", start, end) if end < len(note) else len(note)
    if start:
        yield "… ", False
    yield from marked(note[start : end if end > first else first + 2 * _AROUND], terms)
    if end < len(note):
        yield " …", False

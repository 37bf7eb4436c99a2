"""Letters on paper: which there are, how wide a text is, and where its lines break. Lengths are millimetres.

The fonts hold Latin, Greek, Cyrillic, Hebrew and Arabic. A character that they do not hold (Chinese, emoji) becomes a
visible box: a name that cannot be printed is seen to be missing.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

from fpdf import FPDF
from fpdf.bidi import BidiParagraph, auto_detect_base_direction
from fpdf.fonts import TTFFont

Face = Literal["plain", "bold", "mono"]

BOX = "□"
MOST_LETTERS = 200_000
"""The longest text that is set; what comes after is cut off and said to be."""

_FOLDER = Path(__file__).parent / "fonts"
_FILES: dict[Face, str] = {
    "plain": "DejaVuSansCondensed.ttf",
    "bold": "DejaVuSansCondensed-Bold.ttf",
    "mono": "DejaVuSansMono.ttf",
}
_POINT = 25.4 / 72
_INVISIBLE = {"Cc", "Cf"}
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


class Letters:
    """The fonts of one document."""

    def __init__(self, pdf: FPDF) -> None:
        for face, file in _FILES.items():
            pdf.add_font(face, "", _FOLDER / file)
        self._pdf = pdf
        self._fonts = {face: _font(pdf, face) for face in _FILES}
        self.width = lru_cache(maxsize=50_000)(self._width)

    def write(self, x: float, y: float, text: str, *, face: Face = "plain", size: float) -> None:
        """Write one line whose baseline is at `y`; `size` is in points."""
        self._pdf.set_font(face, "", size)
        self._pdf.text(x, y, _in_order(text))

    def clean(self, text: str, face: Face = "plain") -> str:
        """Return a text of characters that the face holds; line breaks and tabulators become spaces."""
        return " ".join(self.paragraphs(text, face))

    def paragraphs(self, text: str, face: Face = "plain") -> list[str]:
        """Return the lines that a text itself has, of characters that the face holds."""
        if len(text) > MOST_LETTERS:
            text = text[:MOST_LETTERS] + " […]"
        known = self._fonts[face].cmap
        composed = unicodedata.normalize("NFC", _SELECTORS.sub("", text.replace("\t", " ")))
        return [
            "".join(letter if ord(letter) in known else BOX for letter in line if _seen(letter))
            for line in composed.splitlines() or [""]
        ]

    def lines(self, text: str, width: float, *, face: Face = "plain", size: float) -> list[str]:
        """Return a text in lines that are no wider than `width`; a word that is wider is broken."""
        found: list[str] = []
        for paragraph in self.paragraphs(text, face):
            found += self._wrapped(paragraph, width, face, size)
        return found

    def _wrapped(self, text: str, width: float, face: Face, size: float) -> list[str]:
        found: list[str] = []
        line, filled, space = "", 0.0, self.width(" ", face, size)
        for word in text.split(" "):
            long = self.width(word, face, size)
            if line and filled + space + long <= width:
                line, filled = f"{line} {word}", filled + space + long
                continue
            if line:
                found.append(line)
            *whole, line = self._broken(word, width, face, size) if long > width else (word,)
            found += whole
            filled = self.width(line, face, size)
        return [*found, line] if line or not found else found

    def _broken(self, word: str, width: float, face: Face, size: float) -> Iterator[str]:
        piece, filled = "", 0.0
        for letter in word:
            wide = self.width(letter, face, size)
            if piece and filled + wide > width:
                yield piece
                piece, filled = "", 0.0
            piece, filled = piece + letter, filled + wide
        yield piece

    def _width(self, text: str, face: Face, size: float) -> float:
        widths = self._fonts[face].cw
        return sum(widths[ord(letter)] for letter in text) * size * _POINT / 1000


def storable(text: str) -> str:
    """Return a text as a file may hold it where it is not printed: without controls and broken characters."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cs"})


def _font(pdf: FPDF, face: Face) -> TTFFont:
    found = pdf.fonts[face]
    if not isinstance(found, TTFFont):
        raise TypeError(f"{face} is not a font with letters of its own")
    return found


@lru_cache(maxsize=4096)
def _seen(letter: str) -> bool:
    """Return whether a character is one to be printed: controls, joiners and marks of direction are not."""
    return unicodedata.category(letter) not in _INVISIBLE


def _in_order(line: str) -> str:
    """Return a line as its characters stand from left to right."""
    if not _RIGHT_TO_LEFT.search(line):
        return line
    return BidiParagraph(text=line, base_direction=auto_detect_base_direction(line)).get_reordered_string()

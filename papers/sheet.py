"""The sheets of paper on which blocks are drawn: A4, from the top down. Lengths are millimetres, sizes points."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from fpdf import FPDF, ViewerPreferences

from papers.blocks import Paper
from papers.letters import Face, Letters, storable
from papers.tagging import Tags

Colour = tuple[int, int, int]

INK: Colour = (29, 39, 51)
QUIET: Colour = (91, 103, 117)
RULE: Colour = (196, 204, 214)
SHADE: Colour = (240, 243, 247)
STRONG: Colour = (6, 111, 209)
SOFT: Colour = (200, 222, 245)

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
SIDE, TOP, BOTTOM = 20.0, 22.0, 22.0
WIDTH = PAGE_WIDTH - 2 * SIDE
BODY, LEADING = 9.5, 1.45
_POINT = 25.4 / 72


class Sheet:
    """Where drawing goes on: the current page and how far down it is filled."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.pdf = _document(paper)
        self.letters = Letters(self.pdf)
        self.tags = Tags(self.pdf)
        self.y = 0.0
        self.turn()

    def turn(self) -> None:
        """Start a new page."""
        self.pdf.add_page()
        self.y = TOP

    @property
    def left(self) -> float:
        """Return the height that is left on the page."""
        return PAGE_HEIGHT - BOTTOM - self.y

    def room(self, height: float) -> bool:
        """Turn the page unless `height` fits on it, and return whether it was turned."""
        if height <= self.left or self.y <= TOP:
            return False
        self.turn()
        return True

    def skip(self, height: float) -> None:
        """Leave `height` empty, except at the head of a page."""
        if self.y > TOP:
            self.y += height

    def write(
        self, x: float, y: float, text: str, *, face: Face = "plain", size: float = BODY, ink: Colour = INK,
        width: float = 0.0, align: str = "left",
    ) -> None:  # fmt: skip
        """Write one line on the baseline `y`, within `width` where it is aligned right or centred."""
        if align != "left":
            free = width - self.letters.width(text, face, size)
            x += free if align == "right" else free / 2
        self.pdf.set_text_color(*ink)
        self.letters.write(x, y, text, face=face, size=size)

    def text(
        self, lines: Sequence[str], *, kind: str = "P", face: Face = "plain", size: float = BODY, ink: Colour = INK,
        indent: float = 0.0,
    ) -> None:  # fmt: skip
        """Write lines below each other, over as many pages as they need, as elements of one kind."""
        height = leading(size)
        rest = list(lines)
        while rest:
            self.room(min(len(rest), 2) * height)
            fitting = max(int(self.left / height + 1e-6), 1)
            with self.tags.leaf(kind):
                for line in rest[:fitting]:
                    self.write(SIDE + indent, self.y + ascent(size), line, face=face, size=size, ink=ink)
                    self.y += height
            rest = rest[fitting:]

    def line(self, x1: float, y1: float, x2: float, y2: float, ink: Colour = RULE, width: float = 0.2) -> None:
        """Draw a line."""
        self.pdf.set_draw_color(*ink)
        self.pdf.set_line_width(width)
        self.pdf.line(x1, y1, x2, y2)

    def fill(self, x: float, y: float, width: float, height: float, ink: Colour = SHADE) -> None:
        """Fill a rectangle."""
        self.pdf.set_fill_color(*ink)
        self.pdf.rect(x, y, width, height, style="F")

    def done(self) -> bytes:
        """Write heads and feet, now that the number of pages is known, and return the file."""
        pages = len(self.pdf.pages)
        for number in range(1, pages + 1):
            with self._again(number), self.tags.beside():
                self._head(number)
                self._foot(number, pages)
        return bytes(self.pdf.output())

    @contextmanager
    def _again(self, number: int) -> Iterator[None]:
        """Draw on a page that was left; what fpdf2 believes to be set there is set anew."""
        pdf: Any = self.pdf
        pdf.page = number
        pdf.current_font_is_set_on_page = False
        pdf.set_fill_color(*SHADE)
        yield
        pdf.page = len(pdf.pages)

    def _head(self, number: int) -> None:
        if number == 1:
            return
        running = self.letters.clean(self.paper.running)
        self.write(SIDE, 13, running, size=7.5, ink=QUIET, width=WIDTH, align="right")
        free = WIDTH - self.letters.width(running, "plain", 7.5) - 8
        title = self.letters.lines(self.paper.title, max(free, 20), size=7.5)
        self.write(SIDE, 13, title[0] + (" …" if len(title) > 1 else ""), size=7.5, ink=QUIET)
        self.line(SIDE, 15.5, SIDE + WIDTH, 15.5)

    def _foot(self, number: int, pages: int) -> None:
        y = PAGE_HEIGHT - 11
        self.line(SIDE, y - 5, SIDE + WIDTH, y - 5)
        told = f"Page {number} of {pages}"
        self.write(SIDE, y, told, size=7.5, ink=QUIET, width=WIDTH, align="right")
        free = WIDTH - self.letters.width(told, "plain", 7.5) - 8
        foot = self.letters.lines(self.paper.footer, free, size=7.5)
        self.write(SIDE, y, foot[0] + (" …" if len(foot) > 1 else ""), size=7.5, ink=QUIET)


def leading(size: float) -> float:
    """Return the height of a line of `size` points."""
    return size * _POINT * LEADING


def ascent(size: float) -> float:
    """Return how far below the top of its line the baseline lies."""
    return size * _POINT * (LEADING + 0.72) / 2


def _document(paper: Paper) -> FPDF:
    """Return an empty document with what it says of itself. Raises ValueError where its instant has no zone."""
    if paper.created.tzinfo is None:
        raise ValueError("The instant of a paper needs a zone.")
    pdf = FPDF(orientation="portrait", unit="mm", format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_title(storable(paper.title))
    pdf.set_lang(paper.language)
    pdf.set_author(storable(paper.author))
    pdf.set_creator("Muster")
    pdf.set_producer("Muster")
    if paper.subject:
        pdf.set_subject(storable(paper.subject))
    pdf.set_creation_date(paper.created.astimezone(UTC))
    pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
    return pdf

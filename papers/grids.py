"""Tables on paper: columns as wide as they need, heads repeated on each page, rows over the foot of a page."""

from collections.abc import Sequence

from papers.blocks import Column, Grid
from papers.letters import Face
from papers.sheet import BODY, BOTTOM, INK, PAGE_HEIGHT, QUIET, RULE, SHADE, SIDE, TOP, WIDTH, Sheet, ascent, leading

SIZE = 8.0
MOST_TAGGED = 1000
"""Rows up to which each cell is an element of its own; of a longer table each row is one, which keeps files small."""

_PAD = 1.2
_NARROWEST = 9.0
_LOOKED_AT = 300
_WIDEST_WISH = 70.0


def draw_grid(sheet: Sheet, grid: Grid) -> None:
    """Draw a table from here on."""
    rows = [tuple(row) for row in grid.rows]
    widths = _widths(sheet, grid.columns, rows)
    drawn = _Drawn(sheet, grid, widths, by_cell=len(rows) <= MOST_TAGGED)
    if grid.caption:
        lines = sheet.letters.lines(grid.caption, WIDTH, face="bold", size=BODY)
        sheet.room(len(lines) * leading(BODY) + 0.8 + drawn.begins)
        sheet.text(lines, kind="P", face="bold")
        sheet.y += 0.8
    drawn.all(rows)
    sheet.skip(4)


class _Drawn:
    """A table on its way down the pages."""

    def __init__(self, sheet: Sheet, grid: Grid, widths: Sequence[float], *, by_cell: bool) -> None:
        self._sheet, self._grid, self._widths, self._by_cell = sheet, grid, widths, by_cell
        self._head = [
            sheet.letters.lines(column.name, width - 2 * _PAD, face="bold", size=SIZE)
            for column, width in zip(grid.columns, widths, strict=True)
        ]

    @property
    def begins(self) -> float:
        """Return the height of the head and a row: what may not be torn from each other."""
        return self._height(self._head) + 2 * leading(SIZE) + 2 * _PAD

    def all(self, rows: Sequence[Sequence[str]]) -> None:
        """Draw the head and all rows."""
        with self._sheet.tags.group("Table"):
            self._sheet.room(self.begins)
            self._heading()
            for number, row in enumerate(rows):
                self._row(self._lines(row, "plain"), last=self._grid.total and number == len(rows) - 1)

    def _row(self, cells: list[list[str]], *, last: bool) -> None:
        """Draw a row; one that is higher than a page goes on overleaf."""
        whole = PAGE_HEIGHT - BOTTOM - TOP - self._height(self._head)
        if self._height(cells) > self._sheet.left and (self._height(cells) <= whole or self._sheet.left < 12):
            self._sheet.turn()
            self._heading()
        while cells:
            fitting = max(int((self._sheet.left - 2 * _PAD) / leading(SIZE) + 1e-6), 1)
            self._cells([cell[:fitting] for cell in cells], kind="TD", face="bold" if last else "plain", above=last)
            cells = [cell[fitting:] for cell in cells] if any(len(cell) > fitting for cell in cells) else []
            if cells:
                self._sheet.turn()
                self._heading()

    def _heading(self) -> None:
        with self._sheet.tags.beside():
            self._sheet.fill(SIDE, self._sheet.y, WIDTH, self._height(self._head), SHADE)
        self._cells(self._head, kind="TH", face="bold")

    def _cells(self, cells: Sequence[Sequence[str]], *, kind: str, face: Face, above: bool = False) -> None:
        sheet, height = self._sheet, self._height(cells)
        with sheet.tags.group("TR"):
            if self._by_cell or kind == "TH":
                x = SIDE
                for column, width, lines in zip(self._grid.columns, self._widths, cells, strict=True):
                    with sheet.tags.leaf(kind):
                        self._cell(x, column, width, lines, face)
                    x += width
            else:
                with sheet.tags.leaf(kind):
                    self._together(cells, face)
        with sheet.tags.beside():
            if above:
                sheet.line(SIDE, sheet.y, SIDE + WIDTH, sheet.y, ink=QUIET, width=0.3)
            sheet.line(SIDE, sheet.y + height, SIDE + WIDTH, sheet.y + height, ink=RULE, width=0.15)
        sheet.y += height

    def _together(self, cells: Sequence[Sequence[str]], face: Face) -> None:
        x = SIDE
        for column, width, lines in zip(self._grid.columns, self._widths, cells, strict=True):
            self._cell(x, column, width, lines, face)
            x += width

    def _cell(self, x: float, column: Column, width: float, lines: Sequence[str], face: Face) -> None:
        y = self._sheet.y + _PAD + ascent(SIZE)
        for line in lines:
            self._sheet.write(
                x + _PAD, y, line, face=face, size=SIZE, ink=INK, width=width - 2 * _PAD, align=column.align
            )
            y += leading(SIZE)

    def _lines(self, row: Sequence[str], face: Face) -> list[list[str]]:
        """Return the lines of each cell; a row too short is filled up, what has no column is left out."""
        told = [*row, *[""] * len(self._widths)]
        return [
            self._sheet.letters.lines(text, width - 2 * _PAD, face=face, size=SIZE)
            for text, width in zip(told, self._widths, strict=False)
        ]

    def _height(self, cells: Sequence[Sequence[str]]) -> float:
        return max((len(cell) for cell in cells), default=1) * leading(SIZE) + 2 * _PAD


def _widths(sheet: Sheet, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[float]:
    """Return the widths of columns, which fill the page: shares that are given, else by what the cells hold."""
    wishes = []
    for place, column in enumerate(columns):
        if column.width is not None:
            wishes.append((0.0, column.width * WIDTH))
            continue
        texts = [row[place] for row in rows[:_LOOKED_AT] if place < len(row)]
        wishes.append(_wish(sheet, column, texts))
    least, wish = sum(low for low, _ in wishes), sum(high for _, high in wishes)
    if wish <= WIDTH or wish == least:
        return [high * WIDTH / max(wish, 1) for _, high in wishes]
    free = max(WIDTH - least, 0) / (wish - least)
    found = [low + (high - low) * free for low, high in wishes]
    return [each * WIDTH / sum(found) for each in found]


def _wish(sheet: Sheet, column: Column, texts: Sequence[str]) -> tuple[float, float]:
    """Return the width at which no word of a column is broken, and the one at which no line is."""
    letters = sheet.letters
    words = [word for text in texts for word in letters.clean(text).split(" ")]
    head = [letters.width(word, "bold", SIZE) for word in letters.clean(column.name, "bold").split(" ")]
    word = max([letters.width(each, "bold", SIZE) for each in words] + head, default=0)
    line = max([letters.width(letters.clean(text), "bold", SIZE) for text in texts] + [max(head)], default=0)
    low = min(max(word + 2 * _PAD, _NARROWEST), _WIDEST_WISH / 2)
    return low, max(min(line + 2 * _PAD, _WIDEST_WISH), low)

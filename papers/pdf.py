"""PDF from values: `printed(paper, blocks)` returns the bytes of a file. The same values are the same bytes, always.

A4; bookmarks for headings; tables with repeated heads; charts as vectors with their words beside them; tagged, so that
a screen reader finds headings, lists, tables and what drawings show. It takes a third of a second to import.
"""

from collections.abc import Iterable

from papers.blocks import Bars, Block, Bullets, Definitions, Grid, Heading, Lines, PageBreak, Paper, Paragraph, Spreads
from papers.grids import draw_grid
from papers.letters import Face
from papers.plots import draw_bars, draw_lines, draw_spreads
from papers.sheet import BODY, INK, QUIET, RULE, SIDE, TOP, WIDTH, Colour, Sheet, ascent, leading

MEDIA_TYPE = "application/pdf"

_HEADINGS: dict[int, tuple[float, float, float]] = {1: (14.0, 8.0, 2.5), 2: (11.0, 6.0, 1.2), 3: (10.0, 4.0, 1.0)}
"""Of each level: size, the space above, the space below."""

_LOOKS: dict[str, tuple[Face, float, Colour, float]] = {
    "plain": ("plain", BODY, INK, 0.0),
    "strong": ("bold", BODY, INK, 0.0),
    "small": ("plain", 8.0, QUIET, 0.0),
    "code": ("mono", 8.0, INK, 0.0),
    "quote": ("plain", BODY, INK, 6.0),
}
_TERM = 48.0


def printed(paper: Paper, blocks: Iterable[Block]) -> bytes:
    """Return a PDF of blocks below the title of a paper. Raises ValueError where the paper's instant has no zone."""
    sheet = Sheet(paper)
    _title(sheet)
    for block in blocks:
        _draw(sheet, block)
    return sheet.done()


def _draw(sheet: Sheet, block: Block) -> None:
    match block:
        case Heading():
            _heading(sheet, block)
        case Paragraph():
            _paragraph(sheet, block)
        case Bullets():
            _bullets(sheet, block)
        case Definitions():
            _definitions(sheet, block)
        case Grid():
            draw_grid(sheet, block)
        case Bars():
            draw_bars(sheet, block)
        case Spreads():
            draw_spreads(sheet, block)
        case Lines():
            draw_lines(sheet, block)
        case PageBreak():
            if sheet.y > TOP:
                sheet.turn()


def _title(sheet: Sheet) -> None:
    paper = sheet.paper
    sheet.text(sheet.letters.lines(paper.title, WIDTH, face="bold", size=20), kind="H1", face="bold", size=20)
    for told in (paper.subtitle, paper.running):
        if told:
            sheet.text(sheet.letters.lines(told, WIDTH, size=10.5), size=10.5, ink=QUIET)
    with sheet.tags.beside():
        sheet.line(SIDE, sheet.y + 2, SIDE + WIDTH, sheet.y + 2, width=0.4)
    sheet.y += 7


def _heading(sheet: Sheet, heading: Heading) -> None:
    size, above, below = _HEADINGS[heading.level]
    lines = sheet.letters.lines(heading.text, WIDTH, face="bold", size=size)
    # a heading does not stand alone at the foot of a page
    sheet.room(above + len(lines) * leading(size) + below + 3 * leading(BODY))
    sheet.skip(above)
    _bookmark(sheet, heading)
    sheet.text(lines, kind=f"H{heading.level + 1}", face="bold", size=size)
    sheet.y += below


def _bookmark(sheet: Sheet, heading: Heading) -> None:
    sheet.pdf.set_y(sheet.y)
    outline = sheet.pdf._outline
    deepest = outline[-1].level + 1 if outline else 0
    sheet.pdf.start_section(sheet.letters.clean(heading.text) or "…", level=min(heading.level - 1, deepest))


def _paragraph(sheet: Sheet, paragraph: Paragraph) -> None:
    face, size, ink, indent = _LOOKS[paragraph.look]
    lines = sheet.letters.lines(paragraph.text, WIDTH - indent, face=face, size=size)
    kind = {"quote": "BlockQuote", "code": "Code"}.get(paragraph.look, "P")
    from_page, from_y = sheet.pdf.page, sheet.y
    sheet.text(lines, kind=kind, face=face, size=size, ink=ink, indent=indent)
    if paragraph.look == "quote" and sheet.pdf.page == from_page:
        with sheet.tags.beside():
            sheet.line(SIDE + 2, from_y, SIDE + 2, sheet.y, ink=RULE, width=0.8)
    sheet.skip(2.2)


def _bullets(sheet: Sheet, bullets: Bullets) -> None:
    with sheet.tags.group("L"):
        for number, item in enumerate(bullets.items, start=1):
            mark = f"{number}." if bullets.numbered else "•"
            sheet.room(leading(BODY))
            with sheet.tags.group("LI"):
                with sheet.tags.leaf("Lbl"):
                    sheet.write(SIDE + 1, sheet.y + ascent(BODY), mark)
                sheet.text(sheet.letters.lines(item, WIDTH - 8, size=BODY), kind="LBody", indent=8)
            sheet.skip(0.8)
    sheet.skip(1.4)


def _definitions(sheet: Sheet, definitions: Definitions) -> None:
    face: Face = "mono" if definitions.code else "plain"
    size = 8.0 if definitions.code else BODY
    with sheet.tags.group("L"):
        for term, told in definitions.pairs:
            terms = sheet.letters.lines(term, _TERM - 4, size=BODY)
            lines = sheet.letters.lines(told, WIDTH - _TERM, face=face, size=size)
            sheet.room(min(max(len(terms), len(lines)), 4) * leading(BODY))
            with sheet.tags.group("LI"):
                from_page, from_y = sheet.pdf.page, sheet.y
                sheet.text(terms, kind="Lbl", ink=QUIET)
                ended = sheet.y
                if sheet.pdf.page == from_page:
                    sheet.y = from_y
                sheet.text(lines, kind="LBody", face=face, size=size, indent=_TERM)
                if sheet.pdf.page == from_page:
                    sheet.y = max(sheet.y, ended)
            sheet.skip(0.8)
    sheet.skip(1.4)

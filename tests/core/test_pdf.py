"""PDF from values: what is printed is found again, and nothing that a person may type breaks it."""

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from papers.blocks import (
    Bar,
    Bars,
    Block,
    Bullets,
    Column,
    Curve,
    Definitions,
    Grid,
    Heading,
    Lines,
    PageBreak,
    Paper,
    Paragraph,
    Spread,
    Spreads,
)
from papers.pdf import printed

WRITTEN = datetime(2026, 11, 3, 10, 12, tzinfo=UTC)
PAPER = Paper("Receipt", WRITTEN, running="As at 3 November 2026", footer="Fair Garments")
EVERYTHING: tuple[Block, ...] = (
    Heading("Results"), Heading("Wages", 2), Paragraph("Said plainly."), Paragraph("Said by her.", "quote"),
    Paragraph("9f86d081", "code"), Bullets(["First thing", "Second thing"], numbered=True),
    Definitions([("Signed by", "Ms Åsa Dvořák")]), Definitions([("Digest", "a1b2" * 16)], code=True),
    Bars("Do you check?", [Bar("Yes", 12, "12 (60 %)"), Bar("No", None, "too few")]),
    Spreads("Workers", [Spread("Asia", 1, 5, 90, "median 5"), Spread("Europe", None, None, None, "too few")]),
    Lines("Answers", "All answered by day 4.", [Curve("Answered", [(0, 0), (4, 9)], band=[(0, 1), (8, 9)])],
          [(0, "1 May"), (4, "5 May")]),
    PageBreak(), Grid([Column("Member"), Column("Score", "right")], [("Łódź Mills", "71"), ("Total", "71")],
                      caption="Scores", total=True),
)  # fmt: skip


def read(*blocks: Block, paper: Paper = PAPER) -> PdfReader:
    return PdfReader(io.BytesIO(printed(paper, blocks)))


def words(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def test_everything_that_is_printed_can_be_found_as_text() -> None:
    text = words(read(*EVERYTHING))
    for told in ("Receipt", "Wages", "Said by her.", "9f86d081", "Second thing", "Ms Åsa Dvořák", "12 (60 %)",
                 "too few", "median 5", "All answered by day 4.", "Łódź Mills", "5 May", "Scores"):  # fmt: skip
        assert told in text


def test_the_same_values_are_the_same_bytes_and_another_instant_is_not() -> None:
    assert printed(PAPER, EVERYTHING) == printed(PAPER, EVERYTHING)
    assert printed(PAPER, EVERYTHING) != printed(Paper("Receipt", WRITTEN.replace(minute=13)), EVERYTHING)


def test_a_paper_says_what_it_is_and_when_it_was_made() -> None:
    paper = Paper("Prüfbericht", WRITTEN, subject="CMP-1", author="Fair Garments", language="de")
    reader = read(Paragraph("x"), paper=paper)
    told = reader.metadata
    assert told is not None
    assert (told.title, told.author, told.subject) == ("Prüfbericht", "Fair Garments", "CMP-1")
    assert told.creation_date == WRITTEN
    assert reader.trailer["/Root"]["/Lang"] == "de"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        printed(Paper("Receipt", datetime(2026, 11, 3)), [])  # noqa: DTZ001  that is what is tried


def test_every_page_says_which_of_how_many_it_is_and_all_but_the_first_as_at_when() -> None:
    reader = read(Paragraph("One."), PageBreak(), Paragraph("Two."), PageBreak(), Paragraph("Three."))
    assert len(reader.pages) == 3
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert f"Page {number} of 3" in text
        assert text.count("As at 3 November 2026") == 1


def test_headings_are_bookmarks_however_their_levels_jump() -> None:
    outline = read(Heading("Deep", 3), Heading("Flat", 1), Heading("Deeper", 3)).outline
    assert outline[0]["/Title"] == "Deep"
    assert outline[1]["/Title"] == "Flat"
    assert outline[2][0]["/Title"] == "Deeper"


def test_the_head_of_a_table_is_repeated_on_each_of_its_pages() -> None:
    rows = [(f"Member {number}", str(number)) for number in range(120)]
    reader = read(Grid([Column("Who it is"), Column("Score", "right")], rows))
    assert len(reader.pages) > 2
    assert all("Who it is" in page.extract_text() for page in reader.pages)
    told = words(reader)
    assert all(f"Member {number}" in told for number in range(120))


def test_a_row_higher_than_a_page_goes_on_overleaf() -> None:
    reader = read(Grid([Column("A"), Column("B")], [("x", "word " * 4000), ("last", "row")]))
    assert words(reader).count("word") == 4000
    assert "last" in reader.pages[-1].extract_text()


def test_numbers_stand_at_the_right_edge_of_their_column() -> None:
    places = {}

    def look(text: str, _cm: object, matrix: list[float], *_: object) -> None:
        places[text.strip()] = matrix[4]

    reader = read(Grid([Column("A"), Column("N", "right")], [("a", "7"), ("b", "7,777")]))
    reader.pages[0].extract_text(visitor_text=look)
    assert places["7"] > places["7,777"]


@pytest.mark.parametrize(
    "text",
    ["x" * 1200, "שלום עולם", "مرحبا بالعالم", "会員 会社", "👩‍👩‍👧 🏳️‍🌈", "\x00\x07\x1b[0m", "\ud800 alone",
     "a\tb\r\nc\u2028d", "e\u0301 " * 50, "", "   ", "( \\ ) Tj ET", "\u202eabc\u202c", "{nb}"],
)  # fmt: skip
def test_nothing_that_somebody_types_breaks_a_paper(text: str) -> None:
    reader = read(
        Heading(text), Paragraph(text), Bullets([text]), Definitions([(text, text)]), Bars(text, [Bar(text, 1, text)]),
        Spreads(text, [Spread(text, 1, 2, 3, text)]), Lines(text, text, [Curve(text, [(0, 0)])], [(0, text)]),
        Grid([Column(text), Column("B")], [(text, text), (text,), ("a", "b", "no column")], caption=text),
        paper=Paper(text or "x", WRITTEN, running=text, footer=text, subtitle=text),
    )  # fmt: skip
    assert len(reader.pages) >= 1


def test_a_character_that_no_font_holds_is_a_visible_box() -> None:
    assert "Shop □□ Ltd" in words(read(Paragraph("Shop 東京 Ltd")))


def test_no_letter_is_set_outside_the_page() -> None:
    found: list[tuple[float, float]] = []
    reader = read(Grid([Column(f"Column {n}") for n in range(12)], [["W" * 40] * 12] * 3), Paragraph("W" * 900))
    for page in reader.pages:
        page.extract_text(visitor_text=lambda text, _cm, tm, *_: found.append((tm[4], tm[5])) if text.strip() else None)
    assert all(40 < x < 595 - 40 and 20 < y < 842 for x, y in found)


def test_a_screen_reader_finds_headings_lists_tables_and_what_a_drawing_shows() -> None:
    root = read(*EVERYTHING).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    kinds, alternatives = [], []

    def walk(element: object) -> None:
        if isinstance(element, int):
            return
        found = element.get_object()  # type: ignore[attr-defined]
        kinds.append(found["/S"])
        alternatives.append(found.get("/Alt", ""))
        for kid in found.get("/K", []):
            walk(kid)

    for kid in root["/StructTreeRoot"]["/K"]:
        walk(kid)
    assert {"/H1", "/H2", "/H3", "/L", "/LI", "/LBody", "/Table", "/TR", "/TH", "/TD", "/Figure"} <= set(kinds)
    assert "Answers. All answered by day 4." in alternatives


def test_ten_thousand_rows_are_a_few_hundred_pages_and_a_few_megabytes() -> None:
    rows = [(f"Member {number}", "Česko", str(number)) for number in range(10_000)]
    paper = printed(PAPER, [Grid([Column("Member"), Column("Country"), Column("Score", "right")], rows)])
    assert len(paper) < 4_000_000
    reader = PdfReader(io.BytesIO(paper))
    assert 150 < len(reader.pages) < 400
    assert "Member 9999" in reader.pages[-1].extract_text()

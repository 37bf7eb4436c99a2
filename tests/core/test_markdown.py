"""Markdown as safe HTML, what has changed between two texts, and which PDFs only show something."""

from __future__ import annotations

import re
import zlib

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from papers import pdf_check
from papers.changes import compared
from papers.markdown import to_html


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(to_html(text), "html5lib")


HOSTILE = st.lists(
    st.sampled_from([
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "[a](/admin)", "\n\n",
        "![x](https://elsewhere.example/p.png)", "[a](https://b.example)", "# ", "|a|b|\n|:-|-:|\n|1|2|", "`",
        "```", "> ", "* ", "<style>", "[r]\n\n[r]: data:text/html,x", "&lt;", "\x00", "a\u202eb", "~~", "1. ", "    ",
        "wörd", "<!--",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@given(HOSTILE)
def test_nothing_that_runs_or_loads_comes_out_whatever_goes_in(text: str) -> None:
    for tag in soup(text).body.find_all(True):  # type: ignore[union-attr]
        assert tag.name not in {"script", "style", "img", "iframe", "object", "form", "input", "link", "meta", "h1"}
        assert not [name for name in tag.attrs if name.startswith("on") or name in {"style", "src"}]
        if tag.name == "a" and not tag["href"].startswith("#"):
            assert tag["href"].startswith(("https://", "http://", "mailto:"))
            assert tag["rel"] == ["noopener", "noreferrer"]


def test_headings_stand_below_the_page_and_links_within_the_text_lead_to_them() -> None:
    html = soup("# Code\n\n[to the work](#Über-Arbeit)\n\n## Über Arbeit\n\n###### Deep\n\n## Über Arbeit")

    assert [(h.name, h["id"]) for h in html.select("h2, h3, h6")] == [
        ("h2", "text-code"), ("h3", "text-über-arbeit"), ("h6", "text-deep"), ("h3", "text-über-arbeit-2"),
    ]  # fmt: skip
    assert html.select_one("a")["href"] == "#text-über-arbeit"  # type: ignore[index]


def test_a_table_says_what_its_columns_are_without_any_style() -> None:
    html = soup("|Who|Hours|\n|---|--:|\n|All|40|\n")

    assert [(th["scope"], th.get("class")) for th in html.select("th")] == [("col", None), ("col", ["text-end"])]
    assert html.select_one("[style]") is None


def test_two_texts_are_compared_paragraph_by_paragraph_and_word_by_word() -> None:
    before = "# Code\n\nWe pay on time.\n\nThis goes away for good.\n\nThe same."
    after = "# Code\n\nWe pay within thirty days.\n\nThe same.\n\nThis is new."

    found = compared(before, after)
    assert [each.kind for each in found] == ["same", "changed", "removed", "same", "added"]
    assert [(piece.kind, piece.text) for piece in found[1].pieces][1:3] == [
        ("removed", "on time"), ("added", "within thirty days"),
    ]  # fmt: skip
    assert {each.kind for each in compared(before, before.replace("\n", "\r\n"))} == {"same"}


@given(st.text(alphabet="ab \n", max_size=60), st.text(alphabet="ab \n", max_size=60))
def test_what_stayed_and_what_came_is_the_new_text_word_for_word(before: str, after: str) -> None:
    pieces = [piece.text for each in compared(before, after) for piece in each.pieces if piece.kind != "removed"]

    assert "".join("".join(pieces).split()) == "".join(after.split())


def pdf(inside: bytes) -> bytes:
    return b"%PDF-1.7\n1 0 obj\n" + inside + b"\nendobj\ntrailer << >>\nstartxref\n9\n%%EOF\n"


def test_a_pdf_that_only_shows_something_is_taken() -> None:
    picture = b"<< /Length 9 >>\nstream\n\x00/JS\xff\x01/A\nendstream"

    assert pdf_check.objection(pdf(b"<< /Type /Catalog /OpenAction [3 0 R /Fit] /Names << >> >>")) is None
    assert pdf_check.objection(pdf(picture)) is None
    assert pdf_check.objection(pdf(PACKED + b">>\nstream\n" + zlib.compress(b"<< >>") + b"\nendstream")) is None


SCRIPT = b"<< /S /JavaScript >>"
PACKED = b"<< /Type /ObjStm /Filter /FlateDecode "


@pytest.mark.parametrize(
    "inside",
    [
        b"<< /S /JavaScript >>", b"<< /S /J#61vaScript >>", b"<< /JS (x) >>", b"<< /S /Launch >>",
        b"<< /Encrypt 4 0 R >>",
        b"<< /Names << /EmbeddedFiles 3 0 R >> >>", b"<< /S /SubmitForm >>", b"<< /AcroForm << /XFA 1 0 R >> >>",
        PACKED + b">>\nstream\n" + zlib.compress(SCRIPT) + b"\nendstream",
        b"<< /Type /Obj#53tm /Filter [ /FlateDecode ] >>\nstream\r\n" + zlib.compress(SCRIPT) + b"\nendstream",
        PACKED + b">>\nstream\n" + zlib.compress(b"(\nendstream\n)" + SCRIPT, 0) + b"\nendstream",
        PACKED + b"/X (1 0 obj) >>\nstream\n" + zlib.compress(SCRIPT) + b"\nendstream",
        PACKED + b"/DecodeParms << /Predictor 12 >> >>\nstream\n" + zlib.compress(SCRIPT) + b"\nendstream",
        b"<< /Type /ObjStm /Filter /ASCIIHexDecode >>\nstream\n" + SCRIPT.hex().encode() + b">\nendstream",
        b"<< /N 1 /First 4 /Filter 7 0 R >>\nstream\n" + zlib.compress(SCRIPT) + b"\nendstream",
    ],
)  # fmt: skip
def test_a_pdf_that_does_more_is_not(inside: bytes) -> None:
    assert pdf_check.objection(pdf(inside)) is not None


def test_a_stream_that_unpacks_without_end_is_not_unpacked() -> None:
    bomb = zlib.compress(b"\0" * (70 * 1024 * 1024), 9)
    packed = PACKED + b">>\nstream\n" + bomb + b"\nendstream"

    assert pdf_check.objection(pdf(packed)) == "what is packed inside is too large to be looked at"


def test_many_headings_of_one_name_are_told_apart_at_once():
    ids = re.findall(r'id="([^"]+)"', to_html("# a 2\n# a\n# a\n" + "# a\n" * 20_000))
    assert ids[:3] == ["text-a-2", "text-a", "text-a-3"]
    assert len(set(ids)) == len(ids) == 20_003

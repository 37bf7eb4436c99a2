"""The reports of a campaign: figures with and without small numbers, year on year, risks, and their copies."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from sqlalchemy import text
from typer.testing import CliRunner

from cases.campaigning.answered import DIMENSIONS
from cases.campaigning.results import Narrowed, results
from cases.campaigning.risk_report import BEFORE, risk_report
from cases.errors import BadInput, NotAllowed
from cli.main import app
from config.database import transaction
from papers.blocks import Paragraph
from reports.campaigns import results_copy, risk_copy
from reports.results import results_report
from tests.campaign_story import NORTH, SOUTH, Story, launched
from tests.cast import Cast

GERMANS, FRENCH = NORTH[:8], NORTH[8:]


@pytest.fixture
def story(cast: Cast) -> Story:
    """Two years of a campaign: last year 12 answered, this year 18, with a caveat on one of them."""
    first = launched(cast, title="Member pulse 2025")
    _place(cast)
    for number, name in enumerate((*GERMANS, *SOUTH[:4])):
        first.answers(name, staff=100 + number, code_progress="on_track", contact_current=True)
    story = launched(cast)
    for number, name in enumerate((*NORTH[:12], *SOUTH[:6])):
        progress = "not_started" if number in (0, 1, 8, 9, 10, 12) else "on_track"
        story.answers(name, staff=200 + number, code_progress=progress, contact_current=True)
    caveat = story.response(SOUTH[5])
    with transaction(cast.env.engine) as conn:
        conn.execute(
            text('UPDATE cases SET data = data || \'{"excluded": ["staff"]}\' WHERE ref = :ref'),
            {"ref": caveat},
        )
    return story


def _place(cast: Cast) -> None:
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE members SET country = 'DE', region = 'Europe' WHERE team = 'North'"))
        conn.execute(text("UPDATE members SET country = 'FR' WHERE name = ANY(:names)"), {"names": list(FRENCH)})
        conn.execute(text("UPDATE members SET country = 'BR', region = 'Americas' WHERE team = 'South'"))


def told(story: Story, who: str = "Mina", **which: Any) -> Any:
    return results(story.cast.env, story.ref, actor=story.cast.actor(who), **which)


def item(found: Any, key: str) -> Any:
    return next(each for _, part in found.parts for one in part for each in one.items if each.item.key == key)


def test_a_campaign_is_told_shared_and_internally_with_last_year_and_its_control_total(story: Story) -> None:
    shared, internal = told(story), told(story, shared=False)
    staff = item(internal, "staff")
    assert (staff.all.n, internal.used, internal.eligible) == (17, 18, 21)  # one is excluded by a caveat
    assert (staff.all.numbers.low, staff.all.numbers.median) == (200, 208)
    assert item(shared, "staff").all.numbers.low is None
    assert staff.change.n == 12 and staff.change.medians == (105.5, 205.5)
    assert {group.name: group.n for group in item(shared, "staff").by["country"]} == {"BR": 5, "DE": None, "FR": None}
    assert shared.source == internal.source != told(story, "Bo").source
    assert [one.excluded for _, part in internal.parts for one in part if one.question.id == "staff"] == [1]

    in_brazil = told(story, narrowed=Narrowed(country="BR"))
    assert in_brazil.told(item(in_brazil, "staff")) == next(
        group for group in item(shared, "staff").by["country"] if group.name == "BR"
    )
    with pytest.raises(BadInput):
        told(story, narrowed=Narrowed(country="DE", tier="General"))
    assert told(story, shared=False, narrowed=Narrowed(country="DE", team="North")).used == 8

    assert item(told(story, "Bo", shared=False), "staff").all.n == 5  # only his own
    with pytest.raises(NotAllowed):
        results_copy(story.cast.env, story.ref, "pdf", actor=story.cast.actor("Bo"))
    _silence(story, shared, internal)
    _copies(story)
    _risks(story)


def _silence(story: Story, shared: Any, internal: Any) -> None:
    """Who gave no answer is told neither as a number nor as the percentage that gives a small number away."""
    staff = next(one for _, part in shared.parts for one in part if one.question.id == "staff")
    for found, unanswered, expected in (
        (shared, 1, ("fewer than 5", None)), (shared, 6, (6, 26.1)), (internal, 1, (1, 5.6)),
    ):  # fmt: skip
        asked = replace(found, parts=[("All", [replace(staff, unanswered=unanswered)])])
        report = results_report(asked, story.cast.env.settings.zone, "Us")
        [sheet] = [each for each in report.sheets if each.name == "Questions"]
        [row] = [dict(zip(sheet.columns, each, strict=True)) for each in sheet.rows]
        assert (row["without an answer"], row["no answer %"]) == expected
        said = [b.text for b in report.blocks if isinstance(b, Paragraph) and "of those asked gave no answer" in b.text]
        assert bool(said) == (expected[1] is not None)


def _copies(story: Story) -> None:
    """The copies hold what they are about and every table; nothing in them is a formula or, if shared, a name."""
    env, mina = story.cast.env, story.cast.actor("Mina")
    pdf = results_copy(env, story.ref, "pdf", actor=mina)
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages)
    source = told(story).source
    for expected in ("Draft of what may be shared", source, "18 answers counted + 0 exempt + 3 without an answer = 21",
                     "Responded", "Accounted for", "How many people work"):  # fmt: skip
        assert expected in words
    assert not [name for name in (*NORTH, *SOUTH) if name in words]
    assert results_copy(env, story.ref, "pdf", actor=mina).content == pdf.content
    book = openpyxl.load_workbook(io.BytesIO(results_copy(env, story.ref, "xlsx", actor=mina).content))
    assert book.sheetnames == [
        "About", "Figures", "Questions", "By tier", "By country", "By region", "Last year"
    ]  # fmt: skip
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    with pytest.raises(BadInput):
        results_copy(env, story.ref, "docx", actor=mina)


def _risks(story: Story) -> None:
    """Who has not answered is not known; scores come out as they were stored; Bo is told of his own members."""
    env, mina = story.cast.env, story.cast.actor("Mina")
    found = risk_report(env, story.ref, actor=mina)
    silent = [line for line in found.lines if line.band == "NOT KNOWN"]
    assert {line.member for line in silent} == {*NORTH[12:], SOUTH[6]}
    assert not found.disagreeing and found.models == {1: 18}
    worst = next(line for line in found.lines if line.member == NORTH[0])
    assert worst.change is not None and worst.change > 0 and "Code of Practice" in worst.drivers[0]
    assert worst.action.startswith("Review by")
    assert {line.member for line in risk_report(env, story.ref, actor=story.cast.actor("Bo")).lines} == set(SOUTH)
    shared = risk_report(env, story.ref, shared=True, actor=mina)
    assert not shared.lines
    small = [cell.number for name in (*DIMENSIONS, BEFORE) for group in shared.by[name] for cell in group.cells]
    assert not [number for number in small if number is not None and 0 < number < shared.smallest]
    with pytest.raises(NotAllowed):
        risk_copy(env, story.ref, "csv", shared=True, actor=story.cast.actor("Bo"))
    with transaction(env.engine) as conn:
        conn.execute(
            text("UPDATE response_answers SET score = jsonb_set(score, '{value}', '1') WHERE case_id ="
                 " (SELECT id FROM cases WHERE ref = :ref)"), {"ref": worst.case},
        )  # fmt: skip
    assert risk_report(env, story.ref, actor=mina).disagreeing == [worst.case]
    internal = risk_copy(env, story.ref, "pdf", actor=mina).content
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(internal)).pages)
    assert NORTH[0] in words and "do not follow from what is stored" in words


def test_the_command_prints_rows_and_writes_files(cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    story = launched(cast)
    for name in NORTH[:6]:
        story.answers(name, staff=10)
    monkeypatch.setattr("cli.campaign_reports.environment", lambda: cast.env)
    run = CliRunner()
    rows = run.invoke(app, ["reports", "results", story.ref])
    assert rows.exit_code == 0 and "# Responded: 6 of 21 (28.5 %)" in rows.output and "left out" in rows.output
    out = tmp_path / "risk.xlsx"
    assert run.invoke(app, ["reports", "risk", story.ref, "--format", "xlsx", "--out", str(out)]).exit_code == 0
    assert openpyxl.load_workbook(out).sheetnames[:2] == ["About", "Members"]
    assert run.invoke(app, ["reports", "results", story.ref, "--format", "pdf"]).exit_code != 0
    refused = run.invoke(app, ["reports", "results", story.ref, "--as", "bo@muster.example"])
    assert refused.exit_code != 0 and "whoever sees all of them" in refused.output

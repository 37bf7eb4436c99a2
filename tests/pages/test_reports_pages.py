"""Reports on pages and in files: figures that explain themselves, and nothing that is not the reader's."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from cases import commands
from reports.spreadsheet import to_xlsx
from reports.table import Table
from tests.cast import MONDAY, Cast
from tests.deciding import a_finding, recommended
from tests.pages.conftest import SignedIn


def two_teams(cast: Cast) -> None:
    """One case of the North and one of the South, both late in April."""
    a_finding(cast, "Northern Gins")
    a_finding(cast, "Southern Gins", "South")
    cast.go_to(MONDAY + timedelta(days=20))


def due(page: object, process: str = "Monitoring case") -> int:
    rows = page.words("tbody tr")  # type: ignore[attr-defined]
    assert all(row.startswith(process) for row in rows)
    cells = page.all("tbody tr td:nth-of-type(1)")  # type: ignore[attr-defined]
    return sum(int(cell.get_text().split()[0]) for cell in cells)


def test_the_reports_there_are_can_be_chosen_with_their_periods(desk: SignedIn) -> None:
    page = desk("Mina").get("/reports")
    shown = page.form('form[action="/reports/deadlines"]').submit(period="2026Q1", process="complaint")
    assert shown.words("h1") == ["Deadlines kept in quarter 1 of 2026"]
    assert "No deadline fell into this period." in shown.main


def test_a_manager_reads_figures_of_all_teams_and_a_coordinator_of_their_own(desk: SignedIn, cast: Cast) -> None:
    two_teams(cast)
    everything = desk("Mina").get("/reports/deadlines?period=2026Q1")
    own = desk("Amara").get("/reports/deadlines?period=2026Q1")
    assert due(everything) == 2 * due(own) > 0
    assert "of the whole organisation" in everything.main
    assert "of the cases you may see" in own.main


def test_the_cases_behind_a_figure_are_those_the_reader_may_see(desk: SignedIn, cast: Cast) -> None:
    two_teams(cast)
    with cast.env.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE cases SET restricted_to = '{1}' WHERE team = 'North'")
    mina = desk("Mina").get("/reports/deadlines?period=2026Q1")
    behind = mina.client.get(str(mina.all("tbody td a")[0]["href"]))
    assert "Southern Gins" in behind.main
    assert "Northern Gins" not in behind.main
    assert "1 of them is not yours to see" in behind.main


def test_a_figure_that_a_coordinator_types_into_the_address_leads_to_no_other_team(desk: SignedIn, cast: Cast) -> None:
    two_teams(cast)
    amara = desk("Amara")
    table = amara.get("/reports/deadlines?period=2026Q1")
    for link in {str(a["href"]) for a in table.all("tbody td a")}:
        assert "Southern" not in amara.get(link).main
    amara.get("/reports/monitoring/cases?period=2026Q1&one=communication&two=all&figure=incidents+logged", status=403)


def test_the_table_of_monitoring_cases_is_public_for_whoever_does_not_see_all_teams(desk: SignedIn, cast: Cast) -> None:
    recommended(cast)
    own = desk("Bo").get("/reports/monitoring?period=2026Q1")
    assert "as it may be published" in own.main
    assert not own.all("tbody a")
    full = desk("Mina").get("/reports/monitoring?period=2026Q1")
    assert "as it may be published" not in full.main
    assert "Incidents logged" in full.main


def test_complaints_are_reported_by_what_they_are_about_each_number_with_its_cases(desk: SignedIn, cast: Cast) -> None:
    for who, member in (("Amara", "Northern Gins"), ("Bo", "Southern Gins")):
        number = cast.members(member, team="North" if who == "Amara" else "South")[0]
        commands.open_one(
            cast.env, "complaint", member=str(cast.scalar("SELECT ref FROM members WHERE id = :id", id=number)),
            subject=f"Cold pool at {member}", payload={"category": "Pools & spas"}, actor=cast.actor(who),
        )  # fmt: skip
    page = desk("Mina").get("/reports/complaints?period=2026Q1")
    assert "2 complaints came in and 0 were closed" in page.main
    assert page.words("tbody tr th")[-2:] == ["Pools & spas", "All"]
    assert "March 2026 so far" in page.main and page.all("svg.plot-lines")
    behind = page.client.get(str(page.all(".table-scroll tbody td a")[0]["href"]))
    assert "Northern Gins" in behind.main and "Southern Gins" in behind.main
    whole = page.client.get("/reports/overview?period=2026Q1")
    assert "2 complaints came in" in whole.main and "Nobody asked to leave" in whole.main
    href = str(whole.all(".heading-actions a")[0]["href"])
    book = load_workbook(io.BytesIO(whole.client.http.get(href).content))
    assert book.sheetnames == ["Complaints", "Cancellations", "Deadlines kept", "Monitoring cases", "About"]
    amara = desk("Amara")
    assert "1 complaint came in" in amara.get("/reports/overview?period=2026Q1").main
    own = amara.get("/reports/complaints?period=2026Q1")
    assert "1 complaint came in" in own.main
    assert "Southern" not in amara.get(str(own.all(".table-scroll tbody td a")[0]["href"])).main
    assert "Nobody asked to leave" in amara.get("/reports/cancellations?period=2026Q1").main


@pytest.mark.parametrize("name", ["deadlines", "monitoring", "complaints"])
def test_a_report_is_taken_along_as_csv_and_as_a_workbook(desk: SignedIn, cast: Cast, name: str) -> None:
    two_teams(cast)
    if name == "complaints":
        commands.open_one(
            cast.env, "complaint", member=None, subject="Cold", payload={"category": "=1+1"}, actor=cast.actor("Bo")
        )
    mina = desk("Mina")
    page = mina.get(f"/reports/{name}?period=2026Q1")
    links = {a.get_text().strip(): str(a["href"]) for a in page.all(".heading-actions a")}
    text = mina.http.get(links["CSV"])
    assert text.headers["content-disposition"].startswith("attachment")
    assert text.text.startswith("\ufeff# ")
    rows = list(csv.reader(line for line in text.text.splitlines() if not line.startswith(("#", "\ufeff#"))))
    assert len({len(row) for row in rows}) == 1
    book = load_workbook(io.BytesIO(mina.http.get(links["Excel"]).content))
    assert [cell.value for cell in book["Figures"][1]] == rows[0]
    assert any("As at" in str(cell.value) for row in book["About"].iter_rows() for cell in row)


def test_what_looks_like_a_formula_is_a_text_in_a_workbook() -> None:
    table = Table("=1+1", MONDAY, ("name", "n"), (('=HYPERLINK("http://x")', 1), ("+1", 2), ("ok\x07", None)))
    book = load_workbook(io.BytesIO(to_xlsx(table)))
    cells = [cell for row in (*book["Figures"].iter_rows(), *book["About"].iter_rows()) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert [cell.value for cell in book["Figures"]["A"]] == ["name", '=HYPERLINK("http://x")', "+1", "ok"]


@pytest.mark.parametrize("address", ["deadlines?period=2026Q5", "deadlines?period=1800", "monitoring?period=2026-03",
                                     "deadlines?format=pdf"])  # fmt: skip
def test_a_period_or_file_that_does_not_exist_is_refused_in_a_sentence(desk: SignedIn, address: str) -> None:
    assert desk("Mina").get(f"/reports/{address}", status=422).all("[role=alert]")


def test_an_unknown_report_or_process_is_not_there(desk: SignedIn) -> None:
    desk("Mina").get("/reports/deadlines?process=nonsense", status=404)
    desk("Mina").get("/reports/nonsense/cases", status=404)

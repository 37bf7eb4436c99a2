"""The page on which managers see how much lies on whose desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import MONDAY, Cast
from tests.deciding import a_finding, away, recommended, staff_id
from tests.pages.conftest import SignedIn


@pytest.mark.parametrize("who", ["Amara", "Ada", "Cara"])
def test_the_load_of_others_is_for_managers(desk: SignedIn, who: str) -> None:
    desk(who).get("/team", status=403)


def test_each_number_leads_to_the_cases_behind_it(desk: SignedIn, cast: Cast) -> None:
    a_finding(cast)
    cast.go_to(MONDAY + timedelta(days=30))
    mina = desk("Mina")
    page = mina.get("/team")
    [row] = [row for row in page.all("tbody tr") if row.select("th")[0].get_text().strip().startswith("Amara")]
    links = [str(a["href"]) for a in row.select("td a")]
    assert f"/cases?owner={staff_id(cast, 'Amara')}" in links
    for link in links:
        assert "Acme Gins" in mina.get(link).main
    assert row.select("meter")


def test_who_is_away_is_shown_with_who_stands_in(desk: SignedIn, cast: Cast) -> None:
    away(cast, "Amara", "Bo")
    [row] = [words for words in desk("Mina").get("/team").words("tbody tr") if words.startswith("Amara")]
    assert "Away" in row
    assert "until 6 March 2026" in row
    assert "Bo stands in" in row


def test_cases_that_wait_for_a_decision_count_for_the_coordinator(desk: SignedIn, cast: Cast) -> None:
    recommended(cast)
    page = desk("Mina").get("/team")
    [row] = [row for row in page.all("tbody tr") if row.select("th")[0].get_text().strip().startswith("Amara")]
    [waiting] = row.select('td[data-label="Waiting for a decision"] a')
    assert str(waiting.contents[0]) == "1"
    behind = page.client.get(str(waiting["href"]))
    assert len(behind.all("tr[id^=case-]")) == 1 and "coordinator: Amara" in behind.main


def test_what_is_due_on_monday_is_among_the_coming_days_of_sunday(desk: SignedIn, cast: Cast) -> None:
    a_finding(cast)
    cast.go_to(MONDAY + timedelta(days=6))
    with cast.env.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE cases SET deadline_at = %s", (MONDAY + timedelta(days=7),))
    page = desk("Mina").get("/team")
    [coming] = page.all('td[data-label="Next 7 days"] a')
    assert str(coming.contents[0]) == "1"
    assert "Acme Gins" in page.client.get(str(coming["href"])).main
    assert "until 14 March 2026" in page.main


def test_a_manager_of_nobody_is_told_so_by_a_list_of_one(desk: SignedIn, cast: Cast) -> None:
    assert [words.split()[0] for words in desk("Max").get("/team").words("tbody th")] == ["Max"]


def test_a_senior_manager_sees_everybody_who_works_on_cases(desk: SignedIn) -> None:
    names = {words.split()[0] for words in desk("Sol").get("/team").words("tbody th")}
    assert names >= {"Amara", "Bo", "Mina", "Max", "Sol", "Cara"}
    assert "Ada" not in names

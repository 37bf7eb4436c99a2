"""The handbook on the desk: every process in words, and how many cases are where now."""

from __future__ import annotations

import re

import pytest

from cases.commands import fire, open_one
from state_machines.registry import process_named, processes
from tests.cast import Cast
from tests.pages.conftest import SignedIn


def a_complaint(cast: Cast, who: str) -> str:
    given = {"category": "service", "complainant_name": "Carl", "complainant_email": "c@x.example"}
    return open_one(cast.env, "complaint", member=None, subject="Cold", payload=given, actor=cast.actor(who)).after.ref


@pytest.mark.parametrize("name", list(processes()))
def test_every_process_has_a_page_that_every_reader_can_use(desk: SignedIn, name: str) -> None:
    process = process_named(name)
    page = desk("Cara").get(f"/processes/{name.replace('_', '-')}")

    assert page.words("h1") == [process.title]
    for state in process.states:
        row = page.one(f"#state-{state.name}").find_parent("tr")
        assert row is not None and state.title in row.get_text()
    for table in page.all(".handbook table"):
        assert table.caption is not None and table.caption.get_text()
        assert all(cell.get("data-label") for cell in table.select("td"))
        assert all(len(row.select("th[scope=row]")) == 1 for row in table.select("tbody tr"))
    targets = {str(each["id"]) for each in page.all("[id]")}
    assert {str(a["href"])[1:] for a in page.all('main a[href^="#"]')} <= targets
    assert "```" not in page.text and "<!--" not in page.text and "mermaid" not in page.text
    assert "No case of this kind" in page.main
    shown = " ".join(page.words(".handbook table"))
    left = re.findall(r"\b(?:WD|CD|CM|BEGIN|BACK)\(|\b(?:due|start)[+-]\d|\b[a-z]+_[a-z_]+|party:", shown)
    assert left == [], "everything is said in people's words"


def test_the_diagram_stands_on_the_page(desk: SignedIn) -> None:
    assert desk("Cara").get("/processes/complaint").all(".handbook svg")


def test_cases_are_counted_by_state_and_lead_to_their_list(cast: Cast, desk: SignedIn) -> None:
    refs = [a_complaint(cast, "Amara") for _ in range(3)]
    fire(cast.env, refs[0], "withdraw", actor=cast.actor("Amara"))
    a_complaint(cast, "Bo")

    page = desk("Mina").get("/processes/complaint")
    [link] = page.all("#now td a")
    assert (link.get_text(), link["href"]) == ("3", "/cases?process=complaint&state=received")
    assert desk("Bo").get("/processes/complaint").words("#now td a") == ["1"]
    assert desk("Bo").get("/processes").words("tbody td.number a") == ["1"]


def test_all_processes_are_listed_and_lead_to_their_pages(desk: SignedIn) -> None:
    page = desk("Amara").get("/processes")

    assert page.words("tbody th") == [each.title for each in processes().values()]
    assert page.follow("Survey response").words("h1") == ["Survey response"]


def test_a_process_nobody_knows_is_not_found(desk: SignedIn) -> None:
    desk("Amara").get("/processes/nonsense", status=404)

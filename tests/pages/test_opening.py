"""Opening a case by hand, from a plain list of kinds to the page of the new case."""

from __future__ import annotations

import pytest

from members.staff_commands import add_staff
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import SignedIn

COMPLAINT = {"category": "pool", "description": "Studená voda, žádný kůň"}


def test_the_kinds_are_those_somebody_may_open_in_plain_words(desk: SignedIn, cast: Cast) -> None:
    page = desk("Amara").get("/cases/new")

    assert page.words("main h2") == ["Monitoring case", "Complaint", "Cancellation"]
    assert "A complaint: acknowledged, answered at one or two stages, put right, and closed." in page.main


def test_whoever_only_reads_opens_nothing(desk: SignedIn, cast: Cast) -> None:
    add_staff(cast.env.engine, "Otto", "otto@muster.example", ["auditor"], actor=SYSTEM, now=MONDAY)

    assert "You may not open cases" in desk("Otto").get("/cases/new").main
    desk("Otto").get("/cases/new/complaint", status=404)


@pytest.mark.parametrize("kind", ["survey_response", "survey_campaign", "coffee"])
def test_what_is_not_opened_by_hand_has_no_form(desk: SignedIn, cast: Cast, kind: str) -> None:
    desk("Mina").get(f"/cases/new/{kind}", status=404)


def test_a_case_is_opened_and_shown(desk: SignedIn, cast: Cast) -> None:
    cast.members("Süßstoff & Söhne")
    form = desk("Amara").get("/cases/new").follow("Complaint").form("#open")

    page = form.submit(member="süßstoff & söhne", subject="Studená voda", received="2026-02-27",
                       external_ref="CRM 7/ž", **COMPLAINT)  # fmt: skip

    assert page.words("h1") == ["Studená voda"]
    assert page.words("#owner") == ["Amara (coordinator)"]
    assert "Received 27 Feb 2026, 12:00" in page.main
    assert "CRM 7/ž" in page.main
    assert page.one("a.case-member").text == "Süßstoff & Söhne"


def test_what_is_missing_or_cannot_be_is_told_by_the_field_and_everything_stays(desk: SignedIn, cast: Cast) -> None:
    form = desk("Amara").get("/cases/new/complaint").form("#open")

    again = form.submit(member="Nobody Ltd", subject=" ", received="2026-03-03", **COMPLAINT)

    assert again.status == 422
    assert again.words("#field-received-error") == ["Error: Cannot be in the future"]
    assert again.words("#field-member-error")[0].startswith("Error: No member")
    assert again.words("#field-subject-error") == ["Error: Is required: one line that says what it is about"]
    assert again.one("#field-description").text == COMPLAINT["description"]
    assert cast.scalar("SELECT count(*) FROM cases") == 0


def test_what_the_process_refuses_is_told_at_the_head(desk: SignedIn, cast: Cast) -> None:
    again = desk("Amara").get("/cases/new/complaint").form("#open").submit(subject="Cold pool")

    assert again.status == 422
    assert "Say what the complaint is about: a category, or a description." in again.words(".alert-danger")[0]


def test_a_day_typed_by_hand_that_is_none_stays_in_its_field(desk: SignedIn, cast: Cast) -> None:
    again = desk("Amara").get("/cases/new/complaint").form("#open").submit(subject="x", received="yesterday")

    assert again.words("#field-received-error") == ["Error: Received must be a date, such as 2026-03-02."]
    assert again.one("#field-received")["value"] == "yesterday"


def test_one_that_may_be_open_already_is_shown_first_and_can_be_opened_all_the_same(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    form = desk("Amara").get("/cases/new/complaint").form("#open")

    asked = form.submit(member="Acme", subject="Cold again", **COMPLAINT)
    opened = asked.form("#open").submit("It is another: open it")

    assert asked.status == 409
    assert [a.text for a in asked.all(".alert-warning a")] == [ref]
    assert asked.one("#field-subject")["value"] == "Cold again"
    assert opened.words("h1") == ["Cold again"]


def test_a_member_of_another_team_is_not_found(desk: SignedIn, cast: Cast) -> None:
    cast.members("Acme")
    form = desk("Bo").get("/cases/new/complaint").form("#open")

    north = form.submit(member="Acme", subject="x", **COMPLAINT).words("#field-member-error")
    nobody = form.submit(member="Zcme", subject="x", **COMPLAINT).words("#field-member-error")

    assert [text.replace("Acme", "Zcme") for text in north] == nobody


def test_a_reference_of_theirs_is_taken_once(desk: SignedIn, cast: Cast) -> None:
    amara = desk("Amara")
    amara.get("/cases/new/complaint").form("#open").submit(subject="x", external_ref="7", **COMPLAINT)

    again = amara.get("/cases/new/complaint").form("#open").submit(subject="y", external_ref="7", **COMPLAINT)

    assert again.words(".alert-danger") == ["There is a complaint with the reference 7 already."]
    assert again.one("#field-subject")["value"] == "y"


def test_the_member_one_comes_from_is_filled_in(desk: SignedIn, cast: Cast) -> None:
    page = desk("Amara").get("/cases/new?member=M-000001").follow("Complaint")

    assert page.one("#field-member")["value"] == "M-000001"

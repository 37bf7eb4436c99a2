"""Members' own pages in a real browser on a phone: saved while one types, questions that come and go."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.asked import asked_survey
from tests.browser.conftest import PHONE, Someone
from tests.cast import Cast

pytestmark = pytest.mark.browser


@pytest.fixture
def home(cast: Cast, tmp_path: Path) -> str:
    """The personal page of a survey."""
    return f"/m/{asked_survey(cast, tmp_path)}"


def test_answers_are_saved_while_one_goes_and_questions_come_and_go(someone: Someone, home: str, cast: Cast) -> None:
    page = someone().page
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{home}/s/pulse")
    page.locator("#q-staff-a").fill("120")
    page.get_by_role("group", name="Are the contacts").get_by_label("No", exact=True).check()

    expect(page.locator("#q-contact_changes-a")).to_be_visible()
    expect(page.locator("[data-saved]")).to_have_text("Saved at 10:00")
    expect(page.locator("[data-progress]")).to_have_text("2 of 5 answered")
    expect(page.locator("#q-staff-a")).to_have_value("120")
    page.get_by_role("group", name="Are the contacts").get_by_label("Yes", exact=True).check()
    expect(page.locator("#q-contact_changes-a")).to_have_count(0)
    page.reload()
    expect(page.locator("#q-staff-a")).to_have_value("120")
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'save'") == 1


def test_what_does_not_fit_is_said_beside_the_field_while_one_types_on(someone: Someone, home: str) -> None:
    page = someone().page
    page.goto(f"{home}/s/pulse")
    page.locator("#q-staff-a").fill("many")
    page.locator("#q-staff-a").blur()

    expect(page.locator("#q-staff-error")).to_contain_text("Enter a number")
    expect(page.locator("#q-staff-a")).to_have_value("many")
    page.locator("#q-staff-a").fill("7")
    page.locator("#q-staff-a").blur()
    expect(page.locator("#q-staff-error")).to_have_count(0)


def test_two_people_see_that_the_other_one_answered(someone: Someone, home: str) -> None:
    mine, theirs = someone().page, someone().page
    for page in (mine, theirs):
        page.goto(f"{home}/s/pulse")
    theirs.locator("#q-staff-a").fill("120")
    theirs.locator("#q-staff-a").blur()
    expect(theirs.locator("[data-saved]")).to_have_text("Saved at 10:00")
    mine.locator("#q-staff-a").fill("130")
    mine.locator("#q-staff-a").blur()

    expect(mine.locator("#q-staff-conflict")).to_contain_text("120 people")
    expect(mine.locator("#q-staff-a")).to_have_value("130")
    mine.get_by_label("On track").check()
    expect(mine.locator("[data-progress]")).to_have_text("2 of 4 answered")
    theirs.reload()
    expect(theirs.locator("#q-staff-a")).to_have_value("120")
    mine.get_by_role("button", name="Save and come back later").click()
    expect(mine.get_by_role("button", name="Go on")).to_be_visible()
    theirs.reload()
    expect(theirs.locator("#q-staff-a")).to_have_value("130")


def test_saving_does_not_take_back_what_a_colleague_has_answered(someone: Someone, home: str) -> None:
    mine, theirs = someone().page, someone().page
    for page in (mine, theirs):
        page.goto(f"{home}/s/pulse")
    theirs.locator("#q-staff-a").fill("120")
    theirs.locator("#q-staff-a").blur()
    expect(theirs.locator("[data-saved]")).to_have_text("Saved at 10:00")
    mine.get_by_label("On track").check()
    expect(mine.locator("#q-staff-a")).to_have_value("120")
    mine.get_by_label("Behind").check()
    mine.get_by_role("button", name="Save and come back later").click()
    expect(mine.get_by_role("button", name="Go on")).to_be_visible()

    theirs.reload()
    expect(theirs.locator("#q-staff-a")).to_have_value("120")
    expect(theirs.get_by_label("Behind")).to_be_checked()


def test_without_a_connection_the_page_stays_and_what_was_typed_outlives_a_reload(someone: Someone, home: str) -> None:
    page = someone().page
    page.goto(f"{home}/s/pulse")
    page.route("**/s/pulse", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.locator("#q-staff-a").fill("120")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator("[data-saved]")).to_contain_text("Not saved: there is no connection")
    page.reload()
    expect(page.locator("#q-staff-a")).to_have_value("120")
    expect(page.locator("[data-saved]")).to_contain_text("Not saved: there is no connection")

    page.unroute("**/s/pulse")
    page.get_by_role("button", name="Save and come back later").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.goto(f"{home}/s/pulse")
    expect(page.locator("#q-staff-a")).to_have_value("120")


def test_what_was_typed_in_the_last_moment_is_not_lost(someone: Someone, home: str) -> None:
    page = someone().page
    page.goto(f"{home}/s/pulse")
    page.locator("#q-staff-a").press_sequentially("77")
    page.goto(home)
    page.wait_for_timeout(500)
    page.goto(f"{home}/s/pulse")

    expect(page.locator("#q-staff-a")).to_have_value("77")


def test_files_that_are_too_large_are_told_before_they_are_sent_and_nothing_typed_is_lost(
    someone: Someone, home: str, tmp_path: Path
) -> None:
    film = tmp_path / "film.pdf"
    with film.open("wb") as file:
        file.truncate(31 * 1024 * 1024)
    page = someone().page
    page.goto(f"{home}/s/pulse")
    page.locator("[name='f.code_progress']").set_input_files(film)
    page.locator("#q-staff-a").fill("120")
    page.locator("#q-staff-a").blur()

    expect(page.locator("[data-saved]")).to_have_text("Saved at 10:00")
    expect(page.locator("[data-too-large]")).to_contain_text("31 MB together")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator("[name='f.code_progress']")).to_be_focused()
    page.reload()
    expect(page.locator("#q-staff-a")).to_have_value("120")


def test_a_whole_survey_is_sent_from_a_phone(someone: Someone, home: str, cast: Cast) -> None:
    page = someone().page
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(home)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("group", name="Are the contacts").get_by_label("Yes", exact=True).check()
    page.locator("#q-staff-a").fill("120")
    page.get_by_label("On track").check()
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_label("Your name").fill("Chandra Mills")
    page.get_by_label("I may answer for").check()
    page.get_by_role("button", name="Submit the answers").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your answers have arrived")
    assert cast.scalar("SELECT state FROM cases WHERE process = 'survey_response'") == "dq_review"

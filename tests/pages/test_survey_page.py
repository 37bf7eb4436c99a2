"""A survey on its personal page: answered in pieces, by several people, looked through, submitted once."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import pytest

from cases import campaigns
from cases.answers import submit as hand_in
from cases.own.links import token_of
from cases.sweep import sweep_due
from tests.asked import PLAN, asked_survey, fire, ref_of, response
from tests.cast import Cast
from tests.pages.inspector import Client, Page

PULSE = "/s/pulse"
NEXT = "Save and continue"
WHOLE = {"a.contact_current": "yes", "a.staff": "120", "a.code_progress": "on_track"}
CHANDRA = {"respondent.name": "Chandra Mills", "respondent.role": "Director", "respondent.email": "c@mills.example"}


@pytest.fixture
def home(cast: Cast, tmp_path: Path) -> str:
    """The address of the personal page of a survey of five questions."""
    return f"/m/{asked_survey(cast, tmp_path)}"


def section(visitor: Client, home: str) -> Page:
    return visitor.get(home + PULSE)


def state(cast: Cast) -> str:
    return str(cast.scalar("SELECT state FROM cases WHERE process = 'survey_response'"))


def answered(visitor: Client, home: str) -> Page:
    section(visitor, home).form("form[data-autosave]").send(WHOLE)
    return visitor.get(home + "/review")


def submitted(visitor: Client, home: str) -> Page:
    return answered(visitor, home).form().send({**CHANDRA, "declaration": "yes"})


def test_the_first_page_says_what_is_asked_by_when_and_how_far_it_is(visitor: Client, home: str) -> None:
    page = visitor.get(home)

    assert page.words("h1") == ["Member pulse 2026"]
    assert "Friday 17 April 2026" in page.main and "London time" in page.main
    assert "0 of 4 answered" in page.main
    assert page.one("html")["lang"] == "en"


def test_opening_is_noted_when_somebody_presses_start_and_not_before(visitor: Client, home: str, cast: Cast) -> None:
    visitor.get(home)
    section(visitor, home)
    assert state(cast) == "invited"

    page = visitor.get(home).form().submit()

    assert state(cast) == "opened"
    assert page.path == home + PULSE


def test_saving_goes_on_to_the_next_page_and_every_device_shows_it(visitor: Client, home: str, cast: Cast) -> None:
    page = section(visitor, home).form("form[data-autosave]").send(WHOLE, button="Save and continue")

    assert page.path == home + "/review"
    again = section(Client(visitor._app, visitor._engine), home)
    assert again.one('[name="a.staff"]')["value"] == "120"
    assert again.one('[name="a.contact_current"][checked]')["value"] == "yes"
    assert "3 of 4 answered" in again.text


def test_an_answer_that_makes_more_questions_appear_keeps_the_reader_there(visitor: Client, home: str) -> None:
    assert section(visitor, home).all('[data-question="contact_changes"]') == []

    page = section(visitor, home).form("form[data-autosave]").send({"a.contact_current": "no"}, "Save and continue")

    assert page.path.startswith(home + PULSE)
    assert page.one('[data-question="contact_changes"] .needed').text == "required"
    assert "Because of your answers" in page.main


def test_the_script_gets_the_section_with_the_questions_that_are_asked_now(
    visitor: Client, home: str, cast: Cast
) -> None:
    form = section(visitor, home).form("form[data-autosave]")
    values = [*[pair for pair in form.values if pair[0] != "a.contact_current"], ("a.contact_current", "no")]

    page = visitor.post(home + PULSE, values, hx_request="true", x_autosave="1")

    assert page.all("h1") == [], "a piece of a page, no page"
    assert page.one('[data-question="contact_changes"]')
    assert page.one("[data-saved]").text == "Saved at 10:00"
    assert state(cast) == "in_progress"


def test_what_does_not_fit_is_shown_beside_its_question_and_in_a_list_above(visitor: Client, home: str) -> None:
    page = section(visitor, home).form("form[data-autosave]").send({**WHOLE, "a.staff": "about <120>"})

    assert page.status == 422
    assert page.one("title").text.startswith("Error: ") and page.one("title").text.endswith("Member pulse 2026")
    assert page.one("[data-saved]").text == "Saved at 10:00, but for 1 answer"
    assert page.one('[data-summary] a[href="#q-staff"]')
    assert page.one('[name="a.staff"]')["aria-invalid"] == "true"
    assert page.one('[name="a.staff"]')["value"] == "about <120>"
    assert page.one('[name="a.code_progress"][checked]')["value"] == "on_track", "the rest is saved"


def test_a_text_that_is_too_long_is_not_cut_off_unseen_but_shown_whole(visitor: Client, home: str) -> None:
    page = section(visitor, home)
    assert page.all("textarea[maxlength]") == [], "a browser would cut off what is pasted"

    page = page.form("form[data-autosave]").send({"a.staff": "9", "c.staff": "word " * 1001})

    assert page.status == 422 and "Shorten the comment" in page.one("#q-staff-error").text
    assert page.one('[name="c.staff"]').text == "word " * 1001


def test_two_people_with_one_link_are_told_and_nothing_is_lost(visitor: Client, home: str) -> None:
    mine, theirs = section(visitor, home), section(visitor, home)
    theirs.form("form[data-autosave]").send({"a.staff": "120"})

    page = mine.form("form[data-autosave]").send({"a.staff": "130", "a.code_progress": "behind"})

    assert page.status == 409
    assert "Somebody else has answered this" in page.one('[data-question="staff"]').text
    assert "120 people" in page.one('[data-question="staff"]').text
    assert page.one('[name="a.staff"]')["value"] == "130"
    done = page.form("form[data-autosave]").send({})
    assert done.status == 200
    assert section(visitor, home).one('[name="a.staff"]')["value"] == "130"


def test_what_is_missing_is_listed_with_links_before_anybody_can_submit(visitor: Client, home: str) -> None:
    section(visitor, home).form("form[data-autosave]").send({"a.staff": "1"})

    page = visitor.get(home + "/review")

    assert "2 answers to look at before you can submit" in page.main
    assert page.all(f'form[action="{home}/submit"]') == []
    link = str(page.all(".alert-warning a")[0]["href"])
    marked = visitor.get(link.partition("#")[0])
    assert link.partition("#")[2] == marked.all(".question-bad")[0]["id"]


def test_who_submits_declares_it_with_name_and_role(visitor: Client, home: str, cast: Cast) -> None:
    page = answered(visitor, home).form().send({"respondent.role": "Director"})

    assert page.status == 422
    assert page.one("#respondent-name")["aria-invalid"] == "true"
    assert page.one("#respondent-role")["value"] == "Director"
    assert page.one('a[href="#declaration"]')
    assert state(cast) == "in_progress"


def test_a_submission_gives_a_receipt_and_a_copy_that_its_digest_fits(visitor: Client, home: str, cast: Cast) -> None:
    page = submitted(visitor, home)

    assert page.path == home + "/answers"
    ref = ref_of(cast, response(cast))
    assert (
        ref in page.main
        and "Chandra Mills, Director" in page.main
        and "Monday 2 March 2026, 10:00 (London time)" in page.main
    )
    assert "120 people" in page.main
    text = visitor.http.get(home + "/answers.txt")
    assert hashlib.sha256(text.content).hexdigest() in page.main
    assert "attachment" in text.headers["content-disposition"]
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'survey_receipt'") == 1


def test_submitting_twice_is_harmless(visitor: Client, home: str, cast: Cast) -> None:
    form = answered(visitor, home).form()
    form.send({**CHANDRA, "declaration": "yes"})

    page = form.send({**CHANDRA, "declaration": "yes"})

    assert page.path == home + "/answers"
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'submit'") == 1


def test_what_somebody_changed_meanwhile_is_looked_at_again(visitor: Client, home: str, cast: Cast) -> None:
    form = answered(visitor, home).form()
    section(visitor, home).form("form[data-autosave]").send({"a.staff": "7"})

    page = form.send({**CHANDRA, "declaration": "yes"})

    assert page.status == 409
    assert "look through them once more" in page.main
    assert page.one("#respondent-name")["value"] == "Chandra Mills"
    assert state(cast) == "in_progress"


def test_after_submitting_the_answers_are_read_only(visitor: Client, home: str) -> None:
    submitted(visitor, home)

    assert visitor.get(home + PULSE).path == home + "/answers"
    assert visitor.get(home + "/review").path == home + "/answers"


def test_a_save_that_comes_too_late_keeps_what_was_typed_on_the_page(visitor: Client, home: str) -> None:
    form = section(visitor, home).form("form[data-autosave]")
    submitted(visitor, home)

    page = form.send({"a.staff": "77"})

    assert page.status == 409
    assert page.one('[name="a.staff"]')["value"] == "77"


def test_percentages_that_do_not_add_up_are_named_when_they_are_saved(
    visitor: Client, cast: Cast, tmp_path: Path
) -> None:
    home = f"/m/{asked_survey(cast, tmp_path, 'self-assessment')}"
    form = visitor.get(home + "/s/decent_work").form("form[data-autosave]")

    page = form.send({"a.contracts.direct": "80", "a.contracts.agency": "15"}, NEXT)

    assert page.status == 200
    assert "How are the people who work for you engaged? Make the parts total 100 %; they total 95 %." in page.main


def test_rows_left_blank_do_not_grow_with_every_mistake(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    home = f"/m/{asked_survey(cast, tmp_path, 'self-assessment')}"
    form = visitor.get(home + "/s/sourcing").form("form[data-autosave]")
    form = form.send({"a.sources_material": "yes"}, NEXT).form("form[data-autosave]")
    rows = "[data-question=main_suppliers] tbody tr"

    for _ in range(2):
        page = form.send({"a.main_suppliers.0.supplier": "Acme", "a.main_suppliers.0.country": "India"}, NEXT)
        form = page.form("form[data-autosave]")

    assert page.status == 422
    assert len(page.all(rows)) == 3, "the one that is filled in, and two to spare"
    assert "for example IN" in page.one('[name="a.main_suppliers.0.country"]')["aria-label"]


def test_refusing_asks_for_the_statement_only(visitor: Client, home: str, cast: Cast) -> None:
    page = visitor.get(home + "/do/refuse")
    assert page.all('form [type="checkbox"]') == []

    page.form().submit(statement="We will not take part.")

    assert state(cast) == "refused"


def test_our_questions_are_answered_on_one_page_and_sent_again(visitor: Client, home: str, cast: Cast) -> None:
    submitted(visitor, home)
    asked = [{"question": "staff", "text": "Is this everybody?"}]
    fire(cast, ref_of(cast, response(cast)), "query", "Amara", questions=asked)

    page = visitor.get(home).form().submit()

    assert page.path == home + "/s/our-questions"
    assert [each["data-question"] for each in page.all("[data-question]")] == ["staff"]
    assert "Is this everybody?" in page.main
    page = page.form("form[data-autosave]").send({"a.staff": "121", "c.staff": "Seasonal staff were missing."}, NEXT)
    page.form().send({"declaration": "yes"})
    assert state(cast) == "dq_review"
    assert "Seasonal staff were missing." in visitor.get(home + "/answers").main


def test_evidence_is_put_to_its_question_shown_and_taken_away(visitor: Client, home: str, cast: Cast) -> None:
    form = section(visitor, home).form("form[data-autosave]")
    files = {"f.code_progress": ("Überblick.txt", b"All done.", "text/plain")}
    page = form.send({"a.code_progress": "done"}, button="Save", files=files)

    link = page.one('[data-question="code_progress"] [data-files] a')
    assert link.text == "Überblick.txt"
    assert visitor.http.get(str(link["href"])).content == b"All done."
    page = section(visitor, home).form("form[data-autosave]").send({}, button="Take away Überblick.txt")
    assert page.all("[data-files] a") == []


def test_a_file_that_is_not_here_any_more_is_named_without_a_link(visitor: Client, home: str, cast: Cast) -> None:
    ref = ref_of(cast, response(cast))
    answers = {"contact_current": "yes", "staff": "120", "code_progress": "done"}
    raw = {"answers": answers, "evidence": {"code_progress": ["ab" * 32]}, "respondent": {"name": "Chandra Mills"}}
    hand_in(cast.env, ref, {**raw, "declaration": True})

    page = visitor.get(home + "/answers")

    assert "A file sent before" in page.main
    assert page.all('a[href*="/files/"]') == []


def test_a_file_that_cannot_be_taken_is_told_and_the_answers_are_saved(visitor: Client, home: str) -> None:
    form = section(visitor, home).form("form[data-autosave]")

    page = form.send({"a.staff": "9"}, files={"f.code_progress": ("run.exe", b"MZ", "application/octet-stream")})

    assert page.status == 422
    assert "run.exe" in page.one("[data-summary]").text
    assert "run.exe" in page.one("#q-code_progress-error").text, "beside its question, too"
    assert section(visitor, home).one('[name="a.staff"]')["value"] == "9"


def test_a_message_whose_file_cannot_be_taken_is_not_lost(visitor: Client, home: str) -> None:
    form = visitor.get(home + "/help").form(f'form[action="{home}/tell"]')

    page = form.send({"text": "Our mill has closed."}, files={"files": ("IMG_1.HEIC", b"x", "image/heic")})

    assert page.status == 422 and "Please save the photo as JPG" in page.main
    assert page.one("#tell-text").text == "Our mill has closed."
    assert page.one("details[open] #tell-title"), "it stands open among the others"


def test_an_exemption_is_asked_for_once_and_shown(visitor: Client, home: str, cast: Cast) -> None:
    form = visitor.get(home + "/help").follow("Ask for an exemption").form()

    form.submit(exemption="under_12_months", details="We joined in November.")
    page = form.submit(exemption="under_12_months", details="We joined in November.")

    assert page.path == home
    assert "Reminders stand still" in page.main
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'request_exemption'") == 1


def test_an_exemption_that_lacks_something_comes_back_with_what_was_typed(visitor: Client, home: str) -> None:
    page = visitor.get(home + "/do/request_exemption").form().submit(exemption="merged", details="With Ažlan")

    assert page.status == 422
    assert page.one('[name="details"]').text.strip() == "With Ažlan"


def test_more_time_is_asked_for_and_told_to_the_owner(visitor: Client, home: str, cast: Cast) -> None:
    form = visitor.get(home + "/help").form(f'form[action="{home}/more-time"]')

    assert form.submit(until="", why="").status == 422
    page = form.submit(until="2026-04-30", why="x" * 9000)
    assert page.status == 422 and "Please shorten this" in page.main and page.one("#why").text == "x" * 9000
    form.submit(until="2026-04-30", why="The auditor is late.")
    form.submit(until="2026-04-30", why="The auditor is late.")

    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'told'") == 1


def test_last_years_answer_stands_beside_the_question(visitor: Client, home: str, cast: Cast, tmp_path: Path) -> None:
    submitted(visitor, home)

    path = tmp_path / "next.yaml"
    path.write_text(PLAN.format(questionnaire="pulse").replace("2026-03-02", "2026-03-09"))

    ref = campaigns.plan(cast.env, path, actor=cast.actor("Amara")).after.ref
    fire(cast, ref, "approve_plan", "Mina", data_protection_checked=True)
    fire(cast, ref, "skip_pilot", "Mina", reason="The questions are those of last year")

    cast.go_to(datetime(2026, 3, 9, 10, tzinfo=cast.env.calendar.zone))
    sweep_due(cast.env)
    newest = cast.scalar("SELECT max(id) FROM cases WHERE process = 'survey_response'")

    page = visitor.get(f"/m/{token_of(cast.env, 'member', newest)}/s/pulse")

    assert page.one("#q-staff-hint").text == "Last time: 120 people"


def test_every_page_of_the_long_questionnaire_is_sound(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    home = f"/m/{asked_survey(cast, tmp_path, 'self-assessment')}"

    sections = [str(link["href"]) for link in visitor.get(home).all(".sections a")]
    pages = [visitor.get(path) for path in [*sections, *(f"{path}?check=1" for path in sections), f"{home}/review"]]

    assert len(sections) == 9
    assert all(page.all("form") for page in pages[:18])

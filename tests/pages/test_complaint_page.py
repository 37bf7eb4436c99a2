"""Complaining without an account, and the page on which the complainant sees how it goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from cases import commands
from cases.delivering import deliver
from tests.asked import complained, fire
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page
from tests.post import letterbox

STORY = {
    "about": "Opening hours", "what": "The doors were closed at 20:40 & nobody was there.", "reached_by": "email",
    "name": "Žofie Nováková", "email": "zofie@example.org", "wanted": "An apology", "needs": "Large print",
}  # fmt: skip
HOURS = [{"category": "Closed early", "site": "Riverside"}]
POINT = {"decision": "upheld", "reasons": "The doors closed at 20:40; the published time is 21:00."}
ANSWER = {
    "findings": [POINT],
    "answer": "We are sorry. The hours were not kept.",
    "remedies": [{"what": "Put the hours on the door", "due_on": "2026-05-01"}],
}


def sent(visitor: Client, **typed: str) -> Page:
    return visitor.get("/complain").form().send({**STORY, **typed})


def complaints(cast: Cast) -> int:
    return int(cast.scalar("SELECT count(*) FROM cases WHERE process = 'complaint'"))


def acknowledged(cast: Cast, ref: str) -> None:
    fire(cast, ref, "acknowledge", "Amara", issues=HOURS, understanding="You found the doors closed.",
         adjustments_asked=True)  # fmt: skip


def answered(cast: Cast) -> tuple[str, str]:
    ref, token = complained(cast)
    acknowledged(cast, ref)
    handler = cast.actor("Amara").person
    fire(cast, ref, "allocate", "Mina", handler=handler)
    fire(cast, ref, "respond", "Amara", **ANSWER)
    return ref, f"/p/complainant/{token}"


def test_a_complaint_opens_a_case_and_leads_to_its_own_page(visitor: Client, cast: Cast) -> None:
    page = sent(visitor)

    [row] = cast.rows("SELECT ref, subject, data, parties FROM cases WHERE process = 'complaint'")
    assert row.ref in page.text and "We have received your complaint" in page.main
    assert "by Monday 9 March 2026" in page.main, "five working days after it was received"
    assert row.data["channel"] == "web"
    assert row.parties["complainant"] == {"name": "Žofie Nováková", "email": "zofie@example.org"}
    assert "zofie" not in page.path and row.ref not in page.path
    assert STORY["what"] in page.main, "one's own words can be read again"


def test_a_complaint_sent_twice_is_one(visitor: Client, cast: Cast) -> None:
    form = visitor.get("/complain").form()

    assert form.send(STORY).path == form.send(STORY).path
    assert complaints(cast) == 1


def test_what_is_missing_is_said_beside_its_field_and_above(visitor: Client, cast: Cast) -> None:
    page = sent(visitor, what="", email="not an address")

    assert page.status == 422
    assert page.one("#what")["aria-invalid"] == "true"
    assert page.one('.alert-danger a[href="#email"]')
    assert page.one("#name")["value"] == "Žofie Nováková"
    assert complaints(cast) == 0


@pytest.mark.parametrize(("reached_by", "field"), [("email", "email"), ("phone", "phone"), ("letter", "address")])
def test_whoever_wants_to_be_contacted_says_where(visitor: Client, reached_by: str, field: str) -> None:
    page = sent(visitor, reached_by=reached_by, email="", phone="", address="")

    assert page.one(f"#{field}")["aria-invalid"] == "true"


def test_somebody_may_stay_unknown_and_still_see_how_it_goes_on(visitor: Client, cast: Cast) -> None:
    page = sent(visitor, reached_by="nobody")

    assert cast.scalar("SELECT parties FROM cases WHERE process = 'complaint'") == {}
    assert "We received your complaint" in visitor.get(page.path).main


def test_who_left_no_address_reads_on_their_page_what_a_letter_would_have_said(visitor: Client, cast: Cast) -> None:
    page = f"/p/complainant/{complained(cast, email='')[1]}"
    ref = str(cast.scalar("SELECT ref FROM cases"))
    acknowledged(cast, ref)
    fire(cast, ref, "allocate", "Mina", handler=cast.actor("Amara").person)
    assert "You found the doors closed." in visitor.get(page).main

    fire(cast, ref, "respond", "Amara", **ANSWER)

    found = visitor.get(page).main
    assert "We are sorry. The hours were not kept." in found and POINT["reasons"] in found
    assert "No letter has gone to you yet" not in found


def test_an_answer_is_on_nobodys_page_before_it_is_approved(visitor: Client, cast: Cast) -> None:
    page = f"/p/complainant/{complained(cast, email='')[1]}"
    ref = str(cast.scalar("SELECT ref FROM cases"))
    acknowledged(cast, ref)
    fire(cast, ref, "allocate", "Mina", handler=cast.actor("Amara").person)
    fire(cast, ref, "respond", "Amara", **ANSWER, legal_risk=True)
    assert "The hours were not kept" not in visitor.get(page).main

    fire(cast, ref, "return_response", "Mina", reason="Say when the doors close")
    assert "Say when" not in visitor.get(page).main
    fire(cast, ref, "respond", "Amara", **{**ANSWER, "answer": "They close at 21:00."}, legal_risk=True)
    fire(cast, ref, "approve_response", "Mina")

    found = visitor.get(page).main
    assert "They close at 21:00." in found and "The hours were not kept" not in found


def test_an_answer_that_is_late_is_owned_up_to(visitor: Client, cast: Cast) -> None:
    ref, token = complained(cast)
    acknowledged(cast, ref)

    cast.go_to(MONDAY + timedelta(days=40))

    assert "It is late, and we are sorry." in visitor.get(f"/p/complainant/{token}").main


def test_files_go_with_the_reply_to_our_question(visitor: Client, cast: Cast) -> None:
    ref, token = complained(cast, profile="BETTER_COTTON")
    acknowledged(cast, ref)
    fire(cast, ref, "allocate", "Mina", handler=cast.actor("Amara").person)
    fire(cast, ref, "ask_complainant", "Amara", question="Which door?")
    form = visitor.get(f"/p/complainant/{token}").form('form[action$="/do/information_received"]')

    page = form.send({"note": "The back door."}, files={"files": ("Tür.txt", b"See here.", "text/plain")})

    assert "Tür.txt" in page.main and cast.scalar("SELECT state FROM cases") == "stage_1"


def test_files_are_asked_for_again_when_the_form_comes_back(visitor: Client) -> None:
    page = visitor.get("/complain").form().send(
        {**STORY, "email": "zofie"}, files={"files": ("a.txt", b"words", "text/plain")}
    )  # fmt: skip

    assert "Please choose your files once more" in page.one('[role="alert"]').text


def test_whoever_needs_help_soon_is_called_within_a_working_day(visitor: Client, cast: Cast) -> None:
    sent(visitor, urgent="yes")

    assert cast.scalar("SELECT kind FROM case_tasks") == "first_contact"
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'complaint_vulnerable'") == 1


def test_a_program_that_fills_in_everything_opens_nothing(visitor: Client, cast: Cast) -> None:
    page = sent(visitor, website="https://spam.example")

    assert page.status == 200 and complaints(cast) == 0


def test_who_sends_one_after_the_other_is_slowed_down(visitor: Client, cast: Cast) -> None:
    for _ in range(10):
        sent(visitor)

    refused = sent(visitor)
    assert refused.status == 429 and "Nothing was changed" in refused.main
    assert dict(refused.form("#again").values).items() >= STORY.items(), "what was typed is kept"
    assert complaints(cast) == 10


def test_files_are_taken_with_it_and_the_bad_ones_are_named(visitor: Client, cast: Cast) -> None:
    files = [("files", ("door.txt", b"20:40", "text/plain")), ("files", ("run.exe", b"MZ", "application/x"))]
    page = visitor.get("/complain").form().send(STORY, files=files)

    assert "door.txt" in page.main and "run.exe" in page.main
    assert cast.scalar("SELECT count(*) FROM evidence_files") == 1


def test_a_form_without_its_field_is_refused(visitor: Client, cast: Cast) -> None:
    page = visitor.post("/complain", STORY)
    assert page.status == 403 and page.one("h1").text == "Please send it once more"
    assert page.one('textarea[name="what"]').text == STORY["what"] and "Sign in" not in page.text
    assert complaints(cast) == 0


def test_the_page_says_in_plain_words_where_it_stands_and_what_is_promised(visitor: Client, cast: Cast) -> None:
    ref, token = complained(cast)
    acknowledged(cast, ref)
    commands.note(cast.env, ref, "The team says it was a bank holiday.", actor=cast.actor("Amara"))

    page = visitor.get(f"/p/complainant/{token}")

    assert "16 March 2026" in page.main, "ten working days after the acknowledgement"
    assert "Closed early, Riverside" in page.main
    assert "The doors were closed." in page.main, "their own words"
    for inside in ("bank holiday", "Amara", "Mina", "stage_1", "coordinator"):
        assert inside not in page.text


def test_the_letters_are_there_to_read_again(visitor: Client, cast: Cast) -> None:
    with letterbox() as box:
        settings = cast.env.settings.model_copy(update={"smtp_url": SecretStr(box.url)})
        _, home = answered(cast)
        deliver(replace(cast.env, settings=settings))
    page = visitor.get(home)

    letter = visitor.get(str(page.all(".plain-list a")[0]["href"]))

    assert "The hours were not kept." in letter.main and f"{cast.env.settings.base_url}{home}" in letter.main
    number = cast.scalar("SELECT max(id) FROM messages WHERE audience NOT LIKE 'party%'")
    visitor.get(f"{home}/letters/{number}", status=403)


def test_a_second_look_is_asked_for_once(visitor: Client, cast: Cast) -> None:
    _ref, home = answered(cast)
    form = visitor.get(home).form(f'form[action="{home}/do/request_stage_2"]')

    form.submit(note="The apology is not enough.")
    page = form.submit(note="The apology is not enough.")

    assert "You asked for a second look" in page.main
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'request_stage_2'") == 1
    assert "Put the hours on the door – by Friday 1 May 2026" in page.main


def test_whoever_is_content_says_so(visitor: Client, cast: Cast) -> None:
    _, home = answered(cast)

    page = visitor.get(home).form(f'form[action="{home}/do/accept"]').submit()

    assert "do now what we promised" in page.main


def test_the_time_for_a_second_look_ends(visitor: Client, cast: Cast) -> None:
    _, home = answered(cast)
    form = visitor.get(home).form(f'form[action="{home}/do/request_stage_2"]')
    cast.go_to(MONDAY + timedelta(days=40))

    assert visitor.get(home).all(f'form[action="{home}/do/request_stage_2"]') == []
    page = form.submit(note="Too late, but still.")

    assert page.status == 409
    assert "Too late, but still." in page.main, "what was written is not lost"


def test_a_complaint_is_withdrawn_by_whoever_made_it(visitor: Client, cast: Cast) -> None:
    _ref, token = complained(cast)
    home = f"/p/complainant/{token}"

    page = visitor.get(home).form(f'form[action="{home}/do/withdraw"]').submit(note="It is settled.")

    assert "You withdrew your complaint on 2 March 2026" in page.main
    assert page.all(f'form[action="{home}/do/withdraw"]') == []


def test_something_can_be_added_with_files_and_the_owner_hears(visitor: Client, cast: Cast) -> None:
    _, token = complained(cast)
    home = f"/p/complainant/{token}"
    form = visitor.get(home).form(f'form[action="{home}/tell"]')

    page = form.send({"text": ""}, files={"files": ("again.txt", b"It happened again.", "text/plain")})

    assert "again.txt" in page.main and page.main.count("Sent on this page: again.txt") == 1
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'case_told'") == 1


def test_what_is_not_the_complainants_to_do_is_refused(visitor: Client, cast: Cast) -> None:
    ref, token = complained(cast)
    home = f"/p/complainant/{token}"
    values = visitor.get(home).form(f'form[action="{home}/tell"]').values

    page = visitor.post(f"{home}/do/reject", [*values, ("ground", "not_about_us"), ("seen", "1")])

    assert page.status == 409
    assert cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref) == "received"


def test_what_a_complainant_adds_stands_in_the_history_of_the_case(desk: SignedIn, visitor: Client, cast: Cast) -> None:
    ref, token = complained(cast)
    home = f"/p/complainant/{token}"
    visitor.get(home).form(f'form[action="{home}/tell"]').submit(text="It happened again on Sunday.")

    page = desk("Amara").get(f"/cases/{ref}")

    assert "Wrote on the personal page" in page.main
    assert "It happened again on Sunday." in page.main

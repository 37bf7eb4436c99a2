"""Doing something with a case: forms, refusals, two people at once, drafts, notes, files, owners, duplicates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import Engine, event

from cases.commands import fire, note, open_one
from members.absence_commands import set_absence
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.case_cast import TYPED, a_complaint, acknowledged
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page

HTMX = {"hx_request": "true"}


def do(client: Client, ref: str, trigger: str) -> Page:
    return client.get(f"/cases/{ref}/do/{trigger}")


def state(cast: Cast, ref: str) -> str:
    return str(cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref))


# ------------------------------------------------------------------------------------------------- steps


def test_a_step_says_what_was_done_where_the_case_is_and_what_is_mailed_to_whom(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)

    after = do(desk("Amara"), ref, "acknowledge").form("#do").submit(**TYPED)

    assert after.path == f"/cases/{ref}"
    assert after.words(".alert-success") == [
        "“Acknowledge” is done; the case is now in the state “Acknowledged”. "
        "Mail that goes out: “Complaint acknowledged” to the complainant."
    ]
    assert state(cast, ref) == "acknowledged"


def test_a_step_that_takes_the_case_out_of_sight_leads_to_the_queue(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    mina = desk("Mina")

    after = do(mina, ref, "wall_off").form("#do").submit(about_staff=[cast.actor("Mina").person])

    assert after.path == "/queue"
    assert mina.get(f"/cases/{ref}", status=404)


def test_a_step_that_keeps_somebody_else_away_leads_back_to_the_case(desk: SignedIn, cast: Cast) -> None:
    ref = acknowledged(cast)

    after = do(desk("Mina"), ref, "wall_off").form("#do").submit(about_staff=[cast.actor("Bo").person])

    assert after.path == f"/cases/{ref}"


def test_a_step_is_one_transaction_of_two_questions_and_one_go_at_writing(desk: SignedIn, cast: Cast) -> None:
    form = do(desk("Amara"), a_complaint(cast), "acknowledge").form("#do")
    heard: list[str] = []
    hooks: dict[str, Any] = {
        "before_cursor_execute": lambda conn, cursor, statement, *rest: heard.append(statement.split()[0]),
        "commit": lambda conn: heard.append("COMMIT"),
    }
    for name, hook in hooks.items():
        event.listen(Engine, name, hook)
    try:
        form.submit(**TYPED)
    finally:
        for name, hook in hooks.items():
            event.remove(Engine, name, hook)

    step = heard[: heard.index("COMMIT") + 1]  # what follows is the page it leads to
    assert step == ["SELECT", "SELECT", "DELETE", "COMMIT"]  # who asks; the case, locked; what was begun


def test_what_is_missing_is_told_by_the_field_and_what_was_typed_stays(desk: SignedIn, cast: Cast) -> None:
    page = do(desk("Amara"), a_complaint(cast), "acknowledge")

    again = page.form("#do").submit(understanding="Žluťoučký kůň\nin two lines", issues__0__site="East")

    assert again.status == 422
    assert again.one("#field-understanding").text == "Žluťoučký kůň\nin two lines"
    assert again.one("#field-issues-0-site")["value"] == "East"
    assert again.words("#field-issues-0-category-error") == ["Error: Is required"]
    assert "Please look at this again." in again.words(".alert-danger")[0]


def test_a_rule_that_refuses_is_told_as_a_sentence(desk: SignedIn, cast: Cast) -> None:
    page = do(desk("Amara"), a_complaint(cast), "acknowledge")

    again = page.form("#do").submit(**{**TYPED, "adjustments_asked": None})

    assert again.status == 409
    assert "adjustments" in again.words(".alert-danger")[0]
    assert again.one("#field-understanding").text == "The pool was cold."


def test_a_step_without_a_form_is_one_button(desk: SignedIn, cast: Cast) -> None:
    ref = a_finding(cast)

    after = desk("Amara").get(f"/cases/{ref}").form(f'#actions form[action="/cases/{ref}/do/start_triage"]').submit()

    assert "the case is now in the state “Triage”" in after.words(".alert-success")[0]


def a_finding(cast: Cast) -> str:
    if cast.scalar("SELECT count(*) FROM members") == 0:
        cast.members("Acme")
    payload = {"criterion": "decent_work", "source": "audit", "source_date": "2026-02-20", "evidence": "Report 7"}
    opened = open_one(cast.env, "monitoring", member="Acme", subject="Audit 7", payload=payload,
                      actor=cast.actor("Amara"), now=MONDAY)  # fmt: skip
    return opened.after.ref


def test_a_dangerous_step_is_asked_once_more_and_says_so(desk: SignedIn, cast: Cast) -> None:
    page = do(desk("Mina"), a_complaint(cast), "reject")

    assert "another click does not take back" in page.main
    assert page.words("#do .btn-danger") == ["Reject"]
    assert "“Complaint not accepted” to the complainant" in page.main


def test_a_form_begins_with_what_the_case_knows_already(desk: SignedIn, cast: Cast) -> None:
    ref = a_finding(cast)
    fire(cast.env, ref, "start_triage", actor=cast.actor("Amara"), now=MONDAY)

    form = do(desk("Amara"), ref, "accept").form("#do")

    assert ("criterion", "decent_work") in form.values
    assert ("severity", "major") in form.values


def test_a_note_kept_with_a_step_is_in_the_history(desk: SignedIn, cast: Cast) -> None:
    ref = acknowledged(cast)

    after = do(desk("Amara"), ref, "try_early_resolution").form("#do").submit(
        complexity="A simple repair", also_note="Jürgen said so"
    )  # fmt: skip

    assert "Note Jürgen said so" in after.words("#event-3")[0]


def test_a_step_that_is_not_possible_now_says_why_and_has_no_button(desk: SignedIn, cast: Cast) -> None:
    page = do(desk("Amara"), acknowledged(cast), "respond")

    assert "“Respond” is not for you while the case is in the state “Acknowledged”." in page.main
    assert page.all("#do button") == []


def test_a_step_the_process_does_not_know_is_not_there(desk: SignedIn, cast: Cast) -> None:
    desk("Amara").get(f"/cases/{a_complaint(cast)}/do/make_coffee", status=404)


def test_a_form_that_does_not_say_its_version_does_nothing(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)

    answer = do(desk("Amara"), ref, "acknowledge").form("#do").submit(**{**TYPED, "version": None})

    assert answer.status == 422
    assert state(cast, ref) == "received"


def test_for_htmx_the_form_comes_without_its_page(desk: SignedIn, cast: Cast) -> None:
    panel = desk("Amara").get(f"/cases/{a_complaint(cast)}/do/acknowledge", **HTMX)

    assert panel.all("h1") == []
    assert len(panel.all("form#do")) == 1


# ------------------------------------------------------------------------------------- two people at once


def test_a_change_meanwhile_is_shown_and_the_form_can_be_sent_again(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    page = do(desk("Amara"), ref, "acknowledge")
    note(cast.env, ref, "She called again.", actor=cast.actor("Mina"), now=MONDAY)

    conflict = page.form("#do").submit(**TYPED)

    assert conflict.status == 409
    assert "Mina, 2 Mar 2026, 09:00 : Note: She called again." in conflict.words(".alert-warning li")[0]
    assert conflict.one("#field-understanding").text == "The pool was cold."
    assert state(cast, ref) == "received"
    assert "is now in the state “Acknowledged”" in conflict.form("#do").submit().words(".alert-success")[0]


def test_where_the_step_is_gone_meanwhile_what_was_typed_can_still_be_copied(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    page = do(desk("Amara"), ref, "acknowledge")
    fire(cast.env, ref, "withdraw", payload={"note": "He rang."}, actor=cast.actor("Mina"), now=MONDAY)

    conflict = page.form("#do").submit(**TYPED)

    assert conflict.status == 409
    assert "Mina, 2 Mar 2026, 09:00 : Withdraw the complaint, now “Withdrawn” Note He rang." in conflict.main
    assert conflict.all("#do button") == []
    assert conflict.one("#field-understanding").text == "The pool was cold."


def test_of_two_people_at_the_same_moment_one_does_it_and_one_is_told(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    forms = [do(desk(name), ref, "acknowledge").form("#do") for name in ("Amara", "Mina")]
    ready = Barrier(2)

    def send(form: Any) -> Page:
        ready.wait()
        sent: Page = form.submit(**TYPED)
        return sent

    with ThreadPoolExecutor(2) as pool:
        answers = [each.result(timeout=60) for each in [pool.submit(send, form) for form in forms]]

    assert sorted(answer.status for answer in answers) == [200, 409]
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'acknowledge'") == 1


def test_a_form_that_was_sent_twice_is_done_once_and_says_so(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    form = do(desk("Amara"), ref, "acknowledge").form("#do")
    form.submit(**TYPED)

    again = form.submit(**TYPED)

    assert again.words(".alert-success") == ["“Acknowledge” was done already."]
    assert cast.scalar("SELECT count(*) FROM drafts") == 0


# ------------------------------------------------------------------------------------------------- drafts


def test_what_was_begun_survives_a_colleagues_change_and_is_offered_again(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = desk("Amara")
    form = do(amara, ref, "acknowledge").form("#do")
    typed = [*form.values, ("understanding", "Half a letter, ěščř")]
    kept = amara.post(f"/cases/{ref}/do/acknowledge/draft", typed, **HTMX)
    note(cast.env, ref, "meanwhile", actor=cast.actor("Mina"), now=MONDAY)

    case = amara.get(f"/cases/{ref}")
    again = case.follow("Go on with it")

    assert kept.response.text.strip() == "Kept as a draft, 09:00"
    assert "You began “Acknowledge” on 2 Mar 2026, 09:00" in case.main
    assert again.one("#field-understanding").text == "Half a letter, ěščř"
    assert "The case was changed since." in again.main
    again.form("#do").submit(**TYPED)
    assert "You began" not in amara.get(f"/cases/{ref}").main


def test_a_draft_is_its_writers_alone(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = desk("Amara")
    form = do(amara, ref, "acknowledge").form("#do")
    amara.post(f"/cases/{ref}/do/acknowledge/draft", [*form.values, ("understanding", "secret thoughts")])

    assert "secret thoughts" not in do(desk("Mina"), ref, "acknowledge").response.text


def test_a_refused_form_is_kept_and_can_be_discarded(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = desk("Amara")
    do(amara, ref, "acknowledge").form("#do").submit(understanding="Half a letter")

    case = amara.get(f"/cases/{ref}")
    after = case.form(f'form[action="/cases/{ref}/do/acknowledge/discard"]').submit()

    assert after.words(".alert-success") == ["What you had begun is thrown away."]
    assert do(amara, ref, "acknowledge").one("#field-understanding").text == ""


def test_a_form_in_which_nothing_stands_keeps_no_draft(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = desk("Amara")
    token = amara.get(f"/cases/{ref}").one("#note input[name=csrf]")["value"]

    kept = amara.post(f"/cases/{ref}/do/note/draft", {"csrf": token, "version": "1", "text": "  "}, **HTMX)

    assert kept.response.text.strip() == ""
    assert cast.scalar("SELECT count(*) FROM drafts") == 0


# -------------------------------------------------------------------------------------------------- notes


def test_a_note_is_written_whatever_others_did_meanwhile(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    page = desk("Amara").get(f"/cases/{ref}")
    fire(cast.env, ref, "withdraw", actor=cast.actor("Mina"), now=MONDAY)

    after = page.form("#note").submit(text="Zoë called.\nTwice.")

    assert after.words(".alert-success") == ["The note is written."]
    assert after.one("#event-3 .case-words").text == "Zoë called.\nTwice."


def test_an_empty_note_is_refused_by_its_field(desk: SignedIn, cast: Cast) -> None:
    again = desk("Amara").get(f"/cases/{a_complaint(cast)}").form("#note").submit(text="  ")

    assert (again.status, again.words("#note-error")) == (422, ["The note is empty."])


def test_a_begun_note_is_in_its_field_again(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = desk("Amara")
    form = amara.get(f"/cases/{ref}").form("#note")
    values = [pair for pair in form.values if pair[0] != "text"]
    amara.post(f"/cases/{ref}/do/note/draft", [*values, ("text", "I wanted to")], **HTMX)

    page = amara.get(f"/cases/{ref}")

    assert page.one("#note-text").text == "I wanted to"
    assert page.form("#note").submit(text="Done.").one("#note-text").text == ""


# -------------------------------------------------------------------------------------------------- files


def upload(page: Page, *files: tuple[str, bytes]) -> Page:
    return page.form("#upload").submit(files=[("file", (name, content, "text/plain")) for name, content in files])


def test_a_file_keeps_its_letters_and_loses_its_folders(desk: SignedIn, cast: Cast) -> None:
    page = desk("Amara").get(f"/cases/{a_complaint(cast)}")

    after = upload(page, ("C:\\geheim\\Brief Süßstoff Łódź.txt", b"Guten Tag"), ("../../x.txt", b"hello"))

    assert after.words(".alert-success") == ["2 files added."]
    assert sorted(a.text for a in after.all("#files li a")) == ["Brief Süßstoff Łódź.txt", "x.txt"]


def test_a_file_of_the_wrong_type_is_refused_by_its_field_and_the_good_one_is_kept(desk: SignedIn, cast: Cast) -> None:
    page = desk("Amara").get(f"/cases/{a_complaint(cast)}")

    after = upload(page, ("good.txt", b"Guten Tag"), ("virus.exe", b"MZ"), ("fake.pdf", b"no pdf"))

    assert after.status == 422
    told = after.words("#file-error p")
    assert told[0] == "Error: 1 file added; the others were not."
    assert told[1].startswith("Error: virus.exe: Files of the type .exe are not taken")
    assert told[2].startswith("Error: fake.pdf: The name says .pdf, but")
    assert [a.text for a in after.all("#files li a")] == ["good.txt"]


def test_a_file_that_is_too_large_is_refused_in_words(desk: SignedIn, cast: Cast) -> None:
    page = desk("Amara").get(f"/cases/{a_complaint(cast)}")

    after = upload(page, ("big.txt", b"x" * (20 * 1024 * 1024 + 1)))

    assert after.status == 422
    assert "larger than 20 MB" in after.words("#file-error")[0]


def test_sending_no_file_asks_for_one(desk: SignedIn, cast: Cast) -> None:
    again = desk("Amara").get(f"/cases/{a_complaint(cast)}").form("#upload").submit()

    assert again.words("#file-error p") == ["Error: Choose a file first."]


# ------------------------------------------------------------------------------------------ owners and sight


def test_a_case_is_given_to_somebody_who_may_own_it_and_who_is_away_is_marked(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    set_absence(cast.env.engine, "bo@muster.example", MONDAY.date(), MONDAY.date(), deputy="amara@muster.example",
                actor=SYSTEM, now=MONDAY)  # fmt: skip
    page = desk("Mina").get(f"/cases/{ref}")

    assert page.words("#give-to option") == ["Please choose", "Bo, South – away until 2 March 2026, Amara acts"]
    after = page.form("#assign form").submit(to="bo@muster.example")

    assert after.words(".alert-success") == [
        f"{ref} belongs to Bo now, who is told by e-mail. Bo is away; Amara acts meanwhile."
    ]


def test_a_case_that_changed_is_not_given_away_over_others_heads(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    page = desk("Mina").get(f"/cases/{ref}")
    note(cast.env, ref, "I am at it", actor=cast.actor("Amara"), now=MONDAY)

    refused = page.form("#assign form").submit(to="bo@muster.example")

    assert refused.status == 409
    assert "it was not given away" in refused.words(".alert-danger")[0]
    assert refused.words("#owner") == ["Amara (coordinator)"]


def test_a_manager_restricts_a_case_and_opens_it_again(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    mina = desk("Mina")

    mina.get(f"/cases/{ref}/access").form("#access").submit(who="named", person=["amara@muster.example"])
    desk("Max").get(f"/cases/{ref}", status=404)
    named = mina.get(f"/cases/{ref}/access").form("#access")
    assert ("person", "amara@muster.example") in named.values
    named.submit(who="rules")

    desk("Max").get(f"/cases/{ref}")


def test_only_managers_say_who_may_see_a_case(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)

    desk("Amara").get(f"/cases/{ref}/access", status=403)

    assert "Who may see it" not in desk("Amara").get(f"/cases/{ref}").main


# ---------------------------------------------------------------------------------------------- duplicates


def test_a_case_is_marked_as_a_duplicate_and_the_mark_is_taken_back(desk: SignedIn, cast: Cast) -> None:
    first, second = a_complaint(cast), a_complaint(cast)
    page = desk("Amara").get(f"/cases/{second}/duplicate")

    assert [a.text for a in page.all("main .case-links a")] == [first]
    after = page.form("#duplicate").submit(of=first.lower())
    assert f"{second} is marked as a duplicate of {first}." in after.words(".alert-success")[0]
    undone = after.form("#links form").submit()

    assert undone.words(".alert-success") == ["They are two cases again."]
    assert undone.all("#links") == []


def test_a_duplicate_about_another_member_is_confirmed_first(desk: SignedIn, cast: Cast) -> None:
    first, second = a_complaint(cast, member="Beta"), a_complaint(cast)

    asked = desk("Amara").get(f"/cases/{second}/duplicate").form("#duplicate").submit(of=first)
    after = asked.form("#duplicate").submit()

    assert "different members" in asked.words(".alert-warning")[0]
    assert f"duplicate of {first}" in after.words(".alert-success")[0]


def test_a_reference_one_may_not_see_is_as_unknown_as_none(desk: SignedIn, cast: Cast) -> None:
    north, south = a_complaint(cast), a_complaint(cast, member="Süßstoff & Söhne", by="Bo")
    page = desk("Bo").get(f"/cases/{south}/duplicate")

    told = [page.form("#duplicate").submit(of=ref).words(".alert-danger") for ref in (north, "CO-2026-999999")]

    assert told == [[f"There is no case {ref}, or it is not yours to see."] for ref in (north, "CO-2026-999999")]


def test_where_the_process_closes_duplicates_the_form_for_that_comes_next(desk: SignedIn, cast: Cast) -> None:
    first = a_finding(cast)
    payload = {"criterion": "decent_work", "source": "audit", "source_date": "2026-02-20", "evidence": "Report 7"}
    second = open_one(cast.env, "monitoring", member="Acme", subject="Again", payload=payload,
                      actor=cast.actor("Amara"), now=MONDAY).after.ref  # fmt: skip
    fire(cast.env, second, "start_triage", actor=cast.actor("Amara"), now=MONDAY)

    next_ = desk("Amara").get(f"/cases/{second}/duplicate").form("#duplicate").submit(of=first)

    assert next_.path == f"/cases/{second}/do/dismiss"
    assert {("chosen", "DUPLICATE"), ("duplicate_of", first)} <= set(next_.form("#do").values)

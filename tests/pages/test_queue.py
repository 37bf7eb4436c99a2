"""My queue, all cases, search and saved views as pages: what is shown, narrowed, turned, kept, and not seen."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import pytest

from cases import commands
from cases.lists import worklist
from tests.cast import Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Page
from tests.shell.test_commands import a_complaint
from tests.shell.test_worklist import away, set_deadline, some, staff_id


def listed(page: Page) -> list[str]:
    return page.words("#cases a.row-link")


# ---------------------------------------------------------------------------------------------------- the queue


def test_a_queue_shows_each_case_with_everything_one_needs_to_choose_what_to_do_next(
    cast: Cast, desk: SignedIn
) -> None:
    ref = a_complaint(cast, subject="Cold pool")

    page = desk("Amara").get("/queue")

    [row] = page.words("#cases tbody tr")
    for words in (ref, "Cold pool", "Cold pool Ltd", "Received", "Complaint", "days left"):
        assert words in row, words
    assert "Amara" not in row, "her own name on every line would tell her nothing"
    assert "Amara" in desk("Amara").get("/cases").words("#cases tbody tr")[0]
    assert "1 case in all" in page.main
    assert page.follow("Open a case").path == "/cases/new"


def test_an_empty_queue_says_so_and_where_to_go_on(desk: SignedIn) -> None:
    page = desk("Amara").get("/queue")

    assert "Nothing waits for you" in page.main
    assert page.follow("Look at all cases").path == "/cases"


def test_a_deputy_reads_for_whom_they_act_and_until_when(cast: Cast, desk: SignedIn) -> None:
    some(cast, 1)
    away(cast, "Amara", "Bo", date(2026, 3, 3))

    assert "for Amara, away until 3 March" in desk("Bo").get("/queue").main
    assert "you are away until 3 March, Bo acts" in desk("Amara").get("/queue").main


def test_what_is_overdue_on_hold_parked_or_restricted_is_said_in_words(cast: Cast, desk: SignedIn) -> None:
    late, held, parked = some(cast, -3, 1, 2)
    commands.restrict(cast.env, parked, ["amara@muster.example"], actor=cast.actor("Mina"))
    with cast.env.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE cases SET on_hold = true WHERE ref = %s", (held,))
        conn.exec_driver_sql("UPDATE cases SET parked_at = now() WHERE ref = %s", (parked,))

    page = desk("Amara").get("/queue")

    assert "Overdue by 3 days" in page.words(f"#case-{late}")[0]
    assert "On hold" in page.words(f"#case-{held}")[0]
    assert "Clock stands still" in page.words(f"#case-{held}")[0]
    assert "Parked" in page.words(f"#case-{parked}")[0]
    assert "Restricted" in page.words(f"#case-{parked}")[0]


# ------------------------------------------------------------------------------------------- filters and pages


def test_filters_stand_in_the_address_as_chips_that_can_be_taken_away_one_by_one(cast: Cast, desk: SignedIn) -> None:
    late, today, later = some(cast, -1, 0.2, 9)

    page = desk("Amara").get("/queue").form("#filter").submit(process="complaint", due="overdue")

    assert page.path == "/queue?process=complaint&due=overdue"
    assert listed(page) == [late]
    assert [chip.removesuffix(" (remove this filter)") for chip in page.words(".chip")] == ["Complaint", "Overdue"]
    page = page.follow("Overdue (remove this filter)")
    assert page.path == "/queue?process=complaint"
    assert listed(page) == [late, today, later]
    assert listed(page.follow("Remove all")) == [late, today, later]
    assert listed(page.follow("Remove all").follow("Overdue")) == [late], "what a day begins with is one click away"
    assert listed(page.client.get("/queue?member=pool+north+2")) == [later], "a member by name, as people write it"


@pytest.mark.parametrize(
    "query", ["process=nonsense", "owner=99999999", "due=never", "place=b1", "phase=x&state=%00", "member=M-%27", "x=1"]
)
def test_an_address_that_asks_for_nonsense_is_answered_with_a_page(desk: SignedIn, query: str) -> None:
    desk("Amara").get(f"/cases?{query}")


def test_numbers_beside_the_list_lead_to_each_state(cast: Cast, desk: SignedIn) -> None:
    some(cast, 1, 2)
    moved = a_complaint(cast, subject="Other")
    commands.fire(cast.env, moved, "withdraw", actor=cast.actor("Amara"))

    page = desk("Amara").get("/cases")

    assert page.words(".worklist-counts .side-link") == ["Complaint 2", "Received 2"]
    assert listed(page.follow("Received 2")) == listed(page)
    closed = page.client.get("/cases?phase=closed")
    assert listed(closed) == [moved]
    assert listed(page.client.get("/cases?phase=all")) == [moved, *sorted(listed(page), reverse=True)]


def test_a_long_list_turns_forward_and_back_and_does_not_count_everything(
    cast: Cast, desk: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = some(cast, 1, 2, 3)
    monkeypatch.setitem(worklist.queue_page.__kwdefaults__, "size", 2)

    page = desk("Amara").get("/queue")
    assert listed(page) == [first, second]
    assert "2 cases on this page; there are more." in page.main

    page = page.follow("Next")
    assert listed(page) == [third]
    page = page.follow("Previous")
    assert listed(page) == [first, second]
    assert page.all("nav.pager a[rel=prev]") == []


def test_the_next_case_follows_the_list_one_came_from_also_after_a_step_that_moved_the_case_down_it(
    cast: Cast, desk: SignedIn
) -> None:
    first, second, last = some(cast, -3, -1, 9)
    amara = desk("Amara")
    assert amara.get(f"/cases/{first}").one("a.next-case")["href"] == f"/cases/{second}", "of the queue, from elsewhere"

    page = amara.get("/queue?due=overdue").follow(first)
    assert page.words(".case-ref a") == ["My queue, Overdue"]
    set_deadline(cast, first, 5)
    page = amara.get(f"/cases/{first}")
    assert page.one("a.next-case")["href"] == f"/cases/{second}", "not what comes after its new place"
    page = page.follow("Next in my queue")
    assert page.all("a.next-case") == [], "of what is overdue this is the last"
    assert listed(page.follow("My queue, Overdue")) == [second]
    amara.get("/cases?newest=yes")
    assert amara.get(f"/cases/{last}").follow("Next in the list").path == f"/cases/{second}"
    for nonsense in ("x", "list=//evil.example&ref=x&at=b1", "list=%2Fqueue%3Fprocess%3D%2500&at=ax_1&ref=" + last):
        amara.http.cookies.set("muster_list", nonsense)
        assert amara.get(f"/cases/{last}").one("a.next-case")
    amara.http.cookies.delete("muster_list")
    amara.get("/cases?member=Acme")
    assert "muster_list" in amara.http.cookies
    amara.get("/account").form('form[action="/sign-out"]').submit()
    assert "muster_list" not in amara.http.cookies, "whoever comes next is told nothing of it"


# --------------------------------------------------------------------------------------- what may not be seen


def test_bo_never_sees_the_north_in_lists_numbers_search_or_files(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast, subject="Zanzibar")
    commands.note(cast.env, ref, "The boiler of Quillfeather", actor=cast.actor("Amara"))
    bo = desk("Bo")

    for path in (
        "/queue",
        "/cases",
        "/cases?phase=all",
        "/cases?team=North",
        f"/cases?owner={staff_id(cast, 'Amara')}",
    ):
        page = bo.get(path)
        assert "Zanzibar" not in page.text
        assert page.all(".worklist-counts") == []
    for words in (ref, "Zanzibar", "Quillfeather", "Zanzibar Ltd"):
        page = bo.get(f"/search?q={words}")
        assert "Nothing found" in page.main, words
    assert ref not in bo.get("/cases.csv").response.text


# ------------------------------------------------------------------------------------------------------- a file


def test_a_list_is_kept_as_a_file_with_every_page_of_it_and_no_formula(
    cast: Cast, desk: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.desk.queue.EXPORTED_AT_ONCE", 2)
    a_complaint(cast, subject="=HYPERLINK(1)")
    first, second, third = some(cast, 1, 2, 3)

    page = desk("Amara").get("/queue")
    kept = page.client.get(str(page.one("#as-file")["href"])).response

    lines = kept.text.splitlines()
    assert lines[0].startswith("\ufeffreference,process,state,subject")
    assert [line.partition(",")[0] for line in lines[1:4]] == [first, second, third]
    assert "'=HYPERLINK(1)" in lines[4]
    assert kept.headers["content-disposition"].startswith("attachment")
    assert "2026-03-03 09:00" in lines[1], "by the clock on the wall"


# ------------------------------------------------------------------------------------------------------- search


def test_the_reference_of_a_case_leads_straight_to_it(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast)

    assert desk("Amara").http.get(f"/search?q={ref.lower()}", follow_redirects=False).headers["location"] == (
        f"/cases/{ref}"
    )


def test_words_are_found_without_accents_in_subjects_members_and_notes_and_shown_where_they_stand(
    cast: Cast, desk: SignedIn
) -> None:
    by_subject = a_complaint(cast, subject="Müller & Söhne <b>cold</b>")
    by_note = a_complaint(cast, subject="Nothing special")
    commands.note(
        cast.env,
        by_note,
        "We spoke. " * 30 + "Frau Mueller-Lüdenscheidt rang. " + "x " * 300,
        actor=cast.actor("Amara"),
    )
    amara = desk("Amara")

    page = amara.get("/search?q=muller")
    assert page.words("table a.row-link") == [by_subject]
    assert page.words(".case-subject mark") == ["Müller"]
    assert page.words("td mark") == ["Müller"], "the member is called so as well"
    assert page.all("main b") == [], "what was typed is no markup"
    page = amara.get("/search?q=luden")
    assert page.words("table a.row-link") == [by_note]
    assert page.words(".excerpt mark") == ["Lüdenscheidt"]
    assert len(page.words(".excerpt")[0]) < 300
    assert amara.get("/search?q=nothing special ltd").words("table a.row-link") == [by_note], "by the member's name"
    assert "Müller & Söhne" in amara.get("/search?q=sohne").main
    assert amara.get("/search?q=nothing special").words("table a.row-link") == [by_note]


def test_open_cases_come_before_closed_ones_and_the_newest_first(cast: Cast, desk: SignedIn) -> None:
    old, closed, new = (a_complaint(cast, subject=f"Boiler {n}") for n in range(3))
    commands.fire(cast.env, closed, "withdraw", actor=cast.actor("Amara"))

    assert desk("Amara").get("/search?q=boiler").words("table a.row-link") == [new, old, closed]


@pytest.mark.parametrize("words", ["", "'", "a:* | b", "\\", "%", "&&&", "ﷺ" * 50, "<script>alert(1)</script>"])
def test_whatever_is_typed_into_the_search_is_answered_with_a_page(desk: SignedIn, words: str) -> None:
    page = desk("Amara").get(f"/search?{urlencode({'q': words})}")

    assert "looking for" in page.main or "Nothing found" in page.main


# -------------------------------------------------------------------------------------------------------- views


def test_filters_are_saved_under_a_name_and_pinned_above_the_lists(cast: Cast, desk: SignedIn) -> None:
    [late, _] = some(cast, -1, 5)
    amara = desk("Amara")

    page = amara.get("/queue?due=overdue").form("#save-view").submit(name="  My  late ones ")

    assert (page.path, listed(page)) == ("/queue?due=overdue", [late])
    assert page.one(".worklist-views a[aria-current]").get_text() == "My late ones"
    assert listed(amara.get("/queue").follow("My late ones")) == [late]
    again = amara.get("/cases").form("#save-view").submit(name="my LATE ones")
    assert again.status == 422
    assert "You have a view called “my LATE ones” already." in again.main


def test_a_shared_view_shows_each_what_they_may_see_and_is_changed_by_its_owner_alone(
    cast: Cast, desk: SignedIn
) -> None:
    some(cast, 1)
    [south] = some(cast, 2, team="South")
    amara, bo = desk("Amara"), desk("Bo")
    amara.get("/cases?process=complaint").form("#save-view").submit(name="Complaints", shared="yes")
    assert bo.get("/cases").all(".worklist-views") == [], "what others share is pinned by nobody else"

    page = bo.get("/views")

    assert "Complaints by Amara All cases, Complaint" in page.main
    assert listed(page.follow("Complaints")) == [south]
    assert "Complaints" in page.form(f"#{page.one('[id^=view-]')['id']} form").submit().client.get("/cases").main
    number = str(page.one("[id^=view-]")["id"]).removeprefix("view-")
    for path in (f"/views/{number}/delete", f"/views/{number}"):
        assert bo.post(path, [("csrf", csrf_of(page)), ("name", "Mine now")]).status == 404


def test_a_view_is_renamed_deleted_and_taken_back(desk: SignedIn) -> None:
    amara = desk("Amara")
    amara.get("/cases?due=today").form("#save-view").submit(name="Today")

    page = amara.get("/views").form("[id^=change-]").submit(name="For today", shared="yes")
    assert "For today" in page.main
    assert "Shared" in page.main
    page = page.form("form[action$=delete]").submit()
    assert "“For today” is deleted." in page.main
    assert page.all(".row-link") == []
    page = page.form("#undo").submit()
    assert page.words(".row-link") == ["For today"]


def csrf_of(page: Page) -> str:
    return str(page.all("input[name=csrf]")[0]["value"])


# --------------------------------------------------------------------------------------------------------- keys


def test_the_keys_are_listed_on_a_page_and_in_a_dialog_of_every_page(desk: SignedIn) -> None:
    amara = desk("Amara")

    assert "Next and previous line of a list" in amara.get("/keys").main
    assert amara.get("/queue").one("dialog#keys-help").get("open") is None


def test_single_letter_keys_can_be_switched_off_and_on_again(desk: SignedIn) -> None:
    amara = desk("Amara")
    off = amara.get("/keys").form("#switch-keys").submit()
    assert off.one("html")["data-keys"] == "off"
    assert off.form("#switch-keys").submit().one("html")["data-keys"] == "on"

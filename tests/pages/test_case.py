"""The page of a case: what it shows, to whom, and that nothing in it runs."""

from __future__ import annotations

import io
from datetime import timedelta

from cases import delivering, evidence
from cases.commands import assign, fire, note, restrict
from cases.duplicates import mark_duplicate
from cases.sweep import sweep_due
from config.database import transaction
from members.absence_commands import set_absence
from members.staff_commands import add_staff
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.case_cast import ACKNOWLEDGED, TYPED, a_complaint, acknowledged
from tests.pages.conftest import SignedIn
from web.desk.case_runs import runs
from web.desk.case_timeline import Happened


class Post:
    """Takes every mail and keeps none."""

    def send(self, mail: object) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_case_shows_who_owns_it_how_much_time_is_left_and_what_comes_if_nobody_acts(
    desk: SignedIn, cast: Cast
) -> None:
    page = desk("Amara").get(f"/cases/{a_complaint(cast)}")

    assert page.words("h1") == ["Cold pool"]
    assert page.words("#owner") == ["Amara (coordinator)"]
    assert "Acknowledgement 7 days left due 9 Mar 2026, 23:59" in page.words("#clocks")[0]
    assert page.words("#next li")[0] == "6 Mar 2026, 09:00 : Due soon. “Time is running out” to Amara."
    assert page.one("a.case-member").text == "Acme"


def test_the_drawing_marks_where_the_case_is_and_has_been_and_says_it_in_words(desk: SignedIn, cast: Cast) -> None:
    page = desk("Amara").get(f"/cases/{acknowledged(cast)}")

    assert page.words("#diagram .current text") == ["Acknowledged"]
    assert page.words("#diagram .visited text") == ["Received"]
    assert "Now: Acknowledged. From here: Early resolution; Stage 1;" in page.words("#diagram")[0]


def test_the_history_says_what_was_typed_by_the_labels_of_the_form(desk: SignedIn, cast: Cast) -> None:
    entry = desk("Amara").get(f"/cases/{acknowledged(cast)}").words("#event-2")[0]

    assert entry.startswith("Acknowledge Acknowledged Amara, 2 Mar 2026, 09:00 Acknowledgement: in time")
    assert "Understanding The pool was cold. Adjustments asked Yes" in entry
    assert "Complaint acknowledged to the complainant" in entry
    assert "adjustments_asked" not in entry


def test_a_long_history_is_read_page_by_page(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    for number in range(60):
        note(cast.env, ref, f"Note number {number:02}", actor=cast.actor("Amara"), now=MONDAY)
    amara = desk("Amara")

    pages = [amara.get(f"/cases/{ref}")]
    while pages[-1].all('a[rel="next"]'):
        pages.append(pages[-1].follow("Earlier"))

    titles = [each for page in pages for each in page.words(".case-entry .case-words") if each.startswith("Note")]
    assert titles == [f"Note number {number:02}" for number in reversed(range(60))]
    assert [len(page.all(".case-entry")) for page in pages] == [25, 25, 11]


def test_what_happened_is_narrowed_to_what_people_did_to_mail_or_to_notes(desk: SignedIn, cast: Cast) -> None:
    ref, amara = acknowledged(cast), desk("Amara")
    note(cast.env, ref, "She rang.", actor=cast.actor("Amara"), now=MONDAY)
    sweep_due(cast.env, now=cast.go_to(MONDAY + timedelta(days=10)))

    def told(show: str) -> list[str]:
        return amara.get(f"/cases/{ref}?show={show}").words(".case-entry-head strong")

    assert "Overdue" in told("") and told("nonsense") == told("")
    assert told("people") == ["Note", "Acknowledge", "Opened"]
    assert "Acknowledge" in told("mail") and "Note" not in told("mail")
    assert told("notes") == ["Note"]
    page = amara.get(f"/cases/{ref}?show=notes")
    assert page.words(".case-kinds-shown [aria-current]") == ["Notes and files"]
    assert "Cold water." in page.words("#began")[0]
    assert page.follow("2 Mar 2026, 09:00").words(".case-entry-head strong")[0] == "Note"


def test_what_muster_did_many_times_over_is_told_once() -> None:
    def entry(seq: int, title: str, by: str = "Muster") -> Happened:
        return Happened(seq, f"{seq}", title, "robot", by, by == "Muster", None, [], [], [], None)

    told = [entry(9, "Remind"), entry(8, "Remind"), entry(7, "Remind"), entry(6, "Note", "Amara"),
            entry(5, "Note", "Amara"), entry(4, "Note", "Amara"), entry(3, "Remind"), entry(2, "Remind")]  # fmt: skip

    assert [(first.seq, [o.seq for o in others]) for first, others in runs(told)] == [
        (9, [8, 7]), (6, []), (5, []), (4, []), (3, []), (2, []),
    ]  # fmt: skip


def test_a_case_on_paper_holds_its_history_its_letters_and_the_digests_of_its_files(desk: SignedIn, cast: Cast) -> None:
    from pypdf import PdfReader

    ref = acknowledged(cast)
    note(cast.env, ref, "قالت إن الماء بارد", actor=cast.actor("Amara"), now=MONDAY)
    kept = evidence.add(cast.env, ref, "Brief.txt", b"Guten Tag", actor=cast.actor("Amara"), now=MONDAY)
    delivering.deliver(cast.env, transport=Post(), now=MONDAY)  # type: ignore[arg-type]  # only what delivery calls
    restrict(cast.env, ref, ["amara@muster.example"], actor=cast.actor("Mina"), now=MONDAY)

    answer = desk("Amara").http.get(f"/cases/{ref}/paper")
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages).split())

    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{ref} 2026-03-02.pdf"')
    for words in ("Only named people may see this case.", "Zoë Łuczak", "2 Mar 2026, 09:00: Acknowledge",
                  "We have your complaint", "To Zoë Łuczak <zoe@example.org>, sent 2 Mar 2026, 09:00"):  # fmt: skip
        assert words in text, words
    assert kept.sha256 in text.replace(" ", "")
    assert cast.scalar("SELECT count(*) FROM restricted_views WHERE name LIKE :name", name=f"{ref}%") == 1
    assert desk("Bo").http.get(f"/cases/{ref}/paper").status_code == 404


def test_a_case_of_another_team_is_as_unknown_as_one_that_does_not_exist(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    bo, file = desk("Bo"), f"/files/{'0' * 64}"

    for path in ("", "/viewers", "/do/acknowledge", "/duplicate", "/messages/1", "/messages/1/html", file):
        north, nothing = (bo.get(f"/cases/{each}{path}", status=404).main for each in (ref, "CO-2026-999999"))
        assert north.replace(ref, "…") == nothing.replace("CO-2026-999999", "…"), path


def test_nothing_is_done_to_a_case_of_another_team(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    bo, events = desk("Bo"), "SELECT count(*) FROM case_events"
    token = bo.get("/cases/new").one('form[action="/sign-out"] input[name=csrf]')["value"]
    before = cast.scalar(events)

    for path in ("do/acknowledge", "do/acknowledge/draft", "do/note/discard", "notes", "assign", "files", "duplicate",
                 "duplicate/undo"):  # fmt: skip
        sent = {"csrf": token, "version": "1", "text": "x", "to": "bo@muster.example"}
        answer = bo.post(f"/cases/{ref}/{path}", sent)
        assert answer.status == 404, path

    assert cast.scalar(events) == before
    assert cast.scalar("SELECT count(*) FROM drafts") == 0


def test_who_stands_in_is_shown_and_acts_on_behalf_of_the_owner(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    day = MONDAY.date()
    set_absence(cast.env.engine, "amara@muster.example", day, day + timedelta(days=3), deputy="bo@muster.example",
                actor=SYSTEM, now=MONDAY)  # fmt: skip
    bo = desk("Bo")

    assert "Bo acts while they are away" in bo.get(f"/cases/{ref}").words("#owner")[0]
    bo.get(f"/cases/{ref}/do/acknowledge").form("#do").submit(**TYPED)

    assert "Bo for Amara" in desk("Mina").get(f"/cases/{ref}").words("#event-2")[0]


def test_who_else_looks_is_named_and_a_change_is_told_without_a_reload(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    amara, mina = desk("Amara"), desk("Mina")
    mina.get(f"/cases/{ref}")

    page = amara.get(f"/cases/{ref}")
    note(cast.env, ref, "meanwhile", actor=cast.actor("Mina"), now=MONDAY)
    asked = amara.get(str(page.one("#viewers")["data-hx-get"]), hx_request="true")

    assert page.words("#viewers") == ["Mina looks at this too"]
    assert asked.words("#viewers") == ["Mina looks at this too Changed since you opened it: show it anew"]


def test_who_looked_two_minutes_ago_looks_no_longer(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    desk("Mina").get(f"/cases/{ref}")
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql("UPDATE case_viewers SET seen_at = seen_at - interval '91 seconds'")

    assert desk("Amara").get(f"/cases/{ref}").words("#viewers") == [""]


def test_mail_that_waits_is_shown_as_it_would_be_and_what_was_sent_as_it_was(desk: SignedIn, cast: Cast) -> None:
    ref = acknowledged(cast)
    amara = desk("Amara")

    waiting = amara.get(f"/cases/{ref}").follow("Complaint acknowledged")

    assert "zoe@example.org" in waiting.main
    assert "This is how it would read if it left now." in waiting.main
    assert "The pool was cold." in waiting.words(".case-letter-text")[0]
    assert waiting.one("iframe")["sandbox"] == []  # nothing is allowed


def test_the_keys_of_personal_links_are_not_shown(desk: SignedIn, cast: Cast) -> None:
    ref, who = acknowledged(cast), cast.actor("Amara")
    fire(cast.env, ref, "try_early_resolution", payload={"complexity": "A simple repair"}, actor=who, now=MONDAY)
    agreed = {"answer": "We mend it.", "complainant_accepts": True}
    fire(cast.env, ref, "fix_agreed", payload=agreed, actor=who, now=MONDAY)
    number = cast.scalar("SELECT id FROM messages WHERE kind = 'complaint_resolved_early'")
    amara = desk("Amara")

    for path in ("", "/html"):
        shown = amara.http.get(f"/cases/{ref}/messages/{number}{path}").text
        assert "/p/complainant/…" in shown


def test_the_html_of_a_letter_can_run_nothing_and_is_framed_by_us_alone(desk: SignedIn, cast: Cast) -> None:
    ref = acknowledged(cast)
    evil = "<html><body><script>alert(1)</script><img src=x onerror=alert(2)></body></html>"
    number = cast.scalar("SELECT id FROM messages WHERE kind = 'complaint_acknowledged'")
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql(
            "UPDATE messages SET state = 'sent', sent_at = now(), subject = 'Evil', body_text = 'x', body_html = %s",
            (evil,),
        )

    answer = desk("Amara").http.get(f"/cases/{ref}/messages/{number}/html")

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy and "allow-scripts" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_mail_that_was_left_out_says_why(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast, complainant_email="")
    fire(cast.env, ref, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Amara"), now=MONDAY)
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql(
            "UPDATE messages SET state = 'suppressed', reason = 'no address on file' WHERE case_id IS NOT NULL"
        )
    page = desk("Amara").get(f"/cases/{ref}")

    assert all("no address on file" in each for each in page.words(".case-history .case-mail"))


def test_a_restricted_case_is_seen_by_those_who_are_named_alone(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    restrict(cast.env, ref, ["amara@muster.example"], actor=cast.actor("Mina"), now=MONDAY)

    assert "Only these see it: Mina, Amara." in desk("Amara").get(f"/cases/{ref}").words("#history")[0]
    desk("Max").get(f"/cases/{ref}", status=404)


def test_another_case_of_another_team_is_not_named_among_the_links_nor_in_the_history(
    desk: SignedIn, cast: Cast
) -> None:
    north, south = a_complaint(cast), a_complaint(cast, member="Süßstoff & Söhne", by="Bo")
    mark_duplicate(cast.env, north, south, confirmed=True, actor=cast.actor("Mina"), now=MONDAY)

    seen, hidden = desk("Mina").get(f"/cases/{north}"), desk("Amara").get(f"/cases/{north}")

    assert f"Repeats {south}." in seen.words("#history")[0]
    assert [a.text for a in seen.all("#links li a")] == [south]
    assert south not in hidden.response.text
    assert "Repeats another case." in hidden.words("#history")[0]


def test_an_auditor_reads_and_has_no_button(desk: SignedIn, cast: Cast) -> None:
    add_staff(cast.env.engine, "Otto", "otto@muster.example", ["auditor"], actor=SYSTEM, now=MONDAY)
    page = desk("Otto").get(f"/cases/{a_complaint(cast)}")

    assert page.words("#actions") == ["You may read this case; nothing in it waits for you."]
    assert page.all("#note") == page.all("#upload") == page.all("#assign") == []


def test_what_cannot_be_done_now_is_named_with_its_reason(desk: SignedIn, cast: Cast) -> None:
    page = desk("Amara").get(f"/cases/{acknowledged(cast)}")

    assert "Record first contact No first contact is waiting" in page.words("#not-now")[0]
    assert "Record first contact" not in page.words("#actions")[0]


def test_given_time_a_late_case_shows_what_its_clock_has_done(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    later = cast.go_to(MONDAY + timedelta(days=10))
    sweep_due(cast.env, now=later)

    clock = desk("Amara").get(f"/cases/{ref}").words("#clocks .case-clock")[0]

    assert "Overdue by 2 days" in clock
    assert "Set off so far: Due soon; Overdue" in clock


def test_somebody_whom_mail_reached_reads_what_was_sent(desk: SignedIn, cast: Cast) -> None:
    ref = acknowledged(cast)

    delivering.deliver(cast.env, transport=Post(), now=MONDAY)  # type: ignore[arg-type]  # only what delivery calls
    letter = desk("Amara").get(f"/cases/{ref}").follow("Complaint acknowledged")

    assert "Sent 2 Mar 2026, 09:00" in letter.main
    assert "if it left now" not in letter.main


def test_a_file_is_downloaded_and_never_shown(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    kept = evidence.add(cast.env, ref, "Brief Süßstoff.txt", b"Guten Tag", actor=cast.actor("Amara"), now=MONDAY)

    answer = desk("Amara").http.get(f"/cases/{ref}/files/{kept.sha256}")

    assert answer.content == b"Guten Tag"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''Brief%20S%C3%BC%C3%9Fstoff.txt" in answer.headers["content-disposition"]
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_case_that_was_given_away_says_to_whom(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    assign(cast.env, ref, "bo@muster.example", actor=cast.actor("Mina"), now=MONDAY)

    assert "To Bo" in desk("Mina").get(f"/cases/{ref}").words("#event-2")[0]


def test_what_people_write_is_shown_and_never_run(desk: SignedIn, cast: Cast) -> None:
    words = "<script>alert(1)</script> & “Žluťoučký kůň” " + "x" * 500
    ref = a_complaint(cast)
    note(cast.env, ref, words, actor=cast.actor("Amara"), now=MONDAY)

    page = desk("Amara").get(f"/cases/{ref}")

    assert page.words("#event-2 .case-words") == [words]

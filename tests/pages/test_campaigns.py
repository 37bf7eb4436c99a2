"""The pages of campaigns: the list, the plan, one campaign, its members, reminders, results and files."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import openpyxl
import pytest

from reports.spreadsheet import xlsx_chunks
from reports.table import csv_chunks
from tests.campaign_story import LAUNCH, NORTH, SOUTH, Story, launched, planned
from tests.cast import Cast
from tests.pages.conftest import SignedIn
from web.charts import Part, bar, line_chart, ticks
from web.desk import campaign_exceptions


@pytest.fixture
def story(cast: Cast) -> Story:
    """A live campaign on the day of its launch."""
    return launched(cast)


def test_without_a_campaign_the_list_offers_to_plan_one(desk: SignedIn) -> None:
    page = desk("Amara").get("/campaigns")
    assert "No campaign yet" in page.main
    assert page.follow("Plan a campaign").path == "/campaigns/new"
    assert "Plan a campaign" not in desk("Ada").get("/campaigns").main
    desk("Ada").get("/campaigns/new", status=403)


def test_the_list_shows_how_far_each_campaign_is_and_what_comes_next(story: Story, desk: SignedIn) -> None:
    story.answers(NORTH[0])
    page = desk("Mina").get("/campaigns")
    assert "Member pulse 2026" in page.main
    assert "1 of 21" in page.main
    assert "9 March 2026 to 20 April 2026" in page.main
    assert "Members answer; reminders go out by themselves" in page.main
    assert "1 of 14" in desk("Amara").get("/campaigns").main
    assert "The deadline is in 42 days." in page.main
    assert "20 Apr 2026, 23:59 : Deadline passed" in desk("Mina").get(f"/campaigns/{story.ref}").main


# ------------------------------------------------------------------------------------------------------ planning


def test_a_plan_is_looked_at_before_it_is_written_and_then_waits_for_somebody_else(cast: Cast, desk: SignedIn) -> None:
    cast.members(*NORTH, tier="General")
    cast.members(*SOUTH, team="South", tier="Associate")
    page = desk("Mina").get("/campaigns/new")
    assert "21 members would be asked today" in page.main
    typed = {
        "title": "Zażółć 2026", "questionnaire": "pulse", "launch": "2026-03-09", "deadline": "2026-04-20",
        "population.tier": ["Associate"],
    }  # fmt: skip
    looked = page.form("#plan").send(typed, button="See who would be asked")
    assert "7 members would be asked today" in looked.main
    assert "Åkerlund Öster AB: Tier is General" in looked.main
    assert cast.scalar("SELECT count(*) FROM cases") == 0
    assert looked.one("#field-title")["value"] == "Zażółć 2026"
    done = looked.form("#plan").send({}, button="Plan this campaign")
    assert "Zażółć 2026 is planned. Somebody else approves the plan." in done.main
    assert "A manager approves the plan" in done.main
    assert cast.scalar("SELECT data -> 'population' FROM cases") == {"status": ["active"], "tier": ["Associate"]}


def test_a_plan_that_cannot_be_is_shown_again_with_what_was_typed_and_what_is_wrong(cast: Cast, desk: SignedIn) -> None:
    cast.members(*NORTH)
    page = desk("Amara").get("/campaigns/new")
    typed = {"title": "Backwards", "questionnaire": "pulse", "launch": "2026-04-20", "deadline": "2026-03-09"}
    again = page.form("#plan").send(typed, button="Plan this campaign")
    assert again.status == 422
    assert "The deadline must be after the launch" in again.main
    assert again.one("#field-title")["value"] == "Backwards"
    assert cast.scalar("SELECT count(*) FROM cases") == 0


def test_who_would_be_asked_comes_as_a_piece_of_the_page_while_boxes_are_ticked(cast: Cast, desk: SignedIn) -> None:
    cast.members(*NORTH)
    cast.members(*SOUTH, team="South")
    client = desk("Bo")
    page = client.get("/campaigns/new")
    assert "your teams' members" in page.main and NORTH[0] not in page.text
    token = page.one("#plan input[name=csrf]")["value"]
    piece = client.post("/campaigns/new", {"csrf": token, "population.team": "South"}, hx_request="true")
    assert "7 members would be asked today" in piece.text
    assert not piece.all("h1")


# -------------------------------------------------------------------------------------------------- one campaign


def test_the_page_of_a_campaign_keeps_answered_exempt_unreachable_and_outstanding_apart(
    story: Story, desk: SignedIn
) -> None:
    story.answers(NORTH[0])
    story.fire(story.response(NORTH[1]), "bounce", "Amara", status="5.1.1")
    page = desk("Mina").get(f"/campaigns/{story.ref}")
    assert page.one(".plot-bar")["aria-label"] == (
        "Members: Answer in, being reviewed 1, Mail comes back 1, Outstanding 19"
    )
    assert page.words("main .plot-legend")[0].startswith("Complete 0 Answer in, being reviewed 1 Exempt 0")
    assert "100 %" not in page.one("section[aria-labelledby=progress]").get_text()
    assert "An even pace to the deadline would have 0 by now: it is 1 ahead." in page.one("#curve-told").get_text()
    assert "1 ahead of an even pace The deadline is in 42 days." in page.main
    assert "Find a contact that works for 1 member" in page.one("section[aria-labelledby=today]").get_text()
    assert len(page.follow("Outstanding 19").all("tbody tr")) == 19, "a number leads to its members"
    assert page.words("details table tbody tr") == ["9 March 2026 (day 0) 1 1 0"]


def test_a_hundred_percent_is_said_when_everybody_is_complete_and_not_before(story: Story, desk: SignedIn) -> None:
    for name in (*NORTH[1:], *SOUTH):
        story.answers(name)
        story.complete(name)
    progress = "section[aria-labelledby=progress]"
    assert "95 %" in desk("Mina").get(f"/campaigns/{story.ref}").one(progress).get_text()
    story.answers(NORTH[0])
    page = desk("Mina").get(f"/campaigns/{story.ref}")
    assert "100 %" not in page.words(progress + " .mark")
    story.complete(NORTH[0])
    page = desk("Mina").get(f"/campaigns/{story.ref}")
    assert "Everybody is complete or exempt: 100 %" in page.main


def test_the_other_team_sees_nothing_of_a_campaigns_members_but_its_own(story: Story, desk: SignedIn) -> None:
    story.answers(NORTH[0])
    client = desk("Bo")
    for path in ("", "/members", "/responses", "/results"):
        page = client.get(f"/campaigns/{story.ref}{path}")
        assert not [name for name in NORTH if name in page.text], path
        assert "21" not in page.one("main").get_text().split(), path
        assert "Your teams' members: 7 of the campaign." in page.main
    client.get(f"/campaigns/{story.ref}/responses/{story.response(NORTH[0])}", status=404)
    client.get(f"/campaigns/{story.ref}/responses/{story.response(NORTH[0])}/answer", status=404)


def test_a_campaign_that_is_not_launched_says_who_would_be_asked_and_what_can_be_done(
    cast: Cast, desk: SignedIn
) -> None:
    story = planned(cast)
    page = desk("Max").get(f"/campaigns/{story.ref}")
    assert "The rule takes in 21 members today" in page.main
    link = page.one('a[href*="/do/approve_plan"]')
    assert link["href"] == f"/cases/{story.ref}/do/approve_plan?return=/campaigns/{story.ref}"
    assert "Someone other than the person who did" in desk("Mina").get(f"/campaigns/{story.ref}").main
    assert "Nobody is asked yet" in desk("Max").get(f"/campaigns/{story.ref}/members").main


def test_a_campaign_without_everybody_is_closed_with_each_exception_named(
    story: Story, desk: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*NORTH[1:], *SOUTH[1:]):
        story.answers(name)
        story.complete(name)
    for name in (NORTH[0], SOUTH[0]):
        story.fire(
            story.response(name), "refuse", "Amara" if name in NORTH else "Bo", in_writing=True, statement="We will not"
        )
    story.at(LAUNCH + timedelta(days=43))
    story.at(LAUNCH + timedelta(days=43), 17)
    story.fire(story.ref, "submit_report", "Bo", report="report.pdf")
    story.fire(story.ref, "approve_report", "Mina")
    page = desk("Sol").get(f"/campaigns/{story.ref}").follow("Close with exceptions")
    assert "2 members of 21 have neither completed nor been exempted" in page.main
    with monkeypatch.context() as patched:
        patched.setattr(campaign_exceptions, "MOST_NAMED", 1)
        short = desk("Sol").get(page.path)
    assert "And 1 other member, who has no room here" in short.main and len(short.all("tbody tr")) == 1
    silent = page.form("#exceptions").send({"reason": "They refused"})
    assert silent.status == 422 and f"Say what is done about {NORTH[0]}" in silent.main
    ref = story.cast.scalar("SELECT ref FROM members WHERE name = :name", name=NORTH[0])
    typed = {f"action.{ref}": "Monitoring case opened", "common": "The board decides"}
    done = silent.form("#exceptions").send(typed)
    assert "Closed with exceptions" in done.main
    named = story.cast.scalar("SELECT details -> 'payload' -> 'outstanding' FROM case_events WHERE trigger = :t",
                              t="close_with_exceptions")  # fmt: skip
    assert [one["action"] for one in named] == ["Monitoring case opened", "The board decides"]
    desk("Mina").get(f"/campaigns/{story.ref}/exceptions", status=403)


# -------------------------------------------------------------------------------------------------- the members


def test_members_are_found_without_accents_and_the_address_can_be_kept(story: Story, desk: SignedIn) -> None:
    page = desk("Amara").get(f"/campaigns/{story.ref}/members")
    found = page.form("form.filters").send({"words": "lodz"})
    assert "words=lodz" in found.path
    assert found.words("tbody th")[0].startswith("Łódź Cotton")
    assert len(found.all("tbody tr")) == 1
    nobody = page.form("form.filters").send({"words": "quebec"})
    assert "Nobody is like that" in nobody.main, "that member is the South's"
    desk("Amara").get(f"/campaigns/{story.ref}/members?silent_since=yesterday", status=422)


def test_a_second_page_of_members_leads_back_to_the_first(story: Story, desk: SignedIn) -> None:
    names = [f"Członek {number:03}" for number in range(60)]
    story.cast.members(*names, team="South")
    for number, name in enumerate(names[:31]):
        ref = story.cast.scalar("SELECT ref FROM members WHERE name = :name", name=name)
        story.fire(story.ref, "add_member", "Mina", member=ref, reason=f"Joined late, number {number}")
    first = desk("Mina").get(f"/campaigns/{story.ref}/members")
    second = first.follow("Next")
    assert len(first.all("tbody tr")) == 50 and len(second.all("tbody tr")) == 2
    assert len(second.follow("Previous").all("tbody tr")) == 50


def test_a_reminder_is_shown_before_it_is_sent_and_who_answers_meanwhile_gets_none(
    story: Story, desk: SignedIn
) -> None:
    story.at(LAUNCH + timedelta(days=2))
    page = desk("Amara").get(f"/campaigns/{story.ref}/members")
    refs = [story.response(name) for name in NORTH[:3]]
    shown = page.form("#choose").send({"ref": refs}, button="Remind those I ticked …")
    assert "3 members will get a reminder" in shown.main
    assert story.cast.scalar("SELECT count(*) FROM messages WHERE kind = 'survey_nudge'") == 0
    story.answers(NORTH[0])
    done = shown.form("#send").submit()
    assert "2 members will get a reminder. Left out: Åkerlund Öster AB: No reminder is due" in done.main
    again = done.form("#choose").send({}, button="Remind all 13 of this list …")
    assert "11 members will get a reminder" in again.main and "2 members will not, and why" in again.main
    assert "was written to today already" in again.main


def test_a_reminder_to_nobody_says_so_and_who_may_not_remind_is_offered_none(story: Story, desk: SignedIn) -> None:
    page = desk("Amara").get(f"/campaigns/{story.ref}/members")
    assert "Tick the members who should get a reminder first." in page.form("#choose").submit().main
    assert not desk("Ada").get(f"/campaigns/{story.ref}/members").all("#choose")


# -------------------------------------------------------------------------------------------- results and files


def test_results_leave_small_cells_out(story: Story, desk: SignedIn) -> None:
    assert "No results yet" in desk("Mina").get(f"/campaigns/{story.ref}/results").main
    for name in NORTH[:3]:
        story.answers(name)
    assert "Fewer than 5 answers" in desk("Mina").get(f"/campaigns/{story.ref}/results").main
    for name in NORTH[3:10]:
        story.answers(name, staff=50)
    page = desk("Mina").get(f"/campaigns/{story.ref}/results")
    assert "Median" in page.main and "10 answers" in page.main


def test_files_open_in_a_spreadsheet_with_numbers_days_and_letters_as_they_are(story: Story, desk: SignedIn) -> None:
    story.answers(NORTH[0], staff=42)
    client = desk("Mina")
    response = client.http.get(f"/campaigns/{story.ref}/answers.xlsx")
    head, *rows = openpyxl.load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True)
    [row] = [dict(zip(head, row, strict=True)) for row in rows]
    assert (row["name"], row["staff"]) == (NORTH[0], 42)
    text = desk("Bo").http.get(f"/campaigns/{story.ref}/members.csv").content.decode("utf-8-sig")
    assert {row["name"] for row in csv.DictReader(io.StringIO(text))} == set(SOUTH)
    client.get(f"/campaigns/{story.ref}/secrets.csv", status=404)
    client.get("/campaigns/SC-2026-999999/members.csv", status=404)


def test_a_text_is_never_a_formula() -> None:
    rows = [("a", None, True), ("=1+1", "-2", "@x"), ("\n=3", -2, 1.5), ("Łódź", date(2026, 3, 2), False)]
    text = "".join(csv_chunks(rows))
    assert text == "\ufeffa,,yes\r\n'=1+1,'-2,'@x\r\n\"'\n=3\",-2,1.5\r\nŁódź,2026-03-02,no\r\n"
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_chunks(rows)))).active
    assert (sheet.auto_filter.ref, sheet["A1"].font.bold, sheet.column_dimensions["A"].width) == ("A1:C4", True, 6)
    assert [(cell.value, cell.data_type) for cell in sheet[2]] == [("=1+1", "s"), ("-2", "s"), ("@x", "s")]


# -------------------------------------------------------------------------------------------------- the drawings


def test_a_drawing_escapes_names_and_says_in_words_what_it_shows() -> None:
    drawn = bar("Members <b>", [Part("In & out", 3, "complete"), Part("Nobody", 0, "exempt")])
    assert 'aria-label="Members &lt;b&gt;: In &amp; out 3"' in drawn
    assert drawn.count("<rect") == 1
    assert 'aria-label="Members: nobody"' in bar("Members", [])
    lines = line_chart("T", "<script>", [], x_end=0, y_end=0, x_names=[])
    assert "<script>" not in lines and "style" not in lines


def test_an_axis_has_few_days_whole_weeks_apart_and_ends_at_its_end() -> None:
    assert [ticks(0), ticks(3), ticks(42), ticks(45)] == [
        [0], [0, 1, 2, 3], [0, 7, 14, 21, 28, 35, 42], [0, 14, 28, 45],
    ]  # fmt: skip

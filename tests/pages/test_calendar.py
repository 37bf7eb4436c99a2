"""The calendar of what comes by itself: who sees what of it, absences crossed, and the cases behind a number."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from icalendar import Calendar as ICalendar

from cases.calendar.month import Scope, four_weeks
from cases.calendar.own_days import Due, OwnDays
from cases.explaining.coming import what_happens_next
from members.absence_commands import set_absence
from members.staff_commands import staff_left
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.core.builders import LONDON
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client
from web.accounts.calendar_file import calendar_file

FRIDAY = date(2026, 3, 6)


def test_each_number_of_the_calendar_leads_to_the_cases_behind_it(desk: SignedIn, cast: Cast) -> None:
    a_complaint(cast)
    amara = desk("Amara")

    page = amara.get(f"/calendar?day={FRIDAY}")

    assert len(page.all("#month .calendar-day")) == 28
    assert "1 notice" in page.words(".calendar-chosen")[0]
    assert "Due soon: 1 (Complaint)" in page.words("#day")[0]
    assert page.words("#mails li") == ["Time is running out: 1"]
    for link in page.all("#day td a"):
        assert "Cold pool" in amara.get(str(link["href"])).main
    assert "Complaint,Due soon,1" in amara.get("/calendar/download").response.text
    assert amara.get("/calendar?day=x&scope=everybody").words("h1") == ["Calendar"]


def test_the_calendar_says_of_each_day_what_the_case_says_of_itself(cast: Cast) -> None:
    ref = a_complaint(cast)
    coming = what_happens_next(cast.env, ref, every_repeat=True, actor=SYSTEM, now=MONDAY)
    month = four_weeks(cast.env, Scope.EVERYBODY, actor=cast.actor("Sol"), now=MONDAY)
    local = cast.env.calendar.local_date

    told = {(day.on, entry.title) for day in month.days for share in day.shares for entry in share.entries
            if not entry.title.endswith("is due")}  # fmt: skip

    last = month.days[-1].on
    assert {(local(each.at), each.title) for each in coming.items[:4] if local(each.at) <= last} <= told


def test_whose_calendar_it_is_goes_by_right_and_bo_sees_nothing_of_the_north(desk: SignedIn, cast: Cast) -> None:
    a_complaint(cast)

    assert desk("Bo").get(f"/calendar?scope=everybody&day={FRIDAY}").all(".calendar-counts") == []
    assert desk("Bo").get(f"/calendar/cases?day={FRIDAY}&kind=notice").all("tbody tr") == []
    mina = desk("Mina").get(f"/calendar?scope=team&day={FRIDAY}")
    assert mina.words("nav[aria-label='Whose calendar'] a") == ["Mine", "My team’s", "Everybody’s"]
    assert mina.words("#day th[scope=row]") == ["Amara"]


def test_a_day_on_which_the_owner_is_away_shows_who_acts_or_that_nobody_does(desk: SignedIn, cast: Cast) -> None:
    a_complaint(cast)
    set_absence(cast.env.engine, "amara@muster.example", FRIDAY, FRIDAY + timedelta(days=2),
                deputy="max@muster.example", actor=SYSTEM, now=MONDAY)  # fmt: skip
    sol = desk("Sol")

    assert sol.get(f"/calendar?scope=everybody&day={FRIDAY}").words("#day th[scope=row]") == ["Amara Away Max acts"]

    for name in ("mina", "max", "bo", "cara"):
        staff_left(cast.env.engine, f"{name}@muster.example", left_on=date(2026, 3, 1), actor=SYSTEM, now=MONDAY)
    for name in ("sol", "ada"):
        set_absence(cast.env.engine, f"{name}@muster.example", FRIDAY, FRIDAY, deputy="amara@muster.example",
                    actor=SYSTEM, now=MONDAY)  # fmt: skip
    page = sol.get(f"/calendar?scope=everybody&day={FRIDAY}")
    assert page.words("#day th[scope=row]") == ["Amara Away, and nobody acts"]
    assert "nobody there" in page.words(".calendar-chosen")[0]


def feed_of(desk: SignedIn, who: str, **ticked: str) -> str:
    """Make a feed on the account page and return the path of its address."""
    made = desk(who).get("/account").form("#make-feed").submit(**ticked)
    return str(made.one("#feed-address")["value"]).removeprefix("http://127.0.0.1:8080")


def events_of(content: bytes) -> dict[str, Any]:
    """The events of a feed by their summary, after it has been read back as calendar programs do."""
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    return {str(event["SUMMARY"]): event for event in ICalendar.from_ical(content).walk("VEVENT")}


def test_a_feed_holds_ones_own_days_by_reference_and_in_full_only_where_wanted(
    desk: SignedIn, visitor: Client, cast: Cast
) -> None:
    ref = a_complaint(cast)
    set_absence(cast.env.engine, "amara@muster.example", FRIDAY, FRIDAY + timedelta(days=2),
                deputy="max@muster.example", actor=SYSTEM, now=MONDAY)  # fmt: skip
    plain, full = feed_of(desk, "Amara"), feed_of(desk, "Amara", titles="true", absences="true")

    neutral, named = visitor.http.get(plain), visitor.http.get(full)

    assert "Cold pool" not in neutral.text
    assert "Acme" not in plain + neutral.text
    assert (neutral.headers["content-type"], neutral.headers["cache-control"]) == (
        "text/calendar; charset=utf-8", "private, no-cache",
    )  # fmt: skip
    due = events_of(neutral.content)[f"Due: {ref}"]
    assert due["DTSTART"].dt == date(2026, 3, 9), "the day may be used to its end, so it is a whole day"
    away = events_of(named.content)["Away"]
    assert (away["DTSTART"].dt, away["DTEND"].dt) == (FRIDAY, FRIDAY + timedelta(days=3))
    again = {str(event["UID"]) for event in events_of(named.content).values()}
    assert str(events_of(named.content)[f"Due: {ref}, Cold pool"]["UID"]) == str(due["UID"])
    assert len(again) == len(events_of(named.content))
    same = visitor.http.get(plain, headers={"if-none-match": neutral.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_an_address_that_was_ended_or_that_nobody_knows_is_no_calendar(
    desk: SignedIn, visitor: Client, cast: Cast
) -> None:
    path = feed_of(desk, "Amara")
    assert visitor.http.get(path).status_code == 200
    assert path.split("/")[-1].removesuffix(".ics") not in str(cast.rows("SELECT * FROM calendar_feeds"))

    desk("Bo").post("/account/feeds/revoke", {"id": "1", "csrf": token(desk("Bo"))})
    assert visitor.http.get(path).status_code == 200, "it is not Bo's to end"
    desk("Amara").get("/account").form('form[action="/account/feeds/revoke"]').submit()

    assert visitor.http.get(path).status_code == 404
    assert visitor.http.get("/calendar/feed/x.ics").status_code == 404
    assert {visitor.http.get("/calendar/feed/" + "y" * 43 + ".ics").status_code for _ in range(22)} == {404, 429}


def test_commas_diacritics_and_long_titles_come_out_as_they_went_in() -> None:
    subject = "Žluťoučký kůň, „pěl“; ďábelské\\ódy: " + "ß" * 60
    due = Due("CO-2026-000001", 3, "Complaint", "Received", subject, MONDAY, decision=False)
    days = OwnDays([due], [(FRIDAY, [("reminder", 1), ("approval", 2)])], [])
    file = calendar_file(days, titles=True, absences=False, base_url="https://muster.example/", zone=LONDON,
                         person="staff:4", today=MONDAY.date())  # fmt: skip

    found = events_of(file)

    assert set(found) == {f"Due: CO-2026-000001, {subject}", "Muster: 1 reminder goes out, 2 decisions are due"}
    assert found[f"Due: CO-2026-000001, {subject}"]["DTSTART"].dt == MONDAY
    assert b"DTSTART:20260302T090000Z" in file


def token(person: Client) -> str:
    """Return a CSRF token of somebody who is signed in."""
    return str(person.get("/account").one('form[action="/sign-out"] input[name=csrf]')["value"])

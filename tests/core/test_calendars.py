"""Which days are worked: the published bank holidays, and arithmetic that holds for any closure days on top."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from state_machines.calendars import Calendar, CalendarError, calendar, public_holidays

PUBLISHED = {"EW": "england-and-wales", "SCT": "scotland", "NI": "northern-ireland", "BACS": "england-and-wales"}
NOT_PUBLISHED_YET = {"SCT": {date(2026, 6, 15)}}
"""Scotland's one-off holiday of 2026 was proclaimed after the copy of the published file was made."""
FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)

DAYS = st.dates(date(2024, 1, 1), date(2029, 12, 31))
UNHURRIED = settings(deadline=None)
"""A busy machine is no failure."""
COUNTS = st.integers(1, 120)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """A calendar of some nation, with closure days of the organisation wherever they may fall."""
    closures = draw(st.frozensets(st.dates(date(2023, 1, 1), date(2031, 12, 31)), max_size=25))
    run = draw(st.none() | DAYS)
    if run is not None:  # two weeks closed in a row, as at Christmas
        closures |= {run + timedelta(days=n) for n in range(14)}
    return Calendar(draw(st.sampled_from(["EW", "SCT", "NI"])), closures=closures)


def weekdays() -> list[date]:
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    return [day for day in days if day.weekday() < 5]


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_on_every_weekday_of_four_years_the_holidays_are_the_published_ones(name: str, shared_data: Path) -> None:
    published = json.loads((shared_data / "bank-holidays.json").read_text())[PUBLISHED[name]]["events"]
    theirs = {date.fromisoformat(event["date"]) for event in published}
    assert min(theirs).year == FIRST.year and max(theirs).year == LAST.year, "the copy covers other years now"

    ours = {day for day in weekdays() if not calendar(name).is_working(day)}

    known = NOT_PUBLISHED_YET.get(name, set())
    assert ours - theirs == known
    assert {day for day in theirs if day.weekday() < 5} - ours == set()


@pytest.mark.parametrize(
    ("day", "closed_in"),
    [
        (date(2026, 1, 2), {"SCT"}),
        (date(2026, 3, 17), {"NI"}),
        (date(2026, 4, 6), {"EW", "NI", "BACS"}),  # Easter Monday
        (date(2026, 7, 13), {"NI"}),
        (date(2026, 8, 3), {"SCT"}),
        (date(2026, 8, 31), {"EW", "NI", "BACS"}),
        (date(2026, 11, 30), {"SCT"}),
        (date(2026, 12, 28), {"EW", "SCT", "NI", "BACS"}),  # for Boxing Day, a Saturday
    ],
)
def test_the_nations_have_different_holidays(day: date, closed_in: set[str]) -> None:
    assert {name for name in PUBLISHED if not calendar(name).is_working(day)} == closed_in


def test_an_unknown_calendar_and_an_unknown_year_are_refused_with_a_sentence() -> None:
    with pytest.raises(CalendarError, match="no calendar named 'FR'; known are BACS, EW, NI, SCT"):
        calendar("FR")
    with pytest.raises(CalendarError, match="knows the years 2000 to 2100, not 2101-01-01"):
        calendar("EW").add_working_days(date(2100, 12, 30), 2)
    with pytest.raises(CalendarError, match="not 1999-12-31"):
        calendar("EW").is_working(date(1999, 12, 31))


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_year_has_between_eight_and_twelve_holidays_on_weekdays(name: str) -> None:
    found = public_holidays(name)
    for year in range(2000, 2101):
        assert 8 <= sum(day.year == year and day.weekday() < 5 for day in found) <= 12, year


# --- arithmetic


@UNHURRIED
@given(calendars(), DAYS, COUNTS)
def test_so_many_working_days_on_and_back_again_is_the_same_working_day(place: Calendar, day: date, count: int) -> None:
    start = place.next_working(day)
    assert place.add_working_days(place.add_working_days(start, count), -count) == start
    assert place.add_working_days(place.add_working_days(start, -count), count) == start


@UNHURRIED
@given(calendars(), DAYS, st.integers(-120, 120))
def test_the_answer_is_always_a_working_day(place: Calendar, day: date, count: int) -> None:
    assert place.is_working(place.add_working_days(day, count))
    assert place.is_working(place.next_working(day))
    assert place.is_working(place.previous_working(day))


@UNHURRIED
@given(calendars(), DAYS, DAYS, st.integers(-60, 60))
def test_a_later_day_never_gives_an_earlier_answer(place: Calendar, one: date, other: date, count: int) -> None:
    first, second = sorted((one, other))
    assert place.add_working_days(first, count) <= place.add_working_days(second, count)


@UNHURRIED
@given(calendars(), DAYS, st.integers(-60, 59))
def test_one_working_day_more_is_a_later_day(place: Calendar, day: date, count: int) -> None:
    assert place.add_working_days(day, count) <= place.add_working_days(day, count + 1)
    if count > 0 or count < -1:
        assert place.add_working_days(day, count) < place.add_working_days(day, count + 1)


@UNHURRIED
@given(calendars(), DAYS, COUNTS)
def test_counting_the_working_days_between_gives_what_was_added(place: Calendar, day: date, count: int) -> None:
    then = place.add_working_days(day, count)
    assert place.working_days_between(day, then) == count
    assert place.working_days_between(then, day) == -count
    assert place.working_days_between(then - timedelta(days=1), then) == 1, "the last day is counted"


@UNHURRIED
@given(calendars(), DAYS, DAYS, DAYS)
def test_working_days_between_add_up(place: Calendar, a: date, b: date, c: date) -> None:
    assert place.working_days_between(a, b) + place.working_days_between(b, c) == place.working_days_between(a, c)


@UNHURRIED
@given(calendars(), DAYS)
def test_the_next_and_the_previous_working_day_are_the_nearest(place: Calendar, day: date) -> None:
    after, before = place.next_working(day), place.previous_working(day)
    assert before <= day <= after
    assert place.working_days_between(day, after) == (0 if after == day else 1)
    assert not any(place.is_working(before + timedelta(days=n)) for n in range(1, (day - before).days))


@UNHURRIED
@given(calendars(), DAYS, COUNTS)
def test_a_day_closed_more_never_makes_a_deadline_earlier(place: Calendar, day: date, count: int) -> None:
    more = Calendar(place.name, closures=place.closures | {place.add_working_days(day, count)})
    assert more.add_working_days(day, count) > place.add_working_days(day, count)
    assert more.add_working_days(day, -count) <= place.add_working_days(day, -count)


def test_a_day_that_is_not_worked_is_day_nought_and_nought_rolls_forward() -> None:
    place = calendar("EW")
    saturday = date(2026, 4, 4)
    assert place.add_working_days(saturday, 1) == date(2026, 4, 7)
    assert place.add_working_days(saturday, 0) == date(2026, 4, 7)
    assert place.add_working_days(saturday, -1) == date(2026, 4, 2)
    assert place.add_working_days(date(2026, 4, 7), 0) == date(2026, 4, 7)


def test_a_closure_day_and_an_extra_holiday_are_not_worked() -> None:
    day = date(2026, 6, 10)
    assert calendar("EW").is_working(day)
    assert not calendar("EW", closures=[day]).is_working(day)
    assert not Calendar(extra_holidays=frozenset({day})).is_working(day)


# --- local time


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        ("2026-03-28", "23:59", "2026-03-28 23:59"),  # the night the clocks go forward begins in winter time
        ("2026-03-29", "23:59", "2026-03-29 22:59"),
        ("2026-03-29", "01:30", "2026-03-29 01:30"),  # skipped: taken as half past two of summer time
        ("2026-10-25", "01:30", "2026-10-25 00:30"),  # happens twice: the first is meant
        ("2026-10-25", "23:59", "2026-10-25 23:59"),
    ],
)
def test_a_local_time_is_an_instant_also_where_the_clocks_change(day: str, at: str, instant: str) -> None:
    found = calendar("EW").at(date.fromisoformat(day), time.fromisoformat(at))
    assert found == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@UNHURRIED
@given(
    st.dates(date(2024, 1, 1), date(2030, 12, 31)), st.sampled_from(["Europe/London", "Europe/Lisbon", "Asia/Tokyo"])
)
@example(date(2026, 3, 29), "Europe/London")
@example(date(2026, 10, 25), "Europe/London")
def test_the_end_of_a_day_lies_on_that_day_and_before_the_next_one(day: date, zone: str) -> None:
    place = calendar("EW", zone)
    end = place.end_of(day)
    assert end.tzinfo is UTC
    assert place.local_date(end) == day
    assert timedelta(0) < place.at(day + timedelta(days=1), time(0)) - end <= timedelta(minutes=1)
    assert place.end_of(day + timedelta(days=1)) - end in {timedelta(hours=h) for h in (23, 24, 25)}


def test_a_date_belongs_to_a_place() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert calendar("EW").local_date(late) == date(2026, 7, 1)
    assert calendar("EW", "America/New_York").local_date(late) == date(2026, 6, 30)

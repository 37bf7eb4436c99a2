"""From an allowance to the instant something is due: kinds, clamping, pauses, and the weeks the clocks change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from state_machines.calendars import Calendar, calendar
from state_machines.deadlines import (
    Allowance,
    BadAllowance,
    Kind,
    add_months,
    due_date,
    due_instant,
    give_back,
    start_day,
)
from state_machines.values import Pause
from tests.core.builders import LONDON, at

EW = calendar("EW")
DAYS = st.dates(date(2024, 1, 1), date(2029, 12, 31))
UNHURRIED = settings(deadline=None)
"""A busy machine is no failure."""
INSTANTS = st.integers(0, 5 * 365 * 24 * 60).map(lambda n: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=n))
CLOSED = st.frozensets(DAYS, max_size=20)
ALLOWANCES = st.builds(
    Allowance, st.sampled_from(list(Kind)), st.integers(1, 60), st.just(False)
) | st.integers(1, 24).map(lambda n: Allowance(Kind.MONTHS, n, True))  # fmt: skip


def allowed(text: str, day: str, place: Calendar = EW) -> date:
    return due_date(Allowance.parse(text), date.fromisoformat(day), place)


def due(text: str, anchor: str, *pauses: tuple[str, str | None], **more: Any) -> datetime:
    stood = [Pause(at(since), at(until) if until else None) for since, until in pauses]
    return due_instant(Allowance.parse(text), at(anchor), EW, pauses=stood, **more)


# --- texts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("WD(5)", "5 working days"), ("WD(1)", "1 working day"), ("CD(21)", "21 days"), ("CM(1, roll)", "1 month"),
        ("H(24)", "24 hours"), ("BACK(10)", "10 working days before"), ("BEGIN(30)", "30 days beginning with the day"),
    ],
)  # fmt: skip
def test_an_allowance_is_read_written_and_said(text: str, words: str) -> None:
    found = Allowance.parse(text)
    assert (str(found), found.words) == (text, words)


def test_the_spelling_of_the_bacs_rules_is_understood() -> None:
    assert Allowance.parse("BACK(10 WD)") == Allowance(Kind.BACK, 10)


@UNHURRIED
@given(ALLOWANCES)
def test_what_is_written_is_read_again(allowance: Allowance) -> None:
    assert Allowance.parse(str(allowance)) == allowance


@pytest.mark.parametrize("text", ["", "5", "WD", "WD()", "WD(-1)", "WD(5", "XX(5)", "WD(12345)", "wd(5)", "WD(5) days"])
def test_what_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadAllowance, match=r"is no allowance; write for example WD\(5\)"):
        Allowance.parse(text)


@pytest.mark.parametrize("text", ["WD(5, roll)", "CD(5, roll)", "H(5, roll)", "BEGIN(5, roll)"])
def test_only_months_roll(text: str) -> None:
    with pytest.raises(BadAllowance, match="only months"):
        Allowance.parse(text)


def test_hours_have_an_instant_and_no_date() -> None:
    with pytest.raises(BadAllowance, match="an instant, not a date"):
        allowed("H(24)", "2026-03-02")


# --- dates


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2026-01-31", 1, "2026-02-28"), ("2024-01-31", 1, "2024-02-29"), ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"), ("2026-01-31", 13, "2027-02-28"), ("2024-02-29", 12, "2025-02-28"),
        ("2026-05-31", 0, "2026-05-31"), ("2026-01-10", -1, "2025-12-10"),
    ],
)  # fmt: skip
def test_a_month_on_is_the_same_date_or_the_last_of_a_shorter_month(day: str, months: int, then: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(then)


@UNHURRIED
@given(DAYS, st.integers(-40, 40))
def test_months_land_in_the_month_meant_and_are_clamped_only_where_they_must(day: date, months: int) -> None:
    then = add_months(day, months)
    assert (then.year * 12 + then.month) - (day.year * 12 + day.month) == months
    assert then.day == day.day or (then.day < day.day and (then + timedelta(days=1)).day == 1)


@UNHURRIED
@given(DAYS, DAYS, st.integers(0, 24))
def test_a_later_day_is_not_due_earlier_by_months(one: date, other: date, months: int) -> None:
    first, second = sorted((one, other))
    assert add_months(first, months) <= add_months(second, months)


@UNHURRIED
@given(DAYS, st.integers(0, 14), CLOSED)
def test_months_roll_to_a_working_day_only_where_the_rule_says_so(
    day: date, months: int, closed: frozenset[date]
) -> None:
    place = Calendar(closures=closed)
    plain = due_date(Allowance(Kind.MONTHS, months), day, place)
    rolled = due_date(Allowance(Kind.MONTHS, months, True), day, place)
    assert plain == add_months(day, months)
    assert rolled == place.next_working(plain)


@UNHURRIED
@given(DAYS, st.integers(1, 60))
def test_beginning_with_the_day_is_one_day_less_than_from_the_day(day: date, count: int) -> None:
    assert due_date(Allowance(Kind.BEGIN, count), day, EW) + timedelta(days=1) == due_date(
        Allowance(Kind.CALENDAR_DAYS, count), day, EW
    )


@UNHURRIED
@given(DAYS, st.integers(0, 60), CLOSED)
def test_counting_back_ends_on_a_working_day_with_so_many_working_days_left(
    day: date, count: int, closed: frozenset[date]
) -> None:
    place = Calendar(closures=closed)
    notice = due_date(Allowance(Kind.BACK, count), day, place)
    assert place.is_working(notice)
    assert place.working_days_between(notice, place.previous_working(day)) == count


def test_counting_back_from_a_day_that_is_not_worked_starts_before_it() -> None:
    assert allowed("BACK(0)", "2026-04-06") == date(2026, 4, 2)  # Easter Monday
    assert allowed("BACK(2)", "2026-04-06") == date(2026, 3, 31)


# --- instants


@UNHURRIED
@given(ALLOWANCES, INSTANTS, CLOSED)
def test_a_day_is_allowed_in_full_and_an_hour_to_the_second(
    allowance: Allowance, anchor: datetime, closed: frozenset[date]
) -> None:
    place = Calendar(closures=closed)
    found = due_instant(allowance, anchor, place)
    if allowance.kind is Kind.HOURS:
        assert found - anchor == timedelta(hours=allowance.count)
    else:
        assert found.astimezone(LONDON).strftime("%H:%M:%S") == "23:59:00"
        assert place.local_date(found) == due_date(allowance, place.local_date(anchor), place)


@UNHURRIED
@given(ALLOWANCES, INSTANTS, INSTANTS)
def test_what_begins_later_is_not_due_earlier(allowance: Allowance, one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    assert due_instant(allowance, first, EW) <= due_instant(allowance, second, EW)


@UNHURRIED
@given(ALLOWANCES, INSTANTS, st.integers(1, 20))
def test_more_time_is_not_due_earlier(allowance: Allowance, anchor: datetime, more: int) -> None:
    longer = Allowance(allowance.kind, allowance.count + more, allowance.roll)
    first, second = due_instant(allowance, anchor, EW), due_instant(longer, anchor, EW)
    assert second < first if allowance.kind is Kind.BACK else second >= first


@pytest.mark.parametrize(
    ("text", "anchor", "instant"),
    [
        ("H(24)", "2026-03-28 12:00", "2026-03-29 13:00"),  # a day of 23 hours: an hour later by the wall clock
        ("H(24)", "2026-10-24 12:00", "2026-10-25 11:00"),
        ("H(72)", "2026-10-23 18:00", "2026-10-26 17:00"),
        ("CD(1)", "2026-03-28 12:00", "2026-03-29 23:59"),
        ("WD(1)", "2026-03-27 12:00", "2026-03-30 23:59"),
        ("WD(1)", "2026-10-23 23:59", "2026-10-26 23:59"),
        ("CM(1)", "2026-02-28 12:00", "2026-03-28 23:59"),
        ("BEGIN(2)", "2026-10-24 00:00", "2026-10-25 23:59"),
    ],
)
def test_in_the_weeks_the_clocks_change_hours_elapse_and_days_keep_their_end(
    text: str, anchor: str, instant: str
) -> None:
    assert due(text, anchor) == at(instant)


@pytest.mark.parametrize(
    ("anchor", "day"),
    [
        ("2026-06-10 16:59", "2026-06-10"), ("2026-06-10 17:00", "2026-06-11"), ("2026-06-12 17:30", "2026-06-15"),
        ("2026-04-02 20:00", "2026-04-07"), ("2026-04-04 10:00", "2026-04-04"),
    ],
)  # fmt: skip
def test_after_the_cut_off_the_next_working_day_counts_as_day_nought(anchor: str, day: str) -> None:
    assert start_day(at(anchor), EW, cut_off=True) == date.fromisoformat(day)
    assert start_day(at(anchor), EW, cut_off=False) == date.fromisoformat(anchor[:10])


def test_the_cut_off_moves_only_clocks_that_ask_for_it() -> None:
    assert due("WD(3)", "2026-06-10 17:30") == at("2026-06-15 23:59")
    assert due("WD(3)", "2026-06-10 17:30", cut_off=True) == at("2026-06-16 23:59")


def test_the_day_of_an_event_is_the_local_one() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # half past midnight in London
    assert due_instant(Allowance.parse("WD(1)"), late, EW) == at("2026-07-02 23:59")


# --- pauses


@pytest.mark.parametrize(
    ("text", "pauses", "instant"),
    [
        ("WD(10)", [("2026-03-04 10:00", "2026-03-06 10:00")], "2026-03-18 23:59"),  # two working days
        ("WD(10)", [("2026-03-06 10:00", "2026-03-09 10:00")], "2026-03-17 23:59"),  # Friday to Monday: one
        ("WD(10)", [("2026-03-04 10:00", "2026-03-04 16:00")], "2026-03-16 23:59"),  # within a day: none
        ("WD(10)", [("2026-03-07 10:00", "2026-03-08 10:00")], "2026-03-16 23:59"),  # on a weekend: none
        ("CD(10)", [("2026-03-06 10:00", "2026-03-09 10:00")], "2026-03-15 23:59"),
        ("CM(1)", [("2026-03-06 10:00", "2026-03-09 10:00")], "2026-04-05 23:59"),
        ("H(24)", [("2026-03-02 10:00", "2026-03-02 10:30")], "2026-03-03 09:30"),
        ("WD(10)", [("2026-03-04 10:00", None)], "2026-03-16 23:59"),  # still standing: nothing to give back yet
        ("WD(3)", [("2026-04-02 10:00", "2026-04-08 10:00")], "2026-03-09 23:59"),  # over Easter: two
    ],
)  # fmt: skip
def test_a_pause_gives_back_the_time_it_took(text: str, pauses: list[tuple[str, str | None]], instant: str) -> None:
    assert due(text, "2026-03-02 09:00", *pauses) == at(instant)


ONE_INTERVAL = st.tuples(st.integers(0, 60 * 24 * 60), st.integers(0, 20 * 24 * 60))
INTERVALS = st.lists(ONE_INTERVAL, max_size=6)


def stood(anchor: datetime, marks: Sequence[tuple[int, int]]) -> list[Pause]:
    begun = [anchor + timedelta(minutes=start) for start, _ in marks]
    return [Pause(since, since + timedelta(minutes=n)) for since, (_, n) in zip(begun, marks, strict=True)]


def covered(pauses: Sequence[Pause]) -> timedelta:
    """How long at least one of the pauses lasted, asked piece by piece."""
    spans = [(p.since, p.until) for p in pauses if p.until is not None]
    marks = sorted({mark for span in spans for mark in span})
    pieces = pairwise(marks)
    return sum((b - a for a, b in pieces if any(since <= a and b <= until for since, until in spans)), timedelta())


@UNHURRIED
@given(INSTANTS, st.integers(1, 200), INTERVALS)
@example(datetime(2026, 3, 2, tzinfo=UTC), 24, [(0, 600), (300, 600), (900, 10)])
def test_hours_are_given_back_exactly_and_overlapping_pauses_count_once(
    anchor: datetime, hours: int, marks: list[tuple[int, int]]
) -> None:
    pauses = stood(anchor, marks)
    found = due_instant(Allowance(Kind.HOURS, hours), anchor, EW, pauses=pauses)
    assert found - anchor - timedelta(hours=hours) == covered(pauses)


@UNHURRIED
@given(ALLOWANCES, INSTANTS, ONE_INTERVAL, INTERVALS, INTERVALS)
def test_a_pause_inside_another_changes_nothing(
    allowance: Allowance,
    anchor: datetime,
    mark: tuple[int, int],
    marks: list[tuple[int, int]],
    inner: list[tuple[int, int]],
) -> None:
    pauses = stood(anchor, [mark, *marks])
    whole = pauses[0]
    assert whole.until is not None
    inside = [Pause(max(p.since, whole.since), min(p.until or whole.until, whole.until)) for p in stood(anchor, inner)]
    inside = [p for p in inside if p.until is not None and p.since < p.until]
    assert due_instant(allowance, anchor, EW, pauses=pauses) == due_instant(
        allowance, anchor, EW, pauses=[*inside, *pauses]
    )


@UNHURRIED
@given(INSTANTS, st.integers(1, 60), ONE_INTERVAL, CLOSED)
def test_working_days_are_given_back_for_working_days(
    anchor: datetime, count: int, mark: tuple[int, int], closed: frozenset[date]
) -> None:
    place = Calendar(closures=closed)
    (pause,) = stood(anchor, [mark])
    assert pause.until is not None
    lost = place.working_days_between(place.local_date(pause.since), place.local_date(pause.until))
    found = due_instant(Allowance(Kind.WORKING_DAYS, count), anchor, place, pauses=[pause])
    assert place.local_date(found) == place.add_working_days(place.local_date(anchor), count + lost)


@UNHURRIED
@given(ALLOWANCES, INSTANTS, INTERVALS)
def test_no_pause_takes_time_away(allowance: Allowance, anchor: datetime, marks: list[tuple[int, int]]) -> None:
    assert due_instant(allowance, anchor, EW, pauses=stood(anchor, marks)) >= due_instant(allowance, anchor, EW)


@UNHURRIED
@given(ALLOWANCES, INSTANTS, INTERVALS, st.randoms(use_true_random=False))
def test_the_order_in_which_pauses_are_told_does_not_matter(
    allowance: Allowance, anchor: datetime, marks: list[tuple[int, int]], chance: Any
) -> None:
    pauses = stood(anchor, marks)
    mixed = list(pauses)
    chance.shuffle(mixed)
    assert due_instant(allowance, anchor, EW, pauses=mixed) == due_instant(allowance, anchor, EW, pauses=pauses)


def test_what_a_pause_gives_back_to_a_given_day_counts_as_its_clock_does() -> None:
    weekend = [Pause(at("2026-03-06 10:00"), at("2026-03-09 10:00"))]
    wednesday = date(2026, 5, 27)
    assert give_back(Kind.WORKING_DAYS, wednesday, weekend, EW) == date(2026, 5, 28)
    assert give_back(Kind.CALENDAR_DAYS, wednesday, weekend, EW) == date(2026, 5, 30)

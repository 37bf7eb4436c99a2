"""When messages may leave."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.windows import NeverOpens, next_opening, openings, start_of, tomorrow
from state_machines.calendars import Calendar, calendar
from state_machines.policy import Window

LONDON = calendar("EW")
OFFICE = Window()
SPLIT = Window(hours=((time(13, 0), time(17, 0)), (time(9, 0), time(12, 0))))
EVERY_DAY = Window(days=tuple(range(7)), working_days_only=False, hours=((time(0, 0), time(0, 0)),))


def at(text: str, place: Calendar = LONDON) -> datetime:
    """An instant from local wall-clock time."""
    return datetime.fromisoformat(text).replace(tzinfo=place.zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        (OFFICE, "2026-04-13T08:00", "2026-04-13T08:00"),
        (OFFICE, "2026-04-13T17:59:59", "2026-04-13T17:59:59"),
        (OFFICE, "2026-04-13T18:00", "2026-04-14T08:00"),
        (OFFICE, "2026-04-13T07:59", "2026-04-13T08:00"),
        (OFFICE, "2026-04-17T18:00", "2026-04-20T08:00"),  # Friday evening
        (OFFICE, "2026-04-02T20:00", "2026-04-07T08:00"),  # over Easter
        (SPLIT, "2026-04-13T12:00", "2026-04-13T13:00"),  # lunch
        (SPLIT, "2026-04-13T08:00", "2026-04-13T09:00"),
        (SPLIT, "2026-04-13T11:59", "2026-04-13T11:59"),
        (EVERY_DAY, "2026-04-13T23:59:59", "2026-04-13T23:59:59"),
        (EVERY_DAY, "2026-12-25T00:00", "2026-12-25T00:00"),
    ],
)
def test_a_window_opens_when_it_says(window: Window, now: str, opens: str) -> None:
    assert next_opening(window, at(now), LONDON) == at(opens)


def test_midnight_as_an_end_is_the_end_of_the_day() -> None:
    late = Window(hours=((time(20, 0), time(0, 0)),))

    assert next_opening(late, at("2026-04-13T23:59"), LONDON) == at("2026-04-13T23:59")
    assert next_opening(late, at("2026-04-14T00:00"), LONDON) == at("2026-04-14T20:00")


def test_a_closure_of_the_office_closes_the_window() -> None:
    closed = calendar("EW", closures=[date(2026, 4, 14)])

    assert next_opening(OFFICE, at("2026-04-13T19:00"), closed) == at("2026-04-15T08:00")


def test_an_interval_that_the_clocks_skip_does_not_open() -> None:
    night = Window(days=tuple(range(7)), working_days_only=False, hours=((time(1, 0), time(2, 0)),))

    assert list(openings(night, date(2026, 3, 29), LONDON)) == []
    assert next_opening(night, at("2026-03-28T03:00"), LONDON) == at("2026-03-30T01:00")


def test_an_interval_over_the_hour_that_happens_twice_is_an_hour_longer() -> None:
    night = Window(days=tuple(range(7)), working_days_only=False, hours=((time(0, 0), time(3, 0)),))

    [(opens, closes)] = openings(night, date(2026, 10, 25), LONDON)

    assert closes - opens == timedelta(hours=4)


def test_a_window_without_days_says_so_instead_of_waiting_for_ever() -> None:
    with pytest.raises(NeverOpens):
        next_opening(Window(days=(6,)), at("2026-04-13T10:00"), LONDON)


def test_tomorrow_begins_at_local_midnight() -> None:
    assert tomorrow(at("2026-07-01T23:30"), LONDON) == datetime(2026, 7, 1, 23, 0, tzinfo=UTC)
    assert start_of(date(2026, 7, 2), LONDON) == datetime(2026, 7, 1, 23, 0, tzinfo=UTC)


HOURS = st.lists(st.integers(0, 24), min_size=2, max_size=6, unique=True).map(
    lambda marks: tuple(
        (time(a), time(b % 24)) for a, b in zip(sorted(marks)[::2], sorted(marks)[1::2], strict=False) if a < b
    )
)
WINDOWS = st.builds(
    Window,
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    working_days_only=st.just(False),
    hours=HOURS,
)
INSTANTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n))


def is_open(window: Window, instant: datetime, place: Calendar) -> bool:
    """The same rule, written from the wall clock."""
    local = instant.astimezone(place.zone)
    hour = local.hour + local.minute / 60 + local.second / 3600
    spans = [(start.hour, end.hour or 24) for start, end in window.hours]
    return local.weekday() in window.days and any(start <= hour < end for start, end in spans)


def changes_clocks(instant: datetime, place: Calendar) -> bool:
    """Whether the clocks change on one of the days around an instant."""
    days = [instant.astimezone(place.zone).replace(tzinfo=None) + timedelta(days=n) for n in (-1, 2)]
    return len({day.replace(tzinfo=place.zone).utcoffset() for day in days}) > 1


@given(WINDOWS, INSTANTS)
@example(EVERY_DAY, datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
def test_the_opening_is_never_past_and_asking_again_gives_the_same(window: Window, now: datetime) -> None:
    opening = next_opening(window, now, LONDON)

    assert opening >= now
    assert next_opening(window, opening, LONDON) == opening
    assert opening - now <= timedelta(days=8)


@given(WINDOWS, INSTANTS)
def test_a_window_is_open_exactly_when_the_wall_clock_says_so(window: Window, now: datetime) -> None:
    if not changes_clocks(now, LONDON):
        assert (next_opening(window, now, LONDON) == now) == is_open(window, now, LONDON)


@given(WINDOWS, INSTANTS, st.sampled_from(["Europe/London", "America/St_Johns", "Pacific/Auckland", "Asia/Kathmandu"]))
def test_nothing_is_open_between_now_and_the_opening(window: Window, now: datetime, zone: str) -> None:
    place = Calendar(zone_name=zone)
    opening = next_opening(window, now, place)
    steps = int((opening - now) / timedelta(minutes=30))
    between = [now + timedelta(minutes=30) * n for n in range(min(steps, 200))]

    assert not any(is_open(window, each, place) for each in between if not changes_clocks(each, place))

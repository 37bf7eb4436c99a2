"""Time as people say it, across midnight and the change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from web.wording import filters, left

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("deadline", "words", "tone"),
    [
        (NOON - timedelta(seconds=20), "Overdue by 1 minute", "overdue"),
        (NOON - timedelta(days=3, hours=2), "Overdue by 3 days", "overdue"),
        (NOON + timedelta(hours=5), "5 hours left, today", "today"),
        (NOON + timedelta(hours=11, minutes=59), "11 hours left, today", "today"),
        (NOON + timedelta(hours=13), "Tomorrow", "soon"),
        (NOON + timedelta(days=2), "2 days left", "soon"),
        (NOON + timedelta(days=30), "30 days left", "later"),
        (None, "No deadline", "none"),
        ((NOON + timedelta(hours=5)).isoformat(), "5 hours left, today", "today"),
    ],
)
def test_time_left_is_said_in_words_that_need_no_colour(deadline: object, words: str, tone: str) -> None:
    found = left(deadline, NOON, LONDON)  # type: ignore[arg-type]
    assert (found.words, found.tone) == (words, tone)


def test_today_is_the_day_of_the_organisation_and_not_that_of_greenwich() -> None:
    late = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)  # 23:30 in London
    assert left(late + timedelta(minutes=45), late, LONDON).words == "Tomorrow"
    assert left(late + timedelta(minutes=45), late, ZoneInfo("UTC")).words == "45 minutes left, today"


def test_instants_are_shown_in_the_organisations_zone_with_the_exact_one_for_machines() -> None:
    when = filters(LONDON)["when"]
    shown = str(when("2026-07-01T08:00:00+00:00"))
    assert shown == '<time datetime="2026-07-01T08:00:00+00:00">1 Jul 2026, 09:00</time>'
    assert when(None, "never") == "never"


def test_a_day_is_the_day_in_the_organisations_zone() -> None:
    day = filters(LONDON)["day"]
    assert ">2 July 2026<" in str(day(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)))
    assert ">1 March 2026<" in str(day("2026-03-01"))

"""Time that passes in a sandbox: what is due happens on its day, and what cannot happen is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cases import commands
from cases.errors import BadInput
from cases.sandbox_story import story
from cases.sandbox_time import ClockIsMoving, OnlyInSandbox, pass_time
from cases.sweep import sweep_due
from config.database import Engine, reading
from tests.cast import MONDAY, Cast, cast_of
from tests.post import Letterbox, letterbox
from tests.shell.test_breaker import policy_with


@pytest.fixture
def box() -> Iterator[Letterbox]:
    with letterbox() as found:
        yield found


@pytest.fixture
def town(engine: Engine, tmp_path: Path, box: Letterbox) -> Cast:
    """A sandbox with a real mail server and one complaint of the North, received now."""
    cast = cast_of(engine, tmp_path / "home", box.url)
    a_complaint(cast)
    return cast


def a_complaint(cast: Cast) -> str:
    [member] = cast.members("Cold Pool Ltd")
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=member)
    return commands.open_one(cast.env, "complaint", member=ref, subject="Cold pool", payload={"category": "service"},
                             actor=cast.actor("Amara")).after.ref  # fmt: skip


def test_a_week_later_the_reminders_of_that_week_have_left_each_on_its_day(town: Cast, box: Letterbox) -> None:
    passed = pass_time(town.env, "2w")
    assert (passed.got_there, town.env_now) == (True, MONDAY + timedelta(weeks=2))
    assert passed.fired > 0
    assert passed.sent == len(box.mails) > 0
    days = [row.at.date() for row in town.rows("SELECT at FROM case_events WHERE occurrence IS NOT NULL ORDER BY id")]
    assert len(set(days)) > 1
    told = story(town.env, passed.since, passed.until, actor=town.actor("Amara"), now=town.env_now)
    assert [day.day for day in told.days] == sorted({day.day for day in told.days})
    assert sum(len(day.moves) for day in told.days) >= passed.fired
    assert {letter.state for day in told.days for letter in day.letters} >= {"sent"}


def test_the_story_tells_nobody_what_they_may_not_see(town: Cast) -> None:
    passed = pass_time(town.env, "2w")
    told = story(town.env, passed.since, passed.until, actor=town.actor("Bo"), now=town.env_now)
    assert (told.moves, told.letters) == (0, 0)


def test_the_next_step_stops_at_the_next_moment_at_which_something_is_due(town: Cast) -> None:
    due = town.scalar("SELECT least(min(due_at), (SELECT min(not_before) FROM messages WHERE state = 'queued'))"
                      " FROM cases")  # fmt: skip
    passed = pass_time(town.env, "next")
    assert passed.until == due
    assert town.env_now == due


def test_without_a_mail_server_time_passes_and_mail_stays_queued(engine: Engine, tmp_path: Path) -> None:
    cast = cast_of(engine, tmp_path / "home", "smtp://127.0.0.1:1")
    a_complaint(cast)
    passed = pass_time(cast.env, "2w")
    assert passed.got_there
    assert passed.fired > 0
    assert passed.no_mail
    assert (passed.sent, cast.scalar("SELECT count(*) FROM messages WHERE state = 'sent'")) == (0, 0)
    assert cast.scalar("SELECT count(*) FROM messages WHERE state = 'queued'") > 0


def test_twice_a_week_is_two_weeks_and_nothing_fires_twice(town: Cast, box: Letterbox) -> None:
    first = pass_time(town.env, "1w")
    town.go_to(MONDAY)
    again = pass_time(town.env, "1w")
    assert first.fired > 0
    assert again.fired == 0
    assert len(box.mails) == first.sent


def test_a_production_clock_is_not_moved(engine: Engine, tmp_path: Path) -> None:
    cast = cast_of(engine, tmp_path / "home")
    with engine.begin() as conn:
        conn.execute(text("UPDATE installation SET kind = 'production', clock_at = NULL"))
    for step in ("1w", "follow", "next", "2026-03-02"):
        with pytest.raises(OnlyInSandbox):
            pass_time(cast.env, step)


def test_more_than_three_months_nonsense_and_a_second_hand_at_the_clock_are_refused(town: Cast) -> None:
    for step in ("20w", "nonsense", "9999-12-31", "100000w"):
        with pytest.raises(BadInput):
            pass_time(town.env, step)
    with reading(town.env.engine) as other:
        other.execute(text("SELECT pg_advisory_xact_lock(770043)"))
        with pytest.raises(ClockIsMoving):
            pass_time(town.env, "1d")
    assert town.env_now == MONDAY


def test_when_the_time_to_wait_is_over_the_clock_stands_where_it_got_to_and_goes_on_from_there(town: Cast) -> None:
    passed = pass_time(town.env, "2w", seconds=-1)
    assert not passed.got_there
    assert town.env_now == passed.until == MONDAY
    assert pass_time(town.env, "2w").got_there


def test_time_passes_over_what_is_held_back_until_a_manager_decides(town: Cast) -> None:
    late = replace(town.env, policy=policy_with(town.env.policy, late=0))
    town.go_to(MONDAY + timedelta(weeks=2))
    sweep_due(late)
    assert town.scalar("SELECT count(*) FROM held_cases WHERE waiting") == 1
    passed = pass_time(late, "1d")
    assert (passed.got_there, passed.fired) == (True, 0)
    assert passed.stops < 10

"""Ladders: what can be written, where each rung lies, and that each fires once however the time passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state_machines import clockwork, engine
from state_machines.calendars import calendar
from state_machines.ladders import (
    BadLadder,
    DueRung,
    Ladder,
    Offset,
    Rung,
    latest_repeat,
    mark_fired,
    moved,
    rungs_left,
)
from state_machines.policy import Policy
from state_machines.process import Clock, Process, State, Transition
from state_machines.values import Case, Context, Role, RunningClock, Step
from tests.core.builders import at, staff, wait

EW = calendar("EW")
START, DUE = at("2026-03-02 09:00"), at("2026-03-31 23:59")
UNHURRIED = settings(deadline=None)
"""A busy machine is no failure."""


def lies(text: str, start: str = "2026-03-02 09:00", due: str = "2026-03-31 23:59") -> datetime:
    return Offset.parse(text).instant(at(start), at(due), EW)


def rung(name: str = "r", moment: str = "due", fires: str = "tick", **more: Any) -> dict[str, Any]:
    return {"rung": name, "at": moment, "fires": fires, **more}


def ladder(*rows: dict[str, Any]) -> Ladder:
    return Ladder.parse("made_up", list(rows))


def running(fired: Sequence[str] = (), start: datetime = START, due: datetime = DUE) -> RunningClock:
    return RunningClock("clock", start, due, tuple(fired))


# --- the grammar


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("start", "2026-03-02 09:00"), ("due", "2026-03-31 23:59"), ("start+7d", "2026-03-09 09:00"),
        ("start+2w 10:30", "2026-03-16 10:30"), ("start+90m", "2026-03-02 10:30"), ("start+4h", "2026-03-02 13:00"),
        ("due-1wd 09:00", "2026-03-30 09:00"), ("due+3wd 09:00", "2026-04-07 09:00"),  # over Easter
        ("due 09:00", "2026-03-31 09:00"), ("due+1wd", "2026-04-01 23:59"), ("due-12h", "2026-03-31 11:59"),
        ("due-1w", "2026-03-24 23:59"), (" due ", "2026-03-31 23:59"),
    ],
)  # fmt: skip
def test_a_moment_is_counted_from_the_start_or_from_the_end(text: str, instant: str) -> None:
    assert lies(text) == at(instant)


@pytest.mark.parametrize(
    "text",
    ["", "later", "due3wd", "due+3", "start+3y", "due+3wd 9:00", "due+3wd 24:00", "due 09:60", "1000%", "soon+1d", "%"],
)
def test_a_moment_that_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadLadder, match="is no moment of a ladder; write for example due"):
        Offset.parse(text)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"rung": "r", "at": "due"}, "has the keys rung, at, fires"),
        (rung(colour="red"), "has the keys rung, at, fires"),
        (rung(every="5"), "every '5' is no distance; write for example 5wd or 1w"),
        (rung(every="0d"), "is no distance"),
        (rung(every="-1d"), "is no distance"),
        (rung(every="1d", times=0), "times is a number from 1"),
        (rung(every="1d", times="often"), "times is a number from 1"),
        (rung(times=3), "goes with every"),
        (rung(late="never"), "late is fire, skip, skip 3wd, spread 4h, ask or a list of them; not 'never'"),
        (rung(name="a#2"), "is no name of a rung"),
        (rung(name=""), "is no name of a rung"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_in_a_sentence_with_the_name_of_the_ladder(
    row: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadLadder, match="Ladder made_up: ") as bad:
        ladder(row)
    assert sentence in str(bad.value)
    assert str(bad.value).endswith(".")


def test_a_ladder_has_rungs_and_no_two_of_one_name() -> None:
    with pytest.raises(BadLadder, match="Ladder made_up: two rungs have the same name"):
        ladder(rung("a"), rung("a", "start"))
    with pytest.raises(BadLadder, match="Ladder made_up has no rungs"):
        ladder()


def test_the_word_expires_stands_for_the_trigger_of_the_clock() -> None:
    found = ladder(rung("a", "start"), rung("b", fires="$expires"))
    assert found.triggers("give_up") == ["tick", "give_up"]
    assert found.triggers(None) == ["tick", ""]


# --- where rungs lie


@pytest.mark.parametrize(
    ("start", "due", "soon"),
    [
        ("2026-03-02 09:00", "2026-03-31 23:59", "2026-03-26 00:59:12"),  # four fifths of the time
        ("2026-03-02 09:00", "2026-03-05 23:59", "2026-03-04 23:59"),  # one working day left comes first
        ("2026-03-02 09:00", "2026-03-02 23:59", "2026-03-02 09:00"),  # never before it begins
        ("2026-04-01 09:00", "2026-04-08 23:59", "2026-04-07 11:23:12"),
    ],
)
def test_soon_is_when_four_fifths_are_gone_or_one_working_day_is_left(start: str, due: str, soon: str) -> None:
    assert lies("soon", start, due) == at(soon)


@UNHURRIED
@given(st.integers(0, 60 * 24 * 400), st.integers(0, 60 * 24 * 400))
def test_soon_never_lies_before_the_start_nor_after_the_end(after: int, lasts: int) -> None:
    start = START + timedelta(minutes=after)
    due = start + timedelta(minutes=lasts)
    assert start <= Offset.parse("soon").instant(start, due, EW) <= due


@pytest.mark.parametrize(
    ("text", "instant"),
    [("0%", "13 09:00"), ("50%", "15 10:00"), ("75% 09:00", "16 09:00"), ("100%", "17 11:00"), ("150%", "19 12:00")],
)
def test_a_percentage_is_of_the_time_that_passes(text: str, instant: str) -> None:
    assert lies(text, "2026-04-13 09:00", "2026-04-17 11:00") == at(f"2026-04-{instant}")


@pytest.mark.parametrize(
    ("base", "count", "unit", "instant"),
    [
        ("2026-03-28 12:00", 1, "d", "2026-03-29 12:00"),  # the wall clock stays: 23 hours
        ("2026-03-28 12:00", 24, "h", "2026-03-29 13:00"),  # the hours elapse
        ("2026-10-24 12:00", 1, "d", "2026-10-25 12:00"),
        ("2026-10-24 12:00", 24, "h", "2026-10-25 11:00"),
        ("2026-03-27 09:00", 1, "wd", "2026-03-30 09:00"),
        ("2026-10-30 09:00", -1, "w", "2026-10-23 09:00"),
        ("2026-03-28 01:30", 1, "d", "2026-03-29 02:30"),  # that half hour is skipped
    ],
)
def test_days_keep_the_time_of_day_when_the_clocks_change_and_hours_do_not(
    base: str, count: int, unit: str, instant: str
) -> None:
    assert moved(at(base), count, unit, None, EW) == at(instant)


def test_in_the_hour_that_happens_twice_a_rung_at_the_end_lies_at_the_end() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # half past one for the second time
    assert Offset.parse("due").instant(second - timedelta(hours=24), second, EW) == second


# --- what is left


def test_what_has_fired_is_left_out_and_the_soonest_comes_first() -> None:
    steps = ladder(rung("late", "due+1wd"), rung("early", "start+1d"), rung("end", "due"))
    assert [found.key for found in rungs_left(steps, running(), EW)] == ["early", "end", "late"]
    assert [found.key for found in rungs_left(steps, running(["end"]), EW)] == ["early", "late"]
    assert rungs_left(steps, running(["early", "end", "late"]), EW) == ()


def test_of_a_repeating_rung_only_the_next_repeat_is_left_and_times_ends_it() -> None:
    steps = ladder(rung("again", "due+1wd 09:00", every="5wd", times=3))
    days = []
    fired: tuple[str, ...] = ()
    while left := rungs_left(steps, running(fired), EW):
        (found,) = left
        days.append((found.key, found.at))
        fired = mark_fired(fired, found.key)
    assert days == [
        ("again#1", at("2026-04-01 09:00")), ("again#2", at("2026-04-10 09:00")), ("again#3", at("2026-04-17 09:00")),
    ]  # fmt: skip
    assert fired == ("again#3",), "of repeats only the last is kept"


def test_of_a_repeat_that_was_missed_several_times_the_last_is_taken() -> None:
    (found,) = rungs_left(ladder(rung("again", "start", every="1d")), running(), EW)
    last = latest_repeat(found, at("2026-03-09 10:00"), EW)
    assert (last.key, last.at) == ("again#8", at("2026-03-09 09:00"))
    (found,) = rungs_left(ladder(rung("again", "start", every="1d", times=3)), running(), EW)
    assert latest_repeat(found, at("2026-03-09 10:00"), EW).key == "again#3"


def test_a_rung_that_does_not_repeat_is_its_own_latest() -> None:
    (found,) = rungs_left(ladder(rung("once", "start")), running(), EW)
    assert latest_repeat(found, at("2027-01-01"), EW) is found


def test_rungs_whose_names_begin_alike_are_told_apart() -> None:
    steps = ladder(rung("a", "start", every="1d"), rung("ab", "start", every="1d"))
    left = rungs_left(steps, running(mark_fired(mark_fired((), "ab#1"), "ab#2")), EW)
    assert {found.key for found in left} == {"a#1", "ab#3"}


OFFSETS = st.sampled_from(
    ["start", "start+1d", "start+4h", "start+2wd 09:00", "soon", "25%", "75%", "due-1wd 09:00", "due-2h", "due 09:00",
     "due", "due+1wd", "due+3wd 09:00", "due+1w", "due+30m"]
)  # fmt: skip
EVERY = st.none() | st.tuples(st.sampled_from(["1d", "4h", "5wd", "1w", "13h"]), st.none() | st.integers(1, 6))


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    rows = []
    for number, moment in enumerate(draw(st.lists(OFFSETS, min_size=1, max_size=6))):
        row = rung(f"r{number}", moment, **({"late": "skip"} if draw(st.booleans()) else {}))
        if (every := draw(EVERY)) is not None:
            row |= {"every": every[0]} | ({"times": every[1]} if every[1] else {})
        rows.append(row)
    return Ladder.parse("drawn", rows)


@UNHURRIED
@given(ladders(), st.integers(0, 60 * 24 * 40), st.integers(0, 40))
def test_what_is_left_is_sorted_and_never_holds_a_rung_twice(steps: Ladder, lasts: int, fire: int) -> None:
    clock = running(due=START + timedelta(minutes=lasts))
    for _ in range(fire):
        left = rungs_left(steps, clock, EW)
        assert [found.at for found in left] == sorted(found.at for found in left)
        assert len({found.key for found in left}) == len(left) <= len(steps.rungs)
        assert not {found.key for found in left} & set(clock.fired)
        if not left:
            break
        clock = replace(clock, fired=mark_fired(clock.fired, left[0].key))


# --- time passing


def made_up(steps: Ladder) -> tuple[Process, Context]:
    """A process with one state whose clock climbs this ladder and never leaves it."""
    made = Process(
        "made_up", 1, "MU", "Made up", "waiting",
        [State("waiting", clocks=(Clock("clock", steps.name, until="until"),)), State("done", final=True)],
        [
            Transition("tick", "waiting", None, by={Role.SYSTEM}),
            Transition("end", "waiting", "done", by={Role.MANAGER}),
        ],
    )  # fmt: skip
    rows = [_row(each) for each in steps.rungs]
    clocks = {"clock": {"allow": "WD(1)"}}
    policy = {"version": "t", "ladders": {steps.name: rows}, "processes": {"made_up": {"clocks": clocks}}}
    return made, Context(Policy.model_validate(policy), EW)


def _row(each: Rung) -> dict[str, Any]:
    offset = each.at
    moment = {"percent": f"{offset.count}%", "soon": "soon"}.get(
        offset.base, f"{offset.base}{f'{offset.count:+d}{offset.unit}' if offset.count else ''}"
    )
    row = rung(each.name, moment + (f" {offset.clock:%H:%M}" if offset.clock else ""))
    row |= {"late": "skip"} if each.skip_when_late else {}
    row |= {"every": f"{each.every[0]}{each.every[1]}"} if each.every else {}
    return row | ({"times": each.times} if each.times else {})


def begun(made: Process, context: Context, lasts: int) -> Case:
    until = (START + timedelta(minutes=lasts)).isoformat()
    case = Case(1, "MU-1", "made_up", "waiting", 1, START, START, START, data={"until": until})
    clocks = clockwork.after_move(made, replace(case, clocks={}), "waiting", case.data, (), context=context, now=START)
    return replace(case, clocks=clocks)


def passing(made: Process, case: Case, context: Context, jumps: Sequence[int]) -> tuple[Case, list[Step], datetime]:
    """Let the time pass in steps of so many minutes, and check after each that the next rung lies ahead."""
    now, steps = START, []
    for jump in jumps:
        now += timedelta(minutes=jump)
        outcome = engine.advance(made, case, context=context, now=now)
        if outcome is not None:
            case = outcome.after
            steps += outcome.steps
        next_at = case.clocks["clock"].next_at
        assert next_at is None or next_at > now
    return case, steps, now


JUMPS = st.lists(st.integers(0, 60 * 24 * 9), min_size=1, max_size=25)


@settings(deadline=None, max_examples=150)
@given(ladders(), st.integers(0, 60 * 24 * 40), JUMPS)
def test_each_rung_fires_exactly_once_however_the_time_passes(steps: Ladder, lasts: int, jumps: list[int]) -> None:
    made, context = made_up(steps)
    _, seen, now = passing(made, begun(made, context, lasts), context, jumps)

    keys = [step.occurrence for step in seen]
    assert len(set(keys)) == len(keys), "a rung fired twice"
    told = Counter(str(step.details["rung"]).split("#")[0] for step in seen)
    due = START + timedelta(minutes=lasts)
    for each in steps.rungs:
        if each.every is None:
            assert told[each.name] == (each.at.instant(START, due, EW) <= now), each
        elif each.at.instant(START, due, EW) <= now:
            assert 1 <= told[each.name] <= (each.times or len(jumps))
        else:
            assert told[each.name] == 0
    assert all(datetime.fromisoformat(step.details["rung_at"]) <= now for step in seen), "a rung fired before its time"


@settings(deadline=None, max_examples=60)
@given(ladders(), st.integers(0, 60 * 24 * 40), JUMPS)
def test_a_second_sweep_at_the_same_moment_finds_nothing(steps: Ladder, lasts: int, jumps: list[int]) -> None:
    made, context = made_up(steps)
    case, _, now = passing(made, begun(made, context, lasts), context, jumps)
    assert engine.advance(made, case, context=context, now=now) is None


@settings(deadline=None, max_examples=60)
@given(ladders(), st.integers(0, 60 * 24 * 40), JUMPS)
def test_a_rung_swept_on_its_minute_is_never_passed_over(steps: Ladder, lasts: int, jumps: list[int]) -> None:
    made, context = made_up(steps)
    end = START + timedelta(minutes=min(sum(jumps), 60 * 24 * 20))
    _, seen = wait(made, begun(made, context, lasts), end, context)
    apart = Counter(step.details["rung_at"] for step in seen)
    assert all(step.kind == "transition" or apart[step.details["rung_at"]] > 1 for step in seen)


# --- a clock that moves


THREE = (rung("day", "start+1d"), rung("soon", "due-1d", late="skip"), rung("end", "due"))


def test_a_late_reminder_is_passed_over_when_a_later_rung_is_due_as_well_and_both_are_written_down() -> None:
    made, context = made_up(ladder(*THREE))
    _, steps, _ = passing(made, begun(made, context, 60 * 24 * 5), context, [60 * 24 * 6])
    assert [(step.details["rung"], step.kind) for step in steps] == [
        ("day", "transition"), ("soon", "passed_over"), ("end", "transition"),
    ]  # fmt: skip
    assert steps[1].details["why"] == "a later rung was due as well"


def test_a_clock_that_is_moved_counts_its_rungs_afresh_but_not_those_from_its_start() -> None:
    made, context = made_up(ladder(*THREE))
    case, before, now = passing(made, begun(made, context, 60 * 24 * 5), context, [60 * 24 * n for n in (1, 3)])
    assert [step.details["rung"] for step in before] == ["day", "soon"]
    clock = made.states[0].clocks[0]
    longer = clockwork.extended(
        made, clock, case.clocks["clock"], case.data, days=None, until=at("2026-03-20").date(), by="staff:1",
        reason="why", context=context, now=now,
    )  # fmt: skip
    assert longer.fired == ("day",)
    case = replace(case, clocks={"clock": longer})
    _, after = wait(made, case, at("2026-04-01"), context)
    assert [(step.details["rung"], step.at) for step in after] == [
        ("soon", at("2026-03-19 23:59")), ("end", at("2026-03-20 23:59")),
    ]  # fmt: skip
    keys = [step.occurrence for step in (*before, *after)]
    assert len(set(keys)) == len(keys), "the same rung of a moved clock is another occurrence"


def test_a_clock_that_starts_again_is_another_occurrence() -> None:
    made, context = made_up(ladder(*THREE))
    first = begun(made, context, 60 * 24 * 5)
    later = replace(first.clocks["clock"], anchor=START + timedelta(minutes=1))
    again = replace(first.clocks["clock"], run=3)
    keys = {clockwork.occurrence_key(running, "day") for running in (first.clocks["clock"], later, again)}
    assert len(keys) == 3


@UNHURRIED
@given(st.integers(1, 60 * 24 * 9))
def test_a_due_rung_knows_its_moment(minutes: int) -> None:
    due = START + timedelta(minutes=minutes)
    (found,) = rungs_left(ladder(rung("end", "due")), running(due=due), EW)
    assert found == DueRung(due, found.rung, "end")


def test_by_hand_nobody_climbs_a_ladder() -> None:
    made, context = made_up(ladder(*THREE))
    case = begun(made, context, 60)
    found = engine.decide(made, case, "tick", actor=staff(Role.MANAGER), context=context, now=START)
    assert getattr(found, "rule", None) == "role"

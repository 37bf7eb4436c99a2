"""Starting, pausing, extending and stopping the clocks of a case. Pure: clocks in, clocks out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from state_machines.calendars import Calendar
from state_machines.deadlines import Allowance, BadAllowance, Kind, due_date, due_instant, give_back
from state_machines.ladders import DueRung, Ladder, rungs_left
from state_machines.process import Clock, Process
from state_machines.values import Case, Context, Extension, Pause, RunningClock

Clocks = dict[str, RunningClock]


def ladder_of(process: Process, clock: Clock, context: Context) -> Ladder:
    """Return the ladder of a clock from the policy. Raises PolicyError."""
    return context.policy.ladder(process.name, clock.ladder)


def instant_of(value: Any, calendar: Calendar, *, end: bool) -> datetime:
    """Return the instant a fact means: of a date its end, or 09:00 where work begins. Raises ValueError."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return calendar.end_of(value) if end else calendar.at(value, time(9, 0))
    text = str(value)
    if len(text) == 10:
        return instant_of(date.fromisoformat(text), calendar, end=end)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=calendar.zone)


def _anchor(clock: Clock, case: Case, data: Mapping[str, Any], calendar: Calendar, now: datetime) -> datetime:
    match clock.anchor:
        case "entered":
            return now
        case "received":
            return case.received_at
        case "opened":
            return case.opened_at
    value = data.get(clock.anchor)
    return now if value is None else instant_of(value, calendar, end=False)


def started(
    process: Process, clock: Clock, case: Case, data: Mapping[str, Any], *, context: Context, now: datetime
) -> RunningClock | None:
    """Return the clock as it starts in this case, or None when the policy gives this profile no time to run."""
    anchor = _anchor(clock, case, data, context.calendar, now)
    due = _due(process, clock, anchor, data, (), context)
    if due is None:
        return None
    pauses = (Pause(now),) if clock.paused else ()
    run = sum(case.counts.values())
    return wound(process, clock, RunningClock(clock.name, anchor, due, pauses=pauses, run=run), context)


def _due(
    process: Process,
    clock: Clock,
    anchor: datetime,
    data: Mapping[str, Any],
    pauses: tuple[Pause, ...],
    context: Context,
) -> datetime | None:
    if clock.until is not None and data.get(clock.until) is not None:
        return instant_of(data[clock.until], context.calendar, end=True)
    numbers = context.policy.clock(process.name, clock.name)
    allowance = numbers.allowance(data)
    if allowance is None:
        return None
    return due_instant(allowance, anchor, context.calendar, pauses=pauses, cut_off=numbers.cutoff)


def wound(process: Process, clock: Clock, running: RunningClock, context: Context) -> RunningClock:
    """Return the clock with its next rung worked out."""
    left = () if running.paused else rungs(process, clock, running, context)
    at = left[0].at if left else None
    return running if at == running.next_at else replace(running, next_at=at)


def ticked(
    process: Process, clock: Clock, running: RunningClock, fired: tuple[str, ...], context: Context
) -> RunningClock:
    """Return the clock after a rung has fired."""
    after = RunningClock(
        running.name, running.anchor, running.due, fired, running.pauses, running.extensions, None, running.run,
        running.put_off and tuple(each for each in running.put_off if each[0] not in fired),
    )  # fmt: skip
    left = rungs(process, clock, after, context)
    at = left[0].at if left else None
    return RunningClock(
        running.name, running.anchor, running.due, fired, running.pauses, running.extensions, at, running.run,
        after.put_off,
    )  # fmt: skip


def postponed(
    process: Process, clock: Clock, running: RunningClock, key: str, until: datetime, context: Context
) -> RunningClock:
    """Return the clock with one rung that fires no sooner than an instant. Its due instant stays."""
    kept = tuple(each for each in running.put_off if each[0] != key)
    return wound(process, clock, replace(running, put_off=(*kept, (key, until))), context)


def occurrence_key(running: RunningClock, rung: str) -> str:
    """Return the key of a rung, unique in its case: one clock, one anchor, one run, one count of extensions, one rung.

    The record puts the id of the case before it.
    """
    return f"{running.name}:{_stamp(running.anchor)}:{running.run}.{len(running.extensions)}:{rung}"


@lru_cache(maxsize=10_000)
def _stamp(anchor: datetime) -> str:
    return f"{anchor:%Y%m%dT%H%M%S}"


def rungs(process: Process, clock: Clock, running: RunningClock, context: Context) -> tuple[DueRung, ...]:
    """Return the rungs left of a running clock, soonest first."""
    left = rungs_left(ladder_of(process, clock, context), running, context.calendar)
    return left if not running.put_off else _with_those_put_off(left, dict(running.put_off))


def _with_those_put_off(left: tuple[DueRung, ...], until: Mapping[str, datetime]) -> tuple[DueRung, ...]:
    moved = [replace(found, at=max(found.at, until.get(found.key, found.at))) for found in left]
    return tuple(sorted(moved, key=lambda found: found.at))


def paused(running: RunningClock, now: datetime) -> RunningClock:
    """Return the clock standing still from now."""
    if running.paused:
        return running
    return replace(running, pauses=(*running.pauses, Pause(now)), next_at=None)


def resumed(
    process: Process, clock: Clock, running: RunningClock, data: Mapping[str, Any], *, context: Context, now: datetime
) -> RunningClock:
    """Return the clock running again: its due instant has moved by the working or calendar time that was lost.

    A clock that runs to a fixed date keeps that date. Reminders that fell into the pause are passed over.
    """
    if not running.paused:
        return running
    since = running.pauses[-1].since
    pauses = (*running.pauses[:-1], Pause(since, max(since, now)))  # a clock that is set back takes no time away
    fixed = clock.until is not None and data.get(clock.until) is not None
    due = running.due if fixed else _resumed_due(process, clock, running, data, pauses, context)
    running = replace(running, pauses=pauses, due=due)
    missed = tuple(
        found.key
        for found in rungs(process, clock, running, context)
        if found.rung.skip_when_late and found.at <= now and found.rung.every is None
    )
    return wound(process, clock, replace(running, fired=running.fired + missed), context)


def _resumed_due(
    process: Process,
    clock: Clock,
    running: RunningClock,
    data: Mapping[str, Any],
    pauses: tuple[Pause, ...],
    context: Context,
) -> datetime:
    if not running.extensions:
        return _due(process, clock, running.anchor, data, pauses, context) or running.due
    day = context.calendar.local_date(running.due)
    kind = _kind_of_more(process, clock, data, context)
    return context.calendar.end_of(give_back(kind, day, pauses[-1:], context.calendar))


def _kind_of_more(process: Process, clock: Clock, data: Mapping[str, Any], context: Context) -> Kind:
    """Whether more time for this clock counts working days, or days as they come."""
    allowance = context.policy.clock(process.name, clock.name).allowance(data)
    if allowance is None or allowance.kind in (Kind.HOURS, Kind.WORKING_DAYS):
        return Kind.WORKING_DAYS
    return Kind.CALENDAR_DAYS


def extended(
    process: Process,
    clock: Clock,
    running: RunningClock,
    data: Mapping[str, Any],
    *,
    days: int | None,
    until: date | None,
    by: str,
    reason: str,
    context: Context,
    now: datetime,
) -> RunningClock:
    """Return the clock with more time: so many of its own days more, or until a date.

    The rungs count afresh from the new due instant: a clock that was moved is a new occurrence. Rungs that count from
    the start have not moved, so those that fired stay fired.
    """
    calendar = context.calendar
    if until is not None:
        due = calendar.end_of(until)
    else:
        more = Allowance(_kind_of_more(process, clock, data, context), days or 0)
        due = calendar.end_of(due_date(more, calendar.local_date(running.due), calendar))
    note = Extension(now, running.due, due, by, reason)
    unmoved = {rung.name for rung in ladder_of(process, clock, context).rungs if rung.at.base == "start"}
    fired = tuple(key for key in running.fired if key.split("#")[0] in unmoved)
    moved = replace(running, due=due, fired=fired, extensions=(*running.extensions, note), put_off=())
    return wound(process, clock, moved, context)


def after_move(
    process: Process,
    case: Case,
    target: str,
    data: Mapping[str, Any],
    restarts: tuple[str, ...],
    *,
    context: Context,
    now: datetime,
) -> Clocks:
    """Return the clocks of a case that moves to a state: those it leaves behind stop in the same step."""
    clocks: Clocks = {}
    for clock in process.state(target).clocks:
        running = case.clocks.get(clock.name)
        if running is None or clock.name in restarts:
            fresh = started(process, clock, case, data, context=context, now=now)
            if fresh is not None:
                clocks[clock.name] = _as_it_was(process, clock, fresh, running, context)
        elif clock.paused:
            clocks[clock.name] = paused(running, now)
        else:
            clocks[clock.name] = resumed(process, clock, running, data, context=context, now=now)
    return clocks


def _as_it_was(
    process: Process, clock: Clock, fresh: RunningClock, before: RunningClock | None, context: Context
) -> RunningClock:
    """A clock that starts again where it started before keeps the rungs that fired: they are the same occurrences."""
    if before is None or before.anchor != fresh.anchor or not before.fired:
        return fresh
    return wound(process, clock, replace(fresh, fired=before.fired), context)


def recalculated(process: Process, case: Case, context: Context) -> Clocks | None:
    """Return the clocks with due instants and next rungs worked out again under this policy and calendar; None when
    none moved.

    Extensions stay as they were given. Used when a holiday is proclaimed: it may lie between a due instant that stays
    and a rung that counts working days from it.
    """
    clocks: Clocks = {}
    moved = False
    for name, running in case.clocks.items():
        clock = process.clock_of(case.state, name)
        if clock is None or running.paused:
            clocks[name] = running
            continue
        due = _due_again(process, clock, running, case.data, context)
        clocks[name] = wound(process, clock, replace(running, due=due), context)
        moved = moved or clocks[name] != running
    return clocks if moved else None


def _due_again(
    process: Process, clock: Clock, running: RunningClock, data: Mapping[str, Any], context: Context
) -> datetime:
    if running.extensions:
        return running.due
    try:
        return _due(process, clock, running.anchor, data, running.pauses, context) or running.due
    except BadAllowance:
        return running.due


def soonest_due(
    process: Process, case: Case, *, context: Context, now: datetime
) -> tuple[Clock, RunningClock, DueRung] | None:
    """Return the clock and rung that is due by now and lies earliest, or None."""
    best: tuple[Clock, RunningClock, DueRung] | None = None
    for name, running in case.clocks.items():
        if running.next_at is None or running.next_at > now:
            continue
        clock = process.clock_of(case.state, name)
        left = rungs(process, clock, running, context) if clock and not running.paused else ()
        found = left[0] if left else None
        if clock and found and found.at <= now and (best is None or found.at < best[2].at):
            best = (clock, running, found)
    return best

"""The days of a rehearsal: what each brings, and why it is no ordinary day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from cases.environment import Environment
from cases.rehearsing.cautions import is_bridge_day
from cases.rehearsing.record import Trace, local_day, title_of
from cases.rehearsing.values import Day
from members.staffing import Staffing
from state_machines.calendars import Calendar, holidays_of
from state_machines.standing import ACCOUNTED, RESPONDED, Standing

ESCALATIONS = frozenset({"manager", "senior"})
"""Who gets mail because something went on without an answer."""
SETTLED = ACCOUNTED | {Standing.DROPPED}


def days_of(
    env: Environment, trace: Trace, before: Mapping[int, str], standings: Mapping[str, Standing], first: date,
    last: date,
) -> tuple[Day, ...]:  # fmt: skip
    """Return the days on which something happens or that are special, in order.

    ``before`` are the members' cases and their states when the rehearsal began.
    """
    sent: dict[date, Counter[str]] = {}
    receivers: dict[date, set[str]] = {}
    escalations: Counter[date] = Counter()
    for mail in trace.mails:
        day = local_day(env, mail.at)
        sent.setdefault(day, Counter())[title_of(mail.kind)] += 1
        receivers.setdefault(day, set()).add(mail.to_email)
        escalations[day] += mail.audience in ESCALATIONS
    tasks = Counter(local_day(env, task.created_at) for task in trace.tasks)
    involved = _involved(trace)
    found = []
    for day, answers, outstanding in _standing_by_day(env, trace, before, standings, first, last):
        marks = tuple(_marks(day, env.calendar, trace.staffing, involved))
        if day in sent or day in tasks or answers or marks or day in (first, last):
            found.append(Day(
                day, f"{day:%a}", env.calendar.is_working(day), marks, dict(sorted(sent.get(day, Counter()).items())),
                len(receivers.get(day, ())), answers, outstanding, tasks[day], escalations[day],
            ))  # fmt: skip
    return tuple(found)


def _standing_by_day(
    env: Environment, trace: Trace, before: Mapping[int, str], standings: Mapping[str, Standing], first: date,
    last: date,
) -> Iterator[tuple[date, int, int]]:  # fmt: skip
    """Each day with how many answers came in on it, and how many members are outstanding at its end."""
    states = dict(before)
    answered = {case for case, state in states.items() if standings.get(state) in RESPONDED}
    moves = iter(trace.moves)
    move = next(moves, None)
    day = first
    while day <= last:
        new = 0
        while move is not None and local_day(env, move.at) <= day:
            states[move.case_id] = move.target
            if standings.get(move.target) in RESPONDED and move.case_id not in answered:
                answered.add(move.case_id)
                new += 1
            move = next(moves, None)
        yield day, new, sum(standings.get(state) not in SETTLED for state in states.values())
        day += timedelta(days=1)


def _involved(trace: Trace) -> list[int]:
    """The staff whose absence matters: who owns one of these cases, and their managers."""
    owners = {row.owner_id for row in (trace.campaign, *trace.children.values()) if row.owner_id is not None}
    owners |= {row.coordinator_id for row in trace.children.values() if row.coordinator_id is not None}
    managers = {boss.id for staff_id in owners if (boss := trace.staffing.manager_of(staff_id)) is not None}
    return sorted(owners | managers)


def _marks(day: date, calendar: Calendar, staffing: Staffing, involved: list[int]) -> Iterator[str]:
    if day.weekday() >= 5:
        yield "Weekend"
    elif day in holidays_of(calendar.name, day.year) or day in calendar.extra_holidays:
        yield "Public holiday"
    elif day in calendar.closures:
        yield "Closed"
    elif is_bridge_day(day, calendar):
        yield "Bridge day"
    if not calendar.is_working(day):
        return
    for staff_id in involved:
        if staffing.away(staff_id, day) is not None:
            acting = staffing.acting(staff_id, day)
            yield f"{staffing.names[staff_id]} away, {acting.staff.name} acts"

"""How answers came in, day by day since the launch, beside what the plan would have had by then.

As is known today: a member counts from the day of the first submission if the answer is in now, and from the day of
the decision if they are exempt or no answer comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import Date, DateTime, case, cast, func, select

from cases.campaigning.counts import Counts
from cases.campaigning.sight import Sight
from cases.tables import CaseRow, ResponseAnswers
from state_machines.ladders import rungs_left
from state_machines.process import Process
from state_machines.standing import ACCOUNTED, RESPONDED
from state_machines.values import RunningClock

PACE_DAYS = 7
"""The pace of a campaign is that of so many days ..."""
SHORTEST_PACE = 3
"""... and of fewer than so many it is none."""
_MEMBER_RUNGS = frozenset({"member", "signatory", "next_contact"})


@dataclass(frozen=True, slots=True)
class Point:
    """Where the campaign stood at the end of a day."""

    day: date
    number: int
    """Days since the launch."""
    responded: int
    accounted: int
    expected: int
    """What a straight line from nobody at the launch to everybody at the deadline would have by then."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A day on which members are written to."""

    day: date
    number: int
    title: str
    past: bool


@dataclass(frozen=True)
class Curve:
    """The response curve of a launched campaign."""

    launch: date
    deadline: date
    last_number: int
    """Days from the launch to the end of what is drawn."""
    asked: int
    points: tuple[Point, ...]
    markers: tuple[Marker, ...]

    @property
    def behind(self) -> int:
        """By how many members the answers are behind the plan today; less than nothing when ahead."""
        return self.points[-1].expected - self.points[-1].accounted if self.points else 0

    @property
    def forecast(self) -> int | None:
        """How many will be accounted for by the deadline at the pace of the last days; None when that says nothing."""
        last = self.points[-1]
        back, ahead = min(last.number, PACE_DAYS), (self.deadline - last.day).days
        if back < SHORTEST_PACE or ahead <= 0:
            return None
        lately = last.accounted - self.points[-1 - back].accounted
        return min(self.asked, last.accounted + lately * ahead // back)


def curve(sight: Sight, counts: Counts) -> Curve | None:
    """Return the curve, or None before the launch; one statement."""
    data = sight.row.data
    if not counts.launched or not counts.eligible:
        return None
    launch, deadline = date.fromisoformat(data["launched_on"]), date.fromisoformat(data["deadline"])
    end = _last_day(sight, launch)
    responded, others = _by_day(sight)
    points, total, other = [], 0, 0
    span = max((deadline - launch).days, 1)
    for number in range((end - launch).days + 1):
        day = launch + timedelta(days=number)
        total, other = total + responded.get(day, 0), other + others.get(day, 0)
        expected = counts.eligible * min(number, span) // span
        points.append(Point(day, number, total, total + other, expected))
    last = max((max(end, deadline) - launch).days, 1)
    return Curve(launch, deadline, last, counts.eligible, tuple(points), _markers(sight, launch, deadline, last))


def _last_day(sight: Sight, launch: date) -> date:
    closed = sight.row.closed_at
    return max(launch, sight.here.env.calendar.local_date(closed) if closed else sight.today)


def _by_day(sight: Sight) -> tuple[dict[date, int], dict[date, int]]:
    """How many members count from each day: by an answer, and by a decision."""
    first = (
        select(func.min(ResponseAnswers.at))
        .where(ResponseAnswers.case_id == CaseRow.id, ResponseAnswers.submitted, ResponseAnswers.imputed.is_(False))
        .correlate(CaseRow).scalar_subquery()
    )  # fmt: skip
    answered = sight.standing(*RESPONDED)
    signed = cast(CaseRow.data["signed_at"].astext, DateTime(timezone=True))
    at = case((answered, func.coalesce(first, signed, CaseRow.entered_at)), else_=CaseRow.entered_at)
    day = cast(func.timezone(sight.here.env.calendar.zone_name, at), Date).label("day")
    inner = (
        select(day, answered.label("answered"))
        .where(sight.counted, sight.standing(*ACCOUNTED)).subquery()
    )  # fmt: skip
    rows = sight.conn.execute(
        select(inner.c.day, inner.c.answered, func.count()).group_by(inner.c.day, inner.c.answered)
    ).all()
    return {d: n for d, yes, n in rows if yes}, {d: n for d, yes, n in rows if not yes}


def _markers(sight: Sight, launch: date, deadline: date, last: int) -> tuple[Marker, ...]:
    """The days on which the ladder writes to members who have not answered, from the policy."""
    env = sight.here.env
    process = sight.child
    clock = RunningClock("respond", env.calendar.at(launch, time()), env.calendar.end_of(deadline))
    writes = _titles(process)
    found = []
    for rung in rungs_left(env.policy.ladder(process.name, _ladder(process)), clock, env.calendar):
        day = env.calendar.local_date(rung.at)
        if rung.rung.fires in writes and (day - launch).days <= last:
            found.append(Marker(day, (day - launch).days, writes[rung.rung.fires], rung.at <= sight.here.now))
    return tuple(found)


def _ladder(process: Process) -> str:
    """The ladder that reminds a member of an answer."""
    return next(c.ladder for state in process.states for c in state.clocks if c.name == "respond")


def _titles(process: Process) -> dict[str, str]:
    """The triggers that write to a member, with their titles."""
    found: dict[str, Any] = {}
    for transition in process.transitions:
        if any(send.to in _MEMBER_RUNGS for send in transition.sends):
            found.setdefault(transition.trigger, transition.title)
    return found

"""Ladders: the rungs of a clock, as offsets from its start or its due instant.

A ladder is never written out in advance. Which rungs are left follows at every sweep from the clock's anchor, its due
instant and what has already fired.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache

from state_machines.calendars import Calendar
from state_machines.values import RunningClock

EXPIRES = "$expires"
"""In a ladder: the trigger that the clock itself names as its end."""


class BadLadder(ValueError):
    """A ladder in the policy cannot be read."""


_AT = re.compile(
    r"^(?:(?P<percent>\d{1,3})%|(?P<soon>soon)|(?P<base>start|due)(?:(?P<count>[+-]\d{1,4})(?P<unit>wd|d|w|h|m))?)"
    r"(?: (?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d))?$"
)


@dataclass(frozen=True, slots=True)
class Offset:
    """Where a rung lies: ``due+3wd 09:00``, ``start+7d``, ``75%``, or ``soon`` (80 % of the time gone, or one working
    day left, whichever is earlier)."""

    base: str
    count: int = 0
    unit: str = ""
    clock: time | None = None

    @classmethod
    def parse(cls, text: str) -> Offset:
        """Return the offset a policy text means. Raises BadLadder with a sentence."""
        found = _AT.match(text.strip())
        if not found:
            raise BadLadder(f"{text!r} is no moment of a ladder; write for example due, due+3wd 09:00, start+7d, 75%.")
        at = time(int(found["hour"]), int(found["minute"])) if found["hour"] else None
        if found["percent"]:
            return cls("percent", int(found["percent"]), clock=at)
        if found["soon"]:
            return cls("soon", clock=at)
        return cls(found["base"], int(found["count"] or 0), found["unit"] or "", at)

    def instant(self, start: datetime, due: datetime, calendar: Calendar) -> datetime:
        """Return the UTC instant of this rung for a clock that runs from start to due."""
        if self.base == "percent":
            return self._timed(start + (due - start) * self.count / 100, calendar)
        if self.base == "soon":
            one_day = moved(due, -1, "wd", None, calendar)
            return self._timed(max(start, min(one_day, due - (due - start) / 5)), calendar)
        return moved(start if self.base == "start" else due, self.count, self.unit, self.clock, calendar)

    def _timed(self, instant: datetime, calendar: Calendar) -> datetime:
        return calendar.at(calendar.local_date(instant), self.clock) if self.clock else instant


def moved(base: datetime, count: int, unit: str, clock: time | None, calendar: Calendar) -> datetime:
    """Return an instant so many working days, days, weeks, hours or minutes from another.

    Days keep the local time of day (or take ``clock``) across a change to summer time; hours and minutes elapse.
    """
    if unit in ("h", "m"):
        return base + (timedelta(hours=count) if unit == "h" else timedelta(minutes=count))
    local = base.astimezone(calendar.zone)
    day = local.date()
    if unit == "wd" and count:
        day = calendar.add_working_days(day, count)
    elif unit in ("d", "w"):
        day += timedelta(days=count * (7 if unit == "w" else 1))
    return calendar.at(day, clock or local.time())


_EVERY = re.compile(r"^([1-9]\d{0,2})(wd|d|w|h)$")
_TIMES = re.compile(r"^[1-9]\d{0,3}$")
_NAME = re.compile(r"^\w+$")


_LATE = re.compile(r"^(?P<what>fire|skip|spread|ask)(?: (?P<count>[1-9]\d{0,2})(?P<unit>wd|d|w|h))?$")


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What becomes of a rung that is found late, as after a day on which Muster stood still."""

    skip_after: tuple[int, str] | None = None
    """Found later than this after its time, it is passed over."""
    spread_hours: int | None = None
    """It fires somewhere in so many hours from when it is found, each case at an instant of its own."""
    ask: bool = False
    """It waits for a manager."""


FIRES = CatchUp()
"""What is late fires once, as soon as it is found."""


def parse_late(given: object) -> tuple[bool, CatchUp]:
    """Return what ``late`` means: whether a rung yields to a later one that is due as well, and how it is caught up.

    ``fire``, ``skip`` (yields), ``skip 3wd`` (yields, and is dropped from then on), ``spread 4h``, ``ask``; or a list
    of them. Raises BadLadder.
    """
    yields, after, hours, asks = False, None, None, False
    texts = given if isinstance(given, list) else [given]
    for text in texts:
        found = _LATE.match(str(text))
        count, unit = (int(found["count"] or 0), found["unit"]) if found else (0, None)
        what = found["what"] if found else ""
        if (what in ("", "fire", "ask") and unit) or not what or (what == "spread" and unit != "h"):
            raise BadLadder(f"late is fire, skip, skip 3wd, spread 4h, ask or a list of them; not {text!r}.")
        yields, asks = yields or what == "skip", asks or what == "ask"
        after = (count, unit) if what == "skip" and unit else after
        hours = count if what == "spread" else hours
    if asks and hours:
        raise BadLadder("late is either ask or spread: what a manager lets go, goes.")
    return yields, CatchUp(after, hours, asks)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: when, and which trigger it fires."""

    name: str
    at: Offset
    fires: str
    skip_when_late: bool = False
    """A rung that is found late together with a later one is passed over: nobody needs three reminders at once."""
    every: tuple[int, str] | None = None
    """Repeats at this distance until the state is left or ``times`` is reached."""
    times: int | None = None
    catch_up: CatchUp | None = None
    """What becomes of it when it is late; None: as its clock says."""

    @classmethod
    def parse(cls, row: dict[str, object]) -> Rung:
        """Return the rung a policy row means. Raises BadLadder with a sentence."""
        unknown = set(row) - {"rung", "at", "fires", "late", "every", "times"}
        if unknown or not {"rung", "at", "fires"} <= set(row):
            raise BadLadder(f"A rung has the keys rung, at, fires and perhaps late, every, times; this one has {row}.")
        every = _EVERY.match(str(row["every"])) if "every" in row else None
        if "every" in row and not every:
            raise BadLadder(f"Rung {row['rung']}: every {row['every']!r} is no distance; write for example 5wd or 1w.")
        if not _NAME.match(str(row["rung"])):
            raise BadLadder(f"{row['rung']!r} is no name of a rung; write letters, digits and underscores.")
        if "times" in row and not (every and _TIMES.match(str(row["times"]))):
            raise BadLadder(f"Rung {row['rung']}: times is a number from 1, and goes with every; not {row['times']!r}.")
        try:
            yields, catch_up = parse_late(row.get("late", "fire"))
        except BadLadder as bad:
            raise BadLadder(f"Rung {row['rung']}: {bad}") from None
        return cls(
            str(row["rung"]),
            Offset.parse(str(row["at"])),
            str(row["fires"]),
            yields,
            (int(every[1]), every[2]) if every else None,
            int(str(row["times"])) if "times" in row else None,
            None if catch_up == FIRES and row.get("late") in (None, "skip") else catch_up,
        )


@dataclass(frozen=True, eq=False)
class Ladder:
    """The rungs of a clock, lowest first. Compared by identity: a policy makes each ladder once."""

    name: str
    rungs: tuple[Rung, ...]

    @classmethod
    def parse(cls, name: str, rows: list[dict[str, object]]) -> Ladder:
        """Return the ladder that policy rows mean. Raises BadLadder naming the ladder."""
        try:
            rungs = tuple(Rung.parse(row) for row in rows)
        except BadLadder as bad:
            raise BadLadder(f"Ladder {name}: {bad}") from bad
        names = [rung.name for rung in rungs]
        if len(set(names)) != len(names):
            raise BadLadder(f"Ladder {name}: two rungs have the same name.")
        if not rungs:
            raise BadLadder(f"Ladder {name} has no rungs.")
        return cls(name, rungs)

    def triggers(self, expires: str | None) -> list[str]:
        """The triggers this ladder fires for a clock whose own end is ``expires``."""
        return [expires or "" if rung.fires == EXPIRES else rung.fires for rung in self.rungs]


@dataclass(frozen=True, slots=True)
class DueRung:
    """A rung of a running clock, with its instant and the key under which it counts as fired."""

    at: datetime
    rung: Rung
    key: str


@lru_cache(maxsize=20_000)
def _schedule(ladder: Ladder, start: datetime, due: datetime, calendar: Calendar) -> tuple[DueRung, ...]:
    rungs = [DueRung(rung.at.instant(start, due, calendar), rung, rung.name) for rung in ladder.rungs]
    return tuple(sorted(rungs, key=lambda found: found.at))


def rungs_left(ladder: Ladder, clock: RunningClock, calendar: Calendar) -> tuple[DueRung, ...]:
    """Return the rungs that have not fired for this anchor and due instant, soonest first.

    Of a repeating rung only the next repeat is given. The cases of a campaign share anchor and due instant, so most
    answers of a sweep are remembered.
    """
    return _rungs_left(ladder, clock.anchor, clock.due, clock.fired, calendar)


@lru_cache(maxsize=50_000)
def _rungs_left(
    ladder: Ladder, anchor: datetime, due: datetime, fired: tuple[str, ...], calendar: Calendar
) -> tuple[DueRung, ...]:
    schedule = _schedule(ladder, anchor, due, calendar)
    left = [found for first in schedule if (found := _left(first, fired, calendar)) is not None]
    return tuple(sorted(left, key=lambda found: found.at))


def _left(found: DueRung, fired: tuple[str, ...], calendar: Calendar) -> DueRung | None:
    """The rung as it comes next, or None when it has fired; a repeat may lie after rungs of a later beginning."""
    if found.rung.every is not None:
        return _next_repeat(found, fired, calendar)
    return None if found.key in fired else found


def _next_repeat(first: DueRung, fired: tuple[str, ...], calendar: Calendar) -> DueRung | None:
    done = next((int(key.split("#")[1]) for key in fired if key.startswith(first.rung.name + "#")), 0)
    return _repeat(first, done + 1, calendar)


def _repeat(first: DueRung, number: int, calendar: Calendar) -> DueRung | None:
    rung = first.rung
    if rung.every is None or (rung.times is not None and number > rung.times):
        return None
    count, unit = rung.every
    at = moved(first.at, count * (number - 1), unit, None, calendar)
    return DueRung(at, rung, f"{rung.name}#{number}")


def latest_repeat(found: DueRung, now: datetime, calendar: Calendar) -> DueRung:
    """Of a repeating rung that was missed several times, return the last repeat that is due by now."""
    if found.rung.every is None:
        return found
    while True:
        number = int(found.key.split("#")[1])
        count, unit = found.rung.every
        following = moved(found.at, count, unit, None, calendar)
        over = found.rung.times is not None and number >= found.rung.times
        if following > now or over:
            return found
        found = DueRung(following, found.rung, f"{found.rung.name}#{number + 1}")


def mark_fired(fired: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Return the fired keys with this one added; of a repeating rung only the last repeat is kept."""
    name = key.split("#")[0]
    kept = tuple(k for k in fired if not (("#" in key) and k.startswith(name + "#")))
    return (*kept, key)

"""How well deadlines are kept: for every process and clock how many were due in a period, and how many were met.

Taken from the events alone: when a clock started, stood still, was given more time and ended. A clock belongs to the
period in which it was due. Nothing is left out silently: what does not count is counted in the notes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement

from config.database import Connection
from reports.histories import LEFT_OUT, histories, left_out_note, outcome_of
from reports.periods import days_of
from reports.table import Cell, Table, percent, quantile
from state_machines.calendars import Calendar
from state_machines.process import HOLD_CLOCK, Process
from state_machines.registry import processes
from state_machines.values import Role

COLUMNS = (
    "process", "clock", "n due", "n met", "met", "met without extension", "ran out", "still open", "n ended",
    "median working days", "p90 working days", "median days", "p90 days", "paused days", "extensions",
)  # fmt: skip
_instant = datetime.fromisoformat


@dataclass
class Run:
    """One clock of one case from its start to its end."""

    ref: str
    started: datetime
    due: datetime
    strict_due: datetime | None = None
    """When it was due before it was given more time."""
    ended: datetime | None = None
    ran_out: bool = False
    extensions: int = 0
    pauses: list[list[datetime]] = field(default_factory=list)
    paused: bool = False

    @property
    def met(self) -> bool:
        """Whether it ended by when it was due."""
        return self.ended is not None and self.ended <= self.due

    @property
    def met_strictly(self) -> bool:
        """Whether it would have been met without any extension."""
        return self.ended is not None and self.ended <= (self.strict_due or self.due)

    def pause(self, standing: bool, at: datetime) -> None:
        """Note that from now on it stands still, or runs."""
        if standing and not self.paused:
            self.pauses.append([at])
        elif self.paused and not standing:
            self.pauses[-1].append(at)
        self.paused = standing

    def paused_for(self, until: datetime) -> timedelta:
        """How long it stood still."""
        return sum(((pause[1] if len(pause) > 1 else until) - pause[0] for pause in self.pauses), timedelta())

    def working_days(self, calendar: Calendar) -> int:
        """How many working days it ran, without those on which it stood still."""
        assert self.ended is not None  # noqa: S101  asked of clocks that have ended
        spans = [(self.started, self.ended, 1), *((p[0], p[1] if len(p) > 1 else self.ended, -1) for p in self.pauses)]
        days = [(calendar.local_date(a), calendar.local_date(b), sign) for a, b, sign in spans]
        return sum(sign * calendar.working_days_between(a, b) for a, b, sign in days)


def clock_runs(process: Process, events: Sequence[Any]) -> list[tuple[str, Run]]:
    """Return every run of every clock of one case, by the name of the clock, the holds left out."""
    running: dict[str, Run] = {}
    done: list[tuple[str, Run]] = []
    held = False
    for event in events:
        moves = process.from_state.get(event.source, ()) if event.kind == "transition" else ()
        named = [t for t in moves if t.trigger == event.trigger]
        held = (held or any(t.holds for t in named)) and not any(t.resumes for t in named)
        definitions = process.clocks_by_state.get(event.target, {})
        for name in event.details.get("clocks_ended", {}):
            if name in running:
                done.append((name, _ended(process, name, running.pop(name), event)))
        for name, instant in event.details.get("clocks_due", {}).items():
            if name in running:
                _moved(running[name], _instant(instant), any(t.extends == name for t in named))
            elif name != HOLD_CLOCK.name:
                clock = process.clock_of(event.target, name) if event.target in process.clocks_by_state else None
                running[name] = Run(event.ref, _start(clock, event), _instant(instant))
        for name, run in running.items():
            run.pause(held or (name in definitions and definitions[name].paused), event.at)
    return done + list(running.items())


def _start(clock: Any, event: Any) -> datetime:
    """A clock that counts from the receipt of a case runs from then on, whenever it was written down."""
    start: datetime = event.received_at if clock is not None and clock.anchor == "received" else event.at
    return start


def _ended(process: Process, name: str, run: Run, event: Any) -> Run:
    clock = process.clock_of(event.source, name) if event.source in process.clocks_by_state else None
    run.pause(False, event.at)
    run.ended = event.at
    run.ran_out = clock is not None and clock.expires == event.trigger and event.role == Role.SYSTEM.value
    return run


def _moved(run: Run, due: datetime, extended: bool) -> None:
    if extended:
        run.strict_due = run.strict_due or run.due
        run.extensions += 1
    run.due = due


# --- the table


def sla(
    conn: Connection, start: datetime, end: datetime, calendar: Calendar, *, process: str | None = None,
    among: ColumnElement[bool] | None = None, now: datetime,
) -> Table:  # fmt: skip
    """Return how the clocks that were due from ``start`` until before ``end`` were kept, as known at the end.

    A clock that is still running counts as not met once it was due; what is due after ``now`` does not count yet.
    ``process`` narrows to one, ``among`` to the cases that hold to a condition.
    """
    found: dict[tuple[str, str], list[Run]] = defaultdict(list)
    left_out: Counter[str] = Counter()
    for name, events in histories(conn, end, process, among, now):
        definition = processes().get(name)
        if definition is None:
            left_out["cases of a process that no longer exists"] += 1
        elif outcome_of(events) in LEFT_OUT:
            left_out["duplicate cases"] += 1
        else:
            for clock, run in clock_runs(definition, events):
                if run.ended is None and run.paused:
                    left_out["clocks that stand still"] += 1
                elif start <= run.due < end and run.due > now:
                    left_out["deadlines still to come"] += 1
                elif start <= run.due < end:
                    found[name, clock].append(run)
    wanted = [p for p in processes().values() if process in (None, p.name)]
    keys = dict.fromkeys((p.name, clock.name) for p in wanted for s in p.states for clock in s.clocks) | found
    rows = tuple((*key, *_figures(found.get(key, []), min(end, now), calendar)) for key in keys)
    return Table(
        f"Deadlines kept, {days_of(start, end)}", now, COLUMNS, rows, left_out_note(left_out, "holds"), _refs(found)
    )


def _figures(runs: Sequence[Run], end: datetime, calendar: Calendar) -> tuple[Cell, ...]:
    n = len(runs)
    met, strictly = sum(run.met for run in runs), sum(run.met_strictly for run in runs)
    ended = [run for run in runs if run.ended is not None]
    working = [run.working_days(calendar) for run in ended]
    gross = [(run.ended - run.started) / timedelta(days=1) for run in ended if run.ended is not None]
    paused = sum((run.paused_for(end) for run in runs), timedelta()) / timedelta(days=1)
    return (
        n, met, percent(met, n), percent(strictly, n), sum(run.ran_out for run in runs), n - len(ended), len(ended),
        quantile(working, 0.5), quantile(working, 0.9), quantile(gross, 0.5), quantile(gross, 0.9), round(paused, 1),
        sum(run.extensions for run in runs),
    )  # fmt: skip


def _refs(found: dict[tuple[str, str], list[Run]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The cases behind what was due and behind what was not met."""
    refs: dict[tuple[str, ...], tuple[str, ...]] = {}
    for key, runs in found.items():
        refs[*key, "n due"] = tuple(dict.fromkeys(run.ref for run in runs))
        refs[*key, "not met"] = tuple(dict.fromkeys(run.ref for run in runs if not run.met))
    return refs

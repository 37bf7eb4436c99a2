"""The time of a case: its clocks as they run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cases.queries import CasePage
from state_machines.english import capital
from state_machines.ladders import EXPIRES
from state_machines.policy import Policy, PolicyError
from state_machines.process import Clock, Process
from state_machines.registry import process_named
from state_machines.values import RunningClock
from web.desk.case_people import Names
from web.naming import trigger_title, words


@dataclass(frozen=True, slots=True)
class Given:
    """More time that somebody gave."""

    until: datetime
    was: datetime
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Clockwork:
    """A clock of the case."""

    title: str
    due: datetime
    started: datetime
    paused_since: datetime | None
    why_paused: str
    given: list[Given]
    fired: list[str]
    """What it has set off already, in order."""
    next_at: datetime | None


def clocks(page: CasePage, names: Names, policy: Policy) -> list[Clockwork]:
    """Return the clocks of a case, the soonest due first, those that stand still last."""
    process = process_named(page.case.process)
    found = [_clock(page, process, running, names, policy) for running in page.case.clocks.values()]
    return sorted(found, key=lambda clock: (clock.paused_since is not None, clock.due))


def _clock(page: CasePage, process: Process, running: RunningClock, names: Names, policy: Policy) -> Clockwork:
    clock = process.clock_of(page.case.state, running.name)
    title = clock.title if clock else words(running.name)
    return Clockwork(
        capital(title), running.due, running.anchor,
        running.pauses[-1].since if running.paused else None, _why_paused(page, process),
        [Given(x.until, x.was, names.person(x.by), x.at, x.reason) for x in running.extensions],
        [_rung(process, clock, key, policy) for key in running.fired], running.next_at,
    )  # fmt: skip


def _why_paused(page: CasePage, process: Process) -> str:
    if not page.case.on_hold:
        return f"the case is in the state “{process.state(page.case.state).title}”"
    held = (event for event in reversed(page.events) if event["trigger"] == "hold" and event["kind"] == "transition")
    event = next(held, None)
    reason = (event["details"].get("payload") or {}).get("reason") if event else None
    return f"on hold: {reason}" if reason else "the case is on hold"


def _rung(process: Process, clock: Clock | None, key: str, policy: Policy) -> str:
    """What a rung sets off, by the title of its trigger; repeated ones with how often."""
    name, _, number = key.partition("#")
    title = words(name)
    try:
        rungs = policy.ladder(process.name, clock.ladder).rungs if clock else ()
    except PolicyError:
        rungs = ()
    for rung in rungs:
        if rung.name == name:
            trigger = (clock.expires if clock and rung.fires == EXPIRES else rung.fires) or name
            title = trigger_title(process.name, trigger)
    return f"{title} ({number} times)" if number.isdigit() and number != "1" else title

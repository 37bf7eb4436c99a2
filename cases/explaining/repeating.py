"""Rungs that come again and again: shown once, with their rhythm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cases.environment import World
from cases.explaining.ahead import Moved
from cases.explaining.tracks import Track
from state_machines import clockwork
from state_machines.ladders import Ladder, Rung
from state_machines.policy import Policy, PolicyError
from state_machines.process import Process
from state_machines.values import Context

_UNITS = {"wd": "working day", "d": "day", "w": "week", "h": "hour"}


def repeats_for_ever(here: World) -> Callable[[Track, Sequence[Moved]], bool]:
    """Return the question whether nothing but endless repeats is left, each of which has come once in this run."""

    def asked(track: Track, moved: Sequence[Moved]) -> bool:
        entered = next((n for n, m in enumerate(reversed(moved)) if m.step.source != m.step.target), len(moved))
        since = moved[len(moved) - entered :]
        shown = {(str(m.step.details.get("clock")), str(m.step.details.get("rung")).split("#")[0]) for m in since}
        left = [
            (name, found.rung)
            for name, running in track.case.clocks.items()
            if running.next_at is not None and (clock := track.process.clock_of(track.case.state, name)) is not None
            for found in clockwork.rungs(track.process, clock, running, _context(here))
        ]
        return bool(left) and all(
            rung.every is not None and rung.times is None and (name, rung.name) in shown for name, rung in left
        )

    return asked


def _context(here: World) -> Context:
    return here.context({})


def rung_of(process: Process, state: str, clock: str, key: str, policy: Policy) -> Rung | None:
    """Return the rung that a key names, as the policy has it now; None where it is gone from there."""
    defined = process.clock_of(state, clock) if clock and state in process.clocks_by_state else None
    if defined is None:
        return None
    try:
        ladder: Ladder = policy.ladder(process.name, defined.ladder)
    except PolicyError:
        return None
    return next((rung for rung in ladder.rungs if rung.name == key.split("#")[0]), None)


def rhythm(rung: Rung | None) -> str:
    """Return how a rung repeats: "every 5 working days, 8 times at most"; empty where it does not."""
    if rung is None or rung.every is None:
        return ""
    count, unit = rung.every
    word = _UNITS[unit]
    often = f"every {word}" if count == 1 else f"every {count} {word}s"
    return often if rung.times is None else f"{often}, {rung.times} times at most"

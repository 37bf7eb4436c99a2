"""Which states wait for somebody's decision. Taken from the definitions, so that a new process needs nothing here.

A *decision* is a move that only managers, senior managers or the council may make and that needs a second pair of
eyes. It is waited for in the states that such a role owns, and in a state of somebody else once it was asked for there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

from state_machines.process import Process, Transition
from state_machines.registry import processes
from state_machines.values import Role

DECIDERS = frozenset({Role.MANAGER, Role.SENIOR, Role.COUNCIL})


@dataclass(frozen=True)
class DecisionPoint:
    """A state in which decisions can be made by a role."""

    process: str
    state: str
    role: Role
    decisions: tuple[Transition, ...]
    owned: bool
    """Whether the role owns the state; otherwise it decides there only what was asked for."""
    asked_by: tuple[str, ...]
    """The triggers with which somebody asks for it: those that lead here, or are pulled here."""


def decisions_of(process: Process, state: str) -> tuple[Transition, ...]:
    """Return the moves out of a state that are decisions, in the order of definition."""
    found = process.from_state.get(state, ())
    return tuple(t for t in found if t.four_eyes and set(t.by) <= DECIDERS)


@cache
def decision_points() -> tuple[DecisionPoint, ...]:
    """Return every state of every process in which a decision may be waited for, by role."""
    return tuple(point for process in processes().values() for point in _points(process))


def _points(process: Process) -> Iterator[DecisionPoint]:
    for state in process.states:
        decisions = () if state.final else decisions_of(process, state.name)
        if not decisions:
            continue
        for role in sorted(DECIDERS):
            own = tuple(t for t in decisions if role in t.by)
            asking = _asking(process, state.name, own)
            if own and state.owner is role:
                yield DecisionPoint(process.name, state.name, role, own, True, asking)
            elif own and not any(state.owner in t.by for t in own):
                here = tuple(name for name in asking if _pulled_in(process, state.name, name))
                wanted = tuple(t for t in own if set(here) & set(t.four_eyes))
                if wanted:
                    yield DecisionPoint(process.name, state.name, role, wanted, False, here)


def _asking(process: Process, state: str, decisions: Collection[Transition]) -> tuple[str, ...]:
    """The triggers that ask for these decisions: pulled in the state, leading to it, or opening the case in it."""
    named = dict.fromkeys(trigger for t in decisions for trigger in t.four_eyes)
    leading = {t.trigger for t in process.transitions if t.target == state and t.sources != (state,)}
    return tuple(name for name in named if name in leading or _pulled_in(process, state, name))


def _pulled_in(process: Process, state: str, trigger: str) -> bool:
    if trigger == "open":
        return state == process.initial
    return any(t.trigger == trigger and t.internal for t in process.from_state[state])


def points_for(roles: Collection[Role]) -> tuple[DecisionPoint, ...]:
    """Return where somebody with these roles decides."""
    return tuple(point for point in decision_points() if point.role in roles)

"""How a kind of case is defined: states, transitions, clocks. A definition is data with small pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from state_machines.standing import Standing
from state_machines.values import Role

if TYPE_CHECKING:
    from state_machines.draft import Draft

Guard = Callable[["Draft"], bool]
"""A question about the draft. Its docstring is the sentence a person reads when the answer is no."""
Effect = Callable[["Draft"], None]
"""An order to the draft."""

EVERY_OPEN_STATE = "*"
EVERYONE_INSIDE = frozenset({Role.COORDINATOR, Role.MANAGER, Role.SENIOR})


@dataclass(frozen=True)
class Clock:
    """A named deadline of a state. Its allowance is in the policy under the same name."""

    name: str
    ladder: str
    expires: str | None = None
    """The trigger that ends it, where the ladder says ``$expires``."""
    anchor: str = "entered"
    """``entered``, ``received``, ``opened``, or a field of the case that holds a date or an instant."""
    until: str | None = None
    """A field of the case with the date on which it is due, instead of an allowance."""
    paused: bool = False
    """In this state the clock is kept but stands still."""
    label: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or self.name.replace("_", " ")


HOLD_CLOCK = Clock("hold", ladder="expiry", expires="resume", label="hold ends")
"""The one clock that runs while a case is on hold."""


@dataclass(frozen=True)
class State:
    """A state of a process."""

    name: str
    owner: Role = Role.COORDINATOR
    clocks: tuple[Clock, ...] = ()
    final: bool = False
    owner_fact: str | None = None
    """A fact that names the person who owns the case here, such as the handler; the role when it names nobody."""
    auto: tuple[str, ...] = ()
    """Triggers Muster pulls at once on entering, in this order, until one is not refused."""
    standing: Standing | None = None
    """What the state means for the campaign this case belongs to; None where there are no campaigns."""
    label: str = ""
    help: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Send:
    """A message to send with a transition, perhaps only under a condition."""

    kind: str
    to: str
    """``member``, ``owner``, ``manager``, ``senior``, ``next_contact``, ``party:complainant``, ``role:finance`` …"""
    when: Guard | None = None


@dataclass(frozen=True)
class Transition:
    """A move a trigger makes from some states to another, who may make it, and what goes with it."""

    trigger: str
    source: str | tuple[str, ...]
    target: str | None
    """None keeps the state and its clocks: an internal transition."""
    by: Collection[Role]
    needs: type[BaseModel] | None = None
    only_if: tuple[Guard, ...] = ()
    """Guards on the case and its facts, asked before anything is typed."""
    checks: tuple[Guard, ...] = ()
    """Guards on what was typed."""
    four_eyes: tuple[str, ...] = ()
    """The triggers whose people may not make this move: who asks may not approve."""
    keeps: tuple[str, ...] = ()
    """Fields of the payload that are kept on the case."""
    does: tuple[Effect, ...] = ()
    sends: tuple[Send, ...] = ()
    restarts: tuple[str, ...] = ()
    """Clocks that start afresh although both states have them."""
    extends: str | None = None
    """The clock this gives more time; the payload has ``days`` or ``until`` and a ``reason``."""
    closes_tasks: tuple[str, ...] = ()
    holds: bool = False
    resumes: bool = False
    on_hold_too: bool = False
    """May be made while the case is on hold."""
    outcome: str | None = None
    """For a move to a final state: how it ended, unless the payload or an effect says."""
    label: str = ""
    help: str = ""
    danger: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """The states it starts from, as a tuple."""
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def internal(self) -> bool:
        """Whether the state stays."""
        return self.target is None

    @property
    def title(self) -> str:
        """What the button says."""
        return self.label or self.trigger.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Process:
    """The definition of one kind of case."""

    name: str
    version: int
    prefix: str
    """Of references: ``MC`` gives MC-2026-000042."""
    title: str
    initial: str
    states: Sequence[State]
    transitions: Sequence[Transition]
    opening: type[BaseModel] | None = None
    """What must be known to open a case."""
    opening_keeps: tuple[str, ...] = ()
    opening_does: tuple[Effect, ...] = ()
    opening_sends: tuple[Send, ...] = ()
    opened_by: Collection[Role] = field(default_factory=lambda: EVERYONE_INSIDE | {Role.SYSTEM})
    opens_alike: bool = False
    """The opening looks at nothing of the one case, so that one decision serves a whole launch."""
    facts: tuple[str, ...] = ()
    """Facts the guards ask for, gathered by the shell: ``children``, ``linked``, ``history``."""
    repeats: tuple[str, ...] = ()
    """Triggers that make a cycle on purpose, each bounded by a counter guard."""
    child: Process | None = None
    """Of a campaign: the process of the cases it opens for its members."""
    doc: str = ""

    @cached_property
    def by_name(self) -> dict[str, State]:
        """States by name."""
        return {state.name: state for state in self.states}

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """What each state means for the campaign, by state; empty for a process that is no part of campaigns."""
        return {state.name: state.standing for state in self.states if state.standing is not None}

    def states_in(self, *standings: Standing) -> frozenset[str]:
        """The names of the states that stand in one of these ways."""
        return frozenset(name for name, standing in self.standings.items() if standing in standings)

    @cached_property
    def open_states(self) -> tuple[str, ...]:
        """The names of the states that are not final."""
        return tuple(state.name for state in self.states if not state.final)

    @cached_property
    def from_state(self) -> dict[str, list[Transition]]:
        """Transitions by the state they start from, in the order of definition."""
        found: dict[str, list[Transition]] = {state.name: [] for state in self.states}
        for transition in self.transitions:
            for name in self.sources_of(transition):
                found.setdefault(name, []).append(transition)
        return found

    def sources_of(self, transition: Transition) -> tuple[str, ...]:
        """The states a transition starts from, with ``*`` written out."""
        named = tuple(name for name in transition.sources if name != EVERY_OPEN_STATE)
        if EVERY_OPEN_STATE not in transition.sources:
            return named
        return self.open_states + tuple(name for name in named if name not in self.open_states)

    def state(self, name: str) -> State:
        """Return a state by name. Raises KeyError."""
        return self.by_name[name]

    def clock_of(self, state: str, name: str) -> Clock | None:
        """Return the definition of a clock as this state has it, or None."""
        return HOLD_CLOCK if name == HOLD_CLOCK.name else self.clocks_by_state[state].get(name)

    @cached_property
    def clocks_by_state(self) -> dict[str, dict[str, Clock]]:
        """Clock definitions by state and name."""
        return {state.name: {clock.name: clock for clock in state.clocks} for state in self.states}


def personal_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the fields of a payload that hold personal data: kept beside the event, erasable."""
    return frozenset(name for name, info in model.model_fields.items() if "personal" in info.metadata)


def public_and_personal(payload: BaseModel | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a payload into what is written on the event and what is kept beside it. Unset fields are left out."""
    if payload is None:
        return {}, {}
    values = {k: v for k, v in payload.model_dump(mode="json").items() if v not in (None, "", [], {})}
    private = personal_fields(type(payload))
    return {k: v for k, v in values.items() if k not in private}, {k: v for k, v in values.items() if k in private}

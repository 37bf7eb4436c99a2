"""Proving a process before it is loaded: nothing in it can get stuck, and every decision has two people.

Each violation names the path that breaks the rule, so that whoever wrote the definition can find it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from state_machines.catching_up import may_be_passed_over
from state_machines.ladders import Ladder
from state_machines.policy import Policy, PolicyError
from state_machines.process import HOLD_CLOCK, Clock, Process, State, Transition, personal_fields
from state_machines.values import STAFF, Role

AUDIENCES = frozenset({"member", "next_contact", "signatory", "owner", "manager", "senior", "site"})
"""Who may be written to, besides ``role:<role>`` and ``party:<name>``."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a definition breaks, and where."""

    process: str
    path: str
    rule: str

    def __str__(self) -> str:
        return f"{self.process}: {self.path}: {self.rule}"


class BrokenProcess(Exception):
    """A process definition cannot be loaded."""

    def __init__(self, violations: Collection[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(map(str, self.violations)))


def prove(
    process: Process, policy: Policy, *, message_kinds: Collection[str] | None = None, processes: Collection[str] = ()
) -> list[Violation]:
    """Return what is wrong with a definition under a policy; an empty list is the proof.

    ``message_kinds`` are the kinds that have templates; without it messages are not checked.
    """
    names = _names(process)
    if names:
        return [Violation(process.name, path, rule) for path, rule in names]
    checks = [
        _initial(process), _finals(process), _reachable(process), _ends(process), _owners(process),
        _clocks(process, policy), _ladders(process, policy), _holds(process, policy), _cycles(process, policy),
        _four_eyes(process), _automatic(process), _forms(process), _named_clocks(process), _audiences(process),
    ]  # fmt: skip
    if message_kinds is not None:
        checks.append(_messages(process, message_kinds))
    return [Violation(process.name, path, rule) for found in checks for path, rule in found]


Found = Iterator[tuple[str, str]]


def _names(process: Process) -> list[tuple[str, str]]:
    """States exist and are named once; without this nothing else can be asked."""
    found: list[tuple[str, str]] = []
    seen: set[str] = set()
    for state in process.states:
        if state.name in seen:
            found.append((state.name, "two states have this name"))
        seen.add(state.name)
    for transition in process.transitions:
        for name in (*transition.sources, *([transition.target] if transition.target else [])):
            if name not in seen and name != "*":
                found.append((f"{_arrow(transition)}", f"there is no state {name!r}"))
    if process.initial not in seen:
        found.append((process.initial, "the initial state does not exist"))
    return found


def _arrow(transition: Transition) -> str:
    return f"{'/'.join(transition.sources)} --{transition.trigger}--> {transition.target or 'itself'}"


def _initial(process: Process) -> Found:
    if process.state(process.initial).final:
        yield process.initial, "the initial state is final"


def _finals(process: Process) -> Found:
    if not any(state.final for state in process.states):
        yield process.initial, "no state is final, so no case can ever be closed"
    for state in process.states:
        if state.final and state.clocks:
            yield state.name, "a final state has a clock, which would run for ever"


def _steps(process: Process) -> dict[str, dict[str, Transition]]:
    """Where each state can go, and by which transition."""
    found: dict[str, dict[str, Transition]] = {state.name: {} for state in process.states}
    for source, transitions in process.from_state.items():
        for transition in transitions:
            if transition.target and transition.target != source:
                found[source].setdefault(transition.target, transition)
    return found


def _reachable(process: Process) -> Found:
    steps = _steps(process)
    paths = {process.initial: process.initial}
    queue = [process.initial]
    while queue:
        name = queue.pop(0)
        for target in steps[name]:
            if target not in paths:
                paths[target] = f"{paths[name]} -> {target}"
                queue.append(target)
    for state in process.states:
        if state.name not in paths:
            yield state.name, f"no path leads here from {process.initial}"


def _ends(process: Process) -> Found:
    steps = _steps(process)
    good = {state.name for state in process.states if state.final}
    grew = True
    while grew:
        more = {name for name, targets in steps.items() if name not in good and good & set(targets)}
        grew = bool(more)
        good |= more
    for state in process.states:
        if state.name not in good:
            onward = " -> ".join([state.name, *steps[state.name]])
            yield onward, "no path leads from here to a final state"


def _owners(process: Process) -> Found:
    for state in process.states:
        if state.final:
            continue
        if state.owner not in STAFF or state.owner is Role.AUDITOR:
            yield state.name, f"its owner is {state.owner.label}, who cannot own a case"
        if state.auto:
            continue
        people = {role for t in process.from_state[state.name] if not t.internal for role in t.by}
        if not people - {Role.SYSTEM} and not _moves_by_clock(process, state):
            yield state.name, "nobody and no clock can move a case out of it"


def _moves_by_clock(process: Process, state: State) -> bool:
    return any(Role.SYSTEM in t.by and not t.internal for t in process.from_state[state.name])


def _clocks(process: Process, policy: Policy) -> Found:
    for state in process.states:
        running = [clock for clock in state.clocks if not clock.paused]
        if not state.final and not running:
            yield state.name, "an open state has no clock that runs"
        elif not state.final and not any(_always_runs(process, clock, policy) for clock in running):
            yield state.name, "each of its clocks is switched off for some profile, so a case may have none"
        for clock in state.clocks:
            if not _known(process, clock, policy):
                yield f"{state.name} / {clock.name}", "the policy gives this clock no allowance"


def _known(process: Process, clock: Clock, policy: Policy) -> bool:
    try:
        policy.clock(process.name, clock.name)
    except PolicyError:
        return False
    return True


def _always_runs(process: Process, clock: Clock, policy: Policy) -> bool:
    if not _known(process, clock, policy):
        return False
    numbers = policy.clock(process.name, clock.name)
    return numbers.allow is not None and all(numbers.profiles.values())


def _ladders(process: Process, policy: Policy) -> Found:
    for state in process.states:
        for clock in state.clocks:
            path = f"{state.name} / {clock.name}"
            try:
                ladder = policy.ladder(process.name, clock.ladder)
            except PolicyError:
                yield path, f"the policy has no ladder {clock.ladder!r}"
                continue
            if not clock.paused:
                yield from _rungs(process, state, clock, ladder, path, optional=_is_optional(process, clock, policy))
                yield from _late_rungs(process, state, clock, ladder, path, policy)


def _is_optional(process: Process, clock: Clock, policy: Policy) -> bool:
    """Whether the clock runs only to a date that somebody may have named: another clock carries the case on."""
    if clock.until is None or not _known(process, clock, policy):
        return False
    return policy.clock(process.name, clock.name).allow is None


def _rungs(process: Process, state: State, clock: Clock, ladder: Ladder, path: str, *, optional: bool) -> Found:
    by_trigger: dict[str, list[Transition]] = {}
    for transition in process.from_state[state.name]:
        if Role.SYSTEM in transition.by:
            by_trigger.setdefault(transition.trigger, []).append(transition)
    for rung, trigger in zip(ladder.rungs, ladder.triggers(clock.expires), strict=True):
        if not trigger:
            yield f"{path} / {rung.name}", "its ladder ends with the clock's own trigger, and the clock names none"
        elif trigger not in by_trigger:
            yield f"{path} / {rung.name}", f"the rung fires {trigger!r}, which Muster cannot do in this state"
        elif rung.every and rung.times is None and any(t.sends for t in by_trigger[trigger]):
            yield f"{path} / {rung.name}", f"it repeats {trigger!r} without end, and each time sends mail"
    if not _carries_on(process, state, ladder, clock) and not optional:
        yield path, "its last rung leaves the case where it is and nothing comes after it"


def _late_rungs(
    process: Process, state: State, clock: Clock, ladder: Ladder, path: str, policy: Policy
) -> Found:  # fmt: skip
    """A deadline that was missed by a standstill is still a deadline: only what tells may be dropped or delayed."""
    for rung, trigger in zip(ladder.rungs, ladder.triggers(clock.expires), strict=True):
        if may_be_passed_over(process, state.name, trigger):
            continue
        late = policy.catch_up(process.name, clock.name, rung)
        if rung.catch_up is not None and late.skip_after is not None:
            yield f"{path} / {rung.name}", f"it is dropped when it is late, and {trigger!r} moves the case on"
        elif rung.catch_up is not None and late.spread_hours is not None:
            yield f"{path} / {rung.name}", f"it is delayed when it is late, and {trigger!r} moves the case on"


def _carries_on(process: Process, state: State, ladder: Ladder, clock: Clock) -> bool:
    """Whether the ladder either moves the case on or goes on telling somebody, so that it never falls silent."""
    if any(rung.every and rung.times is None for rung in ladder.rungs):
        return True
    triggers = ladder.triggers(clock.expires)
    return any(t.target not in (None, state.name) or t.resumes for t in process.from_state[state.name]
               if t.trigger in triggers and Role.SYSTEM in t.by)  # fmt: skip


def _holds(process: Process, policy: Policy) -> Found:
    """A hold stops every clock, so the one that ends it must always run."""
    for transition in process.transitions:
        if not transition.holds:
            continue
        if not _always_runs(process, HOLD_CLOCK, policy):
            yield _arrow(transition), "the policy gives the clock 'hold' no allowance, so a hold would never end"
        for source in process.sources_of(transition):
            if not any(t.resumes and Role.SYSTEM in t.by for t in process.from_state[source]):
                yield f"{source} --{transition.trigger}--> itself", "Muster cannot end the hold in this state"


def _cycles(process: Process, policy: Policy) -> Found:
    """Every cycle needs a person's step, or a trigger that the process declares as counted."""
    steps: dict[str, dict[str, Transition]] = {state.name: {} for state in process.states}
    for source, transitions in process.from_state.items():
        pulled = _pulled(process, process.state(source), policy)
        for t in transitions:
            alone = set(t.by) == {Role.SYSTEM} or (Role.SYSTEM in t.by and t.trigger in pulled)
            if t.target and alone and t.trigger not in process.repeats:
                steps[source].setdefault(t.target, t)
    for cycle in _find_cycles(steps):
        yield " -> ".join(cycle), "it can go round here for ever without a person"
    for trigger in process.repeats:
        counted = [bool(t.only_if) for t in process.transitions if t.trigger == trigger]
        if not counted or not all(counted):
            yield trigger, "it is declared as counted, and no guard counts it"


def _pulled(process: Process, state: State, policy: Policy) -> set[str]:
    """The triggers that Muster pulls by itself in a state: its automatic ones, and those its clocks fire."""
    found = set(state.auto)
    for clock in state.clocks:
        try:
            found |= set(policy.ladder(process.name, clock.ladder).triggers(clock.expires))
        except PolicyError:
            continue
    return found


def _find_cycles(steps: Mapping[str, Mapping[str, Transition]]) -> Iterator[list[str]]:
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> Iterator[list[str]]:
        if name in path:
            yield [*path[path.index(name) :], name]
            return
        if name in done:
            return
        for target in steps[name]:
            yield from walk(target, [*path, name])
        done.add(name)

    for name in steps:
        yield from walk(name, [])


def _four_eyes(process: Process) -> Found:
    by_trigger: dict[str, list[Transition]] = {}
    for transition in process.transitions:
        by_trigger.setdefault(transition.trigger, []).append(transition)
    for transition in process.transitions:
        deciders = set(transition.by) - {Role.SYSTEM}
        for asked in transition.four_eyes:
            if asked == "open":
                if not set(process.opened_by) - {Role.SYSTEM}:
                    yield _arrow(transition), "no person can ask: cases are opened by Muster alone"
            elif asked not in by_trigger:
                yield _arrow(transition), f"the second person is measured against {asked!r}, which nobody can do"
            elif not any(set(t.by) - {Role.SYSTEM} for t in by_trigger[asked]):
                yield _arrow(transition), f"no person can ask: {asked!r} is done by Muster alone"
            if not deciders:
                yield _arrow(transition), "it needs a second person, and no person may do it"


def _automatic(process: Process) -> Found:
    for state in process.states:
        for trigger in state.auto:
            found = [t for t in process.from_state[state.name] if t.trigger == trigger]
            if not found:
                yield state.name, f"it moves on by {trigger!r}, which does not exist here"
            elif not any(Role.SYSTEM in t.by for t in found):
                yield state.name, f"it moves on by {trigger!r}, which Muster may not do"
            elif trigger == state.auto[-1] and not any(_never_refused(t) for t in found):
                yield state.name, f"its last way on, {trigger!r}, can be refused, and then the case is stuck"


def _never_refused(transition: Transition) -> bool:
    return Role.SYSTEM in transition.by and not transition.only_if and not transition.checks


def _forms(process: Process) -> Found:
    """What is kept or counted must have been typed, and what is personal is never kept among the facts."""
    yield from _kept("opening", process.opening, process.opening_keeps)
    for transition in process.transitions:
        yield from _kept(_arrow(transition), transition.needs, transition.keeps)
        fields = set(transition.needs.model_fields) if transition.needs else set()
        if transition.extends and not fields & {"days", "until"}:
            yield _arrow(transition), f"it gives {transition.extends!r} more time, and its form asks not how much"


def _kept(path: str, form: type[BaseModel] | None, keeps: Collection[str]) -> Found:
    private = personal_fields(form) if form else frozenset()
    for name in keeps:
        if form is None or name not in form.model_fields:
            yield path, f"it keeps {name!r}, which its form does not ask for"
        elif name in private:
            yield path, f"it keeps {name!r}, which is personal and must stay beside the event"


def _named_clocks(process: Process) -> Found:
    """A clock that a transition restarts or gives more time stands in a state that it leads to."""
    for transition in process.transitions:
        targets = [transition.target] if transition.target else process.sources_of(transition)
        there = {name for target in targets for name in process.clocks_by_state[target]}
        for name in (*transition.restarts, *([transition.extends] if transition.extends else [])):
            if name not in there:
                yield _arrow(transition), f"it names the clock {name!r}, which no state has that it leads to"


def _audiences(process: Process) -> Found:
    sends = [("opening", send) for send in process.opening_sends]
    sends += [(_arrow(transition), send) for transition in process.transitions for send in transition.sends]
    for path, send in sends:
        kind, _, name = send.to.partition(":")
        known = name in set(Role) if kind == "role" else bool(name) if kind == "party" else send.to in AUDIENCES
        if not known:
            yield path, f"the message {send.kind!r} goes to {send.to!r}, and nobody is called that"


def _messages(process: Process, kinds: Collection[str]) -> Found:
    for send in process.opening_sends:
        if send.kind not in kinds:
            yield "opening", f"the message {send.kind!r} has no templates"
    for transition in process.transitions:
        for send in transition.sends:
            if send.kind not in kinds:
                yield _arrow(transition), f"the message {send.kind!r} has no templates"

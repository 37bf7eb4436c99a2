"""Deciding: a case, a trigger and a moment in, what would happen out. Nothing is read or written here.

``transitions`` is used as one shared machine per process, fired on a throw-away draft; a machine per case would cost
twelve times as much, and its ``Timeout`` state would be a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel
from transitions import Machine, MachineError

from state_machines import catching_up, clockwork
from state_machines.calendars import CalendarError
from state_machines.catching_up import Firing, left_out, put_off
from state_machines.draft import Draft
from state_machines.ladders import EXPIRES, FIRES, latest_repeat, mark_fired
from state_machines.objections import objection, title_of
from state_machines.process import HOLD_CLOCK, Process, Transition, public_and_personal
from state_machines.values import SYSTEM, Actor, Case, Context, Message, Outcome, Refused, Role, RunningClock, Step

MOST_STEPS = 60
"""More rungs or automatic moves than this in one go is an endless loop, not a busy case."""


class EndlessCase(RuntimeError):
    """A case does not come to rest: its automatic moves or its clock fire without end."""


_MACHINES: dict[int, tuple[Process, Machine]] = {}
"""The machine of each process, by the identity of its definition, which it keeps alive."""


def machine_of(process: Process) -> Machine:
    """Return the shared machine of a process."""
    found = _MACHINES.get(id(process))
    if found is None:
        found = _MACHINES[id(process)] = (process, _built(process))
    return found[1]


def _built(process: Process) -> Machine:
    machine = Machine(
        model=None, states=[s.name for s in process.states], initial=process.initial, auto_transitions=False
    )
    for transition in process.transitions:
        for source in process.sources_of(transition):
            machine.add_transition(
                transition.trigger,
                source,
                transition.target,
                conditions=partial(_allowed, transition),
                before=partial(_take, transition),
            )
    return machine


def _take(transition: Transition, draft: Draft) -> None:
    draft.taken = transition


def _allowed(transition: Transition, draft: Draft) -> bool:
    """Whether this transition may be taken; the reason of the one that came closest is kept for the person."""
    reason = objection(transition, draft)
    if reason is None:
        return True
    if reason[0] > draft.refusal[0]:
        draft.refusal = reason
    return False


def decide(
    process: Process,
    case: Case,
    trigger: str,
    *,
    payload: Mapping[str, Any] | BaseModel | None = None,
    actor: Actor,
    context: Context,
    now: datetime,
) -> Outcome | Refused:
    """Return what a trigger would do to a case at this moment, or why it is refused."""
    try:
        moved = _move(process, case, trigger, payload, None, actor=actor, context=context, now=now)
        if isinstance(moved, Refused):
            return moved
        after, step = moved
        after, more = _run_on(process, after, step, context=context, now=now)
    except (CalendarError, OverflowError) as bad:
        if not payload:  # nobody typed it, so nobody can put it right
            raise
        return _impossible_date(case, trigger, bad)
    return _outcome(process, case, after, (step, *more))


def _impossible_date(case: Case, trigger: str, bad: Exception) -> Refused:
    why = f" {bad}" if isinstance(bad, CalendarError) else ""
    return Refused(trigger, case.state, "dates", f"One of the dates cannot be right.{why}")


def _outcome(process: Process, before: Case, after: Case, steps: tuple[Step, ...]) -> Outcome:
    state = process.state(after.state)
    return Outcome(before, after, steps, state.owner, state.final)


def _run_on(process: Process, case: Case, last: Step, *, context: Context, now: datetime) -> tuple[Case, list[Step]]:
    """Make the automatic moves of the state just entered, until one has none."""
    steps: list[Step] = []
    entered = last.source != last.target or last.kind == "opened"
    while entered and (auto := process.state(case.state).auto):
        if len(steps) > MOST_STEPS:
            raise EndlessCase(f"{case.ref} moves on by itself without end in the state {case.state}.")
        for trigger in auto:
            moved = _move(process, case, trigger, None, None, actor=SYSTEM, context=context, now=now)
            if not isinstance(moved, Refused):
                break
        else:
            raise EndlessCase(f"{case.ref} is stuck in the state {case.state}: none of {', '.join(auto)} is allowed.")
        entered = moved[0].state != case.state
        case = moved[0]
        steps.append(moved[1])
    return case, steps


def _move(
    process: Process,
    case: Case,
    trigger: str,
    payload: Any,
    rung: Firing | None,
    *,
    actor: Actor,
    context: Context,
    now: datetime,
) -> tuple[Case, Step] | Refused:
    draft = Draft(process, case, payload, rung[0] if rung else None, actor=actor, context=context, now=now)
    event = machine_of(process).events.get(trigger)
    try:
        moved = event is not None and event.trigger(draft, draft)
    except MachineError:
        moved = False
    if not moved or draft.taken is None:
        return _refused(process, draft, trigger)
    transition = draft.taken
    _effects(transition, draft)
    return _written(process, draft, transition, rung)


def _refused(process: Process, draft: Draft, trigger: str) -> Refused:
    rank, rule, sentence, errors = draft.refusal
    if rank < 0:
        state = process.state(draft.case.state).title
        sentence = f"“{title_of(process, trigger)}” is not possible while the case is in the state “{state}”."
        rule = "state"
    return Refused(trigger, draft.case.state, rule, sentence, errors, tuple(draft.guards))


def _effects(transition: Transition, draft: Draft) -> None:
    draft.messages.clear()
    if transition.keeps and draft.payload is not None:
        kept = draft.payload.model_dump(mode="json", include=set(transition.keeps))
        draft.set(**{k: v for k, v in kept.items() if v is not None})
    if transition.outcome is not None:
        draft.set(outcome=transition.outcome)
    for effect in transition.does:
        effect(draft)
    for send in transition.sends:
        if send.when is None or send.when(draft):
            draft.messages.append(Message(send.kind, send.to, {}, draft.clock))


def _written(process: Process, draft: Draft, transition: Transition, rung: Firing | None) -> tuple[Case, Step]:
    case, actor, now = draft.case, draft.actor, draft.now
    target = case.state if transition.internal else draft.state
    clocks = _clocks(process, draft, transition, target)
    public, personal = public_and_personal(draft.payload)
    details: dict[str, Any] = {}
    if public:
        details["payload"] = public
    if draft.changed:
        details["data"] = {k: v for k, v in draft.changed.items() if case.data.get(k) != v}
    if draft.guards:
        details["guards"] = dict(draft.guards)
    if rung is not None:
        details |= {"clock": rung[0], "rung": rung[1].key, "rung_at": rung[1].at.isoformat()}
    if clocks is not case.clocks:
        details |= _clock_changes(case, clocks, now)
    silent = transition.internal and Role.SYSTEM in actor.roles
    step = Step(
        "transition", transition.trigger, case.state, target, actor, now, rung[2] if rung else None, details, personal,
        tuple(draft.messages), tuple(draft.tasks), transition.closes_tasks + draft.closes, tuple(draft.spawns),
        tuple(draft.fires), draft.member_changes, draft.children,
    )  # fmt: skip
    after = Case(
        case.id, case.ref, case.process, target, case.version, case.opened_at, case.received_at,
        case.entered_at if target == case.state else now, case.member_id, case.subject, case.team, case.owner,
        case.parent_id, _held(case, transition), draft.data, draft.parties, clocks,
        case.counts if silent else {**case.counts, transition.trigger: case.counts.get(transition.trigger, 0) + 1},
        case.people if Role.SYSTEM in actor.roles else _people(case, transition.trigger, actor),
    )  # fmt: skip
    return after, step


def _people(case: Case, trigger: str, actor: Actor) -> dict[str, Any]:
    """Who has pulled a trigger, and in whose name: neither is the second pair of eyes."""
    return {**case.people, trigger: people_after(case.people.get(trigger, ()), actor.person, actor.on_behalf_of)}


def people_after(before: Sequence[str], person: str, on_behalf_of: str | None) -> list[str]:
    """Return the people of a trigger with those who have pulled it now."""
    now = [on_behalf_of, person] if on_behalf_of else [person]
    return [*(p for p in before if p not in now), *now]


def _held(case: Case, transition: Transition) -> bool:
    return (case.on_hold or transition.holds) and not transition.resumes


def _clocks(process: Process, draft: Draft, transition: Transition, target: str) -> Mapping[str, Any]:
    case, context, now = draft.case, draft.context, draft.now
    if transition.holds:
        clocks = {name: clockwork.paused(running, now) for name, running in case.clocks.items()}
        hold = clockwork.started(process, HOLD_CLOCK, case, draft.data, context=context, now=now)
        return clocks | ({"hold": hold} if hold else {})
    if transition.resumes:
        rest = {name: running for name, running in case.clocks.items() if name != "hold"}
        return {n: _resumed_in_state(process, case, r, draft) for n, r in rest.items()}
    if transition.extends is not None:
        return _extended(process, draft, transition)
    if transition.internal and not transition.restarts:
        return case.clocks
    return clockwork.after_move(process, case, target, draft.data, transition.restarts, context=context, now=now)


def _resumed_in_state(process: Process, case: Case, running: Any, draft: Draft) -> Any:
    clock = process.clock_of(case.state, running.name)
    if clock is None or clock.paused:
        return running
    return clockwork.resumed(process, clock, running, draft.data, context=draft.context, now=draft.now)


def _extended(process: Process, draft: Draft, transition: Transition) -> Mapping[str, Any]:
    case, name = draft.case, transition.extends or ""
    target = case.state if transition.internal else draft.state
    clocks: Mapping[str, Any] = case.clocks
    if not transition.internal or transition.restarts:
        clocks = clockwork.after_move(
            process, case, target, draft.data, transition.restarts, context=draft.context, now=draft.now
        )
    clock, running = process.clock_of(target, name), clocks.get(name)
    if clock is None or running is None:
        return clocks
    public, _ = public_and_personal(draft.payload)  # a personal reason is kept beside the event only: it can be erased
    longer = clockwork.extended(
        process, clock, running, draft.data, days=draft.typed("days"), until=draft.typed("until"),
        by=draft.actor.person, reason=str(public.get("reason", "")), context=draft.context, now=draft.now,
    )  # fmt: skip
    return {**clocks, name: longer}


def _clock_changes(case: Case, clocks: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What the record keeps of clocks: which started and when they are due, which stopped and whether in time, and
    which reminders fell into a pause and are not caught up."""
    begun = {n: r.due.isoformat() for n, r in clocks.items() if _restarted(case, n, r)}
    ended = {
        n: {"due": r.due.isoformat(), "met": now <= r.due} for n, r in case.clocks.items()
        if n not in clocks or clocks[n].anchor != r.anchor
    }  # fmt: skip
    missed = {
        n: [key for key in r.fired if key not in case.clocks[n].fired] for n, r in clocks.items()
        if n in case.clocks and case.clocks[n].run == r.run and len(r.fired) > len(case.clocks[n].fired)
    }  # fmt: skip
    found = {"clocks_due": begun, "clocks_ended": ended, "passed_over": missed}
    return {name: value for name, value in found.items() if value}


def _restarted(case: Case, name: str, clock: RunningClock) -> bool:
    """Whether a clock began afresh or was moved."""
    before = case.clocks.get(name)
    return before is None or before.due != clock.due or before.anchor != clock.anchor


def advance(process: Process, case: Case, *, context: Context, now: datetime) -> Outcome | None:
    """Fire every rung of the case that is due by now, in order; None when there is none.

    A rung whose guard says no is written down as not fired, with the guard's answer, and does not come back.
    Raises EndlessCase when the case does not come to rest.
    """
    current = case
    steps: list[Step] = []
    while (found := clockwork.soonest_due(process, current, context=context, now=now)) is not None:
        if len(steps) > MOST_STEPS:
            raise EndlessCase(f"{case.ref} has more than {MOST_STEPS} rungs due at once in the state {current.state}.")
        current, more = _fire_rung(process, current, found, context=context, now=now)
        steps.extend(more)
    return _outcome(process, case, current, tuple(steps)) if steps else None


def _with_clocks(case: Case, clocks: Mapping[str, RunningClock]) -> Case:
    """The same case with other clocks; written out, since a sweep does it for every case."""
    return Case(
        case.id, case.ref, case.process, case.state, case.version, case.opened_at, case.received_at, case.entered_at,
        case.member_id, case.subject, case.team, case.owner, case.parent_id, case.on_hold, case.data, case.parties,
        clocks, case.counts, case.people,
    )  # fmt: skip


def _fire_rung(process: Process, case: Case, found: Any, *, context: Context, now: datetime) -> tuple[Case, list[Step]]:
    clock, running, due_rung = found
    due_rung = latest_repeat(due_rung, now, context.calendar)
    key = clockwork.occurrence_key(running, due_rung.key)
    ticked = clockwork.ticked(process, clock, running, mark_fired(running.fired, due_rung.key), context)
    before, case = case, _with_clocks(case, {**case.clocks, clock.name: ticked})
    rung = (clock.name, due_rung, key)
    trigger = (clock.expires or "") if due_rung.rung.fires == EXPIRES else due_rung.rung.fires
    if due_rung.rung.skip_when_late and _later_is_due(process, clock, ticked, context, now):
        return case, [left_out(case, rung, trigger, "passed_over", {"why": catching_up.LATER_IS_DUE}, now)]
    catch_up = context.policy.catch_up(process.name, clock.name, due_rung.rung)
    if catch_up is not FIRES and catching_up.may_be_passed_over(process, case.state, trigger):
        late = catching_up.found_late(catch_up, case, due_rung, context, now)
        if isinstance(late, datetime):
            waits = clockwork.postponed(process, clock, running, due_rung.key, late, context)
            after = _with_clocks(before, {**before.clocks, clock.name: waits})
            return after, [put_off(case, rung, trigger, late, now)]
        if late is not None:
            return case, [left_out(case, rung, trigger, "passed_over", {"why": late}, now)]
    moved = _move(process, case, trigger, None, rung, actor=SYSTEM, context=context, now=now)
    if isinstance(moved, Refused):
        why = {"why": moved.sentence, "rule": moved.rule, "guards": dict(moved.guards)}
        return case, [left_out(case, rung, trigger, "not_fired", why, now)]
    after, more = _run_on(process, moved[0], moved[1], context=context, now=now)
    return after, [moved[1], *more]


def _later_is_due(process: Process, clock: Any, ticked: Any, context: Context, now: datetime) -> bool:
    left = clockwork.rungs(process, clock, ticked, context)
    return bool(left) and left[0].at <= now


def open_case(
    process: Process,
    seed: Case,
    *,
    payload: Mapping[str, Any] | BaseModel | None,
    actor: Actor,
    context: Context,
    now: datetime,
) -> Outcome | Refused:
    """Return a new case with its clocks, first event and messages, or why it may not be opened.

    ``seed`` brings the id, reference, member, subject and dates; its state is ignored.
    """
    seed = replace(seed, state=process.initial, entered_at=now, version=0)
    opening = Transition(
        "open", process.initial, process.initial, by=process.opened_by, needs=process.opening,
        keeps=process.opening_keeps, does=process.opening_does, sends=process.opening_sends, label="Open",
    )  # fmt: skip
    draft = Draft(process, seed, payload if payload is not None else {}, None, actor=actor, context=context, now=now)
    try:
        if not _allowed(opening, draft):
            return _refused(process, draft, "open")
        _effects(opening, draft)
        after, step = _written(process, draft, opening, None)
        step = replace(step, kind="opened", source=None)
        after, more = _run_on(process, after, step, context=context, now=now)
    except (CalendarError, OverflowError) as bad:
        if not payload:
            raise
        return _impossible_date(seed, "open", bad)
    return _outcome(process, seed, after, (step, *more))


def same_for(case: Case, first: Outcome) -> Outcome:
    """Return what was decided about the first of several cases that are alike, for another of them as it was before."""
    found = first.after
    after = Case(
        case.id, case.ref, found.process, found.state, case.version, case.opened_at, case.received_at,
        found.entered_at, case.member_id, case.subject, case.team, found.owner, case.parent_id, found.on_hold,
        found.data, found.parties, found.clocks, found.counts, found.people,
    )  # fmt: skip
    return Outcome(case, after, first.steps, first.owner_role, first.final)

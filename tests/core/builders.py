"""Short ways to say who acts, when, and on which case. For tests of processes, which are pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from state_machines import engine
from state_machines.calendars import Calendar
from state_machines.policy import Policy
from state_machines.process import Process
from state_machines.values import SYSTEM, Actor, Case, Context, Outcome, Refused, Role, Step

POLICIES = Path(__file__).parents[2] / "config" / "policy"
LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday without holidays near it."""


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        both[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


@cache
def policy() -> Policy:
    """The policy that ships: all its files, laid over each other."""
    merged: dict[str, Any] = {}
    for path in sorted(POLICIES.glob("*.yaml")):
        merged = _merged(merged, yaml.safe_load(path.read_text()) or {})
    return Policy.model_validate(merged)


@cache
def calendar(*closures: Any) -> Calendar:
    """England and Wales."""
    return Calendar("EW", closures=frozenset(closures))


def at(text: str) -> datetime:
    """The UTC instant of a London time: ``at("2026-04-02 10:00")``, or of 09:00 on a date."""
    local = datetime.fromisoformat(text if len(text) > 10 else f"{text} 09:00")
    return local.replace(tzinfo=LONDON).astimezone(UTC)


def context(now: datetime | None = None, **facts: Any) -> Context:
    """What a decision may look at. ``now`` is allowed so that a call may read the same everywhere."""
    return Context(policy(), calendar(), facts)


_FIRST_NUMBER = {role: 100 * number for number, role in enumerate(Role, start=1)}


def staff(role: Role = Role.COORDINATOR, n: int = 1, **changes: Any) -> Actor:
    """A person inside, another one for each role and each ``n``."""
    number = _FIRST_NUMBER[role] + n
    return Actor(f"staff:{number}", f"{role.label} {n}".capitalize(), frozenset({role}), **changes)


def member(number: int = 7) -> Actor:
    """The member of the case, through a personal link."""
    return Actor(f"member:{number}", f"Member {number}", frozenset({Role.MEMBER}), member_id=number)


def system() -> Actor:
    """Muster itself."""
    return SYSTEM


def opening(
    process: Process, payload: Mapping[str, Any] | None = None, *, actor: Actor | None = None,
    now: datetime = NOW, facts: Mapping[str, Any] | None = None, **seed: Any,
) -> Outcome | Refused:  # fmt: skip
    """What comes of trying to open a case. ``seed``: fields of the case, such as member_id or received_at."""
    fields: dict[str, Any] = {
        "id": 1, "ref": f"{process.prefix}-2026-000001", "process": process.name, "state": process.initial,
        "version": 0, "opened_at": now, "received_at": now, "entered_at": now,
    } | seed  # fmt: skip
    who, around = actor or staff(), context(**(facts or {}))
    return engine.open_case(process, Case(**fields), payload=payload, actor=who, context=around, now=now)


def opened(
    process: Process, payload: Mapping[str, Any] | None = None, *, actor: Actor | None = None,
    now: datetime = NOW, facts: Mapping[str, Any] | None = None, **seed: Any,
) -> Case:  # fmt: skip
    """A case that has just been opened."""
    found = opening(process, payload, actor=actor, now=now, facts=facts, **seed)
    assert isinstance(found, Outcome), found
    return found.after


def _decided(
    process: Process, case: Case, trigger: str, actor: Actor | None, now: datetime | None,
    facts: Mapping[str, Any] | None, payload: Mapping[str, Any],
) -> Outcome | Refused:  # fmt: skip
    who = actor or staff()
    typed = None if Role.SYSTEM in who.roles and not payload else payload
    when, around = now or case.entered_at, context(**(facts or {}))
    return engine.decide(process, case, trigger, payload=typed, actor=who, context=around, now=when)


def fire(
    process: Process, case: Case, trigger: str, *, actor: Actor | None = None, now: datetime | None = None,
    facts: Mapping[str, Any] | None = None, **payload: Any,
) -> Outcome:  # fmt: skip
    """Pull a trigger that must be allowed. Without ``now``: at the moment the case came into its state."""
    found = _decided(process, case, trigger, actor, now, facts, payload)
    assert isinstance(found, Outcome), found
    return found


def refused(
    process: Process, case: Case, trigger: str, *, actor: Actor | None = None, now: datetime | None = None,
    facts: Mapping[str, Any] | None = None, **payload: Any,
) -> Refused:  # fmt: skip
    """Pull a trigger that must be refused."""
    found = _decided(process, case, trigger, actor, now, facts, payload)
    assert isinstance(found, Refused), found
    return found


def wait(process: Process, case: Case, until: datetime, context: Context) -> tuple[Case, list[Step]]:
    """Let the time pass: every rung up to an instant fires, each at its own moment."""
    steps: list[Step] = []
    while (soonest := _next(case)) is not None and soonest <= until:
        found = engine.advance(process, case, context=context, now=soonest)
        assert found is not None, f"{case.ref} has a rung at {soonest} and nothing fires"
        case = found.after
        steps.extend(found.steps)
    return case, steps


def _next(case: Case) -> datetime | None:
    return min((c.next_at for c in case.clocks.values() if c.next_at is not None), default=None)


def messages(steps: Outcome | list[Step]) -> list[tuple[str, str]]:
    """The messages asked for, as (kind, audience)."""
    return [(m.kind, m.audience) for step in _steps(steps) for m in step.messages]


def tasks(steps: Outcome | list[Step]) -> list[str]:
    """The kinds of task asked for."""
    return [task.kind for step in _steps(steps) for task in step.tasks]


def _steps(found: Outcome | list[Step]) -> Iterator[Step]:
    return iter(found.steps if isinstance(found, Outcome) else found)

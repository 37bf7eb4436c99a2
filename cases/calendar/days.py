"""What the coming days bring: each rung and each deadline of each kind of case, by day and owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from cases.approving.decisions import decision_points
from cases.calendar.alike import Alike
from cases.environment import World
from cases.errors import NobodyToOwn
from cases.forecast import expected
from cases.owners import owner_for
from notifications import catalogue
from notifications.recipients import is_for_outsider
from notifications.windows import NeverOpens, next_opening
from state_machines import clockwork
from state_machines.english import capital
from state_machines.ladders import EXPIRES
from state_machines.objections import title_of
from state_machines.policy import PolicyError
from state_machines.registry import process_named
from state_machines.values import Case, Role

REMINDER, ESCALATION, APPROVAL, DEADLINE, NOTICE = "reminder", "escalation", "approval", "deadline", "notice"
KINDS = (REMINDER, ESCALATION, APPROVAL, DEADLINE, NOTICE)
MOST_RUN = 400
"""So many kinds of cases are run ahead as the sweep would; of the rarer ones only the ladders are read."""
_MOST_STEPS = 60
_UPWARDS = frozenset({"manager", "senior"})


@dataclass(frozen=True, slots=True)
class Falls:
    """Something that falls on a day for cases of one kind."""

    day: date
    kind: str
    owner_id: int | None
    title: str
    process: str
    number: int
    alike: str
    """The key of the kind of cases."""
    state: str


@dataclass
class Days:
    """What falls on the coming days, and the mail that leaves on them."""

    falls: list[Falls] = field(default_factory=list)
    mails: dict[date, Counter[str]] = field(default_factory=dict)
    """How many messages of each kind leave, by title."""


@dataclass(frozen=True, slots=True)
class _One:
    """Something that comes to one case."""

    at: datetime
    kind: str
    title: str
    role: Role | None
    """Whose it is by then, where not its owner's of today."""
    mails: tuple[str, ...]


def fallen(
    kinds: Sequence[Alike], cases: Mapping[int, Case], facts: Mapping[int, Any], here: World, until: datetime
) -> Days:
    """Return what falls on the days until an instant for these kinds of cases."""
    days, telling = Days(), _Telling(here, until)
    for place, alike in enumerate(kinds):
        case = cases.get(alike.one)
        if case is None:
            continue
        coming = telling.run(case, facts.get(case.id, {})) if place < MOST_RUN else telling.read(case)
        for one in (*coming, *telling.deadlines(case)):
            telling.add(days, alike, case, one)
    return days


@dataclass(frozen=True)
class _Telling:
    here: World
    until: datetime
    _owners: dict[tuple[Role, int | None], int | None] = field(default_factory=dict)

    def run(self, case: Case, facts: Any) -> Iterator[_One]:
        """What a sweep would do, run ahead."""
        process, state = process_named(case.process), case.state
        for each in expected(process, case, context=self.here.context(facts), now=self.here.now, most=_MOST_STEPS):
            if each.at > self.until:
                return
            if each.kind != "transition":
                continue
            target = process.state(each.target)
            moved = each.target != state
            role = target.owner if target.owner is not process.state(case.state).owner else None
            kind = _kind(each.messages, moved and target.owner is not process.state(state).owner)
            yield _One(each.at, kind, _title(case.process, each.trigger), role, tuple(k for k, _ in each.messages))
            state = each.target

    def read(self, case: Case) -> Iterator[_One]:
        """What the ladders say, until a rung moves the case."""
        process = process_named(case.process)
        for running in case.clocks.values():
            clock = process.clock_of(case.state, running.name)
            if clock is None or running.next_at is None:
                continue
            try:
                rungs = clockwork.rungs(process, clock, running, self.here.context({}))
            except PolicyError:
                continue
            for found in rungs:
                if found.at > self.until:
                    break
                trigger = (clock.expires or "") if found.rung.fires == EXPIRES else found.rung.fires
                ways = [t for t in process.from_state[case.state] if t.trigger == trigger]
                sends = [(s.kind, s.to) for t in ways[:1] for s in t.sends if s.when is None]
                yield _One(max(found.at, self.here.now), _kind(sends, up=False), _title(case.process, trigger), None,
                           tuple(kind for kind, _ in sends))  # fmt: skip
                if ways and all(not t.internal for t in ways):
                    break

    def deadlines(self, case: Case) -> Iterator[_One]:
        """The clocks that run out."""
        process = process_named(case.process)
        kind = APPROVAL if (case.process, case.state) in decided_states() else DEADLINE
        for running in case.clocks.values():
            clock = process.clock_of(case.state, running.name)
            if clock is not None and not running.paused and self.here.now <= running.due <= self.until:
                yield _One(running.due, kind, f"{capital(clock.title)} is due", None, ())

    def add(self, days: Days, alike: Alike, case: Case, one: _One) -> None:
        """Count something for everybody who owns such cases."""
        local = self.here.env.calendar.local_date
        for owner, number in alike.owners.items():
            whose = owner if one.role is None else self._owner(one.role, case, owner)
            days.falls.append(
                Falls(local(one.at), one.kind, whose, one.title, case.process, number, alike.key, case.state)
            )
        for kind in one.mails:
            day = local(self._leaves(kind, one.at))
            days.mails.setdefault(day, Counter())[catalogue.title_of(kind)] += alike.total

    def _owner(self, role: Role, case: Case, owner: int | None) -> int | None:
        key = (role, owner)
        if key not in self._owners:
            try:
                self._owners[key] = owner_for(
                    role, case, process_named(case.process), self.here.staffing, coordinator_id=owner
                )
            except NobodyToOwn:
                self._owners[key] = None
        return self._owners[key]

    def _leaves(self, kind: str, at: datetime) -> datetime:
        """When a message of this kind leaves that is asked for at an instant."""
        window = self.here.env.policy.mail.windows.get(catalogue.kind(kind).window)
        try:
            return next_opening(window, at, self.here.env.calendar) if window else at
        except NeverOpens:
            return at


def _kind(messages: Sequence[tuple[str, str]], up: bool) -> str:
    if any(is_for_outsider(audience) for _, audience in messages):
        return REMINDER
    if up or any(audience in _UPWARDS or audience.startswith("role:") for _, audience in messages):
        return ESCALATION
    return NOTICE


@cache
def _title(process: str, trigger: str) -> str:
    return capital(title_of(process_named(process), trigger))


@cache
def decided_states() -> frozenset[tuple[str, str]]:
    """Return the states, with their processes, that wait for a decision of whoever owns them."""
    return frozenset((point.process, point.state) for point in decision_points() if point.owned)

"""The values the core speaks in. Nothing here reads or writes anything.

Instants are aware datetimes in UTC. A *person* is a short text that names who acted: ``staff:3``, ``member:17``,
``system:sweep``. Snapshots are slim on purpose: a sweep builds one for every due case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from state_machines.calendars import Calendar
    from state_machines.policy import Policy


class Role(StrEnum):
    """What a person may be in Muster; permission is given per transition to roles, never to people."""

    COORDINATOR = "coordinator"
    MANAGER = "manager"
    SENIOR = "senior_manager"
    COUNCIL = "council"
    SITE = "site"
    FINANCE = "finance"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    COMPLAINANT = "complainant"
    SYSTEM = "system"

    @property
    def label(self) -> str:
        """The role as people say it: "senior manager"."""
        return self.value.replace("_", " ")


STAFF = frozenset(
    {
        Role.COORDINATOR,
        Role.MANAGER,
        Role.SENIOR,
        Role.COUNCIL,
        Role.SITE,
        Role.FINANCE,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    }
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with roles, for themselves or for someone who is away."""

    person: str
    name: str
    roles: frozenset[Role]
    teams: frozenset[str] = frozenset()
    member_id: int | None = None
    on_behalf_of: str | None = None
    conflicts: frozenset[int] = frozenset()
    """Members with whom this person has a recorded conflict of interest."""
    only_case: int | None = None
    """The one case that a personal link is for; its holder sees no other."""

    @property
    def role(self) -> Role:
        """The role written into the record when a person holds several: the most senior one."""
        return next((role for role in _SENIORITY if role in self.roles), Role.AUDITOR)


_SENIORITY = (Role.SYSTEM, Role.COUNCIL, Role.SENIOR, Role.MANAGER, Role.COORDINATOR, *Role)

SYSTEM = Actor("system:sweep", "Muster", frozenset({Role.SYSTEM}))


@dataclass(frozen=True, slots=True)
class Pause:
    """Half-open interval in which a clock stood still; ``until`` is None while it still does."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """A new due instant given by a person; counted apart from pauses and from being late."""

    at: datetime
    was: datetime
    until: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunningClock:
    """One clock of one case as it runs now."""

    name: str
    anchor: datetime
    due: datetime
    fired: tuple[str, ...] = ()
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[Extension, ...] = ()
    next_at: datetime | None = None
    """When the next rung fires; None while paused or when the ladder has ended."""
    run: int = 0
    """How many moves the case had made when the clock started: a clock that starts afresh from the same anchor, as
    when a case is reopened, is another run with occurrences of its own."""
    put_off: tuple[tuple[str, datetime], ...] = ()
    """Rungs, by key, that fire no sooner than an instant: spread out after a standstill, or put off by a manager."""

    @property
    def paused(self) -> bool:
        """Whether the clock stands still now."""
        return bool(self.pauses) and self.pauses[-1].until is None


@dataclass(frozen=True, slots=True)
class Case:
    """A frozen picture of one case, as read under its row lock."""

    id: int
    ref: str
    process: str
    state: str
    version: int
    opened_at: datetime
    received_at: datetime
    entered_at: datetime
    member_id: int | None = None
    subject: str = ""
    team: str | None = None
    owner: str | None = None
    parent_id: int | None = None
    on_hold: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)
    parties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clocks: Mapping[str, RunningClock] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    """How often each trigger has moved this case."""
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Who has pulled each trigger on this case, first to last."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message the case asks for. Who receives it is decided from ``audience`` when it is sent."""

    kind: str
    audience: str
    data: Mapping[str, Any] = field(default_factory=dict)
    clock: str | None = None
    """The clock whose rung asked for it; a later rung of the same clock supersedes it while both wait."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something a person must do by hand (phone, repair a contact), open until it is done or no longer needed."""

    kind: str
    title: str
    role: Role
    due: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spawn:
    """A case of another process that this one opens, and how the two are linked."""

    process: str
    subject: str
    data: Mapping[str, Any]
    link: str = "spawned_from"


@dataclass(frozen=True, slots=True)
class FireLinked:
    """A trigger to pull on the linked or child cases of this one in the same transaction."""

    trigger: str
    where: str
    """Which cases: ``children``, ``children_all`` (closed ones too), ``parent``, a link type, or
    ``supersedes>asks_for``: those with a link of the second type to whatever this case leads to along links of the
    first."""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenChildren:
    """One child case for every member in the population of this case, opened in sets; or for a few late joiners."""

    process: str
    data: Mapping[str, Any]
    """Facts every child starts with."""
    only: tuple[str, ...] = ()
    """References of the members to open one for, instead of the whole population: late joiners."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a case: a transition, a rung that was passed over, or the opening."""

    kind: str
    trigger: str
    source: str | None
    target: str
    actor: Actor
    at: datetime
    occurrence: str | None = None
    """The key of the rung that fired, unique in its case."""
    details: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    tasks: tuple[Task, ...] = ()
    closes_tasks: tuple[str, ...] = ()
    """Kinds of task this step settles; ``*`` settles all."""
    spawns: tuple[Spawn, ...] = ()
    fires: tuple[FireLinked, ...] = ()
    member_changes: Mapping[str, Any] = field(default_factory=dict)
    children: OpenChildren | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision does to a case: the case afterwards and the steps that led there."""

    before: Case
    after: Case
    steps: tuple[Step, ...]
    owner_role: Role
    final: bool

    @property
    def due_at(self) -> datetime | None:
        """The instant the machine must look at this case again; None only when it is final or wholly exhausted."""
        instants = [clock.next_at for clock in self.after.clocks.values() if clock.next_at is not None]
        return min(instants) if instants else None

    @property
    def deadline(self) -> datetime | None:
        """The soonest instant that some running clock is due, for people to sort by."""
        return min((c.due for c in self.after.clocks.values() if not c.paused), default=None)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a trigger was not fired, in a sentence for the person who tried."""

    trigger: str
    state: str
    rule: str
    sentence: str
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Errors by field of the payload."""
    guards: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a decision may look at besides the case: rules as data, calendars, and facts gathered by the shell."""

    policy: Policy
    calendar: Calendar
    facts: Mapping[str, Any] = field(default_factory=dict)

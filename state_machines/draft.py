"""The throw-away copy of a case that guards ask and effects write on. It never outlives one decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from state_machines.deadlines import Allowance, due_instant
from state_machines.values import Actor, Case, Context, FireLinked, Message, OpenChildren, Role, Spawn, Task

if TYPE_CHECKING:
    from pydantic import BaseModel

    from state_machines.process import Process, Transition


class Draft:
    """What guards may look at and effects may change while one trigger is decided."""

    __slots__ = (
        "actor", "case", "changed", "children", "clock", "closes", "context", "data", "fires", "guards",
        "member_changes", "messages", "now", "parties", "payload", "process", "raw", "reason", "refusal", "spawns",
        "state", "taken",
        "tasks",
    )  # fmt: skip

    def __init__(
        self,
        process: Process,
        case: Case,
        raw: Any,
        clock: str | None,
        *,
        actor: Actor,
        context: Context,
        now: datetime,
    ) -> None:
        self.process, self.case, self.actor, self.context, self.now = process, case, actor, context, now
        self.state = case.state
        self.raw = raw
        self.clock = clock
        self.payload: BaseModel | None = None
        self.taken: Transition | None = None
        self.refusal: tuple[int, str, str, dict[str, tuple[str, ...]]] = (-1, "", "", {})
        self.guards: list[tuple[str, bool]] = []
        self.reason = ""
        self.data: Mapping[str, Any] = case.data
        self.changed: dict[str, Any] = {}
        self.parties: Mapping[str, Mapping[str, Any]] = case.parties
        self.messages: list[Message] = []
        self.tasks: list[Task] = []
        self.closes: tuple[str, ...] = ()
        self.spawns: list[Spawn] = []
        self.fires: list[FireLinked] = []
        self.member_changes: dict[str, Any] = {}
        self.children: OpenChildren | None = None

    # --- what guards ask

    def get(self, name: str, default: Any = None) -> Any:
        """A fact of the case as it would be now."""
        return self.data.get(name, default)

    def typed(self, name: str, default: Any = None) -> Any:
        """A field of the payload, or the default when nothing was typed."""
        return getattr(self.payload, name, default) if self.payload is not None else default

    def fact(self, name: str, default: Any = None) -> Any:
        """A fact the shell gathered from outside the case."""
        return self.context.facts.get(name, default)

    def setting(self, name: str) -> Any:
        """A number of this process from the policy."""
        return self.context.policy.setting(self.process.name, name)

    def count(self, trigger: str) -> int:
        """How often a trigger has moved this case before now."""
        return self.case.counts.get(trigger, 0)

    def after(self, allowance: str) -> datetime:
        """The instant an allowance from now runs out, by the case's calendar."""
        return due_instant(Allowance.parse(allowance), self.now, self.context.calendar)

    @property
    def today(self) -> str:
        """The local date of the decision, as ISO text."""
        return self.context.calendar.local_date(self.now).isoformat()

    def because(self, sentence: str) -> bool:
        """Say no with a sentence of one's own, which may hold numbers: ``return ok or draft.because(...)``."""
        self.reason = sentence
        return False

    # --- what effects order

    def set(self, **facts: Any) -> None:
        """Change facts of the case."""
        self.data = {**self.data, **facts}
        self.changed.update(facts)

    def name_party(self, role: str, **details: Any) -> None:
        """Name a person outside: personal data, kept apart from the facts."""
        self.parties = {**self.parties, role: {k: v for k, v in details.items() if v}}

    def send(self, kind: str, to: str, **data: Any) -> None:
        """Ask for a message."""
        self.messages.append(Message(kind, to, data, self.clock))

    def task(self, kind: str, title: str, role: Role, allowance: str, **data: Any) -> None:
        """Ask a person to do something by hand, within an allowance."""
        self.tasks.append(Task(kind, title, role, self.after(allowance), data))

    def spawn(self, process: str, subject: str, link: str = "spawned_from", **data: Any) -> None:
        """Open a case of another process, linked to this one."""
        self.spawns.append(Spawn(process, subject, data, link))

    def fire_linked(self, trigger: str, where: str, **data: Any) -> None:
        """Pull a trigger on the children or on linked cases."""
        self.fires.append(FireLinked(trigger, where, data))

    def open_children(self, process: str, only: tuple[str, ...] = (), **data: Any) -> None:
        """Open a child case for every member in this case's population, or for these members only."""
        self.children = OpenChildren(process, data, only)

    def change_member(self, **changes: Any) -> None:
        """Change the member's entry in the register."""
        self.member_changes.update(changes)

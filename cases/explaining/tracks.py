"""Cases as they run ahead: what a sweep would make of them is worked out by the sweep's own code and kept in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cases import store
from cases.environment import World
from cases.locking import Locked
from cases.rows import Head, person_of
from cases.writing import Change, kept_from
from state_machines.clockwork import recalculated
from state_machines.engine import advance
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Case, Outcome


class Supposed(dict[str, Any]):
    """The facts of a case as they are today, with what the days ahead change in them laid over."""

    def __init__(self, today: Mapping[str, Any]) -> None:
        super().__init__(today)
        self._today = today

    def get(self, name: str, default: Any = None) -> Any:
        """Return a fact, or the default when there is none; the member is looked up when first asked for."""
        return super().get(name) if name in self else self._today.get(name, default)

    def settle(self) -> None:
        """Look the member up now, while there is a connection."""
        member = self._today.get("member")
        if member is not None:
            self["member"] = member

    def change_member(self, changes: Mapping[str, Any]) -> None:
        """Let the member be as a case has changed it."""
        member = self.get("member")
        if member is not None:
            flags = {*member.get("flags", ()), *(str(flag).lower() for flag in changes.get("add_flags", ()))}
            status = changes.get("status", member.get("status"))
            self["member"] = {**member, "status": status, "flags": tuple(sorted(flags))}


@dataclass
class Track:
    """One case as it runs ahead."""

    locked: Locked
    facts: Supposed
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = process_named(self.locked.case.process)

    @property
    def case(self) -> Case:
        """The case as it stands at this moment of the run."""
        return self.locked.case

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return not self.process.state(self.case.state).final

    @property
    def next_at(self) -> datetime | None:
        """When a sweep looks at it next."""
        instants = [clock.next_at for clock in self.case.clocks.values() if clock.next_at is not None]
        return min(instants) if instants and self.open else None

    def swept(self, here: World) -> Outcome | None:
        """Return what a sweep decides now, or None. Where days off have moved its clocks, they are moved first."""
        context = here.context(self.facts)
        outcome = advance(self.process, self.case, context=context, now=here.now)
        if outcome is None and (clocks := recalculated(self.process, self.case, context)) is not None:
            self.locked = replace(self.locked, case=replace(self.case, clocks=clocks))
        return outcome

    def take(self, outcome: Outcome, here: World) -> Change:
        """Let a decision come true, with the owner it leads to, and return the change as it would be written."""
        change = store.change_of(outcome, self.locked, here)
        head = Head(self.locked.head.seq + len(outcome.steps), self.locked.head.hash)
        after = replace(outcome.after, owner=person_of(change.owner_id), version=outcome.before.version + 1)
        self.locked = replace(
            self.locked, case=after, head=head, owner_id=change.owner_id, owner_role=outcome.owner_role.value,
            coordinator_id=change.coordinator_id, walled_off=tuple(kept_from(change)),
        )  # fmt: skip
        for step in outcome.steps:
            if step.member_changes:
                self.facts.change_member(step.member_changes)
        return change

"""What is written down of what was held back: numbers, no names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.breaker.weighing import Load
from state_machines.values import Actor


@dataclass(frozen=True)
class Facts:
    """Why cases are held back and what they would do, as the row keeps it."""

    why: tuple[Mapping[str, Any], ...]
    """Each ``{"what": "late" | "on_time" | "asked", "cases": 260, "limit": 100}``."""
    oldest: datetime
    """The instant at which the first of them was due."""
    messages: Mapping[str, int]
    """How many messages, by kind."""
    triggers: Mapping[str, int]
    """How often what would be done."""
    moves: Mapping[str, int]
    """How many cases would come from which state to which other: ``received>closed``."""
    escalations: int
    causers: tuple[str, ...]
    """Who entered more than half of the cases within a day, of those that came first or that came later."""

    def caused_by(self, actor: Actor) -> bool:
        """Whether this person, or whom they act for, entered the cases: they do not decide about it."""
        return not {actor.person, actor.on_behalf_of}.isdisjoint(self.causers)

    @classmethod
    def of(cls, why: Sequence[Mapping[str, Any]], loads: Sequence[Load]) -> Facts:
        """Return the facts of cases that are held back now."""
        held = [load for load in loads if load.ids]
        messages, triggers, moves, entered = (
            sum((getattr(load, name) for load in held), Counter[str]())
            for name in ("messages", "triggers", "moves", "entered_by")
        )
        cases = sum(len(load.ids) for load in held)
        person, number = entered.most_common(1)[0] if entered else ("", 0)
        return cls(
            tuple(why), min(at for load in held for at in load.ids.values()), messages, triggers, moves,
            sum(load.escalations for load in held), (person,) if number * 2 > cases else (),
        )  # fmt: skip

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Facts:
        """Return the facts that a row keeps."""
        return cls(
            tuple(values["why"]), datetime.fromisoformat(values["oldest"]), values["messages"], values["triggers"],
            values["moves"], values["escalations"], tuple(values["causers"]),
        )  # fmt: skip

    def and_also(self, more: Facts) -> Facts:
        """Return these facts with those of cases that are held back as well."""
        by_what = {each["what"]: dict(each) for each in self.why}
        for each in more.why:
            known = by_what.setdefault(each["what"], {**each, "cases": 0})
            known["cases"] += each["cases"]
        return Facts(
            tuple(by_what.values()), min(self.oldest, more.oldest), _sum(self.messages, more.messages),
            _sum(self.triggers, more.triggers), _sum(self.moves, more.moves), self.escalations + more.escalations,
            tuple(dict.fromkeys((*self.causers, *more.causers))),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return the facts as they are stored."""
        return {
            "why": [dict(each) for each in self.why], "oldest": self.oldest.isoformat(),
            "messages": dict(self.messages), "triggers": dict(self.triggers), "moves": dict(self.moves),
            "escalations": self.escalations, "causers": list(self.causers),
        }  # fmt: skip


def _sum(these: Mapping[str, int], those: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(these) + Counter(those))

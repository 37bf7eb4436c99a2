"""Asking every guard of a transition what it says, and noting what it looked at; the engine stops at the first no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from state_machines.draft import Draft
from state_machines.english import capital
from state_machines.objections import sentence_of
from state_machines.process import Process, Transition
from state_machines.values import SYSTEM, Case, Context


@dataclass(frozen=True, slots=True)
class Answer:
    """What a guard says, and why."""

    guard: str
    question: str
    """What is asked, in words."""
    sentence: str
    """What a person reads when the answer is no."""
    value: bool | None
    """None where the guard could not be asked of what is known."""
    looked_at: tuple[tuple[str, str], ...]
    """Facts by name, in words; empty where they come from the record, which keeps answers and no facts."""
    recorded: bool
    """Whether the answer was written down then; otherwise it was worked out again."""


class _Watched(Draft):
    """A draft that notes what it was asked for."""

    __slots__ = ("seen",)

    def __init__(self, process: Process, case: Case, *, context: Context, now: datetime) -> None:
        super().__init__(process, case, None, None, actor=SYSTEM, context=context, now=now)
        self.seen: dict[str, str] = {}

    def get(self, name: str, default: Any = None) -> Any:
        """Return a fact of the case."""
        return self._noted(name, super().get(name, default))

    def fact(self, name: str, default: Any = None) -> Any:
        """Return a fact from outside the case."""
        return self._noted(name, super().fact(name, default))

    def setting(self, name: str) -> Any:
        """Return a number of the policy."""
        return self._noted(f"policy: {name}", super().setting(name))

    def count(self, trigger: str) -> int:
        """Return how often a trigger has moved this case."""
        found = super().count(trigger)
        self.seen[f"times: {trigger}"] = str(found)
        return found

    def _noted(self, name: str, value: Any) -> Any:
        self.seen[name] = _in_words(value)
        return value


def asked(
    process: Process, transition: Transition, case: Case, *, context: Context, now: datetime
) -> tuple[Answer, ...]:
    """Return the answer of each guard on the case, asked of the case as given."""
    return tuple(_asked(process, guard, case, context=context, now=now) for guard in transition.only_if)


def _asked(process: Process, guard: Any, case: Case, *, context: Context, now: datetime) -> Answer:
    draft = _Watched(process, case, context=context, now=now)
    value: bool | None
    try:
        value = bool(guard(draft))
    except Exception:  # a guard may need what was not known then; that is an answer too
        value = None
    sentence = draft.reason if value is False and draft.reason else sentence_of(guard)
    looked_at = tuple(sorted(draft.seen.items()))
    return Answer(guard.__name__, _question(guard.__name__), sentence, value, looked_at, recorded=False)


def _question(name: str) -> str:
    """Guards are named as the questions they ask."""
    return f"{capital(name.strip('_').replace('_', ' '))}?"


def recorded(process: Process, trigger: str, answers: dict[str, bool]) -> tuple[Answer, ...]:
    """Return the answers that an event keeps, with the questions of the guards."""
    guards = {g.__name__: g for t in process.transitions if t.trigger == trigger for g in (*t.only_if, *t.checks)}
    return tuple(
        Answer(name, _question(name), sentence_of(guards[name]) if name in guards else "", value, (), recorded=True)
        for name, value in answers.items()
    )


def _in_words(value: Any) -> str:
    """A fact as far as it can be shown: of what is long or nested only how much of it there is."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        plain = all(isinstance(each, int | float | str) for each in value.values())
        return ", ".join(f"{k} {v}" for k, v in value.items())[:200] if plain else f"{len(value)} entries"
    if isinstance(value, list | tuple | set | frozenset):
        short = all(isinstance(each, str) for each in value) and len(value) <= 10  # numbers are those of rows
        return (", ".join(str(each) for each in value) or "none") if short else f"{len(value)} of them"
    return _day_in_words(value) if isinstance(value, str) else str(value)[:200]


def _day_in_words(value: str) -> str:
    """A day as people write it; other words as they are."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value[:200]
    return f"{day.day} {day:%B %Y}"

"""What a check finds: which promise, where, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from cases.advice import advice_on


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that is not kept, where, and why."""

    check: str
    ref: str
    why: str
    warning: bool = False

    @property
    def advice(self) -> str:
        """What to do about it, in a sentence or two."""
        return advice_on(self.check)


@dataclass(frozen=True, slots=True)
class Check:
    """A question whose answers, rows of ``ref`` and ``why``, are findings."""

    name: str
    sql: str
    warning: bool = False

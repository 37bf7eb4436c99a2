"""Putting a case on hold: every clock stands still but the one that ends the hold.

A hold has a reason, a person and an end; when it runs out the clocks run again by themselves and the manager hears of
it, so that no case is forgotten on hold.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from state_machines.draft import Draft
from state_machines.process import EVERY_OPEN_STATE, Guard, Send, Transition
from state_machines.values import Role


class Hold(BaseModel):
    """Why the clocks may stand still."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=3, description="Regulator, police or court, or the safety of a source")]
    evidence: Annotated[str, Field(default="", description="What supports it")]


class Resume(BaseModel):
    """Why they run again."""

    model_config = ConfigDict(extra="forbid")
    reason: str = ""


def holding(*, by: Collection[Role] = (Role.MANAGER,), only_if: tuple[Guard, ...] = ()) -> list[Transition]:
    """Return the two transitions with which a case is put on hold and taken off again."""
    every = EVERY_OPEN_STATE
    return [
        Transition("hold", every, None, by=frozenset(by), needs=Hold, only_if=only_if, holds=True,
                   help="All clocks stand still, for 30 days at the most; then they run again."),
        Transition("resume", every, None, by=frozenset({*by, Role.SYSTEM}), needs=Resume, only_if=(is_on_hold,),
                   resumes=True, sends=(Send("case_hold_ended", "manager", when=by_system),)),
    ]  # fmt: skip


def is_on_hold(draft: Draft) -> bool:
    """The case is not on hold."""
    return bool(draft.case.on_hold)


def by_system(draft: Draft) -> bool:
    """Only when nobody resumed it by hand."""
    return Role.SYSTEM in draft.actor.roles

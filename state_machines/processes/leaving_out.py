"""Changing the frozen denominator of a campaign: a member is left out with a reason, or taken back in.

Only a manager may, from a list of reasons, and both the campaign and the member's own case say so. The case stays open
until the campaign ends, so that what was answered is there again when the member is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from state_machines.draft import Draft
from state_machines.process import Clock, Guard, Send, State, Transition
from state_machines.processes.survey_forms import Form, Reason
from state_machines.standing import Standing
from state_machines.values import Role

MANAGER = frozenset({Role.MANAGER})
DENOMINATOR_DECIDERS = MANAGER
"""Who says that a member counts no more, or again."""
SYSTEM = frozenset({Role.SYSTEM})
LEFT_OUT = "left_out"
DROPPED = "dropped"
CHILD = "child:"
"""Before the reference of the one member whose case is meant."""


class Cause(StrEnum):
    """The only reasons for which somebody who was asked does not count any more."""

    LEFT = "left_membership"
    MERGED = "merged"
    DUPLICATE = "duplicate"
    NEVER_ELIGIBLE = "never_eligible"


CAUSES = {
    Cause.LEFT: "has left the membership", Cause.MERGED: "has become part of another member",
    Cause.DUPLICATE: "is in the register twice", Cause.NEVER_ELIGIBLE: "was never meant by the rule of the campaign",
}  # fmt: skip
MemberRef = Annotated[str, Field(min_length=1, max_length=80, description="Reference of the member")]


class LeaveOut(Form):
    """Who does not count any more, and why."""

    member: MemberRef
    cause: Annotated[Cause, Field(description="Why the member does not count")]
    note: Annotated[Reason, Field(description="What shows it; it stays on the record")]


class TakeBackIn(Form):
    """Who counts again, and why."""

    member: MemberRef
    reason: Reason


class LeftOut(Form):
    """Why a member does not count any more, as its own case keeps it."""

    cause: Cause
    note: Reason


class TakenBack(Form):
    """Why a member counts again."""

    reason: Reason


# --- on the campaign


def denominator_moves(states: Sequence[str]) -> list[Transition]:
    """Return the moves of a campaign that runs in these states."""
    return [
        Transition("leave_out", tuple(states), None, by=DENOMINATOR_DECIDERS, needs=LeaveOut, does=(leave_out,),
                   danger=True, label="Leave a member out",
                   help="The member does not count any more; the list says who, why and who decided."),
        Transition("take_back_in", tuple(states), None, by=DENOMINATOR_DECIDERS, needs=TakeBackIn, does=(take_back_in,),
                   label="Take a member back in", help="What it had done before counts again."),
    ]  # fmt: skip


def leave_out(draft: Draft) -> None:
    """One member less is asked."""
    cause, note = draft.typed("cause"), draft.typed("note")
    draft.set(eligible=int(draft.get("eligible", 0)) - 1, left_out=int(draft.get("left_out", 0)) + 1)
    draft.fire_linked("left_out", f"{CHILD}{draft.typed('member')}", cause=cause.value, note=note)


def take_back_in(draft: Draft) -> None:
    """The member is asked again."""
    draft.set(eligible=int(draft.get("eligible", 0)) + 1, left_out=int(draft.get("left_out", 0)) - 1)
    draft.fire_linked("taken_back", f"{CHILD}{draft.typed('member')}", reason=draft.typed("reason"))


# --- on the case of a member


def states(held: Clock) -> list[State]:
    """Return the states of who was left out. ``held`` is the process's own clock, standing still."""
    return [
        State(LEFT_OUT, standing=Standing.DROPPED, label="Left out of the campaign",
              clocks=(held, Clock("left_out", ladder="expiry", expires="stay_out", label="may be taken back in")),
              help="Does not count and is not written to. A manager can take the member back in."),
        State(DROPPED, standing=Standing.DROPPED, final=True, label="Left out"),
    ]  # fmt: skip


def leaving_out(back_to: Sequence[str]) -> list[Transition]:
    """Return the moves of a member's case that can be left out of its campaign from these states."""
    out: dict[str, Any] = {"by": SYSTEM, "outcome": "left_out"}
    return [
        Transition("left_out", tuple(back_to), LEFT_OUT, by=SYSTEM, needs=LeftOut, keeps=("cause",),
                   does=(remember_state,), closes_tasks=("*",),
                   sends=(Send("reach_left_out", "member", when=was_never_meant),)),
        *(Transition("taken_back", LEFT_OUT, state, by=SYSTEM, needs=TakenBack,
                     only_if=(was_in(state), may_come_back)) for state in back_to),
        Transition("campaign_closed", LEFT_OUT, DROPPED, **out),
        Transition("campaign_cancelled", LEFT_OUT, DROPPED, **out),
        Transition("stay_out", LEFT_OUT, DROPPED, **out),
    ]  # fmt: skip


def remember_state(draft: Draft) -> None:
    """Remember where the case goes back to when the member is taken back in."""
    draft.set(left_out_from=draft.case.state)


def was_never_meant(draft: Draft) -> bool:
    """Whether the member should hear that it need not answer: it was asked by mistake."""
    return draft.typed("cause") is Cause.NEVER_ELIGIBLE


def may_come_back(draft: Draft) -> bool:
    """This member was taken back in too often already."""
    return draft.count("taken_back") < int(draft.setting("take_backs"))


def was_in(state: str) -> Guard:
    """Return the guard that says whether the member was left out in this state."""

    def guard(draft: Draft) -> bool:
        return bool(draft.get("left_out_from") == state)

    guard.__name__ = f"left_out_from_{state}"
    guard.__doc__ = f"The member was not left out in the state “{state.replace('_', ' ')}”."
    return guard

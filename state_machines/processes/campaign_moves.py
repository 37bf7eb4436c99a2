"""How a campaign runs and is closed, whatever its members are asked for: launch, deadline, chase, and the end."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from state_machines.process import EVERY_OPEN_STATE, Guard, Transition
from state_machines.processes import campaign_rules as campaign
from state_machines.processes import survey_forms as forms
from state_machines.values import Role

MANAGER = frozenset({Role.MANAGER})
SENIOR = frozenset({Role.SENIOR})
COORDINATOR = frozenset({Role.COORDINATOR})
EITHER = COORDINATOR | MANAGER
SYSTEM = frozenset({Role.SYSTEM})

_INVITE: dict[str, Any] = {"does": (campaign.invite_everyone,), "danger": True}
_MOVED: dict[str, Any] = {
    "by": MANAGER, "needs": forms.NewDeadline, "extends": "deadline", "checks": (campaign.deadline_is_later,),
    "does": (campaign.take_new_deadline, campaign.move_deadline_of_children),
}  # fmt: skip


def running(launch: tuple[Guard, ...], before_live: tuple[str, ...]) -> list[Transition]:
    """From the launch to the end of the chase.

    ``launch`` says what must hold. Its last guard asks whether enough members have a contact that works, and a manager
    may launch without it. ``before_live`` are the states in which the deadline is only a plan.
    """
    return [
        Transition("launch", "ready", "live", by=EITHER | SYSTEM, only_if=launch, **_INVITE),
        Transition("launch", "ready", None, by=SYSTEM, does=(campaign.telling_why_not_launched(launch),),
                   help="Muster says what stands in the way, and tries again the next day."),
        Transition("launch_anyway", "ready", "live", by=MANAGER, needs=forms.Because, only_if=launch[:-1],
                   help="Although too many members have no contact that works.", **_INVITE),
        Transition("add_member", "live", None, by=EITHER, needs=forms.LateJoiner,
                   only_if=(campaign.deadline_is_ahead,), does=(campaign.note_joiner,), label="Ask one member more"),
        Transition("move_deadline", before_live, None, by=MANAGER, needs=forms.NewDeadline,
                   checks=(campaign.deadline_is_in_order,), does=(campaign.take_new_deadline,)),
        Transition("move_deadline", "live", None, **_MOVED),
        Transition("move_deadline", "overdue_chase", "live", **_MOVED),
        Transition("deadline_passed", "live", "review", by=SYSTEM, only_if=(campaign.everyone_is_in,),
                   does=(campaign.tell_everyone_is_in,)),
        Transition("deadline_passed", "live", "overdue_chase", by=SYSTEM, does=(campaign.tell_deadline_passed,)),
        Transition("everyone_in", ("live", "overdue_chase"), "review", by=SYSTEM | COORDINATOR,
                   only_if=(campaign.everyone_is_in,), does=(campaign.tell_everyone_is_in,),
                   label="Everybody has answered"),
        Transition("tell_senior", "overdue_chase", None, by=SYSTEM, does=(campaign.tell_still_outstanding,),
                   label="Tell the senior manager"),
        Transition("end_chase", "overdue_chase", "review", by=SYSTEM | COORDINATOR,
                   only_if=(campaign.chase_has_ended,), label="End the chase"),
    ]  # fmt: skip


def closing(exceptions: type[BaseModel], only_if: tuple[Guard, ...], checks: tuple[Guard, ...]) -> list[Transition]:
    """At 100 %, or with exceptions that a senior manager lists one by one, or not at all."""
    return [
        Transition("close_100", "reported", "closed_100", by=MANAGER, does=(campaign.close_children,),
                   only_if=(campaign.everyone_is_accounted_for,), outcome="complete", label="Close at 100 %"),
        Transition("close_with_exceptions", "reported", "closed_exception", by=SENIOR, needs=exceptions,
                   only_if=only_if, checks=checks, does=(campaign.note_exceptions, campaign.close_children),
                   outcome="closed_with_exceptions", help="It is never reported as 100 %.", danger=True),
        Transition("cancel", EVERY_OPEN_STATE, "cancelled", by=MANAGER, needs=forms.Because,
                   does=(campaign.cancel_children,), outcome="cancelled", danger=True, label="Cancel the campaign"),
    ]  # fmt: skip

"""A campaign in which every member signs a document, such as the Code of Practice, from the plan to the last signature.

It closes at 100 % only when every member has a signature that counts or an approved exemption; otherwise a senior
manager closes it, when each other member has a monitoring case that is listed as an exception, and it is never called
100 %. A newer version that matters, taking effect meanwhile, begins a new round for everybody; any other is only told.
Suspended members are asked, those whose membership was ended are not.

The numbers are our own where policy/signoff.yaml names no source; a body's terms of membership go before them.
"""

from __future__ import annotations

from typing import Any

from state_machines.escalation import escalations
from state_machines.process import Clock, Process, State, Transition
from state_machines.processes import campaign_rules as campaign
from state_machines.processes import signature_forms as forms
from state_machines.processes import signoff_rules as rules
from state_machines.processes.campaign_moves import closing, running
from state_machines.processes.leaving_out import denominator_moves
from state_machines.processes.signature import PROCESS as SIGNATURE
from state_machines.processes.survey_forms import NewLaunch
from state_machines.values import Role

COORDINATOR = frozenset({Role.COORDINATOR})
MANAGER = frozenset({Role.MANAGER})
SYSTEM = frozenset({Role.SYSTEM})
BEFORE_LIVE = ("planning", "ready")
CHANGEABLE = ("live", "overdue_chase", "review")
LAUNCHED = ("live", "overdue_chase", "review", "reported")

STATES = [
    State("planning", clocks=(Clock("plan", ladder="standard", label="approval of the plan"),)),
    State("ready", clocks=(Clock("launch", ladder="launch", until="launch"),),
          help="The requests go out by themselves at 09:00 on the launch date."),
    State("live", clocks=(Clock("deadline", ladder="live", until="deadline"),)),
    State("overdue_chase", clocks=(Clock("deadline", ladder="chase", until="deadline"),),
          help="The deadline has passed, and not everybody has signed."),
    State("review", clocks=(Clock("settle", ladder="settling", label="check of all signatures"),),
          help="Nobody is left to be reminded; some signatures are still being checked or decided about."),
    State("reported", owner=Role.MANAGER, clocks=(Clock("close", ladder="decision"),), label="Settled, to be closed"),
    State("closed_100", final=True, label="Closed at 100 %"),
    State("closed_exception", final=True, label="Closed with exceptions"),
    State("cancelled", final=True),
]  # fmt: skip

PREPARING = [
    Transition("approve_plan", "planning", "ready", by=MANAGER, needs=forms.PlanApproval,
               only_if=(campaign.ladder_is_known, campaign.deadline_is_ahead, rules.document_is_in_force),
               four_eyes=("open",)),
    Transition("move_launch", "planning", None, by=MANAGER, needs=NewLaunch, checks=(campaign.launch_is_in_order,),
               keeps=("launch",)),
    Transition("move_launch", "ready", None, by=MANAGER, needs=NewLaunch, checks=(campaign.launch_is_in_order,),
               keeps=("launch",), restarts=("launch",)),
]  # fmt: skip

_NEWER: dict[str, Any] = {
    "by": SYSTEM, "needs": forms.NewVersion, "only_if": (rules.a_version_is_left,),
    "label": "A newer version takes effect",
}  # fmt: skip

CHANGING = [
    Transition("new_version", BEFORE_LIVE, None, checks=(rules.is_another_document,),
               does=(rules.take_new_document,), **_NEWER),
    Transition("new_version", LAUNCHED, "live", checks=(rules.is_another_document, rules.is_material),
               restarts=("deadline",), does=(rules.take_new_document, rules.begin_new_round),
               help="It matters: everybody is asked again, and nothing that was signed counts.", **_NEWER),
    Transition("new_version", LAUNCHED, None, checks=(rules.is_another_document,),
               does=(rules.pass_on_edition, rules.take_new_document),
               help="It does not matter: members are told, and what they signed stays.", **_NEWER),
]  # fmt: skip

CLOSING = [
    Transition("all_settled", "review", "reported", by=SYSTEM | COORDINATOR, only_if=(campaign.everyone_is_settled,)),
    *closing(forms.Exceptions, (rules.everyone_else_is_decided,), (rules.each_outstanding_has_a_case,)),
]  # fmt: skip

PROCESS = Process(
    "signoff_campaign",
    version=1,
    prefix="CS",
    title="Sign-off campaign",
    initial="planning",
    states=STATES,
    transitions=[
        *PREPARING, *running(rules.LAUNCH, BEFORE_LIVE), *CHANGING, *denominator_moves(CHANGEABLE),
        *CLOSING, *escalations(),
    ],
    opening=forms.Plan,
    opening_keeps=(
        "title", "document", "document_title", "document_number", "document_languages", "authoritative", "launch",
        "deadline", "population", "ladder", "countersign",
    ),
    facts=("children", "population", "linked"),
    repeats=("new_version",),
    child=SIGNATURE,
    doc=__doc__,
)  # fmt: skip

"""A campaign that asks every member of a population to assess itself, from the plan to the report.

It closes at 100 % only when everybody has completed or has an approved exemption; otherwise a senior manager
closes it with a list of exceptions, and it is never called 100 %. The responses are cases of their own.

Sources: RSPO Annual Communication of Progress (windows of about 45 days; a list of non-submitters is kept);
small cells are left out of what is shared, as is usual in statistical disclosure control.
"""

from __future__ import annotations

from state_machines.escalation import escalations
from state_machines.process import Clock, Process, Send, State, Transition
from state_machines.processes import campaign_rules as campaign
from state_machines.processes import survey_campaign_rules as rules
from state_machines.processes import survey_forms as forms
from state_machines.processes.campaign_moves import closing, running
from state_machines.processes.leaving_out import denominator_moves
from state_machines.processes.survey_response import PROCESS as RESPONSE
from state_machines.values import Role

COORDINATOR = frozenset({Role.COORDINATOR})
MANAGER = frozenset({Role.MANAGER})
SYSTEM = frozenset({Role.SYSTEM})

BUILD = Clock("build", ladder="standard", label="building the questionnaire")
CHANGEABLE = ("live", "overdue_chase", "review")
"""Members can be left out until the report is written: after that its figures stand."""
BEFORE_LIVE = ("planning", "plan_approved", "build", "pilot", "ready")

STATES = [
    State("planning", clocks=(Clock("plan", ladder="standard", label="approval of the plan"),)),
    State("plan_approved", clocks=(BUILD,)),
    State("build", clocks=(BUILD,)),
    State("pilot", owner=Role.MANAGER, clocks=(Clock("pilot", ladder="standard"),)),
    State("ready", clocks=(Clock("launch", ladder="launch", until="launch"),),
          help="The invitations go out by themselves at 09:00 on the launch date."),
    State("live", clocks=(Clock("deadline", ladder="live", until="deadline"),)),
    State("overdue_chase", clocks=(Clock("deadline", ladder="chase", until="deadline"),),
          help="The deadline has passed, and not everybody has answered."),
    State("review", clocks=(Clock("settle", ladder="settling", label="review of all answers"),)),
    State("aggregation", clocks=(Clock("report", ladder="standard"),)),
    State("reported", owner=Role.MANAGER, clocks=(Clock("close", ladder="decision"),)),
    State("closed_100", final=True, label="Closed at 100 %"),
    State("closed_exception", final=True, label="Closed with exceptions"),
    State("cancelled", final=True),
]  # fmt: skip

PREPARING = [
    Transition("approve_plan", "planning", "plan_approved", by=MANAGER, needs=forms.PlanApproval,
               only_if=(campaign.ladder_is_known, campaign.deadline_is_ahead), four_eyes=("open",)),
    Transition("start_build", "plan_approved", "build", by=COORDINATOR, needs=forms.QuestionSet,
               checks=(rules.questions_have_a_version,), keeps=("questionnaire_version",)),
    Transition("start_pilot", "build", "pilot", by=COORDINATOR, needs=forms.Pilot,
               checks=(rules.pilot_is_large_enough,)),
    Transition("return_to_build", "pilot", "build", by=MANAGER, needs=forms.PilotIssues),
    Transition("accept_pilot", "pilot", "ready", by=MANAGER, needs=forms.PilotResult,
               checks=(rules.pilot_went_well,)),
    Transition("skip_pilot", ("plan_approved", "build"), "ready", by=MANAGER, needs=forms.SkippedPilot,
               checks=(rules.questions_have_a_version,), keeps=("questionnaire_version",),
               help="For questions that have been asked before."),
    Transition("move_launch", ("planning", "plan_approved", "build", "pilot"), None, by=MANAGER,
               needs=forms.NewLaunch, checks=(campaign.launch_is_in_order,), keeps=("launch",)),
    Transition("move_launch", "ready", None, by=MANAGER, needs=forms.NewLaunch,
               checks=(campaign.launch_is_in_order,), keeps=("launch",), restarts=("launch",)),
]  # fmt: skip

CLOSING = [
    Transition("all_settled", "review", "aggregation", by=SYSTEM | COORDINATOR,
               only_if=(campaign.everyone_is_settled,)),
    Transition("submit_report", "aggregation", None, by=COORDINATOR, needs=forms.Report,
               does=(rules.note_report,), sends=(Send("campaign_report_ready", "manager"),)),
    Transition("return_report", "aggregation", None, by=MANAGER, needs=forms.Because,
               only_if=(rules.report_is_submitted,), does=(rules.drop_report,),
               sends=(Send("campaign_report_returned", "owner"),)),
    Transition("approve_report", "aggregation", "reported", by=MANAGER, four_eyes=("submit_report",),
               only_if=(rules.report_is_submitted, rules.no_cell_is_too_small)),
    *closing(forms.Exceptions, (campaign.no_answer_is_under_review,), (campaign.each_outstanding_has_an_action,)),
]  # fmt: skip

PROCESS = Process(
    "survey_campaign",
    version=1,
    prefix="SC",
    title="Survey campaign",
    initial="planning",
    states=STATES,
    transitions=[
        *PREPARING, *running(campaign.LAUNCH, BEFORE_LIVE), *denominator_moves(CHANGEABLE), *CLOSING, *escalations(),
    ],
    opening=forms.Plan,
    opening_keeps=(
        "title", "questionnaire", "questionnaire_version", "questionnaire_fingerprint", "launch", "deadline",
        "population", "ladder", "languages",
    ),
    facts=("children", "population"),
    child=RESPONSE,
    doc=__doc__,
)  # fmt: skip

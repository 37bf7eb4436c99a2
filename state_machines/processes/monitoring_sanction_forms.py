"""What people type when a monitoring case is decided, remedied, verified or appealed against."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from state_machines.processes.monitoring_forms import Form, Lines, Statement, lines


class Decision(Form):
    """What every decision says about itself."""

    rationale: Annotated[str, Field(min_length=3, max_length=8000, description="Why this; no names of people")]
    options_considered: Annotated[Lines, Field(min_length=1, description="What else was possible, one per line")]
    policy_clause: Annotated[str, Field(min_length=1, max_length=200, description="The clause it rests on")]
    dissent: Annotated[str, Field(max_length=2000, description="Who saw it differently, and why"), "personal"] = ""
    conflict_declared: Annotated[bool, Field(description="I have a conflict of interest with this member")]
    present: Annotated[Lines, Field(description="Who sat, one per line"), "personal"] = []


class CloseDecision(Decision):
    """No sanction."""

    chosen: Literal["NO_CASE", "ADVISORY"]
    advice: Annotated[str, Field(max_length=4000, description="What the advisory letter says"), "personal"] = ""
    despite_complaint: Annotated[
        str, Field(max_length=2000, description="Why, although a linked complaint is upheld")
    ] = ""


class WarningDecision(Decision):
    """A formal warning."""

    chosen: Literal["warn"] = "warn"
    facts_found: Annotated[
        str,
        Field(min_length=3, max_length=8000, description="The facts found, as the member reads them"),
        "personal",
    ]
    required_action: Annotated[
        str, Field(min_length=3, max_length=4000, description="What the member must do"), "personal"
    ]
    why_not_next_stage: Annotated[
        str, Field(max_length=2000, description="On a repeat within 24 months: why only a warning")
    ] = ""


class Recommendation(Decision):
    """What the manager asks the senior manager to decide."""

    chosen: Literal["suspension", "termination", "warning"]


class SanctionDecision(Decision):
    """A suspension, a notice of termination or a termination."""

    chosen: Literal["suspend", "give_notice", "terminate"]
    grounds: Annotated[
        str,
        Field(min_length=3, max_length=8000, description="The grounds, as the member reads them"),
        "personal",
    ]
    urgent_interim: Annotated[bool, Field(description="Cannot wait until the member is heard")] = False


class PlanAction(Form):
    """One action of a corrective plan."""

    text: Annotated[str, Field(min_length=3, max_length=1000)]
    owner: Annotated[str, Field(min_length=2, max_length=200)]
    due: date
    evidence: Annotated[str, Field(min_length=2, max_length=500)]
    root_cause: Annotated[str, Field(max_length=1000)] = ""


def actions(value: Any) -> Any:
    """Return lines ``action | owner | 2026-05-29 | evidence | root cause`` as actions."""
    names = ("text", "owner", "due", "evidence", "root_cause")
    if not isinstance(value, str):
        return value
    return [dict(zip(names, (part.strip() for part in line.split("|")), strict=False)) for line in lines(value)]


class Plan(Form):
    """The corrective plan: each action has an owner, a date and a kind of evidence."""

    actions: Annotated[
        list[PlanAction], BeforeValidator(actions),
        Field(min_length=1, max_length=50,
              description="One per line: action | owner | date | evidence | root cause"), "personal",
    ]  # fmt: skip


class Evidence(Form):
    """What shows that it is done."""

    evidence: Annotated[Lines, Field(min_length=1, description="One line for each action, in their order"), "personal"]


class Gaps(Form):
    """What is still missing after verification."""

    gaps: Annotated[Lines, Field(min_length=1, description="What is missing, one per line")]
    next_date: Annotated[date, Field(description="When it must be done")]


class GapsWithTime(Gaps):
    """What is missing, and a later end of the time to resolve."""

    until: Annotated[date, Field(description="The new last day to resolve")]
    reason: Annotated[str, Field(min_length=3, max_length=2000)]

    @field_validator("until")
    @classmethod
    def _not_before_the_work(cls, value: date, info: ValidationInfo) -> date:
        if info.data.get("next_date") and value < info.data["next_date"]:
            raise ValueError("must not lie before the date the work must be done")
        return value


class Verification(Form):
    """How it was found that the breach is remedied."""

    method: Annotated[
        Literal["documents", "visit", "third_party", "interview"], Field(description="How it was checked")
    ]
    findings: Annotated[str, Field(min_length=3, max_length=8000, description="What was found"), "personal"]
    split_off: Annotated[str, Field(max_length=500, description="Where open actions of a linked complaint go on")] = ""


class Appeal(Statement):
    """An appeal against a sanction."""

    grounds: Annotated[Literal["procedure", "new_evidence", "proportionality"], Field(description="What it rests on")]


class PanelDecision(Form):
    """What the panel decided."""

    rationale: Annotated[str, Field(min_length=3, max_length=8000, description="Why; the member reads it")]
    panel: Annotated[Lines, Field(min_length=1, description="Who sat, one per line: staff number or name"), "personal"]
    policy_clause: Annotated[str, Field(min_length=1, max_length=200)]
    dissent: Annotated[str, Field(max_length=2000), "personal"] = ""
    conflict_declared: bool


class Variation(PanelDecision):
    """A milder sanction instead."""

    instead: Literal["advisory", "warning", "suspension"]


class Left(Form):
    """How the membership ended."""

    left_on: date | None = None
    reason: Annotated[str, Field(max_length=500)] = ""

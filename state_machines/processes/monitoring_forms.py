"""What people type in a monitoring case. Lists may be typed as lines of text, as web forms give them.

Names and words of people are marked personal: they are kept beside the event and can be erased.
Sources: Better Cotton monitoring protocol (criteria, stages); Admiralty scale (reliability A to F, credibility
1 to 6); SAAS corrective action rules (a major breach is absence or breakdown, a minor one an isolated lapse).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)


class Form(BaseModel):
    """A form that knows its fields and takes no others."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Criterion(StrEnum):
    """What a finding is measured against: six criteria of the code, and three rules of membership."""

    COMMITMENT_CONDUCT = "commitment_conduct"
    BUSINESS_INTEGRITY = "business_integrity"
    DECENT_WORK = "decent_work"
    COMMUNICATION = "communication"
    SOURCING = "sourcing"
    ENVIRONMENTAL = "environmental"
    DEFAULT_LIST = "default_list"
    FEES = "fees"
    SURVEY_SIGNOFF = "survey_signoff"


class Severity(StrEnum):
    """How grave it is. Critical: imminent threat to people, zero tolerance, sanctions, a default list."""

    MINOR = "minor"
    MAJOR = "major"
    HIGH = "high"
    CRITICAL = "critical"


Reliability = Literal["A", "B", "C", "D", "E", "F"]
Credibility = Literal["1", "2", "3", "4", "5", "6"]


def lines(value: Any) -> Any:
    """Return typed text as its lines; a list stays as it is."""
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


Lines = Annotated[list[str], BeforeValidator(lines)]


class Finding(Form):
    """What opens a case. Other processes open one with criterion, source, source date and evidence alone."""

    criterion: Annotated[Criterion, Field(description="The criterion it falls under")]
    severity: Annotated[Severity, Field(description="How grave it looks now; triage settles it")] = (
        Severity.MAJOR
    )
    clause: Annotated[str, Field(max_length=200, description="Clause of the code; triage needs it")] = ""
    reliability: Annotated[
        Reliability, Field(description="Source: A reliable … E unreliable, F cannot be judged")
    ] = "F"
    credibility: Annotated[
        Credibility, Field(description="Information: 1 confirmed … 5 improbable, 6 cannot be judged")
    ] = "6"
    source: Annotated[
        str, Field(min_length=2, max_length=200, description="Kind of source, without names of people")
    ]
    source_date: Annotated[date, Field(description="Date of the source; for fees the date of the invoice")]
    source_url: Annotated[str, Field(max_length=500, description="Address of a public source")] = ""
    allegation: Annotated[str, Field(max_length=8000, description="What is alleged"), "personal"] = ""
    evidence: Annotated[
        str, Field(max_length=4000, description="What there is and where it is kept; no names")
    ] = ""
    no_evidence: Annotated[str, Field(max_length=500, description="Why there is none")] = ""
    profile: Annotated[
        str, Field(max_length=20, description="Rules to follow: empty for ours, RSPO or FLA")
    ] = ""
    source_name: Annotated[
        str, Field(max_length=200, description="Who told us; kept confidential"), "personal"
    ] = ""
    source_email: Annotated[str, Field(max_length=254, description="Where to tell them"), "personal"] = ""
    tell_source: Annotated[bool, Field(description="The source asked to hear when it is concluded")] = False

    @model_validator(mode="after")
    def _evidence_or_why_not(self) -> Finding:
        if not (self.evidence or self.source_url or self.no_evidence or self.allegation):
            raise ValueError("name at least one piece of evidence, or say why there is none")
        return self


class Reason(Form):
    """Why."""

    reason: Annotated[str, Field(min_length=3, max_length=2000, description="Why; no names of people")]


class Dismissal(Reason):
    """Why a finding is not followed up."""

    chosen: Annotated[Literal["OUT_OF_SCOPE", "NO_CASE", "DUPLICATE"], Field(description="How it is closed")]
    policy_clause: Annotated[str, Field(min_length=1, max_length=200, description="The clause this rests on")]
    duplicate_of: Annotated[str, Field(max_length=30, description="Reference of the case it repeats")] = ""
    despite_complaint: Annotated[
        str, Field(max_length=2000, description="Manager: why, although a linked complaint is upheld")
    ] = ""


class Acceptance(Form):
    """What triage settles before a finding is assessed."""

    criterion: Criterion
    clause: Annotated[
        str, Field(min_length=1, max_length=200, description="The clause alleged to be breached")
    ]
    severity: Severity
    reliability: Reliability
    credibility: Credibility
    duplicates_checked: Annotated[
        bool, Field(description="Looked for the same member and criterion in the last 180 days")
    ]


class Rating(Reason):
    """Another severity than triage gave."""

    severity: Severity


class Escalation(Reason):
    """Why the senior manager must decide at once."""

    ground: Annotated[
        Literal["zero_tolerance", "sanctions", "default_list"], Field(description="What kind of finding")
    ]


class Meeting(Form):
    """A meeting that took place."""

    held_on: date
    present: Annotated[Lines, Field(min_length=1, description="Who was there, one per line"), "personal"]
    result: Annotated[str, Field(min_length=3, max_length=4000, description="What was agreed"), "personal"]


class Interim(Reason):
    """A precaution until the decision."""

    measure: Annotated[
        str, Field(min_length=3, max_length=2000, description="What is stopped or required meanwhile")
    ]
    suspend_rights: Annotated[
        bool, Field(description="Benefits, logo and platform access are stopped meanwhile")
    ] = False


class Questions(Form):
    """What the member is asked."""

    questions: Annotated[
        str,
        Field(min_length=5, max_length=8000, description="The questions, as the member reads them"),
        "personal",
    ]
    approved: Annotated[bool, Field(description="The questions are approved")]
    source_redacted: Annotated[bool, Field(description="Nothing in them tells who the source is")]


class MoreDays(Reason):
    """More time to answer."""

    days: Annotated[int, Field(ge=1, le=10, description="Working days more")] = 10


class MoreTime(Reason):
    """A later end of the time to resolve."""

    until: Annotated[date, Field(description="The new last day")]


class Statement(Form):
    """What the member says."""

    statement: Annotated[
        str, Field(min_length=1, max_length=20000, description="In the member's words"), "personal"
    ]


def scores(value: Any) -> Any:
    """Return lines such as ``extent: 2`` as a mapping."""
    if not isinstance(value, str):
        return value
    return {name.strip(): score.strip() for name, _, score in (line.partition(":") for line in lines(value))}


Score = Annotated[int, Field(ge=0, le=3)]


class Assessment(Form):
    """The assessment as the manager gets it."""

    indicators: Annotated[
        dict[str, Score], BeforeValidator(scores), Field(description="Each indicator from 0 to 3")
    ]
    evidence_grade: Annotated[
        Literal["strong", "adequate", "weak"], Field(description="The evidence as a whole")
    ]
    breach_found: Annotated[
        bool, Field(description="The clause was breached, on the balance of probabilities")
    ]
    recommendation: Literal["no_case", "advisory", "warning", "suspension", "termination"]
    summary: Annotated[
        str, Field(min_length=10, max_length=20000, description="Facts, reply, options, risk"), "personal"
    ]


class Decision(Form):
    """What every decision says about itself."""

    rationale: Annotated[
        str, Field(min_length=3, max_length=8000, description="Why this; no names of people")
    ]
    options_considered: Annotated[
        Lines, Field(min_length=1, description="What else was possible, one per line")
    ]
    policy_clause: Annotated[str, Field(min_length=1, max_length=200, description="The clause it rests on")]
    dissent: Annotated[
        str, Field(max_length=2000, description="Who saw it differently, and why"), "personal"
    ] = ""
    conflict_declared: Annotated[bool, Field(description="I have a conflict of interest with this member")]
    present: Annotated[Lines, Field(description="Who sat, one per line"), "personal"] = []


class CloseDecision(Decision):
    """No sanction."""

    chosen: Literal["NO_CASE", "ADVISORY"]
    advice: Annotated[
        str, Field(max_length=4000, description="What the advisory letter says"), "personal"
    ] = ""
    despite_complaint: Annotated[
        str, Field(max_length=2000, description="Why, although a linked complaint is upheld")
    ] = ""


class WarningDecision(Decision):
    """A formal warning."""

    chosen: Literal["warn"] = "warn"
    facts: Annotated[
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
    return [
        dict(zip(names, (part.strip() for part in line.split("|")), strict=False)) for line in lines(value)
    ]


class Plan(Form):
    """The corrective plan: each action has an owner, a date and a kind of evidence."""

    actions: Annotated[
        list[PlanAction], BeforeValidator(actions),
        Field(min_length=1, max_length=50, description="One per line: action | owner | date | evidence | root cause"), "personal",
    ]  # fmt: skip


class PlanRejection(Reason):
    """Why the plan will not do; the member reads it."""

    missing: Annotated[Lines, Field(min_length=1, description="What the next plan must have, one per line")]


class Evidence(Form):
    """What shows that it is done."""

    evidence: Annotated[
        Lines, Field(min_length=1, description="One line for each action, in their order"), "personal"
    ]


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
    split_off: Annotated[
        str, Field(max_length=500, description="Where open actions of a linked complaint go on")
    ] = ""


class Appeal(Statement):
    """An appeal against a sanction."""

    grounds: Annotated[
        Literal["procedure", "new_evidence", "proportionality"], Field(description="What it rests on")
    ]


class PanelDecision(Form):
    """What the panel decided."""

    rationale: Annotated[str, Field(min_length=3, max_length=8000, description="Why; the member reads it")]
    panel: Annotated[
        Lines, Field(min_length=1, description="Who sat, one per line: staff number or name"), "personal"
    ]
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

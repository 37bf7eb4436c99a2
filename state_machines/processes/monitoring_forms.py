"""What people type about a finding. Lists may be typed as lines of text, as web forms give them.

Names and words of people are marked personal: they are kept beside the event and can be erased.
Sources: Better Cotton monitoring protocol (criteria, stages); Admiralty scale (reliability A to F,
credibility 1 to 6); SAAS corrective action rules (a major breach is absence or breakdown, a minor one an
isolated lapse).
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
    severity: Annotated[Severity, Field(description="How grave it looks now; triage settles it")] = Severity.MAJOR
    clause: Annotated[str, Field(max_length=200, description="Clause of the code; triage needs it")] = ""
    reliability: Annotated[Reliability, Field(description="Source: A reliable … E unreliable, F cannot be judged")] = (
        "F"
    )
    credibility: Annotated[
        Credibility, Field(description="Information: 1 confirmed … 5 improbable, 6 cannot be judged")
    ] = "6"
    source: Annotated[str, Field(min_length=2, max_length=200, description="Kind of source, without names of people")]
    source_date: Annotated[date, Field(description="Date of the source; for fees the date of the invoice")]
    source_url: Annotated[str, Field(max_length=500, title="Web address", description="Of a public source")] = ""
    allegation: Annotated[str, Field(max_length=8000, description="What is alleged"), "personal"] = ""
    evidence: Annotated[str, Field(max_length=4000, description="What there is and where it is kept; no names")] = ""
    no_evidence: Annotated[str, Field(max_length=500, title="Why no evidence", description="If there is none yet")] = ""
    profile: Annotated[
        str, Field(max_length=20, title="Rules", description="Rules to follow: empty for ours, RSPO or FLA")
    ] = ""
    source_name: Annotated[
        str, Field(max_length=200, title="Name of the source", description="Kept confidential"), "personal"
    ] = ""
    source_email: Annotated[
        str, Field(max_length=254, title="E-mail of the source", description="Where to tell them"), "personal"
    ] = ""
    tell_source: Annotated[
        bool, Field(title="Tell the source", description="The source asked to hear when it is concluded")
    ] = False

    @model_validator(mode="after")
    def _evidence_or_why_not(self) -> Finding:
        if not (self.evidence or self.source_url or self.no_evidence or self.allegation):
            raise ValueError("name at least one piece of evidence, or say why there is none")
        return self


class Reason(Form):
    """Why."""

    reason: Annotated[str, Field(min_length=3, max_length=2000, description="Why; no names of people")]


class Shortcomings(Reason):
    """Why something comes back, and what it must have."""

    missing: Annotated[Lines, Field(min_length=1, description="What it must have, one per line")]


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
    clause: Annotated[str, Field(min_length=1, max_length=200, description="The clause alleged to be breached")]
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

    ground: Annotated[Literal["zero_tolerance", "sanctions", "default_list"], Field(description="What kind of finding")]


class Meeting(Form):
    """A meeting that took place."""

    held_on: date
    present: Annotated[Lines, Field(min_length=1, description="Who was there, one per line"), "personal"]
    result: Annotated[str, Field(min_length=3, max_length=4000, description="What was agreed"), "personal"]


class Interim(Reason):
    """A precaution until the decision."""

    measure: Annotated[str, Field(min_length=3, max_length=2000, description="What is stopped or required meanwhile")]
    suspend_rights: Annotated[bool, Field(description="Benefits, logo and platform access are stopped meanwhile")] = (
        False
    )


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

    statement: Annotated[str, Field(min_length=1, max_length=20000, description="In the member's words"), "personal"]


def scores(value: Any) -> Any:
    """Return lines such as ``extent: 2`` as a mapping."""
    if not isinstance(value, str):
        return value
    return {name.strip(): score.strip() for name, _, score in (line.partition(":") for line in lines(value))}


Score = Annotated[int, Field(ge=0, le=3)]


class Assessment(Form):
    """The assessment as the manager gets it."""

    indicators: Annotated[dict[str, Score], BeforeValidator(scores), Field(description="Each indicator from 0 to 3")]
    evidence_grade: Annotated[Literal["strong", "adequate", "weak"], Field(description="The evidence as a whole")]
    breach_found: Annotated[bool, Field(description="The clause was breached, on the balance of probabilities")]
    recommendation: Literal["no_case", "advisory", "warning", "suspension", "termination"]
    summary: Annotated[
        str, Field(min_length=10, max_length=20000, description="Facts, reply, options, risk"), "personal"
    ]

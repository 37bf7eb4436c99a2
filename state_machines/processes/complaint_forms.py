"""What is typed at the steps of a complaint. A list may come as data or as text, one item per line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from state_machines.processes.complaint_choices import (
    Cause,
    Channel,
    ComplainantType,
    Criterion,
    Decision,
    Destination,
    Ground,
    Profile,
    Redress,
    Severity,
)

PERSON = r"^staff:\d{1,9}$"


def _lines(read: Callable[[str], Any]) -> BeforeValidator:
    """A list may be typed as text: each line that is not empty is one item."""

    def split(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return [read(line.strip()) for line in value.splitlines() if line.strip()]

    return BeforeValidator(split)


def _before_colon(line: str) -> dict[str, str]:
    decision, _, reasons = line.partition(":")
    return {"decision": decision.strip().lower().replace(" ", "_"), "reasons": reasons.strip()}


def _before_bar(line: str) -> dict[str, str]:
    what, _, due = line.partition("|")
    return {"what": what.strip()} | ({"due_on": due.strip()} if due.strip() else {})


def _commas(value: Any) -> Any:
    return [p.strip() for p in value.split(",") if p.strip()] if isinstance(value, str) else value


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Reason = Annotated[str, Field(min_length=10, max_length=4000, description="Why, as the complainant reads it")]
Long = Annotated[str, Field(min_length=1, max_length=20_000), "personal"]
Person = Annotated[str, Field(pattern=PERSON, description="Somebody of the staff")]
NoPerson = Annotated[
    Annotated[str, Field(pattern=PERSON)] | None, BeforeValidator(_blank_is_none),
    Field(description="Who deals with it; empty: you"),
]  # fmt: skip
NoCriterion = Annotated[
    Criterion | None, BeforeValidator(_blank_is_none),
    Field(description="The criterion of the code that may be breached"),
]  # fmt: skip


class Issue(_Form):
    """One point of the complaint."""

    category: Annotated[str, Field(min_length=1, max_length=120, description="What it is about, without names")]
    sub_category: Annotated[str, Field(max_length=120, description="More exactly")] = ""
    site: Annotated[str, Field(max_length=120, description="The site or department it concerns")] = ""
    happened_on: Annotated[date | None, Field(description="When it happened")] = None


Issues = Annotated[
    list[Issue], _lines(lambda line: {"category": line}),
    Field(min_length=1, max_length=50, description="Every point of the complaint, one per line"),
]  # fmt: skip


class Finding(_Form):
    """The answer to one point."""

    decision: Annotated[Decision, Field(description="What was found")]
    reasons: Annotated[str, Field(min_length=3, max_length=8000, description="Why, and which policy it rests on")]
    root_cause: Annotated[str, Field(max_length=200, description="What caused it, without names")] = ""


Findings = Annotated[
    list[Finding], _lines(_before_colon), "personal",
    Field(min_length=1, max_length=50, description="A finding for each point in order: “upheld: why”"),
]  # fmt: skip


class Remedy(_Form):
    """Something that will be done to put it right."""

    what: Annotated[str, Field(min_length=3, max_length=500, description="What will be done, without names")]
    due_on: Annotated[date | None, Field(description="By when")] = None


Remedies = Annotated[
    list[Remedy], _lines(_before_bar),
    Field(max_length=50, description="Actions still to be done: “what | 2026-05-01”, one per line"),
]  # fmt: skip
Money = Annotated[float, Field(ge=0, le=1_000_000, title="Money (£)", description="Money offered, in pounds")]
Kinds = Annotated[list[Redress], BeforeValidator(_commas), Field(max_length=6, description="How it is put right")]


class Complaint(_Form):
    """What must be known to log a complaint: what it is about. Everything else may come later, or never."""

    category: Annotated[str, Field(max_length=200, description="What it is about, without names")] = ""
    description: Annotated[str, Field(max_length=20_000, description="In the complainant's words"), "personal"] = ""
    channel: Annotated[Channel | None, Field(description="How it came in")] = None
    complainant_name: Annotated[str, Field(max_length=200, description="Empty for somebody anonymous"), "personal"] = ""
    complainant_email: Annotated[str, Field(max_length=254, description="Where answers go"), "personal"] = ""
    complainant_type: Annotated[ComplainantType | None, Field(description="What the complainant is to us")] = None
    about_staff: Annotated[
        list[Person], BeforeValidator(_commas),
        Field(max_length=20, title="Staff it is about",
              description="People of ours whom it names; they are kept away from it"),
    ] = Field(default_factory=list)  # fmt: skip
    profile: Annotated[
        Profile | None, Field(title="Rules", description="Whose rules it follows; empty: those of the policy")
    ] = None
    severity: Annotated[Severity, Field(description="How grave it is")] = Severity.NORMAL
    vulnerable: Annotated[bool, Field(title="Vulnerable person", description="Contact within one working day")] = False
    adjustments: Annotated[str, Field(max_length=2000, description="Reasonable adjustments"), "personal"] = ""
    alleges_breach: Annotated[
        bool, Field(title="Breach alleged", description="It says that a member breaches the code")
    ] = False
    criterion: NoCriterion = None
    desired_outcome: Annotated[str, Field(max_length=2000, description="What would put it right"), "personal"] = ""

    @model_validator(mode="after")
    def _about_something(self) -> Complaint:
        if not self.category and not self.description:
            raise ValueError("Say what the complaint is about: a category, or a description.")
        return self


class Referral(_Form):
    """Why a matter goes elsewhere."""

    destination: Annotated[Destination, Field(description="Where it goes")]
    body: Annotated[str, Field(max_length=200, description="Which team or body, as the complainant reads it")] = ""
    reason: Annotated[str, Field(min_length=3, max_length=4000, description="Why"), "personal"]
    criterion: NoCriterion = None


class Rejection(_Form):
    """Why a complaint is not accepted; the letter adds the right to take it further."""

    ground: Annotated[Ground, Field(description="On which ground")]
    reason: Annotated[Reason, "personal"]


class Acknowledgement(_Form):
    """What the complaint is, as it was understood, and who deals with it."""

    issues: Issues
    understanding: Annotated[Long, Field(description="The complaint as we understand it, for the letter")]
    desired_outcome: Annotated[str, Field(max_length=2000, description="What would put it right"), "personal"] = ""
    handler: NoPerson = None
    adjustments_asked: Annotated[bool, Field(description="We have asked whether adjustments are needed")] = False
    criterion: NoCriterion = None


class EarlyResolution(_Form):
    """How it might be put right at once."""

    complexity: Annotated[str, Field(min_length=3, max_length=500, description="Why it is simple enough, and safe")]
    handler: NoPerson = None


class FixAgreed(_Form):
    """The short written answer when a quick fix was agreed."""

    answer: Annotated[Long, Field(description="What was agreed, as the complainant reads it")]
    complainant_accepts: Annotated[bool, Field(description="The complainant accepts it")] = False
    remedies: Remedies = Field(default_factory=list)
    redress: Kinds = Field(default_factory=list)
    redress_amount: Money = 0.0


class Allocation(_Form):
    """Who investigates, and how."""

    handler: Person
    plan: Annotated[str, Field(max_length=4000, description="Which evidence is needed, and from whom"), "personal"] = ""


class MoreTime(_Form):
    """How much longer it takes and why; the complainant is told, with the ombudsman's details."""

    days: Annotated[int, Field(ge=1, le=60, description="Working days more")]
    reason: Annotated[Reason, "personal"]


class Response(_Form):
    """The answer to every point. The letter adds how to take it further."""

    findings: Findings
    answer: Annotated[Long, Field(description="The letter itself: what was found and what happens now")]
    remedies: Remedies = Field(default_factory=list)
    redress: Kinds = Field(default_factory=list)
    redress_amount: Money = 0.0
    legal_risk: Annotated[bool, Field(description="There is a legal risk: a manager approves it")] = False


class Return(_Form):
    """What must change before it can go out."""

    reason: Annotated[str, Field(min_length=3, max_length=4000, description="What must change"), "personal"]


class Update(_Form):
    """How far it is."""

    message: Annotated[Long, Field(description="The news, as the complainant reads it")]


class Question(_Form):
    """What the complainant is asked for."""

    question: Annotated[Long, Field(description="What we need to know, and why")]


class Note(_Form):
    """Anything worth keeping."""

    note: Annotated[str, Field(max_length=8000), "personal"] = ""


class Reply(_Form):
    """The side of the member whom the complaint is about."""

    reply: Annotated[Long, Field(description="What the member says to it")]


class SecondStage(_Form):
    """The wish for a second look. No reasons are needed."""

    note: Annotated[str, Field(max_length=8000, description="What is still wrong; may stay empty"), "personal"] = ""
    good_cause: Annotated[
        str,
        Field(max_length=2000, description="Only when it comes late: why it is accepted all the same"),
        "personal",
    ] = ""


class Withdrawal(_Form):
    """The complainant takes it back."""

    note: Annotated[str, Field(max_length=4000, description="What was said"), "personal"] = ""
    continue_anyway: Annotated[bool, Field(description="We go on with it on our own initiative")] = False


class Verified(_Form):
    """An action that was done, and how that is known."""

    remedy: Annotated[
        int,
        Field(ge=1, le=50, title="Promised action", description="Its number, in the order they were promised"),
    ]
    evidence: Annotated[str, Field(min_length=3, max_length=2000, description="How we know"), "personal"]


class ExternalReview(_Form):
    """An ombudsman or another body has taken it up."""

    body: Annotated[str, Field(min_length=2, max_length=200, description="Which body")]
    reference: Annotated[str, Field(max_length=100, description="Its reference")] = ""
    due_on: Annotated[date, Field(description="By when it wants our evidence")]


class Evidence(_Form):
    """The evidence has gone to the body."""

    next_look_on: Annotated[date, Field(description="When we ask again if nothing was heard")]
    note: Annotated[str, Field(max_length=4000, description="What was sent"), "personal"] = ""


class ExternalDecision(_Form):
    """What the body decided."""

    decision: Annotated[Decision, Field(description="What it found")]
    summary: Annotated[str, Field(max_length=8000, description="In a few words"), "personal"] = ""
    remedies: Remedies = Field(default_factory=list)


class Reopening(_Form):
    """Where it is taken up again, why, and by whom."""

    stage: Annotated[int, Field(ge=1, le=2, description="The stage that is done again: 1 or 2")]
    cause: Annotated[Cause, Field(description="What brings it back")]
    reason: Annotated[Reason, "personal"]
    handler: NoPerson = None


class Breach(_Form):
    """Which part of the code a member may have breached."""

    criterion: Annotated[Criterion, Field(description="The criterion of the code that may be breached")]


class Walled(_Form):
    """More people whom it turns out to be about."""

    about_staff: Annotated[
        list[Person], BeforeValidator(_commas),
        Field(min_length=1, max_length=20, description="People of ours whom it turns out to be about"),
    ]  # fmt: skip

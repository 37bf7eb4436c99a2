"""What must be typed to move a survey campaign or a response. Personal parts are kept beside the event."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from state_machines.forms import Yes, listed_once


class Form(BaseModel):
    """A form takes no field it does not know."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Reason = Annotated[str, Field(min_length=3, max_length=2000, description="Why; it stays on the record")]
QuestionId = Annotated[str, Field(min_length=1, max_length=80)]


class Because(Form):
    """A step that needs nothing but its reason."""

    reason: Reason


class NewDeadline(Form):
    """More time, and why."""

    until: Annotated[date, Field(description="The new last day for an answer")]
    reason: Reason


# --- the campaign


class Plan(Form):
    """The plan of a campaign, as its YAML file holds it."""

    title: Annotated[str, Field(min_length=3, max_length=200, description="What members read as its name")]
    questionnaire: Annotated[str, Field(min_length=1, max_length=80, description="Name of the questionnaire")]
    questionnaire_version: Annotated[int | None, Field(ge=1, description="Its version, when it is known")] = None
    questionnaire_fingerprint: Annotated[
        str, Field(max_length=128, description="Digest of the questions, by which they are found again")
    ] = ""
    launch: Annotated[date, Field(description="The day the invitations go out, at 09:00")]
    deadline: Annotated[date, Field(description="The last day for an answer")]
    population: Annotated[
        dict[str, Any],
        Field(min_length=1, max_length=20, description="Who is asked, by keys of the register"),
    ]
    ladder: Annotated[str, Field(max_length=40, description="Which ladder of reminders")] = "standard"
    owners: Annotated[list[str], Field(max_length=20, description="Who coordinates")] = Field(default_factory=list)
    risks: Annotated[list[str], Field(max_length=50, description="What may go wrong")] = Field(default_factory=list)
    languages: Annotated[list[str], Field(max_length=30, description="In which it is asked")] = Field(
        default_factory=lambda: ["en"]
    )
    budget: Annotated[str, Field(max_length=200, description="What it may cost")] = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.deadline <= self.launch:
            raise ValueError("the deadline must be after the launch")
        return self


class PlanApproval(Form):
    """A manager has looked at the whole plan."""

    data_protection_checked: Annotated[
        Yes, Field(description="Whether personal data need an impact assessment has been looked at")
    ]
    note: Annotated[str, Field(max_length=2000, description="Remarks")] = ""


class QuestionSet(Form):
    """Which version of the questions is asked; from now on it does not change."""

    questionnaire_version: Annotated[int | None, Field(ge=1, description="Version of the questionnaire")] = None


class SkippedPilot(QuestionSet):
    """Why these questions need no pilot."""

    reason: Reason


class Pilot(Form):
    """Who tries the questionnaire out first."""

    members: Annotated[int, Field(ge=1, description="How many members, from all categories")]
    internal_test_passed: Annotated[Yes, Field(description="Colleagues have filled it in without trouble")]


class PilotResult(Form):
    """What the pilot showed."""

    open_issues: Annotated[int, Field(ge=0, description="Issues that are not solved")]
    median_minutes: Annotated[int, Field(ge=0, le=1000, description="Half of the members took no longer")]


class PilotIssues(Form):
    """What has to be changed before it goes out."""

    issues: Annotated[list[Reason], Field(min_length=1, max_length=50, description="One line for each")]


class NewLaunch(Form):
    """Another launch date."""

    launch: Annotated[date, Field(description="The day the invitations go out, at 09:00")]
    reason: Reason


class LateJoiner(Form):
    """A member who joined after the population was frozen."""

    member: Annotated[str, Field(min_length=1, max_length=80, description="Reference of the member")]
    reason: Reason


class Report(Form):
    """A report that waits for approval."""

    report: Annotated[str, Field(min_length=3, max_length=300, description="Where it is, or its digest")]
    smallest_cell: Annotated[
        int | None,
        Field(ge=0, description="The fewest answers behind any shared figure; empty if none is shared"),
    ] = None


class Outstanding(Form):
    """A member without an answer, and what is done about it."""

    member: Annotated[str, Field(min_length=1, max_length=80, description="Reference of the member")]
    action: Reason


class Exceptions(Form):
    """Everybody whose answer is missing."""

    outstanding: Annotated[list[Outstanding], Field(min_length=1, max_length=5000, description="Each with an action")]
    reason: Reason

    @model_validator(mode="after")
    def _once(self) -> Self:
        listed_once([each.member for each in self.outstanding])
        return self


# --- the response


class Invitation(Form):
    """What a member is asked, and until when."""

    launch: Annotated[date, Field(description="The day the member is invited")]
    deadline: Annotated[date, Field(description="The last day for an answer")]
    questionnaire: Annotated[str, Field(min_length=1, max_length=80)]
    questionnaire_version: Annotated[int | None, Field(ge=1)] = None
    questionnaire_fingerprint: Annotated[str, Field(max_length=128)] = ""
    campaign_title: Annotated[str, Field(min_length=3, max_length=200)]
    ladder: Annotated[str, Field(max_length=40)] = "standard"


class Bounce(Form):
    """Mail that came back for good."""

    status: Annotated[
        str, Field(pattern=r"^5\.\d{1,3}\.\d{1,3}$", description="Delivery status (RFC 3463), such as 5.1.1")
    ]
    address: Annotated[str, Field(max_length=320, description="The address"), "personal"] = ""


class Repaired(Form):
    """How the member can be reached again."""

    note: Annotated[str, Field(max_length=1000, description="What was wrong and who said so"), "personal"] = ""


class RepairedLate(Repaired):
    """The deadline went by while nobody could be reached, so there is a new one."""

    until: Annotated[date, Field(description="The new last day for this member")]
    reason: Annotated[str, Field(max_length=2000)] = "the member could not be reached before"


class Saved(Form):
    """An answer that is not finished."""

    revision: Annotated[int, Field(ge=1, description="Number of the saved version")]
    answered: Annotated[int, Field(ge=0, description="Required questions answered")] = 0
    required: Annotated[int, Field(ge=0, description="Required questions")] = 0


class Flag(Form):
    """One thing the quality review found."""

    rule: Annotated[str, Field(min_length=1, max_length=40)]
    question: QuestionId
    severity: Literal["low", "medium", "high"] = "medium"
    text: Annotated[str, Field(max_length=1000)] = ""

    @property
    def id(self) -> str:
        """What it is called when it is dismissed: ``year_on_year:water_use``."""
        return f"{self.rule}:{self.question}"


Flags = Annotated[list[Flag], Field(max_length=1000, description="What the quality review found"), "personal"]


class Submission(Form):
    """A finished answer, by a named person with authority."""

    revision: Annotated[int, Field(ge=1, description="Number of the version submitted")]
    respondent_name: Annotated[
        str, Field(min_length=2, max_length=200, description="Who answers for the member"), "personal"
    ]
    respondent_role: Annotated[str, Field(max_length=200, description="And in which role"), "personal"] = ""
    declaration: Annotated[Yes, Field(description="I may answer for the organisation, and this is true")]
    missing: Annotated[list[QuestionId], Field(max_length=1000, description="Required questions without an answer")] = (
        Field(default_factory=list)
    )
    flags: Flags = Field(default_factory=list)
    score: Annotated[float | None, Field(ge=0, le=100, description="Risk score")] = None
    band: Annotated[str, Field(max_length=20, description="Risk band")] = ""
    answers_sha256: Annotated[str, Field(max_length=64, description="SHA-256 of the member's copy of the answers")] = ""


class Question(Form):
    """What is asked back about one question."""

    question: QuestionId
    text: Annotated[str, Field(min_length=5, max_length=2000)]


class Query(Form):
    """What the member is asked to clear up, in one letter."""

    questions: Annotated[list[Question], Field(min_length=1, max_length=100)]


class Dismissal(Form):
    """Why a flag does not matter."""

    flag: Annotated[str, Field(min_length=3, max_length=130, description="rule:question")]
    reason: Reason


class Completion(Form):
    """Why each flag that is left does not matter."""

    dismissed: Annotated[list[Dismissal], Field(max_length=1000)] = Field(default_factory=list)


class Caveat(Form):
    """An answer taken as it is."""

    reason: Reason
    excluded: Annotated[
        list[QuestionId],
        Field(min_length=1, max_length=1000, description="Questions left out of every total"),
    ]


class Imputation(Form):
    """Answers changed by staff."""

    revision: Annotated[int, Field(ge=1, description="Number of the version with the change")]
    questions: Annotated[list[QuestionId], Field(min_length=1, max_length=100, description="Which were changed")]
    reason: Reason
    flags: Annotated[Flags | None, Field(description="What the review finds now"), "personal"] = None


class SecondCheck(Form):
    """A second person agrees."""

    agreed: Annotated[Yes, Field(description="I have read the answer and found nothing to ask")]
    note: Annotated[str, Field(max_length=1000)] = ""


class CallOutcome(StrEnum):
    """How a call ended."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong_number"
    PROMISED = "promised"
    REFUSED = "refused"


class Call(Form):
    """A call to the member."""

    attempt: Annotated[int, Field(ge=1, le=20, title="Which call it is")] = 1
    outcome: CallOutcome
    promised_on: Annotated[
        date | None, Field(title="Promised for", description="The day by which the answer was promised")
    ] = None
    note: Annotated[str, Field(max_length=2000, description="Who said what"), "personal"] = ""


class ExemptionReason(StrEnum):
    """The only reasons for which a member need not answer."""

    NEW = "under_12_months"
    SUSPENDED = "suspended"
    MERGED = "merged"
    INSOLVENT = "insolvent"
    FORCE_MAJEURE = "force_majeure"


class ExemptionRequest(Form):
    """Why a member need not answer."""

    exemption: ExemptionReason
    answered_by: Annotated[
        str, Field(max_length=80, description="Merged: reference of the member that answers for both")
    ] = ""
    details: Annotated[str, Field(max_length=2000, description="What happened"), "personal"] = ""

    @model_validator(mode="after")
    def _parent_named(self) -> Self:
        if self.exemption is ExemptionReason.MERGED and not self.answered_by:
            raise ValueError("name the member that answers for both")
        return self


class Refusal(Form):
    """The member says in writing that it will not answer."""

    in_writing: Annotated[Yes, Field(description="It was said in writing")]
    statement: Annotated[str, Field(min_length=3, max_length=4000, description="In the member's words"), "personal"]

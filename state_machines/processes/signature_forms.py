"""What must be typed to move a sign-off campaign or a member's signature. Personal parts are kept beside the event."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from state_machines.forms import Yes, listed_once
from state_machines.processes.survey_forms import Because, Form, NewDeadline, PlanApproval, Reason, Repaired

__all__ = ["Because", "NewDeadline", "PlanApproval", "Repaired"]

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$", max_length=12)]
Languages = Annotated[
    dict[Language, Digest], Field(min_length=1, max_length=40, description="SHA-256 of the text, by language")
]


# --- the campaign


class Document(Form):
    """Which version of the document is signed. Members sign its exact text, by its SHA-256 in each language."""

    document: Annotated[str, Field(min_length=1, max_length=80, description="Reference of the document, CD-…")]
    document_title: Annotated[str, Field(min_length=3, max_length=200, description="What members read as its name")]
    document_number: Annotated[str, Field(min_length=1, max_length=20, description="Number of its version")]
    document_languages: Languages
    authoritative: Annotated[Language, Field(description="The language whose text decides where they differ")]


class Plan(Document):
    """The plan of a sign-off campaign, as its YAML file holds it; the document's texts are looked up."""

    title: Annotated[str, Field(min_length=3, max_length=200, description="What members read as its name")]
    launch: Annotated[date, Field(description="The day the requests go out, at 09:00")]
    deadline: Annotated[date, Field(description="The last day for a signature")]
    population: Annotated[
        dict[str, Any], Field(min_length=1, max_length=20, description="Who is asked, by keys of the register")
    ]
    ladder: Annotated[str, Field(max_length=40, description="Which ladder of reminders")] = "standard"
    countersign: Annotated[bool, Field(description="A manager signs each signature in return")] = False
    owners: Annotated[list[str], Field(max_length=20, description="Who coordinates")] = Field(default_factory=list)
    risks: Annotated[list[str], Field(max_length=50, description="What may go wrong")] = Field(default_factory=list)
    budget: Annotated[str, Field(max_length=200, description="What it may cost")] = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.deadline <= self.launch:
            raise ValueError("the deadline must be after the launch")
        return self


class NewVersion(Document):
    """A newer version of the document has taken effect while signatures are being asked for."""

    material: Annotated[bool, Field(description="Everybody must sign again; otherwise members are only told")] = True
    summary: Annotated[str, Field(max_length=4000, description="What has changed, in members' words")] = ""


class Unsigned(Form):
    """A member whose signature is missing, and the monitoring case in which that is looked at."""

    member: Annotated[str, Field(min_length=1, max_length=80, description="Reference of the member")]
    case: Annotated[str, Field(min_length=3, max_length=40, description="Reference of the monitoring case, MC-…")]
    action: Reason


class Exceptions(Form):
    """Everybody whose signature is missing."""

    outstanding: Annotated[list[Unsigned], Field(min_length=1, max_length=5000, description="Each with a case")]
    reason: Reason

    @model_validator(mode="after")
    def _once(self) -> Self:
        listed_once([each.member for each in self.outstanding])
        return self


# --- the signature


class Request(Document):
    """What a member is asked to sign, and until when."""

    launch: Annotated[date, Field(description="The day the member is asked")]
    deadline: Annotated[date, Field(description="The last day for a signature")]
    campaign_title: Annotated[str, Field(min_length=3, max_length=200)]
    ladder: Annotated[str, Field(max_length=40)] = "standard"
    round: Annotated[int, Field(ge=1, description="1 for the first version asked for, 2 for the next …")] = 1
    countersign: bool = False
    summary: Annotated[str, Field(max_length=4000, description="What has changed since the version before")] = ""


class Viewing(Form):
    """The text was opened."""

    language: Annotated[str, Field(max_length=12, description="In this language")] = ""


class Signature(Form):
    """A signature: who, for whom, under which exact text, meant as one, and by which means it was made."""

    document_sha256: Annotated[Digest, Field(description="SHA-256 of the text that was shown")]
    language: Annotated[Language, Field(description="The language that was shown")]
    name: Annotated[str, Field(min_length=2, max_length=200, description="Who signs"), "personal"]
    position: Annotated[str, Field(min_length=2, max_length=200, description="And in which position"), "personal"]
    legal_name: Annotated[str, Field(min_length=2, max_length=300, description="Legal name of the organisation")]
    intent: Annotated[Yes, Field(description="I mean this as the signature of the organisation")]
    consent: Annotated[str, Field(min_length=10, max_length=2000, description="The sentence that was agreed to")]
    method: Annotated[str, Field(max_length=80, description="How the signer was identified")] = "personal link"
    role_fits: Annotated[
        bool, Field(title="On file as signatory", description="The signer is on file as somebody who may sign")
    ] = False
    domain_fits: Annotated[
        bool, Field(title="Address of the member", description="The signer's address belongs to the member")
    ] = False
    contact_id: Annotated[int | None, Field(ge=1, description="The contact who signed, where it is one")] = None
    address: Annotated[str, Field(max_length=100, description="Network address"), "personal"] = ""
    browser: Annotated[str, Field(max_length=500, description="Browser"), "personal"] = ""


class Reserved(Signature):
    """A signature with a reservation: it counts only once that is accepted."""

    reservation: Annotated[str, Field(min_length=5, max_length=4000, description="In the member's words")]


class Refusal(Form):
    """The member says that it will not sign."""

    statement: Annotated[str, Field(min_length=3, max_length=4000, description="In the member's words"), "personal"]
    name: Annotated[str, Field(min_length=2, max_length=200, description="Who says so"), "personal"]


class AskedAgainLate(Because):
    """Why the member is asked again, and until when: the deadline it had has passed."""

    until: Annotated[date, Field(description="The new last day for this member")]


class Bounce(Form):
    """Mail that came back for good."""

    status: Annotated[
        str, Field(pattern=r"^5\.\d{1,3}\.\d{1,3}$", description="Delivery status (RFC 3463), such as 5.1.1")
    ]
    address: Annotated[str, Field(max_length=320, description="The address"), "personal"] = ""


class RepairedLate(Repaired):
    """The deadline went by while nobody could be reached, so there is a new one."""

    until: Annotated[date, Field(description="The new last day for this member")]
    reason: Annotated[str, Field(max_length=2000)] = "the member could not be reached before"


class ExemptionReason(StrEnum):
    """The only reasons for which a member need not sign; a suspension is none."""

    MERGED = "merged"
    INSOLVENT = "insolvent"
    LEAVING = "leaving"
    FORCE_MAJEURE = "force_majeure"


class ExemptionRequest(Form):
    """Why a member need not sign."""

    exemption: ExemptionReason
    answered_by: Annotated[
        str, Field(max_length=80, description="Merged: reference of the member that signs for both")
    ] = ""
    details: Annotated[str, Field(max_length=2000, description="What happened"), "personal"] = ""

    @model_validator(mode="after")
    def _parent_named(self) -> Self:
        if self.exemption is ExemptionReason.MERGED and not self.answered_by:
            raise ValueError("name the member that signs for both")
        return self

"""What must be typed to reach a member: who is the right person, a promise, a call, a letter, proof of silence."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from state_machines.processes.survey_forms import Because, Call, CallOutcome, Form

ContactId = Annotated[int | None, Field(ge=1, lt=2**63, description="Which of the member's contacts")]


class NotMe(Form):
    """A contact says: I am not the right person."""

    contact: ContactId = None
    name: Annotated[str, Field(max_length=200, description="Who is, if you know"), "personal"] = ""
    position: Annotated[str, Field(max_length=200, description="What they do"), "personal"] = ""
    email: Annotated[str, Field(max_length=254, description="Their e-mail address"), "personal"] = ""
    phone: Annotated[str, Field(max_length=60, description="Their telephone number"), "personal"] = ""


class ContactLost(Form):
    """A contact that mail does not reach any more, while another one is there."""

    contact: ContactId = None
    status: Annotated[str, Field(max_length=40, description="Delivery status, such as 5.1.1, or: left")] = ""


class ChosenContact(Form):
    """Whom to write to from now on."""

    contact: Annotated[int, Field(ge=1, lt=2**63, description="Which of the member's contacts")]


class Promise(Form):
    """The day by which the member will answer."""

    promised_on: Annotated[date, Field(description="I will answer by")]


class PostedLetter(Form):
    """A letter that went out by post, or a notice that was put up."""

    posted_on: Annotated[date, Field(description="The day it was posted")]
    address: Annotated[str, Field(min_length=5, max_length=500, description="Where it went"), "personal"]
    tracking: Annotated[str, Field(max_length=80, description="Number of the proof of posting, if there is one")] = ""
    note: Annotated[str, Field(max_length=1000, description="What it said, or what came of it"), "personal"] = ""


class Unreachable(Because):
    """Why nobody at the member can be reached."""


__all__ = [
    "Because",
    "Call",
    "CallOutcome",
    "ChosenContact",
    "ContactLost",
    "NotMe",
    "PostedLetter",
    "Promise",
    "Unreachable",
]

"""Members as the API tells of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from web.api.bodies import PARTIAL, DayGiven, Instant, Sent, Told, about

Kind = Literal["organisation", "person"]
Status = Literal["prospect", "active", "suspended", "leaving", "left", "terminated", "merged"]
ContactRole = Literal["primary", "deputy", "signatory", "executive", "payer", "other"]
ContactStatus = Literal["ok", "bounced", "left"]


class MemberLine(Told):
    """A member of the register."""

    ref: Annotated[str, about("The reference: who it is for ever.", "M-000012")]
    version: Annotated[int, about("Grows with each change; see If-Match.", 3)]
    external_ref: Annotated[str | None, about("Your own number for it.", "4711")]
    kind: Annotated[Kind, about("What it is.", "organisation")]
    name: Annotated[str, about("The name.", "Acme Leisure Ltd")]
    status: Annotated[Status, about("Where it stands.", "active")]
    tier: Annotated[str | None, about("The tier of the membership.", "Premier")]
    category: Annotated[str | None, about("The category of the membership.", "Retailer")]
    country: Annotated[str | None, about("The country.", "GB")]
    region: Annotated[str | None, about("The region.", "North")]
    site: Annotated[str | None, about("The site it belongs to.", "Leeds")]
    team: Annotated[str | None, about("The team that looks after it.", "North")]
    website: Annotated[str | None, about("The website.", "https://acme.example")]
    language: Annotated[str, about("In which it is written to.", "en")]
    joined_on: Annotated[date | None, about("When it joined.", "2019-04-01")]
    left_on: Annotated[date | None, about("When it left, or leaves.", "2026-03-31")]
    flags: Annotated[list[str], about("What is to be heeded.", ["VULNERABLE"])]


class ContactOne(Told):
    """A person or mailbox of a member."""

    id: Annotated[int, about("Its number.", 5)]
    position: Annotated[int, about("Lower positions are written to first.", 1)]
    name: Annotated[str, about("The name; may be empty.", "Ann Lee")]
    email: Annotated[str | None, about("The address.", "ann@members.example")]
    phone: Annotated[str | None, about("The telephone number.", "+44 113 496 0000")]
    role: Annotated[ContactRole, about("What they are to the member.", "primary")]
    language: Annotated[str | None, about("In which they are written to, if not the member's.", "cy")]
    status: Annotated[ContactStatus, about("Whether mail reaches them.", "ok")]
    bounced_at: Annotated[Instant | None, about("When mail to them came back.")]
    bounce_reason: Annotated[str | None, about("Why it came back.", "5.1.1 no such user")]


class MemberOne(MemberLine):
    """A member with its contacts."""

    contacts: Annotated[list[ContactOne], about("Who is written to, in order.")]


class _Entry(Sent):
    external_ref: Annotated[str | None, about("Your own number for it.", "4711", max_length=100)] = None
    tier: Annotated[str | None, about("The tier of the membership.", "Premier", max_length=200)] = None
    category: Annotated[str | None, about("The category of the membership.", "Retailer", max_length=200)] = None
    country: Annotated[str | None, about("The country.", "GB", max_length=200)] = None
    region: Annotated[str | None, about("The region.", "North", max_length=200)] = None
    site: Annotated[str | None, about("The site it belongs to.", "Leeds", max_length=200)] = None
    team: Annotated[str | None, about("The team that looks after it.", "North", max_length=200)] = None
    website: Annotated[str | None, about("The website.", "https://acme.example", max_length=2000)] = None
    joined_on: Annotated[DayGiven | None, about("When it joined.", "2019-04-01")] = None
    left_on: Annotated[DayGiven | None, about("When it left, or leaves.", "2026-03-31")] = None


class NewContact(Sent):
    """A contact to be added. It needs a name, an address or a telephone number."""

    name: Annotated[str | None, about("The name.", "Ann Lee", max_length=300)] = None
    email: Annotated[str | None, about("The address.", "ann@members.example", max_length=254)] = None
    phone: Annotated[str | None, about("The telephone number.", "+44 113 496 0000", max_length=50)] = None
    role: Annotated[ContactRole, about("What they are to the member.", "primary")] = "other"
    language: Annotated[str | None, about("In which they are written to.", "cy", max_length=10)] = None


class ContactChanges(Sent):
    """What is to change on a contact; what is left out stays. A new address is taken to work."""

    model_config = PARTIAL

    name: Annotated[str | None, about("The name; null erases it.", "Ann Lee", max_length=300)] = None
    email: Annotated[str | None, about("The address; null erases it.", "ann@members.example", max_length=254)] = None
    phone: Annotated[str | None, about("The number; null erases it.", "+44 113 496 0000", max_length=50)] = None
    role: Annotated[ContactRole, about("What they are to the member.", "primary")] = "other"
    language: Annotated[str | None, about("In which they are written to.", "cy", max_length=10)] = None


class NewMember(_Entry):
    """A member to be added to the register."""

    name: Annotated[str, about("The name.", "Acme Leisure Ltd", min_length=1, max_length=300)]
    kind: Annotated[Kind, about("What it is.", "organisation")] = "organisation"
    status: Annotated[Status, about("Where it stands.", "active")] = "active"
    language: Annotated[str, about("In which it is written to.", "en", max_length=10)] = "en"
    flags: Annotated[list[str], about("What is to be heeded.", ["VULNERABLE"], max_length=20)] = []
    contacts: Annotated[list[NewContact], about("Who is written to, in order.", max_length=20)] = []


class MemberChanges(_Entry):
    """What is to change on a member: what is left out stays, null erases."""

    model_config = PARTIAL

    name: Annotated[str, about("The name.", "Acme Leisure Ltd", min_length=1, max_length=300)] = ""
    kind: Annotated[Kind, about("What it is.", "organisation")] = "organisation"
    status: Annotated[Status, about("Where it stands; only a case suspends or terminates.", "active")] = "active"
    language: Annotated[str, about("In which it is written to.", "en", max_length=10)] = "en"
    add_flags: Annotated[list[str], about("Flags to be set.", ["VULNERABLE"], max_length=20)] = []
    remove_flags: Annotated[list[str], about("Flags to be taken off.", ["NO_OFFERS"], max_length=20)] = []

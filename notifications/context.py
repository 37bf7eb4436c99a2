"""What a template sees, as listed in docs/writing-a-process.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from notifications.kind import Purpose
from notifications.values import CaseView, ClockView, QueuedMessage, Recipient
from state_machines.calendars import Calendar
from state_machines.policy import OrganisationPolicy


@dataclass(frozen=True, slots=True)
class CaseText:
    """The case, for templates."""

    ref: str
    subject: str
    title: str
    state: str
    data: Mapping[str, Any]
    opened_on: date | None
    received_on: date | None


@dataclass(frozen=True, slots=True)
class MemberText:
    """The member, for templates."""

    name: str
    ref: str


@dataclass(frozen=True, slots=True)
class Ombudsman:
    """Whom a complainant may turn to."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class OrganisationText:
    """Who writes, for templates."""

    name: str
    signature: str
    phone: str
    ombudsman: Ombudsman


@dataclass(frozen=True, slots=True)
class MailContext:
    """Everything a template may use."""

    recipient: Recipient
    organisation: OrganisationText
    link: str
    why: str
    case: CaseText | None = None
    member: MemberText | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    clock: ClockView | None = None
    deadline: datetime | None = None
    unsubscribe: str | None = None
    zone_name: str = "Europe/London"

    def variables(self) -> dict[str, Any]:
        """Return the names a template knows."""
        names = (
            "recipient", "organisation", "link", "why", "case", "member", "payload", "data", "clock", "deadline",
            "unsubscribe",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def organisation_text(policy: OrganisationPolicy) -> OrganisationText:
    """Return the organisation as templates see it."""
    ombudsman = Ombudsman(policy.ombudsman.get("name", ""), policy.ombudsman.get("address", ""))
    return OrganisationText(policy.name, policy.signature, policy.phone, ombudsman)


def case_text(view: CaseView, calendar: Calendar) -> CaseText:
    """Return the case as templates see it."""
    opened, received = (calendar.local_date(at) if at else None for at in (view.opened_at, view.received_at))
    label = view.state_label or view.state.replace("_", " ")
    title = view.title or view.process.replace("_", " ").capitalize()
    return CaseText(view.ref, view.subject or title, title, label, view.data, opened, received)


def context_for(
    message: QueuedMessage,
    view: CaseView | None,
    recipient: Recipient,
    organisation: OrganisationText,
    calendar: Calendar,
    *,
    payload: Mapping[str, Any],
    link: str,
    unsubscribe: str | None = None,
) -> MailContext:
    """Return what the templates of one message see."""
    return MailContext(
        recipient=recipient,
        organisation=organisation,
        link=link,
        why=why(message.purpose, view, recipient, organisation),
        case=case_text(view, calendar) if view else None,
        member=MemberText(view.member_name, view.member_ref) if view and view.member_id is not None else None,
        payload=payload,
        data=message.data,
        clock=view.clocks.get(message.clock) if view and message.clock else None,
        deadline=view.deadline if view else None,
        unsubscribe=unsubscribe,
        zone_name=calendar.zone_name,
    )


def why(purpose: str, view: CaseView | None, recipient: Recipient, organisation: OrganisationText) -> str:
    """Return the sentence at the foot that says why somebody receives this."""
    about = f" (reference {view.ref})" if view else ""
    if recipient.staff_id is not None:
        return f"You receive this because you work on cases at {organisation.name}{about}."
    if purpose == Purpose.MARKETING:
        return f"You receive this because you agreed to hear about offers of {organisation.name}."
    if recipient.contact_id is not None and view and view.member_name and view.member_name != recipient.name:
        return f"You receive this because {organisation.name} has you as a contact of {view.member_name}{about}."
    if recipient.contact_id is not None:
        return f"You receive this because of your membership of {organisation.name}{about}."
    return f"You receive this because your address was given to {organisation.name} in this matter{about}."

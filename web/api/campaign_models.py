"""Campaigns as the API tells of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from cases.campaigning.nudging import MOST
from web.api.bodies import Instant, MemberName, Sent, Told, about


class CampaignLineTold(Told):
    """A campaign, as lists show it."""

    ref: Annotated[str, about("The reference.", "SC-2026-000001")]
    title: Annotated[str, about("What it is called.", "Annual survey 2026")]
    kind: Annotated[str, about("What it asks: survey or signoff.", "survey")]
    state: Annotated[str, about("Where it stands.", "live")]
    state_title: Annotated[str, about("The state as people say it.", "Live")]
    open: Annotated[bool, about("Whether it has not ended.", True)]
    launched: Annotated[bool, about("Whether members have been asked.", True)]
    launch: Annotated[date | None, about("The day of the invitations.", "2026-03-02")]
    deadline: Annotated[date | None, about("The day by which answers are due.", "2026-03-31")]
    eligible: Annotated[int, about("How many members are asked.", 120)]
    responded: Annotated[int, about("How many have answered.", 83)]
    accounted: Annotated[int, about("How many have answered, are exempt, or were decided about.", 86)]
    is_100: Annotated[bool, about("Whether everybody is complete or exempt by approval.", False)]
    next_step: Annotated[str, about("What is to be done next.", "Members answer; reminders go out by themselves")]
    overdue: Annotated[bool, about("Whether a deadline of the campaign has passed.", False)]


class Progress(Told):
    """How far a campaign is."""

    eligible: Annotated[int, about("Members who are asked; before the launch: whom the rule takes in today.", 120)]
    responded: Annotated[int, about("Members whose answer is in.", 83)]
    complete: Annotated[int, about("Members whose answer is in and reviewed.", 60)]
    in_review: Annotated[int, about("Members whose answer is in and not complete yet.", 23)]
    exempt: Annotated[int, about("Members with an approved exemption.", 2)]
    unanswered: Annotated[int, about("Members of whom it was decided that no answer comes.", 1)]
    unreachable: Annotated[int, about("Members whom no mail reaches at the moment.", 3)]
    not_reached: Annotated[int, about("Members of whom it was decided that they cannot be reached.", 1)]
    left_out: Annotated[int, about("Members who do not count any more, by a decision.", 0)]
    cancelled: Annotated[int, about("Members who are asked no longer.", 0)]
    outstanding: Annotated[int, about("Members who can be reached and have not answered.", 31)]
    accounted: Annotated[int, about("Members who have answered, are exempt, or were decided about.", 86)]
    excluded: Annotated[int, about("Members left out when the population was frozen.", 14)]
    is_100: Annotated[bool, about("Whether everybody is complete or exempt by approval.", False)]
    response_rate: Annotated[float | None, about("Answers by those asked and not exempt, from 0 to 1.", 0.7034)]
    accounted_rate: Annotated[float | None, about("Accounted for by eligible, from 0 to 1.", 0.7167)]
    by_state: Annotated[dict[str, int], about("Members by the state of their response.", {"complete": 60})]
    whole: Annotated[bool, about("Whether these are the numbers of all teams, not only of yours.", True)]


class CampaignOne(Told):
    """A campaign and how far it is."""

    ref: Annotated[str, about("The reference; it is a case too.", "SC-2026-000001")]
    kind: Annotated[str, about("What it asks: survey or signoff.", "survey")]
    version: Annotated[int, about("Grows with each change.", 4)]
    title: Annotated[str, about("What it is called.", "Annual survey 2026")]
    state: Annotated[str, about("Where it stands.", "live")]
    state_title: Annotated[str, about("The state as people say it.", "Live")]
    open: Annotated[bool, about("Whether it has not ended.", True)]
    owner: Annotated[str | None, about("Who looks after it.", "Amara")]
    launch: Annotated[date, about("The day of the invitations.", "2026-03-02")]
    deadline: Annotated[date, about("The day by which answers are due.", "2026-03-31")]
    questionnaire: Annotated[str, about("What is asked: questions, or a document to sign.", "annual-report, version 1")]
    population: Annotated[dict[str, Any], about("The rule of who is asked.", {"status": "active"})]
    next_step: Annotated[str, about("What is to be done next.", "Members answer; reminders go out by themselves")]
    progress: Annotated[Progress, about("How far it is.")]


class ContactName(Told):
    """Who is written to."""

    id: Annotated[int, about("The number of the contact.", 5)]
    name: Annotated[str, about("The name; may be empty.", "Ann Lee")]
    email: Annotated[str | None, about("The address.", "ann@members.example")]


class ResponseLine(Told):
    """A member of a campaign and their response, which is a case of its own."""

    ref: Annotated[str, about("The reference of the response.", "SR-2026-000012")]
    version: Annotated[int, about("Grows with each change.", 3)]
    member: Annotated[MemberName, about("The member.")]
    state: Annotated[str, about("Where the response stands.", "invited")]
    state_title: Annotated[str, about("The state as people say it.", "Invited")]
    final: Annotated[bool, about("Whether nothing more is expected.", False)]
    team: Annotated[str | None, about("The team that looks after the member.", "North")]
    tier: Annotated[str | None, about("The tier of the member.", "Premier")]
    owner: Annotated[str | None, about("Who looks after the response.", "Amara")]
    deadline: Annotated[date | None, about("The day by which the answer is due.", "2026-03-31")]
    late: Annotated[bool, about("Whether that day has passed without an answer.", False)]
    contact: Annotated[ContactName | None, about("Who is written to now; null when nobody can be.")]
    last: Annotated[Instant | None, about("When a message last left.")]
    next: Annotated[Instant | None, about("When the next one leaves if nothing happens.")]
    reminders: Annotated[int, about("How many reminders there were.", 1)]
    calls: Annotated[int, about("How many telephone calls there were.", 0)]
    promised_on: Annotated[date | None, about("The day by which they promised to answer.", "2026-03-20")]
    risks: Annotated[list[str], about("Why they may not answer in time.", ["No answer after two reminders"])]


class Nudge(Sent):
    """Who is to be reminded."""

    responses: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=40)]],
        about("The references of their responses.", ["SR-2026-000012"], min_length=1, max_length=MOST),
    ]
    insist: Annotated[bool, about("Also those who were written to yesterday.", False, strict=True)] = False


class Reminded(Told):
    """A member who was reminded."""

    ref: Annotated[str, about("The reference of the response.", "SR-2026-000012")]
    member: Annotated[str, about("The member.", "Acme Leisure Ltd")]
    to: Annotated[str, about("Whom the message goes to.", "Ann Lee <ann@members.example>")]


class LeftInPeace(Told):
    """A member who was not reminded."""

    ref: Annotated[str, about("The reference of the response.", "SR-2026-000013")]
    member: Annotated[str, about("The member.", "Bright Baths")]
    why: Annotated[str, about("Why not.", "No reminder is due: complete.")]


class NudgeDone(Told):
    """Who was reminded and who was not."""

    reminded: Annotated[list[Reminded], about("To whom a reminder goes.")]
    left_in_peace: Annotated[list[LeftInPeace], about("To whom none goes, and why.")]
    leaves_at: Annotated[Instant | None, about("When the messages leave, where it is not at once.")]

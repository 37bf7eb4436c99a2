"""What happens next to a case, as the API tells of it."""

from __future__ import annotations

from typing import Annotated, Literal

from state_machines.values import Role
from web.api.bodies import Instant, Told, about


class MailReader(Told):
    """Who gets a message."""

    name: Annotated[str, about("Their name, or their address where none is known.", "Amara")]
    email: Annotated[str, about("Their address.", "amara@example.org")]
    instead_of: Annotated[str | None, about("The owner who is away on that day.", "Bo")]


class MailAhead(Told):
    """A message that will be asked for, and what will become of it."""

    kind: Annotated[str, about("Which kind of message.", "case_due_soon")]
    title: Annotated[str, about("The kind as people say it.", "Time is running out")]
    audience: Annotated[str, about("Whom it is for.", "owner")]
    outcome: Annotated[Literal["sent", "not_sent", "waits"], about("What will become of it.", "sent")]
    at: Annotated[Instant, about("When it leaves, or when it is decided that it does not.")]
    to: Annotated[MailReader | None, about("Who gets it.")]
    why: Annotated[str, about("Why it does not leave, or leaves later.", "it is outside office hours")]


class DutyAhead(Told):
    """A task that will be opened."""

    kind: Annotated[str, about("Which kind of task.", "phone")]
    title: Annotated[str, about("What is to be done.", "Call the complainant")]
    role: Annotated[Role, about("Whose task it is.", "coordinator")]
    due: Annotated[Instant, about("By when.")]
    who: Annotated[str, about("Who has it on that day.", "Amara")]


class BesideAhead(Told):
    """What will happen to other cases because of it."""

    what: Annotated[Literal["opens", "opens_for_members", "moves"], about("What it is.", "opens")]
    process: Annotated[str, about("What kind of case is opened.", "Complaint")]
    subject: Annotated[str, about("What the new case is about, or what is done to the others.", "Cold pool")]
    where: Annotated[str, about("Which cases.", "every member of the population")]


class DecisionAhead(Told):
    """A decision that will wait for somebody."""

    role: Annotated[Role, about("Whose decision it is.", "manager")]
    titles: Annotated[list[str], about("What can be decided.", ["Approve"])]
    people: Annotated[list[str], about("Some of those who may.", ["Mina"])]
    more: Annotated[int, about("How many more may.", 0)]


class NextOne(Told):
    """One thing that Muster will do by itself."""

    at: Annotated[Instant, about("When.")]
    kind: Annotated[Literal["transition", "passed_over", "not_fired"], about("Done, or why not.", "transition")]
    by: Annotated[Literal["clock", "state", "mail", "case"], about("Because of what.", "clock")]
    clock: Annotated[str, about("Because of which clock.", "acknowledge")]
    rung: Annotated[str, about("Which rung of it.", "due_soon")]
    trigger: Annotated[str, about("What it does.", "due_soon")]
    title: Annotated[str, about("The same as people say it.", "Due soon")]
    state: Annotated[str, about("In which state the case is then.", "received")]
    state_title: Annotated[str, about("The state as people say it.", "Received")]
    final: Annotated[bool, about("Whether the case has ended.", False)]
    why: Annotated[str, about("Of what is not done: why.", "")]
    cause: Annotated[str | None, about("The case that moves it.", "SC-2026-000001")]
    owner: Annotated[str | None, about("Who owns the case from then on.", "Amara")]
    acting: Annotated[str | None, about("Who acts for the owner on that day.", "Bo")]
    rhythm: Annotated[str, about("How it repeats; its repeats are not listed.", "every 5 working days")]
    messages: Annotated[list[MailAhead], about("The mail it asks for.")]
    tasks: Annotated[list[DutyAhead], about("The tasks it opens.")]
    beside: Annotated[list[BesideAhead], about("What it does to other cases.")]
    decisions: Annotated[list[DecisionAhead], about("The decisions that wait from then on.")]


class WhatComes(Told):
    """What happens to a case until it ends, if nobody acts."""

    ref: Annotated[str, about("The case.", "CO-2026-000042")]
    state: Annotated[str, about("Where it stands, as people say it.", "Received")]
    as_at: Annotated[Instant, about("From which instant it is told.")]
    items: Annotated[list[NextOne], about("What happens, the soonest first.")]
    waiting: Annotated[list[MailAhead], about("Mail that waits already.")]
    ends: Annotated[
        Literal["closed", "final", "repeats", "rests", "horizon", "endless", "long"],
        about("Why the list ends.", "repeats"),
    ]
    ending: Annotated[str, about("The same in a sentence.", "It goes on like that until somebody acts.")]
    assumed: Annotated[list[str], about("What is taken to stay as it is.", ["Absences are taken as recorded now."])]

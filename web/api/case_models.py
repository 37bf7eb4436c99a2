"""Cases as the API tells of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict

from state_machines.values import Role
from web.api.bodies import Instant, InstantGiven, MemberName, ProcessName, Sent, StaffName, Told, about


class CaseLine(Told):
    """A case, as lists show it."""

    ref: Annotated[str, about("The reference: who it is for ever.", "CO-2026-000042")]
    version: Annotated[int, about("Grows with each change; see If-Match.", 7)]
    process: Annotated[ProcessName, about("Which kind of case it is.", "complaint")]
    state: Annotated[str, about("Where it stands; a state of the process.", "received")]
    state_title: Annotated[str, about("The state as people say it.", "Received")]
    subject: Annotated[str, about("What it is about, in a line.", "Cold pool")]
    member: Annotated[MemberName | None, about("Whom it is about.")]
    team: Annotated[str | None, about("The team it belongs to.", "North")]
    owner: Annotated[StaffName | None, about("Who looks after it by rights.")]
    acting: Annotated[str | None, about("Who acts today when the owner is away.", "Bo")]
    received: Annotated[Instant, about("When it came in.")]
    deadline: Annotated[Instant | None, about("The soonest instant that a clock of it is due.")]
    overdue: Annotated[bool, about("Whether it is open and its deadline has passed.", False)]
    closed: Annotated[Instant | None, about("When it ended.")]
    outcome: Annotated[str | None, about("How it ended.", "upheld")]
    on_hold: Annotated[bool, about("Whether its clocks stand still.", False)]
    parked: Annotated[bool, about("Whether Muster gave up on it until somebody looks.", False)]
    restricted: Annotated[bool, about("Whether only named people may see it.", False)]


class Clock(Told):
    """A clock that runs on a case."""

    name: Annotated[str, about("Its name in the process.", "acknowledge")]
    title: Annotated[str, about("What people call it.", "acknowledge")]
    started: Annotated[Instant, about("From when it counts.")]
    due: Annotated[Instant, about("When it is due.")]
    next: Annotated[Instant | None, about("When Muster acts next because of it; null while it stands still.")]
    paused: Annotated[bool, about("Whether it stands still.", False)]
    extensions: Annotated[int, about("How often it was given more time.", 0)]


class Expected(Told):
    """Something that Muster will do by itself if nobody acts."""

    at: Annotated[Instant, about("When.")]
    clock: Annotated[str, about("Because of which clock.", "acknowledge")]
    trigger: Annotated[str, about("What it does.", "escalate")]
    state: Annotated[str, about("In which state the case is then.", "received")]
    messages: Annotated[list[str], about("Which kinds of message are sent.", ["complaint_overdue"])]


class Task(Told):
    """Something a person must do by hand."""

    kind: Annotated[str, about("Which kind of task.", "phone")]
    title: Annotated[str, about("What is to be done.", "Call the complainant")]
    role: Annotated[Role, about("Whose task it is.", "coordinator")]
    due: Annotated[Instant, about("By when.")]
    closed: Annotated[Instant | None, about("When it was done or no longer needed.")]


class Linked(Told):
    """Another case that has to do with this one."""

    ref: Annotated[str, about("Its reference.", "MC-2026-000041")]
    type: Annotated[str, about("What they have to do with each other.", "spawned_from")]
    direction: Annotated[Literal["to", "from"], about("Whether the link goes to that case or comes from it.", "from")]
    process: Annotated[ProcessName, about("Which kind of case that is.", "monitoring")]
    state: Annotated[str, about("Where that case stands.", "closed")]
    subject: Annotated[str, about("What that case is about.", "Licence not shown")]


class CaseOne(CaseLine):
    """A case, with what is known of it and what will happen next."""

    owner_role: Annotated[Role, about("The role that owns a case in this state.", "coordinator")]
    opened: Annotated[Instant, about("When it was opened here.")]
    external_ref: Annotated[str | None, about("Its reference in the system it was imported from.", "4711")]
    data: Annotated[dict[str, Any], about("What is known of it, by the fields of its forms.", {"category": "service"})]
    clocks: Annotated[list[Clock], about("The clocks that run.")]
    expected: Annotated[list[Expected], about("What happens if nobody acts, in order.")]
    tasks: Annotated[list[Task], about("What people must do, and have done, by hand.")]
    links: Annotated[list[Linked], about("Cases that have to do with it, as far as you may see them.")]


class Event(Told):
    """Something that happened to a case. Events are never changed."""

    seq: Annotated[int, about("Its number on this case, from 1.", 3)]
    at: Annotated[Instant, about("When it happened.")]
    kind: Annotated[str, about("opened, transition, note, assigned, evidence, …", "transition")]
    title: Annotated[str, about("What happened, as people say it.", "Acknowledge")]
    trigger: Annotated[str, about("What was done.", "acknowledge")]
    source: Annotated[str | None, about("The state before.", "received")]
    target: Annotated[str, about("The state after.", "stage_1")]
    actor: Annotated[str, about("Who did it, as the record names them.", "staff:3")]
    by: Annotated[str, about("Who did it, by name.", "Amara")]
    role: Annotated[str, about("As what.", "coordinator")]
    on_behalf_of: Annotated[str | None, about("For whom they stood in.", "Bo")]
    details: Annotated[dict[str, Any], about("What was given with it.", {})]
    personal: Annotated[dict[str, Any], about("What of it is personal, until it is erased.", {"text": "Called"})]


class ChoiceOne(Told):
    """A transition that is meant for your roles in the state the case is in."""

    trigger: Annotated[str, about("What to POST to `/transitions/…`.", "acknowledge")]
    title: Annotated[str, about("What the button says.", "Acknowledge")]
    help: Annotated[str, about("What it does, where the title does not say.", "")]
    target: Annotated[str | None, about("The state it leads to; null where the state stays.", "stage_1")]
    allowed: Annotated[bool, about("Whether you may do it now.", True)]
    why_not: Annotated[str | None, about("The sentence of the rule that stands in the way.", "The case is on hold.")]
    danger: Annotated[bool, about("Whether it cannot be taken back easily.", False)]
    payload: Annotated[
        dict[str, Any] | None,
        about("The JSON Schema of `payload`; null where nothing is asked.", {"type": "object", "properties": {}}),
    ]


class Choices(Told):
    """What you may do with a case."""

    ref: Annotated[str, about("The case.", "CO-2026-000042")]
    version: Annotated[int, about("The version this holds for.", 7)]
    state: Annotated[str, about("The state this holds for.", "received")]
    items: Annotated[list[ChoiceOne], about("The transitions, in the order of the process.")]


class Moved(Told):
    """Where a case stands after what was done."""

    ref: Annotated[str, about("The case.", "CO-2026-000042")]
    process: Annotated[ProcessName, about("Which kind of case it is.", "complaint")]
    state: Annotated[str, about("Where it stands now.", "stage_1")]
    state_title: Annotated[str, about("The state as people say it.", "Stage 1")]
    before: Annotated[str | None, about("Where it stood; null when it was just opened.", "received")]
    version: Annotated[int, about("The version this made.", 8)]
    deadline: Annotated[Instant | None, about("The soonest instant that a clock of it is due.")]
    final: Annotated[bool, about("Whether the case has ended.", False)]


class NewCase(Sent):
    """A case to be opened."""

    process: Annotated[ProcessName, about("Which kind of case; `/processes` tells what each asks for.", "complaint")]
    subject: Annotated[str, about("What it is about, in a line.", "Cold pool", min_length=1, max_length=300)]
    member: Annotated[
        str | None, about("Whom it is about: the member's reference.", "M-000001", max_length=100)
    ] = None  # fmt: skip
    payload: Annotated[
        dict[str, Any], about("What the opening form of the process asks for.", {"category": "service"})
    ] = {}  # fmt: skip
    received: Annotated[InstantGiven | None, about("When it came in, if not now.")] = None
    external_ref: Annotated[
        str | None,
        about("Your own number for it. There is one case of a process for each.", "4711", min_length=1, max_length=100),
    ] = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [
            {"process": "complaint", "subject": "Cold pool", "payload": {"category": "service", "channel": "phone"}}
        ]},
    )  # fmt: skip


class Transit(Sent):
    """What is given with a transition."""

    payload: Annotated[
        dict[str, Any], about("What the transition asks for; `choices` has its JSON Schema.", {"reason": "By phone"})
    ] = {}  # fmt: skip
    note: Annotated[str | None, about("A note kept with it.", "She is content.", max_length=20_000)] = None


class NewNote(Sent):
    """A note to be written on a case."""

    text: Annotated[str, about("What to write down.", "Called, no answer.", min_length=1, max_length=20_000)]


class Assignment(Sent):
    """To whom a case is given."""

    to: Annotated[str, about("The e-mail address of the new owner.", "bo@example.org", min_length=3, max_length=254)]


class EvidenceOne(Told):
    """A file that supports a case."""

    sha256: Annotated[str, about("The digest of its content, and its name in addresses.", "9f86d081884c7d65" * 4)]
    name: Annotated[str, about("What it was called.", "letter.pdf")]
    media_type: Annotated[str, about("What it is, read from its content.", "application/pdf")]
    size: Annotated[int, about("Its size in bytes.", 48213)]
    added: Annotated[Instant, about("When it was added.")]
    by: Annotated[str, about("Who added it, as the record names them.", "staff:3")]

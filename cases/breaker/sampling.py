"""What the letters would say that are held back: a few of them, each as it would leave now. Personal links are never
shown, nor letters about what few people may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from cases import facts as case_facts
from cases.breaker.weighing import would
from cases.delivering import case_views, payloads
from cases.environment import World
from cases.locking import COLUMNS, locked_of
from cases.tables import CaseRow
from config.database import Connection
from notifications import catalogue, links
from notifications.deciding import Setting, foreseen
from notifications.rendering import RenderingFailed, render
from notifications.values import CaseView, ClockView, QueuedMessage
from state_machines.registry import process_named
from state_machines.values import Message, Outcome

SAMPLES = 3


@dataclass(frozen=True)
class Sample:
    """A letter as it would leave."""

    ref: str
    kind: str
    title: str
    to: str
    subject: str
    text: str


def samples_of(conn: Connection, ids: Sequence[int], here: World) -> list[Sample]:
    """Return letters that these cases would send, of each kind one, three at the most; not of restricted cases."""
    wanted = select(*COLUMNS).where(
        CaseRow.id.in_(list(ids)), CaseRow.restricted_to.is_(None), CaseRow.walled_off.is_(None)
    )
    cases = [locked_of(row).case for row in conn.execute(wanted.order_by(CaseRow.id))]
    gathered = case_facts.gather(conn, cases, now=here.now)
    found: dict[str, tuple[Outcome, Message]] = {}
    for each in cases:
        outcome = would(process_named(each.process), each, here.context(gathered[each.id]), here.now)
        if outcome is not None:
            for message in (m for step in outcome.steps for m in step.messages):
                found.setdefault(message.kind, (outcome, message))
    samples = (_sample(conn, outcome, message, here) for outcome, message in list(found.values())[:SAMPLES])
    return [each for each in samples if each is not None]


def _sample(conn: Connection, outcome: Outcome, message: Message, here: World) -> Sample | None:
    """The letter as its first reader would get it; None where nobody could, or it needs what is not there yet."""
    kind, case, env = catalogue.kind(message.kind), outcome.after, here.env
    queued = QueuedMessage(
        0, "sample", message.kind, message.audience, kind.purpose.value, case.id, data=dict(message.data)
    )

    def afterwards(conn: Connection, ids: Sequence[int]) -> Mapping[int, CaseView]:
        return {number: _after(view, outcome) for number, view in case_views(conn, ids).items()}

    _, ready = foreseen(conn, queued, Setting(env.settings, env.policy, env.calendar, afterwards, payloads, here.now))
    if ready is None:
        return None
    try:
        letter = render(message.kind, ready.context, ready.recipient.language)
    except RenderingFailed:
        return None
    reader = ready.recipient.name or ready.recipient.email
    subject, text = links.without_keys(letter.subject), links.without_keys(letter.text)
    return Sample(case.ref, message.kind, kind.title, reader, subject, text)


def _after(view: CaseView, outcome: Outcome) -> CaseView:
    """The case as its mail would see it when all of it has happened."""
    case, process = outcome.after, process_named(outcome.after.process)
    state = process.state(case.state)
    titles = {name: clock.title for name in case.clocks if (clock := process.clock_of(case.state, name)) is not None}
    clocks = {name: ClockView(name, titles.get(name, name), running.due) for name, running in case.clocks.items()}
    return replace(
        view, state=case.state, state_label=state.title, final=state.final, data=case.data, parties=case.parties,
        clocks=clocks, deadline=outcome.deadline,
    )  # fmt: skip

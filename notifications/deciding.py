"""Deciding about a batch of claimed messages with a handful of statements, and writing the decisions down in sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from config.database import Connection
from config.settings import Settings
from members import store as members
from notifications import beside, catalogue, ledger, links
from notifications.context import MailContext, context_for, organisation_text
from notifications.eligibility import Facts, Hold, Rules, Send, Suppress, Verdict, judge
from notifications.kind import Purpose
from notifications.recipients import People, is_for_member, is_for_outsider, resolve
from notifications.values import CaseView, QueuedMessage, Recipient
from notifications.windows import NeverOpens, start_of
from state_machines.calendars import Calendar
from state_machines.policy import Policy

LoadCases = Callable[[Connection, Sequence[int]], Mapping[int, CaseView]]
LoadPayloads = Callable[[Connection, Sequence[tuple[int, int]]], Mapping[tuple[int, int], Mapping[str, Any]]]


class Tell(Protocol):
    """Lets cases hear of addresses, in the transaction that writes it down: a crash must not keep it from them."""

    def unreachable(self, conn: Connection, case_ids: Collection[int]) -> None:
        """The members of these cases have no address left."""

    def address_died(self, conn: Connection, message: QueuedMessage) -> None:
        """The address this message went to does not exist; there may be others."""


class _Nobody:
    """For deliveries of messages that are about no case."""

    def unreachable(self, conn: Connection, case_ids: Collection[int]) -> None:
        """Tell nobody."""

    def address_died(self, conn: Connection, message: QueuedMessage) -> None:
        """Tell nobody."""


@dataclass(frozen=True)
class Setting:
    """What a delivery works with."""

    settings: Settings
    policy: Policy
    calendar: Calendar
    load_cases: LoadCases
    load_payloads: LoadPayloads
    now: datetime
    tell: Tell = field(default_factory=_Nobody)


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that goes out now."""

    message: QueuedMessage
    recipient: Recipient
    context: MailContext


@dataclass
class Decided:
    """What was decided about a batch; everything but `ready` and `unreachable` is written down already."""

    ready: list[Ready] = field(default_factory=list)
    suppressed: dict[int, str] = field(default_factory=dict)
    held: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    unreachable: dict[int, str] = field(default_factory=dict)
    """Messages that end because there is no address left; that and `unusable` are told in one stroke."""
    unusable: list[int] = field(default_factory=list)
    """The cases of these messages."""


def decide(conn: Connection, messages: Sequence[QueuedMessage], setting: Setting) -> Decided:
    """Decide about every message, write down what is not sent now and whom the others go to."""
    decided = Decided()
    if not messages:
        return decided
    views = setting.load_cases(conn, sorted({m.case_id for m in messages if m.case_id is not None}))
    to: dict[int, Send] = {}
    for message, verdict in _verdicts(conn, messages, views, setting):
        _note(decided, to, message, verdict)
    sending = [m for m in messages if m.id in to]
    _write_down(conn, decided, sending, to, setting.now)
    contexts = _contexts(conn, sending, to, views, setting)
    decided.ready = [Ready(m, to[m.id].recipient, contexts[m.id]) for m in sending]
    return decided


def foreseen(conn: Connection, message: QueuedMessage, setting: Setting) -> tuple[Verdict | str, Ready | None]:
    """Return what would be decided about a message now, and what its first reader would get; nothing is written.

    There is no reader where nobody could receive it.
    """
    views = setting.load_cases(conn, [message.case_id] if message.case_id is not None else [])
    [(_, verdict)] = _verdicts(conn, [message], views, setting)
    if isinstance(verdict, Send):
        to = verdict
    else:
        readers = resolve(message, views.get(message.case_id or 0), _people(conn, [message], views, setting))
        if not readers:
            return verdict, None
        to = Send(readers[0])
    context = _contexts(conn, [message], {message.id: to}, views, setting)[message.id]
    return verdict, Ready(message, to.recipient, context)


def _verdicts(
    conn: Connection, messages: Sequence[QueuedMessage], views: Mapping[int, CaseView], setting: Setting
) -> list[tuple[QueuedMessage, Verdict | str]]:
    """Return the verdict on each message, or the sentence that says why there is none."""
    people = _people(conn, messages, views, setting)
    recipients = {m.id: resolve(m, views.get(m.case_id or 0), people) for m in messages}
    facts = _facts(conn, messages, recipients, setting)
    rules = Rules(setting.policy.mail, setting.calendar, setting.now)
    return [(m, _verdict(m, views.get(m.case_id or 0), recipients[m.id], facts, rules)) for m in messages]


def _verdict(
    message: QueuedMessage, view: CaseView | None, recipients: Sequence[Recipient], facts: Facts, rules: Rules
) -> Verdict | str:
    if message.attempts >= rules.policy.attempts:
        return f"gave up after {message.attempts} attempts: deliveries ended in the middle of it"
    try:
        return judge(message, view, catalogue.kind(message.kind), recipients, facts, rules)
    except (LookupError, NeverOpens) as error:
        return str(error)


def _people(
    conn: Connection, messages: Sequence[QueuedMessage], views: Mapping[int, CaseView], setting: Setting
) -> People:
    wanted = set()
    for message in messages:
        if is_for_member(message.audience):
            view = views.get(message.case_id or 0)
            wanted |= {message.member_id, view.member_id if view else None}
    contacts = members.contacts_of(conn, sorted(one for one in wanted if one is not None))
    return People(members.staffing(conn), contacts, setting.calendar.local_date(setting.now))


def _facts(
    conn: Connection,
    messages: Sequence[QueuedMessage],
    recipients: Mapping[int, Sequence[Recipient]],
    setting: Setting,
) -> Facts:
    addresses = {to.address for found in recipients.values() for to in found}
    midnight = start_of(setting.calendar.local_date(setting.now), setting.calendar)
    outside, notices = beside.sent_since(conn, addresses, messages, midnight)
    return Facts(beside.newest_by_clock(conn, messages), beside.received(conn, messages), outside, notices)


def _note(decided: Decided, to: dict[int, Send], message: QueuedMessage, verdict: Verdict | str) -> None:
    match verdict:
        case Send():
            to[message.id] = verdict
        case Hold():
            decided.held[message.id] = (verdict.until, verdict.reason)
        case Suppress(repair=True) if message.case_id is not None:
            decided.unreachable[message.id] = verdict.reason
            if message.case_id not in decided.unusable:
                decided.unusable.append(message.case_id)
        case Suppress():
            decided.suppressed[message.id] = verdict.reason
        case _:
            decided.failed[message.id] = verdict


def _write_down(
    conn: Connection, decided: Decided, sending: Sequence[QueuedMessage], to: Mapping[int, Send], now: datetime
) -> None:
    ledger.record_suppressed(conn, decided.suppressed, now=now)
    ledger.record_held(conn, decided.held)
    ledger.record_failed(conn, decided.failed, now=now)
    ledger.record_addressed(conn, [(m, to[m.id].recipient, _is_one_of_many(m, to[m.id])) for m in sending])
    ledger.record_copies(conn, [(m, other) for m in sending for other in to[m.id].others])


def _is_one_of_many(message: QueuedMessage, verdict: Send) -> bool:
    """Whether others get a copy: then this one stays with its person, whoever holds the role at the next attempt."""
    return bool(verdict.others) or message.staff_id is not None


def _contexts(
    conn: Connection,
    sending: Sequence[QueuedMessage],
    to: Mapping[int, Send],
    views: Mapping[int, CaseView],
    setting: Setting,
) -> dict[int, MailContext]:
    """Return what the templates of each message see."""
    events = sorted({(m.case_id, m.event_seq) for m in sending if m.case_id is not None and m.event_seq is not None})
    payloads = setting.load_payloads(conn, events) if events else {}
    epochs = links.epochs(conn, {m.case_id for m in sending if m.case_id is not None})
    organisation = organisation_text(setting.policy.organisation)
    found = {}
    for message in sending:
        view, epoch = views.get(message.case_id or 0), epochs.get(message.case_id or 0, 0)
        found[message.id] = context_for(
            message,
            view,
            to[message.id].recipient,
            organisation,
            setting.calendar,
            payload=payloads.get((message.case_id or 0, message.event_seq or 0), {}),
            link=_link(message, view, epoch, setting.settings),
            unsubscribe=_unsubscribe(message, epoch, setting.settings),
        )
    return found


def _link(message: QueuedMessage, view: CaseView | None, epoch: int, settings: Settings) -> str:
    """Return the personal link of somebody outside, and the desk for staff."""
    if view is None or not is_for_outsider(message.audience):
        return links.desk_url(settings.base_url, view.ref if view else None)
    purpose = links.MEMBER if is_for_member(message.audience) else message.audience
    token = links.make(settings.secret_key.get_secret_value(), purpose, view.case_id, epoch)
    return links.url(settings.base_url, token, purpose)


def _unsubscribe(message: QueuedMessage, epoch: int, settings: Settings) -> str | None:
    if message.purpose != Purpose.MARKETING or message.case_id is None:
        return None
    token = links.make(settings.secret_key.get_secret_value(), links.UNSUBSCRIBE, message.case_id, epoch)
    return links.url(settings.base_url, token, links.UNSUBSCRIBE)

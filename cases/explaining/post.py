"""The mail of a case run ahead: each message asked the questions of delivery at the moment it would be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from cases.delivering import view_of
from cases.environment import World
from cases.locking import Locked
from cases.rows import clocks_to_json
from cases.writing import Change, messages_of
from members.cards import Contact
from members.staffing import Staffing
from notifications import catalogue
from notifications.eligibility import Facts, Hold, Rules, Send, Suppress, judge, side
from notifications.recipients import People, resolve
from notifications.tables import QUEUED, SENDING, SENT
from notifications.values import CaseView, QueuedMessage, Recipient
from notifications.windows import NeverOpens

SENT_, NOT_SENT, WAITS = "sent", "not sent", "waits"


@dataclass(frozen=True, slots=True)
class Posted:
    """What becomes of one message: to whom it goes and when, or why it does not."""

    kind: str
    audience: str
    asked_at: datetime
    state: str
    """``sent``, ``not sent`` or ``waits``."""
    at: datetime
    """When it leaves, or when it is decided that it does not."""
    to: Recipient | None
    why: str
    """Why it is not sent, or why it left later than it was asked for."""


@dataclass
class _Waiting:
    message: QueuedMessage
    asked_at: datetime
    not_before: datetime
    held: str = ""


@dataclass
class Post:
    """Messages of one case that wait, and what became of the others."""

    member: Mapping[str, Any]
    """The member as guards see it."""
    contacts: Mapping[int, Sequence[Contact]]
    done: dict[int, list[Posted]] = field(default_factory=dict)
    """By the number of the event that asked."""
    unusable: bool = False
    _waiting: list[_Waiting] = field(default_factory=list)
    _newest: dict[tuple[int, str, str], int] = field(default_factory=dict)
    _received: set[tuple[int, int, str, str]] = field(default_factory=set)
    _counts: Counter[tuple[date, bool, str]] = field(default_factory=Counter)
    _number: int = 1 << 40
    _changes: dict[str, Any] = field(default_factory=dict)

    def begin(self, rows: Sequence[Any]) -> None:
        """Know what the outbox holds of the case already."""
        for row in rows:
            known = row.event_seq is not None and row.state in (QUEUED, SENDING, SENT)
            if known and row.clock:
                self._note_newest(row.case_id, row.clock, row.audience, row.event_seq)
            if known and row.to_email and row.state in (SENDING, SENT):
                self._received.add((row.case_id, row.event_seq, row.kind, row.to_email.strip().lower()))
            if row.state in (QUEUED, SENDING):
                message = QueuedMessage(
                    row.id, row.key, row.kind, row.audience, row.purpose, row.case_id, row.event_seq, row.data,
                    row.clock, row.member_id, row.attempts, row.staff_id,
                )  # fmt: skip
                self._waiting.append(_Waiting(message, row.created_at, row.not_before))

    def take(self, change: Change) -> None:
        """Take the messages a change asks for."""
        for new in messages_of([change]):
            self._number += 1
            message = QueuedMessage(
                self._number, new.key, new.kind, new.audience, catalogue.kind(new.kind).purpose.value, new.case_id,
                new.event_seq, new.data, new.clock, new.member_id,
            )  # fmt: skip
            at = new.not_before or change.outcome.steps[0].at
            self._waiting.append(_Waiting(message, at, at))
            if new.clock and new.case_id is not None and new.event_seq is not None:
                self._note_newest(new.case_id, new.clock, new.audience, new.event_seq)
        for step in change.outcome.steps:
            self._changes.update(step.member_changes)

    def _note_newest(self, case_id: int, clock: str, audience: str, seq: int) -> None:
        key = (case_id, clock, side(audience))
        self._newest[key] = max(seq, self._newest.get(key, 0))

    def next_at(self) -> datetime | None:
        """Return when something that waits is looked at next, or None."""
        return min((waiting.not_before for waiting in self._waiting), default=None)

    def deliver(self, here: World, locked: Locked) -> None:
        """Decide about everything that is due now; copies for others are decided in a round of their own."""
        view = self.view(locked)
        while due := [w for w in self._waiting if w.not_before <= here.now]:
            facts = self._facts(here)
            for waiting in sorted(due, key=lambda w: (w.not_before, w.message.id)):
                self._waiting.remove(waiting)
                self._decide(waiting, view, facts, here)

    def _facts(self, here: World) -> Facts:
        today = here.env.calendar.local_date(here.now)
        counts = [((inside, address), n) for (day, inside, address), n in self._counts.items() if day == today]
        outside = Counter({address: n for (inside, address), n in counts if not inside})
        notices = Counter({address: n for (inside, address), n in counts if inside})
        return Facts(self._newest, set(self._received), outside, notices)

    def _decide(self, waiting: _Waiting, view: CaseView, facts: Facts, here: World) -> None:
        message, rules = waiting.message, Rules(here.env.policy.mail, here.env.calendar, here.now)
        people = People(here.staffing, self.contacts, here.env.calendar.local_date(here.now))
        try:
            verdict = judge(message, view, catalogue.kind(message.kind), resolve(message, view, people), facts, rules)
        except (LookupError, NeverOpens) as never:
            self._end(waiting, NOT_SENT, here, None, str(never))
            return
        match verdict:
            case Send():
                self._send(waiting, verdict, here)
            case Hold():
                self._waiting.append(replace(waiting, not_before=verdict.until, held=verdict.reason))
            case Suppress():
                self.unusable = self.unusable or verdict.repair
                self._end(waiting, NOT_SENT, here, None, verdict.reason)

    def _send(self, waiting: _Waiting, verdict: Send, here: World) -> None:
        message, to = waiting.message, verdict.recipient
        if message.case_id is not None and message.event_seq is not None:
            self._received.add((message.case_id, message.event_seq, message.kind, to.address))
        self._counts[here.env.calendar.local_date(here.now), message.purpose == "internal", to.address] += 1
        self._end(waiting, SENT_, here, to, waiting.held)
        for other in verdict.others:
            self._number += 1
            copy = replace(
                message, id=self._number, key=f"{message.key}~staff:{other.staff_id}", staff_id=other.staff_id
            )
            self._waiting.append(replace(waiting, message=copy, not_before=here.now))

    def _end(self, waiting: _Waiting, state: str, here: World, to: Recipient | None, why: str) -> None:
        message = waiting.message
        told = Posted(message.kind, message.audience, waiting.asked_at, state, here.now, to, why)
        self.done.setdefault(message.event_seq or 0, []).append(told)

    def give_up(self) -> None:
        """Write down what still waits when the run ends."""
        for waiting in self._waiting:
            message = waiting.message
            told = Posted(message.kind, message.audience, waiting.asked_at, WAITS, waiting.not_before, None,
                          waiting.held)  # fmt: skip
            self.done.setdefault(message.event_seq or 0, []).append(told)
        self._waiting.clear()

    def view(self, locked: Locked) -> CaseView:
        """Return the case as its mail sees it at this moment of the run."""
        case = locked.case
        due = [clock.due for clock in case.clocks.values() if not clock.paused]
        flags = {*self.member.get("flags", ()), *self._changes.get("add_flags", ())}
        return view_of(SimpleNamespace(
            id=case.id, ref=case.ref, process=case.process, state=case.state, clocks=clocks_to_json(case.clocks),
            subject=case.subject, on_hold=case.on_hold, team=case.team, owner_id=locked.owner_id,
            owner_role=locked.owner_role, restricted_to=locked.row.restricted_to, walled_off=locked.walled_off,
            opened_at=case.opened_at, received_at=case.received_at, deadline_at=min(due, default=None), data=case.data,
            parties=case.parties, member_id=case.member_id, member_name=self.member.get("name"),
            member_ref=self.member.get("ref"), member_status=self._changes.get("status", self.member.get("status")),
            member_language=self.member.get("language"), member_flags=flags,
        ))  # fmt: skip


def for_whom(audience: str, to: Recipient, owner_id: int | None, staffing: Staffing) -> str | None:
    """Return the name of the owner in whose place somebody gets a message, or None."""
    owner = staffing.get(owner_id) if owner_id is not None else None
    away = audience == "owner" and owner is not None and to.staff_id not in (None, owner.id)
    return owner.name if away and owner is not None else None

"""Sending what is due: claim a batch, decide again about each message, send, and write down what became of it.

Deciding takes turns between deliveries (an advisory lock, milliseconds a batch); sending goes on side by side, outside
any transaction. Decisions older than a few seconds are made again for what is left of a batch, so that a slow server
lets no message out to somebody who has answered meanwhile. A crash between the server's yes and our note of it sends
again what was not written down, `WINDOW` messages at most and with a server that takes its time one, when their leases
have run out and with the same Message-ID; nothing else is ever sent twice.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from threading import Event

from config.clock import monotonic
from config.database import Engine, transaction
from config.settings import Settings
from members import store as members
from notifications import address_tags, ledger
from notifications.deciding import Decided, LoadCases, LoadPayloads, Ready, Setting, Tell, decide
from notifications.ledger import HandedOver
from notifications.refusals import NeverDeliverable, ServerGone, TransportError
from notifications.rendering import Rendered, render
from notifications.retries import GiveUp, after_failure
from notifications.sealing import opened, to_keep
from notifications.transport import Mail, Transport, domain_of, message_id_for
from notifications.values import DeliveryReport, Refusal
from state_machines.calendars import Calendar
from state_machines.policy import Policy

__all__ = ["DeliveryReport", "deliver_due"]

log = logging.getLogger(__name__)

BATCH = 200
"""So many messages are decided about at once."""
FRESH_SECONDS = 5.0
"""How long a decision is good for."""
WINDOW = 20
"""How many messages a crash of one delivery repeats at most: the server took them, and they are not written down yet.

A disk needs milliseconds to make a note safe, a quick server none to take a message (docs/decisions/0017).
"""
WINDOW_SECONDS = 0.02
"""After so many seconds of handing over what was taken is written down, however little it is.

A server that needs as long for one message has each of them written down before the next: there the window is one.
"""


def deliver_due(
    engine: Engine,
    *,
    settings: Settings,
    policy: Policy,
    calendar: Calendar,
    load_cases: LoadCases,
    load_payloads: LoadPayloads,
    now: datetime,
    transport: Transport,
    batch: int = BATCH,
    budget_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
    broken: Event | None = None,
    tell: Tell | None = None,
) -> DeliveryReport:
    """Send every message that is due at `now` (the organisation's clock), and return what was done.

    Ends when nothing is due, when `budget_seconds` are over, when the mail server is gone, or when `broken` is set
    because a delivery beside this one failed. `progress` is called with the number of messages settled so far; `tell`
    lets cases hear of addresses that do not work. Any number of deliveries may run at once.
    """
    setting = Setting(settings, policy, calendar, load_cases, load_payloads, now, *([tell] if tell else []))
    ends = None if budget_seconds is None else monotonic() + budget_seconds
    run = _Run(engine, setting, transport, ends, progress, broken or Event())
    while run.goes_on() and run.batch(batch):
        pass
    return run.report


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@dataclass
class _Left:
    """What is left of a batch, and until when its decisions are fresh."""

    ready: list[Ready]
    fresh_until: float

    def ids(self) -> list[int]:
        return [one.message.id for one in self.ready]


@dataclass
class _Run:
    """One delivery and how far it has come."""

    engine: Engine
    setting: Setting
    transport: Transport
    ends: float | None
    progress: Callable[[int], None] | None
    broken: Event
    worker: str = field(default_factory=_worker)
    report: DeliveryReport = field(default_factory=DeliveryReport)
    settled: int = 0
    taken: list[HandedOver] = field(default_factory=list)
    """What the server took and is not written down yet."""
    window: int = WINDOW
    window_ends: float = 0.0

    @cached_property
    def domain(self) -> str:
        """The domain our mail comes from."""
        return domain_of(self.setting.settings)

    @property
    def lease(self) -> timedelta:
        return timedelta(minutes=self.setting.policy.mail.lease_minutes)

    def goes_on(self) -> bool:
        """Whether there is time and a server left."""
        ended = self.report.stopped is not None or self.broken.is_set()
        return not ended and (self.ends is None or monotonic() < self.ends)

    def batch(self, limit: int) -> bool:
        """Claim and settle one batch; return whether there was one."""
        with transaction(self.engine) as conn:
            ledger.take_turn(conn)
            claimed = ledger.claim(conn, self.worker, limit=limit, lease=self.lease, now=self.setting.now)
            decided = decide(conn, claimed, self.setting)
        # Where a delivery died before, one after the other: it then shows which message deliveries die of.
        self.window = 1 if any(message.attempts for message in claimed) else WINDOW
        self._tell(decided)
        left = self._counted(decided)
        try:
            while left.ready and self.goes_on():
                if monotonic() >= left.fresh_until:
                    left = self._decided_again(left)
                if left.ready and self._send(left.ready.pop(0)):
                    self._settle(1)
        finally:
            try:
                self._record()
            finally:
                self._release(left.ids())
        return bool(claimed)

    def _decided_again(self, left: _Left) -> _Left:
        """Decide once more about what is left, and renew its lease."""
        with transaction(self.engine) as conn:
            ledger.take_turn(conn)
            ours = ledger.keep(conn, self.worker, left.ids(), lease=self.lease)
            decided = decide(conn, ours, self.setting)
        self._tell(decided)
        return self._counted(decided)

    def _tell(self, decided: Decided) -> None:
        """End what has no address left, and tell the cases so in the same stroke.

        Where a case cannot be told, its messages are taken up again when their leases have run out; others leave.
        """
        if not decided.unreachable:
            return
        try:
            with transaction(self.engine) as conn:
                self.setting.tell.unreachable(conn, decided.unusable)
                ledger.record_suppressed(conn, decided.unreachable, now=self.setting.now)
        except Exception:
            log.exception("Cases could not be told that nobody can be reached")
            return
        for reason in decided.unreachable.values():
            self.report.suppress(reason)
        self._settle(len(decided.unreachable))

    def _counted(self, decided: Decided) -> _Left:
        """Count what was settled without being sent, and return the rest."""
        for reason in decided.suppressed.values():
            self.report.suppress(reason)
        self.report.held += len(decided.held)
        self.report.failed += len(decided.failed)
        self.report.unusable.extend(case for case in decided.unusable if case not in self.report.unusable)
        self._settle(len(decided.suppressed) + len(decided.held) + len(decided.failed))
        return _Left(decided.ready, monotonic() + FRESH_SECONDS)

    def _settle(self, count: int) -> None:
        self.settled += count
        if self.progress is not None and count:
            self.progress(self.settled)

    def _release(self, ids: list[int]) -> None:
        if ids:
            with transaction(self.engine) as conn:
                ledger.release(conn, self.worker, ids)

    def _send(self, ready: Ready) -> bool:
        """Send one message and return whether it is settled. Whatever is wrong with it stays its own matter."""
        if not self.taken:
            self.window_ends = monotonic() + WINDOW_SECONDS
        try:
            context = opened(ready.context, self.setting.settings.secret_key.get_secret_value())
            rendered = render(ready.message.kind, context, ready.recipient.language)
            mail = self._mail(ready, rendered)
            self.transport.send(mail)
        except ServerGone as error:
            self._stop(ready, error)
            return False
        except TransportError as error:
            self._refused(ready, error)
        except Exception as error:
            self._fail(ready, f"it could not be written: {error}", attempts=ready.message.attempts)
        else:
            self.taken.append(HandedOver(ready.message, ready.recipient, to_keep(rendered, context), mail.message_id))
        if len(self.taken) >= self.window or monotonic() >= self.window_ends:
            self._record()
        return True

    def _record(self) -> None:
        """Write down what the server took."""
        if self.taken:
            with transaction(self.engine) as conn:
                ledger.record_sent(conn, self.taken, now=self.setting.now)
            self.report.sent += len(self.taken)
            self.taken = []

    def _mail(self, ready: Ready, rendered: Rendered) -> Mail:
        settings = self.setting.settings
        tag = address_tags.make(settings.secret_key.get_secret_value(), ready.message.id)
        return Mail(
            message_id=message_id_for(ready.message.key, self.domain),
            to_email=ready.recipient.email,
            to_name=ready.recipient.name,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            date=self.setting.now,
            case_ref=ready.context.case.ref if ready.context.case else None,
            unsubscribe=ready.context.unsubscribe,
            reply_to=address_tags.tagged(settings.reply_address, tag) if settings.reply_address else None,
        )

    def _stop(self, ready: Ready, error: ServerGone) -> None:
        """Give everything back: no message is at fault, so no attempt is counted."""
        self.report.stopped = str(error)
        self._release([ready.message.id])
        log.warning("Delivery stopped: %s", error)

    def _refused(self, ready: Ready, error: TransportError) -> None:
        """Try again later, turn to the next contact, or give up."""
        attempts = ready.message.attempts + 1
        then = after_failure(attempts, error, self.setting.policy.mail, now=self.setting.now)
        died = isinstance(error, NeverDeliverable) and error.bad_address
        if died:
            contact_id = ready.recipient.contact_id
            self.report.refused.append(
                Refusal(ready.message.case_id, ready.message.id, contact_id, error.code, error.text)
            )
            if contact_id is not None and attempts < self.setting.policy.mail.attempts:
                self._turn_to_next_contact(ready, error, attempts)
                return
        if isinstance(then, GiveUp):
            self._fail(ready, then.reason, attempts=attempts, address_died=died)
            return
        with transaction(self.engine) as conn:
            ledger.record_retry(conn, ready.message.id, str(error), attempts=attempts, at=then.at)
        self.report.retried += 1

    def _turn_to_next_contact(self, ready: Ready, error: TransportError, attempts: int) -> None:
        """Mark the contact as bounced and queue the message again: whoever is usable then gets it, or nobody does."""
        now = self.setting.now
        with transaction(self.engine) as conn:
            members.mark_bounced(conn, {ready.recipient.email: str(error)}, now=now)
            ledger.record_retry(conn, ready.message.id, str(error), attempts=attempts, at=now)
            self.setting.tell.address_died(conn, ready.message)

    def _fail(self, ready: Ready, reason: str, *, attempts: int, address_died: bool = False) -> None:
        with transaction(self.engine) as conn:
            if address_died:
                self.setting.tell.address_died(conn, ready.message)
            ledger.record_failed(conn, {ready.message.id: reason}, attempts=attempts, now=self.setting.now)
        self.report.failed += 1
        log.error("Message %s (%s) failed; the outbox says why.", ready.message.id, ready.message.kind)

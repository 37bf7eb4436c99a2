"""Sending what is due: claim a batch, decide again about each message, send, and write down what became of it.

Deciding takes turns between deliveries (an advisory lock, milliseconds a batch); sending goes on side by side, outside
any transaction. Decisions older than a few seconds are made again for what is left of a batch, so that a slow server
lets no message out to somebody who has answered meanwhile. A crash between the server's yes and our note of it sends
that one message again when its lease has run out, with the same Message-ID; nothing else is ever sent twice.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from config.clock import monotonic
from config.database import Engine, transaction
from config.settings import Settings
from members import store as members
from notifications import address_tags, ledger
from notifications.deciding import Decided, LoadCases, LoadPayloads, Ready, Setting, decide
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

FRESH_SECONDS = 5.0
"""How long a decision is good for."""


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
    batch: int = 200,
    budget_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> DeliveryReport:
    """Send every message that is due at `now` (the organisation's clock), and return what was done.

    Ends when nothing is due, when `budget_seconds` are over, or when the mail server is gone. `progress` is called with
    the number of messages settled so far. Any number of deliveries may run at once.
    """
    setting = Setting(settings, policy, calendar, load_cases, load_payloads, now)
    ends = None if budget_seconds is None else monotonic() + budget_seconds
    run = _Run(engine, setting, transport, ends, progress)
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
    worker: str = field(default_factory=_worker)
    report: DeliveryReport = field(default_factory=DeliveryReport)
    settled: int = 0

    @property
    def lease(self) -> timedelta:
        return timedelta(minutes=self.setting.policy.mail.lease_minutes)

    def goes_on(self) -> bool:
        """Whether there is time and a server left."""
        return self.report.stopped is None and (self.ends is None or monotonic() < self.ends)

    def batch(self, limit: int) -> bool:
        """Claim and settle one batch; return whether there was one."""
        with transaction(self.engine) as conn:
            ledger.take_turn(conn)
            claimed = ledger.claim(conn, self.worker, limit=limit, lease=self.lease, now=self.setting.now)
            decided = decide(conn, claimed, self.setting)
        left = self._counted(decided)
        try:
            while left.ready and self.goes_on():
                if monotonic() >= left.fresh_until:
                    left = self._decided_again(left)
                if left.ready and self._send(left.ready.pop(0)):
                    self._settle(1)
        finally:
            self._release(left.ids())
        return bool(claimed)

    def _decided_again(self, left: _Left) -> _Left:
        """Decide once more about what is left, and renew its lease."""
        with transaction(self.engine) as conn:
            ledger.take_turn(conn)
            ours = ledger.keep(conn, self.worker, left.ids(), lease=self.lease)
            decided = decide(conn, ours, self.setting)
        return self._counted(decided)

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
        """Send one message, write down at once what became of it, and return whether it is settled.

        Whatever is wrong with it stays its own matter.
        """
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
            with transaction(self.engine) as conn:
                now = self.setting.now
                kept = to_keep(rendered, context)
                ledger.record_sent(conn, ready.message, ready.recipient, kept, mail.message_id, now=now)
            self.report.sent += 1
        return True

    def _mail(self, ready: Ready, rendered: Rendered) -> Mail:
        settings = self.setting.settings
        tag = address_tags.make(settings.secret_key.get_secret_value(), ready.message.id)
        return Mail(
            message_id=message_id_for(ready.message.key, domain_of(settings)),
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
        if isinstance(error, NeverDeliverable) and error.bad_address:
            contact_id = ready.recipient.contact_id
            self.report.refused.append(
                Refusal(ready.message.case_id, ready.message.id, contact_id, error.code, error.text)
            )
            if contact_id is not None and attempts < self.setting.policy.mail.attempts:
                self._turn_to_next_contact(ready, error, attempts)
                return
        if isinstance(then, GiveUp):
            self._fail(ready, then.reason, attempts=attempts)
            return
        with transaction(self.engine) as conn:
            ledger.record_retry(conn, ready.message.id, str(error), attempts=attempts, at=then.at)
        self.report.retried += 1

    def _turn_to_next_contact(self, ready: Ready, error: NeverDeliverable, attempts: int) -> None:
        """Mark the contact as bounced and queue the message again: whoever is usable then gets it, or nobody does."""
        now = self.setting.now
        with transaction(self.engine) as conn:
            members.mark_bounced(conn, {ready.recipient.email: str(error)}, now=now)
            ledger.record_retry(conn, ready.message.id, str(error), attempts=attempts, at=now)

    def _fail(self, ready: Ready, reason: str, *, attempts: int) -> None:
        with transaction(self.engine) as conn:
            ledger.record_failed(conn, {ready.message.id: reason}, attempts=attempts, now=self.setting.now)
        self.report.failed += 1
        log.error("Message %s (%s) failed; the outbox says why.", ready.message.id, ready.message.kind)

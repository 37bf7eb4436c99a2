"""Where a worker can be killed on purpose: the places between two writes that belong together.

Production knows nothing of these. A worker, which is a process of its own, puts a hook before or after functions as
they are, and is gone afterwards.
"""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

from cases import ledger, locking, store, sweep, writing
from notifications import delivery, outbox, smtp
from notifications import ledger as mail_ledger
from tests.faults.kill_workers import STEP, Watch

SWEEPING = (
    "sweep: cases claimed, nothing decided",
    "apply: decided, nothing written",
    "apply: cases written, their events not",
    "apply: events written, their messages not",
    "apply: written, what follows of it not",
    "apply: all written, before the commit",
    "apply: committed, nobody told",
    "sweep: all done, no heartbeat",
)
LAUNCHING = ("launch: the campaign written, its children not", "launch: children written, before the commit")
DELIVERING = (
    "delivery: claimed, nothing decided",
    "delivery: decided, before the commit",
    "delivery: decided and committed, nothing sent",
    "mail: sender and receiver accepted",
    "mail: told to go on (354)",
    "mail: half of it handed over",
    "mail: handed over, no answer read",
    "mail: accepted (250), not recorded",
    "mail: recorded, before the commit",
    "mail: recorded and committed",
    "mail: refused for good, nothing recorded",
    "mail: refusal recorded, before the commit",
    "mail: refusal committed",
    "delivery: no address is left, before the commit",
    "delivery: no address is left, committed",
)
ACTING = ("command: case locked, nothing decided", *SWEEPING[1:4], *SWEEPING[5:7])
SERVING = (*ACTING, "desk: request read, nothing done", "desk: done, no answer sent")
WORKING = ("job: claimed, not begun", "job: done, ledger not told", "job: ledger told, before the commit")
WINDOW = (
    "mail: handed over, no answer read",
    "mail: accepted (250), not recorded",
    "mail: recorded, before the commit",
)
"""The points at which the server has a message for certain of which our record does not know."""


def put_hooks(watch: Watch) -> None:
    """Let this process, a worker, say where it is."""
    committing = _Commits(watch)
    _statements(watch, committing)
    _writing(watch, committing)
    _mailing(watch, committing)
    _working(watch, committing)


class _Commits(threading.local):
    """Which named points the next commit of this thread stands between."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._names: dict[str, str] = {}

    def coming(self, before: str, after: str = "") -> None:
        """The next commit is preceded by one point and followed by another."""
        self._names[before] = after

    def commit(self, really: Callable[..., None], *args: Any) -> None:
        """Come by the points around a commit."""
        names, self._names = self._names, {}
        for before in (STEP, *names):
            self._watch.reached(before, step=False)
        really(*args)
        for after in (STEP, *filter(None, names.values())):
            self._watch.reached(after, step=False)

    def forget(self) -> None:
        """What was to be committed is rolled back."""
        self._names = {}


def _statements(watch: Watch, committing: _Commits) -> None:
    event.listen(Engine, "before_cursor_execute", lambda *args: watch.reached(STEP))
    event.listen(Engine, "rollback", lambda *args: committing.forget())
    really = DefaultDialect.do_commit
    DefaultDialect.do_commit = lambda *args: committing.commit(really, *args)  # type: ignore[method-assign]


def _before(place: Any, name: str, tell: Callable[..., None]) -> None:
    """Call ``tell`` with the arguments before a function does its work."""
    really = getattr(place, name)

    def hooked(*args: Any, **named: Any) -> Any:
        tell(*args)
        return really(*args, **named)

    setattr(place, name, hooked)


def _after(place: Any, name: str, tell: Callable[..., None]) -> None:
    """Call ``tell`` with what a function returned, when it has done its work."""
    really = getattr(place, name)

    def hooked(*args: Any, **named: Any) -> Any:
        found = really(*args, **named)
        tell(found, *args)
        return found

    setattr(place, name, hooked)


def _writing(watch: Watch, committing: _Commits) -> None:
    def claimed(found: Any, *args: Any) -> None:
        if found:
            watch.reached("sweep: cases claimed, nothing decided")

    def deciding(conn: Any, changes: Any, here: Any) -> None:
        if changes:
            watch.reached("apply: decided, nothing written")

    def cases_written(_: Any, conn: Any, changes: Any, heads: Any) -> None:
        watch.reached("apply: cases written, their events not")
        committing.coming("apply: all written, before the commit", "apply: committed, nobody told")
        if len(changes) > 1 and all(change.locked is None for change in changes):
            watch.reached("launch: children written, before the commit")

    def following(conn: Any, changes: Any, here: Any) -> None:
        steps = [step for change in changes for step in change.outcome.steps]
        if any(step.children is not None for step in steps):
            watch.reached("launch: the campaign written, its children not")
        if any(step.spawns or step.fires or step.children is not None for step in steps):
            watch.reached("apply: written, what follows of it not")

    _after(sweep, "claim_due", claimed)
    _after(locking, "lock_where", lambda found, *args: watch.reached("command: case locked, nothing decided"))
    _before(store, "_write", deciding)
    _after(writing, "write_cases", cases_written)
    _before(outbox, "append", lambda *args: watch.reached("apply: events written, their messages not"))
    _before(store, "follow", following)
    _before(sweep, "_heartbeat", lambda *args: watch.reached("sweep: all done, no heartbeat"))


def _mailing(watch: Watch, committing: _Commits) -> None:
    def decided(found: Any, *args: Any) -> None:
        if found.ready or found.suppressed or found.held or found.failed:
            committing.coming("delivery: decided, before the commit", "delivery: decided and committed, nothing sent")
        if found.unusable:
            committing.coming(
                "delivery: no address is left, before the commit", "delivery: no address is left, committed"
            )

    def claimed(found: Any, *args: Any) -> None:
        if found:
            watch.reached("delivery: claimed, nothing decided")

    def answered(found: Any, *args: Any) -> None:
        if found[0] == 354:
            watch.reached("mail: told to go on (354)")

    _after(mail_ledger, "claim", claimed)
    _after(delivery, "decide", decided)
    _after(smtp.SmtpSession, "_envelope", lambda *args: watch.reached("mail: sender and receiver accepted"))
    _after(smtplib.SMTP, "getreply", answered)
    _hand_over_in_parts(watch)
    _after(smtp.SmtpSession, "_content", lambda *args: watch.reached("mail: accepted (250), not recorded"))
    _after(mail_ledger, "record_sent", lambda *args: committing.coming(
        "mail: recorded, before the commit", "mail: recorded and committed"))  # fmt: skip
    _before(delivery._Run, "_refused", lambda *args: watch.reached("mail: refused for good, nothing recorded"))
    _after(mail_ledger, "record_retry", lambda *args: committing.coming(
        "mail: refusal recorded, before the commit", "mail: refusal committed"))  # fmt: skip


def _hand_over_in_parts(watch: Watch) -> None:
    really = smtplib.SMTP.send

    def send(self: smtplib.SMTP, content: Any) -> None:
        if isinstance(content, bytes) and content.endswith(b"\r\n.\r\n"):
            half = len(content) // 2
            assert self.sock is not None
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the other half does not wait
            really(self, content[:half])
            watch.reached("mail: half of it handed over")
            really(self, content[half:])
            watch.reached("mail: handed over, no answer read")
        else:
            really(self, content)

    smtplib.SMTP.send = send  # type: ignore[method-assign,assignment]


def _working(watch: Watch, committing: _Commits) -> None:
    _after(ledger, "claim", lambda found, *args: committing.coming("job: claimed", "job: claimed, not begun"))
    _before(ledger, "finish", lambda *args: watch.reached("job: done, ledger not told"))
    _after(ledger, "finish", lambda *args: committing.coming("job: ledger told, before the commit"))

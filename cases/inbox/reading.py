"""Reading what came in from the folder and the mailbox of the settings, and sending again what is due to be."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import OperationalError

from cases.copies.resting import require_awake
from cases.environment import Environment
from cases.errors import CaseBusy
from cases.inbox.returned import retry_due
from cases.inbox.taking import Taken, keep, take
from config import clock
from config.clock import monotonic
from config.database import reading, transaction
from config.imap import Imap
from config.settings import Settings
from notifications.inbox import ledger
from notifications.inbox.imap import Mailbox, MailboxGone, opened
from notifications.inbox.keeping import NoRoom
from notifications.inbox.spool import Spool, SpoolGone

log = logging.getLogger(__name__)

MOST = 500
"""So many mails of one source at a time; the next minute goes on."""


@dataclass
class InboxReport:
    """What one reading of the inbox did."""

    states: Counter[str] = field(default_factory=Counter)
    again: int = 0
    """Mails that had been taken before."""
    retried: int = 0
    """Messages of ours that are sent once more."""
    stopped: str | None = None
    """Why a source could not be read to its end, in a sentence."""

    def count(self, taken: Taken) -> None:
        """Count a mail."""
        if taken.again:
            self.again += 1
        else:
            self.states[taken.state] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values."""
        names = ("matched", "unmatched", "kept", "ignored")
        counted = {name: self.states[name] for name in names}
        return {
            "read": sum(self.states.values()), **counted, "again": self.again, "retried": self.retried,
            "stopped": self.stopped,
        }  # fmt: skip


def is_configured(settings: Settings) -> bool:
    """Whether there is a place to read mail from."""
    return settings.imap_url is not None or settings.mail_spool is not None or settings.spool.is_dir()


def read_inbox(env: Environment, *, budget_seconds: float | None = None) -> InboxReport:
    """Take in what waits in the folder and the mailbox, and queue again what is due; say what was done.

    Any number of readings may run at once.
    """
    require_awake(env.engine)
    report = InboxReport()
    ends = None if budget_seconds is None else monotonic() + budget_seconds

    def goes_on() -> bool:
        return ends is None or monotonic() < ends

    if env.settings.mail_spool is not None or env.settings.spool.is_dir():
        with _noted(env, "spool", report):
            _read_spool(env, Spool(env.settings.spool), report, goes_on)
    if (where := env.settings.imap) is not None:
        with _noted(env, _name_of(where), report):
            _read_mailbox(env, where, report, goes_on)
    report.retried = retry_due(env)
    return report


@contextmanager
def _noted(env: Environment, name: str, report: InboxReport) -> Iterator[None]:
    """Write down that a source was read, or why it could not be."""
    try:
        yield
    except (SpoolGone, MailboxGone, CaseBusy, NoRoom) as bad:
        report.stopped = str(bad)
        values: dict[str, Any] = {"failed_at": clock.utc_now(), "error": str(bad)}
        log.warning("The inbox was not read to its end: %s", bad)
    else:
        values = {"read_at": clock.utc_now(), "error": None}
    with transaction(env.engine) as conn:
        ledger.note_source(conn, name, **values)


def _read_spool(env: Environment, spool: Spool, report: InboxReport, goes_on: Callable[[], bool]) -> None:
    for name, raw in spool.waiting(MOST):
        if not goes_on():
            return
        report.count(_one(env, raw, source=f"file {name.rpartition('/')[2]}"))
        try:
            spool.done(name, raw)
        except OSError as bad:
            raise SpoolGone(f"what was read cannot be moved out of {spool.folder} ({bad.strerror}).") from None


def _read_mailbox(env: Environment, where: Imap, report: InboxReport, goes_on: Callable[[], bool]) -> None:
    name = _name_of(where)
    with opened(where) as box:
        with reading(env.engine) as conn:
            before = ledger.source(conn, name)
        validity = box.validity
        known = before is not None and before.uid_validity == validity and validity is not None
        for uid in box.newer(before.last_uid if known and before is not None else None)[:MOST]:
            if not goes_on():
                return
            _read_one(env, box, uid, (name, validity), report)


def _read_one(env: Environment, box: Mailbox, uid: int, of: tuple[str, int | None], report: InboxReport) -> None:
    """Take one mail of a mailbox; it is marked as seen after that is written for good."""
    raw = box.content(uid)
    if raw is not None:
        report.count(_one(env, raw, source=f"mailbox {uid}"))
    with transaction(env.engine) as conn:
        ledger.note_source(conn, of[0], uid_validity=of[1], last_uid=uid)
    if raw is not None:
        box.taken(uid)


def _one(env: Environment, raw: bytes, *, source: str) -> Taken:
    """Take one mail; one that we fail on is kept for a person, and the next is read. Raises CaseBusy or NoRoom."""
    try:
        return take(env, raw, source=source)
    except (CaseBusy, NoRoom, OperationalError):  # none is the mail's fault: it stays where it is
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]  # no words of the error: they may be the mail's
        log.error("A mail was kept for a person: %s at %s:%s", type(error).__name__, where.name, where.lineno)
        return keep(env, raw, f"Taking it in failed ({type(error).__name__}).", source=source)


def _name_of(where: Imap) -> str:
    return f"imap {where.user}@{where.host}/{where.folder}"

"""Time that passes in a sandbox: the clock is moved from moment to moment, and at each what is due really happens.

A sweep that runs every minute beside it is harmless: a rung fires once and a message leaves once, whoever gets there
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from cases import installation
from cases.breaker.waiting import is_held
from cases.delivering import deliver
from cases.environment import Environment
from cases.errors import BadInput, CaseBusy
from cases.sweep import sweep_due
from cases.tables import CaseRow
from config import clock
from config.clock import ClockRefused, parse_duration, parse_instant, set_sandbox
from config.database import reading, transaction
from config.tables import SANDBOX
from notifications.tables import QUEUED, MessageRow
from notifications.transport import SmtpTransport, Transport

MOST = timedelta(days=93)
"""So much time may pass at once."""
SECONDS = 8.0
"""So long somebody waits for a page; what is left after that is gone on with at the next press."""
BETWEEN = timedelta(minutes=10)
"""Between two stops at least: what is tried again every minute does not stop time."""
FIRST_YEAR, LAST_YEAR = 2001, 2098
"""Working days are known from 2000 to 2100, and deadlines look ahead."""
FOLLOW = "follow"
NEXT = "next"
_ONE_AT_A_TIME = 770043


class OnlyInSandbox(BadInput):
    """The clock of a production installation is the real one; it cannot be moved."""

    status = 403


class ClockIsMoving(CaseBusy):
    """Somebody else is letting time pass at this very moment; please try again when that is done."""


@dataclass
class Passed:
    """What happened while time passed."""

    since: datetime
    until: datetime
    """Where the clock stands now."""
    wanted: datetime
    """Where it was to stand."""
    stops: int = 0
    fired: int = 0
    parked: int = 0
    sent: int = 0
    suppressed: int = 0
    no_mail: str | None = None
    """Why mail did not leave; it stays queued."""

    @property
    def got_there(self) -> bool:
        """Whether time passed as far as it was to."""
        return self.until >= self.wanted

    @property
    def backwards(self) -> bool:
        """Whether the clock was set back; what has happened stays."""
        return self.wanted < self.since


def pass_time(env: Environment, step: str, *, transport: Transport | None = None, seconds: float = SECONDS) -> Passed:
    """Let time pass in a sandbox: ``1h``, ``1d``, ``next``, ``follow`` or an instant; return what happened.

    Raises OnlyInSandbox, ClockIsMoving, or BadInput with a sentence about the step.
    """
    with _alone(env):
        here = env.now()
        until = _destination(env, step.strip(), here)
        if not FIRST_YEAR <= until.year <= LAST_YEAR:
            raise BadInput(f"The clock can stand between {FIRST_YEAR} and {LAST_YEAR}; beyond there are no calendars.")
        if until - here > MOST and step.strip() == FOLLOW:  # the next sweep catches up with all of it at once
            _set(env, None)
            return Passed(here, env.now(), until)
        if until - here > MOST:
            raise BadInput("That is more than three months at once; please let time pass in smaller steps.")
        passed = Passed(here, here, until)
        _go(env, passed, transport, clock.monotonic() + seconds)
        if step.strip() == FOLLOW and passed.got_there:
            _set(env, None)
            passed.until = env.now()
        return passed


@contextmanager
def _alone(env: Environment) -> Iterator[None]:
    """Nobody else moves the clock meanwhile."""
    with reading(env.engine) as conn:
        if installation.kind(conn) != SANDBOX:
            raise OnlyInSandbox
        if not conn.execute(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": _ONE_AT_A_TIME}).scalar_one():
            raise ClockIsMoving
        yield


def _destination(env: Environment, step: str, here: datetime) -> datetime:
    if step == FOLLOW:
        return clock.utc_now()
    if step == NEXT:
        found = next_due(env, here)
        if found is None:
            raise BadInput("Nothing is due any more in this sandbox, and no mail waits.")
        return found
    try:
        return here + parse_duration(step)
    except ValueError as no_length:
        try:
            return parse_instant(step, env.settings.zone)
        except ValueError:
            raise BadInput(str(no_length)) from None
    except OverflowError:
        raise BadInput("So far ahead there are no calendars.") from None


def next_due(env: Environment, here: datetime, *, mail: bool = True) -> datetime | None:
    """Return the next moment at which a case or a message is due, or None; what is late already is due at once.

    What is held back is not due: time would come to a stop at it until a manager decides.
    """
    with reading(env.engine) as conn:
        due = conn.execute(select(func.min(CaseRow.due_at)).where(~is_held())).scalar_one()
        waits = select(func.min(MessageRow.not_before)).where(MessageRow.state == QUEUED)
        found = [at for at in (due, conn.execute(waits).scalar_one() if mail else None) if at is not None]
    return max(min(found), here) if found else None


def _go(env: Environment, passed: Passed, transport: Transport | None, ends: float) -> None:
    """Stop at every moment at which something is due, and at last where the clock is to stand."""
    own = transport is None
    line = transport or SmtpTransport(env.settings)
    try:
        while (stop := _next_stop(env, passed)) is not None:
            if clock.monotonic() > ends:
                return
            _happens(env, passed, stop, line, ends)
        _happens(env, passed, passed.wanted, line, ends)
    finally:
        if own:
            line.close()


def _next_stop(env: Environment, passed: Passed) -> datetime | None:
    """The next moment on the way at which something is due; None when nothing is any more."""
    due = None if passed.backwards else next_due(env, passed.until, mail=passed.no_mail is None)
    if due is None:
        return None
    stop = max(due, passed.until + BETWEEN) if passed.stops else due
    return stop if stop < passed.wanted else None


def _happens(env: Environment, passed: Passed, at: datetime, transport: Transport, ends: float) -> None:
    """Set the clock to a moment, and do what is due then: the sweep, and the mail."""
    _set(env, at)
    passed.until, passed.stops = at, passed.stops + 1
    left = max(1.0, ends - clock.monotonic())
    swept = sweep_due(env, workers=1, budget_seconds=left, now=at)
    passed.fired, passed.parked = passed.fired + swept.fired, passed.parked + swept.parked
    if passed.no_mail is None:
        told = deliver(env, transport=transport, budget_seconds=left, now=at)
        passed.sent, passed.suppressed = passed.sent + told.sent, passed.suppressed + sum(told.suppressed.values())
        passed.no_mail = told.stopped


def _set(env: Environment, instant: datetime | None) -> None:
    try:
        with transaction(env.engine) as conn:
            set_sandbox(conn, instant)
    except ClockRefused:
        raise OnlyInSandbox from None

"""The only place that reads the clock, and where a sandbox's clock is set."""

import re
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from config.database import Connection
from config.tables import SANDBOX, Installation

WORKING_DAY_STARTS = time_of_day(9, 0)

_DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?", re.ASCII)
_LONGEST = timedelta(days=36525)


class ClockRefused(Exception):
    """This is a production database; its clock cannot be moved."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


def utc_now() -> datetime:
    """Return the real instant, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds that only ever grow, for measuring how long something took."""
    return time.monotonic()


def current(conn: Connection) -> datetime:
    """Return the instant this installation lives in, in UTC.

    A sandbox whose clock was set stands still at that instant until it is moved; everything else follows the
    real clock.
    """
    statement = select(Installation.clock_at).where(Installation.kind == SANDBOX)
    return conn.execute(statement).scalar_one_or_none() or utc_now()


def set_sandbox(conn: Connection, instant: datetime | None) -> None:
    """Set a sandbox's clock to `instant` (aware), or let it follow the real one again with None.

    Raises ClockRefused in a production database.
    """
    statement = update(Installation).where(Installation.kind == SANDBOX).values(clock_at=instant)
    if conn.execute(statement).rowcount != 1:
        raise ClockRefused


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """Return the instant that ISO 8601 `text` names, in UTC.

    Without an offset the organisation's `zone` is meant; a bare date is the start of that working day, 09:00.
    Raises ValueError, with a sentence for the person who typed it.
    """
    given = text.strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given, re.ASCII):
            instant = datetime.combine(date.fromisoformat(given), WORKING_DAY_STARTS)
        else:
            instant = datetime.fromisoformat(given)
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is not a date or time; write 2026-03-02, 2026-03-02T14:30 or 2026-03-02T14:30+00:00."
        ) from None


def parse_duration(text: str) -> timedelta:
    """Return the length that `text` names: '7d', '36h', '90m', '2w', '1d12h'.

    Raises ValueError, with a sentence for the person who typed it.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not a length of time; write for example 7d, 36h, 90m, 2w or 1d12h.")
    weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not timedelta(0) < length <= _LONGEST:
        raise ValueError(f"{text!r} is not usable: a length of time is at least 1m and at most 100 years.")
    return length

"""Slowing down who guesses: after a few failures each further one has to wait longer. By the real clock.

A try counts as a failure before it is looked at, and is taken back when it was none: a hundred at once get no further
than one after the other. What is refused while somebody has to wait does not count, or else nobody could ever get in
again while somebody else keeps trying.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address

from sqlalchemy import delete, func, insert, select

from cases.errors import CaseError
from config.database import Connection
from web.tables import Attempt

REMEMBERED = timedelta(hours=1)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)


class TooManyTries(CaseError):
    """There were too many failed tries."""

    status = 429

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(f"Please try again in {in_words(wait)}.")


@dataclass(frozen=True, slots=True)
class Key:
    """What is slowed down, kept as a digest: people type passwords where their address belongs."""

    digest: str
    free: int
    """Failures within `REMEMBERED` that cost nothing."""


def account(email: str, *, what: str = "sign-in", free: int = 5) -> Key:
    """Return the key of an account, whether or not anybody has this address."""
    return _key(what, "account", email.strip().casefold(), free)


def address(host: str, *, what: str = "sign-in", free: int = 20) -> Key:
    """Return the key of where requests come from; a whole office may share one."""
    return _key(what, "address", _line(host), free)


def _line(host: str) -> str:
    """The line that an address belongs to: whoever has one IPv6 address has 2**64 of them."""
    try:
        found = ip_address(host)
    except ValueError:
        return host
    if isinstance(found, IPv4Address):
        return host
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))


def _key(what: str, kind: str, value: str, free: int) -> Key:
    return Key(f"{what}:{kind}:{hashlib.sha256(value.encode()).hexdigest()[:32]}", free)


def presume_failure(conn: Connection, keys: Sequence[Key], *, now: datetime) -> list[int]:
    """Count a try as failed under each key and return the rows, for `take_back`. Raises TooManyTries."""
    names = sorted(key.digest for key in keys)
    for name in names:
        conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    remembered = Attempt.at.between(now - REMEMBERED, now + LONGEST_WAIT)  # none is ahead, unless a clock was wrong
    conn.execute(delete(Attempt).where(Attempt.key.in_(names), ~remembered))
    if (wait := waiting(conn, keys, now=now)) is not None:
        raise TooManyTries(wait)
    rows = [{"key": name, "at": now} for name in names]
    return list(conn.execute(insert(Attempt).values(rows).returning(Attempt.id)).scalars())


def waiting(conn: Connection, keys: Sequence[Key], *, now: datetime) -> timedelta | None:
    """Return how long these have to wait still, or None."""
    recent = select(Attempt.key, func.count().label("n"), func.max(Attempt.at).label("last"))
    recent = recent.where(Attempt.key.in_([key.digest for key in keys]), Attempt.at >= now - REMEMBERED)
    recent = recent.where(Attempt.at <= now + LONGEST_WAIT)
    found = {row.key: row for row in conn.execute(recent.group_by(Attempt.key))}
    waits = [found[k.digest].last + delay(found[k.digest].n - k.free) - now for k in keys if k.digest in found]
    longest = max(waits, default=timedelta(0))
    return longest if longest > timedelta(0) else None


def delay(beyond: int) -> timedelta:
    """Return how long the next try waits when so many failed beyond the free ones."""
    if beyond < 0:
        return timedelta(0)
    doubled: int = 2 ** min(beyond, 10)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def take_back(conn: Connection, rows: Sequence[int], *forgiven: Key) -> None:
    """Forget the failure that was none, and everything under the keys that it clears."""
    conn.execute(delete(Attempt).where(Attempt.id.in_(rows)))
    if forgiven:
        conn.execute(delete(Attempt).where(Attempt.key.in_([key.digest for key in forgiven])))


def prune(conn: Connection, *, now: datetime) -> int:
    """Delete what is too old to matter, except what somebody else has in hands; return how many rows these were."""
    old = select(Attempt.id).where(Attempt.at < now - REMEMBERED).with_for_update(skip_locked=True)
    return conn.execute(delete(Attempt).where(Attempt.id.in_(old))).rowcount


def in_words(wait: timedelta) -> str:
    """Return a wait as people say it, rounded up: "45 seconds", "2 minutes"."""
    seconds = max(1, -int(-wait.total_seconds() // 1))
    if seconds < 60:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"

"""Passwords: what one must be like, keeping it as an argon2 hash, and telling whether it is the right one.

Source: NIST SP 800-63B, 5.1.1 (length and nothing else; no rules about kinds of characters, no forced change).
"""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from cases.errors import BadInput
from config.database import Connection
from web.tables import StaffPassword

SHORTEST = 12
LONGEST = 200
_HASHER = PasswordHasher()
_AT_ONCE = BoundedSemaphore(4)
"""A hash takes 64 MiB: however many try to sign in at once, this many are worked out side by side."""


class WeakPassword(BadInput):
    """This password cannot be used."""


def require_strong(password: str, *, email: str) -> None:
    """Raise WeakPassword, with a sentence, unless this may be the password of whoever has the address."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"A password needs at least {SHORTEST} characters; a few words in a row are easy to keep.")
    if len(password) > LONGEST:
        raise WeakPassword(f"A password has at most {LONGEST} characters.")
    if email.casefold() in password.casefold():
        raise WeakPassword("Your e-mail address must not be part of your password.")
    if len(set(password)) == 1:
        raise WeakPassword("One character over and over is too easy to guess.")


def set_password(conn: Connection, staff_id: int, password: str, *, email: str, now: datetime) -> None:
    """Keep a new password for this person. Raises WeakPassword."""
    require_strong(password, email=email)
    row = {"staff_id": staff_id, "hash": _hashed(password), "changed_at": now}
    statement = insert(StaffPassword).values(**row)
    conn.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=row))


def kept_hash(conn: Connection, staff_id: int) -> str | None:
    """Return the hash of this person's password, or None where there is none yet."""
    return conn.execute(select(StaffPassword.hash).where(StaffPassword.staff_id == staff_id)).scalar_one_or_none()


def who_have_one(conn: Connection) -> dict[int, datetime]:
    """Return who has a password, and since when it is the same."""
    rows = conn.execute(select(StaffPassword.staff_id, StaffPassword.changed_at))
    return {row.staff_id: row.changed_at for row in rows}


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password that was kept; takes as long where none was, so that waiting tells nothing."""
    if len(password) > LONGEST:
        password, kept = password[:LONGEST], None
    with _AT_ONCE:
        try:
            return _HASHER.verify(kept or _nobodys(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def renew(conn: Connection, staff_id: int, kept: str, password: str) -> None:
    """Keep the hash with today's parameters, when it was made with older ones and nobody changed it meanwhile."""
    if _HASHER.check_needs_rehash(kept):
        this = (StaffPassword.staff_id == staff_id) & (StaffPassword.hash == kept)
        conn.execute(update(StaffPassword).where(this).values(hash=_hashed(password)))


def _hashed(password: str) -> str:
    with _AT_ONCE:
        return _HASHER.hash(password)


@cache
def _nobodys() -> str:
    """The hash of a password that nobody knows, made once."""
    return _HASHER.hash(secrets.token_urlsafe(32))

"""Links with which somebody chooses a password, once: an invitation for who is new, a way back for who forgot it.

Instants are by the real clock. The text of a link is 256 random bits; its SHA-256 alone is stored, and in the outbox
it is sealed until it is sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from cases.environment import Environment
from cases.errors import CaseError
from config import clock
from config.database import Connection
from members.staff_record import note_deed
from members.staff_store import who_work_here
from members.staffing import Person
from notifications import outbox
from notifications.sealing import SEALED_LINK, seal
from notifications.values import NewMessage
from state_machines.values import Actor, Role
from web.accounts import passwords, throttle
from web.sessions import end_all, sha256
from web.tables import PasswordLink

INVITED = timedelta(days=7)
FORGOTTEN = timedelta(hours=1)
KEPT = timedelta(days=30)
"""How long after its end a link is remembered."""


class LinkOver(CaseError):
    """This link has been used, is too old, or was replaced. Ask for a new one."""

    status = 410


@dataclass(frozen=True, slots=True)
class Open:
    """A link that still holds."""

    staff_id: int
    expires_at: datetime


def invite(conn: Connection, env: Environment, person: Person, *, actor: Actor, now: datetime) -> str:
    """Make a link for somebody new, ask for the mail with it, note who did, and return the link's address."""
    by = "" if Role.SYSTEM in actor.roles else actor.name
    data = {"by": by, "days": INVITED.days, "email": person.email}
    words = f"was sent a link to choose a password, to {person.email}"
    note_deed(conn, person.id, words, actor=actor, now=clock.current(conn))
    return _mailed(conn, env, person, "password_invitation", data, INVITED, now=now)


def forgotten(conn: Connection, env: Environment, person: Person, *, now: datetime) -> None:
    """Make a link for somebody who forgot their password, and ask for the mail with it."""
    data = {"minutes": int(FORGOTTEN.total_seconds() // 60)}
    _mailed(conn, env, person, "password_forgotten", data, FORGOTTEN, now=now)


def _mailed(
    conn: Connection,
    env: Environment,
    person: Person,
    kind: str,
    data: Mapping[str, object],
    lifetime: timedelta,
    *,
    now: datetime,
) -> str:
    conn.execute(delete(PasswordLink).where(PasswordLink.expires_at < now - KEPT))
    token = secrets.token_urlsafe(32)
    row = {"token_sha256": sha256(token), "staff_id": person.id, "made_at": now, "expires_at": now + lifetime}
    conn.execute(insert(PasswordLink).values(**row))
    address = f"{env.settings.base_url}/password/{token}"
    sealed = {**data, SEALED_LINK: seal(env.settings.secret_key.get_secret_value(), address)}
    _mail(conn, kind, person, sha256(token), sealed)
    return address


def find(conn: Connection, token: str, *, now: datetime) -> Open:
    """Return whose link this is. Raises LinkOver, also for one that never was."""
    row = conn.execute(
        select(PasswordLink.staff_id, PasswordLink.expires_at).where(
            PasswordLink.token_sha256 == sha256(token), PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > now, PasswordLink.staff_id.in_(who_work_here()),
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise LinkOver
    return Open(row.staff_id, row.expires_at)


def use(conn: Connection, token: str, person: Person, password: str, *, now: datetime) -> None:
    """Set the password with a link, which ends all sessions and links. Raises LinkOver and WeakPassword."""
    claimed = (
        update(PasswordLink)
        .where(PasswordLink.token_sha256 == sha256(token), PasswordLink.staff_id == person.id)
        .where(PasswordLink.used_at.is_(None), PasswordLink.expires_at > now)
        .values(used_at=now)
    )
    if conn.execute(claimed).rowcount != 1:
        raise LinkOver
    change(conn, person, password, now=now)
    end_all(conn, person.id)


def change(conn: Connection, person: Person, password: str, *, now: datetime) -> None:
    """Set a password; open links end, and who had another one is told by mail. Raises WeakPassword."""
    had_one = passwords.kept_hash(conn, person.id) is not None
    passwords.set_password(conn, person.id, password, email=person.email, now=now)
    revoke(conn, person.id, now=now)
    throttle.take_back(conn, [], throttle.account(person.email))
    if had_one:
        _mail(conn, "password_changed", person, f"{person.id}:{now.isoformat()}", {})


def revoke(conn: Connection, staff_id: int, *, now: datetime) -> None:
    """End all open links of a person."""
    mine = (PasswordLink.staff_id == staff_id) & PasswordLink.used_at.is_(None)
    conn.execute(update(PasswordLink).where(mine).values(used_at=now))


def count_open(conn: Connection, staff_id: int, *, now: datetime) -> int:
    """Return how many links of a person still hold."""
    holds = (PasswordLink.staff_id == staff_id) & PasswordLink.used_at.is_(None) & (PasswordLink.expires_at > now)
    return conn.execute(select(func.count()).select_from(PasswordLink).where(holds)).scalar_one()


def _mail(conn: Connection, kind: str, person: Person, fact: str, data: Mapping[str, object]) -> None:
    """Ask for a letter to this person alone; the outbox lives by the organisation's clock."""
    message = NewMessage(key=f"{kind}:{fact}", kind=kind, audience=f"person:{person.id}", data=data)
    outbox.enqueue(conn, [message], now=clock.current(conn))

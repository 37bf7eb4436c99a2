"""What the commands on the staff share: the list under its lock, people by their address, and the record of changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.dialects.postgresql import array

from config.database import Connection
from members import staff_store
from members.errors import Changed, NotFound, Unusable, did_you_mean
from members.staffing import Away, Person, Staffing
from members.tables import StaffChange
from state_machines.values import Actor

STAFF_LOCK = 7_240_002
WHO_THEY_ARE = ("name", "email", "roles", "team", "manager_id", "status")
"""Changes that two people could undo for each other."""


def locked_staffing(conn: Connection) -> Staffing:
    """Return the staff; until this transaction ends, nobody else changes them."""
    conn.execute(select(func.pg_advisory_xact_lock(STAFF_LOCK)))
    return staff_store.staffing(conn)


def person_named(staffing: Staffing, who: str) -> Person:
    """Return the person with this e-mail address or ``staff:<id>``. Raises NotFound."""
    by_id = who.removeprefix("staff:")
    number = int(by_id) if who.startswith("staff:") and by_id.isdigit() else None
    found = staffing.get(number) if number is not None else staffing.by_email(who)
    if found is None:
        hint = did_you_mean(who, [person.email for person in staffing.people.values()])
        raise NotFound(f'Nobody on the staff has the address "{who}".{hint}')
    return found


def working(staffing: Staffing, who: str) -> Person:
    """Return the person with this address, who works here. Raises NotFound and Unusable."""
    found = person_named(staffing, who)
    if not found.active:
        raise Unusable(f"{found.name} has left.")
    return found


def record(
    conn: Connection, staff_id: int | None, changes: Mapping[str, Sequence[Any]], *, actor: Actor, now: datetime
) -> None:
    """Write down what changed about somebody, or with None about a team: before and after by name."""
    told = {name: list(pair) for name, pair in changes.items() if pair[0] != pair[1]}
    if told:
        conn.execute(insert(StaffChange).values(at=now, actor=actor.person, staff_id=staff_id, changes=told))


def note_deed(conn: Connection, staff_id: int, words: str, *, actor: Actor, now: datetime) -> None:
    """Write down something that was done about somebody's account, in words that follow their name."""
    record(conn, staff_id, {"deed": (None, words)}, actor=actor, now=now)


def require_unchanged(conn: Connection, staff_id: int, seen: int | None) -> None:
    """Raise Changed when somebody was changed since the change with the number ``seen``; None: no matter."""
    if seen is not None and seen != newest_change(conn, staff_id):
        raise Changed("Somebody else changed this person in the meantime. Look at what is there now, then try again.")


def newest_change(conn: Connection, staff_id: int) -> int:
    """Return the number of the newest change of who a person is, 0 when there is none; absences do not count."""
    about = (StaffChange.staff_id == staff_id) & StaffChange.changes.has_any(array(WHO_THEY_ARE))
    return conn.execute(select(func.coalesce(func.max(StaffChange.id), 0)).where(about)).scalar_one()


def changes_of(conn: Connection, staff_id: int | None, *, limit: int = 50) -> Sequence[Row[Any]]:
    """Return the changes about a person, or with None about teams, the newest first."""
    about = StaffChange.staff_id.is_(None) if staff_id is None else StaffChange.staff_id == staff_id
    statement = select(StaffChange.id, StaffChange.at, StaffChange.actor, StaffChange.changes)
    return conn.execute(statement.where(about).order_by(StaffChange.id.desc()).limit(limit)).all()


def told(away: Away, reason: str | None = None) -> dict[str, Any]:
    """Return an absence as the record holds it."""
    return {
        "from": _iso(away.from_date), "until": _iso(away.until_date), "deputy": away.deputy_id, "reason": reason,
    }  # fmt: skip


def _iso(day: date) -> str:
    return day.isoformat()

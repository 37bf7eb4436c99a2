"""Reading the staff. Takes a connection, never commits."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Row, ScalarSelect, Select, func, select

from config.database import Connection, Engine
from members.staffing import Away, Person, Staffing, staffing_of
from members.tables import Absence, ConflictOfInterest, Member, Staff, StaffVersion, Team
from state_machines.values import Role

_READ: WeakKeyDictionary[Engine, tuple[UUID, Staffing]] = WeakKeyDictionary()
"""The staff of the version last read from each database. A version has one staff, so this cannot be out of date."""


def version() -> ScalarSelect[UUID]:
    """Return the version of the staff as a part of a statement: another one after every change of them."""
    return select(StaffVersion.version).scalar_subquery()


def staffing(conn: Connection, at: UUID | None = None) -> Staffing:
    """Return the staff with absences, deputies, teams and conflicts of interest as this transaction sees them.

    One statement where nothing changed since they were last read, else four. ``at``: the version, where this
    transaction has read it already.
    """
    at = at or conn.execute(select(StaffVersion.version)).scalar_one()
    known = _READ.get(conn.engine)
    if known is not None and known[0] == at:
        return known[1]
    found = _read(conn)  # perhaps newer than the version, never older: at worst it is read once more
    _READ[conn.engine] = at, found
    return found


def _read(conn: Connection) -> Staffing:
    declared = (
        select(func.array_agg(ConflictOfInterest.member_id))
        .where(ConflictOfInterest.staff_id == Staff.id)
        .scalar_subquery()
    )
    columns = (Staff.id, Staff.email, Staff.name, Staff.roles, Staff.team, Staff.manager_id, Staff.status)
    people = [_person(row) for row in conn.execute(select(*columns, declared.label("conflicts")))]
    away = select(Absence.staff_id, Absence.from_date, Absence.until_date, Absence.deputy_id)
    leads = conn.execute(select(Team.name, Team.lead_id).where(Team.lead_id.is_not(None)))
    return staffing_of(
        people,
        [Away(*row) for row in conn.execute(away.order_by(Absence.id))],
        {name: lead_id for name, lead_id in leads if lead_id is not None},
    )


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        name=row.name,
        roles=frozenset(map(Role, row.roles)),
        team=row.team,
        manager_id=row.manager_id,
        active=row.status == "active",
        conflicts=frozenset(row.conflicts or ()),
    )


def who_work_here() -> Select[tuple[int]]:
    """Return the statement for the ids of those who work here now, for conditions on other tables."""
    return select(Staff.id).where(Staff.status == "active")


def team_rules(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return the rules that say which members belong to which team, teams in order of name."""
    return {row.name: row.covers for row in conn.execute(select(Team.name, Team.covers).order_by(Team.name))}


def left_on(conn: Connection, staff_id: int) -> date | None:
    """Return the day somebody left, None while they work here."""
    return conn.execute(select(Staff.left_on).where(Staff.id == staff_id)).scalar_one_or_none()


def absences(conn: Connection, *, since: date, staff_id: int | None = None) -> Sequence[Row[Any]]:
    """Return the absences that have not ended before a day, of everybody or one person, the earliest first."""
    columns = (Absence.id, Absence.staff_id, Absence.from_date, Absence.until_date, Absence.deputy_id, Absence.reason)
    statement = select(*columns).where(Absence.until_date >= since)
    if staff_id is not None:
        statement = statement.where(Absence.staff_id == staff_id)
    return conn.execute(statement.order_by(Absence.from_date, Absence.id)).all()


def members_by_team(conn: Connection) -> dict[str | None, int]:
    """Return how many members each team has; under None those who belong to no team. The merged do not count."""
    counted = select(Member.team, func.count().label("n")).where(Member.status != "merged").group_by(Member.team)
    return {row.team: row.n for row in conn.execute(counted)}

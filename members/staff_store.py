"""Reading the staff. Takes a connection, never commits."""

from typing import Any

from sqlalchemy import Row, func, select

from config.database import Connection
from members.staffing import Away, Person, Staffing, staffing_of
from members.tables import Absence, ConflictOfInterest, Staff, Team
from state_machines.values import Role


def staffing(conn: Connection) -> Staffing:
    """Return the staff with absences, deputies, teams and conflicts of interest, in three statements."""
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


def team_rules(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return the rules that say which members belong to which team, teams in order of name."""
    return {row.name: row.covers for row in conn.execute(select(Team.name, Team.covers).order_by(Team.name))}

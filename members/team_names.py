"""Giving a team another name. Teams are known by their names, so that everything that carries one gets the new one."""

from datetime import datetime

from sqlalchemy import func, select, update

from config.database import Connection
from members.errors import Unusable
from members.staff_record import locked_staffing, record
from members.tables import Member, Staff, Team
from state_machines.values import Actor


def rename_team(conn: Connection, old: str, new: str, *, actor: Actor, now: datetime) -> None:
    """Call a team by another name: the team, its people and its members. It is no change of any of these.

    Raises Unusable where another team has that name.
    """
    locked_staffing(conn)
    for column in (Team.name, Staff.team, Member.team):
        if conn.execute(select(column).where(func.lower(column) == new.lower(), column != old).limit(1)).first():
            raise Unusable(f"There is a team {new} already; give its members and people to it one by one.")
    conn.execute(update(Team).where(Team.name == old).values(name=new))
    conn.execute(update(Staff).where(Staff.team == old).values(team=new))
    conn.execute(update(Member).where(Member.team == old).values(team=new))
    record(conn, None, {"team": (old, new)}, actor=actor, now=now)

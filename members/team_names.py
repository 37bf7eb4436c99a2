"""Giving a team another name. Teams are known by their names, so that everything that carries one gets the new one."""

from datetime import datetime

from sqlalchemy import func, select, update

from config.database import Connection
from members.errors import Unusable
from members.staff_record import locked_staffing, record
from members.tables import Member, Staff, Team
from state_machines.values import Actor

_CARRIED = (Team.name, Staff.team, Member.team)


def is_team(conn: Connection, name: str) -> bool:
    """Whether there is a team of this name: one with rules, or one that somebody or a member belongs to."""
    return any(conn.execute(select(column).where(column == name).limit(1)).first() for column in _CARRIED)


def rename_team(conn: Connection, old: str, new: str, *, actor: Actor, now: datetime) -> None:
    """Call a team by another name: the team, its people and its members. It is no change of any of these.

    Raises Unusable where another team has that name, and where there is no team of the old one any more.
    """
    locked_staffing(conn)
    if not is_team(conn, old):
        raise Unusable(f"There is no team {old} any more. Look at the list of teams for what it is called now.")
    for column in _CARRIED:
        if conn.execute(select(column).where(func.lower(column) == new.lower(), column != old).limit(1)).first():
            raise Unusable(f"There is a team {new} already; give its members and people to it one by one.")
    conn.execute(update(Team).where(Team.name == old).values(name=new))
    conn.execute(update(Staff).where(Staff.team == old).values(team=new))
    theirs = select(Member.id).where(Member.team == old).order_by(Member.id).with_for_update(key_share=True).cte()
    conn.execute(update(Member).where(Member.id == theirs.c.id).values(team=new))
    record(conn, None, {"team": (old, new)}, actor=actor, now=now)

"""The few facts of a case that no transition sets: who may see it, that it is parked, whose it is after a merge, which
team's it is, and a task that was closed by hand.

Each statement takes many cases, and goes with an event in the same transaction; the callers write that through
``cases.store.apply``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text, update

from cases.tables import CaseRow, CaseTask
from config.database import Connection

_PUT_OFF = text("""
UPDATE cases AS c SET due_at = :later, parked_at = :now, parked_why = u.why
FROM unnest(CAST(:ids AS bigint[]), CAST(:whys AS text[])) AS u(id, why) WHERE c.id = u.id
""")
_LET_IN = text("""
UPDATE cases SET restricted_to = restricted_to || owner_id
WHERE id = ANY(CAST(:ids AS bigint[])) AND restricted_to IS NOT NULL AND owner_id <> ALL(restricted_to)
""")
_TO_MEMBER = text("""
UPDATE cases AS c SET member_id = u.member_id
FROM unnest(CAST(:ids AS bigint[]), CAST(:members AS bigint[])) AS u(id, member_id) WHERE c.id = u.id
""")
_TO_TEAM = text("""
UPDATE cases AS c SET team = u.team
FROM unnest(CAST(:ids AS bigint[]), CAST(:teams AS text[])) AS u(id, team) WHERE c.id = u.id
""")
_NEW_NAME = text("""
WITH held AS (SELECT id FROM cases WHERE team = :old ORDER BY id FOR NO KEY UPDATE)
UPDATE cases SET team = :new FROM held WHERE cases.id = held.id
""")


def put_off(conn: Connection, whys: Mapping[int, str], *, until: datetime, now: datetime) -> None:
    """Park cases until an instant, each with its reason on the row for everybody to see."""
    if whys:
        conn.execute(_PUT_OFF, {"later": until, "now": now, "ids": list(whys), "whys": list(whys.values())})


def restrict(conn: Connection, case_id: int, to: Sequence[int] | None) -> None:
    """Let only these members of staff see a case, or everybody whom the rules allow with None."""
    conn.execute(update(CaseRow).where(CaseRow.id == case_id).values(restricted_to=to))


def set_end(conn: Connection, case_id: int, closed_at: datetime | None) -> None:
    """Write when a case was closed, or that it is open."""
    conn.execute(update(CaseRow).where(CaseRow.id == case_id).values(closed_at=closed_at))


def set_parent(conn: Connection, case_id: int, parent_id: int) -> None:
    """Write which campaign a case belongs to."""
    conn.execute(update(CaseRow).where(CaseRow.id == case_id).values(parent_id=parent_id))


def close_task(conn: Connection, number: int, *, by: str, now: datetime) -> None:
    """Close one task."""
    conn.execute(update(CaseTask).where(CaseTask.id == number).values(closed_at=now, closed_by=by))


def let_owners_in(conn: Connection, ids: Sequence[int]) -> None:
    """Name the owners of restricted cases among those who may see them."""
    conn.execute(_LET_IN, {"ids": list(ids)})


def give_to_members(conn: Connection, members: Mapping[int, int]) -> None:
    """Move cases to other members: member ids by case id."""
    if members:
        conn.execute(_TO_MEMBER, {"ids": list(members), "members": list(members.values())})


def give_to_teams(conn: Connection, teams: Mapping[int, str]) -> None:
    """Move cases to other teams: names of teams by case id."""
    if teams:
        conn.execute(_TO_TEAM, {"ids": list(teams), "teams": list(teams.values())})


def rename_team(conn: Connection, old: str, new: str) -> None:
    """Call a team by another name on all its cases. Nothing happens to them by that: the record of teams says it."""
    conn.execute(_NEW_NAME, {"old": old, "new": new})

"""What changed on all members that somebody may see, in the order in which it was written: for who follows along."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from config.database import Engine, reading
from config.settled import settled, stretches
from members.tables import ChangeLog, Member
from members.visibility import visible_members
from state_machines.values import Actor

LOOKED_AT_ONCE = 2000
"""Changes, seen or not."""


@dataclass(frozen=True, slots=True)
class MemberChange:
    """That fields of a member, or its contacts, were changed."""

    ref: str
    version: int
    """The version the member is at now."""
    at: datetime
    actor: str
    fields: list[str]


@dataclass(frozen=True)
class Followed:
    """Some changes, where the next begin, and whether there are more already."""

    changes: list[MemberChange]
    after: int
    more: bool


def newest(engine: Engine) -> int | None:
    """Return where what was changed so far ends; None while somebody is long at writing."""
    return settled(engine, ChangeLog)


def changed_since(
    engine: Engine, after: int, *, limit: int = 50, lent: Collection[str] = (), viewer: Actor
) -> Followed:
    """Return what was changed after one place on members the viewer may see. Nothing is left out or told twice."""
    until = newest(engine)
    if until is None or until <= after:
        return Followed([], after, False)
    columns = (ChangeLog.id, Member.ref, Member.version, ChangeLog.at, ChangeLog.actor, ChangeLog.changes)
    found = select(*columns).join(Member, Member.id == ChangeLog.member_id).where(visible_members(viewer, lent))
    rows: Sequence[Any] = ()
    with reading(engine) as conn:
        for begin, last in stretches(after, until, size=LOOKED_AT_ONCE):
            between = found.where(ChangeLog.id > begin, ChangeLog.id <= last).order_by(ChangeLog.id)
            if rows := conn.execute(between.limit(limit + 1)).all():
                break
    told = [MemberChange(row.ref, row.version, row.at, row.actor, sorted(row.changes)) for row in rows[:limit]]
    if len(rows) > limit:
        return Followed(told, rows[limit - 1].id, True)
    return Followed(told, last, last < until)

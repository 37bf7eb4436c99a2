"""What changed on all members that somebody may see, in the order in which it was written: for who follows along."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from config.database import Engine, reading
from config.settled import Followed, read_on, settled
from members.tables import ChangeLog, Member
from members.visibility import visible_members
from state_machines.values import Actor


@dataclass(frozen=True, slots=True)
class MemberChange:
    """That fields of a member, or its contacts, were changed."""

    ref: str
    version: int
    """The version the member is at now."""
    at: datetime
    actor: str
    fields: list[str]


def newest(engine: Engine) -> int | None:
    """Return where what was changed so far ends; None while somebody is long at writing."""
    return settled(engine, ChangeLog)


def changed_since(
    engine: Engine, after: int, *, limit: int = 50, lent: Collection[str] = (), viewer: Actor
) -> Followed[MemberChange]:
    """Return what was changed after one place on members the viewer may see. Nothing is left out or told twice."""
    until = newest(engine)
    if until is None or until <= after:
        return Followed([], after, False)
    columns = (ChangeLog.id, Member.ref, Member.version, ChangeLog.at, ChangeLog.actor, ChangeLog.changes)
    found = select(*columns).join(Member, Member.id == ChangeLog.member_id).where(visible_members(viewer, lent))
    with reading(engine) as conn:
        return read_on(conn, found, ChangeLog.id, after=after, until=until, limit=limit, of=_of)


def _of(row: Any) -> MemberChange:
    return MemberChange(row.ref, row.version, row.at, row.actor, sorted(row.changes))

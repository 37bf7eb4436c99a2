"""Putting right what people's comings and goings leave behind: cases whose owner has left, or whose member was merged.

Both would be put right by the next thing that happens to such a case; this does it at once, and each night.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, text

from cases.commands import plain_change
from cases.environment import Environment, World, world
from cases.locking import Locked, lock_ids
from cases.rows import person_of
from cases.store import apply, owner_after
from cases.tables import CaseRow
from cases.writing import Change
from config.database import Connection, reading, transaction
from members.tables import Member, Staff
from state_machines.values import SYSTEM

BATCH = 500


def hand_over(env: Environment, *, now: datetime) -> int:
    """Give every open case whose owner has left to whom the rules name, and return how many these were."""
    left = CaseRow.owner_id.in_(select(Staff.id).where(Staff.status != "active"))
    done = 0
    for ids in _open_where(env, left):
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            changes = [change for found in lock_ids(conn, ids) if (change := _handed_over(found, here)) is not None]
            apply(conn, changes, here)
            conn.execute(_LET_IN, {"ids": [change.outcome.after.id for change in changes]})
            done += len(changes)
    return done


def _handed_over(found: Locked, here: World) -> Change | None:
    if found.row.closed_at is not None:
        return None
    change = plain_change(found, found.case, "handed_over", {}, {}, actor=SYSTEM, now=here.now)
    owner, coordinator = owner_after(change.outcome, found, here)
    if owner == found.owner_id:
        return None
    details: dict[str, Any] = {"from": person_of(found.owner_id), "to": person_of(owner)}
    if found.row.restricted_to is not None and owner not in found.row.restricted_to:
        details["let_in"] = person_of(owner)  # nobody who might see it is left
    change = plain_change(found, found.case, "handed_over", details, {}, actor=SYSTEM, now=here.now)
    return replace(change, owner_id=owner, coordinator_id=coordinator)


_LET_IN = text("""
UPDATE cases SET restricted_to = restricted_to || owner_id
WHERE id = ANY(CAST(:ids AS bigint[])) AND restricted_to IS NOT NULL AND owner_id <> ALL(restricted_to)
""")
_TO_KEPT = text("""
UPDATE cases AS c SET member_id = m.merged_into FROM members m
WHERE m.id = c.member_id AND m.merged_into IS NOT NULL AND c.id = ANY(CAST(:ids AS bigint[]))
""")
_THEIR_MAIL = text("""
UPDATE messages AS o SET member_id = c.member_id FROM cases c
WHERE c.id = o.case_id AND o.state = 'queued' AND c.id = ANY(CAST(:ids AS bigint[]))
""")


def follow_merges(env: Environment, *, now: datetime) -> int:
    """Move the open cases of members that were merged to the member they live on as; return how many these were."""
    merged = CaseRow.member_id.in_(select(Member.id).where(Member.merged_into.is_not(None)))
    done = 0
    for ids in _open_where(env, merged):
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = [found for found in lock_ids(conn, ids) if found.row.closed_at is None]
            apply(conn, _merged(conn, locked, here), here)
            moved = {"ids": [found.case.id for found in locked]}
            conn.execute(_TO_KEPT, moved)
            conn.execute(_THEIR_MAIL, moved)
            done += len(locked)
    return done


def _merged(conn: Connection, locked: list[Locked], here: World) -> list[Change]:
    kept = dict(
        conn.execute(select(Member.id, Member.merged_into).where(Member.id.in_([x.case.member_id for x in locked])))
        .tuples().all()
    )  # fmt: skip
    return [
        plain_change(
            found, found.case, "member_merged", {"from": found.case.member_id, "to": kept[found.case.member_id or 0]},
            {}, actor=SYSTEM, now=here.now,
        )
        for found in locked
    ]  # fmt: skip


def _open_where(env: Environment, condition: ColumnElement[bool]) -> list[list[int]]:
    with reading(env.engine) as conn:
        wanted = select(CaseRow.id).where(condition, CaseRow.closed_at.is_(None)).order_by(CaseRow.id)
        ids = list(conn.execute(wanted).scalars())
    return [ids[n : n + BATCH] for n in range(0, len(ids), BATCH)]

"""Putting right what is not one case alone: messages, cases that belong together, and work that was never finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, or_, select, text, update

from cases import facts as case_facts
from cases import side_writes, store
from cases.commands import plain_change
from cases.environment import World
from cases.locking import Locked, lock_ids
from cases.repairing.in_order import REPAIRED, Irreparable, Mended
from cases.tables import JobRun
from config import clock
from config.database import Connection
from notifications.tables import QUEUED, SENDING, SUPPRESSED, MessageRow
from state_machines.engine import decide
from state_machines.registry import process_named, processes
from state_machines.values import SYSTEM, Refused

NO_CASE = "no_case"
"""Why a message is set aside whose case is not there."""
LEASE_OVER = clock.parse_duration("5m")


def note(conn: Connection, found: Locked, details: Mapping[str, Any], here: World) -> None:
    """Write on a case what a repair did beside it."""
    change = plain_change(found, found.case, REPAIRED, details, {}, actor=SYSTEM, now=here.now)
    store.apply(conn, [change], here)


# --- messages


def set_aside(conn: Connection, number: int, here: World) -> Mended | None:
    """End a message whose case is not there: it is not sent."""
    values = {"state": SUPPRESSED, "reason": NO_CASE, "decided_at": here.now}
    return _message(conn, number, values, MessageRow.state.in_([QUEUED, SENDING]), here)


def release(conn: Connection, number: int, here: World) -> Mended | None:
    """Put a message back into the queue that a delivery has left behind."""
    return _message(conn, number, {"state": QUEUED, "to_email": None}, _left_behind(), here)


def _left_behind() -> ColumnElement[bool]:
    """A delivery that took it up meanwhile has a lease of its own: it may be sending at this moment."""
    over = or_(MessageRow.lease_until.is_(None), MessageRow.lease_until < clock.utc_now() - LEASE_OVER)
    return (MessageRow.state == SENDING) & over


def _message(
    conn: Connection, number: int, values: Mapping[str, Any], which: ColumnElement[bool], here: World
) -> Mended | None:
    mine = (MessageRow.id == number, which)
    row = conn.execute(select(MessageRow.state, MessageRow.case_id).where(*mine).with_for_update()).one_or_none()
    if row is None:
        return None
    conn.execute(update(MessageRow).where(*mine).values(**values, lease_by=None, lease_until=None))
    mended = Mended({"message": row.state}, {"message": values["state"]})
    for found in lock_ids(conn, [row.case_id] if row.case_id is not None else []):
        note(conn, found, {"message": number, "was": dict(mended.before), "is": dict(mended.after)}, here)
    return mended


def abandoned(conn: Connection) -> list[int]:
    """Return the messages whose lease ran out some time ago."""
    wanted = select(MessageRow.id).where(_left_behind(), MessageRow.lease_until.is_not(None))
    return list(conn.execute(wanted.order_by(MessageRow.id)).scalars())


# --- cases that belong together

_CAMPAIGNS = text("""
SELECT p.id, p.ref FROM campaign_members m JOIN cases p ON p.id = m.campaign_id
WHERE m.member_id = :member AND m.included AND p.process = ANY(CAST(:parents AS text[]))
  AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.parent_id = p.id AND c.member_id = m.member_id)
ORDER BY p.id
""")


def link_to_campaign(conn: Connection, found: Locked, here: World) -> Mended | None:
    """Link a member's case to the one campaign that asks this member. Raises Irreparable unless there is one."""
    if found.case.parent_id is not None:
        return None
    parents = [p.name for p in processes().values() if p.child is not None and p.child.name == found.case.process]
    rows = conn.execute(_CAMPAIGNS, {"member": found.case.member_id, "parents": parents}).all()
    if len(rows) != 1:
        many = ", ".join(row.ref for row in rows)
        raise Irreparable(f"it may belong to {many}." if many else "no campaign asks this member for it.")
    mended = Mended({"campaign": None}, {"campaign": rows[0].ref})
    note(conn, found, {"found": "child_without_parent", "was": dict(mended.before), "is": dict(mended.after)}, here)
    side_writes.set_parent(conn, found.case.id, rows[0].id)
    return mended


def end_with_campaign(conn: Connection, found: Locked, here: World) -> Mended | None:
    """End a case as its campaign ended: closed or cancelled. Raises Irreparable when its process refuses."""
    [parent] = lock_ids(conn, [found.case.parent_id] if found.case.parent_id is not None else [])
    trigger = "campaign_cancelled" if parent.case.state == "cancelled" else "campaign_closed"
    return fired(conn, found, trigger, {}, here)


_NEWER = text("""
SELECT b.ref, b.data ->> 'number' AS number FROM cases a JOIN cases b ON b.id > a.id AND b.process = a.process
  AND b.state = 'effective' AND lower(b.data ->> 'title') = lower(a.data ->> 'title')
WHERE a.id = :id AND a.state = 'effective' ORDER BY b.id DESC LIMIT 1
""")


def supersede(conn: Connection, found: Locked, here: World) -> Mended | None:
    """Let the newest version of a document take the place of an older one. Raises Irreparable when that is refused."""
    newer = conn.execute(_NEWER, {"id": found.case.id}).one_or_none()
    if newer is None:
        return None
    payload = {"superseded_by": newer.ref, "superseded_by_number": newer.number}
    return fired(conn, found, "supersede", payload, here)


def fired(conn: Connection, found: Locked, trigger: str, payload: Mapping[str, Any], here: World) -> Mended:
    """Pull a trigger as Muster itself. Raises Irreparable with the rule's sentence."""
    facts = case_facts.gather(conn, [found.case], now=here.now)[found.case.id]
    outcome = decide(
        process_named(found.case.process), found.case, trigger, payload=payload, actor=SYSTEM,
        context=here.context(facts), now=here.now,
    )  # fmt: skip
    if isinstance(outcome, Refused):
        raise Irreparable(outcome.sentence)
    store.apply(conn, [store.change_of(outcome, found, here)], here)
    return Mended({"state": found.case.state}, {"state": outcome.after.state})


# --- work


def give_up_jobs(conn: Connection, job: str) -> Mended | None:
    """Write down that work which was begun a day ago and never came to its end was given up."""
    real = clock.utc_now()
    stale = (JobRun.job == job, JobRun.finished_at.is_(None), JobRun.started_at < real - clock.parse_duration("1d"))
    given_up = update(JobRun).where(*stale).values(finished_at=real, result={"given_up": True})
    periods = list(conn.execute(given_up.returning(JobRun.period)).scalars())
    return Mended({"unfinished": sorted(periods)}, {"unfinished": []}) if periods else None

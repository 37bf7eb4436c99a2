"""Members who leave the register or become part of another while a campaign asks them: a person says who counts.

Nobody drops out of the denominator by themselves. The coordinator gets a task, once for each change of the register.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select

from cases.commands import plain_change
from cases.environment import Environment, World, world
from cases.locking import Locked, lock_ids
from cases.store import apply
from cases.tables import CaseRow
from cases.writing import Change
from config.database import Connection, transaction
from members import store as member_store
from members.cards import MemberCard
from members.tables import Member
from notifications.eligibility import LEFT
from state_machines.deadlines import Allowance, due_instant
from state_machines.registry import processes
from state_machines.standing import LEFT_OUT, Standing
from state_machines.values import SYSTEM, Role, Task

KIND = "who_counts"
WITHIN = "WD(5)"
BATCH = 500
_WORDS = {"left": "has left", "terminated": "was expelled", "merged": "has become part of another member"}


def ask_who_counts(env: Environment, *, now: datetime) -> int:
    """Ask about every member of a running campaign who is a member no longer; return how many tasks were given."""
    done = 0
    while True:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = lock_ids(conn, _gone(conn))
            cards = member_store.member_card(conn, sorted({found.case.member_id or 0 for found in locked}))
            apply(conn, [_asked(found, cards[found.case.member_id or 0], here) for found in locked], here)
        done += len(locked)
        if len(locked) < BATCH:
            return done


def _gone(conn: Connection) -> list[int]:
    """Open cases of campaigns whose member is one no longer, and about whom nobody was asked yet."""
    children = [process.child for process in processes().values() if process.child is not None]
    states = {s for child in children for s in child.states_in(*set(Standing) - LEFT_OUT)}
    wanted = (
        select(CaseRow.id).join(Member, Member.id == CaseRow.member_id)
        .where(CaseRow.closed_at.is_(None), CaseRow.parent_id.is_not(None), Member.status.in_(sorted(LEFT)),
               CaseRow.process.in_(sorted(child.name for child in children)), CaseRow.state.in_(sorted(states)),
               func.coalesce(CaseRow.data["register_status"].as_string(), "") != Member.status)
        .order_by(CaseRow.id).limit(BATCH)
    )  # fmt: skip
    return list(conn.execute(wanted).scalars())


def _asked(found: Locked, card: MemberCard, here: World) -> Change:
    due = due_instant(Allowance.parse(WITHIN), here.now, here.env.calendar)
    what = _WORDS.get(card.status, "is a member no longer")
    task = Task(KIND, f"{card.name} {what}: a manager says whether it still counts in the campaign",
                Role.COORDINATOR, due)  # fmt: skip
    told = {"register_status": card.status}
    after = replace(found.case, data={**found.case.data, **told})
    return plain_change(found, after, "register_changed", {"data": told}, {}, (task,), actor=SYSTEM, now=here.now)

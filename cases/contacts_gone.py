"""What a contact who has left means for the open cases of its member: the next contact is written to at once."""

from __future__ import annotations

from datetime import datetime

from cases import facts as case_facts
from cases.environment import Environment, world
from cases.locking import lock_where
from cases.store import apply, change_of
from cases.tables import CaseRow
from config.database import transaction
from state_machines.engine import decide
from state_machines.registry import process_named, processes
from state_machines.values import SYSTEM, Refused

LOST = "contact_lost"


def contact_gone(env: Environment, member_id: int, contact_id: int, *, status: str = "left", now: datetime) -> int:
    """Turn every open case of a member away from a contact who is not there any more; return how many turned.

    Done after the register says so, and harmless when it is done twice: a contact is turned away from once.
    """
    names = [name for name, process in processes().items() if any(t.trigger == LOST for t in process.transitions)]
    theirs = (CaseRow.member_id == member_id) & CaseRow.closed_at.is_(None) & CaseRow.process.in_(names)
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = lock_where(conn, theirs)
        gathered = case_facts.gather(conn, [found.case for found in locked], now=here.now)
        changes = []
        for found in locked:
            if contact_id in (found.case.data.get("contacts_lost") or ()):
                continue
            outcome = decide(
                process_named(found.case.process), found.case, LOST, payload={"contact": contact_id, "status": status},
                actor=SYSTEM, context=here.context(gathered[found.case.id]), now=here.now,
            )  # fmt: skip
            if not isinstance(outcome, Refused):
                changes.append(change_of(outcome, found, here))
        apply(conn, changes, here)
        return len(changes)

"""Carrying out that something is not to happen, case by case and on the record. It may be interrupted and goes on."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import select, update

from cases import facts as case_facts
from cases import store
from cases.breaker.tables import DECLINED, HeldCase, SweepHold
from cases.environment import Environment, World, world
from cases.locking import Locked, lock_ids
from cases.rows import staff_id_of
from cases.writing import Change
from config.database import Connection, transaction
from state_machines.not_now import not_now
from state_machines.registry import process_named
from state_machines.values import Actor, Refused

log = logging.getLogger(__name__)
BATCH = 500


def carry_on(env: Environment, number: int, *, now: datetime) -> int:
    """Do what was decided about the cases of a declined hold that still wait, and return how many these were."""
    done = 0
    while True:
        with transaction(env.engine) as conn:
            wanted = select(SweepHold.__table__).where(SweepHold.id == number, SweepHold.state == DECLINED)
            row = conn.execute(wanted.with_for_update()).one_or_none()
            ids = _next(conn, number) if row is not None else {}
            if row is None or not ids:
                return done
            here = world(conn, env, now)
            actor = here.staffing.actor(staff_id_of(row.decided_by) or 0, staff_id_of(row.on_behalf_of))
            locked = [each for each in lock_ids(conn, ids) if each.row.due_at == ids[each.case.id]]
            store.apply(conn, _changes(conn, locked, row.reason, row.until, actor, here), here)
            mine = (HeldCase.hold_id == number) & HeldCase.case_id.in_(ids)
            conn.execute(update(HeldCase).where(mine).values(waiting=False))
            done += len(locked)


def _next(conn: Connection, number: int) -> dict[int, datetime]:
    wanted = select(HeldCase.case_id, HeldCase.due_at).where(HeldCase.hold_id == number, HeldCase.waiting)
    return {row.case_id: row.due_at for row in conn.execute(wanted.order_by(HeldCase.case_id).limit(BATCH))}


def _changes(
    conn: Connection, locked: list[Locked], reason: str, until: datetime, actor: Actor, here: World
) -> list[Change]:
    gathered = case_facts.gather(conn, [each.case for each in locked], now=here.now)
    found = []
    for each in locked:
        try:
            outcome = not_now(
                process_named(each.case.process), each.case, until=max(until, here.now), why=reason, actor=actor,
                context=here.context(gathered[each.case.id]), now=here.now,
            )  # fmt: skip
        except Exception:  # a broken case must not keep the others held; the sweep parks it and says why
            log.exception("A case that was held back could not be decided.", extra={"case_ref": each.case.ref})
            continue
        if isinstance(outcome, Refused) or outcome is None:
            continue
        found.append(store.change_of(outcome, each, here))
    return found

"""What a sweep asks before it begins, and what it counts: too much that nobody has foreseen is held back.

A sweep with nothing unusual costs one small statement here. What is held back are cases, each due at an instant:
a case that was moved meanwhile is not held any more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, text, update
from sqlalchemy.orm import InstrumentedAttribute

from cases.breaker import telling
from cases.breaker.carrying_out import carry_on
from cases.breaker.tables import DECLINED, OPEN, OVER, HeldCase, SweepHold, SweepTally
from cases.breaker.values import Facts
from cases.breaker.weighing import Load, Looked, Weight, does_something, due, late_before, look, perhaps_too_much
from cases.environment import Environment, World, world
from cases.tables import CaseRow
from cases.writing import Change
from config.database import Connection, reading, transaction

log = logging.getLogger(__name__)

_ONE_AT_A_TIME = 770_061
KEPT = timedelta(days=1)

_HOLD = text("""
INSERT INTO held_cases (case_id, due_at, hold_id, waiting)
SELECT u.id, u.due_at, :hold, true FROM unnest(CAST(:ids AS bigint[]), CAST(:dues AS timestamptz[])) AS u(id, due_at)
JOIN cases c ON c.id = u.id AND c.due_at = u.due_at
ON CONFLICT (case_id) DO UPDATE SET due_at = excluded.due_at, hold_id = excluded.hold_id, waiting = true
""")
_COUNT = text("""
WITH forgotten AS (DELETE FROM sweep_tallies WHERE id IN (
  SELECT id FROM sweep_tallies WHERE at < :day_ago FOR UPDATE SKIP LOCKED))
INSERT INTO sweep_tallies (process, at, late, on_time)
SELECT u.process, :now, count(*) FILTER (WHERE u.due_at < :late), count(*) FILTER (WHERE u.due_at >= :late)
FROM unnest(CAST(:ids AS bigint[]), CAST(:processes AS text[]), CAST(:dues AS timestamptz[])) AS u(id, process, due_at)
WHERE NOT EXISTS (SELECT 1 FROM held_cases h WHERE h.case_id = u.id AND h.due_at = u.due_at)
GROUP BY u.process RETURNING process, late
""")


def hold_back(env: Environment, now: datetime) -> None:
    """Hold back what nobody has foreseen and is more than the policy lets go by, and tell who decides about it."""
    with reading(env.engine) as conn:
        found = due(conn, env, now)
    if found.something_waits:
        _tend(env, now)
    if env.policy.breaker.enabled and any(perhaps_too_much(env, weight) for weight in found.weights):
        with transaction(env.engine) as conn:
            conn.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ONE_AT_A_TIME})
            here = world(conn, env, now)
            for weight in due(conn, env, now).weights:  # again: another sweep may just have held it back
                if perhaps_too_much(env, weight):
                    _weigh(conn, weight, here)


def _weigh(conn: Connection, weight: Weight, here: World) -> None:
    found = look(conn, here, weight.process)
    why, loads = _too_much(weight, found, here.env)
    if not loads:
        return
    facts = Facts.of(why, loads)
    ids = {case_id: at for load in loads for case_id, at in load.ids.items()}
    number, new = _row(conn, weight.process, facts, len(ids), here.now)
    conn.execute(_HOLD, {"hold": number, "ids": list(ids), "dues": list(ids.values())})
    if new:
        telling.tell(conn, number, weight.process, len(ids), facts, here)
    log.warning("%s cases of the process %s are held back until a manager decides (number %s).",
                len(ids), weight.process, number)  # fmt: skip


def _too_much(weight: Weight, found: Looked, env: Environment) -> tuple[list[Mapping[str, Any]], list[Load]]:
    """What of it is held back, and why."""
    rules = env.policy.breaker
    asked: tuple[str, Load, int, int] = ("asked", found.asked, 0, 0)
    late = ("late", found.late, weight.late_done, rules.late_limit(weight.process))
    on_time = ("on_time", found.on_time, weight.on_time_done, rules.on_time_limit(weight.process, found.open_cases))
    why: list[Mapping[str, Any]] = []
    loads = []
    for what, load, done, limit in (asked, late, on_time):
        if load.ids and len(load.ids) + done > limit:
            why.append({"what": what, "cases": len(load.ids), "done": done, "limit": limit})
            loads.append(load)
    return why, loads


def _row(conn: Connection, process: str, facts: Facts, cases: int, now: datetime) -> tuple[int, bool]:
    """The row of what is held back of this process, made where there is none; whether it is new."""
    waiting = select(SweepHold.__table__).where(SweepHold.process == process, SweepHold.state == OPEN)
    row = conn.execute(waiting.with_for_update()).one_or_none()
    if row is None:
        values = {"process": process, "raised_at": now, "cases": cases, "facts": facts.to_json()}
        return conn.execute(insert(SweepHold).values(**values).returning(SweepHold.id)).scalar_one(), True
    more = Facts.stored(row.facts).and_also(facts).to_json()
    conn.execute(update(SweepHold).where(SweepHold.id == row.id).values(cases=SweepHold.cases + cases, facts=more))
    return int(row.id), False


class NotWeighed(Exception):
    """More became late while a sweep was at work than may go by without a question; the next sweep weighs it first."""


def count(conn: Connection, changes: Sequence[Change], here: World) -> None:
    """Count the cases of a batch that nobody had foreseen and for which something was done; part of its transaction.

    Raises NotWeighed when too many of them are late: they came after this sweep had asked what there is to do.
    """
    if not here.env.policy.breaker.enabled:
        return
    border = late_before(here.env, here.now)
    found = [c for c in changes if _unforeseen(c, border) and does_something(c.outcome)]
    if not found:
        return
    counted = conn.execute(_COUNT, {
        "now": here.now, "day_ago": here.now - KEPT, "late": border, "ids": [c.outcome.after.id for c in found],
        "processes": [c.outcome.after.process for c in found], "dues": _dues(found),
    })  # fmt: skip
    if late := [row.process for row in counted if row.late]:
        _require_few(conn, late, here)


def _require_few(conn: Connection, processes: Sequence[str], here: World) -> None:
    rules = here.env.policy.breaker
    since = here.now - timedelta(minutes=rules.within_minutes)
    done = select(SweepTally.process, func.sum(SweepTally.late).label("late")).where(
        SweepTally.process.in_(processes), SweepTally.at > since, SweepTally.at <= here.now
    )
    if any(row.late > rules.late_limit(row.process) for row in conn.execute(done.group_by(SweepTally.process))):
        raise NotWeighed


def _unforeseen(change: Change, border: datetime) -> bool:
    row = change.locked.row if change.locked is not None else None
    return row is not None and (row.parent_id is None or row.due_at < border)


def _dues(changes: Iterable[Change]) -> list[datetime]:
    return [change.locked.row.due_at for change in changes if change.locked is not None]


# ------------------------------------------------------------------------------------------- while something waits


def _tend(env: Environment, now: datetime) -> None:
    """Look after what waits: end what is over, go on with what was declined, tell seniors when nobody decides."""
    with transaction(env.engine) as conn:
        conn.execute(delete(HeldCase).where(HeldCase.waiting, HeldCase.due_at > now))  # the clock was set right
        rows = conn.execute(select(SweepHold.__table__).where(_concerns()).order_by(SweepHold.id)).all()
    for row in rows:
        if row.state == DECLINED:
            carry_on(env, row.id, now=now)
        elif not _still_due(env, row.id):
            _end(env, row.id, now)
        elif row.seniors_told_at is None and now - row.raised_at >= _patience(env):
            _tell_seniors(env, row.id, now)


def _concerns() -> Any:
    unfinished = exists().where(HeldCase.hold_id == SweepHold.id, HeldCase.waiting)
    return (SweepHold.state == OPEN) | ((SweepHold.state == DECLINED) & unfinished)


def _patience(env: Environment) -> timedelta:
    return timedelta(hours=env.policy.breaker.senior_after_hours)


def _still_due(env: Environment, number: int) -> bool:
    with reading(env.engine) as conn:
        return conn.execute(select(exists().where(live(number)))).scalar_one()


def live(number: int | InstrumentedAttribute[int]) -> Any:
    """Return the condition on ``held_cases`` and ``cases`` that a case still waits in this hold."""
    return (
        (HeldCase.hold_id == number) & HeldCase.waiting & (CaseRow.id == HeldCase.case_id)
        & (CaseRow.due_at == HeldCase.due_at)
    )  # fmt: skip


def _end(env: Environment, number: int, now: datetime) -> None:
    """Nothing of it is due any more: people moved the cases, or what made them due was put right."""
    this = (SweepHold.id == number) & (SweepHold.state == OPEN)
    with transaction(env.engine) as conn:
        conn.execute(select(SweepHold.id).where(this).with_for_update())  # first: another sweep may be adding to it
        ended = update(SweepHold).where(this, ~exists().where(live(number))).values(state=OVER, decided_at=now)
        if conn.execute(ended).rowcount:
            conn.execute(delete(HeldCase).where(HeldCase.hold_id == number))


def _tell_seniors(env: Environment, number: int, now: datetime) -> None:
    with transaction(env.engine) as conn:
        wanted = update(SweepHold).where(
            SweepHold.id == number, SweepHold.state == OPEN, SweepHold.seniors_told_at.is_(None)
        )
        row = conn.execute(wanted.values(seniors_told_at=now).returning(*SweepHold.__table__.c)).one_or_none()
        if row is not None:
            cases = conn.execute(select(func.count()).select_from(HeldCase).where(live(number))).scalar_one()
            telling.tell(conn, number, row.process, cases, Facts.stored(row.facts), world(conn, env, now), again=True)

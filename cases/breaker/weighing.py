"""Weighing what is due: how much of it nobody has foreseen, and what it would do. Nothing is written here.

*Foreseen* is what comes when it was to come, in a campaign: it stood in the calendar, on the case and in the rehearsal.
Two things were not: a case that is found *late*, whatever the reason (a standstill, a machine whose clock is a year
ahead, a policy that made deadlines shorter, an import of old cases), and very many cases outside campaigns at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, text, tuple_

from cases import facts as case_facts
from cases.breaker.waiting import is_known
from cases.environment import Environment, World
from cases.locking import COLUMNS, Locked, locked_of
from cases.tables import CaseRow
from config.database import Connection
from state_machines.catching_up import is_late
from state_machines.clockwork import soonest_due
from state_machines.engine import advance
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Case, Context, Outcome

ESCALATIONS = frozenset({"case_overdue", "case_escalated"})
"""The messages that tell somebody above the owner of a case that is late."""
CHUNK = 2_000
NEW = timedelta(days=1)
"""Who entered a case so shortly before is who caused that it is late."""

_DUE = text("""
WITH due AS (
  SELECT process, count(*) FILTER (WHERE due_at < :late) AS late, count(*) FILTER (WHERE due_at >= :late) AS on_time
  FROM cases c WHERE due_at <= :now AND (due_at < :late OR parent_id IS NULL) AND NOT EXISTS (
    SELECT 1 FROM held_cases h WHERE h.case_id = c.id AND h.due_at = c.due_at)
  GROUP BY process),
done AS (
  SELECT process, sum(late) AS late, sum(on_time) AS on_time FROM sweep_tallies
  WHERE at > :since AND at <= :now GROUP BY process)
SELECT due.process, due.late, due.on_time, coalesce(done.late, 0) AS late_done,
  coalesce(done.on_time, 0) AS on_time_done
FROM due LEFT JOIN done USING (process)
UNION ALL SELECT NULL, count(*), 0, 0, 0 FROM held_cases WHERE waiting HAVING count(*) > 0
""")
"""One statement, so one picture: a case is either still due or counted, whoever sweeps at the same moment."""


@dataclass(frozen=True)
class Weight:
    """How much of one process is due that nobody has foreseen, and how much of it went by within the hour."""

    process: str
    late: int
    on_time: int
    late_done: int
    on_time_done: int


@dataclass(frozen=True)
class Due:
    """What is due: by process, and whether something is held back already."""

    weights: tuple[Weight, ...]
    something_waits: bool


def late_before(env: Environment, now: datetime) -> datetime:
    """Return the instant before which what is due now is late."""
    return now - timedelta(hours=env.policy.breaker.late_hours)


def due(conn: Connection, env: Environment, now: datetime) -> Due:
    """Return what is due that nobody has foreseen, and is not held back or let go already."""
    since = now - timedelta(minutes=env.policy.breaker.within_minutes)
    rows = conn.execute(_DUE, {"now": now, "late": late_before(env, now), "since": since}).all()
    found = [Weight(r.process, r.late, r.on_time, int(r.late_done), int(r.on_time_done)) for r in rows if r.process]
    return Due(tuple(found), len(found) < len(rows))


def perhaps_too_much(env: Environment, weight: Weight) -> bool:
    """Whether it is worth looking what these cases would do; the numbers are an upper bound."""
    rules = env.policy.breaker
    return (
        weight.late + weight.late_done > rules.late_limit(weight.process)
        or weight.on_time + weight.on_time_done > rules.on_time_floor(weight.process)
        or (weight.late > 0 and bool({"*", weight.process} & env.policy.asking))
    )


@dataclass
class Load:
    """What cases would do, and which these are: ids with the instant at which each is due."""

    ids: dict[int, datetime] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    triggers: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    entered_by: Counter[str] = field(default_factory=Counter)
    """Who entered cases that are late from their first day."""
    escalations: int = 0

    def add(self, locked: Locked, outcome: Outcome, now: datetime) -> None:
        """Take in one case."""
        self.ids[locked.case.id] = locked.row.due_at
        for step in outcome.steps:
            self.messages.update(message.kind for message in step.messages)
            if step.kind == "transition":
                self.triggers[step.trigger] += 1
        self.escalations += any(m.kind in ESCALATIONS for step in outcome.steps for m in step.messages)
        if outcome.after.state != outcome.before.state:
            self.moves[f"{outcome.before.state}>{outcome.after.state}"] += 1
        if now - locked.case.opened_at < NEW and (people := locked.case.people.get("open")):
            self.entered_by[people[-1]] += 1


@dataclass
class Looked:
    """What the cases of one process would do: the late ones, those that ask to be asked about, those in time."""

    late: Load = field(default_factory=Load)
    asked: Load = field(default_factory=Load)
    on_time: Load = field(default_factory=Load)
    open_cases: int = 0


def look(conn: Connection, here: World, process: str) -> Looked:
    """Run the cases of a process that nobody has foreseen as the sweep would, and return what that would do."""
    found, border = Looked(open_cases=_open_cases(conn, process)), late_before(here.env, here.now)
    definition = process_named(process)
    asks = bool({"*", process} & here.env.policy.asking)
    for chunk in _unforeseen(conn, process, border, here.now):
        gathered = case_facts.gather(conn, [locked.case for locked in chunk], now=here.now)
        for locked in chunk:
            context = here.context(gathered[locked.case.id])
            outcome = would(definition, locked.case, context, here.now)
            if outcome is None or not does_something(outcome):
                continue
            if asks and _asks(definition, locked.case, context, here.now):
                found.asked.add(locked, outcome, here.now)
            else:
                (found.late if locked.row.due_at < border else found.on_time).add(locked, outcome, here.now)
    return found


def does_something(outcome: Outcome) -> bool:
    """Whether this writes to somebody, gives work or moves the case; what is only noted needs nobody's consent."""
    return outcome.after.state != outcome.before.state or any(step.messages or step.tasks for step in outcome.steps)


def would(process: Process, case: Case, context: Context, now: datetime) -> Outcome | None:
    """Return what a sweep would do to a case now; None when that is nothing."""
    try:
        return advance(process, case, context=context, now=now)
    except Exception:  # a broken case is the sweep's to park, and does nothing
        return None


def _asks(process: Process, case: Case, context: Context, now: datetime) -> bool:
    """Whether the rung that comes first is late, and of those that a manager is always asked about."""
    found = soonest_due(process, case, context=context, now=now)
    if found is None:
        return False
    clock, _, rung = found
    return context.policy.catch_up(process.name, clock.name, rung.rung).ask and is_late(rung, context, now)


def _unforeseen(conn: Connection, process: str, border: datetime, now: datetime) -> Iterator[Collection[Locked]]:
    """The cases, read and not locked: what changes meanwhile is found by the instant it is due at."""
    after: tuple[Any, int] | None = None
    while True:
        wanted = select(*COLUMNS).where(
            CaseRow.process == process, CaseRow.due_at <= now, ~is_known(),
            or_(CaseRow.due_at < border, CaseRow.parent_id.is_(None)),
        )  # fmt: skip
        if after is not None:
            wanted = wanted.where(tuple_(CaseRow.due_at, CaseRow.id) > after)
        found = [locked_of(row) for row in conn.execute(wanted.order_by(CaseRow.due_at, CaseRow.id).limit(CHUNK))]
        if found:
            yield found
        if len(found) < CHUNK:
            return
        after = found[-1].row.due_at, found[-1].case.id


def _open_cases(conn: Connection, process: str) -> int:
    counted = select(func.count()).where(CaseRow.process == process, CaseRow.closed_at.is_(None))
    return conn.execute(counted).scalar_one()

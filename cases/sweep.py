"""The sweep: fire every rung that is due. Claim a batch, decide each case, write the batch, until one comes back short.

Any number of sweeps may run at once: a claimed case is locked and skipped by the others, and a rung that has fired is a
unique row. A case that cannot be decided is parked and never stops the others.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from cases import facts as case_facts
from cases import side_writes, store
from cases.breaker import holding as breaker
from cases.breaker.waiting import is_held
from cases.clock_put_right import put_right
from cases.commands import plain_change
from cases.copies.resting import require_awake
from cases.environment import Environment, World, world
from cases.hands import hands, results
from cases.locking import Locked, claim_due, lock_ids, lock_where
from cases.nightly import moved_clocks
from cases.rows import ref_of
from cases.tables import CaseRow, Sweep
from cases.writing import Change
from config import clock
from config.database import Connection, reading, transaction
from state_machines.alike import advanced_alike
from state_machines.clockwork import recalculated
from state_machines.engine import advance, same_for
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Actor

log = logging.getLogger(__name__)

Progress = Callable[[int], None]


@dataclass
class SweepReport:
    """What one run of the sweep did."""

    now: datetime
    due: int = 0
    fired: int = 0
    not_fired: int = 0
    passed_over: int = 0
    parked: int = 0
    batches: int = 0
    by_trigger: Counter[str] = field(default_factory=Counter)
    oldest_due_at: datetime | None = None
    milliseconds: int = 0
    more: bool = False
    """The time ran out before the work did; the next run goes on."""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            "now": self.now.isoformat(), "due": self.due, "fired": self.fired, "not_fired": self.not_fired,
            "passed_over": self.passed_over, "parked": self.parked, "batches": self.batches,
            "by_trigger": dict(self.by_trigger), "milliseconds": self.milliseconds, "more": self.more,
            "oldest_due_at": self.oldest_due_at.isoformat() if self.oldest_due_at else None,
        }  # fmt: skip


LONG_SWEEP = 2
"""From so many batches on another thread is worth a connection."""


def sweep_due(
    env: Environment,
    *,
    batch: int | None = None,
    workers: int = 2,
    budget_seconds: float | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> SweepReport:
    """Fire every rung due by ``now`` (the installation's clock unless given) and return what was done.

    Writes one row of ``sweeps``, the heartbeat. With a budget it stops between batches and says that there is more.
    A long sweep is shared by so many ``workers``: threads, each with transactions of its own.
    """
    require_awake(env.engine)
    size = batch or env.policy.sweep.get("batch", 2000)
    started, began = clock.monotonic(), clock.utc_now()
    put_right(env)
    report = SweepReport(now or env.now())
    breaker.hold_back(env, report.now)
    until = None if budget_seconds is None else started + budget_seconds
    helpers = workers - 1 if _is_long(env, report.now, size) else 0
    with hands(env, helpers, sweep_batches, report.now, size, until) as helping:
        _add(report, sweep_batches(env, report.now, size, until, progress=progress))
        for part in results(helping):
            _add(report, part)
    report.milliseconds = int((clock.monotonic() - started) * 1000)
    _heartbeat(env, report, began)
    return report


def _is_long(env: Environment, now: datetime, size: int) -> bool:
    with reading(env.engine) as conn:
        beyond = select(CaseRow.id).where(CaseRow.due_at <= now, ~is_held()).order_by(CaseRow.due_at, CaseRow.id)
        return conn.execute(beyond.offset(LONG_SWEEP * size).limit(1)).first() is not None


def sweep_batches(
    env: Environment,
    now: datetime,
    size: int,
    until: float | None = None,
    stop: Event | None = None,
    progress: Progress | None = None,
) -> SweepReport:
    """Sweep batches until one comes back short, the time is up or somebody says stop."""
    report = SweepReport(now)
    while True:
        with _no_collection():
            taken = _one_batch(env, report, size)
        if progress is not None:
            progress(taken)
        if taken < size:
            return report
        if (until is not None and clock.monotonic() > until) or (stop is not None and stop.is_set()):
            report.more = True
            return report


@contextmanager
def _no_collection() -> Iterator[None]:
    """A batch makes a hundred thousand small values and no cycles; looking for cycles meanwhile costs a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _one_batch(env: Environment, report: SweepReport, size: int) -> int:
    """Sweep one batch; when writing it fails as a whole, sweep its cases one by one so that only the bad one stays."""
    claimed: list[int] = []
    try:
        with transaction(env.engine) as conn:
            here = world(conn, env, report.now)
            locked = claim_due(conn, report.now, size)
            claimed = [found.case.id for found in locked]
            part = _sweep_locked(conn, locked, here)
    except OperationalError:
        raise
    except Exception as broken:
        log.warning(
            "A batch of %s cases could not be written (%s); taking them one by one.",
            len(claimed),
            type(broken).__name__,
        )
        if not claimed:
            raise
        part = _one_by_one(env, claimed, report.now)
    _add(report, part)
    report.batches += 1
    return len(claimed)


def _add(report: SweepReport, part: SweepReport) -> None:
    for name in ("due", "fired", "not_fired", "passed_over", "parked", "batches"):
        setattr(report, name, getattr(report, name) + getattr(part, name))
    report.more = report.more or part.more
    report.by_trigger.update(part.by_trigger)
    if part.oldest_due_at and (report.oldest_due_at is None or part.oldest_due_at < report.oldest_due_at):
        report.oldest_due_at = part.oldest_due_at


def _sweep_locked(conn: Connection, locked: Sequence[Locked], here: World) -> SweepReport:
    report = SweepReport(here.now, due=len(locked))
    report.oldest_due_at = min((found.row.due_at for found in locked), default=None)
    alike = _decided_alike(locked, here)
    alone = [found.case for found in locked if found.case.id not in alike]
    gathered = case_facts.gather(conn, alone, now=here.now)
    changes: list[Change] = []
    for found in locked:
        try:
            if found.case.id in alike:
                changes.append(_same_for(found, alike[found.case.id], here))
            else:
                changes += _advanced(found, gathered[found.case.id], here)
        except Exception as broken:  # one broken case must not stop the others; it is parked and shown
            changes.append(_parked(found, broken, here))
            report.parked += 1
    breaker.count(conn, changes, here)
    store.apply(conn, changes, here)
    _put_off(conn, changes, here)
    _count(report, changes)
    return report


def _decided_alike(locked: Sequence[Locked], here: World) -> dict[int, Change]:
    """Return for cases that others of the batch are just like, by id, what happens to the first of them."""
    if len(locked) == 1:
        return {}
    groups: defaultdict[Any, list[Locked]] = defaultdict(list)
    for found in locked:
        groups[found.likeness].append(found)
    groups.pop(None, None)
    decided: dict[int, Change] = {}
    for group in groups.values():
        if len(group) > 1 and (change := _decided_once(group[0], here)) is not None:
            decided.update((found.case.id, change) for found in group)
    return decided


def _decided_once(first: Locked, here: World) -> Change | None:
    process = process_named(first.case.process)
    outcome = advanced_alike(process, first.case, context=here.context({}), now=here.now)
    return store.change_of(same_for(first.case, outcome), first, here) if outcome is not None else None


def _same_for(found: Locked, first: Change, here: World) -> Change:
    outcome = same_for(found.case, first.outcome)
    if outcome.after.state != outcome.before.state or first.owner_id != found.owner_id:
        return store.change_of(outcome, found, here)  # who gets it depends on the one case
    return Change(outcome, first.process_version, first.owner_id, first.coordinator_id, found)


def _advanced(found: Locked, facts: Any, here: World) -> list[Change]:
    process, context = process_named(found.case.process), here.context(facts)
    outcome = advance(process, found.case, context=context, now=here.now)
    if outcome is None and (clocks := recalculated(process, found.case, context)) is not None:
        return [moved_clocks(found, clocks, here)]  # a day off or a rule came in since; the night has not been yet
    if outcome is None:
        raise RuntimeError("It was due, but none of its clocks has a rung that is due.")
    return [store.change_of(outcome, found, here)]


def _parked(found: Locked, broken: Exception, here: World) -> Change:
    why = f"{type(broken).__name__}: {_told(broken)}"[:500]
    quotes = _told(broken) != str(broken)  # the database quotes the row it refused: that may be personal
    log.error("A case was parked: %s", why if quotes else type(broken).__name__,
              extra={"case_ref": found.case.ref}, exc_info=None if quotes else broken)  # fmt: skip
    return plain_change(found, found.case, "parked", {"why": why}, {}, actor=SYSTEM, now=here.now)


def _told(broken: Exception) -> str:
    """What may stand in the record for ever: of an error of the database its sentence, without rows and parameters."""
    diagnosis = getattr(getattr(broken, "orig", broken), "diag", None)
    return str(getattr(diagnosis, "message_primary", None) or broken)


def _put_off(conn: Connection, changes: Sequence[Change], here: World) -> None:
    """Let parked cases come back later."""
    parked = [c.outcome for c in changes if c.outcome.steps[0].kind == "parked"]
    whys = {outcome.after.id: str(outcome.steps[0].details["why"]) for outcome in parked}
    later = here.now + timedelta(minutes=here.env.policy.sweep.get("parked_minutes", 60))
    side_writes.put_off(conn, whys, until=later, now=here.now)


def _one_by_one(env: Environment, ids: Sequence[int], now: datetime) -> SweepReport:
    report = SweepReport(now)
    for case_id in ids:
        try:
            with transaction(env.engine) as conn:
                _add(report, _sweep_locked(conn, _still_due(conn, case_id, now), world(conn, env, now)))
        except OperationalError:
            raise
        except Exception as broken:  # the write itself fails for this case: park it in a transaction of its own
            with transaction(env.engine) as conn:
                here = world(conn, env, now)
                found = _still_due(conn, case_id, now)
                parked = [_parked(locked, broken, here) for locked in found]
                store.apply(conn, parked, here)
                _put_off(conn, parked, here)
            report.parked += 1
            report.due += 1
    return report


def _still_due(conn: Connection, case_id: int, now: datetime) -> list[Locked]:
    return [found for found in lock_ids(conn, [case_id]) if found.row.due_at is not None and found.row.due_at <= now]


def _count(report: SweepReport, changes: Sequence[Change]) -> None:
    for change in changes:
        for step in change.outcome.steps:
            if step.kind in ("not_fired", "passed_over"):
                setattr(report, step.kind, getattr(report, step.kind) + 1)
            elif step.occurrence is not None:
                report.fired += 1
                report.by_trigger[step.trigger] += 1


def _heartbeat(env: Environment, report: SweepReport, began: datetime) -> None:
    with transaction(env.engine) as conn:
        conn.execute(insert(Sweep).values(
            started_at=began, finished_at=clock.utc_now(), now=report.now, due=report.due, fired=report.fired,
            parked=report.parked, batches=report.batches, oldest_due_at=report.oldest_due_at,
            milliseconds=report.milliseconds, worker=f"{socket.gethostname()}:{os.getpid()}",
        ))  # fmt: skip


def unpark(env: Environment, ref: str, *, actor: Actor = SYSTEM, now: datetime | None = None) -> bool:
    """Let a parked case be swept again at once; return whether there was such a case."""
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        parked = lock_where(conn, (CaseRow.ref == ref_of(ref)) & CaseRow.parked_at.is_not(None))
        store.apply(
            conn, [plain_change(found, found.case, "unparked", {}, {}, actor=actor, now=here.now) for found in parked],
            here,
        )  # fmt: skip
        return bool(parked)

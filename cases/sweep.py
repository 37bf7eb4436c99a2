"""The sweep: fire every rung that is due. Claim a batch, decide each case, write the batch, until one comes back short.

Any number of sweeps may run at once: a claimed case is locked and skipped by the others, and a rung that has fired is a
unique row. A case that cannot be decided is parked and never stops the others.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Event

from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from cases import store
from cases.breaker import holding as breaker
from cases.breaker.waiting import is_held
from cases.clock_put_right import put_right
from cases.commands import plain_change
from cases.copies.resting import require_awake
from cases.environment import Environment, world
from cases.hands import hands, results
from cases.locking import Locked, claim_due, lock_where
from cases.rows import ref_of
from cases.sweep_batch import SweepReport, park, sweep_locked
from cases.tables import CaseRow, Sweep
from config import clock
from config.database import Connection, reading, transaction
from state_machines.values import SYSTEM, Actor

log = logging.getLogger(__name__)

Progress = Callable[[int], None]


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
        report.add(sweep_batches(env, report.now, size, until, progress=progress))
        for part in results(helping):
            report.add(part)
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
            part = sweep_locked(conn, locked, here)
    except breaker.NotWeighed:
        log.warning("Cases became late while they were swept, too many to go by; the next sweep weighs them.")
        report.more = True
        return 0
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
    report.add(part)
    report.batches += 1
    return len(claimed)


def _one_by_one(env: Environment, ids: Sequence[int], now: datetime) -> SweepReport:
    report = SweepReport(now)
    for case_id in ids:
        try:
            with transaction(env.engine) as conn:
                report.add(sweep_locked(conn, _still_due(conn, case_id, now), world(conn, env, now)))
        except breaker.NotWeighed:
            report.more = True
            return report
        except OperationalError:
            raise
        except Exception as broken:  # the write itself fails for this case: park it in a transaction of its own
            with transaction(env.engine) as conn:
                here = world(conn, env, now)
                found = _still_due(conn, case_id, now)
                park(conn, found, broken, here)
            report.parked += 1
            report.due += 1
    return report


def _still_due(conn: Connection, case_id: int, now: datetime) -> list[Locked]:
    return lock_where(conn, (CaseRow.id == case_id) & (CaseRow.due_at <= now) & ~is_held())


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

"""What is done each night: every promise is checked, the record is verified and sealed, and clocks are put right."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from cases import audit, evidence
from cases.commands import plain_change
from cases.environment import Environment, World, world
from cases.exporting import STREAMED
from cases.findings import Finding
from cases.locking import Locked, lock_ids
from cases.promises import broken_promises
from cases.store import apply
from cases.tables import CaseEvent, CaseRow, EvidenceFile, JobRun
from cases.writing import Change
from config import clock
from config.database import Connection, reading, transaction
from notifications import catalogue
from state_machines.clockwork import Clocks, recalculated
from state_machines.registry import check_all, process_named
from state_machines.values import SYSTEM

log = logging.getLogger(__name__)

EVENTS_A_NIGHT = 2_000_000
"""A larger record is verified in equal parts, one each night."""
BYTES_A_NIGHT = 5 * 1024**3
BATCH = 500


@dataclass(frozen=True)
class Findings:
    """What the checks found. Warnings break no promise."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every promise is kept."""
        return all(found.warning for found in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as plain values, warnings apart."""
        told = [(f.warning, {"check": f.check, "ref": f.ref, "why": f.why, "advice": f.advice}) for f in self.findings]
        return {
            "ok": self.ok,
            "findings": [values for warning, values in told if not warning],
            "warnings": [values for warning, values in told if warning],
        }


def run_checks(env: Environment, *, now: datetime) -> Findings:
    """Prove the processes, verify the record and the files, ask every promise; then seal the record for this day."""
    today = env.calendar.local_date(now)
    found = [Finding("process", f"{bad.process}: {bad.path}", bad.rule) for bad in _unproved(env)]
    with reading(env.engine) as conn:
        found += broken_promises(conn, env, now)
        part = _part(conn, select(func.count()).select_from(CaseEvent), EVENTS_A_NIGHT, today)
        report = audit.verify(conn, part=part)
        files = _part(conn, select(func.coalesce(func.sum(EvidenceFile.size), 0)), BYTES_A_NIGHT, today)
    found += [Finding("record", bad.ref, f"event {bad.seq}: {bad.why}") for bad in report.problems]
    found += evidence.verify_files(env, part=files)
    try:
        seal(env, now=now)
    except OperationalError as bad:
        why = f"the record could not be sealed today ({type(bad.orig).__name__})"
        found.append(Finding("record", audit.SEAL, why, warning=True))
    for finding in found:
        log.log(logging.INFO if finding.warning else logging.ERROR, "%s: %s", finding.check, finding.why,
                extra={"case_ref": finding.ref})  # fmt: skip
    return Findings(tuple(found))


def _unproved(env: Environment) -> Sequence[Any]:
    return list(dict.fromkeys(check_all(env.policy, catalogue.entries().keys())))


def _part(conn: Connection, size: Any, most: int, today: date) -> tuple[int, int]:
    """Return which part of how many is looked at today, so that no night takes too long and each part has its turn."""
    parts = max(1, math.ceil(int(conn.execute(size).scalar_one()) / most))
    return today.toordinal() % parts, parts


def seal(env: Environment, *, now: datetime) -> bool:
    """Set the seal of this day over the whole record; return False when it is set already.

    Writing waits for the moment it takes to see which event is the last: from then on what the seal covers is fixed.
    Raises OperationalError when somebody writes for longer than the database waits.
    """
    with transaction(env.engine) as conn:
        conn.execute(text("SELECT hold_record()"))
        last = conn.execute(select(func.coalesce(func.max(CaseEvent.id), 0))).scalar_one()
    began, period = clock.utc_now(), env.calendar.local_date(now).isoformat()
    with reading(env.engine) as conn:
        result = _sealed(conn, last)
    with transaction(env.engine) as conn:
        row = {"job": audit.SEAL, "period": period, "started_at": began, "finished_at": clock.utc_now()}
        statement = insert(JobRun).values(**row, attempts=1, result=result)
        return conn.execute(statement.on_conflict_do_nothing().returning(JobRun.period)).first() is not None


def _sealed(conn: Connection, last: int) -> dict[str, Any]:
    event = CaseEvent.__table__.c
    known = event.id <= last
    heads = select(event.case_id, event.seq, event.hash).distinct(event.case_id).where(known)
    digest, cases = sha256(), 0
    with conn.execute(heads.order_by(event.case_id, event.seq.desc()), execution_options=STREAMED) as rows:
        for row in rows:
            digest.update(audit.sealed_head(row.case_id, row.seq, row.hash))
            cases += 1
    events = conn.execute(select(func.count()).select_from(CaseEvent).where(known)).scalar_one()
    return {"last_event": last, "cases": cases, "events": events, "digest": digest.hexdigest()}


# --- clocks


def recalculate_clocks(env: Environment, *, now: datetime, progress: Callable[[int], None] | None = None) -> int:
    """Work out every running clock again under today's calendar and policy, and return how many cases moved.

    A day that was added to the days off moves what counts working days; each move is an event with the old and the
    new instant. Extensions stay as they were given. ``progress`` is called with the number of cases looked at so far.
    """
    last, looked, moved = 0, 0, 0
    while ids := _next_open(env, last):
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            changes = _moved(lock_ids(conn, ids), here)
            apply(conn, changes, here)
        last, looked, moved = ids[-1], looked + len(ids), moved + len(changes)
        if progress is not None:
            progress(looked)
    return moved


def _next_open(env: Environment, after: int) -> list[int]:
    with reading(env.engine) as conn:
        wanted = select(CaseRow.id).where(CaseRow.id > after, CaseRow.closed_at.is_(None))
        return list(conn.execute(wanted.order_by(CaseRow.id).limit(BATCH)).scalars())


def _moved(locked: Sequence[Locked], here: World) -> list[Change]:
    still_open = [found for found in locked if found.row.closed_at is None]
    changes = []
    for found in still_open:
        try:
            clocks = recalculated(process_named(found.case.process), found.case, here.context({}))
        except Exception as broken:  # one broken case must not keep the clocks of the others wrong; checks report it
            log.error("The clocks of a case could not be worked out again.",
                      extra={"case_ref": found.case.ref}, exc_info=broken)  # fmt: skip
            continue
        if clocks is not None:
            changes.append(moved_clocks(found, clocks, here))
    return changes


def moved_clocks(found: Locked, clocks: Clocks, here: World) -> Change:
    """Return the change that gives a case clocks that were worked out again, with the old and the new instants."""
    before = found.case.clocks
    names = [name for name, running in clocks.items() if running.due != before[name].due]
    details = {
        "clocks_due": {name: clocks[name].due.isoformat() for name in names},
        "clocks_were": {name: before[name].due.isoformat() for name in names},
    }
    after = replace(found.case, clocks=clocks)
    return plain_change(found, after, "clocks_moved", details, {}, actor=SYSTEM, now=here.now)

"""One batch of a sweep: decide each claimed case, those that are alike once, and write what comes of it."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cases import facts as case_facts
from cases import side_writes, store
from cases.breaker import holding as breaker
from cases.commands import plain_change
from cases.environment import World
from cases.locking import Locked
from cases.nightly import moved_clocks
from cases.writing import Change
from config.database import Connection
from state_machines.alike import advanced_alike
from state_machines.clockwork import recalculated
from state_machines.engine import advance, same_for
from state_machines.registry import process_named
from state_machines.values import SYSTEM

log = logging.getLogger(__name__)


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

    def add(self, part: SweepReport) -> None:
        """Take in what another part of the sweep did."""
        for name in ("due", "fired", "not_fired", "passed_over", "parked", "batches"):
            setattr(self, name, getattr(self, name) + getattr(part, name))
        self.more = self.more or part.more
        self.by_trigger.update(part.by_trigger)
        if part.oldest_due_at and (self.oldest_due_at is None or part.oldest_due_at < self.oldest_due_at):
            self.oldest_due_at = part.oldest_due_at

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            "now": self.now.isoformat(), "due": self.due, "fired": self.fired, "not_fired": self.not_fired,
            "passed_over": self.passed_over, "parked": self.parked, "batches": self.batches,
            "by_trigger": dict(self.by_trigger), "milliseconds": self.milliseconds, "more": self.more,
            "oldest_due_at": self.oldest_due_at.isoformat() if self.oldest_due_at else None,
        }  # fmt: skip


def sweep_locked(conn: Connection, locked: Sequence[Locked], here: World) -> SweepReport:
    """Decide what is due to locked cases, write it, and return what was done. Raises NotWeighed of the breaker."""
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


def park(conn: Connection, locked: Sequence[Locked], broken: Exception, here: World) -> None:
    """Park cases that could not be written, each with the reason."""
    parked = [_parked(found, broken, here) for found in locked]
    store.apply(conn, parked, here)
    _put_off(conn, parked, here)


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


def _count(report: SweepReport, changes: Sequence[Change]) -> None:
    for change in changes:
        for step in change.outcome.steps:
            if step.kind in ("not_fired", "passed_over"):
                setattr(report, step.kind, getattr(report, step.kind) + 1)
            elif step.occurrence is not None:
                report.fired += 1
                report.by_trigger[step.trigger] += 1

"""Repair: for each thing that a check found, what can be put right is, each in a small transaction of its own.

What was changed in a case is an event of that case. A second repair finds nothing left to do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.advice import advice_on
from cases.environment import Environment, World, world
from cases.findings import Finding
from cases.locking import Locked, lock_ref
from cases.repairing import others
from cases.repairing.in_order import Irreparable, Mended, put_in_order
from config.database import Connection, reading, transaction

log = logging.getLogger(__name__)

IN_ORDER = frozenset({
    "no_owner", "owner_left", "owner_kept_out", "no_clock", "nothing_due", "clock_of_other_state", "hold_without_end",
    "due_unlike_clocks", "clock_after_end", "task_after_end", "unknown_state", "closed_unlike_state",
    "state_without_event", "head_unlike_events",
})  # fmt: skip
"""What is mended by putting the case in order."""
TOGETHER: Mapping[str, Callable[[Connection, Locked, World], Mended | None]] = {
    "child_without_parent": others.link_to_campaign,
    "open_after_campaign": others.end_with_campaign,
    "in_force_twice": others.supersede,
}
MESSAGES: Mapping[str, Callable[[Connection, int, World], Mended | None]] = {
    "message_without_case": others.set_aside,
    "sending_without_lease": others.release,
}


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of a finding: what was changed, or why nothing was."""

    check: str
    ref: str
    done: bool
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: str = ""
    """Why nothing was changed, in a sentence."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"check": self.check, "ref": self.ref, "done": self.done, "before": dict(self.before),
                "after": dict(self.after), "why": self.why}  # fmt: skip


class _Undone(Exception):
    """Ends the transaction of a trial without writing."""


def repaired(env: Environment, findings: Iterable[Finding], *, trial: bool = False, now: datetime) -> list[Repair]:
    """Put right what can be put right of these findings, and return what became of each.

    ``trial``: everything is done and then undone; what is returned is what would be changed.
    """
    done: list[Repair] = []
    for finding in dict.fromkeys(findings):
        for work in _works(env, finding):
            done.append(_one(env, finding, work, trial=trial, now=now))
    return done


Work = Callable[[Connection, World], Mended | None]


def _works(env: Environment, finding: Finding) -> Iterator[Work]:
    """What is to be done about a finding, each in a transaction of its own."""
    check, ref = finding.check, finding.ref
    if check in IN_ORDER:
        yield lambda conn, here: put_in_order(conn, _locked(conn, ref), here, check)
    elif check in TOGETHER:
        yield lambda conn, here: TOGETHER[check](conn, _locked(conn, ref), here)
    elif check in MESSAGES:
        yield lambda conn, here: MESSAGES[check](conn, int(ref.rpartition(" ")[2]), here)
    elif check == "sending_stuck":
        with reading(env.engine) as conn:
            numbers = others.abandoned(conn)
        for number in numbers:
            yield _release(number)
    elif check == "job_unfinished":
        yield lambda conn, here: others.give_up_jobs(conn, ref)
    else:
        yield _refuse(check)


def _release(number: int) -> Work:
    return lambda conn, here: others.release(conn, number, here)


def _refuse(check: str) -> Work:
    def refuse(conn: Connection, here: World) -> Mended | None:
        raise Irreparable(advice_on(check))

    return refuse


def _locked(conn: Connection, ref: str) -> Locked:
    found = lock_ref(conn, ref)
    if found is None:
        raise Irreparable("it is not there any more.")
    return found


def _one(env: Environment, finding: Finding, work: Work, *, trial: bool, now: datetime) -> Repair:
    mended: Mended | None = None
    try:
        with transaction(env.engine) as conn:
            mended = work(conn, world(conn, env, now))
            if trial:
                raise _Undone
    except _Undone:
        pass
    except Irreparable as bad:
        return Repair(finding.check, finding.ref, False, {}, {}, str(bad.args[0]))
    except Exception as broken:  # one that cannot be mended must not keep the others from it
        log.error("A repair failed.", extra={"case_ref": finding.ref}, exc_info=broken)
        return Repair(
            finding.check, finding.ref, False, {}, {}, f"it failed ({type(broken).__name__}); the log says where."
        )
    if mended is None:
        return Repair(finding.check, finding.ref, True, {}, {}, "it is in order already.")
    return Repair(finding.check, finding.ref, True, mended.before, mended.after)

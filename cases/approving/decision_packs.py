"""What somebody who decides should know of a case: who asked, what they said, and what happens if nobody decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, null, select, tuple_

from cases.approving.decisions import decisions_of
from cases.environment import World
from cases.forecast import Expected, expected
from cases.people import called
from cases.tables import PERSONAL_PART, CaseEvent, EventPersonal
from config.database import Connection
from state_machines.english import capital
from state_machines.objections import title_of
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Case, Context

MOST_EXPECTED = 3
OPENED = "open"
BRIEF = 8
"""Events of a history in brief."""


@dataclass(frozen=True)
class Deed:
    """One thing that was done to a case: by whom, when, and what was typed with it."""

    at: datetime
    trigger: str
    title: str
    who: str
    on_behalf_of: str | None
    typed: Mapping[str, Any]


@dataclass(frozen=True)
class Pack:
    """What leads to a decision, first to last, and what comes if nobody makes it."""

    asked: Deed | None
    led: Sequence[Deed]
    next: Sequence[Expected]
    asks: int | None = None
    """How many members a campaign would ask today, where it has asked nobody yet."""
    reaches: int = 0
    """How many of these have an address that works."""


def packs(conn: Connection, cases: Sequence[tuple[Any, Case, Context]], here: World) -> dict[int, Pack]:
    """Return the packs of these cases by id; one statement however many there are."""
    wanted = {(case.id, trigger) for _, case, _ in cases for trigger in _leading(case) | {OPENED}}
    events: dict[int, list[Any]] = {}
    for event in conn.execute(_last_of_each(wanted)) if wanted else ():
        events.setdefault(event.case_id, []).append(event)
    return {
        case.id: _pack(case, sorted(events.get(case.id, []), key=lambda e: e.seq), row, context, here)
        for row, case, context in cases
    }


def _leading(case: Case) -> set[str]:
    """The triggers that led to what is to be decided: those of whoever may not decide, and those that lead here."""
    process = process_named(case.process)
    asked = {trigger for t in decisions_of(process, case.state) for trigger in t.four_eyes}
    return asked | {t.trigger for t in process.transitions if t.target == case.state and t.sources != (case.state,)}


def _last_of_each(wanted: set[tuple[int, str]]) -> Select[Any]:
    event = CaseEvent.__table__.c
    return (
        select(event.case_id, event.seq, event.at, event.actor, event.role, event.on_behalf_of, event.trigger,
               event.target, event.details, EventPersonal.data.label("personal"))
        .outerjoin(EventPersonal, PERSONAL_PART)
        .where(tuple_(event.case_id, event.trigger).in_(sorted(wanted)), event.kind.in_(["transition", "opened"]))
        .order_by(event.case_id, event.trigger, event.seq.desc()).distinct(event.case_id, event.trigger)
    )  # fmt: skip


def _pack(case: Case, events: Sequence[Any], row: Any, context: Context, here: World) -> Pack:
    process = process_named(case.process)
    led = [_deed(process, event, row.member, here) for event in events]
    coming = expected(process, case, context=context, now=here.now, most=MOST_EXPECTED) if row.closed_at is None else []
    leading = [said for said in led if said.trigger in _leading(case)]
    population = context.facts.get("population") if not case.data.get("launched_on") else None
    return Pack(
        _asked(process, case, leading), led, coming[:MOST_EXPECTED],
        population["eligible"] if population else None, population["deliverable"] if population else 0,
    )  # fmt: skip


def _asked(process: Process, case: Case, led: Sequence[Deed]) -> Deed | None:
    """The newest of what led here that is no decision itself, or else the newest."""
    decisions = {t.trigger for t in process.transitions if t.four_eyes}
    named = {trigger for t in decisions_of(process, case.state) for trigger in t.four_eyes}
    asking = [deed for deed in led if deed.trigger in named or deed.trigger not in decisions]
    return next(reversed(asking or led), None)


def _deed(process: Process, event: Any, member: str | None, here: World) -> Deed:
    title, staffing = title_of(process, event.trigger), here.staffing
    return Deed(
        event.at, event.trigger, capital(title), called(event.actor, staffing, member=member),
        called(event.on_behalf_of, staffing, member=member) if event.on_behalf_of else None,
        {**event.details.get("payload", {}), **(event.personal or {})},
    )  # fmt: skip


def brief(conn: Connection, case: Case, member: str | None, here: World, *, most: int = BRIEF) -> list[Deed]:
    """Return the last moves of a case, first to last, without the rungs that wrote nothing else."""
    event, process = CaseEvent.__table__.c, process_named(case.process)
    moves = select(CaseEvent.__table__, null().label("personal")).where(
        event.case_id == case.id, event.kind.in_(["opened", "transition"])
    )
    rows = conn.execute(moves.order_by(event.seq.desc()).limit(most)).all()
    return [_deed(process, row, member, here) for row in reversed(rows)]

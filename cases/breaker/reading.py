"""What is held back, for people: the list, one of them with its cases, and what letters would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select

from cases.breaker.deciding import NothingHeld, require_decider
from cases.breaker.holding import live
from cases.breaker.sampling import Sample, samples_of
from cases.breaker.tables import OPEN, HeldCase, SweepHold
from cases.breaker.values import Facts
from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import visible
from cases.tables import CaseRow
from config.database import Connection, reading
from members.tables import Member
from state_machines.registry import process_named
from state_machines.values import Actor

PAGE = 25


@dataclass(frozen=True)
class Held:
    """What is or was held back of one process."""

    number: int
    process: str
    state: str
    raised_at: datetime
    cases: int
    """How many cases were ever put into it."""
    waiting: int
    """How many of them still wait."""
    facts: Facts
    seniors_told_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    on_behalf_of: str | None
    reason: str | None
    until: datetime | None

    @property
    def open(self) -> bool:
        """Whether somebody must decide."""
        return self.state == OPEN

    @property
    def title(self) -> str:
        """What the process is called."""
        return process_named(self.process).title


@dataclass(frozen=True)
class HeldPage:
    """Everything somebody who decides should know."""

    held: Held
    rows: Sequence[Any]
    """Some of the cases, those that the person may see."""
    unseen: int
    """How many of those that wait they may not."""
    after: int | None
    samples: Sequence[Sample]
    may_decide: bool
    """False for who caused it."""


def held_back(conn: Connection, *, open_only: bool = True, before: int | None = None, limit: int = PAGE) -> list[Held]:
    """Return what is held back, the newest first; with ``open_only=False`` also what was decided."""
    wanted = _select()
    if open_only:
        wanted = wanted.where(SweepHold.state == OPEN)
    if before is not None:
        wanted = wanted.where(SweepHold.id < before)
    return [_held(row) for row in conn.execute(wanted.order_by(SweepHold.id.desc()).limit(limit))]


@dataclass(frozen=True)
class HeldSince:
    """That one case is held back: under which number a manager decides, and since when Muster has waited."""

    number: int
    at: datetime


def held_since(conn: Connection, case_id: int) -> HeldSince | None:
    """Return since when a case waits for a manager's decision; None when it does not."""
    wanted = select(SweepHold.id, SweepHold.raised_at, HeldCase.due_at).join(HeldCase, HeldCase.hold_id == SweepHold.id)
    row = conn.execute(wanted.where(live(SweepHold.id), SweepHold.state == OPEN, CaseRow.id == case_id)).one_or_none()
    return HeldSince(row.id, max(row.raised_at, row.due_at)) if row is not None else None


def _select() -> Select[Any]:
    waiting = select(func.count(HeldCase.case_id)).where(live(SweepHold.id)).correlate(SweepHold).scalar_subquery()
    return select(SweepHold.__table__, case((SweepHold.state == OPEN, waiting), else_=0).label("waiting"))


def _held(row: Any) -> Held:
    return Held(
        row.id, row.process, row.state, row.raised_at, row.cases, row.waiting, Facts.stored(row.facts),
        row.seniors_told_at, row.decided_at, row.decided_by, row.on_behalf_of, row.reason, row.until,
    )  # fmt: skip


def held_page(env: Environment, number: int, *, after: int = 0, actor: Actor, now: datetime | None = None) -> HeldPage:
    """Return what is held back under a number, its cases from an id on. Raises NothingHeld or NotAllowed."""
    require_decider(actor)
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = conn.execute(_select().where(SweepHold.id == number)).one_or_none()
        if row is None:
            raise NothingHeld
        held = _held(row)
        seen = visible(actor, acts_for(actor, here))
        rows = conn.execute(_cases(number, seen, held).where(CaseRow.id > after).limit(PAGE + 1)).all()
        shown = rows[:PAGE]
        number_seen = conn.execute(
            select(func.count()).select_from(HeldCase).where(live(number), seen)
        ).scalar_one() if held.open else 0  # fmt: skip
        samples = samples_of(conn, [r.id for r in shown], here) if held.open and not after else ()
        return HeldPage(
            held, shown, max(0, held.waiting - number_seen), shown[-1].id if len(rows) > PAGE else None, samples,
            not held.facts.caused_by(actor),
        )  # fmt: skip


def _cases(number: int, seen: Any, held: Held) -> Select[Any]:
    source = CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id)
    source = source.join(HeldCase.__table__, HeldCase.case_id == CaseRow.id)
    which = live(number) if held.open else HeldCase.hold_id == number
    return (
        select(CaseRow.id, CaseRow.ref, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.owner_id,
               CaseRow.closed_at, HeldCase.due_at, Member.name.label("member"))
        .select_from(source).where(which, seen).order_by(CaseRow.id)
    )  # fmt: skip


def summary(conn: Connection) -> dict[str, Any]:
    """Return how much is held back, since when and of what, as plain values."""
    rows = held_back(conn)
    since = min((row.raised_at for row in rows), default=None)
    return {
        "cases": sum(row.waiting for row in rows), "since": since.isoformat() if since else None,
        "holds": [to_dict(row) for row in reversed(rows)],
    }  # fmt: skip


def to_dict(held: Held) -> Mapping[str, Any]:
    """Return what is held back as plain values."""

    def instant(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "number": held.number, "process": held.process, "state": held.state, "raised_at": instant(held.raised_at),
        "cases": held.cases, "waiting": held.waiting, **held.facts.to_json(), "decided_at": instant(held.decided_at),
        "decided_by": held.decided_by, "reason": held.reason, "until": instant(held.until),
    }  # fmt: skip

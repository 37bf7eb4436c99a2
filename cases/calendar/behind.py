"""The cases behind a number of the calendar, page by page and by index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select

from cases.calendar.alike import pattern
from cases.calendar.days import Falls
from cases.calendar.month import Scope, fallen_on, scopes_of, until, whose
from cases.environment import Environment, World, world
from cases.lists.keyset import BY_DEADLINE, Place, keys
from cases.tables import CaseRow
from config.database import Connection, reading
from state_machines.values import Actor

PAGE = 50


@dataclass(frozen=True, slots=True)
class Behind:
    """A case behind a number of the calendar."""

    ref: str
    subject: str
    process: str
    state: str
    owner_id: int | None
    deadline: datetime | None


def behind(
    env: Environment, on: date, kind: str, *, owner: int | None = None, scope: Scope = Scope.MINE,
    place: Place | None = None, actor: Actor, now: datetime | None = None,
) -> tuple[list[Behind], Place | None]:  # fmt: skip
    """Return one page of the cases to which something of a kind falls on a day, soonest deadline first, and where the
    next page begins."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        allowed = scopes_of(actor, here)
        scope = scope if scope in allowed else allowed[0]
        days, _ = fallen_on(conn, scope, actor, here)
        meant = [f for f in days.falls if f.day == on and f.kind == kind and (owner is None or f.owner_id == owner)]
        return _page(conn, meant, whose(scope, actor, here), place, here)


def _page(
    conn: Connection, meant: Sequence[Falls], where: Sequence[ColumnElement[bool]], place: Place | None, here: World
) -> tuple[list[Behind], Place | None]:
    if not meant:
        return [], None
    digest = CaseRow.process + ":" + CaseRow.state + ":" + pattern()
    alike = digest.in_(sorted({falls.alike for falls in meant}))
    branch = [*where, CaseRow.closed_at.is_(None), CaseRow.due_at <= until(here), alike]
    chosen = keys([branch], BY_DEADLINE, place, PAGE + 1).subquery()
    rows = conn.execute(
        select(CaseRow.id, CaseRow.ref, CaseRow.subject, CaseRow.process, CaseRow.state, CaseRow.owner_id,
               CaseRow.deadline_at)
        .join(chosen, chosen.c.id == CaseRow.id).order_by(CaseRow.deadline_at.asc().nulls_last(), CaseRow.id)
    ).all()  # fmt: skip
    shown = rows[:PAGE]
    after = Place(shown[-1].deadline_at, shown[-1].id) if len(rows) > PAGE else None
    return [Behind(r.ref, r.subject, r.process, r.state, r.owner_id, r.deadline_at) for r in shown], after

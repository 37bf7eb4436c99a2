"""The answers of a campaign that wait for a review, soonest deadline first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, tuple_

from cases.campaigning.counts import Counts, counts
from cases.campaigning.lines import SOURCE
from cases.campaigning.sight import looking
from cases.environment import Environment
from cases.rows import day_of
from cases.tables import CaseRow
from config.database import without_nul
from members.tables import Member
from state_machines.standing import Standing
from state_machines.values import Actor

PAGE = 50
_TO_LOOK_AT = (Standing.IN_REVIEW,)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One answer to review."""

    ref: str
    member: str
    team: str | None
    submitted_on: date | None
    late: bool
    deadline: datetime | None
    flags: int
    score: float | None
    band: str
    imputed: bool
    owner: str


@dataclass(frozen=True)
class WaitingPage:
    """A page of answers to review."""

    ref: str
    title: str
    counts: Counts
    lines: list[Waiting]
    after: str | None
    """The reference after which the next page begins; None on the last."""


def waiting_page(
    env: Environment, ref: str, *, after: str = "", actor: Actor, now: datetime | None = None
) -> WaitingPage:
    """Return one page of the answers that wait for a review. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        where = [sight.listed, sight.standing(*_TO_LOOK_AT)]
        order = (CaseRow.deadline_at, CaseRow.id)
        if after:
            last = select(*order).where(sight.listed, CaseRow.ref == without_nul(after))
            if (mark := sight.conn.execute(last).one_or_none()) is not None and mark[0] is not None:
                where.append(tuple_(*order) > tuple_(mark[0], mark[1]))
        wanted = select(CaseRow.__table__, Member.name.label("member")).select_from(SOURCE).where(*where)
        rows = list(sight.conn.execute(wanted.order_by(*order).limit(PAGE + 1)))
        people = sight.here.staffing.people
        lines = [_line(row, people) for row in rows[:PAGE]]
        following = rows[PAGE - 1].ref if len(rows) > PAGE else None
        return WaitingPage(sight.row.ref, sight.row.subject, counts(sight), lines, following)


def _line(row: Any, people: Any) -> Waiting:
    data, owner = row.data, people.get(row.owner_id)
    return Waiting(
        row.ref, row.member, row.team, day_of(data.get("submitted_on")), bool(data.get("late")),
        row.deadline_at, len(data.get("open_flags") or ()), data.get("score"), str(data.get("band") or ""),
        bool(data.get("imputed")), owner.name if owner else "",
    )  # fmt: skip

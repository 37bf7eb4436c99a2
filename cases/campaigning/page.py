"""One campaign from the plan to the report: how far it is, who is at risk, what comes next, what closing it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from cases import facts as case_facts
from cases.campaigning.checklist import Step, checklist
from cases.campaigning.counts import Counts, counts
from cases.campaigning.curve import Curve, curve
from cases.campaigning.lines import COLUMNS, SOURCE, Line, lines
from cases.campaigning.moves import Move, moves_of
from cases.campaigning.overview import ONWARD, next_step
from cases.campaigning.risks import at_risk
from cases.campaigning.sight import Acting, Sight, looking
from cases.campaigning.today import Todo, todos
from cases.campaigns import kind_of
from cases.environment import Environment
from cases.rows import case_of
from cases.tables import CaseRow
from members.tables import Member
from state_machines import clockwork
from state_machines.escalation import escalations
from state_machines.ladders import EXPIRES
from state_machines.process import Process, Transition
from state_machines.registry import process_named
from state_machines.standing import Standing
from state_machines.values import Actor, Case, Context

MOST_AT_RISK = 10
_LATE = frozenset(step.trigger for step in escalations())


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that happens to the campaign by itself."""

    at: datetime
    title: str


@dataclass(frozen=True)
class CampaignPage:
    """Everything about a campaign that one person may see."""

    ref: str
    kind: str
    """``survey`` or ``signoff``."""
    title: str
    state: str
    state_title: str
    state_help: str
    open: bool
    closed_at: datetime | None
    version: int
    owner: str
    launch: date
    deadline: date
    questionnaire: str
    population: dict[str, Any]
    counts: Counts
    curve: Curve | None
    at_risk: list[Line]
    at_risk_total: int
    next_step: str
    coming: list[Coming]
    today: list[Todo]
    """What is to be done by people today."""
    moves: list[Move]
    """First those that take the campaign on, last those that hurt."""
    checklist: list[Step]
    """What is missing until it can be launched, or closed at 100 %."""


def campaign_page(
    env: Environment, ref: str, *, acting: Acting | None = None, actor: Actor, now: datetime | None = None
) -> CampaignPage:
    """Return a campaign as somebody may see it. Raises CaseNotFound, or BadInput for a case that is no campaign.

    The number of statements does not depend on the number of members.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        row = sight.row
        process, case = process_named(row.process), case_of(row)
        state = process.state(row.state)
        context = sight.here.context(case_facts.gather(sight.conn, [case], now=sight.here.now)[case.id])
        found = counts(sight)
        risky, total = _at_risk(sight)
        owner = sight.here.staffing.get(row.owner_id) if row.owner_id is not None else None
        coming = _coming(process, case, context) if row.closed_at is None else []
        return CampaignPage(
            row.ref, kind_of(row.process), row.subject, row.state, state.title, state.help, row.closed_at is None,
            row.closed_at, row.version, owner.name if owner else "", date.fromisoformat(row.data["launch"]),
            date.fromisoformat(row.data["deadline"]), _questionnaire(row.data), dict(row.data.get("population") or {}),
            found, curve(sight, found), risky, total, next_step(row.process, row.state, row.data), coming,
            todos(sight), _in_order(moves_of(sight, row, acting).values(), row.state),
            checklist(sight, found, context.facts.get("population")),
        )  # fmt: skip


def _in_order(moves: Iterable[Move], state: str) -> list[Move]:
    """What takes the campaign on, then what can be done beside it, then what hurts; in each what can be done first."""
    onward = ONWARD.get(state, frozenset())
    return sorted(
        (replace(move, onward=move.trigger in onward) for move in moves),
        key=lambda move: (not move.onward, move.danger, bool(move.why_not)),
    )


def _questionnaire(data: Any) -> str:
    """What is asked, in words: the questionnaire of a survey, or the document of a sign-off."""
    if data.get("document"):
        return f"{data.get('document_title')}, version {data.get('document_number')}"
    version = data.get("questionnaire_version")
    return f"{data.get('questionnaire')}{f', version {version}' if version else ''}"


def _at_risk(sight: Sight) -> tuple[list[Line], int]:
    """The members most at risk, and how many there are."""
    if not sight.row.data.get("launched_on"):
        return [], 0
    unreachable = sight.standing(Standing.UNREACHED).desc()
    order = (CaseRow.data["deadline"].astext, unreachable, Member.name_key, CaseRow.id)
    worst = (
        select(CaseRow.id, func.count().over().label("everybody")).select_from(SOURCE)
        .where(sight.listed, at_risk(sight.child, sight.here.env.policy, sight.today))
        .order_by(*order).limit(MOST_AT_RISK).subquery()
    )  # fmt: skip
    wanted = select(*COLUMNS, worst.c.everybody).select_from(SOURCE.join(worst, worst.c.id == CaseRow.id))
    rows = sight.conn.execute(wanted.order_by(*order)).all()
    return lines(sight, rows), rows[0].everybody if rows else 0


def _told(step: Transition) -> str:
    """A step of Muster in words; what being late leads to is said by what it means."""
    return step.help.rstrip(".") if step.trigger in _LATE else step.title


def _coming(process: Process, case: Case, context: Context) -> list[Coming]:
    """What the campaign itself will do; that it looks every day whether everybody is in is no news."""
    titles = {t.trigger: _told(t) for t in process.transitions}
    found = []
    for name, running in case.clocks.items():
        clock = process.clock_of(case.state, name)
        if clock is None:
            continue
        for due in clockwork.rungs(process, clock, running, context):
            trigger = (clock.expires or "") if due.rung.fires == EXPIRES else due.rung.fires
            if due.rung.every is None or trigger == "launch":
                found.append(Coming(due.at, titles.get(trigger, trigger)))
    return sorted(found, key=lambda each: each.at)

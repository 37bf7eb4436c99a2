"""All campaigns somebody may see, running ones first, each with how far it is: three statements for a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select, true, tuple_

from cases.campaigns import CANCELLED, KINDS, campaign_states, child_of, kind_of
from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.permissions import visible
from cases.rows import day_of
from cases.tables import CaseRow
from config.database import Connection, reading, without_nul
from members.visibility import sees_all_teams
from state_machines.registry import process_named
from state_machines.standing import ACCOUNTED, FULFILLED, RESPONDED, Standing, count_in
from state_machines.values import Actor

PAGE = 25
NEXT_STEP: Mapping[str, str] = {
    "planning": "A manager approves the plan",
    "plan_approved": "Fix which questions are asked",
    "build": "Start the pilot, or skip it",
    "pilot": "A manager accepts the pilot",
    "ready": "Invitations go out on the launch date at 09:00",
    "live": "Members answer; reminders go out by themselves",
    "overdue_chase": "Call and chase who has not answered",
    "review": "Review the answers that are left",
    "aggregation": "Submit the report",
    "reported": "A manager closes the campaign",
}
"""What is to be done in each state, for people."""
OF_SIGN_OFFS: Mapping[str, str] = {
    "ready": "Requests go out on the launch date at 09:00",
    "live": "Members sign; reminders go out by themselves",
    "overdue_chase": "Call and chase who has not signed",
    "review": "Check and decide the signatures that are left",
}
"""Where that is another thing for a sign-off."""

ONWARD: Mapping[str, frozenset[str]] = {
    "planning": frozenset({"approve_plan"}),
    "plan_approved": frozenset({"start_build", "skip_pilot"}),
    "build": frozenset({"start_pilot", "skip_pilot"}),
    "pilot": frozenset({"accept_pilot", "return_to_build"}),
    "ready": frozenset({"launch", "launch_anyway"}),
    "live": frozenset({"everyone_in"}),
    "overdue_chase": frozenset({"everyone_in", "end_chase"}),
    "review": frozenset({"all_settled"}),
    "aggregation": frozenset({"submit_report", "approve_report", "return_report"}),
    "reported": frozenset({"close_100", "close_with_exceptions"}),
}
"""The steps that take a campaign on from each state; everything else is done beside the way, or stops it."""


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """A campaign in a list."""

    ref: str
    title: str
    kind: str
    """``survey`` or ``signoff``."""
    state: str
    state_title: str
    open: bool
    launched: bool
    launch: date | None
    deadline: date | None
    owner: str
    eligible: int
    responded: int
    accounted: int
    is_100: bool
    next_step: str
    overdue: bool


@dataclass(frozen=True)
class CampaignList:
    """A page of campaigns."""

    lines: list[CampaignLine]
    after: str | None
    """The reference after which the next page begins; None on the last."""
    whole: bool
    """Whether the numbers are those of all teams."""


def campaign_list(
    env: Environment, *, after: str = "", size: int = PAGE, actor: Actor, now: datetime | None = None
) -> CampaignList:
    """Return one page of the campaigns somebody may see: those that are open first, the newest first."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        allowed = visible(actor, acts_for(actor, here))
        whole = sees_all_teams(actor)
        closed = CaseRow.closed_at.is_not(None)
        where = [CaseRow.process.in_(sorted(KINDS.values())), allowed]
        if after:
            mark = conn.execute(
                select(closed, CaseRow.id).where(*where, CaseRow.ref == without_nul(after))
            ).one_or_none()
            if mark is not None:
                where.append(tuple_(closed, -CaseRow.id) > tuple_(*(mark[0], -mark[1])))
        found = select(CaseRow.__table__).where(*where).order_by(closed, CaseRow.id.desc())
        rows: list[Any] = list(conn.execute(found.limit(size + 1)))
        counted = _counted(conn, [row.id for row in rows[:size]], true() if whole else allowed)
        lines = [_line(row, counted[row.id], here) for row in rows[:size]]
        return CampaignList(lines, rows[size - 1].ref if len(rows) > size else None, whole)


def _counted(conn: Connection, ids: list[int], counted: Any) -> dict[int, dict[str, int]]:
    """How many members of each campaign are in each state, in one statement."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    rows = conn.execute(
        select(CaseRow.parent_id, CaseRow.state, func.count())
        .where(CaseRow.parent_id.in_(ids), counted, CaseRow.state.not_in(sorted(campaign_states(Standing.REPLACED))))
        .group_by(CaseRow.parent_id, CaseRow.state)
    )  # fmt: skip
    for parent_id, state, number in rows:
        found[parent_id][state] = number
    return found


def _line(row: Any, by_state: Mapping[str, int], here: World) -> CampaignLine:
    state = process_named(row.process).state(row.state)
    owner = here.staffing.get(row.owner_id) if row.owner_id is not None else None
    counted = partial(count_in, by_state, child_of(row.process).standings)
    everybody = sum(by_state.values()) - (counted({Standing.DROPPED}) - by_state.get(CANCELLED, 0))
    return CampaignLine(
        row.ref, row.subject, kind_of(row.process), row.state, state.title, row.closed_at is None,
        bool(row.data.get("launched_on")), day_of(row.data.get("launch")), day_of(row.data.get("deadline")),
        owner.name if owner else "", everybody, counted(RESPONDED), counted(ACCOUNTED),
        everybody > 0 and counted(FULFILLED) == everybody,
        next_step(row.process, row.state, row.data),
        bool(row.closed_at is None and row.deadline_at and row.deadline_at < here.now),
    )  # fmt: skip


def next_step(process: str, state: str, data: Mapping[str, Any]) -> str:
    """Return what is to be done next in a campaign, in words; nothing when it is closed."""
    if state == "aggregation" and data.get("report"):
        return "A manager approves the report"
    if state == "ready" and data.get("launch_obstacle"):
        return f"The launch is held up: {data['launch_obstacle']}"
    own = OF_SIGN_OFFS if process == KINDS["signoff"] else {}
    return own.get(state) or NEXT_STEP.get(state, "")

"""The decisions that somebody asked for and that others make: who asks may not approve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_

from cases import facts as case_facts
from cases.approving.approvals import PAGE, found_cases, would_own
from cases.approving.deciders import Decider
from cases.approving.decisions import decision_points
from cases.environment import World
from cases.rows import case_of
from cases.tables import CaseRow
from config.database import Connection
from state_machines.draft import Draft
from state_machines.objections import guard_objection, title_of
from state_machines.registry import process_named
from state_machines.values import Case


@dataclass(frozen=True)
class Elsewhere:
    """A decision that the person asked for and therefore may not make."""

    row: Any
    asked: str
    """What the person did, by its title."""
    decides: str | None
    """Who decides today."""


def asked_elsewhere(conn: Connection, decider: Decider, *, limit: int = PAGE) -> list[Elsewhere]:
    """Return the decisions that the person asked for and that still wait, with who makes them."""
    conditions = [
        (CaseRow.process == point.process) & (CaseRow.state == point.state)
        & CaseRow.people.contains({name: [decider.actor.person]})
        for point in decision_points() for name in point.asked_by
    ]  # fmt: skip
    rows = conn.execute(found_cases([~CaseRow.on_hold, or_(*conditions)], decider, None, limit)).all()
    cases = {row.id: case_of(row) for row in rows}
    facts = case_facts.gather(conn, list(cases.values()), now=decider.here.now)
    found = (_elsewhere(row, cases[row.id], decider, facts[row.id]) for row in rows)
    return [each for each in found if each is not None]


def _elsewhere(row: Any, case: Case, decider: Decider, facts: Mapping[str, Any]) -> Elsewhere | None:
    process, here = process_named(case.process), decider.here
    for point in decision_points():
        if (point.process, point.state) != (case.process, case.state):
            continue
        asked = next((n for n in point.asked_by if decider.actor.person in case.people.get(n, ())), None)
        draft = Draft(process, case, None, None, actor=decider.actor, context=here.context(facts), now=here.now)
        if asked is None or all(guard_objection(t, draft) for t in point.decisions if asked in t.four_eyes):
            continue
        owner = row.owner_id if point.owned else would_own(point.role, row, case, here)
        return Elsewhere(row, title_of(process, asked), _acting_name(owner, here))
    return None


def _acting_name(owner: int | None, here: World) -> str | None:
    if owner is None:
        return None
    return here.staffing.acting(owner, here.env.calendar.local_date(here.now)).staff.name

"""What is known of a member besides its answers and moves its risk score: open cases, last year, the country.

Source: risk scoring of the self-assessment survey. What a country adds is the policy's, 0 to 10; nothing where the
policy does not name it.
"""

from __future__ import annotations

from sqlalchemy import select

from cases.environment import World
from cases.tables import CaseRow
from config.database import Connection
from members.tables import Member
from state_machines.registry import process_named
from state_machines.standing import Standing
from state_machines.values import Case
from surveys.scoring import Modifiers

UNRESOLVED = (Standing.UNANSWERED, Standing.UNREACHABLE)


def modifiers(conn: Connection, case: Case, here: World, *, open_monitoring_case: bool) -> Modifiers:
    """Return the modifiers of a response as they are now; they are stored with the score, which is never guessed at."""
    clock = case.clocks.get("respond")
    return Modifiers(
        open_monitoring_case=open_monitoring_case,
        late=bool(case.data.get("overdue")) or (clock is not None and here.now > clock.due),
        previous_year_unresolved=_unresolved_before(conn, case),
        country_risk=_country_risk(conn, case, here),
    )


def _unresolved_before(conn: Connection, case: Case) -> bool:
    """Return whether the member's response to the campaign before ended without an answer, or with a caveat."""
    if case.member_id is None or case.parent_id is None:
        return False
    row = conn.execute(
        select(CaseRow.state, CaseRow.data["excluded"].label("excluded"))
        .where(CaseRow.member_id == case.member_id, CaseRow.process == case.process)
        .where(CaseRow.parent_id < case.parent_id)
        .order_by(CaseRow.parent_id.desc(), CaseRow.id.desc()).limit(1)
    ).one_or_none()  # fmt: skip
    if row is None:
        return False
    return bool(row.excluded) or row.state in process_named(case.process).states_in(*UNRESOLVED)


def _country_risk(conn: Connection, case: Case, here: World) -> float:
    known = here.env.policy.setting("survey_response", "country_risk") or {}
    if not known:
        return 0
    country = conn.execute(select(Member.country).where(Member.id == case.member_id)).scalar_one_or_none()
    return min(max(float(known.get(country or "", 0)), 0), 10)

"""Which members of a campaign are at risk of not answering, and why: one rule, as a condition and in words.

At risk is whoever cannot be reached, is overdue, has not opened the form although the deadline is near, or has opened
it and not submitted although the deadline is very near. How near is a setting of the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from cases.campaigning.sight import RESPONSE
from cases.tables import CaseRow
from state_machines.policy import Policy

OVERDUE = ("escalated", "formal_notice", "decision")


def limits(policy: Policy) -> tuple[int, int]:
    """Return how many days before its deadline a form that is not opened, or not submitted, is a risk."""
    return int(policy.setting(RESPONSE, "at_risk_days")), int(policy.setting(RESPONSE, "at_risk_opened_days"))


def at_risk(policy: Policy, today: date) -> ColumnElement[bool]:
    """Return the condition on ``cases`` that a response is at risk."""
    unopened, opened = ((today + timedelta(days=days)).isoformat() for days in limits(policy))
    deadline = CaseRow.data["deadline"].astext
    return or_(
        CaseRow.state.in_(["bounced", *OVERDUE]),
        and_(CaseRow.state == "invited", deadline <= unopened),
        and_(CaseRow.state.in_(["opened", "in_progress"]), deadline <= opened),
    )


def risks_of(state: str, data: Mapping[str, Any], policy: Policy, today: date) -> tuple[str, ...]:
    """Return why a response is at risk, in words; nothing when it is not."""
    deadline = str(data.get("deadline") or "")
    if state == "bounced":
        return ("Mail comes back",)
    if state in OVERDUE:
        return ("Overdue", *(("Promise not kept",) if _broken(data, today) else ()))
    unopened, opened = ((today + timedelta(days=days)).isoformat() for days in limits(policy))
    if state == "invited" and deadline <= unopened:
        return (f"Not opened, {_left(deadline, today)}",)
    if state in ("opened", "in_progress") and deadline <= opened:
        return (f"{'Begun' if state == 'in_progress' else 'Opened'} but not submitted, {_left(deadline, today)}",)
    return ()


def _broken(data: Mapping[str, Any], today: date) -> bool:
    promised = data.get("promised_on")
    return bool(promised) and str(promised) < today.isoformat()


def _left(deadline: str, today: date) -> str:
    days = (date.fromisoformat(deadline) - today).days
    if days < 0:
        return "the deadline has passed"
    return "last day" if days == 0 else f"{days} day{'' if days == 1 else 's'} left"

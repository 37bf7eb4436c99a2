"""Which members of a campaign are at risk of not answering, and why: one rule, as a condition and in words.

At risk is whoever cannot be reached, is overdue, has not opened what was sent although the deadline is near, or has
opened it and not answered although the deadline is very near. How near is a setting of the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from cases.tables import CaseRow
from state_machines.english import plural
from state_machines.policy import Policy
from state_machines.process import Process
from state_machines.standing import Standing
from state_machines.values import Role

OVERDUE = frozenset({"escalated", "formal_notice", "decision"})
"""Beyond the deadline; these have the same names in every kind of campaign."""


def limits(child: Process, policy: Policy) -> tuple[int, int]:
    """Return how many days before its deadline what is not opened, or not answered, is a risk."""
    return int(policy.setting(child.name, "at_risk_days")), int(policy.setting(child.name, "at_risk_opened_days"))


def unopened(child: Process) -> frozenset[str]:
    """Return the states in which an answer is awaited and the member has not opened what was sent."""
    views = {name for t in child.transitions if t.trigger == "view" and t.target for name in child.sources_of(t)}
    return frozenset(views & child.states_in(Standing.AWAITED))


def _opened(child: Process) -> frozenset[str]:
    return child.states_in(Standing.AWAITED) - OVERDUE - unopened(child)


def at_risk(child: Process, policy: Policy, today: date) -> ColumnElement[bool]:
    """Return the condition on ``cases`` that a member is at risk."""
    closed, opened = ((today + timedelta(days=days)).isoformat() for days in limits(child, policy))
    deadline = CaseRow.data["deadline"].astext
    return or_(
        CaseRow.state.in_(sorted(child.states_in(Standing.UNREACHED) | OVERDUE)),
        and_(CaseRow.state.in_(sorted(unopened(child))), deadline <= closed),
        and_(CaseRow.state.in_(sorted(_opened(child))), deadline <= opened),
    )


def risks_of(child: Process, state: str, data: Mapping[str, Any], policy: Policy, today: date) -> tuple[str, ...]:
    """Return why a member is at risk, in words; nothing when it is not."""
    deadline = str(data.get("deadline") or "")
    if child.standings.get(state) is Standing.UNREACHED:
        return ("Mail comes back" if state == "bounced" else child.state(state).title,)
    if state in OVERDUE:
        return ("Overdue", *(("Promise not kept",) if _broken(data, today) else ()))
    closed, opened = ((today + timedelta(days=days)).isoformat() for days in limits(child, policy))
    if state in unopened(child) and deadline <= closed:
        return (f"Not opened, {_left(deadline, today)}",)
    if state in _opened(child) and deadline <= opened:
        return (f"{_how_far(child, state)}, {_left(deadline, today)}",)
    return ()


def _how_far(child: Process, state: str) -> str:
    signs = any(t.trigger == "sign" and Role.MEMBER in t.by for t in child.transitions)
    if signs:
        return "Link too old" if state == "expired" else "Opened but not signed"
    return f"{'Begun' if state == 'in_progress' else 'Opened'} but not submitted"


def _broken(data: Mapping[str, Any], today: date) -> bool:
    promised = data.get("promised_on")
    return bool(promised) and str(promised) < today.isoformat()


def _left(deadline: str, today: date) -> str:
    days = (date.fromisoformat(deadline) - today).days
    if days < 0:
        return "the deadline has passed"
    return "last day" if days == 0 else f"{plural(days, 'day')} left"

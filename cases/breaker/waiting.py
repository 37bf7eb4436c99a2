"""Which cases a sweep leaves alone, as conditions on ``cases``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select

from cases.breaker.tables import OPEN, HeldCase, SweepHold
from cases.tables import CaseRow

_SAME = (HeldCase.case_id == CaseRow.id) & (HeldCase.due_at == CaseRow.due_at)


def is_held() -> ColumnElement[bool]:
    """Return the condition that a case waits for a manager: it is due, and no sweep does anything about it."""
    return exists().where(_SAME, HeldCase.waiting)


def is_known() -> ColumnElement[bool]:
    """Return the condition that a case is held back, or was let go and has not been swept since."""
    return exists().where(_SAME)


def holds_waiting() -> ScalarSelect[Any]:
    """Return how many decisions about what is held back wait, as a part of a statement."""
    return select(func.count()).select_from(SweepHold).where(SweepHold.state == OPEN).scalar_subquery()

"""Groups of members that people ask for: by where they stand, and those somebody is to ring today."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from cases.campaigning.counts import Counts
from cases.campaigning.sight import RESPONSE, Sight
from cases.tables import CaseRow, CaseTask
from state_machines.english import capital
from state_machines.standing import RESPONDED, Standing

TO_RING = "to_ring"
_CALLS = ("phone", "promise")
GROUPS: dict[str, tuple[str, frozenset[Standing]]] = {
    "outstanding": ("Outstanding", frozenset({Standing.AWAITED, Standing.UNDECIDED})),
    "awaited": ("{what} awaited", frozenset({Standing.AWAITED, Standing.UNREACHED})),
    "reachable": ("{what} awaited, and mail arrives", frozenset({Standing.AWAITED})),
    "unanswered": (
        "No {what} yet, whatever the reason",
        frozenset({Standing.AWAITED, Standing.UNREACHED, Standing.UNDECIDED}),
    ),
    "to_review": ("To {look}", frozenset({Standing.IN_REVIEW})),
    "queried": ("Asked back", frozenset({Standing.ASKED_BACK})),
    "in_review": ("{what} in, not settled yet", RESPONDED - {Standing.COMPLETE}),
    "responded": ("{what} in", RESPONDED),
    "undecided": ("Waits for a manager", frozenset({Standing.UNDECIDED})),
    "not_reached": ("Unreachable, decided", frozenset({Standing.UNREACHABLE})),
    "failed": ("No {what}, decided", frozenset({Standing.UNANSWERED})),
}
"""By the name they have in an address: their title, and who is in them."""


def title_of(sight: Sight, name: str) -> str:
    """Return what people call a group in this campaign."""
    what, look = ("answer", "review") if sight.child.name == RESPONSE else ("signature", "check")
    return capital(GROUPS[name][0].format(what=what, look=look))


def of_calls() -> ColumnElement[bool]:
    """Return the condition on tasks that they are open, of this case, and settled by a call."""
    return and_(CaseTask.case_id == CaseRow.id, CaseTask.closed_at.is_(None), CaseTask.kind.in_(_CALLS))


def to_ring(sight: Sight) -> ColumnElement[bool]:
    """Return the condition that somebody is to be rung: a call is asked for, or an answer was promised for today."""
    due = or_(CaseTask.kind == "phone", CaseTask.due_at <= sight.here.env.calendar.end_of(sight.today))
    return exists().where(of_calls(), due).correlate(CaseRow)


Listed = list[tuple[str, str, int]]
"""Names in an address, with their titles and how many members there are."""


def groups_of(sight: Sight, found: Counts, chosen: str = "") -> Listed:
    """Return the groups in which there is somebody, and the one that is chosen; one statement."""
    ring = sight.conn.execute(select(func.count()).select_from(CaseRow).where(sight.listed, to_ring(sight)))
    groups = [(name, title_of(sight, name), found.standing(*standings)) for name, (_, standings) in GROUPS.items()]
    return [each for each in ((TO_RING, "To ring", ring.scalar_one()), *groups) if each[2] or each[0] == chosen]


def states_of(sight: Sight, found: Counts, chosen: str = "") -> Listed:
    """Return the states in which there is somebody, and the one that is chosen, in the order of the process."""
    states = ((s.name, s.title, found.by_state.get(s.name, 0)) for s in sight.child.states)
    return [each for each in states if each[2] or each[0] == chosen]

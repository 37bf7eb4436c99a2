"""Whose campaign this is to look at: the one door through which every page about a campaign goes.

Who sees every team is told the whole number of members, also of those few whom they may not open. Everybody else is
told of their own teams' members alone: in lists, in counts and in files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select, true

from cases.campaigns import KINDS, child_of
from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseNotFound
from cases.looking.recording import looked_at_case
from cases.permissions import visible
from cases.rows import ref_of
from cases.sight import row_seen
from cases.tables import CaseRow
from config.database import Connection, reading
from members.visibility import lent_teams, sees_all_teams, visible_members
from state_machines.process import Process
from state_machines.standing import Standing
from state_machines.values import Actor

RESPONSE = "survey_response"
"""The children of a survey; what is about questions and answers is about them alone."""
Acting = Callable[[int | None], Actor]
"""As whom somebody acts on a case of this owner: on their behalf where they are away and this person deputises."""


@dataclass(frozen=True)
class Sight:
    """A campaign and what of it one person may see."""

    conn: Connection
    here: World
    row: Any
    """The row of the campaign."""
    actor: Actor
    openable: ColumnElement[bool]
    """The responses this person may open."""

    @property
    def whole(self) -> bool:
        """Whether this person is told the numbers of all teams."""
        return sees_all_teams(self.actor)

    @property
    def today(self) -> date:
        """The local day."""
        return self.here.env.calendar.local_date(self.here.now)

    @property
    def members(self) -> ColumnElement[bool]:
        """The members of the register this person may see, in a campaign or not."""
        return visible_members(self.actor, lent_teams(self.actor, self.here.staffing, self.today))

    @property
    def child(self) -> Process:
        """The process of the cases of its members."""
        return child_of(self.row.process)

    def standing(self, *wanted: Standing) -> ColumnElement[bool]:
        """Whether a member of this campaign stands in one of these ways."""
        return CaseRow.state.in_(sorted(self.child.states_in(*wanted)))

    def require_questions(self) -> None:
        """Raise BadInput for a campaign that asks no questions."""
        if self.child.name != RESPONSE:
            raise BadInput(f"{self.row.ref} asks no questions: members sign a document, and each signature is a case.")

    @property
    def of_campaign(self) -> ColumnElement[bool]:
        """The responses of this campaign; what a newer round has replaced is none any more."""
        found: ColumnElement[bool] = CaseRow.parent_id == self.row.id
        replaced = sorted(self.child.states_in(Standing.REPLACED))
        return found & CaseRow.state.not_in(replaced) if replaced else found

    @property
    def counted(self) -> ColumnElement[bool]:
        """The responses that make up this person's numbers."""
        return self.of_campaign & (true() if self.whole else self.openable)

    @property
    def listed(self) -> ColumnElement[bool]:
        """The responses this person may see by name."""
        return self.of_campaign & self.openable


@contextmanager
def looking(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Iterator[Sight]:
    """Yield a campaign as somebody may see it. Raises CaseNotFound, or BadInput for a case that is no campaign."""
    with reading(env.engine) as conn:
        yield sight_of(conn, world(conn, env, now), ref, actor)


def sight_of(conn: Connection, here: World, ref: str, actor: Actor) -> Sight:
    """Return a campaign as somebody may see it, inside the caller's transaction. Raises CaseNotFound or BadInput."""
    row = row_seen(conn, ref, actor, here)
    if row.process not in KINDS.values():
        raise BadInput(f"{row.ref} is no campaign.")
    return Sight(conn, here, row, actor, visible(actor, acts_for(actor, here)))


def response_of(sight: Sight, ref: str) -> Any:
    """Return the row of one response of a campaign. Raises CaseNotFound also for one this person may not open."""
    row = sight.conn.execute(select(CaseRow.__table__).where(sight.listed, CaseRow.ref == ref_of(ref))).one_or_none()
    if row is None:
        raise CaseNotFound(ref)
    looked_at_case(row, row.ref, actor=sight.actor)
    return row


def acts_as(
    env: Environment, ref: str, case_ref: str | None = None, *, acting: Acting, actor: Actor,
    now: datetime | None = None,
) -> Actor:  # fmt: skip
    """Return as whom somebody acts on a campaign, or on one response of it. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        return acting((response_of(sight, case_ref) if case_ref else sight.row).owner_id)

"""Who is still outstanding when a campaign is closed with exceptions: each must be named with what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cases.campaigning.counts import Counts, counts
from cases.campaigning.lines import SOURCE
from cases.campaigning.moves import Move, moves_of
from cases.campaigning.sight import RESPONSE, Acting, looking
from cases.environment import Environment
from cases.errors import CaseNotFound
from cases.tables import CaseRow
from members.tables import Member
from state_machines.registry import process_named
from state_machines.values import Actor

CLOSE = "close_with_exceptions"
MOST = 4000
"""Members that one form can name."""
ACCOUNTED = ("complete", "exempt", "cancelled")


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A member who has neither completed nor been exempted."""

    ref: str
    member: str
    member_ref: str
    state_title: str


@dataclass(frozen=True)
class Closing:
    """What closing a campaign with exceptions needs."""

    ref: str
    title: str
    version: int
    counts: Counts
    outstanding: list[Outstanding]
    move: Move


def closing(
    env: Environment, ref: str, *, acting: Acting | None = None, actor: Actor, now: datetime | None = None
) -> Closing:
    """Return who is outstanding. Raises CaseNotFound also where this person may not close the campaign this way now."""
    with looking(env, ref, actor=actor, now=now) as sight:
        move = moves_of(sight, sight.row, acting).get(CLOSE)
        if move is None:
            raise CaseNotFound(ref)
        wanted = (
            select(CaseRow.ref, CaseRow.state, Member.name, Member.ref.label("member_ref")).select_from(SOURCE)
            .where(sight.listed, CaseRow.state.not_in(ACCOUNTED)).order_by(Member.name_key, CaseRow.id).limit(MOST)
        )  # fmt: skip
        process = process_named(RESPONSE)
        left = [
            Outstanding(row.ref, row.name, row.member_ref, process.state(row.state).title)
            for row in sight.conn.execute(wanted)
        ]
        return Closing(sight.row.ref, sight.row.subject, sight.row.version, counts(sight), left, move)

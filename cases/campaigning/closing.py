"""Who is still outstanding when a campaign is closed with exceptions: each must be named with what is done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.campaigning.counts import Counts, counts
from cases.campaigning.lines import SOURCE
from cases.campaigning.moves import Move, moves_of
from cases.campaigning.sight import Acting, Sight, looking
from cases.campaigns import kind_of
from cases.environment import Environment
from cases.errors import CaseNotFound
from cases.tables import CaseLink, CaseRow
from members.tables import Member
from state_machines.processes.reaching_proof import evidence, in_words
from state_machines.standing import FULFILLED, LEFT_OUT
from state_machines.values import Actor

CLOSE = "close_with_exceptions"
MOST = 4000
"""Members that one form can name."""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A member who has neither completed nor been exempted."""

    ref: str
    member: str
    member_ref: str
    state_title: str
    evidence: str = ""
    """What is on record of trying to reach it, in words; nothing where nothing is."""
    case: str = ""
    """The monitoring case in which it is looked at, for a sign-off."""


@dataclass(frozen=True)
class Closing:
    """What closing a campaign with exceptions needs."""

    ref: str
    kind: str
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
        columns = (CaseRow.id, CaseRow.ref, CaseRow.state, CaseRow.data, Member.name, Member.ref.label("member_ref"))
        wanted = (
            select(*columns).select_from(SOURCE).where(sight.listed, ~sight.standing(*FULFILLED, *LEFT_OUT))
            .order_by(Member.name_key, CaseRow.id).limit(MOST)
        )  # fmt: skip
        rows = sight.conn.execute(wanted).all()
        kind = kind_of(sight.row.process)
        cases = incidents(sight, [row.id for row in rows]) if kind == "signoff" else {}
        left = [
            Outstanding(row.ref, row.name, row.member_ref, sight.child.state(row.state).title, _evidence(row.data),
                        cases.get(row.id, ""))
            for row in rows
        ]  # fmt: skip
        return Closing(sight.row.ref, kind, sight.row.subject, sight.row.version, counts(sight), left, move)


def _evidence(data: Mapping[str, Any]) -> str:
    found = evidence(data)
    return f"On record: {in_words(found)}." if any(found.values()) else ""


def incidents(sight: Sight, ids: Sequence[int]) -> dict[int, str]:
    """Return by member's case the reference of the monitoring case that came of it; one statement."""
    rows = sight.conn.execute(
        select(CaseLink.to_id, CaseRow.ref).join(CaseRow, CaseRow.id == CaseLink.from_id)
        .where(CaseLink.to_id.in_(ids), CaseLink.type == "caused_by", CaseRow.process == "monitoring")
        .order_by(CaseRow.id)
    )  # fmt: skip
    return {row.to_id: row.ref for row in rows}

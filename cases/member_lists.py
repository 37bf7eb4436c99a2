"""Lists of members together with how many cases they have that somebody may see.

Members go through ``members.visibility``, cases through ``visible``; who stands in for a colleague sees their team.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.permissions import visible
from cases.tables import CaseRow
from config.database import Connection, reading
from members import browsing
from members.browsing import MemberFilter
from members.cards import MemberCard
from members.proposal_lists import open_count
from members.visibility import lent_teams
from state_machines.values import Actor


def lent(actor: Actor, here: World) -> frozenset[str]:
    """Return the teams of those for whom a person stands in today."""
    return lent_teams(actor, here.staffing, here.env.calendar.local_date(here.now))


@dataclass(frozen=True)
class Members:
    """One page of the list of members."""

    page: browsing.MemberPage
    open_cases: Mapping[int, int]
    """By member id, how many open cases there are that the viewer may see."""
    waiting: int
    """How many proposed changes wait, of all members the viewer may see."""
    choices: Mapping[str, Sequence[str]]


def members(
    env: Environment, narrow: MemberFilter, *, after: str | None = None, before: str | None = None, size: int = 50,
    actor: Actor, now: datetime | None = None,
) -> Members:  # fmt: skip
    """Return one page of the members a person may see, by name."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        seen: dict[str, Any] = {"lent": lent(actor, here), "viewer": actor}
        page = browsing.page(conn, narrow, after=after, before=before, limit=size, **seen)
        counted = open_cases(conn, [line.card.id for line in page.lines], actor, here)
        return Members(page, counted, open_count(conn, **seen), browsing.choices(conn, **seen))


def open_cases(conn: Connection, ids: Sequence[int], actor: Actor, here: World) -> Mapping[int, int]:
    """Return by member how many open cases there are that the actor may see."""
    theirs = (CaseRow.member_id.in_(ids), CaseRow.closed_at.is_(None), visible(actor, acts_for(actor, here)))
    found = select(CaseRow.member_id, func.count()).where(*theirs).group_by(CaseRow.member_id)
    return {row[0]: row[1] for row in conn.execute(found)} if ids else {}


def suggestions(env: Environment, words: str, *, actor: Actor, now: datetime | None = None) -> list[MemberCard]:
    """Return a few members a person may mean by some words, likeliest first."""
    with reading(env.engine) as conn:
        return browsing.suggestions(conn, words, lent=lent(actor, world(conn, env, now)), viewer=actor)


def exported(
    env: Environment, narrow: MemberFilter, *, actor: Actor, now: datetime | None = None
) -> list[tuple[MemberCard, str | None]]:
    """Return all members of a list, each with the address that is written to first."""
    with reading(env.engine) as conn:
        return browsing.everyone(conn, narrow, lent=lent(actor, world(conn, env, now)), viewer=actor)

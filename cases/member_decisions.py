"""What people read before they decide about members: what merging two would do, and which proposed changes wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.environment import Environment, world
from cases.member_lists import lent, open_cases
from cases.member_pages import sources_seen
from config.database import reading
from members import store
from members.cards import Contact, MemberCard
from members.errors import Unusable
from members.member_commands import contacts_that_move, filled_by_merging
from members.proposal_lists import Proposal, open_count, open_proposals, proposals_of
from members.visibility import find_member, may_edit
from state_machines.values import Actor


@dataclass(frozen=True)
class Merging:
    """What making one member part of another would do."""

    kept: MemberCard
    merged: MemberCard
    filled: Mapping[str, Any]
    """What the kept one lacks and gets."""
    flags: frozenset[str]
    """Flags that come over."""
    moving: list[Contact]
    """Contacts that come over; those with an address that is there already do not."""
    staying: int
    open_cases: int
    proposals: int


def merging(env: Environment, keep: str, other: str, *, actor: Actor, now: datetime | None = None) -> Merging:
    """Return what making ``other`` part of ``keep`` would do. Raises NotFound, or Unusable when they are the same."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        kept, merged = (find_member(conn, text, lent=lent(actor, here), actor=actor) for text in (keep, other))
        if kept.id == merged.id:
            raise Unusable(f"“{other}” is {kept.ref} {kept.name} itself; choose the other entry.")
        contacts = store.contacts_of(conn, [kept.id, merged.id])
        moving = contacts_that_move(contacts[kept.id], contacts[merged.id])
        waiting = [each for each in proposals_of(conn, merged.id) if each.status == "open"]
        return Merging(
            kept, merged, filled_by_merging(kept, merged), merged.flags - kept.flags, moving,
            len(contacts[merged.id]) - len(moving), open_cases(conn, [merged.id], actor, here).get(merged.id, 0),
            len(waiting),
        )  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """Proposed changes that wait, the oldest first."""

    proposals: list[Proposal]
    total: int
    after: int | None
    sources: frozenset[str]
    """The references of the cases they came from that the viewer may see."""
    names: Mapping[str, str]
    editable: frozenset[int]
    """The numbers of those the viewer may decide."""


def waiting_proposals(
    env: Environment, *, after: int = 0, size: int = 20, actor: Actor, now: datetime | None = None
) -> Waiting:
    """Return a page of the open proposals about members a person may see."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        teams = lent(actor, here)
        found = open_proposals(conn, after=after, limit=size + 1, lent=teams, viewer=actor)
        shown = found[:size]
        editable = frozenset(each.id for each in shown if may_edit(actor, each.card.team, teams))
        total = open_count(conn, lent=teams, viewer=actor)
        sources = sources_seen(conn, shown, actor, here)
        return Waiting(
            shown, total, shown[-1].id if len(found) > size else None, sources, here.staffing.names_in_record, editable
        )

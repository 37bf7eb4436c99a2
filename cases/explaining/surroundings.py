"""Reading what a run ahead begins with: the case, what can move it, its mail, and the facts of today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, literal, or_, select
from sqlalchemy import case as when

from cases import facts as case_facts
from cases.environment import World
from cases.explaining.ahead import Ahead, Link
from cases.explaining.post import Post
from cases.explaining.repeating import repeats_for_ever
from cases.explaining.tracks import Supposed, Track
from cases.locking import COLUMNS, FIRST, Locked, locked_of
from cases.tables import CaseLink, CaseRow
from config.database import Connection
from members import store as member_store
from notifications import queries as message_queries
from state_machines.registry import process_named
from state_machines.values import Case

MOST_OTHERS = 20
"""Of cases that may move this one, so many are run along with it, and so many children."""
STEPS_AWAY = 3
MOST_LINKS = 200
"""Links are followed so many steps: a newer version of a document moves the campaigns that ask for the one before."""


def surroundings(conn: Connection, row: Any, here: World) -> Ahead:
    """Return a run ahead of an open case from its row; a handful of statements."""
    main = locked_of(tuple(row._mapping[name] for name in FIRST))
    main = Locked(main.case, main.head, main.owner_id, main.owner_role, main.coordinator_id, main.process_version,
                  main.walled_off, row)  # fmt: skip
    links = _links(conn, main.case.id)
    children = _children(conn, main.case)
    others = [*_others(conn, main.case, links), *children]
    gathered = case_facts.gather(conn, [main.case, *(o.case for o in others)], now=here.now)
    tracks = [Track(other, Supposed(gathered[other.case.id])) for other in others]
    facts = Supposed(gathered[main.case.id])
    for supposed in (facts, *(track.facts for track in tracks)):
        supposed.settle()
    post = Post(facts.get("member") or {}, _contacts(conn, main.case.member_id))
    post.begin(message_queries.messages_of(conn, main.case.id))
    apart = Counter(facts.get("children") or {}) - Counter(child.case.state for child in children) if children else None
    return Ahead(here, Track(main, facts), tracks, post, links, apart, repeats_for_ever(here))


def _links(conn: Connection, case_id: int) -> list[Link]:
    """The links of a case and, a few steps on, of those that it is linked with."""
    near = select(literal(case_id, BigInteger).label("id"), literal(0).label("steps")).cte("near", recursive=True)
    touching = or_(CaseLink.from_id == near.c.id, CaseLink.to_id == near.c.id)
    other = when((CaseLink.from_id == near.c.id, CaseLink.to_id), else_=CaseLink.from_id)
    near = near.union(select(other, near.c.steps + 1).where(touching, near.c.steps < STEPS_AWAY))
    ends = (CaseLink.from_id, CaseLink.to_id, CaseLink.type)
    found = select(*ends).where(
        or_(CaseLink.from_id == near.c.id, CaseLink.to_id == near.c.id), near.c.steps < STEPS_AWAY
    ).group_by(*ends).order_by(func.min(near.c.steps), *ends)  # fmt: skip
    return [Link(row.from_id, row.to_id, row.type) for row in conn.execute(found.limit(MOST_LINKS))]


def _children(conn: Connection, case: Case) -> list[Locked]:
    """The open children of a case, if they are few."""
    if "children" not in process_named(case.process).facts:
        return []
    wanted = select(*COLUMNS).where(CaseRow.parent_id == case.id, CaseRow.closed_at.is_(None))
    found = [locked_of(row) for row in conn.execute(wanted.order_by(CaseRow.id).limit(MOST_OTHERS + 1))]
    return found if len(found) <= MOST_OTHERS else []


def _others(conn: Connection, case: Case, links: Sequence[Link]) -> list[Locked]:
    """The open cases that may move this one: its parent and linked cases first, then others of its member, then cases
    that are linked with it through others."""
    linked = {each for link in links for each in (link.from_id, link.to_id)}
    direct = {each for link in links if case.id in (link.from_id, link.to_id) for each in (link.from_id, link.to_id)}
    near = CaseRow.id.in_(sorted(direct | ({case.parent_id} if case.parent_id is not None else set())))
    far = CaseRow.id.in_(sorted(linked - direct))
    ways: list[ColumnElement[bool]] = [near, far]
    if case.member_id is not None:
        ways.append(CaseRow.member_id == case.member_id)
    strangers = or_(CaseRow.parent_id.is_(None), CaseRow.parent_id != case.id)
    wanted = select(CaseRow.id).where(or_(*ways), CaseRow.id != case.id, CaseRow.closed_at.is_(None), strangers)
    chosen = wanted.order_by(near.desc(), far, CaseRow.id).limit(MOST_OTHERS)
    return [locked_of(row) for row in conn.execute(select(*COLUMNS).where(CaseRow.id.in_(chosen)).order_by(CaseRow.id))]


def _contacts(conn: Connection, member_id: int | None) -> dict[int, Any]:
    return dict(member_store.contacts_of(conn, [member_id])) if member_id is not None else {}

"""Reading what a run ahead begins with: the case, what can move it, its mail, and the facts of today."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_, select

from cases import facts as case_facts
from cases.environment import World
from cases.explaining.ahead import Ahead
from cases.explaining.post import Post
from cases.explaining.repeating import repeats_for_ever
from cases.explaining.tracks import Supposed, Track
from cases.locking import COLUMNS, FIRST, Locked, locked_of
from cases.tables import CaseLink, CaseRow
from config.database import Connection
from members import store as member_store
from notifications import queries as message_queries
from state_machines.values import Case

MOST_OTHERS = 20
"""Of cases that may move this one, so many are run along with it."""


def surroundings(conn: Connection, row: Any, here: World) -> Ahead:
    """Return a run ahead of an open case from its row; a handful of statements."""
    main = locked_of(tuple(row._mapping[name] for name in FIRST))
    main = Locked(main.case, main.head, main.owner_id, main.owner_role, main.coordinator_id, main.process_version,
                  main.walled_off, row)  # fmt: skip
    links = _links(conn, main.case.id)
    others = _others(conn, main.case, list(links))
    gathered = case_facts.gather(conn, [main.case, *(o.case for o in others)], now=here.now)
    tracks = [Track(other, Supposed(gathered[other.case.id])) for other in others]
    facts = Supposed(gathered[main.case.id])
    for supposed in (facts, *(track.facts for track in tracks)):
        supposed.settle()
    post = Post(facts.get("member") or {}, _contacts(conn, main.case.member_id))
    post.begin(message_queries.messages_of(conn, main.case.id))
    return Ahead(here, Track(main, facts), tracks, post, links, repeats_for_ever(here))


def _links(conn: Connection, case_id: int) -> dict[int, set[str]]:
    rows = conn.execute(
        select(CaseLink.from_id, CaseLink.to_id, CaseLink.type).where(
            or_(CaseLink.from_id == case_id, CaseLink.to_id == case_id)
        )
    )
    found: dict[int, set[str]] = {}
    for row in rows:
        found.setdefault(row.to_id if row.from_id == case_id else row.from_id, set()).add(row.type)
    return found


def _others(conn: Connection, case: Case, linked: list[int]) -> list[Locked]:
    """The open cases that may move this one: its parent and linked cases first, then others of its member."""
    near = CaseRow.id.in_([*linked, *([case.parent_id] if case.parent_id is not None else [])])
    ways: list[ColumnElement[bool]] = [near]
    if case.member_id is not None:
        ways.append(CaseRow.member_id == case.member_id)
    wanted = select(*COLUMNS).where(or_(*ways), CaseRow.id != case.id, CaseRow.closed_at.is_(None))
    return [locked_of(row) for row in conn.execute(wanted.order_by(near.desc(), CaseRow.id).limit(MOST_OTHERS))]


def _contacts(conn: Connection, member_id: int | None) -> dict[int, Any]:
    return dict(member_store.contacts_of(conn, [member_id])) if member_id is not None else {}

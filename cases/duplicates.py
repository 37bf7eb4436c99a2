"""Two cases about the same thing: one is marked as a duplicate of the other. Nothing is moved, closed or lost by it.

Both are locked in order of id: two people who mark A as a duplicate of B and B as one of A at the same moment do it one
after the other, and the second is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from cases.commands import acts_for, plain_change, require_staff, unhindered
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseChanged
from cases.locking import Locked, lock_where
from cases.permissions import require_sight
from cases.rows import ref_of
from cases.store import apply
from cases.tables import CaseLink, CaseRow
from cases.writing import write_links
from config.database import Connection, transaction
from state_machines.registry import process_named
from state_machines.values import Actor

DUPLICATE_OF = "duplicate_of"
"""The type of the link."""
MARKED, UNMARKED = "marked_duplicate", "unmarked_duplicate"
"""The kinds of event."""


class OtherMember(BadInput):
    """They are about different members. Confirm that they are duplicates all the same."""


def mark_duplicate(
    env: Environment,
    ref: str,
    of: str,
    *,
    confirmed: bool = False,
    seen_version: int | None = None,
    actor: Actor,
    now: datetime | None = None,
) -> str:
    """Link a case to the one it repeats, write it on both, and return the reference of the other.

    Raises CaseNotFound for either, CaseChanged, or BadInput; OtherMember unless that is ``confirmed``.
    """
    require_staff(actor)

    def once() -> str:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            repeated, kept = _both(conn, ref, of, actor, here)
            if seen_version is not None and repeated.case.version != seen_version:
                raise CaseChanged(f"It is now at version {repeated.case.version}; you saw {seen_version}.")
            _require_fit(conn, repeated, kept, confirmed)
            write_links(conn, [(repeated.case.id, kept.case.id, DUPLICATE_OF, here.now, actor.person)])
            _written(conn, repeated, kept, MARKED, actor, here)
            return kept.case.ref

    return unhindered(once)


def unmark_duplicate(env: Environment, ref: str, of: str, *, actor: Actor, now: datetime | None = None) -> None:
    """Take back that a case is a duplicate of another; both keep that it was said. Raises CaseNotFound or BadInput."""
    require_staff(actor)

    def once() -> None:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            repeated, kept = _both(conn, ref, of, actor, here)
            link = (CaseLink.from_id == repeated.case.id, CaseLink.to_id == kept.case.id, CaseLink.type == DUPLICATE_OF)
            if not conn.execute(delete(CaseLink).where(*link)).rowcount:
                raise BadInput(f"{repeated.case.ref} is not marked as a duplicate of {kept.case.ref}.")
            _written(conn, repeated, kept, UNMARKED, actor, here)

    unhindered(once)


def _both(conn: Connection, ref: str, of: str, actor: Actor, here: World) -> tuple[Locked, Locked]:
    """Both cases under their locks, in order of id. Raises CaseNotFound for one that is not the actor's to see."""
    first, second = (ref_of(each) for each in (ref, of))
    if first == second:
        raise BadInput("A case is no duplicate of itself.")
    found = {locked.case.ref: locked for locked in lock_where(conn, CaseRow.ref.in_([first, second]))}
    for each in (first, second):
        require_sight(actor, found[each].row if each in found else None, each, acts_for(actor, here))
    return found[first], found[second]


def _require_fit(conn: Connection, repeated: Locked, kept: Locked, confirmed: bool) -> None:
    one, other = repeated.case, kept.case
    if one.process != other.process:
        titles = (process_named(case.process).title.lower() for case in (one, other))
        raise BadInput("They are not of the same kind: one is a {}, the other a {}.".format(*titles))
    links = conn.execute(
        select(CaseLink.from_id, CaseLink.to_id, CaseRow.ref.label("kept"))
        .join(CaseRow, CaseRow.id == CaseLink.to_id)
        .where(CaseLink.type == DUPLICATE_OF, CaseLink.from_id.in_([one.id, other.id]))
    ).all()  # fmt: skip
    for link in links:
        if (link.from_id, link.to_id) == (other.id, one.id):
            raise BadInput(f"{other.ref} is marked as a duplicate of {one.ref}; only one of them can be the duplicate.")
        if link.from_id == one.id:
            known = other.ref if link.to_id == other.id else "another case"
            raise BadInput(f"{one.ref} is marked as a duplicate of {known} already.")
    if any(link.from_id == other.id for link in links):
        raise BadInput(f"{other.ref} is a duplicate itself; choose the case that it repeats.")
    if one.member_id != other.member_id and not confirmed:
        raise OtherMember


def _written(conn: Connection, repeated: Locked, kept: Locked, kind: str, actor: Actor, here: World) -> None:
    pairs: Sequence[tuple[Locked, dict[str, Any]]] = (
        (repeated, {"duplicate_of": kept.case.ref}), (kept, {"duplicate": repeated.case.ref}),
    )  # fmt: skip
    changes = [
        plain_change(locked, locked.case, kind, details, {}, actor=actor, now=here.now) for locked, details in pairs
    ]
    apply(conn, changes, here)

"""A step of a case as somebody takes it on a page: locked, shown, decided and written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases import facts as case_facts
from cases.commands import acts_for, require_version, unhindered, written_by
from cases.environment import Environment, World
from cases.errors import CaseNotFound
from cases.locking import Locked, lock_where
from cases.permissions import require_sight
from cases.queries import CasePage, in_brief
from cases.rows import ref_of
from cases.sight import row_seen
from cases.tables import CaseRow
from cases.writing import Change
from config import clock
from config.database import Connection, transaction
from members import staff_store
from members.tables import Member
from state_machines.choosing import choices
from state_machines.registry import process_named
from state_machines.values import Actor, Outcome


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    page: CasePage
    """The case as it was before."""
    outcome: Outcome
    in_sight: bool
    """Whether the one who took it may still see the case."""


_MEMBER = select(Member.name).where(Member.id == CaseRow.member_id).scalar_subquery().label("member")
_MEMBER_REF = select(Member.ref).where(Member.id == CaseRow.member_id).scalar_subquery().label("member_ref")
_BESIDE = (
    *(CaseRow.__table__.c[name] for name in ("deadline_at", "outcome", "parked_at")), _MEMBER, _MEMBER_REF,
    staff_store.version().label("staff"),
)  # fmt: skip
"""What is read along with the lock: what a page says of a case, and the version of the staff."""


def take_step(
    env: Environment, ref: str, trigger: str, payload: Callable[[CasePage], Mapping[str, Any] | None],
    along: Callable[[Connection, int], None], *, note: str | None, seen_version: int | None,
    acting: Callable[[int | None], Actor], actor: Actor, now: datetime | None = None,
) -> Taken:  # fmt: skip
    """Pull a trigger on a case, as `commands.fire` does, and return what it did.

    ``payload`` makes what was typed of the case, which holds the choices of this trigger alone; what it raises undoes
    all. ``along`` is written with the step: it is given the id of the case. ``acting`` says as whom the actor acts on a
    case of this owner. Raises what `commands.fire` raises.
    """

    def once() -> Taken:
        with transaction(env.engine) as conn:
            locked, here = _locked(conn, env, ref, now)
            deputised = acts_for(actor, here)
            require_sight(actor, locked.row, ref, deputised)
            who = acting(locked.owner_id)
            page = _page(conn, locked, trigger, who, here)
            typed = payload(page)
            require_sight(who, locked.row, ref, deputised)
            require_version(locked, seen_version)
            written = written_by(conn, locked, trigger, typed, note, here, who)
            along(conn, locked.case.id)
            return Taken(page, written[0].outcome, _is_in_sight(conn, locked, written, here, actor, deputised))

    return unhindered(once)


def _locked(conn: Connection, env: Environment, ref: str, now: datetime | None) -> tuple[Locked, World]:
    found = lock_where(conn, CaseRow.ref == ref_of(ref), _BESIDE)
    if not found:
        raise CaseNotFound(ref)
    [locked] = found
    return locked, World(env, staff_store.staffing(conn, locked.row.staff), now or clock.current(conn))


def _page(conn: Connection, locked: Locked, trigger: str, who: Actor, here: World) -> CasePage:
    context = here.context(case_facts.when_asked(conn, locked.case, now=here.now))
    process = process_named(locked.case.process)
    found = choices(process, locked.case, actor=who, context=context, now=here.now, only=trigger)
    return in_brief(locked.row, locked.case, list(found), here)


def _is_in_sight(
    conn: Connection, locked: Locked, written: Sequence[Change], here: World, actor: Actor, deputised: Collection[int]
) -> bool:
    """Whether the actor, who saw the case, sees it still. It is asked where what that depends on was written."""
    case = locked.case
    mine = [change for change in written if change.outcome.after.id == case.id]
    if all(
        change.owner_id == locked.owner_id and change.outcome.after.team == case.team
        and change.outcome.after.data.get("walled_off") == case.data.get("walled_off") for change in mine
    ):  # fmt: skip
        return True
    try:
        row_seen(conn, case.ref, actor, here)
    except CaseNotFound:
        return False
    return True

"""What people do to a case. One function, one transaction: lock, may you, decide, write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cases import facts as case_facts
from cases import opening, side_writes, store
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseBusy, CaseChanged, CaseNotFound, NotAllowed, TransitionRefused
from cases.locking import Locked, lock_ref
from cases.owners import why_not_own
from cases.permissions import MAY_RESTRICT, MAY_WRITE, require_sight
from cases.rows import person_of, staff_id_of
from cases.tables import CaseRow
from cases.writing import Change
from config.database import Connection, transaction, without_nul
from members import store as member_store
from state_machines.engine import decide
from state_machines.registry import process_named, processes
from state_machines.values import Actor, Case, Message, Outcome, Refused, Role, Step, Task


def fire(
    env: Environment,
    ref: str,
    trigger: str,
    *,
    payload: Mapping[str, Any] | None = None,
    note: str | None = None,
    seen_version: int | None = None,
    actor: Actor,
    now: datetime | None = None,
) -> Outcome:
    """Pull a trigger on a case, as a person asked for it, and return what it did.

    ``seen_version`` is the version of the case on the person's screen. Raises CaseNotFound, CaseChanged, or
    TransitionRefused with the rule's sentence.
    """

    def once() -> Outcome:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = lock_seen(conn, ref, actor, here, seen_version)
            return fired(conn, locked, trigger, payload, note, here, actor)

    return unhindered(once)


Done = TypeVar("Done")
_WAITED_IN_VAIN = "55P03"
_DEADLOCK = "40P01"
"""Two commands that move each other's cases, such as two cancellations of one member, confirmed at the same moment."""


def unhindered(work: Callable[[], Done]) -> Done:
    """Return what a transaction does; one that others were in the way of is tried again. Raises CaseBusy in the end."""
    for attempt in range(3):
        try:
            return work()
        except OperationalError as bad:
            why = getattr(bad.orig, "sqlstate", None)
            if why not in (_DEADLOCK, _WAITED_IN_VAIN):
                raise
            if why == _WAITED_IN_VAIN or attempt == 2:
                raise CaseBusy from None
    raise CaseBusy


def typed(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what was typed as it can be stored. Raises BadInput when it is nested without end."""
    try:
        found: dict[str, Any] = without_nul(dict(values or {}))
    except RecursionError:
        raise BadInput("What was sent is nested too deeply.") from None
    return found


def lock_seen(conn: Connection, ref: str, actor: Actor, here: World, seen_version: int | None = None) -> Locked:
    """Return and lock a case the actor may see, in the version they saw. Raises CaseNotFound or CaseChanged."""
    locked = lock_ref(conn, ref)
    if locked is None:
        raise CaseNotFound(ref)
    require_sight(actor, locked.row, ref, acts_for(actor, here))
    require_version(locked, seen_version)
    return locked


def require_version(locked: Locked, seen_version: int | None) -> None:
    """Raise CaseChanged unless a locked case stands at the version that was seen; None means no matter."""
    if seen_version is not None and locked.case.version != seen_version:
        raise CaseChanged(f"It is now at version {locked.case.version}; you saw {seen_version}.")


def acts_for(actor: Actor, here: World) -> Collection[int]:
    """Return the staff ids this person deputises for today."""
    me = staff_id_of(actor.person)
    today = here.env.calendar.local_date(here.now)
    return here.staffing.deputises_for(me, today) if me is not None else ()


def fired(
    conn: Connection,
    locked: Locked,
    trigger: str,
    payload: Mapping[str, Any] | None,
    note: str | None,
    here: World,
    actor: Actor,
) -> Outcome:
    """Decide and write one trigger on a locked case, inside the caller's transaction. Raises TransitionRefused."""
    return written_by(conn, locked, trigger, payload, note, here, actor)[0].outcome


def written_by(
    conn: Connection,
    locked: Locked,
    trigger: str,
    payload: Mapping[str, Any] | None,
    note: str | None,
    here: World,
    actor: Actor,
) -> list[Change]:
    """Do what `fired` does, and return every change that was written, that of the case itself first."""
    process = process_named(locked.case.process)
    if "children" in process.facts:  # what is counted may not change before it is acted upon
        children = select(CaseRow.id).where(CaseRow.parent_id == locked.case.id, CaseRow.closed_at.is_(None))
        conn.execute(children.order_by(CaseRow.id).with_for_update())
    facts = case_facts.when_asked(conn, locked.case, now=here.now)
    outcome = decide(
        process, locked.case, trigger, payload=typed(payload), actor=actor,
        context=here.context(facts), now=here.now,
    )  # fmt: skip
    if isinstance(outcome, Refused):
        raise TransitionRefused(outcome)
    if note:
        first = outcome.steps[0]
        noted = replace(first, personal={**first.personal, "note": without_nul(note)})
        outcome = replace(outcome, steps=(noted, *outcome.steps[1:]))
    return store.apply(conn, [store.change_of(outcome, locked, here)], here)


def open_one(
    env: Environment,
    process_name: str,
    *,
    member: str | None,
    subject: str,
    payload: Mapping[str, Any] | None = None,
    received_at: datetime | None = None,
    external_ref: str | None = None,
    actor: Actor,
    now: datetime | None = None,
) -> Outcome:
    """Open one case and return it. Raises TransitionRefused, BadInput or a sentence about the member."""
    process = process_named(process_name)
    if not subject.strip():
        raise BadInput("A case needs a subject: one line that says what it is about.")
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        card = member_store.find_by_ref(conn, without_nul(member)) if member else None
        if external_ref is not None and _is_there(conn, process.name, without_nul(external_ref)):
            raise BadInput(f"There is a {process.title.lower()} with the reference {external_ref} already.")
        wish = opening.Wish(
            process, without_nul(subject.strip()), typed(payload), card.id if card else None,
            (card.team if card else None) or next(iter(sorted(actor.teams)), None), None, received_at,
            without_nul(external_ref),
        )  # fmt: skip
        found = opening.decided(conn, [wish], here, actor=actor)[0]
        if isinstance(found, tuple):
            raise TransitionRefused(found[1])
        store.apply(conn, [found], here)
        return found.outcome


def _is_there(conn: Connection, process: str, external_ref: str) -> bool:
    same = select(CaseRow.id).where(CaseRow.process == process, CaseRow.external_ref == external_ref)
    return conn.execute(same).first() is not None


Plain = Callable[[Locked], tuple[Case, dict[str, Any], dict[str, Any]]]
"""A change that is no transition: the case after it, what is written on the event, and what of it is personal."""


def _recorded(
    env: Environment, ref: str, kind: str, change: Plain, *, seen_version: int | None = None, actor: Actor,
    now: datetime | None, owner: Callable[[Locked, World], int] | None = None,
) -> Change:  # fmt: skip
    """Write an event that moves no state: a note, an assignment, a restriction."""
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = lock_seen(conn, ref, actor, here, seen_version)
        after, details, personal = change(locked)
        change_ = plain_change(locked, after, kind, details, personal, actor=actor, now=here.now)
        if owner is not None:
            new_owner = owner(locked, here)
            keeps = locked.owner_role != Role.COORDINATOR
            change_ = replace(change_, owner_id=new_owner, coordinator_id=locked.coordinator_id if keeps else new_owner)
            if new_owner != staff_id_of(actor.person):
                change_ = with_message(change_, Message("case_assigned", "owner", {"by": actor.name}))
        store.apply(conn, [change_], here)
        return change_


def with_message(change: Change, message: Message) -> Change:
    """Return a change of one event with a message that goes with it."""
    [step] = change.outcome.steps
    return replace(change, outcome=replace(change.outcome, steps=(replace(step, messages=(message,)),)))


def plain_change(
    locked: Locked, after: Case, kind: str, details: Mapping[str, Any], personal: Mapping[str, Any],
    tasks: tuple[Task, ...] = (), *, actor: Actor,
    now: datetime,
) -> Change:  # fmt: skip
    """Return a change with one event and no transition."""
    process = processes().get(after.process)
    state = process.by_name.get(after.state) if process is not None else None
    step = Step(kind, kind, after.state, after.state, actor, now, None, details, personal, tasks=tasks)
    if state is None:  # of a version that is gone; it can still be parked, noted and handed over
        outcome = Outcome(locked.case, after, (step,), Role(locked.owner_role), locked.row.closed_at is not None)
    else:
        outcome = Outcome(locked.case, after, (step,), state.owner, state.final)
    return Change(outcome, locked.process_version, locked.owner_id, locked.coordinator_id, locked)


def note(
    env: Environment, ref: str, text: str, *, seen_version: int | None = None, actor: Actor, now: datetime | None = None
) -> None:
    """Write a note on a case. Without ``seen_version`` it never fails because somebody else changed the case."""
    if not text.strip():
        raise BadInput("The note is empty.")
    require_staff(actor)
    _recorded(
        env, ref, "note", lambda locked: (locked.case, {}, {"text": without_nul(text.strip())}),
        seen_version=seen_version, actor=actor, now=now,
    )  # fmt: skip


def assign(
    env: Environment, ref: str, to: str, *, seen_version: int | None = None, actor: Actor, now: datetime | None = None
) -> None:
    """Give a case to another member of staff, by e-mail address. Raises BadInput when they cannot own it."""
    require_staff(actor)

    def new_owner(locked: Locked, here: World) -> int:
        person = here.staffing.by_email(to)
        if person is None or not person.active:
            raise BadInput(f"There is nobody active on the staff with the address {to}.")
        if (why := why_not_own(person, locked.row)) is not None:
            raise BadInput(why)
        return person.id

    _recorded(
        env, ref, "assigned", lambda locked: (locked.case, {"to": to.strip().lower()}, {}), seen_version=seen_version,
        actor=actor, now=now, owner=new_owner,
    )  # fmt: skip


def restrict(
    env: Environment, ref: str, to: Collection[str] | None, *, actor: Actor, now: datetime | None = None
) -> None:
    """Let only these members of staff see a case (the actor always among them), or everybody again with None."""
    if not actor.roles & MAY_RESTRICT:
        raise NotAllowed("Only a manager may restrict who sees a case.")
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = lock_seen(conn, ref, actor, here)
        ids = None if to is None else sorted({staff_id_of(actor.person) or 0, *(_staff_id(here, name) for name in to)})
        side_writes.restrict(conn, locked.case.id, ids)
        locked = lock_seen(conn, ref, actor, here)
        step: dict[str, Any] = {"to": [f"staff:{n}" for n in ids] if ids is not None else None}
        change = plain_change(locked, locked.case, "restricted", step, {}, actor=actor, now=here.now)
        owner, coordinator = store.owner_after(change.outcome, locked, here)
        if owner != locked.owner_id:  # who may no longer see it cannot look after it
            step["owner"] = person_of(owner)
        store.apply(conn, [replace(change, owner_id=owner, coordinator_id=coordinator)], here)


def _staff_id(here: World, email: str) -> int:
    person = here.staffing.by_email(email)
    if person is None or not person.active:
        raise BadInput(f"There is nobody active on the staff with the address {email}.")
    return person.id


def require_staff(actor: Actor) -> None:
    """Raise NotAllowed unless the actor works here and may write."""
    if not actor.roles & MAY_WRITE:
        raise NotAllowed("Only coordinators and managers may do this.")

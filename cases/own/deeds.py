"""What the holder of a personal link does on its one case: a step of the process, or a word to us. Twice is once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select

from cases.commands import fired, lock_seen, plain_change, typed, unhindered
from cases.environment import Environment, World, world
from cases.errors import BadInput, NotAllowed
from cases.own.pages import Holder, TooMuch
from cases.store import apply
from cases.tables import PERSONAL_PART, CaseEvent, EventPersonal
from config.database import Connection, transaction, without_nul
from state_machines.process import public_and_personal
from state_machines.registry import process_named
from state_machines.values import Actor, Case, Message, Outcome

TOLD = "told"
WITH_EVIDENCE = frozenset({"sign", "reserve"})
"""Triggers that are pulled where their evidence is written (cases/own/giving_signature.py), and nowhere else."""
LONGEST_TEXT = 8000
MOST_A_DAY = 20
"""So often the holders of a link may write to us about its case within a day; then they are asked to call."""
_DAY = timedelta(days=1)


def act(
    env: Environment, holder: Holder, trigger: str, payload: Mapping[str, Any], *, seen: int,
    also: Callable[[Connection], object] | None = None, now: datetime | None = None,
) -> Outcome | None:  # fmt: skip
    """Pull a trigger as the holder of a link and return what it did; None when the same form was sent before.

    ``seen`` is the last event on the page the form stood on; ``also`` is done with it, or neither is. Raises
    TransitionRefused with the rule's sentence, or NotAllowed for what has a page of its own.
    """
    if holder.case.process == "signature" and trigger in WITH_EVIDENCE:
        raise NotAllowed("A document is signed on the page that shows it.")

    def once() -> Outcome | None:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = lock_seen(conn, holder.ref, holder.actor, here)
            if _sent_before(conn, locked.case, holder.actor, trigger, payload, seen):
                return None
            done = fired(conn, locked, trigger, payload, None, here, holder.actor)
            if also is not None:
                also(conn)
            return done

    return unhindered(once)


def _sent_before(
    conn: Connection, case: Case, actor: Actor, trigger: str, payload: Mapping[str, Any], seen: int
) -> bool:
    """Whether the holder has done just this since the page was made: a form sent twice, a page that was reloaded."""
    rows = conn.execute(
        select(CaseEvent.details, EventPersonal.data.label("personal"))
        .outerjoin(EventPersonal, PERSONAL_PART)
        .where(CaseEvent.case_id == case.id, CaseEvent.seq > seen, CaseEvent.trigger == trigger)
        .where(CaseEvent.actor == actor.person)
    ).all()  # fmt: skip
    said = {**_said(case.process, trigger, payload)} if rows else {}
    return any({**row.details.get("payload", {}), **(row.personal or {})} == said for row in rows)


def _said(process: str, trigger: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an event would keep of a payload, public and personal; the payload itself where it cannot be read."""
    forms = {t.needs for t in process_named(process).transitions if t.trigger == trigger and t.needs is not None}
    for form in sorted(forms, key=lambda model: model.__name__):
        try:
            read: BaseModel = form.model_validate(typed(payload))
        except ValidationError:
            continue
        public, personal = public_and_personal(read)
        return {**public, **personal}
    return {}


def tell(
    env: Environment, holder: Holder, text: str, *, about: str = "", also: Sequence[Message] = (),
    now: datetime | None = None,
) -> bool:  # fmt: skip
    """Write on the case what its holder wants us to know, and tell its owner; return whether that was new.

    Saying the same twice is harmless. Raises BadInput, or TooMuch.
    """
    said = without_nul(text.strip())
    if not said:
        raise BadInput("Please write something first.")
    if len(said) > LONGEST_TEXT:
        raise BadInput(f"Please shorten this to {LONGEST_TEXT} characters; it has {len(said)}.")
    if not holder.actor.roles:
        raise NotAllowed("This page only shows something; please answer our letter instead.")
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = lock_seen(conn, holder.ref, holder.actor, here)
        if said in (earlier := _told(conn, locked.case.id, holder.actor, here)):
            return False
        if len(earlier) >= MOST_A_DAY:
            raise TooMuch
        change = plain_change(
            locked, locked.case, TOLD, {"about": about} if about else {}, {"text": said}, actor=holder.actor,
            now=here.now,
        )  # fmt: skip
        step = replace(change.outcome.steps[0], messages=(Message("case_told", "owner", {"about": about}), *also))
        apply(conn, [replace(change, outcome=replace(change.outcome, steps=(step,)))], here)
        return True


def _told(conn: Connection, case_id: int, actor: Actor, here: World) -> list[str]:
    """What the holders of a link have told us within a day."""
    text = EventPersonal.data["text"].as_string()
    rows = conn.execute(
        select(func.coalesce(text, ""))
        .join(CaseEvent, PERSONAL_PART)
        .where(CaseEvent.case_id == case_id, CaseEvent.kind == TOLD, CaseEvent.actor == actor.person)
        .where(CaseEvent.at > here.now - _DAY)
    )  # fmt: skip
    return list(rows.scalars())

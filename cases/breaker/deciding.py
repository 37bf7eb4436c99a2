"""What a manager decides about what is held back: let it go, or not. Every decision has a reason and a name."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, update

from cases.breaker.carrying_out import carry_on
from cases.breaker.tables import APPROVED, DECLINED, OPEN, HeldCase, SweepHold
from cases.breaker.values import Facts
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseError, NotAllowed
from config.copying import without_nul
from config.database import Connection, transaction
from state_machines.values import Actor, Role

MAY_DECIDE = frozenset({Role.MANAGER, Role.SENIOR})
LONGEST_REASON = 2_000
_HOW_IT_ENDED = {APPROVED: "It goes on.", DECLINED: "It is not done."}


class NothingHeld(CaseError):
    """Nothing is held back under this number."""

    status = 404


class AlreadyDecided(CaseError):
    """This was decided meanwhile."""


class HasGrown(CaseError):
    """More cases have come to it since you looked. Nothing was decided; please look again."""


def approve(
    env: Environment, number: int, reason: str, *, seen: int | None = None, actor: Actor, now: datetime | None = None
) -> int:
    """Let what is held back go: the next sweep does it. Return how many cases these are.

    ``seen`` is the number of cases that was shown. Raises NotAllowed, NothingHeld, AlreadyDecided, HasGrown, BadInput.
    """
    reason = _reason(reason)
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        _lock(conn, number, seen, actor)
        _decided(conn, number, here, actor, state=APPROVED, reason=reason)
        freed = update(HeldCase).where(HeldCase.hold_id == number, HeldCase.waiting).values(waiting=False)
        return int(conn.execute(freed).rowcount)


def decline(
    env: Environment, number: int, reason: str, *, until: date | None = None, seen: int | None = None, actor: Actor,
    now: datetime | None = None,
) -> int:  # fmt: skip
    """Do not do what is held back, and return for how many cases that is.

    What only tells or asks is passed over. What moves a case on cannot be left out: it waits ``until`` 09:00 of a day.
    Raises as ``approve``, and BadInput when that day is needed or is too far.
    """
    reason = _reason(reason)
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        facts = _lock(conn, number, seen, actor)
        instant = _until(until, here, needed=bool(facts.moves))
        _decided(conn, number, here, actor, state=DECLINED, reason=reason, until=instant)
    return carry_on(env, number, now=here.now)


def _reason(given: str) -> str:
    reason = str(without_nul(given.strip()))
    if len(reason) < 3:
        raise BadInput("Please give a reason: it is what others will ask for.")
    if len(reason) > LONGEST_REASON:
        raise BadInput(f"The reason has more than {LONGEST_REASON} letters.")
    return reason


def _lock(conn: Connection, number: int, seen: int | None, actor: Actor) -> Facts:
    """Lock what is held back and return its facts, when this person may decide about it as they saw it."""
    require_decider(actor)
    row = conn.execute(select(SweepHold.__table__).where(SweepHold.id == number).with_for_update()).one_or_none()
    if row is None:
        raise NothingHeld
    facts = Facts.stored(row.facts)
    if row.state != OPEN:
        raise AlreadyDecided(_HOW_IT_ENDED.get(row.state, "Nothing of it is due any more."))
    if facts.caused_by(actor):
        raise NotAllowed("You entered these cases, so somebody else decides about them.")
    if seen is not None and seen != row.cases:
        raise HasGrown
    return facts


def require_decider(actor: Actor) -> None:
    """Raise NotAllowed unless the actor is a manager or senior manager."""
    if not actor.roles & MAY_DECIDE:
        raise NotAllowed("Only managers and senior managers decide about what is held back.")


def _decided(conn: Connection, number: int, here: World, actor: Actor, **values: Any) -> None:
    who = {"decided_at": here.now, "decided_by": actor.person, "on_behalf_of": actor.on_behalf_of}
    conn.execute(update(SweepHold).where(SweepHold.id == number).values(**who, **values))


def _until(day: date | None, here: World, *, needed: bool) -> datetime:
    calendar, today = here.env.calendar, here.env.calendar.local_date(here.now)
    if day is None and needed:
        raise BadInput("Some of these cases would move on. That cannot be left out; name the day until which it waits.")
    day = day or calendar.add_working_days(today, 1)
    if day <= today:
        raise BadInput("The day until which it waits lies after today.")
    if day - today > timedelta(days=here.env.policy.breaker.postpone_days):
        raise BadInput(f"It can wait {here.env.policy.breaker.postpone_days} days at the most.")
    return calendar.at(day, time(9, 0))

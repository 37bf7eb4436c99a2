"""Who is away and who stands in: recording it, and that somebody is back. Each command is one transaction."""

from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert, update

from config.database import Engine, transaction
from members.errors import NotFound, NotYours, Unusable, listed
from members.staff_record import locked_staffing, person_named, record, told, working
from members.staffing import Away, Person, Staffing
from members.tables import ABSENCE_REASONS, Absence
from state_machines.values import Actor, Role

LAST_WORD = frozenset({Role.SENIOR, Role.COUNCIL})
"""They decide about what managers have decided."""


def may_record_absence(actor: Actor, about: Person, staffing: Staffing) -> bool:
    """Whether somebody may say that a person is away: themselves, their managers, senior managers, administrators.

    Of a person without a manager, every manager may. Whoever acts for a manager may what the manager may.
    """
    if actor.person == about.person or actor.roles & {Role.SYSTEM, Role.ADMINISTRATOR, Role.SENIOR}:
        return True
    above = {p.person for p in staffing.managers_of(about.id)}
    return Role.MANAGER in actor.roles and (not above or bool(above & {actor.person, actor.on_behalf_of}))


def set_absence(
    engine: Engine,
    who: str,
    from_date: date,
    until_date: date,
    *,
    deputy: str | None = None,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
) -> Away:
    """Record that someone is away, first and last day included, and who stands in.

    Without a deputy the manager stands in. Raises NotYours, and Unusable when the days overlap another absence or when
    the deputies would stand in for each other in a circle.
    """
    with transaction(engine) as conn:
        staffing = locked_staffing(conn)
        person = working(staffing, who)
        _require_right(actor, person, staffing)
        stand_in = working(staffing, deputy) if deputy else None
        absence = Away(person.id, from_date, until_date, stand_in.id if stand_in else None)
        _check_absence(staffing, person, absence, reason)
        _require_no_gain(actor, person, stand_in or staffing.manager_of(person.id))
        days = {"from_date": from_date, "until_date": until_date}
        row = {"staff_id": person.id, **days, "deputy_id": absence.deputy_id, "reason": reason, "created_at": now}
        conn.execute(insert(Absence).values(**row))
        record(conn, person.id, {"absence": (None, told(absence, reason))}, actor=actor, now=now)
        return absence


def _require_right(actor: Actor, person: Person, staffing: Staffing) -> None:
    if not may_record_absence(actor, person, staffing):
        raise NotYours(f"Only {person.name}, their managers and an administrator may record their absences.")


def _require_no_gain(actor: Actor, person: Person, stand_in: Person | None) -> None:
    """Nobody gets the last word by saying that who has it is away: not into their own hands, nor into a friend's."""
    if stand_in is None or actor.person == person.person or actor.roles & {Role.SYSTEM, Role.ADMINISTRATOR}:
        return
    gained = (person.roles & LAST_WORD) - stand_in.roles
    if gained and (stand_in.person == actor.person or not stand_in.roles & LAST_WORD):
        raise NotYours(f"Only {person.name} or an administrator can have {stand_in.name} stand in for {person.name}.")


def _check_absence(staffing: Staffing, person: Person, absence: Away, reason: str | None) -> None:
    if absence.until_date < absence.from_date:
        raise Unusable(f"The last day, {absence.until_date}, is before the first, {absence.from_date}.")
    if reason is not None and reason not in ABSENCE_REASONS:
        raise Unusable(f'"{reason}" is not a reason; use {listed(ABSENCE_REASONS)}.')
    if absence.deputy_id == person.id:
        raise Unusable(f"{person.name} cannot stand in for themselves.")
    if absence.deputy_id is None and staffing.manager_of(person.id) is None:
        raise Unusable(f"Name a deputy: {person.name} has no manager who could stand in.")
    for other in staffing.absences:
        apart = other.until_date < absence.from_date or absence.until_date < other.from_date
        if other.staff_id == person.id and not apart:
            raise Unusable(f"{person.name} is already away from {other.from_date} to {other.until_date}.")
    if chain := staffing.cycle_with(absence):
        names = " → ".join(staffing.people[each].name for each in chain)
        raise Unusable(f"The deputies would stand in for each other in a circle: {names}.")


def end_absence(engine: Engine, who: str, *, back_on: date, actor: Actor, now: datetime) -> None:
    """Record that someone is back on a day on which they would still be away. Raises NotFound and NotYours."""
    with transaction(engine) as conn:
        staffing = locked_staffing(conn)
        person = person_named(staffing, who)
        _require_right(actor, person, staffing)
        if (away := staffing.away(person.id, back_on)) is None:
            raise NotFound(f"{person.name} is not away on {back_on}.")
        this = (Absence.staff_id == person.id) & (Absence.from_date == away.from_date)
        shorter = None
        if away.from_date == back_on:
            conn.execute(delete(Absence).where(this))
        else:
            shorter = Away(person.id, away.from_date, back_on - timedelta(days=1), away.deputy_id)
            conn.execute(update(Absence).where(this).values(until_date=shorter.until_date))
        after = told(shorter) if shorter else None
        record(conn, person.id, {"absence": (told(away), after)}, actor=actor, now=now)

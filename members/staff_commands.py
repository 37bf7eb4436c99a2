"""Adding staff, recording who left or is away, and who has a conflict of interest."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from config.database import Connection, Engine, transaction
from members import store
from members.errors import NotFound, Unusable, did_you_mean, listed
from members.fields import parse_email
from members.matching import team_for
from members.staffing import Away, Person, Staffing
from members.tables import ABSENCE_REASONS, Absence, ConflictOfInterest, Member, Staff, Team
from members.writing import apply_changes
from state_machines.values import STAFF, Actor, Role

STAFF_LOCK = 7_240_002
_ALIASES = {"senior": Role.SENIOR, "admin": Role.ADMINISTRATOR}
_RULE_KEYS = ("region", "country", "tier", "category", "site", "kind")


def role_named(word: str) -> Role:
    """Return the role a person means; "senior" and "admin" will do. Raises Unusable for any other word."""
    folded = word.strip().lower().replace(" ", "_").replace("-", "_")
    known = {**_ALIASES, **{role.value: role for role in STAFF}}
    if folded not in known:
        roles = listed(sorted(role.value for role in STAFF))
        raise Unusable(f'"{word}" is not a role; use {roles}.{did_you_mean(folded, known)}')
    return known[folded]


def add_staff(
    engine: Engine,
    name: str,
    email: str,
    roles: Sequence[str],
    *,
    team: str | None = None,
    manager: str | None = None,
    actor: Actor,
    now: datetime,
) -> Person:
    """Add someone to the staff; adding the same person again changes nothing.

    `manager` is an e-mail address. Raises Unusable or NotFound with the reason.
    """
    held = sorted({role_named(role).value for role in roles})
    address = _address(email)
    if not held or not name.strip():
        raise Unusable("Someone on the staff needs a name and at least one role.")
    with transaction(engine) as conn:
        staffing = _locked_staffing(conn)
        manager_id = _working(staffing, manager).id if manager else None
        row: dict[str, Any] = {"name": name.strip(), "roles": held, "team": team or None, "manager_id": manager_id}
        if present := staffing.by_email(address):
            return _same(present, row)
        statement = insert(Staff).values(**row, email=address, created_at=now).returning(Staff.id)
        new_id = conn.execute(statement).scalar_one()
        return Person(new_id, address, row["name"], frozenset(map(Role, held)), row["team"], manager_id)


def _same(present: Person, row: Mapping[str, Any]) -> Person:
    has = (present.name, sorted(present.roles), present.team, present.manager_id)
    if present.active and has == (row["name"], row["roles"], row["team"], row["manager_id"]):
        return present
    state = "" if present.active else ", who has left"
    raise Unusable(f"{present.email} already belongs to {present.name}{state}.")


def staff_left(engine: Engine, who: str, *, left_on: date, actor: Actor, now: datetime) -> Person:
    """Record that someone has left; their work goes to whoever acts for them. Twice is harmless."""
    with transaction(engine) as conn:
        staffing = _locked_staffing(conn)
        person = _person(staffing, who)
        if left_on > now.date():
            raise Unusable("Record it on the day; until then, enter an absence with a deputy.")
        if not any(other.active for other in staffing.people.values() if other.id != person.id):
            raise Unusable(f"{person.name} is the last one on the staff; add someone else first.")
        if person.active:
            gone = update(Staff).where(Staff.id == person.id).values(status="left", left_on=left_on)
            conn.execute(gone)
        return person


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

    Without a deputy the manager stands in. Raises Unusable when the days overlap another absence, or when the
    deputies would stand in for each other in a circle.
    """
    with transaction(engine) as conn:
        staffing = _locked_staffing(conn)
        person = _working(staffing, who)
        stand_in = _working(staffing, deputy) if deputy else None
        absence = Away(person.id, from_date, until_date, stand_in.id if stand_in else None)
        _check_absence(staffing, person, absence, reason)
        conn.execute(
            insert(Absence).values(
                staff_id=person.id,
                from_date=from_date,
                until_date=until_date,
                deputy_id=absence.deputy_id,
                reason=reason,
                created_at=now,
            )
        )
        return absence


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
    """Record that someone is back on a day on which they would still be away."""
    with transaction(engine) as conn:
        staffing = _locked_staffing(conn)
        person = _person(staffing, who)
        if (away := staffing.away(person.id, back_on)) is None:
            raise NotFound(f"{person.name} is not away on {back_on}.")
        this = (Absence.staff_id == person.id) & (Absence.from_date == away.from_date)
        if away.from_date == back_on:
            conn.execute(delete(Absence).where(this))
        else:
            conn.execute(update(Absence).where(this).values(until_date=back_on - timedelta(days=1)))


def declare_conflict(engine: Engine, who: str, member: str, note: str = "", *, actor: Actor, now: datetime) -> None:
    """Record that someone must not judge a member; declaring it again renews the note."""
    with transaction(engine) as conn:
        person = _person(store.staffing(conn), who)
        card = store.find_by_ref(conn, member)
        row = {"staff_id": person.id, "member_id": card.id, "declared_on": now.date(), "note": note}
        statement = upsert(ConflictOfInterest).values(**row)
        key = ["staff_id", "member_id"]
        conn.execute(statement.on_conflict_do_update(index_elements=key, set_={"note": note}))


def set_team(
    engine: Engine,
    name: str,
    covers: Sequence[Mapping[str, Sequence[str]]],
    *,
    lead: str | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Make or change a team; members who have no team and whom its rules cover join it. Returns how many."""
    for key in (key for rule in covers for key in rule):
        if key not in _RULE_KEYS:
            keys = listed(_RULE_KEYS)
            raise Unusable(f'A team is not chosen by "{key}"; use {keys}.{did_you_mean(key, _RULE_KEYS)}')
    with transaction(engine) as conn:
        lead_id = _working(_locked_staffing(conn), lead).id if lead else None
        row = {"name": name, "covers": [dict(rule) for rule in covers], "lead_id": lead_id}
        statement = upsert(Team).values(**row)
        conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))
        columns = [Member.id, *(getattr(Member, key) for key in _RULE_KEYS)]
        teamless = conn.execute(select(*columns).where(Member.team.is_(None), Member.status != "merged"))
        joining = [row["id"] for row in teamless.mappings() if team_for({name: list(covers)}, dict(row))]
        changes = [(member_id, {"team": name}) for member_id in joining]
        return apply_changes(conn, changes, source="team", actor=actor, now=now)


def _locked_staffing(conn: Connection) -> Staffing:
    """Return the staff; until this transaction ends, nobody else changes them."""
    conn.execute(select(func.pg_advisory_xact_lock(STAFF_LOCK)))
    return store.staffing(conn)


def _address(email: str) -> str:
    try:
        return parse_email(email)[1].lower()
    except ValueError as problem:
        raise Unusable(str(problem)) from problem


def _person(staffing: Staffing, who: str) -> Person:
    """Return the person with this e-mail address or ``staff:<id>``."""
    by_id = who.removeprefix("staff:")
    number = int(by_id) if who.startswith("staff:") and by_id.isdigit() else None
    found = staffing.get(number) if number is not None else staffing.by_email(who)
    if found is None:
        hint = did_you_mean(who, [person.email for person in staffing.people.values()])
        raise NotFound(f'Nobody on the staff has the address "{who}".{hint}')
    return found


def _working(staffing: Staffing, who: str) -> Person:
    found = _person(staffing, who)
    if not found.active:
        raise Unusable(f"{found.name} has left.")
    return found

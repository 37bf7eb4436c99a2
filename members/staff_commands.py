"""Adding and changing staff, recording who left or is back, who has a conflict of interest, and whom teams cover."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from config.database import Engine, transaction
from members import store
from members.errors import Unusable, did_you_mean, listed
from members.fields import parse_email
from members.matching import team_for
from members.staff_record import locked_staffing, person_named, record, require_unchanged, working
from members.staffing import Person, Staffing
from members.tables import ConflictOfInterest, Member, Staff, Team
from members.writing import apply_changes
from state_machines.values import STAFF, Actor, Role

_ALIASES = {"senior": Role.SENIOR, "admin": Role.ADMINISTRATOR}
RULE_KEYS = ("region", "country", "tier", "category", "site", "kind")


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
        staffing = locked_staffing(conn)
        manager_id = working(staffing, manager).id if manager else None
        row: dict[str, Any] = {"name": name.strip(), "roles": held, "team": team or None, "manager_id": manager_id}
        if present := staffing.by_email(address):
            return _same(present, row)
        statement = insert(Staff).values(**row, email=address, created_at=now).returning(Staff.id)
        new_id = conn.execute(statement).scalar_one()
        added = {"email": address, "name": row["name"], "roles": held, "team": row["team"], "manager": manager_id}
        record(conn, new_id, {"added": (None, added)}, actor=actor, now=now)
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
        staffing = locked_staffing(conn)
        person = person_named(staffing, who)
        if left_on > now.date():
            raise Unusable("Record it on the day; until then, enter an absence with a deputy.")
        if not any(other.active for other in staffing.people.values() if other.id != person.id):
            raise Unusable(f"{person.name} is the last one on the staff; add someone else first.")
        if person.active:
            _require_administrator(staffing, person)
            gone = update(Staff).where(Staff.id == person.id).values(status="left", left_on=left_on)
            conn.execute(gone)
            changes = {"status": ("active", "left"), "left_on": (None, left_on.isoformat())}
            record(conn, person.id, changes, actor=actor, now=now)
        return person


def bring_back(engine: Engine, who: str, *, actor: Actor, now: datetime) -> Person:
    """Record that someone who had left works here again, with the roles they had. Twice is harmless."""
    with transaction(engine) as conn:
        person = person_named(locked_staffing(conn), who)
        if not person.active:
            conn.execute(update(Staff).where(Staff.id == person.id).values(status="active", left_on=None))
            record(conn, person.id, {"status": ("left", "active")}, actor=actor, now=now)
        return replace(person, active=True)


def edit_staff(
    engine: Engine,
    who: str,
    *,
    name: str,
    email: str,
    roles: Sequence[str],
    team: str | None,
    manager: str | None,
    seen: int | None = None,
    actor: Actor,
    now: datetime,
) -> Person:
    """Change who somebody is: all of name, address, roles, team and manager (an address) are given anew.

    ``seen`` is the newest change (`staff_record.newest_change`) that was on the screen. Raises Changed, Unusable or
    NotFound with the reason.
    """
    with transaction(engine) as conn:
        staffing = locked_staffing(conn)
        old = person_named(staffing, who)
        require_unchanged(conn, old.id, seen)
        new = _edited(staffing, old, name, email, roles, team, manager)
        if old.active and Role.ADMINISTRATOR not in new.roles:
            _require_administrator(staffing, old)
        before, after = _row(old), _row(new)
        if before != after:
            conn.execute(update(Staff).where(Staff.id == old.id).values(**after))
            changes = {column: (before[column], after[column]) for column in after}
            record(conn, old.id, changes, actor=actor, now=now)
        return new


def _edited(
    staffing: Staffing, old: Person, name: str, email: str, roles: Sequence[str], team: str | None, manager: str | None
) -> Person:
    """Return the person as they will be. Raises Unusable or NotFound."""
    held = frozenset(role_named(role) for role in roles)
    address = _address(email)
    if not held or not name.strip():
        raise Unusable("Someone on the staff needs a name and at least one role.")
    other = staffing.by_email(address)
    if other is not None and other.id != old.id:
        raise Unusable(f"{address} already belongs to {other.name}.")
    boss = person_named(staffing, manager) if manager else None
    if boss is not None and boss.id != old.manager_id:
        boss = working(staffing, boss.person)
    if boss is not None and (boss.id == old.id or old.id in {p.id for p in staffing.managers_of(boss.id)}):
        raise Unusable(f"{boss.name} cannot manage {old.name}: nobody is their own manager, also not in a circle.")
    manager_id = boss.id if boss else None
    return replace(
        old, name=name.strip(), email=address, roles=held, team=(team or "").strip() or None, manager_id=manager_id
    )


def _row(person: Person) -> dict[str, Any]:
    return {
        "name": person.name, "email": person.email, "roles": sorted(role.value for role in person.roles),
        "team": person.team, "manager_id": person.manager_id,
    }  # fmt: skip


def _require_administrator(staffing: Staffing, without: Person) -> None:
    """Raise Unusable when nobody else could administer: the desk would be locked from within."""
    others = (p for p in staffing.people.values() if p.active and p.id != without.id)
    if Role.ADMINISTRATOR in without.roles and not any(Role.ADMINISTRATOR in p.roles for p in others):
        raise Unusable(f"{without.name} is the last administrator; make somebody else one first.")


def declare_conflict(engine: Engine, who: str, member: str, note: str = "", *, actor: Actor, now: datetime) -> None:
    """Record that someone must not judge a member; declaring it again renews the note."""
    with transaction(engine) as conn:
        person = person_named(store.staffing(conn), who)
        card = store.find_by_ref(conn, member)
        row = {"staff_id": person.id, "member_id": card.id, "declared_on": now.date(), "note": note}
        told = {"member": card.ref, "note": note}
        record(conn, person.id, {"conflict_of_interest": (None, told)}, actor=actor, now=now)
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
        if key not in RULE_KEYS:
            keys = listed(RULE_KEYS)
            raise Unusable(f'A team is not chosen by "{key}"; use {keys}.{did_you_mean(key, RULE_KEYS)}')
    with transaction(engine) as conn:
        lead_id = working(locked_staffing(conn), lead).id if lead else None
        row = {"name": name, "covers": [dict(rule) for rule in covers], "lead_id": lead_id}
        before = conn.execute(select(Team.covers, Team.lead_id).where(Team.name == name)).one_or_none()
        old = {"covers": before.covers, "lead_id": before.lead_id} if before else None
        new = {"covers": row["covers"], "lead_id": lead_id}
        if old != new:
            record(conn, None, {"team": ("", name), "rules": (old, new)}, actor=actor, now=now)
        statement = upsert(Team).values(**row)
        conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))
        columns = [Member.id, *(getattr(Member, key) for key in RULE_KEYS)]
        teamless = conn.execute(select(*columns).where(Member.team.is_(None), Member.status != "merged"))
        joining = [row["id"] for row in teamless.mappings() if team_for({name: list(covers)}, dict(row))]
        changes = [(member_id, {"team": name}) for member_id in joining]
        return apply_changes(conn, changes, source="team", actor=actor, now=now)


def _address(email: str) -> str:
    try:
        return parse_email(email)[1].lower()
    except ValueError as problem:
        raise Unusable(str(problem)) from problem

"""Importing members from a file: read, plan, then write all of it or nothing."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, or_, select, text

from config.database import Connection, Engine, reading, to_json, transaction
from members import planning
from members.cards import MemberCard
from members.contact_merging import first_contacts
from members.errors import Changed
from members.fields import MemberRow, check_mapping, parse_row
from members.import_report import Held, ImportReport, Leaving, hold, report_of
from members.matching import team_for
from members.planning import Known, Plan, Register, Update
from members.spreadsheets import Refusal, Table, read_table
from members.staff_store import team_rules
from members.store import CARD_COLUMNS, card_of, contacts_of
from members.tables import Member
from members.writing import (
    BATCH,
    apply_changes,
    insert_contacts,
    insert_members,
    log_changes,
    touch_members,
    update_contacts,
)
from state_machines.values import Actor

SOURCE = "import"
IMPORT_LOCK = 7_240_001
STILL_HERE = ("active", "suspended", "leaving")
Progress = Callable[[int, int], None]
_Row = TypeVar("_Row")


def import_members(
    engine: Engine,
    path: Path,
    mapping: Mapping[str, str],
    *,
    dry_run: bool = False,
    allow_leavers: bool = False,
    missing_means_left: bool = False,
    leaving_share: float,
    leaving_count: int,
    as_seen: str | None = None,
    progress: Progress | None = None,
    actor: Actor,
    now: datetime,
) -> ImportReport:
    """Bring the register up to date with a file, in one transaction; imports wait for each other.

    Rows that cannot be taken are refused one by one with their line. When more than `leaving_count` and more
    than `leaving_share` of the active members would leave, nothing is written and the report says so. A dry
    run writes nothing and reports the same. Raises Unusable for a file or mapping that cannot be used, and Changed
    when the import would no longer do what was seen (`as_seen`, the fingerprint of a preview).
    """
    table, rows = _rows(path, mapping)
    leaving = Leaving(allow_leavers, missing_means_left, leaving_share, leaving_count)
    opened: AbstractContextManager[Connection] = reading(engine) if dry_run else transaction(engine)
    with opened as conn:
        if not dry_run:
            _wait_for_other_imports(conn)
        plan, held = _planned(conn, rows, table.broken, leaving, now)
        if as_seen is not None and fingerprint(plan) != as_seen:
            raise Changed("The register was changed since you looked at what this file would do; look again.")
        if not dry_run and held is None:
            _write(conn, plan, progress or _silent, actor=actor, now=now)
    return report_of(plan, table.broken, held)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do to the register, line by line, and a fingerprint of it."""

    plan: Plan
    report: ImportReport
    fingerprint: str


def preview_import(
    engine: Engine,
    path: Path,
    mapping: Mapping[str, str],
    *,
    missing_means_left: bool = False,
    leaving_share: float,
    leaving_count: int,
    now: datetime,
) -> Preview:
    """Return what importing this file would do, writing nothing. Raises Unusable."""
    table, rows = _rows(path, mapping)
    leaving = Leaving(False, missing_means_left, leaving_share, leaving_count)
    with reading(engine) as conn:
        plan, held = _planned(conn, rows, table.broken, leaving, now)
    return Preview(plan, report_of(plan, table.broken, held), fingerprint(plan))


def fingerprint(plan: Plan) -> str:
    """Return a digest of everything a plan would write."""
    created = [[row.line, row.values, row.data, sorted(row.flags), _contacts_of_row(row)] for row in plan.created]
    updated = [
        [each.card.id, each.card.version, each.changes, each.contacts.added, each.contacts.changed]
        for each in plan.updated
    ]
    return hashlib.sha256(to_json([created, updated]).encode()).hexdigest()


def _contacts_of_row(row: MemberRow) -> list[list[str | None]]:
    return [[each.name, each.email, each.phone, each.role] for each in row.contacts]


def _rows(path: Path, mapping: Mapping[str, str]) -> tuple[Table, list[MemberRow]]:
    table = read_table(path)
    checked = check_mapping(mapping, table.columns)
    return table, [parse_row(record, checked) for record in table.records]


def _planned(
    conn: Connection, rows: Sequence[MemberRow], broken: Sequence[Refusal], leaving: Leaving, now: datetime
) -> tuple[Plan, Held | None]:
    plan = _plan(conn, rows, broken, leaving, now)
    active = conn.execute(select(func.count()).where(Member.status == "active")).scalar_one()
    return plan, hold(plan, broken, leaving, active)


def _wait_for_other_imports(conn: Connection) -> None:
    conn.execute(text("SET LOCAL lock_timeout = '10min'"))
    conn.execute(select(func.pg_advisory_xact_lock(IMPORT_LOCK)))
    conn.execute(text("SET LOCAL lock_timeout = '10s'"))


def _plan(
    conn: Connection, rows: Sequence[MemberRow], broken: Sequence[Refusal], leaving: Leaving, now: datetime
) -> Plan:
    known = {each.card.id: each for batch in _batches(rows) for each in _known(conn, batch)}
    plan = planning.plan_import(rows, Register(known.values()), now.date())
    if leaving.everyone_is_listed and not (broken or plan.nameless):
        absent = select(*CARD_COLUMNS).where(Member.status.in_(STILL_HERE), Member.id != func.all(list(plan.mentioned)))
        plan.updated += planning.missing(map(card_of, conn.execute(absent.order_by(Member.id))), now.date())
    return plan


def _known(conn: Connection, rows: Sequence[MemberRow]) -> list[Known]:
    """Return every member whom these rows may be about."""
    numbers = {row.external_ref for row in rows if row.external_ref}
    refs = {row.ref for row in rows if row.ref} | {number.upper() for number in numbers}
    keys = {key for row in rows for key in row.keys.values()}
    asked = or_(
        Member.ref == func.any(list(refs)),
        Member.external_ref == func.any(list(numbers)),
        Member.name_key == func.any(list(keys)),
    )
    found = {}
    for row in conn.execute(select(*CARD_COLUMNS, Member.data).where(asked)):
        values = dict(row._mapping)
        data = values.pop("data")
        found[row.id] = (MemberCard(**{**values, "flags": frozenset(row.flags)}), data)
    contacts = contacts_of(conn, found)
    return [Known(card, data, tuple(contacts[card.id])) for card, data in found.values()]


def _write(conn: Connection, plan: Plan, progress: Progress, *, actor: Actor, now: datetime) -> None:
    total = len(plan.created) + len(plan.updated) + plan.unchanged
    done = plan.unchanged
    teams = team_rules(conn)
    for created in _batches(plan.created):
        _create(conn, created, teams, actor=actor, now=now)
        done += len(created)
        progress(done, total)
    for updated in _batches(plan.updated):
        _update(conn, updated, actor=actor, now=now)
        done += len(updated)
        progress(done, total)


def _create(
    conn: Connection,
    rows: Sequence[MemberRow],
    teams: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    members = []
    for row in rows:
        status = planning.status_of(row, None, now.date())
        new = {**row.values, "status": status, "flags": sorted(row.flags), "data": dict(row.data)}
        members.append({**new, "team": new.get("team") or team_for(teams, {"kind": "organisation", **new})})
    ids = insert_members(conn, members, source=SOURCE, actor=actor, now=now)
    contacts = [
        {"member_id": member_id, **contact}
        for member_id, row in zip(ids, rows, strict=True)
        for contact in first_contacts(row.contacts)
    ]
    insert_contacts(conn, contacts)


def _update(conn: Connection, updates: Sequence[Update], *, actor: Actor, now: datetime) -> None:
    changes = [(update.card.id, update.changes) for update in updates if update.changes]
    apply_changes(conn, changes, source=SOURCE, actor=actor, now=now)
    update_contacts(conn, [contact for update in updates for contact in update.contacts.changed])
    added = [{"member_id": update.card.id, **c} for update in updates for c in update.contacts.added]
    insert_contacts(conn, added)
    log = [(update.card.id, update.contacts.as_log()) for update in updates if update.contacts]
    log_changes(conn, log, source=SOURCE, actor=actor, now=now)
    touch_members(conn, [update.card.id for update in updates if update.contacts and not update.changes], now)


def _batches(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    iterator = iter(rows)
    return iter(lambda: list(islice(iterator, BATCH)), [])


def _silent(done: int, total: int) -> None:
    """Tell nobody how far the import is."""

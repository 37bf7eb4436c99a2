"""Writing members and contacts in sets: a handful of statements, however many rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import cast, column, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import TableValuedAlias

from config.database import Connection, copy_rows
from members import tables
from members.cards import GONE
from members.matching import name_key
from members.tables import Member
from state_machines.values import Actor

EDITABLE = (
    "external_ref", "kind", "name", "status", "tier", "category", "country", "region", "site", "team",
    "website", "language", "joined_on", "left_on", "flags", "data", "merged_into",
)  # fmt: skip
_WRITTEN = (*EDITABLE, "name_key")
_CONTACT = ("name", "email", "phone", "role", "language", "status", "bounced_at", "bounce_reason", "position")
_DEFAULTS: dict[str, Any] = {
    "kind": "organisation",
    "status": "active",
    "language": "en",
    "flags": [],
    "data": {},
}
BATCH = 1000


def insert_members(
    conn: Connection, rows: Sequence[Mapping[str, Any]], *, source: str, actor: Actor, now: datetime
) -> list[int]:
    """Add members, log it, and return their ids in the order of `rows` (keys are column names)."""
    ids = _new_ids(conn, "members", len(rows))
    for start in range(0, len(rows), BATCH):
        numbered = list(zip(ids, rows, strict=True))[start : start + BATCH]
        copy_rows(
            conn,
            "members",
            ["id", *_WRITTEN, "version", "created_at", "updated_at"],
            ((member_id, *_member_values(row), 1, now, now) for member_id, row in numbered),
        )
    created = [(member_id, {"name": [None, row["name"]]}) for member_id, row in zip(ids, rows, strict=True)]
    log_changes(conn, created, source=source, actor=actor, now=now)
    return ids


def insert_contacts(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add contacts; each row has ``member_id``, ``position`` and what is known of the other columns."""
    defaults = {"name": "", "role": "other", "status": "ok"}
    columns = ("member_id", *_CONTACT)
    values = ([{**defaults, **row}.get(name) for name in columns] for row in rows)
    copy_rows(conn, "contacts", columns, values)


def update_contacts(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set columns of contacts by their ``id``; every row sets the same columns."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        names = [name for name in batch[0] if name != "id"]
        given = _rows_as_table(batch, [getattr(tables.Contact, name) for name in ("id", *names)])
        statement = update(tables.Contact).where(tables.Contact.id == given.c.id)
        conn.execute(statement.values({name: given.c[name] for name in names}))


def apply_changes(
    conn: Connection,
    changes: Iterable[tuple[int, Mapping[str, Any]]],
    *,
    source: str = "case",
    follow_merges: bool = True,
    actor: Actor,
    now: datetime,
) -> int:
    """Change members, log before and after, and return how many really changed.

    Keys are column names, and ``add_flags`` and ``remove_flags`` with a list of flags. Several changes of one
    member apply in order; what is meant for a member merged into another changes that other. Who is gone gets
    the day as ``left_on`` unless there is one; who comes back loses it. Raises ValueError for a key that members
    do not have.
    """
    listed = list(changes)
    living = _survivors(conn, {member_id for member_id, _ in listed}) if follow_merges else {}
    wanted: dict[int, list[Mapping[str, Any]]] = {}
    for member_id, change in listed:
        wanted.setdefault(living.get(member_id, member_id), []).append(change)
    written = 0
    ids = sorted(wanted)
    for start in range(0, len(ids), BATCH):
        batch = {member_id: wanted[member_id] for member_id in ids[start : start + BATCH]}
        written += _change_batch(conn, batch, source=source, actor=actor, now=now)
    return written


def _survivors(conn: Connection, ids: Collection[int]) -> dict[int, int]:
    merged = select(Member.id, Member.merged_into).where(Member.id == func.any(list(ids)), Member.status == "merged")
    return {row.id: row.merged_into for row in conn.execute(merged)}


def _change_batch(
    conn: Connection,
    wanted: Mapping[int, Sequence[Mapping[str, Any]]],
    *,
    source: str,
    actor: Actor,
    now: datetime,
) -> int:
    columns = [Member.id, *(getattr(Member, name) for name in EDITABLE)]
    asked = select(*columns).where(Member.id == func.any(list(wanted))).order_by(Member.id)
    rows, log = [], []
    for row in conn.execute(asked.with_for_update(key_share=True)).mappings():  # new cases of theirs do not wait for it
        before = dict(row)
        after = dict(before)
        for change in wanted[row["id"]]:
            after = _dated(_changed(after, change), after, change, now.date())
        if difference := {name: [before[name], after[name]] for name in EDITABLE if before[name] != after[name]}:
            rows.append({**after, "name_key": name_key(after["name"], person=after["kind"] == "person")})
            log.append((row["id"], difference))
    if rows:
        _update_members(conn, rows, now)
        log_changes(conn, log, source=source, actor=actor, now=now)
    return len(rows)


def _changed(member: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    after = {**member, **{name: _as_stored(name, value) for name, value in change.items()}}
    added, removed = after.pop("add_flags", ()), after.pop("remove_flags", ())
    after["flags"] = sorted((set(after["flags"]) | set(added)) - set(removed))
    if unknown := after.keys() - member.keys():
        raise ValueError(f"Members have no column {', '.join(sorted(unknown))}.")
    return after


def _dated(after: dict[str, Any], before: Mapping[str, Any], change: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Return `after` with the date of leaving that goes with a change of status."""
    if "left_on" in change or (after["status"] in GONE) == (before["status"] in GONE):
        return after
    return {**after, "left_on": (after["left_on"] or today) if after["status"] in GONE else None}


def _as_stored(name: str, value: Any) -> Any:
    """Return the value as the database gives it back; a case's record holds a date as text."""
    return date.fromisoformat(value) if name in {"joined_on", "left_on"} and isinstance(value, str) else value


def _update_members(conn: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    given = _rows_as_table(rows, [Member.id, *(getattr(Member, name) for name in _WRITTEN)])
    values = {name: given.c[name] for name in _WRITTEN}
    statement = update(Member).where(Member.id == given.c.id)
    conn.execute(statement.values(**values, version=Member.version + 1, updated_at=now))


def _rows_as_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[InstrumentedAttribute[Any]]
) -> TableValuedAlias:
    """Return `rows` as something a statement can join, sent as one JSON value."""
    sent = [{attribute.key: row[attribute.key] for attribute in columns} for row in rows]
    described = [column(attribute.key, attribute.type) for attribute in columns]
    unpacked = func.jsonb_to_recordset(cast(sent, JSONB)).table_valued(*described, name="given")
    return unpacked.render_derived(with_types=True)


def _member_values(row: Mapping[str, Any]) -> list[Any]:
    full = {**_DEFAULTS, **{name: value for name, value in row.items() if value is not None}}
    full["name_key"] = name_key(full["name"], person=full["kind"] == "person")
    return [full.get(name) for name in _WRITTEN]


def _new_ids(conn: Connection, table_name: str, count: int) -> list[int]:
    sequence = func.pg_get_serial_sequence(table_name, "id")
    statement = select(func.nextval(sequence)).select_from(func.generate_series(1, count).table_valued("n"))
    return list(conn.execute(statement).scalars())


def log_changes(
    conn: Connection,
    changes: Iterable[tuple[int, Mapping[str, Any]]],
    *,
    source: str,
    actor: Actor,
    now: datetime,
) -> None:
    rows = ((member_id, now, actor.person, source, dict(change)) for member_id, change in changes)
    copy_rows(conn, "member_changes", ["member_id", "at", "actor", "source", "changes"], rows)


def touch_members(conn: Connection, ids: Sequence[int], now: datetime) -> None:
    """Count the versions of members on: what is written of their contacts is a change of them, too."""
    these = update(Member).where(Member.id == func.any(list(ids)))
    conn.execute(these.values(version=Member.version + 1, updated_at=now))

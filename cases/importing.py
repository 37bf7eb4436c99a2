"""Importing cases from a table: each row opens one, or is refused by its line. The same file again adds nothing."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select, text

from cases import opening, store
from cases.environment import Environment, World, world
from cases.errors import BadInput
from cases.tables import CaseRow
from config import clock
from config.database import Connection, transaction
from members import store as member_store
from members.cards import MemberCard
from members.errors import did_you_mean
from members.matching import name_key
from members.spreadsheets import Record, Refusal, read_table
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Actor

BATCH = 1000
OWN_FIELDS = ("member", "subject", "external_ref", "received_at")
ALIASES = {
    "received": "received_at", "received_on": "received_at", "date_received": "received_at", "company": "member",
    "organisation": "member", "organization": "member", "title": "subject", "narrative": "description",
    "ref": "external_ref", "id": "external_ref", "reference": "external_ref", "source_ref": "external_ref",
}  # fmt: skip


@dataclass
class CaseImportReport:
    """What an import did, or would do."""

    created: int = 0
    updated: int = 0
    """Always 0: what was imported before is never changed by a file."""
    unchanged: int = 0
    members_created: int = 0
    refused: list[Refusal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    dry_run: bool = False
    would_make: set[str] = field(default_factory=set)
    """In a dry run: the members that would be added."""

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, refusals in the order of their lines."""
        refused = sorted(self.refused, key=lambda r: r.line)
        return {
            "created": self.created, "updated": self.updated, "unchanged": self.unchanged,
            "members_created": self.members_created, "dry_run": self.dry_run, "remarks": self.remarks,
            "refused": [{"line": r.line, "why": r.why} for r in refused],
        }  # fmt: skip


@dataclass(frozen=True)
class _Row:
    line: int
    member: str
    subject: str
    external_ref: str | None
    received_at: datetime | None
    payload: dict[str, Any]


def import_cases(
    env: Environment,
    process_name: str,
    path: Path,
    mapping: Mapping[str, str],
    *,
    create_members: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    actor: Actor = SYSTEM,
    now: datetime | None = None,
) -> CaseImportReport:
    """Open a case for every row of a CSV or XLSX file and return what became of each.

    ``mapping`` gives for a field the column it is in. One transaction: an interrupted import leaves nothing. Raises
    BadInput for a field or column that does not exist.
    """
    process = process_named(process_name)
    table = read_table(path)
    columns = _columns(process, mapping, table.columns)
    report = CaseImportReport(dry_run=dry_run)
    with transaction(env.engine) as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(770021)"))
        here = world(conn, env, now)
        seen: dict[str, int] = {}
        for records in _batches(table.records):
            rows = list(_rows(records, columns, process, here, report, seen))
            _import_batch(conn, process, rows, here, report, create_members, actor)
            if progress is not None:
                progress(len(records))
    if dry_run:
        report.remarks.append("This was a dry run; nothing was written.")
    report.refused += table.broken
    return report


def fields_of(process: Process) -> tuple[str, ...]:
    """Return the fields an import of this process knows: those of every case, and those of its opening form."""
    return OWN_FIELDS + tuple(process.opening.model_fields if process.opening else ())


def _columns(process: Process, mapping: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    known = fields_of(process)
    found: dict[str, str] = {}
    for given, column in mapping.items():
        name = given.strip().lower().replace("-", "_")
        name = name if name in known else ALIASES.get(name, name)
        if name not in known:
            raise BadInput(
                f"A {process.title.lower()} has no field {given!r}.{did_you_mean(given, known)} "
                f"Known are {', '.join(known)}."
            )
        if column not in columns:
            raise BadInput(
                f"The file has no column {column!r}.{did_you_mean(column, columns)} It has {', '.join(columns)}."
            )
        found[name] = column
    if "member" not in found and "subject" not in found:
        raise BadInput("Say with --map which columns hold the member and the subject.")
    return found


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    rest = iter(records)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _rows(
    records: Sequence[Record], columns: Mapping[str, str], process: Process, here: World, report: CaseImportReport,
    seen: dict[str, int],
) -> Iterator[_Row]:  # fmt: skip
    for record in records:
        values = {name: record.values[column] for name, column in columns.items() if record.values.get(column)}
        try:
            row = _row(record.line, values, process, here)
        except ValueError as bad:
            report.refused.append(Refusal(record.line, str(bad)))
            continue
        if row.external_ref is not None:
            if row.external_ref in seen:
                why = f"The reference {row.external_ref} stands in line {seen[row.external_ref]} already."
                report.refused.append(Refusal(record.line, why))
                continue
            seen[row.external_ref] = record.line
        yield row


def _row(line: int, values: Mapping[str, str], process: Process, here: World) -> _Row:
    """Read one row. Raises ValueError with a sentence."""
    payload: dict[str, Any] = {}
    for name, value in values.items():
        if name not in OWN_FIELDS:
            payload |= _field(process.opening, name, value)
    subject = values.get("subject") or str(payload.get("category") or values.get("member") or process.title)
    if process.opening is not None and "category" in process.opening.model_fields:
        payload.setdefault("category", subject[:200])
    return _Row(line, values.get("member", ""), subject, values.get("external_ref"), _received(values, here), payload)


def _received(values: Mapping[str, str], here: World) -> datetime | None:
    given = values.get("received_at")
    if not given:
        return None
    try:
        instant = clock.parse_instant(given, here.env.calendar.zone)
    except ValueError:
        raise ValueError(f"{given!r} is not a date; write it as 2026-03-02.") from None
    if instant > here.now and here.env.calendar.local_date(instant) > here.env.calendar.local_date(here.now):
        raise ValueError(f"It is dated {given}, which is in the future.")
    return instant


def _field(model: type[BaseModel] | None, name: str, value: str) -> dict[str, Any]:
    """Return a field of the form as it is typed; a choice is recognised however it is spelt, else ``other``."""
    choices = _choices(model, name)
    if not choices:
        return {name: value}
    wanted = value.strip().lower().replace(" ", "_").replace("-", "_")
    if wanted in choices:
        return {name: wanted}
    return {name: "other"} if "other" in choices else {}


def _choices(model: type[BaseModel] | None, name: str) -> tuple[str, ...]:
    annotation = model.model_fields[name].annotation if model is not None else None
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    for option in options:
        if isinstance(option, type) and issubclass(option, enum.StrEnum):
            return tuple(option)
    return ()


def _import_batch(
    conn: Connection, process: Process, rows: Sequence[_Row], here: World, report: CaseImportReport,
    create_members: bool, actor: Actor,
) -> None:  # fmt: skip
    known = _known(conn, process, rows)
    fresh = [row for row in rows if row.external_ref is None or row.external_ref not in known]
    report.unchanged += len(rows) - len(fresh)
    members, refused = _members(conn, fresh, here, report, create_members, actor)
    wanted = []
    for row in fresh:
        if row.member and row.member not in members and name_key(row.member) not in report.would_make:
            report.refused.append(Refusal(row.line, refused.get(row.member, "There is no such member.")))
        else:
            wanted.append(row)
    team = next(iter(sorted(actor.teams)), None)
    wishes = [_wish(process, row, members.get(row.member), team) for row in wanted]
    decided = opening.decided(conn, wishes, here, actor=actor, trial=report.dry_run)
    changes = []
    for row, found in zip(wanted, decided, strict=True):
        if isinstance(found, tuple):
            report.refused.append(Refusal(row.line, found[1].sentence))
        else:
            changes.append(found)
    if not report.dry_run:
        store.apply(conn, changes, here)
    report.created += len(changes)


def _wish(process: Process, row: _Row, member: MemberCard | None, team: str | None) -> opening.Wish:
    return opening.Wish(
        process, row.subject, row.payload, member.id if member else None, (member.team if member else None) or team,
        None, row.received_at, row.external_ref,
    )  # fmt: skip


def _known(conn: Connection, process: Process, rows: Sequence[_Row]) -> set[str]:
    refs = [row.external_ref for row in rows if row.external_ref is not None]
    found = conn.execute(
        select(CaseRow.external_ref).where(CaseRow.process == process.name, CaseRow.external_ref.in_(refs))
    )
    return {row.external_ref for row in found if row.external_ref is not None}


def _members(
    conn: Connection, rows: Sequence[_Row], here: World, report: CaseImportReport, create: bool, actor: Actor
) -> tuple[Mapping[str, MemberCard], Mapping[str, str]]:
    """Return the members the rows name, made when the import was told to, and why others were not found."""
    names = {row.member for row in rows if row.member}
    found = member_store.find_by_refs(conn, names)
    missing = {name_key(name): name for name in sorted(names, reverse=True)
               if found.refused.get(name, "").startswith("No member")}  # fmt: skip
    if not create or not missing:
        hint = "" if create else " Import members first, or use --create-members."
        return found.members, {name: why + hint for name, why in found.refused.items()}
    if report.dry_run:
        report.would_make |= set(missing)
        report.members_created = len(report.would_make)
        return found.members, found.refused
    member_store.insert_members(
        conn, [{"name": name} for name in sorted(missing.values())], source="case import", actor=actor, now=here.now
    )
    report.members_created += len(missing)
    again = member_store.find_by_refs(conn, names)
    return again.members, again.refused

"""The statements that write: each takes many cases, and their number does not depend on how many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from cases.errors import CaseChanged
from cases.lines import (
    EVENT_COLUMNS,
    MOVED_COLUMNS,
    NEW_COLUMNS,
    NULL,
    PERSONAL_COLUMNS,
    Once,
    StepInWords,
    event_line,
    moved_columns,
    new_columns,
)
from cases.locking import Locked
from cases.rows import GENESIS, Head, clocks_to_json, closed_at, occurrence_of, staff_id_of
from config import together
from config.database import Connection, as_line, copy_lines, copy_rows, json_text
from notifications import outbox
from notifications.values import NewMessage
from state_machines.values import Case, Message, Outcome, Step, Task


@dataclass(frozen=True, slots=True)
class Change:
    """A decision about to be written: on a case that is locked, or on one that is new."""

    outcome: Outcome
    process_version: int
    owner_id: int | None
    coordinator_id: int | None
    locked: Locked | None = None
    external_ref: str | None = None
    restricted_to: tuple[int, ...] | None = None
    walled_off: tuple[int, ...] = ()
    """For a new case: who is walled off besides those whom its own facts name."""
    link: tuple[int, str] | None = None
    """For a new case: the case that caused it, and how they are linked."""

    @property
    def head(self) -> Head:
        """The event that the first new one follows."""
        return self.locked.head if self.locked else Head(0, GENESIS)

    @property
    def light(self) -> bool:
        """Whether only clocks and facts moved: the common case of a sweep, written with fewer columns."""
        before, after = self.outcome.before, self.outcome.after
        return (
            self.locked is not None
            and after.state == before.state
            and after.parties is before.parties
            and after.counts is before.counts
            and after.people is before.people
            and after.on_hold == before.on_hold
            and self.owner_id == self.locked.owner_id
            and not self.outcome.final
            and after.data.get("walled_off") == before.data.get("walled_off")
        )


_MOVED = text("""
CREATE TEMP TABLE IF NOT EXISTS moved (id bigint, version int, clocks jsonb, due_at timestamptz,
  deadline_at timestamptz, last_seq int, last_hash text, data jsonb) ON COMMIT DELETE ROWS
""")
_HAS_MOVED = text("SELECT to_regclass('pg_temp.moved')")
"""Asked first: a rehearsal works in transactions in which no table can be made, temporary ones neither."""
_NONE_MOVED = text("DELETE FROM moved")
_LIGHT = text("""
UPDATE cases AS c SET version = c.version + 1, clocks = u.clocks, due_at = u.due_at, deadline_at = u.deadline_at,
  last_seq = u.last_seq, last_hash = u.last_hash, data = u.data, parked_at = NULL, parked_why = NULL
FROM moved AS u WHERE c.id = u.id AND c.version = u.version
""")

_FULL = """
UPDATE cases AS c SET version = c.version + 1, clocks = u.clocks, due_at = u.due_at, deadline_at = u.deadline_at,
  last_seq = u.last_seq, last_hash = u.last_hash, state = u.state, entered_at = u.entered_at, closed_at = u.closed_at,
  outcome = u.outcome, owner_id = u.owner_id, owner_role = u.owner_role, coordinator_id = u.coordinator_id,
  on_hold = u.on_hold, data = u.data, parties = u.parties, counts = u.counts, people = u.people,
  walled_off = coalesce(u.walled_off, c.walled_off), process_version = u.process_version, parked_at = NULL,
  parked_why = NULL
FROM json_to_recordset(CAST(%(rows)s AS json)) AS u(id bigint, version int, clocks jsonb, due_at timestamptz,
  deadline_at timestamptz, last_seq int, last_hash text, state text, entered_at timestamptz, closed_at timestamptz,
  outcome text, owner_id bigint, owner_role text, coordinator_id bigint, on_hold bool, data jsonb, parties jsonb,
  counts jsonb, people jsonb, process_version int, walled_off bigint[])
WHERE c.id = u.id AND c.version = u.version
"""
"""One parameter for any number of rows: arrays of JSON texts would be escaped twice."""

_LIGHT_FEW = """
UPDATE cases AS c SET version = c.version + 1, clocks = u.clocks, due_at = u.due_at, deadline_at = u.deadline_at,
  last_seq = u.last_seq, last_hash = u.last_hash, data = u.data, parked_at = NULL, parked_why = NULL
FROM json_to_recordset(CAST(%(rows)s AS json)) AS u(id bigint, version int, clocks jsonb, due_at timestamptz,
  deadline_at timestamptz, last_seq int, last_hash text, data jsonb)
WHERE c.id = u.id AND c.version = u.version
"""

FEW = 8
"""So few changes are sent in one go, as a click is: what helps thousands costs more than it saves. A sweep of more
takes turns with the database."""


def write_cases(conn: Connection, changes: Sequence[Change], heads: Sequence[Head]) -> None:
    """Insert the new cases and update the others. Raises CaseChanged when one was changed since it was read."""
    pairs = list(zip(changes, heads, strict=True))
    new = [pair for pair in pairs if pair[0].locked is None]
    if new:
        opened = Once(new_columns)
        copy_lines(conn, "cases", NEW_COLUMNS, (_new_line(*pair, opened) for pair in new))
    light: list[tuple[Change, Head]] = []
    full: list[tuple[Change, Head]] = []
    for change, head in pairs:
        if change.locked is not None:
            (light if change.light else full).append((change, head))
    if light and together.is_together():
        _update(conn, _LIGHT_FEW, [_light_row(*pair) for pair in light])
    elif light:
        make_room(conn)
        conn.execute(_NONE_MOVED)
        moved = Once(moved_columns)
        copy_lines(conn, "moved", MOVED_COLUMNS, [_moved_line(*pair, moved) for pair in light])
        _expect(conn.execute(_LIGHT).rowcount, len(light))
    _update(conn, _FULL, [_full_row(*pair) for pair in full])


def make_room(conn: Connection) -> None:
    """Make the temporary table through which moved clocks are written, where this connection has none yet."""
    if conn.execute(_HAS_MOVED).scalar() is None:
        conn.execute(_MOVED)


def _update(conn: Connection, statement: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        together.run(conn, statement, {"rows": json_text(rows)}, lambda changed: _expect(changed, len(rows)))


def _expect(changed: int, wanted: int) -> None:
    if changed != wanted:
        raise CaseChanged


def _moved_line(change: Change, head: Head, moved: Once[str]) -> str:
    outcome = change.outcome
    shared = moved.of(outcome.steps, outcome)
    return f"{outcome.after.id}\t{outcome.before.version}\t{head.seq}\t{head.hash}\t{shared}"


def _light_row(change: Change, head: Head) -> dict[str, Any]:
    outcome = change.outcome
    return {
        "id": outcome.after.id,
        "version": outcome.before.version,
        "clocks": clocks_to_json(outcome.after.clocks),
        "due_at": None if outcome.final else outcome.due_at,
        "deadline_at": outcome.deadline,
        "last_seq": head.seq,
        "last_hash": head.hash,
        "data": outcome.after.data,
    }


def _full_row(change: Change, head: Head) -> dict[str, Any]:
    outcome = change.outcome
    after = outcome.after
    return _light_row(change, head) | {
        "state": after.state,
        "entered_at": after.entered_at,
        "closed_at": closed_at(outcome) or _still_closed(change),
        "outcome": after.data.get("outcome") if outcome.final else None,
        "owner_id": change.owner_id,
        "owner_role": outcome.owner_role.value,
        "coordinator_id": change.coordinator_id,
        "on_hold": after.on_hold,
        "parties": after.parties,
        "counts": after.counts,
        "people": after.people,
        "process_version": change.process_version,
        "walled_off": kept_from(change) if "walled_off" in after.data else None,
    }


def _still_closed(change: Change) -> datetime | None:
    """A note on a closed case does not close it again."""
    return change.locked.row.closed_at if change.locked and change.outcome.final else None


def walled_off(case: Case) -> list[int]:
    """Return the staff whom the facts of a case wall off from it."""
    return [found for person in case.data.get("walled_off", ()) if (found := staff_id_of(person)) is not None]


def kept_from(change: Change) -> list[int]:
    """Return everybody who is walled off from a case: by its facts, by where it comes from, and from before."""
    before = change.locked.walled_off if change.locked else change.walled_off
    return sorted({*walled_off(change.outcome.after), *before})


def _new_line(change: Change, head: Head, opened: Once[str]) -> str:
    after = change.outcome.after
    own = as_line((
        after.id, after.ref, after.member_id, after.team, change.owner_id, change.coordinator_id, after.subject,
        change.external_ref, after.parent_id, change.restricted_to, kept_from(change) or None, after.received_at,
        after.opened_at, head.seq, head.hash,
    ))  # fmt: skip
    return f"{own}\t{opened.of(change.outcome.steps, change.outcome, change.process_version)}"


@dataclass(frozen=True, slots=True)
class Chained:
    """The events of some changes, ready to be written, and the last one of each change."""

    lines: list[str]
    personal: list[tuple[Any, ...]]
    heads: list[Head]


def chain(changes: Sequence[Change], policy_version: str) -> Chained:
    """Return the event of every step, each chained to the one before it."""
    found = Chained([], [], [])
    words = Once(StepInWords)
    for change in changes:
        head, case_id = change.head, change.outcome.after.id
        for step in change.outcome.steps:
            in_words = words.of(step, step, change.process_version, policy_version)
            line, head, personal = event_line(case_id, step, in_words, head)
            found.lines.append(line)
            if personal is not None:
                found.personal.append(personal)
        found.heads.append(head)
    return found


def write_events(conn: Connection, chained: Chained) -> None:
    """Append events, and beside them what is personal. A rung that has fired before is refused by the database."""
    copy_lines(conn, "case_events", EVENT_COLUMNS, chained.lines)
    if chained.personal:
        copy_rows(conn, "event_personal", PERSONAL_COLUMNS, chained.personal)


def write_messages(conn: Connection, changes: Sequence[Change], *, now: datetime) -> None:
    """Queue the messages the steps ask for, each under a key made from facts, so that none is asked for twice."""
    lines: list[str] = []
    asked = Once(_messages_in_words)
    for change in changes:
        case = change.outcome.after
        for seq, step in enumerate(change.outcome.steps, change.head.seq + 1):
            if step.messages:
                stem = _key_begin(case, seq, step)
                own = f"{case.id}\t{seq}\t{NULL if case.member_id is None else case.member_id}"
                lines += [f"{stem}{key}\t{own}\t{columns}" for key, columns in asked.of(step, step, now)]
    if lines:
        outbox.append(conn, lines)


def messages_of(changes: Sequence[Change]) -> list[NewMessage]:
    """Return the messages that `write_messages` would queue, for whoever runs a case ahead."""
    found: list[NewMessage] = []
    for change in changes:
        case = change.outcome.after
        for seq, step in enumerate(change.outcome.steps, change.head.seq + 1):
            stem = _key_begin(case, seq, step)
            found += [
                NewMessage(stem + _key_end(index, m), m.kind, m.audience, case.id, seq, case.member_id, m.data, m.clock,
                           step.at)
                for index, m in enumerate(step.messages)
            ]  # fmt: skip
    return found


def _key_begin(case: Case, seq: int, step: Step) -> str:
    return occurrence_of(case.id, step) or f"{case.id}:{seq}"


def _key_end(index: int, message: Message) -> str:
    return f":{index}:{message.kind}:{message.audience}"


def _messages_in_words(step: Step, now: datetime) -> list[tuple[str, str]]:
    """The end of the key of each message of a step, and what goes into its columns."""
    return [
        (as_line((_key_end(index, m),)),
         outbox.shared_columns(m.kind, m.audience, m.data, m.clock, step.at, now=now))
        for index, m in enumerate(step.messages)
    ]  # fmt: skip


_CLOSE_TASKS = """
UPDATE case_tasks AS t SET closed_at = u.at, closed_by = u.by
FROM unnest(CAST(%(case_id)s AS bigint[]), CAST(%(kind)s AS text[]), CAST(%(at)s AS timestamptz[]),
  CAST(%(by)s AS text[])) AS u(case_id, kind, at, by)
WHERE t.case_id = u.case_id AND t.closed_at IS NULL AND (u.kind = '*' OR t.kind = u.kind)
"""
_TASK_COLUMNS = ("case_id", "kind", "title", "role", "due_at", "data", "created_at", "closed_at", "closed_by")


def write_tasks(conn: Connection, changes: Sequence[Change]) -> None:
    """Close the tasks that are settled, and open the new ones."""
    closing: list[tuple[int, str, datetime, str]] = []
    opening: list[tuple[Any, ...]] = []
    for change in changes:
        closed, opened = _tasks_of(change.outcome)
        closing += closed
        opening += opened
    if closing:
        columns = zip(*closing, strict=True)
        together.run(conn, _CLOSE_TASKS, dict(zip(("case_id", "kind", "at", "by"), map(list, columns), strict=True)))
    if opening:
        copy_rows(conn, "case_tasks", _TASK_COLUMNS, opening)


def _tasks_of(outcome: Outcome) -> tuple[list[tuple[int, str, datetime, str]], list[tuple[Any, ...]]]:
    if not outcome.final and not any(step.closes_tasks or step.tasks for step in outcome.steps):
        return [], []
    case_id = outcome.after.id
    closed: list[tuple[int, str, datetime, str]] = []
    opened: list[tuple[Task, Step]] = []
    for step in outcome.steps:
        kinds = ("*",) if outcome.final and step is outcome.steps[-1] else step.closes_tasks
        closed += [(case_id, kind, step.at, step.actor.person) for kind in kinds]
        opened = [(t, s) for t, s in opened if not ("*" in kinds or t.kind in kinds)]
        opened += [(task, step) for task in step.tasks]
    rows = [(case_id, t.kind, t.title, t.role.value, t.due, dict(t.data), s.at, None, None) for t, s in opened]
    return closed, rows


_LINK = "INSERT INTO case_links (from_id, to_id, type, at, by) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"


def write_links(conn: Connection, links: Iterable[tuple[int, int, str, datetime, str]]) -> None:
    """Link cases, from the one that was caused to the one that caused it; a link that exists is left."""
    for link in links:
        together.run(conn, _LINK, link)

"""Putting a mail on a case: an event with its words beside it, word to the owner, and what a person must do about it.

It appends, under the lock of the case, whatever version somebody has on their screen; it moves no state, stops no clock
and reopens nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from cases.commands import plain_change, with_message
from cases.environment import World
from cases.inbox.matching import STRANGER
from cases.locking import Locked
from cases.store import apply
from cases.tables import CaseTask
from config.database import Connection
from notifications.inbox.incoming import RETURNED, WRITTEN, Kind
from notifications.kind import Purpose
from state_machines.deadlines import Allowance, due_instant
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Actor, Message, Role, Task

EVENT = "mail_received"
HELD_BACK = "mail_held_back"
SERVE_BY_POST = "serve_by_post"
_MOST_WORDS = 20_000
_TASKS = {
    Kind.LEFT: ("contact_left", "An automatic reply says that the contact has left: put the contact right", "WD(5)"),
    Kind.CHALLENGE: ("mail_challenge", "A filter on the other side asks for proof that we are people", "WD(2)"),
    Kind.COMPLAINT: ("mail_complaint", "Our mail was reported as unwanted: ask what the member wishes", "WD(5)"),
    Kind.UNSUBSCRIBE: ("mail_stop", "Somebody wants no more mail: see what they mean", "WD(2)"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """What of a mail goes on a case."""

    number: int
    kind: Kind
    from_email: str | None
    from_name: str
    subject: str
    text: str
    details: dict[str, Any]
    sender: str = STRANGER
    matched_by: str | None = None
    legal_message: int | None = None
    """The number of our legal notice that did not arrive."""


def put(conn: Connection, locked: Locked, note: Note, here: World, *, actor: Actor = SYSTEM) -> int:
    """Append a mail to a locked case and return the number of its event."""
    final = process_named(locked.case.process).state(locked.case.state).final
    tasks = () if final else _tasks(conn, locked.case.id, note, here)
    facts = {
        "inbox": note.number, "mail": note.kind.value, "sender": note.sender, "matched_by": note.matched_by,
        "status": note.details.get("status"), "counts": False,
    }  # fmt: skip
    personal = {
        "from": note.from_email, "name": note.from_name, "subject": note.subject, "text": note.text[:_MOST_WORDS],
        "reason": note.details.get("reason"), "back_on": note.details.get("back_on"),
        "files": note.details.get("files", []),
    }  # fmt: skip
    change = plain_change(locked, locked.case, EVENT, facts, personal, tasks, actor=actor, now=here.now)
    if note.kind in WRITTEN or note.details.get("guessed"):
        about = {"known": note.sender != STRANGER, "guessed": bool(note.details.get("guessed")), "closed": final}
        change = with_message(change, Message("case_reply", "owner", about))
    apply(conn, [change], here)
    return locked.head.seq + 1


def hold_back(conn: Connection, locked: Locked, sender: str, here: World) -> None:
    """Say once on a case that more mail of a sender stays in the inbox today."""
    change = plain_change(locked, locked.case, HELD_BACK, {}, {"from": sender}, actor=SYSTEM, now=here.now)
    apply(conn, [change], here)


def legal_notice(ours: Any, kind: Kind) -> int | None:
    """Return the number of our message, where it is a legal notice that did not arrive and must go by post."""
    return int(ours.id) if ours is not None and kind in RETURNED and ours.purpose == Purpose.LEGAL.value else None


def _tasks(conn: Connection, case_id: int, note: Note, here: World) -> tuple[Task, ...]:
    """Return what a person must do about a mail, unless somebody is asked for it already."""
    wanted = []
    if note.kind in _TASKS:
        kind, title, allowance = _TASKS[note.kind]
        wanted.append(_task(kind, title, allowance, {}, here))
    if note.legal_message is not None:
        title = "A legal notice came back: serve it by post; its time runs from then"
        wanted.append(_task(SERVE_BY_POST, title, "WD(2)", {"message": note.legal_message}, here))
    if not wanted:
        return ()
    there = _open_tasks(conn, case_id)
    return tuple(task for task in wanted if (task.kind, task.data.get("message")) not in there)


def _task(kind: str, title: str, allowance: str, data: dict[str, Any], here: World) -> Task:
    due = due_instant(Allowance.parse(allowance), here.now, here.env.calendar)
    return Task(kind, title, Role.COORDINATOR, due, data)


def _open_tasks(conn: Connection, case_id: int) -> Collection[tuple[str, Any]]:
    mine = select(CaseTask.kind, CaseTask.data).where(CaseTask.case_id == case_id, CaseTask.closed_at.is_(None))
    return {(row.kind, row.data.get("message")) for row in conn.execute(mine)}

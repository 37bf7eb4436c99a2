"""What happened to a case, page by page, with everybody by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select

from cases.environment import Environment, World, world
from cases.people import called
from cases.sight import row_seen
from cases.tables import PERSONAL_PART, CaseEvent, EventPersonal
from config.database import reading
from notifications.tables import MessageRow
from state_machines.english import capital
from state_machines.objections import title_of
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Actor


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a case, as people say it and as it is stored."""

    seq: int
    at: datetime
    kind: str
    title: str
    trigger: str
    source: str | None
    target: str
    actor: str
    by: str
    role: str
    on_behalf_of: str | None
    details: dict[str, Any]
    personal: dict[str, Any]


@dataclass(frozen=True)
class History:
    """Some of what happened to a case, the earliest first, and the version the case is at."""

    ref: str
    version: int
    events: list[Happened]
    more: bool
    """Whether there is more after these."""


def history(
    env: Environment, ref: str, *, after: int = 0, limit: int = 50, actor: Actor, now: datetime | None = None
) -> History:
    """Return the events of a case after one with this number. Raises CaseNotFound."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = row_seen(conn, ref, actor, here)
        events = _EVENTS.where(CaseEvent.case_id == row.id, CaseEvent.seq > after).order_by(CaseEvent.seq)
        found = conn.execute(events.limit(limit + 1)).all()
        process = process_named(row.process)
        return History(row.ref, row.version, [_of(e, process, here) for e in found[:limit]], len(found) > limit)


def since_version(
    env: Environment, ref: str, version: int, *, most: int = 20, actor: Actor, now: datetime | None = None
) -> History:
    """Return what happened to a case since somebody saw it at a version. Raises CaseNotFound.

    A version has one event or more, so the last so many events as there are new versions are surely all new.
    """
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = row_seen(conn, ref, actor, here)
        new = max(row.version - version, 0)
        events = _EVENTS.where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq.desc())
        found = conn.execute(events.limit(min(new, most))).all()[::-1]
        process = process_named(row.process)
        return History(row.ref, row.version, [_of(e, process, here) for e in found], False)


KINDS: Mapping[str, ColumnElement[bool]] = {
    "people": CaseEvent.actor.not_like("system:%"),
    "mail": or_(
        CaseEvent.kind.in_(("mail_received", "mail_held_back", "contact_bounced")),
        exists().where(MessageRow.case_id == CaseEvent.case_id, MessageRow.event_seq == CaseEvent.seq),
    ),
    "notes": CaseEvent.kind.in_(("note", "told", "evidence", "task_done")),
}
"""What a history can be narrowed to: what people did, what went out or came in by mail, what was written and added."""
_EVENTS = select(CaseEvent.__table__, EventPersonal.data.label("personal")).outerjoin(EventPersonal, PERSONAL_PART)


def event_title(process: Process, kind: str, trigger: str) -> str:
    """Return what happened, as people say it."""
    return capital(title_of(process, trigger) if kind == "transition" else kind.replace("_", " "))


def _of(row: Any, process: Process, here: World) -> Happened:
    return Happened(
        row.seq, row.at, row.kind, event_title(process, row.kind, row.trigger), row.trigger, row.source, row.target,
        row.actor, called(row.actor, here.staffing), row.role,
        called(row.on_behalf_of, here.staffing) if row.on_behalf_of else None, row.details, row.personal or {},
    )  # fmt: skip

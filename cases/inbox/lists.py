"""What people read of the inbox: page by page, and one mail as plain text. One filter with the cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from cases.environment import Environment, world
from cases.errors import NotAllowed
from cases.inbox.sight import MAY_SEE_RAW, seen_by
from cases.inbox.sorting import MailNotFound
from cases.looking.recording import LETTER, looked_at_case
from cases.people import called
from cases.tables import CaseRow
from config.database import Connection, reading
from notifications.inbox import keeping
from notifications.inbox.incoming import TITLES, Kind
from notifications.tables import KEPT, UNMATCHED, InboxMessage, MessageRow
from state_machines.values import Actor, Role

WAITING = "waiting"
"""Not a state but two: what a person has to look at."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is listed."""

    id: int
    received_at: datetime
    kind: str
    title: str
    state: str
    why: str | None
    status: str | None
    from_email: str | None
    from_name: str | None
    subject: str
    case: str | None
    perhaps: str | None
    """A case it may be about."""
    matched_by: str | None
    handled_at: datetime | None
    by: str | None
    """Who dealt with it."""
    text: str
    details: dict[str, Any]
    size: int
    source: str
    ours: str | None
    """The kind of our message that it is about."""


def listed(
    env: Environment, *, state: str = WAITING, kind: str | None = None, before: int | None = None, limit: int = 50,
    viewer: Actor, now: datetime | None = None,
) -> list[Mail]:  # fmt: skip
    """Return mails the viewer may see with a number below ``before``, the newest first."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        where = [seen_by(viewer, here)]
        if state:
            where.append(_in_state(state))
        if kind:
            where.append(InboxMessage.kind == kind)
        if before is not None:
            where.append(InboxMessage.id < before)
        return _mails(conn, and_(*where), limit, here.staffing)


def counted(env: Environment, *, viewer: Actor, now: datetime | None = None) -> dict[str, int]:
    """Return how many mails the viewer may see, by state, and how many wait."""
    with reading(env.engine) as conn:
        mine = seen_by(viewer, world(conn, env, now))
        rows = conn.execute(
            select(InboxMessage.state, func.count().label("n")).where(mine).group_by(InboxMessage.state)
        )
        found = {row.state: row.n for row in rows}
    return {**found, WAITING: found.get(UNMATCHED, 0) + found.get(KEPT, 0)}


def one(env: Environment, number: int, *, viewer: Actor, now: datetime | None = None) -> Mail:
    """Return one mail. Raises MailNotFound also for one that is not the viewer's to see."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        wanted = and_(InboxMessage.id == number, seen_by(viewer, here))
        found = _mails(conn, wanted, 1, here.staffing) if 0 < number < 2**63 else []
        if found and (found[0].case or found[0].perhaps):
            _noted(conn, number, viewer)
    if not found:
        raise MailNotFound(number)
    return found[0]


def raw(env: Environment, number: int, *, viewer: Actor, now: datetime | None = None) -> bytes:
    """Return a mail as it came. Raises NotAllowed, or MailNotFound also where its file is gone."""
    if not viewer.roles & (MAY_SEE_RAW | {Role.SYSTEM}):
        raise NotAllowed("Only administrators see a mail as it came.")
    with reading(env.engine) as conn:
        wanted = and_(InboxMessage.id == number, seen_by(viewer, world(conn, env, now)))
        row = conn.execute(select(InboxMessage.sha256, InboxMessage.raw).where(wanted)).one_or_none()
        if row is not None:
            _noted(conn, number, viewer)
    content = keeping.content(env.settings.home, row.sha256, row.raw) if row is not None else None
    if content is None:
        raise MailNotFound(number)
    return content


def _noted(conn: Connection, number: int, viewer: Actor) -> None:
    """Note that somebody reads a mail of a restricted case, or one that may be of such a case."""
    about = CaseRow.id.in_((InboxMessage.case_id, InboxMessage.perhaps_case_id))
    cases = select(CaseRow.ref, CaseRow.restricted_to, CaseRow.walled_off).join(InboxMessage, about)
    for row in conn.execute(cases.where(InboxMessage.id == number)):
        looked_at_case(row, row.ref, what=LETTER, name=f"inbox {number}", actor=viewer)


def _in_state(state: str) -> Any:
    if state == WAITING:
        return or_(InboxMessage.state == UNMATCHED, InboxMessage.state == KEPT)
    return InboxMessage.state == state


def _mails(conn: Connection, where: Any, limit: int, staffing: Any) -> list[Mail]:
    """Return mails with the references of their cases, in one statement and without their raw bytes."""
    case, perhaps = aliased(CaseRow), aliased(CaseRow)
    columns = [column for column in InboxMessage.__table__.c if column.name != "raw"]
    rows = conn.execute(
        select(*columns, case.ref.label("case_ref"), perhaps.ref.label("perhaps_ref"), MessageRow.kind.label("ours"))
        .outerjoin(case, case.id == InboxMessage.case_id)
        .outerjoin(perhaps, perhaps.id == InboxMessage.perhaps_case_id)
        .outerjoin(MessageRow, MessageRow.id == InboxMessage.outbox_id)
        .where(where).order_by(InboxMessage.id.desc()).limit(limit)
    )  # fmt: skip
    return [
        Mail(
            row.id, row.received_at, row.kind, TITLES[Kind(row.kind)], row.state, row.why, row.status, row.from_email,
            row.from_name, row.subject or "", row.case_ref, row.perhaps_ref, row.matched_by, row.handled_at,
            called(row.handled_by, staffing) if row.handled_by else None, row.body_text or "", row.details, row.size,
            row.source, row.ours,
        )
        for row in rows
    ]  # fmt: skip

"""What people read about mail: the outbox page by page, and one message as it was sent. One filter with the cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from cases.commands import acts_for
from cases.delivering import case_views
from cases.environment import Environment, World, world
from cases.people import whom
from cases.permissions import SEE_ALL_TEAMS, visible
from cases.queries import case_page
from cases.rows import staff_id_of
from cases.tables import CaseRow
from config.database import Connection, reading, without_nul
from notifications import catalogue, links
from notifications.queries import is_genuine
from notifications.recipients import CONTACT, MEMBER_AUDIENCES, PARTY
from notifications.tables import MessageRow
from state_machines.values import Actor, Role

_FOR_OUTSIDERS = or_(
    MessageRow.audience.in_(sorted(MEMBER_AUDIENCES)), MessageRow.audience.startswith(CONTACT),
    MessageRow.audience.startswith(PARTY),
)  # fmt: skip


def outbox(
    env: Environment,
    *,
    case: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    member_id: int | None = None,
    outside: bool = False,
    viewer: Actor,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[dict[str, Any]], int]:
    """Return one page of the messages the viewer may see, the newest first, and how many there are in all.

    ``outside``: only those that go to people who are not staff.
    Raises CaseNotFound for a case the viewer may not see.
    """
    of_case = case_page(env, case, actor=viewer, last_events=1).case.id if case else None
    given = {"case_id": of_case, "state": state, "kind": kind, "member_id": member_id}
    with reading(env.engine) as conn:
        where = [getattr(MessageRow, name) == value for name, value in given.items() if value is not None]
        where += [_FOR_OUTSIDERS] if outside else []
        where += seen_by(viewer, world(conn, env))
        total = conn.execute(select(func.count()).select_from(MessageRow).where(*where)).scalar_one()
        page = select(*MessageRow.__table__.c).where(*where).order_by(MessageRow.id.desc())
        return _items(conn, conn.execute(page.limit(limit).offset(offset)).all()), total


def older(
    env: Environment, *, before: int | None = None, case: str | None = None, state: str | None = None,
    kind: str | None = None, viewer: Actor, limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return messages the viewer may see with a number below ``before``, the newest first; without counting the rest.

    Raises CaseNotFound for a case the viewer may not see.
    """
    of_case = case_page(env, case, actor=viewer, last_events=1).case.id if case else None
    given = {"case_id": of_case, "state": state, "kind": kind}
    with reading(env.engine) as conn:
        where = [getattr(MessageRow, name) == without_nul(value) for name, value in given.items() if value is not None]
        where += [MessageRow.id < before] if before is not None else []
        page = select(*MessageRow.__table__.c).where(*where, *seen_by(viewer, world(conn, env)))
        return _items(conn, conn.execute(page.order_by(MessageRow.id.desc()).limit(limit)).all())


def seen_by(viewer: Actor, here: World) -> list[ColumnElement[bool]]:
    """Return the conditions for what a viewer may see.

    Mail about a case is for who may see the case; other mail for who gets it, and for who sees all teams.
    """
    if Role.SYSTEM in viewer.roles:
        return []
    about = select(CaseRow.id).where(visible(viewer, acts_for(viewer, here)), CaseRow.id == MessageRow.case_id)
    own = true() if viewer.roles & SEE_ALL_TEAMS else MessageRow.staff_id == staff_id_of(viewer.person)
    return [or_(about.correlate(MessageRow).exists(), and_(MessageRow.case_id.is_(None), own))]


def _items(conn: Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return rows of the outbox as lists show them, with the references of their cases, in one statement."""
    views = case_views(conn, sorted({row.case_id for row in rows if row.case_id is not None}))
    return [
        {
            "id": row.id, "kind": row.kind, "title": catalogue.title_of(row.kind),
            "case": views[row.case_id].ref if row.case_id in views else None, "audience": row.audience,
            "receiver": row.to_email or row.to_name or whom(row.audience), "purpose": row.purpose,
            "contact_id": row.contact_id, "state": row.state, "reason": row.reason, "to": row.to_email,
            "to_name": row.to_name,
            "subject": row.subject, "not_before": row.not_before, "sent_at": row.sent_at, "attempts": row.attempts,
            "error": row.last_error,
        }
        for row in rows
    ]  # fmt: skip


def seen_of(env: Environment, numbers: Sequence[int], *, viewer: Actor) -> list[int]:
    """Return those of these messages that the viewer may see."""
    with reading(env.engine) as conn:
        where = [MessageRow.id.in_(list(numbers)), *seen_by(viewer, world(conn, env))]
        return list(conn.execute(select(MessageRow.id).where(*where)).scalars())


def message(env: Environment, number: int, *, viewer: Actor) -> dict[str, Any] | None:
    """Return a message with its text as it was sent, but for the keys of personal links, which Muster alone reads.

    None also for one that is not the viewer's to see.
    """
    with reading(env.engine) as conn:
        where = [MessageRow.id == number, *seen_by(viewer, world(conn, env))]
        row = conn.execute(select(*MessageRow.__table__.c).where(*where)).one_or_none()
        if row is None:
            return None
        [item] = _items(conn, [row])

    def told(text: str | None) -> str | None:
        return text if text is None or Role.SYSTEM in viewer.roles else links.without_keys(text)

    return {
        **item, "message_id": row.message_id, "body_text": told(row.body_text), "body_html": told(row.body_html),
        "genuine": is_genuine(row) if row.body_text is not None else None,
    }  # fmt: skip

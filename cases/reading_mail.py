"""One message of a case as it was read, or as it would be read if it left now. Personal links are never shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select

from cases.commands import acts_for
from cases.delivering import case_views, payloads
from cases.environment import Environment, World, world
from cases.errors import CaseNotFound
from cases.looking.recording import LETTER, looked_at_case
from cases.people import whom
from cases.permissions import visible
from cases.rows import ref_of
from cases.sight import row_seen
from cases.tables import CaseRow
from config.database import Connection, reading
from notifications import catalogue, ledger, links
from notifications.deciding import Setting, foreseen
from notifications.eligibility import Hold, Suppress
from notifications.recipients import is_for_outsider
from notifications.rendering import RenderingFailed, render
from notifications.tables import MessageRow
from state_machines.values import Actor


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with its words."""

    id: int
    case: str
    title: str
    state: str
    reason: str | None
    to: str
    """Name and address, or the audience while nobody is known."""
    at: datetime
    """When it was sent, or may leave."""
    subject: str
    text: str
    html: str
    foreseen: bool
    """Whether this is how it would be if it were sent now."""


def letter(env: Environment, ref: str, number: int, *, actor: Actor, now: datetime | None = None) -> Letter:
    """Return one message of a case with its words; empty where it was never written.

    Raises CaseNotFound also for a case the actor may not see, and for a message of another case.
    """
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = _message(conn, ref, number, actor, here)
        return _kept(row) if row.body_text is not None else _foreseen(conn, row, here)


def own_page_in(env: Environment, ref: str, number: int, *, actor: Actor, now: datetime | None = None) -> str | None:
    """Return the path of the personal page that a letter leads to, or None; for a sandbox, where nobody is real.

    Whoever has it acts as the reader of the letter. Raises CaseNotFound as `letter` does.
    """
    with reading(env.engine) as conn:
        row = _message(conn, ref, number, actor, world(conn, env, now))
        return links.own_page(row.body_text) if row.body_text is not None else None


def _message(conn: Connection, ref: str, number: int, actor: Actor, here: World) -> Any:
    """The row of a message of a case that the actor may see; that they looked is noted. Raises CaseNotFound."""
    mine = (CaseRow.ref == ref_of(ref)) & visible(actor, acts_for(actor, here))
    row = conn.execute(
        select(MessageRow.__table__, CaseRow.ref.label("case_ref"), CaseRow.restricted_to, CaseRow.walled_off)
        .join(CaseRow, CaseRow.id == MessageRow.case_id).where(MessageRow.id == number, mine)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise CaseNotFound(ref)
    looked_at_case(row, row.case_ref, what=LETTER, name=str(number), actor=actor)
    return row


def letters(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> list[Letter]:
    """Return all mail of a case that was sent to others than staff, as it was read, the first first.

    Raises CaseNotFound.
    """
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        case = row_seen(conn, ref, actor, here)
        rows = conn.execute(
            select(MessageRow.__table__, literal(case.ref).label("case_ref"))
            .where(MessageRow.case_id == case.id, MessageRow.state == "sent", MessageRow.body_text.is_not(None))
            .order_by(MessageRow.sent_at, MessageRow.id)
        )  # fmt: skip
        return [_kept(row) for row in rows if is_for_outsider(row.audience)]


def _kept(row: Any) -> Letter:
    return _letter(row, _to(row), row.reason, (row.subject, row.body_text, row.body_html), expected=False)


def _to(row: Any) -> str:
    return _address(row.to_name, row.to_email) if row.to_email else whom(row.audience)


def _address(name: str | None, email: str) -> str:
    return f"{name} <{email}>" if name else email


def _letter(row: Any, to: str, reason: str | None, words: tuple[str, str, str], *, expected: bool) -> Letter:
    subject, text, html = (links.without_keys(part) for part in words)
    return Letter(
        row.id, row.case_ref, catalogue.title_of(row.kind), row.state, reason, to, row.sent_at or row.not_before,
        subject, text, html, expected,
    )  # fmt: skip


def _foreseen(conn: Connection, row: Any, here: World) -> Letter:
    """A message that waits, as it would be sent now; one that was never written has no words."""
    nothing, waiting = ("", "", ""), ledger.waiting(conn, row.id)
    if waiting is None:
        return _letter(row, _to(row), row.reason, nothing, expected=False)
    env = here.env
    setting = Setting(env.settings, env.policy, env.calendar, case_views, payloads, here.now)
    verdict, ready = foreseen(conn, waiting, setting)
    if ready is None:
        return _letter(row, _to(row), _why(verdict) or row.reason, nothing, expected=True)
    to = _address(ready.recipient.name, ready.recipient.email)
    try:
        mail = render(row.kind, ready.context, ready.recipient.language)
    except RenderingFailed as bad:
        return _letter(row, to, str(bad), nothing, expected=True)
    return _letter(row, to, _why(verdict) or row.reason, (mail.subject, mail.text, mail.html), expected=True)


def _why(verdict: object) -> str | None:
    """Why it would not leave now."""
    if isinstance(verdict, Suppress):
        return f"it would not be sent: {verdict.reason}"
    if isinstance(verdict, Hold):
        return verdict.reason
    return verdict if isinstance(verdict, str) else None

"""What people do with mail that Muster could not place: give it to a case, set it aside, take that back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from cases.commands import lock_seen, plain_change, unhindered
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseError, NotAllowed
from cases.inbox.matching import BY_HAND, ref_of_case, who_writes
from cases.inbox.putting import Note, put
from cases.inbox.sight import MAY_SORT, seen_by
from cases.locking import Locked
from cases.store import apply
from config.database import Connection, transaction
from notifications.inbox import keeping, ledger
from notifications.inbox.incoming import Kind
from notifications.tables import IGNORED, MATCHED, UNMATCHED, InboxMessage
from state_machines.values import Actor, Role


class MailNotFound(CaseError):
    """There is no such mail, or it is not yours to see:"""

    status = 404


class MailDone(CaseError):
    """Somebody has dealt with this mail already:"""


def assign(env: Environment, number: int, ref: str, *, actor: Actor, now: datetime | None = None) -> str:
    """Put a mail on a case and return its reference: an event, and word to the owner where a person wrote it.

    What was put on another case by hand is moved, and that case says so. Raises MailNotFound, CaseNotFound, MailDone
    or NotAllowed.
    """
    if not ref.strip():
        raise BadInput("Which case does it belong to? Its reference looks like CO-2026-000042.")

    def once() -> str:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = lock_seen(conn, ref, actor, here)
            mail = _locked(conn, number, actor, here)
            if mail.state == MATCHED:
                _leave(conn, mail, locked, actor, here)
            sender, contact_id = who_writes(conn, mail.from_email, locked.row, here)
            note = Note(
                number, Kind(mail.kind), mail.from_email, mail.from_name or "", mail.subject or "",
                mail.body_text or "", mail.details, sender, BY_HAND,
            )  # fmt: skip
            seq = put(conn, locked, note, here, actor=actor)
            ledger.write(
                conn, number, state=MATCHED, case_id=locked.case.id, event_seq=seq, contact_id=contact_id,
                matched_by=BY_HAND, handled_at=here.now, handled_by=actor.person, why=None,
            )  # fmt: skip
            return locked.case.ref

    return unhindered(once)


def ignore(env: Environment, number: int, *, actor: Actor, now: datetime | None = None) -> None:
    """Set a mail aside as not ours; twice is harmless. Raises MailNotFound, MailDone or NotAllowed."""
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        mail = _locked(conn, number, actor, here)
        if mail.state == MATCHED:
            raise MailDone("it is on a case.")
        if mail.state != IGNORED:
            ledger.write(
                conn, number, state=IGNORED, handled_at=here.now, handled_by=actor.person, why="Set aside by hand."
            )


def restore(env: Environment, number: int, *, actor: Actor, now: datetime | None = None) -> None:
    """Put a mail that was set aside back among those that wait. Raises MailNotFound, MailDone or NotAllowed."""
    with transaction(env.engine) as conn:
        mail = _locked(conn, number, actor, world(conn, env, now))
        if mail.state == MATCHED:
            raise MailDone("it is on a case.")
        ledger.write(conn, number, state=UNMATCHED, handled_at=None, handled_by=None, why="Taken up again by hand.")


def forget(env: Environment, *, days: int, actor: Actor, now: datetime | None = None) -> int:
    """Remove the words of mail that was set aside and came in so many days ago; return of how many.

    Raises NotAllowed.
    """
    if not actor.roles & {Role.ADMINISTRATOR, Role.MANAGER, Role.SYSTEM}:
        raise NotAllowed("Only managers and administrators remove mail.")
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        digests = ledger.forget_ignored(conn, here.now - timedelta(days=days))
    for digest in digests:
        keeping.forget(env.settings.home, digest)
    return len(digests)


def _leave(conn: Connection, mail: Any, other: Locked, actor: Actor, here: World) -> None:
    """Say on the case that a mail was put on by hand that it belongs to the other one."""
    if mail.matched_by != BY_HAND or mail.case_id == other.case.id:
        raise MailDone("it is on a case.")
    locked = lock_seen(conn, ref_of_case(conn, mail.case_id) or "", actor, here)
    words = {"text": f"The mail that was put here by hand belongs to {other.case.ref}, and is there now."}
    apply(conn, [plain_change(locked, locked.case, "note", {}, words, actor=actor, now=here.now)], here)


def _locked(conn: Connection, number: int, actor: Actor, here: World) -> Any:
    """Return and lock a mail that the actor may see and sort."""
    if not actor.roles & (MAY_SORT | {Role.SYSTEM}):
        raise NotAllowed("Only coordinators and managers sort the inbox.")
    wanted = select(InboxMessage.__table__).where(InboxMessage.id == number, seen_by(actor, here))
    found = conn.execute(wanted.with_for_update(of=InboxMessage)).one_or_none() if 0 < number < 2**63 else None
    if found is None:
        raise MailNotFound(number)
    return found

"""What the holder of a personal link sees of its one case, and what they may do there.

Opening a link changes nothing: mail scanners open every link. Acting takes a form, and the same form twice is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from cases import facts as case_facts
from cases.answers import member_actor
from cases.environment import Environment, world
from cases.errors import BadInput, NotAllowed
from cases.own.said import Said, said
from cases.own.told import Told, told
from cases.rows import case_of
from cases.tables import CaseRow, EvidenceFile
from config.database import Connection, reading
from members import store as member_store
from members.cards import Contact
from members.tables import Member
from notifications import links
from notifications.recipients import CONTACT, MEMBER_AUDIENCES, in_turn
from notifications.tables import SENT, MessageRow
from state_machines.choosing import Choice, choices
from state_machines.registry import process_named
from state_machines.values import Actor, Case, Role

MOST_FILES = 100
"""So many files the holders of a link may put on its case."""


TO_MEMBERS = or_(MessageRow.audience.in_(sorted(MEMBER_AUDIENCES)), MessageRow.audience.startswith(CONTACT))
"""The condition that a message was meant for the member of its case."""


class TooMuch(BadInput):
    """So much has come by this page that we ask you to write to us by e-mail or to call instead."""

    status = 429


@dataclass(frozen=True)
class Holder:
    """Somebody who opened a personal link: the one case it is for, and as whom they act."""

    case: Case
    row: Any
    actor: Actor
    purpose: str
    """``member``, or ``party:complainant`` and the like."""

    @property
    def ref(self) -> str:
        """The reference of the case."""
        return self.case.ref

    @property
    def role(self) -> str:
        """``member``, or the role of a person named on the case."""
        return self.purpose.removeprefix("party:")

    @property
    def language(self) -> str:
        """The language they are written to in; empty when none is known."""
        if self.purpose == links.MEMBER:
            return str(self.row.member_language or "")
        return str(self.case.parties.get(self.role, {}).get("language") or "")


@dataclass(frozen=True)
class OwnCase:
    """A case as its holder sees it: where it stands, what was written to them, what they sent, what they may do."""

    holder: Holder
    state: str
    closed: bool
    choices: list[Choice]
    letters: list[dict[str, Any]]
    files: list[dict[str, Any]]
    seen: int
    """The last event they know of; a form sends it back."""
    told: list[Told] = field(default_factory=list)
    """What we told a complainant who left no e-mail address, and can read it only here."""
    said: list[Said] = field(default_factory=list)
    """What a complainant told us on this page."""

    def may(self, trigger: str) -> bool:
        """Whether the holder may do this now."""
        return any(c.transition.trigger == trigger and c.refused is None for c in self.choices)


def opened(conn: Connection, env: Environment, purpose: str, token: str, *, now: datetime) -> Holder:
    """Return who holds a link. Raises LinkForged, and LinkExpired when it is old, revoked or shows nothing any more."""
    secret = env.settings.secret_key.get_secret_value()
    link = links.opened(conn, secret, purpose, token, now=now)
    source = CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id)
    row = conn.execute(
        select(CaseRow.__table__, Member.name.label("member_name"), Member.ref.label("member_ref"),
               Member.language.label("member_language"))
        .select_from(source).where(CaseRow.id == link.case_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise links.LinkExpired
    holder = Holder(case_of(row), row, _actor(purpose, row), purpose)
    if not _concerns(holder):
        raise links.LinkExpired
    return holder


def holder_of(env: Environment, purpose: str, token: str, *, now: datetime) -> Holder:
    """Return who holds a link; errors as of ``opened``."""
    with reading(env.engine) as conn:
        return opened(conn, env, purpose, token, now=now)


def _actor(purpose: str, row: Any) -> Actor:
    if purpose == links.MEMBER:
        return replace(member_actor(row.member_id or 0), only_case=row.id)
    role = purpose.removeprefix("party:")
    roles = frozenset({Role.COMPLAINANT}) if role == "complainant" and row.process == "complaint" else frozenset[Role]()
    return Actor(f"party:{role}", f"The {role}", roles, only_case=row.id)


def _concerns(holder: Holder) -> bool:
    """Whether this person has a part in the case: a member in a complaint of somebody else, say, need not."""
    if holder.purpose != links.MEMBER:
        return holder.role == "complainant" or holder.role in holder.case.parties
    if holder.case.member_id is None:
        return False
    return holder.case.process != "complaint" or complains(holder) or answers_complaint(holder)


def complains(holder: Holder) -> bool:
    """Whether the holder is who complained."""
    if holder.case.process != "complaint":
        return False
    if holder.purpose == "party:complainant":
        return True
    data, known = holder.case.data, holder.case.parties.get("complainant", {}).get("email")
    return holder.purpose == links.MEMBER and data.get("complainant_type") == "member" and not known


def answers_complaint(holder: Holder) -> bool:
    """Whether the holder is the member whose side of a complaint was asked for."""
    asked = holder.case.data.get("respondent") in ("awaited", "given")
    return holder.case.process == "complaint" and holder.purpose == links.MEMBER and asked


def own_case(env: Environment, purpose: str, token: str, *, now: datetime) -> OwnCase:
    """Return the case of a link as its holder sees it; errors as of ``opened``."""
    with reading(env.engine) as conn:
        holder = opened(conn, env, purpose, token, now=now)
        case, process = holder.case, process_named(holder.case.process)
        context = world(conn, env, now).context(case_facts.gather(conn, [case], now=now)[case.id])
        found = list(choices(process, case, actor=holder.actor, context=context, now=now)) if holder.actor.roles else []
        return OwnCase(
            holder, case.state, holder.row.closed_at is not None, found, _letters(conn, holder), files(conn, holder),
            holder.row.last_seq, told(conn, case, purpose=purpose),
            said(conn, case.id, holder.actor.person) if complains(holder) else [],
        )  # fmt: skip


def _to(holder: Holder) -> ColumnElement[bool]:
    """The condition that a message was sent to this holder."""
    if holder.purpose != links.MEMBER:
        return MessageRow.audience == holder.purpose
    return TO_MEMBERS


def _letters(conn: Connection, holder: Holder) -> list[dict[str, Any]]:
    """What was sent to the holder about this case, the newest first."""
    rows = conn.execute(
        select(MessageRow.id, MessageRow.kind, MessageRow.subject, MessageRow.sent_at)
        .where(MessageRow.case_id == holder.case.id, MessageRow.state == SENT, _to(holder))
        .order_by(MessageRow.sent_at.desc(), MessageRow.id.desc()).limit(200)
    )  # fmt: skip
    return [{"id": r.id, "kind": r.kind, "subject": r.subject, "at": r.sent_at} for r in rows]


def letter(env: Environment, purpose: str, token: str, number: int, *, now: datetime) -> tuple[Holder, dict[str, Any]]:
    """Return one letter as it was sent to the holder. Raises NotAllowed for any other; errors as of ``opened``."""
    with reading(env.engine) as conn:
        holder = opened(conn, env, purpose, token, now=now)
        row = conn.execute(
            select(MessageRow.subject, MessageRow.sent_at, MessageRow.body_text)
            .where(MessageRow.id == number, MessageRow.case_id == holder.case.id, MessageRow.state == SENT, _to(holder))
        ).one_or_none()  # fmt: skip
    if row is None:
        raise NotAllowed("There is no such letter to you.")
    return holder, {"subject": row.subject, "at": row.sent_at, "text": row.body_text or ""}


def files(conn: Connection, holder: Holder) -> list[dict[str, Any]]:
    """Return the files that holders of this link have sent, oldest first."""
    rows = conn.execute(
        select(EvidenceFile.sha256, EvidenceFile.name, EvidenceFile.size, EvidenceFile.added_at)
        .where(EvidenceFile.case_id == holder.case.id, EvidenceFile.added_by == holder.actor.person)
        .order_by(EvidenceFile.id)
    )  # fmt: skip
    return [{"sha256": r.sha256, "name": r.name, "size": r.size, "at": r.added_at} for r in rows]


def require_room(env: Environment, holder: Holder) -> None:
    """Raise TooMuch when the holders of a link have sent as many files as are taken."""
    with reading(env.engine) as conn:
        if len(files(conn, holder)) >= MOST_FILES:
            raise TooMuch


def own_contacts(env: Environment, holder: Holder) -> list[Contact]:
    """Return the contacts of the holder's member that mail can reach, the one who is written to now first."""
    member_id = holder.case.member_id
    if holder.purpose != links.MEMBER or member_id is None:
        return []
    with reading(env.engine) as conn:
        return in_turn(member_store.contacts_of(conn, [member_id])[member_id], holder.case.data)

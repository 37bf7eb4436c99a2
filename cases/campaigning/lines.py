"""One member of a campaign as lists show it: where the answer is, who is written to, what came last and comes next.

Everything for a page of members is read in four statements, however many members it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from cases import facts as case_facts
from cases.campaigning.risks import risks_of
from cases.campaigning.sight import RESPONSE, Sight
from cases.forecast import Expected, expected
from cases.rows import case_of, day_of
from cases.tables import CaseRow
from members import store as member_store
from members.cards import Contact
from members.tables import Member
from notifications import catalogue
from notifications.recipients import MEMBER_AUDIENCES, in_turn
from notifications.tables import SENT, MessageRow
from state_machines.policy import Policy
from state_machines.registry import process_named
from state_machines.values import Case, Context

COLUMNS = (
    CaseRow.__table__, Member.ref.label("member_ref"), Member.name.label("member"), Member.tier, Member.name_key,
)  # fmt: skip
SOURCE = CaseRow.__table__.join(Member.__table__, Member.id == CaseRow.member_id)
_LOOK_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was or will be done for a member."""

    at: datetime
    title: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One member of a campaign."""

    ref: str
    member: str
    member_ref: str
    state: str
    state_title: str
    standing: str
    """Where the member stands, whatever the campaign asks."""
    has_answers: bool
    """Whether answers are reviewed on a page of their own; a signature is looked at on its case."""
    final: bool
    team: str | None
    tier: str | None
    owner: str
    deadline: date | None
    contact: Contact | None
    """Who is written to now; None when nobody can be."""
    others: int
    """How many other contacts could be written to."""
    rung: Contact | None
    """Who can be rung: who is written to now where there is a number, else the first who has one."""
    last: Happening | None
    next: Happening | None
    risks: tuple[str, ...]
    reminders: int
    calls: int
    promised_on: date | None
    late: bool
    version: int


def lines(sight: Sight, rows: Sequence[Any]) -> list[Line]:
    """Return rows of ``COLUMNS`` as lists show them."""
    if not rows:
        return []
    contacts = member_store.contacts_of(sight.conn, [row.member_id for row in rows])
    last = _last_letters(sight, [row.id for row in rows])
    cases = [case_of(row) for row in rows]
    facts = case_facts.gather(sight.conn, cases, now=sight.here.now)
    return [
        _line(sight, row, case, contacts[row.member_id], last.get(row.id), sight.here.context(facts[case.id]))
        for row, case in zip(rows, cases, strict=True)
    ]


def _line(
    sight: Sight, row: Any, case: Case, contacts: Sequence[Contact], last: Happening | None, context: Context
) -> Line:
    state = process_named(row.process).state(row.state)
    reachable = addressed(contacts, row.process, row.data, sight.here.env.policy)
    owner = sight.here.staffing.get(row.owner_id) if row.owner_id is not None else None
    return Line(
        row.ref, row.member, row.member_ref, row.state, state.title, str(state.standing or ""),
        row.process == RESPONSE, state.final, row.team, row.tier,
        owner.name if owner else "", day_of(row.data.get("deadline")), reachable[0] if reachable else None,
        max(len(reachable) - 1, 0), _rung(reachable, contacts), last,
        None if state.final else next_contact(case, context, sight.here.now),
        risks_of(sight.child, row.state, row.data, sight.here.env.policy, sight.today),
        int(row.data.get("reminders", 0)), int(row.data.get("calls", 0)), day_of(row.data.get("promised_on")),
        bool(row.data.get("overdue")), row.version,
    )  # fmt: skip


def _rung(reachable: Sequence[Contact], contacts: Sequence[Contact]) -> Contact | None:
    everybody = (*reachable[:1], *(contact for contact in contacts if contact.status != "left"))
    return next((contact for contact in everybody if contact.phone), None)


def addressed(contacts: Iterable[Contact], process: str, data: Mapping[str, Any], policy: Policy) -> list[Contact]:
    """Return the contacts a member's case writes to, the one who is written to now first: of a signature only who may
    sign."""
    found = in_turn(contacts, data)
    if process == "signature":
        roles = list(policy.setting(process, "signatory_roles"))
        found = sorted((c for c in found if c.role in roles), key=lambda contact: roles.index(contact.role))
    return found


def _last_letters(sight: Sight, ids: Sequence[int]) -> dict[int, Happening]:
    """The last message that left for each of these members."""
    newest = (
        select(MessageRow.case_id, MessageRow.kind, MessageRow.sent_at, MessageRow.to_name, MessageRow.to_email)
        .where(MessageRow.case_id.in_(ids), MessageRow.state == SENT, MessageRow.contact_id.is_not(None))
        .distinct(MessageRow.case_id).order_by(MessageRow.case_id, MessageRow.sent_at.desc(), MessageRow.id.desc())
    )  # fmt: skip
    return {
        row.case_id: Happening(row.sent_at, catalogue.title_of(row.kind), row.to_name or row.to_email or "")
        for row in sight.conn.execute(newest)
    }


def next_contact(case: Case, context: Context, now: datetime) -> Happening | None:
    """Return when Muster will next write to the member, or have somebody ring them, if nobody acts."""
    process = process_named(case.process)
    coming = expected(process, case, context=context, now=now, most=_LOOK_AHEAD)
    return next((found for step in coming if (found := _contact(step)) is not None), None)


def _contact(step: Expected) -> Happening | None:
    kinds = [kind for kind, audience in step.messages if audience in MEMBER_AUDIENCES]
    if kinds:
        return Happening(step.at, catalogue.title_of(kinds[0]))
    return Happening(step.at, step.tasks[0]) if step.tasks else None

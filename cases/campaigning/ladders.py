"""Of one member: who is written to now in each campaign that runs, whom it turned away from, who said no.

Only campaigns whose case of this member the viewer may see.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select

from cases.campaigning.lines import addressed
from cases.rows import day_of
from cases.tables import CaseRow
from config.database import Connection
from members.cards import Contact
from state_machines.policy import Policy
from state_machines.registry import process_named, processes
from state_machines.standing import LEFT_OUT, Standing

MOST = 20
_WAITING = frozenset(Standing) - LEFT_OUT - {Standing.COMPLETE, Standing.EXEMPT}


@dataclass(frozen=True, slots=True)
class ContactLadder:
    """Where one campaign stands in the contacts of a member."""

    ref: str
    title: str
    state_title: str
    now: Contact | None
    """Who is written to; None where nobody is."""
    following: Contact | None
    """Who comes next if that one stays silent."""
    earlier: tuple[Contact, ...]
    declined: tuple[Contact, ...]
    others: tuple[Contact, ...]
    """Whom a person can have written to instead; nobody while no answer is awaited."""
    promised_on: date | None


def contact_ladders(
    conn: Connection, members: Collection[int], contacts: Sequence[Contact], policy: Policy, mine: ColumnElement[bool]
) -> list[ContactLadder]:
    """Return the ladders of a member's open cases of campaigns, soonest deadline first; one statement."""
    names = [process.child.name for process in processes().values() if process.child is not None]
    wanted = (
        select(CaseRow.ref, CaseRow.subject, CaseRow.process, CaseRow.state, CaseRow.data)
        .where(CaseRow.member_id.in_(members), CaseRow.closed_at.is_(None), CaseRow.process.in_(names), mine)
        .order_by(CaseRow.deadline_at, CaseRow.id).limit(MOST)
    )  # fmt: skip
    return [_ladder(row, contacts, policy) for row in conn.execute(wanted) if _waits(row)]


def _waits(row: Any) -> bool:
    return process_named(row.process).standings.get(row.state) in _WAITING


def _ladder(row: Any, contacts: Sequence[Contact], policy: Policy) -> ContactLadder:
    turned, by_id = addressed(contacts, row.process, row.data, policy), {each.id: each for each in contacts}
    passed, declined = (row.data.get(name) or () for name in ("contacts_passed", "contacts_declined"))
    left = [each for each in turned if each.id not in passed]
    return ContactLadder(
        row.ref, row.subject, process_named(row.process).state(row.state).title, turned[0] if turned else None,
        left[1] if len(left) > 1 else None, tuple(by_id[n] for n in passed if n in by_id and n not in declined),
        tuple(by_id[n] for n in declined if n in by_id), _others(row, contacts, policy, turned),
        day_of(row.data.get("promise_until")),
    )  # fmt: skip


def _others(row: Any, contacts: Sequence[Contact], policy: Policy, turned: Sequence[Contact]) -> tuple[Contact, ...]:
    if process_named(row.process).standings.get(row.state) is not Standing.AWAITED:
        return ()
    return tuple(each for each in addressed(contacts, row.process, {}, policy) if each not in turned[:1])

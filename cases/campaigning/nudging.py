"""Reminding members by hand: shown before it is done, and decided again for each member when it is done.

A reminder by hand counts as one of the ladder: Muster writes to nobody twice on one day. Whoever was written to
yesterday is left in peace unless the person insists.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from cases import facts as case_facts
from cases import store
from cases.campaigning.lines import SOURCE, addressed
from cases.campaigning.members import Narrowed, narrowed
from cases.campaigning.sight import Acting, Sight, looking, sight_of
from cases.commands import require_staff, unhindered
from cases.environment import Environment, world
from cases.errors import BadInput
from cases.locking import lock_ids
from cases.rows import case_of, ref_of
from cases.tables import CaseRow
from config.database import transaction
from members import store as member_store
from members.cards import Contact
from members.tables import Member
from notifications import beside
from notifications.windows import next_opening, start_of
from state_machines.engine import decide
from state_machines.registry import process_named
from state_machines.values import Actor, Case, Context, Outcome, Refused

NUDGE = "nudge"
MOST = 1000
"""Members who can be reminded in one go."""


@dataclass(frozen=True, slots=True)
class Nudged:
    """One member of those who were chosen, and whether a reminder goes to them."""

    ref: str
    member: str
    to: str
    why_not: str


@dataclass(frozen=True)
class Nudging:
    """Who gets a reminder and who does not."""

    ref: str
    title: str
    going: list[Nudged]
    staying: list[Nudged]
    leaves_at: datetime | None
    """When the messages leave, where it is not at once: outside office hours they wait."""
    left_out: int = 0
    """How many were chosen beyond the most that one go takes ..."""
    left_due: int = 0
    """... and how many of these wait for an answer and were not written to lately."""

    @property
    def why_not(self) -> list[tuple[str, list[Nudged]]]:
        """Who gets no reminder by the reason, the commonest first."""
        found: dict[str, list[Nudged]] = {}
        for one in self.staying:
            found.setdefault(one.why_not, []).append(one)
        return sorted(found.items(), key=lambda each: -len(each[1]))


def preview(
    env: Environment, ref: str, refs: Collection[str] = (), narrow: Narrowed | None = None, *, insist: bool = False,
    acting: Acting | None = None, actor: Actor, now: datetime | None = None,
) -> Nudging:  # fmt: skip
    """Return who would be reminded now, and of everybody else why not. Nothing is written.

    Chosen are the responses with these references, or all that a list is ``narrow``ed to.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        rows, beyond = _chosen(sight, refs, narrow, insist)
        judged = _judged(sight, rows, insist, acting)
        return _nudging(sight, [one for one, _ in judged], beyond)


def nudge(
    env: Environment, ref: str, refs: Collection[str], *, insist: bool = False, acting: Acting | None = None,
    actor: Actor, now: datetime | None = None,
) -> Nudging:  # fmt: skip
    """Remind these members of a campaign now, and return who got a reminder and who did not.

    Each is decided about under its lock: who has answered meanwhile is not written to, and stops nobody else.
    """
    require_staff(actor)
    if not refs:
        raise BadInput("Nobody was chosen, so nobody was reminded.")

    def once() -> Nudging:
        with transaction(env.engine) as conn:
            sight = sight_of(conn, world(conn, env, now), ref, actor)
            rows, beyond = _chosen(sight, refs, None, insist)
            locked = {found.case.id: found for found in lock_ids(conn, [row.id for row in rows])}
            judged = _judged(sight, rows, insist, acting, {n: found.case for n, found in locked.items()})
            changes = [
                store.change_of(outcome, locked[outcome.before.id], sight.here)
                for _, outcome in judged if outcome is not None
            ]  # fmt: skip
            store.apply(conn, changes, sight.here)
            return _nudging(sight, [one for one, _ in judged], beyond)

    return unhindered(once)


def _chosen(
    sight: Sight, refs: Collection[str], narrow: Narrowed | None, insist: bool
) -> tuple[list[Any], tuple[int, int]]:
    """The rows of those who are meant, as many as one go takes, and how many there are beyond: all, and due.

    Those come first of whom a reminder is due: who comes again after one go finds the next of them.
    """
    if narrow is not None:
        where = narrowed(sight, narrow)
    else:
        where = [sight.listed, CaseRow.ref.in_(sorted({ref_of(ref) for ref in refs}))]
    due = _due(sight, insist)
    found = select(
        CaseRow.__table__, Member.name.label("member"), Member.name_key, func.count().over().label("all"),
        func.count().filter(due).over().label("due"),
    ).select_from(SOURCE).where(*where)  # fmt: skip
    rows = list(sight.conn.execute(found.order_by(due.desc(), Member.name_key, CaseRow.id).limit(MOST)))
    if not rows:
        return [], (0, 0)
    return sorted(rows, key=lambda row: row.name_key), (rows[0].all - len(rows), max(rows[0].due - MOST, 0))


def _due(sight: Sight, insist: bool) -> ColumnElement[bool]:
    """Whether an answer is awaited of a member, and it was not written to today, nor yesterday."""
    lately = [sight.today, *([] if insist else [sight.today - timedelta(days=1)])]
    written = func.coalesce(CaseRow.data["last_written"].astext, "")
    steps = [step for step in sight.child.transitions if step.trigger == NUDGE]
    states = {name for step in steps for name in sight.child.sources_of(step)}
    return and_(CaseRow.state.in_(sorted(states)), written.not_in([day.isoformat() for day in lately]))


Judged = tuple[Nudged, Outcome | None]


def _judged(
    sight: Sight, rows: Sequence[Any], insist: bool, acting: Acting | None, locked: dict[int, Case] | None = None
) -> list[Judged]:
    """What a reminder would be for each of these members; four statements, however many they are."""
    cases = [locked[row.id] if locked is not None else case_of(row) for row in rows]
    facts = case_facts.gather(sight.conn, cases, now=sight.here.now)
    contacts = member_store.contacts_of(sight.conn, [row.member_id for row in rows]) if rows else {}
    policy = sight.here.env.policy
    first = {
        row.id: next(iter(addressed(contacts[row.member_id], row.process, row.data, policy)), None) for row in rows
    }
    today = start_of(sight.today, sight.here.env.calendar)
    addresses = {_address(contact) for contact in first.values() if contact is not None}
    got, _ = beside.sent_since(sight.conn, addresses, [], today)
    most = policy.mail.contact_budget_per_day
    found: list[Judged] = []
    for row, case in zip(rows, cases, strict=True):
        contact = first[row.id]
        full = contact is not None and got[_address(contact)] >= most
        context = sight.here.context(facts[case.id])
        rest = "" if insist else _rest(case, sight.today)
        actor = acting(row.owner_id) if acting else sight.actor
        found.append(_one(sight, row.member, case, contact, context, rest, full, actor))
    return found


def _one(
    sight: Sight, member: str, case: Case, contact: Contact | None, context: Context, rest: str, full: bool,
    actor: Actor,
) -> Judged:  # fmt: skip
    to = f"{contact.name} <{contact.email}>" if contact is not None and contact.name else (
        contact.email or "" if contact is not None else "")  # fmt: skip
    process = process_named(case.process)
    outcome = decide(process, case, NUDGE, actor=actor, context=context, now=sight.here.now)
    if isinstance(outcome, Refused):
        return Nudged(case.ref, member, to, _why(outcome, case)), None
    why = rest
    if contact is None:
        why = "No contact that mail can reach."
    elif full:
        why = "This address has had as many messages today as it may get in a day."
    return (Nudged(case.ref, member, to, why), None) if why else (Nudged(case.ref, member, to, ""), outcome)


def _why(refused: Refused, case: Case) -> str:
    """Why a member is not reminded; where the answer is in, just that."""
    if refused.rule != "state":
        return refused.sentence
    return f"No reminder is due: {process_named(case.process).state(case.state).title.lower()}."


def _rest(case: Case, today: date) -> str:
    """Why a member is left in peace for now; nothing when the last message is old enough."""
    yesterday = (today - timedelta(days=1)).isoformat()
    return "Written to yesterday." if case.data.get("last_written") == yesterday else ""


def _address(contact: Contact) -> str:
    return (contact.email or "").strip().lower()


def _nudging(sight: Sight, found: Sequence[Nudged], beyond: tuple[int, int]) -> Nudging:
    env = sight.here.env
    opening = next_opening(env.policy.mail.windows["office"], sight.here.now, env.calendar)
    return Nudging(
        sight.row.ref, sight.row.subject, [one for one in found if not one.why_not],
        [one for one in found if one.why_not], opening if opening > sight.here.now else None, *beyond,
    )  # fmt: skip

"""Delivery, as the record sees it: what a message's case looks like now, and what a dead address means for a case."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event
from typing import Any

from sqlalchemy import func, select, tuple_

from cases import facts as case_facts
from cases.commands import plain_change, with_message
from cases.copies.resting import require_awake
from cases.environment import Environment, World, world
from cases.hands import hands, results
from cases.locking import lock_ids
from cases.store import apply, change_of
from cases.tables import PERSONAL_PART, CaseEvent, CaseRow, CaseTask, EventPersonal
from config.clock import monotonic
from config.database import Connection, reading
from members import store as members
from members.tables import Member
from notifications.delivery import BATCH, deliver_due
from notifications.ledger import more_due_than, rows_of
from notifications.recipients import CONTACT, in_turn, is_for_member
from notifications.transport import SmtpTransport, Transport
from notifications.values import CaseView, ClockView, DeliveryReport, QueuedMessage
from state_machines.deadlines import Allowance, due_instant
from state_machines.engine import decide
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Case, Message, Refused, Role, Task

BOUNCE = "bounce"
"""The trigger of cases that wait until an address is repaired."""
CONTACT_REPAIR = "contact_repair"
NO_ADDRESS = "5.1.1"
"""The status of a mailbox that does not exist (RFC 3463)."""


def deliver(
    env: Environment,
    *,
    budget_seconds: float | None = None,
    transport: Transport | None = None,
    progress: Callable[[int], None] | None = None,
    now: datetime | None = None,
) -> DeliveryReport:
    """Send what is due and still wanted, and return what was done. Cases whose member cannot be reached are told.

    What is more than a batch goes over as many connections to the mail server as the policy allows, each with a thread
    of its own; a ``transport`` that is handed in is used alone. ``progress`` hears of what this thread has settled.
    """
    require_awake(env.engine)
    moment = now or env.now()
    until = None if budget_seconds is None else monotonic() + budget_seconds
    helpers = env.policy.mail.connections - 1 if transport is None and _is_long(env, moment) else 0
    broken = Event()
    with hands(env, helpers, _lend_a_hand, moment, until, broken) as helping:
        try:
            report = _share(env, moment, until, broken, transport, progress)
        except BaseException:
            broken.set()
            raise
        for part in results(helping):
            report.add(part)
    return report


def _is_long(env: Environment, now: datetime) -> bool:
    with reading(env.engine) as conn:
        return more_due_than(conn, BATCH, now=now)


def _lend_a_hand(
    env: Environment, now: datetime, until: float | None, broken: Event, _leaving: Event
) -> DeliveryReport:
    """Deliver beside the others until nothing is due: what a hand has claimed it also sends, unless all are to end."""
    return _share(env, now, until, broken)


def _share(
    env: Environment,
    now: datetime,
    until: float | None,
    broken: Event,
    transport: Transport | None = None,
    progress: Callable[[int], None] | None = None,
) -> DeliveryReport:
    """Deliver over a connection of its own, unless there is one, until nothing is due."""
    used = transport or SmtpTransport(env.settings)
    try:
        return deliver_due(
            env.engine, settings=env.settings, policy=env.policy, calendar=env.calendar, load_cases=case_views,
            load_payloads=payloads, now=now, transport=used, batch=BATCH, progress=progress, broken=broken,
            budget_seconds=None if until is None else max(0.0, until - monotonic()), tell=_Telling(env, now),
        )  # fmt: skip
    finally:
        if transport is None:
            used.close()


@dataclass(frozen=True)
class _Telling:
    """Lets cases hear of addresses that do not work."""

    env: Environment
    now: datetime

    def unreachable(self, conn: Connection, case_ids: Collection[int]) -> None:
        """Tell cases whose member has no address left; where none waits for that, somebody is asked to find one."""
        here = world(conn, self.env, self.now)
        told = tell_unreachable(conn, case_ids, here)
        ask_repair(conn, set(case_ids) - told, here)

    def address_died(self, conn: Connection, message: QueuedMessage) -> None:
        """Ask for a repair, unless no other address is left: then the message finds nobody, and the case is told."""
        if message.case_id is not None and not _was_last(conn, message):
            ask_repair(conn, {message.case_id}, world(conn, self.env, self.now))


def _was_last(conn: Connection, message: QueuedMessage) -> bool:
    """Whether nobody is left whom a message for a member could go to now."""
    if not is_for_member(message.audience) or message.audience.startswith(CONTACT) or message.member_id is None:
        return False
    facts = conn.execute(select(CaseRow.data).where(CaseRow.id == message.case_id)).scalar_one_or_none()
    return not in_turn(members.contacts_of(conn, [message.member_id])[message.member_id], facts or {})


def tell_unreachable(conn: Connection, case_ids: Collection[int], here: World) -> set[int]:
    """Tell cases whose member has no address left; return those whose process waits for that and has moved."""
    locked = lock_ids(conn, case_ids)
    gathered = case_facts.gather(conn, [found.case for found in locked], now=here.now)
    changes = []
    for found in locked:
        outcome = decide(
            process_named(found.case.process), found.case, BOUNCE, payload={"status": NO_ADDRESS}, actor=SYSTEM,
            context=here.context(gathered[found.case.id]), now=here.now,
        )  # fmt: skip
        if not isinstance(outcome, Refused):
            changes.append(change_of(outcome, found, here))
    apply(conn, changes, here)
    return {change.outcome.after.id for change in changes}


def ask_repair(conn: Connection, case_ids: Collection[int], here: World) -> None:
    """Ask the owner to mend an address that came back, unless somebody is at it already."""
    at_it = select(CaseTask.case_id).where(
        CaseTask.case_id.in_(case_ids), CaseTask.kind == CONTACT_REPAIR, CaseTask.closed_at.is_(None)
    )
    left = set(case_ids) - set(conn.execute(at_it).scalars())
    due = due_instant(Allowance.parse("WD(2)"), here.now, here.env.calendar)
    task = Task(CONTACT_REPAIR, "Find an address that works: mail to a contact came back", Role.COORDINATOR, due)
    changes = []
    for found in lock_ids(conn, left):
        if not process_named(found.case.process).state(found.case.state).final:
            after, details = _with_bounce(found.case)
            change = plain_change(found, after, "contact_bounced", details, {}, (task,), actor=SYSTEM, now=here.now)
            changes.append(with_message(change, Message("address_needed", "owner")))
    apply(conn, changes, here)


def _with_bounce(case: Case) -> tuple[Case, dict[str, Any]]:
    """A case of a campaign with one bounce more, which is part of the proof that a member cannot be reached."""
    if not process_named(case.process).standings:
        return case, {}
    counted = {"bounces": int(case.data.get("bounces") or 0) + 1}
    return replace(case, data={**case.data, **counted}), {"data": counted}


def case_views(conn: Connection, ids: Sequence[int]) -> Mapping[int, CaseView]:
    """Return these cases as their mail sees them, in one statement."""
    source = CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id)
    rows = conn.execute(
        select(
            *_SEEN, Member.name.label("member_name"), Member.ref.label("member_ref"),
            Member.status.label("member_status"), Member.language.label("member_language"),
            Member.flags.label("member_flags"),
        ).select_from(source).where(CaseRow.id == func.any(list(ids)))
    )  # fmt: skip
    return {row.id: view_of(row) for row in rows}


_SEEN = (
    CaseRow.id, CaseRow.ref, CaseRow.process, CaseRow.state, CaseRow.subject, CaseRow.on_hold, CaseRow.team,
    CaseRow.owner_id, CaseRow.owner_role, CaseRow.restricted_to, CaseRow.walled_off, CaseRow.opened_at,
    CaseRow.received_at, CaseRow.deadline_at, CaseRow.data, CaseRow.parties, CaseRow.clocks, CaseRow.member_id,
)  # fmt: skip


def view_of(row: Any) -> CaseView:
    """Return a case as its mail sees it, from its row with what is asked of its member beside it."""
    process = process_named(row.process)
    state = process.state(row.state)
    clocks = {}
    for name, stored in row.clocks.items():
        clock = process.clock_of(row.state, name)
        clocks[name] = ClockView(name, clock.title if clock else name, datetime.fromisoformat(stored["due"]))
    return CaseView(
        case_id=row.id, ref=row.ref, process=row.process, state=row.state, title=process.title, state_label=state.title,
        subject=row.subject, final=state.final, on_hold=row.on_hold, team=row.team, owner_id=row.owner_id,
        owner_role=row.owner_role,
        restricted_to=frozenset(row.restricted_to) if row.restricted_to is not None else None,
        walled_off=frozenset(row.walled_off or ()), opened_at=row.opened_at, received_at=row.received_at,
        deadline=row.deadline_at, data=row.data, parties=row.parties, clocks=clocks, member_id=row.member_id,
        member_name=row.member_name or "", member_ref=row.member_ref or "", member_status=row.member_status or "",
        member_language=row.member_language or "", member_flags=frozenset(row.member_flags or ()),
    )  # fmt: skip


def payloads(conn: Connection, keys: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], Mapping[str, Any]]:
    """Return what was typed in the events that asked for messages, personal parts included, by case and sequence."""
    event = CaseEvent.__table__
    rows = conn.execute(
        select(event.c.case_id, event.c.seq, event.c.details, EventPersonal.data.label("personal"))
        .outerjoin(EventPersonal, PERSONAL_PART)
        .where(tuple_(event.c.case_id, event.c.seq).in_(rows_of(keys)))
    )  # fmt: skip
    return {(r.case_id, r.seq): {**r.details.get("payload", {}), **(r.personal or {})} for r in rows}

"""The statements of delivery: claim, look around, and write down what became of each message.

Each function takes a connection and works on sets; `delivery` owns the transactions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import String, and_, bindparam, case, cast, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY

from config.clock import utc_now
from config.database import Connection
from notifications.eligibility import side
from notifications.inbox.incoming import RETURNED
from notifications.kind import Purpose
from notifications.rendering import Rendered, fingerprint
from notifications.tables import FAILED, QUEUED, SENDING, SENT, SUPPRESSED, InboxMessage, MessageRow
from notifications.values import QueuedMessage, Recipient

Value = TypeVar("Value")

_TURN = 7_305_001
"""The advisory lock under which deliveries decide, one at a time; they send side by side."""

_TAKEN = (
    MessageRow.id, MessageRow.key, MessageRow.kind, MessageRow.audience, MessageRow.purpose, MessageRow.case_id,
    MessageRow.event_seq, MessageRow.data, MessageRow.clock, MessageRow.member_id, MessageRow.attempts,
    MessageRow.staff_id,
)  # fmt: skip
_NO_LEASE: dict[str, Any] = {"lease_by": None, "lease_until": None}


def take_turn(conn: Connection) -> None:
    """Wait until no other delivery decides, so that budgets, duplicates and newer messages are seen exactly."""
    conn.execute(select(func.pg_advisory_xact_lock(_TURN)))


def claim(conn: Connection, worker: str, *, limit: int, lease: timedelta, now: datetime) -> list[QueuedMessage]:
    """Lease messages that are due, and those whose lease ran out because their delivery died; oldest first.

    `now` is the organisation's clock; leases go by the real one.
    """
    real = utc_now()
    due = (
        select(MessageRow.id)
        .where(MessageRow.state == QUEUED, MessageRow.not_before <= now)
        .order_by(MessageRow.not_before, MessageRow.id)
    )
    abandoned = (
        select(MessageRow.id)
        .where(MessageRow.state == SENDING, MessageRow.lease_until < real)
        .order_by(MessageRow.lease_until, MessageRow.id)
    )
    found: list[int] = []
    for statement in (abandoned, due):
        if len(found) < limit:
            rows = conn.execute(statement.limit(limit - len(found)).with_for_update(skip_locked=True))
            found.extend(rows.scalars())
    died = case((MessageRow.state == SENDING, 1), else_=0)  # counted, so that a message deliveries die of ends as well
    counted = {"attempts": MessageRow.attempts + died}
    return _lease(conn, MessageRow.id.in_(found), worker, real + lease, **counted) if found else []


def keep(conn: Connection, worker: str, ids: Collection[int], *, lease: timedelta) -> list[QueuedMessage]:
    """Renew the lease on what is left of a claim and return what is still ours."""
    mine = and_(MessageRow.id.in_(ids), MessageRow.state == SENDING, MessageRow.lease_by == worker)
    return _lease(conn, mine, worker, utc_now() + lease)


def release(conn: Connection, worker: str, ids: Collection[int]) -> None:
    """Give back what was claimed and not touched."""
    mine = and_(MessageRow.id.in_(ids), MessageRow.state == SENDING, MessageRow.lease_by == worker)
    conn.execute(update(MessageRow).where(mine).values(state=QUEUED, to_email=None, **_NO_LEASE))


def _lease(conn: Connection, which: Any, worker: str, until: datetime, **more: Any) -> list[QueuedMessage]:
    values = {"state": SENDING, "lease_by": worker, "lease_until": until, **more}
    statement = update(MessageRow).where(which).values(values).returning(*_TAKEN)
    rows = sorted(conn.execute(statement), key=lambda row: row.id)
    return [QueuedMessage(**row._mapping) for row in rows]


def waiting(conn: Connection, message_id: int) -> QueuedMessage | None:
    """Return a message that has not been settled yet, without claiming it, or None."""
    mine = and_(MessageRow.id == message_id, MessageRow.state.in_([QUEUED, SENDING]))
    row = conn.execute(select(*_TAKEN).where(mine)).one_or_none()
    return QueuedMessage(**row._mapping) if row is not None else None


# --- what other messages mean for these ------------------------------------------------------------------------------


def newest_by_clock(conn: Connection, messages: Sequence[QueuedMessage]) -> dict[tuple[int, str, str], int]:
    """Return the last event whose message waits or was sent, by case, clock and side of the audience."""
    case_ids = {m.case_id for m in messages if m.clock and m.case_id is not None}
    if not case_ids:
        return {}
    statement = (
        select(MessageRow.case_id, MessageRow.clock, MessageRow.audience, func.max(MessageRow.event_seq).label("seq"))
        .where(MessageRow.case_id.in_(case_ids), MessageRow.clock.is_not(None))
        .where(MessageRow.state.in_([QUEUED, SENDING, SENT]), MessageRow.event_seq.is_not(None))
        .group_by(MessageRow.case_id, MessageRow.clock, MessageRow.audience)
    )
    found: dict[tuple[int, str, str], int] = {}
    for row in conn.execute(statement):
        key = (row.case_id, row.clock, side(row.audience))
        found[key] = max(row.seq, found.get(key, 0))
    return found


def received(conn: Connection, messages: Sequence[QueuedMessage]) -> set[tuple[int, int, str, str]]:
    """Return who got, or is about to get, which kind from the same events: case, event, kind, address."""
    events = {(m.case_id, m.event_seq) for m in messages if m.case_id is not None and m.event_seq is not None}
    if not events:
        return set()
    address = func.lower(MessageRow.to_email)
    statement = select(MessageRow.case_id, MessageRow.event_seq, MessageRow.kind, address.label("address")).where(
        tuple_(MessageRow.case_id, MessageRow.event_seq).in_(events), _counts_beside(messages), ~_CAME_BACK
    )
    return {(row.case_id, row.event_seq, row.kind, row.address) for row in conn.execute(statement)}


_RETURNED = sorted(kind.value for kind in RETURNED)
_CAME_BACK = (
    select(InboxMessage.id).where(InboxMessage.outbox_id == MessageRow.id, InboxMessage.kind.in_(_RETURNED)).exists()
)
"""What a mail server sent back was not received; it may be sent once more."""


def sent_since(
    conn: Connection, addresses: Collection[str], messages: Sequence[QueuedMessage], since: datetime
) -> tuple[Counter[str], Counter[str]]:
    """Return how many messages these addresses (in small letters) got since an instant or are about to get.

    First those for people outside, then the internal ones.
    """
    address = func.lower(MessageRow.to_email)
    wanted = cast(bindparam("addresses", sorted(addresses)), ARRAY(String))
    internal = MessageRow.purpose == Purpose.INTERNAL.value
    statement = (
        select(address.label("address"), internal.label("internal"), func.count().label("n"))
        .where(address == func.any(wanted), _counts_beside(messages))
        .where(or_(MessageRow.state == SENDING, MessageRow.sent_at >= since))
        .group_by(address, internal)
    )
    rows = conn.execute(statement).all() if addresses else []
    outside, notices = ({row.address: row.n for row in rows if row.internal is kind} for kind in (False, True))
    return Counter(outside), Counter(notices)


def _counts_beside(messages: Sequence[QueuedMessage]) -> Any:
    """Sent, or in the hands of another delivery; not the messages that are being decided themselves."""
    being_decided = [m.id for m in messages]
    in_other_hands = and_(MessageRow.state == SENDING, MessageRow.id.not_in(being_decided))
    return and_(MessageRow.to_email.is_not(None), or_(MessageRow.state == SENT, in_other_hands))


# --- what became of them ---------------------------------------------------------------------------------------------


def record_addressed(conn: Connection, addressed: Sequence[tuple[QueuedMessage, Recipient, bool]]) -> None:
    """Write down whom each message is about to go to; the flag says that it stays with this person."""
    for_each = [
        {"b_id": message.id, "b_email": to.email, "b_name": to.name, "b_contact": to.contact_id,
         "b_staff": to.staff_id if for_good else None}
        for message, to, for_good in addressed
    ]  # fmt: skip
    if for_each:
        conn.execute(_ADDRESSED, for_each)


_ADDRESSED = (
    update(MessageRow.__table__)  # type: ignore[arg-type]  # a declarative table is typed as FromClause
    .where(MessageRow.id == bindparam("b_id"))
    .values(
        to_email=bindparam("b_email"),
        to_name=bindparam("b_name"),
        contact_id=bindparam("b_contact"),
        staff_id=bindparam("b_staff"),
    )
)


def record_copies(conn: Connection, copies: Sequence[tuple[QueuedMessage, Recipient]]) -> None:
    """Give everybody else of an audience a message of their own, due at once."""
    statement = text("""
        INSERT INTO messages (key, case_id, event_seq, kind, audience, purpose, data, clock, member_id, not_before,
                              created_at, staff_id)
        SELECT key || :suffix, case_id, event_seq, kind, audience, purpose, data, clock, member_id, not_before,
               created_at, :staff_id
        FROM messages WHERE id = :id
        ON CONFLICT (key) DO NOTHING
    """)
    given = [{"id": m.id, "suffix": f"~staff:{to.staff_id}", "staff_id": to.staff_id} for m, to in copies]
    if given:
        conn.execute(statement, given)


def record_suppressed(conn: Connection, reasons: Mapping[int, str], *, now: datetime) -> None:
    """End messages that are not sent, with their reasons; one statement for each reason."""
    for reason, ids in _grouped(reasons).items():
        values = {"state": SUPPRESSED, "reason": reason, "decided_at": now, "to_email": None, **_NO_LEASE}
        conn.execute(update(MessageRow).where(MessageRow.id.in_(ids)).values(values))


def record_held(conn: Connection, holds: Mapping[int, tuple[datetime, str]]) -> None:
    """Put messages back until an instant, with the reason; one statement for each instant and reason."""
    for (until, reason), ids in _grouped(holds).items():
        values = {"state": QUEUED, "not_before": until, "reason": reason, "to_email": None, **_NO_LEASE}
        conn.execute(update(MessageRow).where(MessageRow.id.in_(ids)).values(values))


def record_failed(conn: Connection, reasons: Mapping[int, str], *, now: datetime, attempts: int | None = None) -> None:
    """End messages that cannot be sent, with their reasons."""
    for reason, ids in _grouped(reasons).items():
        values = {"state": FAILED, "reason": reason, "last_error": reason, "decided_at": now, **_NO_LEASE}
        counted = {} if attempts is None else {"attempts": attempts}
        conn.execute(update(MessageRow).where(MessageRow.id.in_(ids)).values({**values, **counted}))


def record_retry(conn: Connection, message_id: int, error: str, *, attempts: int, at: datetime) -> None:
    """Put a message back for another attempt."""
    values = {
        "state": QUEUED, "not_before": at, "last_error": error, "attempts": attempts,
        "reason": "waits for another attempt", "to_email": None, **_NO_LEASE,
    }  # fmt: skip
    conn.execute(update(MessageRow).where(MessageRow.id == message_id).values(values))


def record_sent(
    conn: Connection, message: QueuedMessage, recipient: Recipient, mail: Rendered, message_id: str, *, now: datetime
) -> None:
    """Write down that the server took a message, and word for word what it said."""
    values = {
        "attempts": message.attempts + 1, "decided_at": now, "sent_at": now, "to_email": recipient.email,
        "to_name": recipient.name, "contact_id": recipient.contact_id, "staff_id": recipient.staff_id,
        "language": mail.language, "subject": mail.subject, "body_text": mail.text, "body_html": mail.html,
        "body_sha256": fingerprint(mail.subject, mail.text, mail.html), "message_id": message_id,
    }  # fmt: skip
    conn.execute(_SENT, {"b_id": message.id, **{f"b_{name}": value for name, value in values.items()}})


_RECORDED = (
    "attempts", "decided_at", "sent_at", "to_email", "to_name", "contact_id", "staff_id", "language", "subject",
    "body_text", "body_html", "body_sha256", "message_id",
)  # fmt: skip
_SENT = (
    update(MessageRow.__table__)  # type: ignore[arg-type]  # a declarative table is typed as FromClause
    .where(MessageRow.id == bindparam("b_id"))
    .values(
        {"state": SENT, "reason": None, "last_error": None, **_NO_LEASE, **{n: bindparam(f"b_{n}") for n in _RECORDED}}
    )
)
"""Made once: it is the one statement that runs for each message."""


def _grouped(by_id: Mapping[int, Value]) -> dict[Value, list[int]]:
    groups: dict[Value, list[int]] = {}
    for message_id, value in by_id.items():
        groups.setdefault(value, []).append(message_id)
    return groups

"""The statements of delivery: claim, and write down what became of each message.

Each function takes a connection and works on sets; `delivery` owns the transactions. What other messages mean for the
claimed ones is in `beside`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Integer, and_, case, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from config.clock import utc_now
from config.database import Connection, json_text
from notifications.rendering import Rendered, fingerprint
from notifications.tables import FAILED, QUEUED, SENDING, SUPPRESSED, MessageRow
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


def more_due_than(conn: Connection, count: int, *, now: datetime) -> bool:
    """Whether more messages than so many are due at `now`, by the organisation's clock."""
    due = select(MessageRow.id).where(MessageRow.state == QUEUED, MessageRow.not_before <= now)
    return conn.execute(due.order_by(MessageRow.not_before, MessageRow.id).offset(count).limit(1)).first() is not None


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
    # Counted, so that a message deliveries die of ends as well: it is the first that is left of what a delivery held.
    held = select(func.min(MessageRow.id)).where(_one_of(found), MessageRow.state == SENDING)
    died = case((MessageRow.id.in_(held.group_by(MessageRow.lease_by)), 1), else_=0)
    counted = {"attempts": MessageRow.attempts + died}
    return _lease(conn, _one_of(found), worker, real + lease, **counted) if found else []


def keep(conn: Connection, worker: str, ids: Collection[int], *, lease: timedelta) -> list[QueuedMessage]:
    """Renew the lease on what is left of a claim and return what is still ours."""
    mine = and_(_one_of(ids), MessageRow.state == SENDING, MessageRow.lease_by == worker)
    return _lease(conn, mine, worker, utc_now() + lease)


def release(conn: Connection, worker: str, ids: Collection[int]) -> None:
    """Give back what was claimed and not touched."""
    mine = and_(_one_of(ids), MessageRow.state == SENDING, MessageRow.lease_by == worker)
    conn.execute(update(MessageRow).where(mine).values(state=QUEUED, to_email=None, **_NO_LEASE))


def _one_of(ids: Collection[int]) -> Any:
    """The messages with these ids: one parameter, however many they are."""
    return MessageRow.id == func.any(list(ids))


def rows_of(pairs: Collection[tuple[int, int]]) -> Any:
    """Return a query whose rows are these pairs of numbers: two parameters, however many they are."""
    first, second = ([pair[n] for pair in pairs] for n in (0, 1))
    both = func.unnest(cast(first, ARRAY(BigInteger)), cast(second, ARRAY(Integer)))
    found = both.table_valued("first", "second").render_derived()
    return select(found.c.first, found.c.second)


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


# --- what became of them ---------------------------------------------------------------------------------------------


def record_addressed(conn: Connection, addressed: Sequence[tuple[QueuedMessage, Recipient, bool]]) -> None:
    """Write down whom each message is about to go to; the flag says that it stays with this person."""
    if not addressed:
        return
    rows = [
        {"id": m.id, "email": to.email, "name": to.name, "contact": to.contact_id,
         "staff": to.staff_id if for_good else None}
        for m, to, for_good in addressed
    ]  # fmt: skip
    conn.execute(_ADDRESSED, {"ids": [row["id"] for row in rows], "rows": str(json_text(rows))})


_ADDRESSED = text("""
    UPDATE messages AS m SET to_email = a.email, to_name = a.name, contact_id = a.contact, staff_id = a.staff
    FROM json_to_recordset(CAST(:rows AS json)) AS a(id bigint, email text, name text, contact bigint, staff bigint)
    WHERE m.id = a.id AND m.id = ANY(CAST(:ids AS bigint[]))
""")


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
        conn.execute(update(MessageRow).where(_one_of(ids)).values(values))


def record_held(conn: Connection, holds: Mapping[int, tuple[datetime, str]]) -> None:
    """Put messages back until an instant, with the reason; one statement for each instant and reason."""
    for (until, reason), ids in _grouped(holds).items():
        values = {"state": QUEUED, "not_before": until, "reason": reason, "to_email": None, **_NO_LEASE}
        conn.execute(update(MessageRow).where(_one_of(ids)).values(values))


def record_failed(conn: Connection, reasons: Mapping[int, str], *, now: datetime, attempts: int | None = None) -> None:
    """End messages that cannot be sent, with their reasons."""
    for reason, ids in _grouped(reasons).items():
        values = {"state": FAILED, "reason": reason, "last_error": reason, "decided_at": now, **_NO_LEASE}
        counted = {} if attempts is None else {"attempts": attempts}
        conn.execute(update(MessageRow).where(_one_of(ids)).values({**values, **counted}))


def record_retry(conn: Connection, message_id: int, error: str, *, attempts: int, at: datetime) -> None:
    """Put a message back for another attempt."""
    values = {
        "state": QUEUED, "not_before": at, "last_error": error, "attempts": attempts,
        "reason": "waits for another attempt", "to_email": None, **_NO_LEASE,
    }  # fmt: skip
    conn.execute(update(MessageRow).where(MessageRow.id == message_id).values(values))


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A message that the server took, and word for word what it said."""

    message: QueuedMessage
    recipient: Recipient
    mail: Rendered
    message_id: str


def record_sent(conn: Connection, taken: Sequence[HandedOver], *, now: datetime) -> None:
    """Write down that the server took these messages, in one statement."""
    rows = [
        {"id": one.message.id, "attempts": one.message.attempts + 1, "email": one.recipient.email,
         "name": one.recipient.name, "contact": one.recipient.contact_id, "staff": one.recipient.staff_id,
         "language": one.mail.language, "subject": one.mail.subject, "words": one.mail.text, "page": one.mail.html,
         "sha256": fingerprint(one.mail.subject, one.mail.text, one.mail.html), "message_id": one.message_id}
        for one in taken
    ]  # fmt: skip
    conn.execute(_SENT, {"ids": [row["id"] for row in rows], "rows": str(json_text(rows)), "now": now})


_SENT = text("""
    UPDATE messages AS m SET
      state = 'sent', reason = NULL, last_error = NULL, lease_by = NULL, lease_until = NULL, decided_at = :now,
      sent_at = :now, attempts = s.attempts, to_email = s.email, to_name = s.name, contact_id = s.contact,
      staff_id = s.staff, language = s.language, subject = s.subject, body_text = s.words, body_html = s.page,
      body_sha256 = s.sha256, message_id = s.message_id
    FROM json_to_recordset(CAST(:rows AS json))
      AS s(id bigint, attempts int, email text, name text, contact bigint, staff bigint, language text, subject text,
           words text, page text, sha256 text, message_id text)
    WHERE m.id = s.id AND m.id = ANY(CAST(:ids AS bigint[]))
""")
"""As JSON, since the driver takes its time over arrays of long texts; by number as well, or the planner reads the table
from end to end."""


def _grouped(by_id: Mapping[int, Value]) -> dict[Value, list[int]]:
    groups: dict[Value, list[int]] = {}
    for message_id, value in by_id.items():
        groups.setdefault(value, []).append(message_id)
    return groups

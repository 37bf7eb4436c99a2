"""What other messages mean for those that are being decided: what was sent already, and what is about to be.

Each function takes a connection and answers for a whole batch with one statement, which finds its messages by case or
by address. States are compared under IS TRUE, which no index answers: while a campaign leaves, statistics are older
than what was sent of it, and the planner would take all that was sent for a handful of rows and read it for each batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, bindparam, cast, func, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from config.database import Connection
from notifications.eligibility import side
from notifications.inbox.incoming import RETURNED
from notifications.kind import Purpose
from notifications.tables import QUEUED, SENDING, SENT, InboxMessage, MessageRow
from notifications.values import QueuedMessage


def newest_by_clock(conn: Connection, messages: Sequence[QueuedMessage]) -> dict[tuple[int, str, str], int]:
    """Return the last event whose message waits or was sent, by case, clock and side of the audience."""
    case_ids = {m.case_id for m in messages if m.clock and m.case_id is not None}
    if not case_ids:
        return {}
    statement = (
        select(MessageRow.case_id, MessageRow.clock, MessageRow.audience, func.max(MessageRow.event_seq).label("seq"))
        .where(MessageRow.case_id == func.any(list(case_ids)), MessageRow.clock.is_not(None))
        .where(MessageRow.state.in_([QUEUED, SENDING, SENT]).is_(True), MessageRow.event_seq.is_not(None))
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
    cases, seqs = (sorted({pair[n] for pair in events}) for n in (0, 1))
    address = func.lower(MessageRow.to_email)
    statement = select(MessageRow.case_id, MessageRow.event_seq, MessageRow.kind, address.label("address")).where(
        MessageRow.case_id == func.any(cases), MessageRow.event_seq == func.any(seqs),
        _counts_beside(messages), ~_CAME_BACK,
    )  # fmt: skip  # by index: the few whose case and event do not belong together are left out here
    got = ((r.case_id, r.event_seq, r.kind, r.address) for r in conn.execute(statement) if r.address)
    return {each for each in got if each[:2] in events}


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
    address, internal = func.lower(MessageRow.to_email), MessageRow.purpose == Purpose.INTERNAL.value
    wanted = cast(bindparam("addresses", sorted(addresses)), ARRAY(String))
    theirs = select(address.label("address"), internal.label("internal")).where(
        address == func.any(wanted), MessageRow.to_email.is_not(None), _counts_beside(messages)
    )
    # Two ranges of the index of addresses: what left since, and what has not left yet.
    found = union_all(theirs.where(MessageRow.sent_at >= since), theirs.where(MessageRow.sent_at.is_(None))).subquery()
    statement = select(found, func.count().label("n")).group_by(found.c.address, found.c.internal)
    rows = conn.execute(statement).all() if addresses else []
    outside, notices = ({row.address: row.n for row in rows if row.internal is kind} for kind in (False, True))
    return Counter(outside), Counter(notices)


def _counts_beside(messages: Sequence[QueuedMessage]) -> Any:
    """Sent, or in the hands of another delivery; not the messages that are being decided themselves."""
    in_other_hands = and_(MessageRow.state == SENDING, MessageRow.id != func.all([m.id for m in messages]))
    return or_(MessageRow.state == SENT, in_other_hands).is_(True)

"""What somebody who complained has told us themselves: their own words, to read again and to keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cases.tables import PERSONAL_PART, CaseEvent, EventPersonal
from config.database import Connection

_NAMES = ("description", "text", "note")
"""The fields of an event that are its actor's own words: of a complaint, of a message, of a step with a reply."""


@dataclass(frozen=True)
class Said:
    """Something the holder of a link wrote to us, and when it came."""

    at: datetime
    text: str


def said(conn: Connection, case_id: int, person: str) -> list[Said]:
    """Return what this person wrote on a case, the oldest first. What was erased since is left out."""
    rows = conn.execute(
        select(CaseEvent.at, EventPersonal.data)
        .join(EventPersonal, PERSONAL_PART)
        .where(CaseEvent.case_id == case_id, CaseEvent.actor == person)
        .order_by(CaseEvent.seq)
    )
    words = [(row.at, str(row.data[name])) for row in rows for name in _NAMES if row.data.get(name)]
    return [Said(at, text) for at, text in words]

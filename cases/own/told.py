"""What we told somebody who complained and left no e-mail address: no letter can go out, so their page says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.tables import PERSONAL_PART, CaseEvent, EventPersonal
from config.database import Connection
from state_machines.values import Case

_WORDS: Mapping[str, tuple[str, str]] = {
    "acknowledge": ("How we understand your complaint", "understanding"),
    "update_complainant": ("How far it is", "message"),
    "ask_complainant": ("Our question to you", "question"),
    "extend": ("Why it takes longer", "reason"),
    "extend_stage_2": ("Why it takes longer", "reason"),
    "reject": ("Why we cannot take it up", "reason"),
}
"""By trigger: what the complainant reads above it, and the one field of it that is written for them."""
_ANSWERS: Mapping[str, str] = {
    "fix_agreed": "What we agreed", "respond": "Our answer", "respond_finally": "Our final answer",
}  # fmt: skip
_SENT = ("approve_response", "sign_off")
_STILL_INSIDE = ("stage_1_approval", "stage_2_approval")


@dataclass(frozen=True)
class Told:
    """Something we said to a complainant, as a letter would have said it."""

    title: str
    at: datetime
    points: Sequence[Mapping[str, str]] = ()
    """Of an answer: what was decided on each point, and why."""
    text: str = ""


def told(conn: Connection, case: Case, *, purpose: str) -> list[Told]:
    """Return what a complainant without an e-mail address has to read on their page, the newest first."""
    known = case.parties.get("complainant", {}).get("email")
    if case.process != "complaint" or purpose != "party:complainant" or known:
        return []
    rows = conn.execute(
        select(CaseEvent.at, CaseEvent.trigger, CaseEvent.target, EventPersonal.data)
        .outerjoin(EventPersonal, PERSONAL_PART)
        .where(CaseEvent.case_id == case.id, CaseEvent.trigger.in_([*_WORDS, *_ANSWERS, *_SENT]))
        .order_by(CaseEvent.seq)
    ).all()  # fmt: skip
    return list(_read(rows))[::-1]


def _read(rows: Sequence[Any]) -> Iterator[Told]:
    """What goes out; an answer that waits for approval is nobody's yet, and one that was sent back never was."""
    waiting: Told | None = None
    for row in rows:
        said = row.data or {}
        if row.trigger in _WORDS:
            title, name = _WORDS[row.trigger]
            if said.get(name):
                yield Told(title, row.at, text=str(said[name]))
        elif row.trigger in _ANSWERS:
            points = [{"decision": str(p["decision"]), "reasons": str(p["reasons"])} for p in said.get("findings", ())]
            waiting = Told(_ANSWERS[row.trigger], row.at, points, str(said.get("answer", "")))
            if row.target not in _STILL_INSIDE:
                yield waiting
        elif waiting is not None:
            yield Told(waiting.title, row.at, waiting.points, waiting.text)

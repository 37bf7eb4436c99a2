"""What happened to cases, read from their events: the one source of every figure about a stretch of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, select

from cases.exporting import STREAMED
from cases.permissions import guarded
from cases.tables import CaseEvent, CaseRow
from config.database import Connection

LEFT_OUT = frozenset({"duplicate"})
"""Outcomes of cases that were never a case of their own."""


def histories(
    conn: Connection, end: datetime, process: str | None, among: ColumnElement[bool] | None, now: datetime
) -> Iterator[tuple[str, list[Any]]]:
    """Yield the process and the events of each case, as known before ``end`` and at ``now``, case by case.

    ``process`` narrows to one, ``among`` to the cases that hold to a condition. ``guarded`` says of each event whether
    only some people may see its case.
    """
    event = CaseEvent.__table__.c
    statement = select(
        CaseRow.id, CaseRow.ref, CaseRow.process, CaseRow.received_at, guarded().label("guarded"), event.at, event.kind,
        event.trigger, event.source, event.target, event.role, event.details,
    ).join(CaseRow, CaseRow.id == event.case_id).where(event.at < end, event.at <= now)  # fmt: skip
    if process is not None:
        statement = statement.where(CaseRow.process == process)
    if among is not None:
        statement = statement.where(among)
    with conn.execute(statement.order_by(event.case_id, event.seq), execution_options=STREAMED) as rows:
        for _, events in groupby(rows, key=lambda row: row.id):
            history = list(events)
            yield history[0].process, history


def outcome_of(events: Sequence[Any]) -> str:
    """Return how a case ended, in lower case, as its events say; nothing of one that has not ended."""
    outcomes = [event.details["data"]["outcome"] for event in events if "outcome" in event.details.get("data", {})]
    return str(outcomes[-1]).lower() if outcomes else ""


def left_out_note(left_out: Counter[str], *always: str) -> tuple[str, ...]:
    """Return what was left out, as a note; none of nothing."""
    told = [*(f"{what} ({number:,})" for what, number in sorted(left_out.items())), *always]
    return (f"Left out: {'; '.join(told)}.",) if told else ()

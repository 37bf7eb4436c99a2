"""Who asked to leave in a period, why, what was offered, and who stayed.

A member counts in the period in which they asked. What became of it is told as it is known at the end of the period, or
now: a save counts as kept while the member is there, and moves to “saved, then left” when they cancel again. Source of
the rates: gross save rate = offers accepted / offers made; the denominator zero is n/a.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement

from config.database import Connection
from reports.complaints import NOT_TOLD
from reports.following import Bounds, Followed, followed
from reports.groups import ALL, Group, refs_of
from reports.histories import left_out_note
from reports.months import Months
from reports.periods import days_of
from reports.table import Cell, Table, percent

PROCESS = "cancellation"
NO_REASON = "not said"
NO_CANCELLATION = frozenset({"intent", "intent_closed", "not_the_member"})
"""A cancelled payment that meant nothing, or is still being asked about; a statement of somebody else."""
SAVED = frozenset({"offer_accepted", "saved"})
KEPT = SAVED | {"revoked", "retained"}
GONE = frozenset({"end_confirmed", "cancelled", "cooled_off", "refunded"})
SAVED_THEN_LEFT = frozenset({"save_failed"})
BECAME = ("stay", "left", "saved, then left", "still open")
COUNTED = ("asked to leave", "offers made", "offers accepted", *BECAME)
COLUMNS = ("reason", "asked to leave", "offers made", "offers accepted", "save rate", *BECAME, "share that stays")


def cancellations(
    conn: Connection, bounds: Bounds, months: Months, *, among: ColumnElement[bool] | None = None, now: datetime
) -> Table:
    """Return the members who asked to leave in a period by reason; ``months`` gets who asked and who left.

    A member may give several reasons and counts under each; the last row counts everybody once. ``among`` narrows to
    the cases that hold to a condition.
    """
    start, end = bounds
    groups: dict[str, Group] = {}
    every = Group()
    left_out: Counter[str] = Counter()
    none = 0
    for case in followed(conn, PROCESS, end, among, now, left_out):
        if case.state in NO_CANCELLATION:
            none += case.entered >= start
            continue
        months.came[months.month_of(case.entered)] += 1
        months.went.update(months.month_of(at) for at in case.came_to(GONE))
        if case.entered >= start:
            for group in (every, *(groups.setdefault(reason, Group()) for reason in _reasons(case))):
                _count(group, case)
    rows = sorted(groups.items(), key=lambda each: (-each[1].count("asked to leave"), each[0]))
    told = [*rows, (ALL, every)] if rows else []
    notes = (*_notes(told, none), *left_out_note(left_out))
    title = f"Cancellations, {days_of(start, end)}"
    return Table(title, now, COLUMNS, tuple(tuple(_row(name, group)) for name, group in told), notes, refs_of(told))


def _notes(told: Sequence[tuple[str, Group]], none: int) -> Iterator[str]:
    fits = all(_reconciles(group) for _, group in told)
    yield f"Asked to leave = stay + left + saved, then left + still open: {'yes, in every row' if fits else 'NO'}."
    if told:
        yield "Who gave several reasons counts under each, and once in all."
    if none:
        yield f"Not counted, because it was no cancellation or is not one yet: {none:,}."


def _reconciles(group: Group) -> bool:
    """Whether everybody who asked stays, left, or is still open."""
    return group.count("asked to leave") == sum(group.count(name) for name in BECAME)


def _reasons(case: Followed) -> list[str]:
    """The reasons somebody gave, each once, as people read them; none of a case that only some people may see."""
    if case.guarded:
        return [NOT_TOLD]
    return list(dict.fromkeys(str(reason).replace("_", " ") for reason in case.facts.get("reasons") or [NO_REASON]))


def _count(group: Group, case: Followed) -> None:
    group.note("asked to leave", case.ref)
    if case.facts.get("offers"):
        group.note("offers made", case.ref)
    if any(state in SAVED for _, state in case.moves):
        group.note("offers accepted", case.ref)
    group.note(_became(case.state), case.ref)


def _became(state: str) -> str:
    if state in KEPT:
        return "stay"
    if state in GONE:
        return "left"
    return "saved, then left" if state in SAVED_THEN_LEFT else "still open"


def _row(name: str, group: Group) -> Iterator[Cell]:
    n = {column: group.count(column) for column in COUNTED}
    yield name
    for column in COLUMNS[1:-1]:
        yield n[column] if column in n else percent(n["offers accepted"], n["offers made"])
    yield percent(n["stay"], n["asked to leave"] - n["still open"])

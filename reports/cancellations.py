"""Who asked to leave in a period, why, what was offered, and who stayed.

A member counts in the period in which they asked. What became of it is told as it is known at the end of the period, or
now: a save counts as kept while the member is there, and moves to “saved, then left” when they cancel again. Source of
the rates: gross save rate = offers accepted / offers made; the denominator zero is n/a.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement

from config.database import Connection
from reports.following import Bounds, Followed, Months, followed, left_out_note
from reports.table import Cell, Table, percent

PROCESS = "cancellation"
ALL = "all"
NO_REASON = "not_said"
NO_CANCELLATION = frozenset({"intent", "intent_closed", "not_the_member"})
"""A cancelled payment that meant nothing, or is still being asked about; a statement of somebody else."""
SAVED = frozenset({"offer_accepted", "saved"})
KEPT = SAVED | {"revoked", "retained"}
GONE = frozenset({"end_confirmed", "cancelled", "cooled_off", "refunded"})
SAVED_THEN_LEFT = frozenset({"save_failed"})
BECAME = ("stay", "left", "saved, then left", "still open")
COUNTED = ("asked to leave", "offers made", "offers accepted", *BECAME)
COLUMNS = ("reason", "asked to leave", "offers made", "offers accepted", "save rate", *BECAME, "share that stays")


@dataclass
class _Group:
    """Those who gave one reason: references by figure."""

    refs: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in COUNTED})

    def count(self, name: str) -> int:
        return len(self.refs[name])

    @property
    def reconciles(self) -> bool:
        """Whether everybody who asked stays, left, or is still open."""
        return self.count("asked to leave") == sum(self.count(name) for name in BECAME)


def cancellations(
    conn: Connection, bounds: Bounds, months: Months, *, among: ColumnElement[bool] | None = None, now: datetime
) -> Table:
    """Return the members who asked to leave in a period by reason; ``months`` gets who asked and who left.

    A member may give several reasons and counts under each; the last row counts everybody once. ``among`` narrows to
    the cases that hold to a condition.
    """
    start, end = bounds
    groups: dict[str, _Group] = {}
    every = _Group()
    left_out: Counter[str] = Counter()
    none = 0
    for case in followed(conn, PROCESS, end, among, now, left_out):
        if case.state in NO_CANCELLATION:
            none += case.entered >= start
            continue
        months.came[months.month_of(case.entered)] += 1
        months.went.update(months.month_of(at) for at in case.came_to(GONE))
        if case.entered >= start:
            reasons = dict.fromkeys(in_words(reason) for reason in case.facts.get("reasons") or [NO_REASON])
            for group in (every, *(groups.setdefault(reason, _Group()) for reason in reasons)):
                _count(group, case)
    rows = sorted(groups.items(), key=lambda each: (-each[1].count("asked to leave"), each[0]))
    told = [*rows, (ALL, every)] if rows else []
    title = f"Cancellations, {start:%d %B %Y} to {end - timedelta(seconds=1):%d %B %Y}"
    fits = all(group.reconciles for _, group in told)
    notes = (
        f"Asked to leave = stay + left + saved, then left + still open: {'yes, in every row' if fits else 'NO'}.",
        *(("Who gave several reasons counts under each, and once in all.",) if rows else ()),
        *((f"Not counted, because it was no cancellation or is not one yet: {none:,}.",) if none else ()),
        *left_out_note(left_out),
    )
    refs: dict[tuple[str, ...], tuple[str, ...]] = {
        (name, ALL, column): tuple(cases) for name, group in told for column, cases in group.refs.items() if cases
    }
    return Table(title, now, COLUMNS, tuple(tuple(_row(name, group)) for name, group in told), notes, refs)


def in_words(reason: object) -> str:
    """Return a reason as people read it."""
    return str(reason).replace("_", " ")


def _count(group: _Group, case: Followed) -> None:
    group.refs["asked to leave"].append(case.ref)
    if case.facts.get("offers"):
        group.refs["offers made"].append(case.ref)
    if any(state in SAVED for _, state in case.moves):
        group.refs["offers accepted"].append(case.ref)
    group.refs[_became(case.state)].append(case.ref)


def _became(state: str) -> str:
    if state in KEPT:
        return "stay"
    if state in GONE:
        return "left"
    return "saved, then left" if state in SAVED_THEN_LEFT else "still open"


def _row(name: str, group: _Group) -> Iterator[Cell]:
    n = {column: group.count(column) for column in COUNTED}
    yield name
    for column in COLUMNS[1:-1]:
        yield n[column] if column in n else percent(n["offers accepted"], n["offers made"])
    yield percent(n["stay"], n["asked to leave"] - n["still open"])

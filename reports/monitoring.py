"""The quarterly table of monitoring cases by criterion and stage: for inside, and without small numbers for the public.

A case counts from the first sanction (its ``case_opened_at``) until it is closed; a finding that came to nothing never
counts. Everything is taken from the events, so that the table of a past quarter is always the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import select, text

from cases.exporting import STREAMED
from cases.tables import CaseEvent, CaseRow
from config.database import Connection
from reports.table import Cell, Table, quantile
from state_machines.calendars import Calendar

STAGES = ("warning", "suspension", "expulsion")
NO_STAGE = "none"
NOT_COUNTED = frozenset({"closed", "expelled", "follow_up"})
"""States that are closed for every count; in ``follow_up`` the remedy of a closed case is looked at once more."""
SMALL = 3
HIDDEN = f"<{SMALL}"
WITHHELD = "*"
PUBLIC_COLUMNS = (
    "criterion", "stage", "open", "closed in quarter", "incidents logged", "median age in days", "expelled",
)  # fmt: skip
COLUMNS = (
    "criterion", "stage", "open at start", "opened", "moved in", "moved out", "closed in quarter", "open at end",
    "median age in days", "incidents logged", "expelled", "reconciles",
)  # fmt: skip
_FLOWS = ("opened", "moved_in", "moved_out", "closed")

Group = tuple[str, str]
"""Criterion and stage."""


def quarter(year: int, number: int, calendar: Calendar) -> tuple[datetime, datetime]:
    """Return the instants at which a quarter begins and ends in the organisation's zone; the end is no part of it."""
    first = datetime(year, 3 * number - 2, 1, tzinfo=calendar.zone)
    return first, datetime(year + number // 4, 3 * (number % 4) + 1, 1, tzinfo=calendar.zone)


@dataclass
class Activity:
    """What happened in a quarter: references by criterion and stage."""

    start: datetime
    end: datetime
    open_start: dict[Group, list[str]] = field(default_factory=lambda: defaultdict(list))
    open_end: dict[Group, list[str]] = field(default_factory=lambda: defaultdict(list))
    flows: dict[str, dict[Group, list[str]]] = field(
        default_factory=lambda: {name: defaultdict(list) for name in _FLOWS}
    )
    incidents: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    expelled: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ages: dict[Group, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def last_day(self) -> date:
        """The last day of the quarter, in the zone its end was given in."""
        return (self.end - timedelta(seconds=1)).date()

    def count(self, name: str, group: Group) -> int:
        """Return how many cases a figure has in a group."""
        found = getattr(self, name) if name.startswith("open_") else self.flows[name]
        return len(found.get(group, ()))

    @property
    def criteria(self) -> list[str]:
        """Every criterion that has a figure."""
        groups = [*self.open_start, *self.open_end, *(g for flow in self.flows.values() for g in flow)]
        return sorted({criterion for criterion, _ in groups} | set(self.incidents))

    def reconciles(self, group: Group) -> bool:
        """Whether open at the start + opened + moved in - moved out - closed = open at the end."""
        n = {name: self.count(name, group) for name in ("open_start", "open_end", *_FLOWS)}
        came, went = n["opened"] + n["moved_in"], n["moved_out"] + n["closed"]
        return n["open_start"] + came - went == n["open_end"]


def activity(conn: Connection, start: datetime, end: datetime) -> Activity:
    """Return what happened to monitoring cases from ``start`` until before ``end``, from their events."""
    event = CaseEvent.__table__.c
    statement = (
        select(CaseRow.ref, CaseRow.id, event.at, event.kind, event.target, event.details)
        .join(CaseRow, CaseRow.id == event.case_id)
        .where(CaseRow.process == "monitoring", event.at < end).order_by(event.case_id, event.seq)
    )  # fmt: skip
    found = Activity(start, end)
    with conn.execute(statement, execution_options=STREAMED) as rows:
        for _, events in groupby(rows, key=lambda row: row.id):
            _follow(found, list(events))
    return found


def _follow(found: Activity, events: Sequence[Any]) -> None:
    """Follow one case through its events, noting where it is and each move from group to group."""
    ref = events[0].ref
    data: dict[str, Any] = {}
    group: Group | None = None
    at_start: Group | None = None
    stage: Any = None
    for event in events:
        data |= event.details.get("data", {})
        after = _group(data, event.target)
        if event.at < found.start:
            at_start = after
        else:
            _note_move(found, ref, group, after)
            if data.get("stage") == "expulsion" and stage != "expulsion":
                found.expelled[_criterion(data)].append(ref)
        group, stage = after, data.get("stage")
    if events[0].at >= found.start:
        found.incidents[_criterion(data)].append(ref)
    if at_start is not None:
        found.open_start[at_start].append(ref)
    if group is not None:
        found.open_end[group].append(ref)
        found.ages[group].append((found.last_day - date.fromisoformat(str(data["case_opened_at"])[:10])).days)


def _group(data: Mapping[str, Any], state: str) -> Group | None:
    """Where a case is counted, or None while it is not."""
    if not data.get("case_opened_at") or state in NOT_COUNTED:
        return None
    return _criterion(data), str(data.get("stage") or NO_STAGE)


def _criterion(data: Mapping[str, Any]) -> str:
    return str(data.get("criterion") or "not set")


def _note_move(found: Activity, ref: str, before: Group | None, after: Group | None) -> None:
    if before == after:
        return
    if before is not None:
        found.flows["moved_out" if after else "closed"][before].append(ref)
    if after is not None:
        found.flows["moved_in" if before else "opened"][after].append(ref)


# --- the tables

_CONTROL = text("""
SELECT count(*) FROM cases c
CROSS JOIN LATERAL (SELECT target FROM case_events WHERE case_id = c.id AND at < :at ORDER BY seq DESC LIMIT 1) last
CROSS JOIN LATERAL (SELECT details -> 'data' ->> 'case_opened_at' AS value FROM case_events
  WHERE case_id = c.id AND at < :at AND (details -> 'data')::jsonb ? 'case_opened_at' ORDER BY seq DESC LIMIT 1) opened
WHERE c.process = 'monitoring' AND NOT last.target = ANY(:closed) AND opened.value IS NOT NULL
""")


def quarterly(
    conn: Connection, quarter_start: datetime, quarter_end: datetime, *, public: bool = False, now: datetime
) -> Table:
    """Return the quarterly table: criterion by stage, and what the figures add up to.

    ``public``: numbers below three are not told, nor sums that would tell them, and no case is named.
    """
    found = activity(conn, quarter_start, quarter_end)
    control = conn.execute(_CONTROL, {"at": quarter_end, "closed": sorted(NOT_COUNTED)}).scalar_one()
    title = f"Monitoring activity, {quarter_start:%d %B %Y} to {found.last_day:%d %B %Y}"
    notes = _reconciliation(found, control, public)
    if public:
        return Table(title, now, PUBLIC_COLUMNS, tuple(_public_rows(found)), notes)
    return Table(title, now, COLUMNS, tuple(_rows(found)), notes, _refs(found))


def _groups(found: Activity, criterion: str) -> list[Group]:
    """Warning and suspension always, the other stages where there is a case."""
    stages = [*STAGES, NO_STAGE]
    used = {s for s in stages if any(found.count(n, (criterion, s)) for n in ("open_start", "open_end", *_FLOWS))}
    return [(criterion, stage) for stage in stages if stage in STAGES[:2] or stage in used]


def _rows(found: Activity) -> Iterator[tuple[Cell, ...]]:
    totals = [0] * 8
    for criterion in found.criteria:
        for number, group in enumerate(_groups(found, criterion)):
            first = number == 0
            counts = [found.count(name, group) for name in ("open_start", *_FLOWS, "open_end")]
            beside = [len(each.get(criterion, ())) if first else 0 for each in (found.incidents, found.expelled)]
            totals = [a + b for a, b in zip(totals, [*counts, *beside], strict=True)]
            yield (*group, *counts, quantile(found.ages.get(group, ()), 0.5), *(beside if first else (None, None)),
                   "yes" if found.reconciles(group) else "NO")  # fmt: skip
    every = [age for ages in found.ages.values() for age in ages]
    yield ("all", "all", *totals[:6], quantile(every, 0.5), *totals[6:], "")


def _refs(found: Activity) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The cases behind each figure; what is told once for a criterion has the stage ``all``."""
    groups = {"open at start": found.open_start, "open at end": found.open_end}
    groups |= {{"closed": "closed in quarter"}.get(name, name.replace("_", " ")): found.flows[name] for name in _FLOWS}
    refs: dict[tuple[str, ...], tuple[str, ...]] = {}
    for name, by_group in groups.items():
        refs |= {(*group, name): tuple(cases) for group, cases in by_group.items()}
    for name, by_criterion in (("incidents logged", found.incidents), ("expelled", found.expelled)):
        refs |= {(criterion, "all", name): tuple(cases) for criterion, cases in by_criterion.items()}
    return refs


def _public_rows(found: Activity) -> Iterator[tuple[Cell, ...]]:
    columns: dict[str, list[int]] = defaultdict(list)
    for criterion in found.criteria:
        for group in _groups(found, criterion):
            figures = {"open": found.count("open_end", group), "closed": found.count("closed", group)}
            if group[1] == STAGES[0]:
                beside = {"incidents": found.incidents, "expelled": found.expelled}
                figures |= {name: len(each.get(criterion, ())) for name, each in beside.items()}
            for name, value in figures.items():
                columns[name].append(value)
            age = quantile(found.ages.get(group, ()), 0.5) if figures["open"] >= SMALL else None
            shown = {name: _shown(value) for name, value in figures.items()}
            yield (*group, shown["open"], shown["closed"], shown.get("incidents"), age, shown.get("expelled"))
    sums = {name: _sum(columns[name]) for name in ("open", "closed", "incidents", "expelled")}
    yield ("all", "all", sums["open"], sums["closed"], sums["incidents"], None, sums["expelled"])


def _shown(value: int) -> Cell:
    return HIDDEN if 0 < value < SMALL else value


def _sum(values: Sequence[int]) -> Cell:
    """A sum, unless what it leaves for the hidden numbers would tell what they are."""
    hidden = [value for value in values if 0 < value < SMALL]
    tells = len(hidden) == 1 or sum(hidden) in (len(hidden), (SMALL - 1) * len(hidden))
    return WITHHELD if hidden and tells else _shown(sum(values))


def _reconciliation(found: Activity, control: int, public: bool) -> tuple[str, ...]:
    groups = [group for criterion in found.criteria for group in _groups(found, criterion)]
    fits = all(found.reconciles(group) for group in groups)
    counted = sum(len(refs) for refs in found.open_end.values())
    states = "Open at the start + opened + moved in - moved out - closed = open at the end"
    note = f"{states}: {'yes, in every row' if fits else 'NO'}."
    if public:
        hidden = f"{HIDDEN}: fewer than {SMALL}. {WITHHELD}: a sum that would tell such a number. No member is named."
        return (note, hidden)
    same = "the same" if control == counted else f"NOT the same: {counted}"
    return (note, f"Control, counted a second way: {control} open at the end, {same}.")

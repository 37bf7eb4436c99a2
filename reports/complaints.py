"""Complaints of a period by what they are about: what came, what was answered and how, and whether it adds up.

Source: complaint handling codes of the Local Government and Social Care Ombudsman and the Housing Ombudsman (what is
reported on complaints each year); the share upheld is of those decided. Everything is taken from the events, so that a
past period always says the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement

from config.database import Connection
from reports.following import Bounds, Followed, followed
from reports.groups import ALL, Group, refs_of
from reports.histories import left_out_note
from reports.months import Months
from reports.periods import days_of
from reports.table import Cell, Table, percent, quantile
from state_machines.registry import process_named

PROCESS = "complaint"
NOT_SAID = "not said"
NOT_TOLD = "not told here"
"""The group of cases that only some people may see: what they are about would tell more than a number."""
OTHERS = "all others"
MOST_GROUPS = 30
UPHELD, PARTLY, NOT_UPHELD, EARLY = "upheld", "partly_upheld", "not_upheld", "resolved_early"
FLOWS = ("open at start", "new", "reopened", "closed", "open at end")
ANSWERS = {UPHELD: "upheld", PARTLY: "partly upheld", NOT_UPHELD: "not upheld", EARLY: "settled early"}
COUNTED = (*FLOWS, "answered", *ANSWERS.values(), "no finding", "stage 2 asked for")
COLUMNS = ("about", *FLOWS, "answered", "upheld", "partly upheld", "not upheld", "upheld share", "settled early",
           "no finding", "stage 2 asked for", "median days to answer", "p90 days to answer")  # fmt: skip


@dataclass
class _Group(Group):
    """The complaints about one thing, and how many days the answers took."""

    days: list[float] = field(default_factory=list)

    @property
    def reconciles(self) -> bool:
        """Whether open at the start + new + reopened - closed = open at the end."""
        n = [self.count(name) for name in FLOWS]
        return n[0] + n[1] + n[2] - n[3] == n[4]


def complaints(
    conn: Connection, bounds: Bounds, months: Months, *, among: ColumnElement[bool] | None = None, now: datetime
) -> Table:
    """Return the complaints of a period by what they are about, and note in ``months`` what came and was closed.

    ``among`` narrows to the cases that hold to a condition. What a complaint is about that only some people may see is
    not told: it counts under a group of its own.
    """
    start, end = bounds
    final = {state.name for state in process_named(PROCESS).states if state.final}
    groups: dict[str, _Group] = {}
    names: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for case in followed(conn, PROCESS, end, among, now, left_out):
        about = _about(case)
        key = about.casefold()
        names.setdefault(key, about)
        _count(groups.setdefault(key, _Group()), case, start, end, final)
        months.came[months.month_of(case.entered)] += 1
        months.went.update(months.month_of(at) for at in case.came_to(final))
    rows = _ranked(groups, names)
    told = [*rows, (ALL, _joined(group for _, group in rows))] if rows else []
    fits = all(group.reconciles for _, group in rows)
    adds_up = "Open at the start + new + reopened - closed = open at the end"
    notes = (f"{adds_up}: {'yes, in every row' if fits else 'NO'}.", *left_out_note(left_out))
    title = f"Complaints, {days_of(start, end)}"
    return Table(title, now, COLUMNS, tuple(tuple(_row(name, group)) for name, group in told), notes, refs_of(told))


def _about(case: Followed) -> str:
    """What a complaint is about, as it was typed; in quotes where that is a word of this table."""
    if case.guarded:
        return NOT_TOLD
    typed = str(case.facts.get("category") or "").strip()
    return f"“{typed}”" if typed.casefold() in (ALL, OTHERS, NOT_TOLD) else typed or NOT_SAID


def _count(group: _Group, case: Followed, start: datetime, end: datetime, final: set[str]) -> None:
    before = case.state_before(start)
    if before is not None and before not in final:
        group.note("open at start", case.ref)
    if case.entered >= start:
        group.note("new", case.ref)
    closed = [at for at in case.came_to(final) if at >= start]
    opened = [at for at in case.left_states(final) if at >= start]
    # A case that came and went several times counts once for each way; what is left of both is one move.
    if len(closed) > len(opened):
        group.note("closed", case.ref)
    elif len(opened) > len(closed):
        group.note("reopened", case.ref)
    if case.state not in final:
        group.note("open at end", case.ref)
    _count_answer(group, case, start)


def _count_answer(group: _Group, case: Followed, start: datetime) -> None:
    answers = [(at, str(data["decision"])) for at, data in case.noted if data.get("decision")]
    within = [decision for at, decision in answers if at >= start]
    if within:
        group.note("answered", case.ref)
        group.note(ANSWERS.get(within[-1], "no finding"), case.ref)
        if answers[0][0] >= start:
            group.days.append((answers[0][0] - case.received) / timedelta(days=1))
    if any(at >= start and data.get("stage_2_requested_on") for at, data in case.noted):
        group.note("stage 2 asked for", case.ref)


def _ranked(groups: dict[str, _Group], names: dict[str, str]) -> list[tuple[str, _Group]]:
    """The groups with a figure, the most new ones first, the nameless last; what is beyond thirty is one group."""
    used = [(names[key], group) for key, group in groups.items() if any(group.refs.values())]
    nameless = (NOT_SAID, NOT_TOLD)
    used.sort(
        key=lambda each: (each[0] in nameless, -each[1].count("new"), -each[1].count("open at end"), each[0].casefold())
    )
    if len(used) <= MOST_GROUPS:
        return used
    return [*used[:MOST_GROUPS], (OTHERS, _joined(group for _, group in used[MOST_GROUPS:]))]


def _joined(groups: Iterable[_Group]) -> _Group:
    found = _Group()
    for group in groups:
        found.join(group)
        found.days += group.days
    return found


def _row(name: str, group: _Group) -> Iterator[Cell]:
    yield name
    for column in COLUMNS[1:-2]:
        yield group.count(column) if column in COUNTED else _upheld_share(group)
    yield quantile(group.days, 0.5)
    yield quantile(group.days, 0.9)


def _upheld_share(group: _Group) -> str:
    n = {name: group.count(name) for name in ("upheld", "partly upheld", "not upheld")}
    return percent(n["upheld"] + n["partly upheld"], sum(n.values()))

"""What the figures of each report mean, and what a table says in a few sentences."""

from __future__ import annotations

from typing import Any

from reports.table import Table, percent
from state_machines.objections import capital
from state_machines.registry import processes

DEADLINES = {
    "n due": "Deadlines that fell into the period. A clock that was given more time counts where its last deadline is.",
    "n met": "Of these, how many were met: what was asked for was done by then.",
    "met": "Met, as a share of those due. A clock that still runs past its deadline is not met.",
    "met without extension": "The share that would have been met had nobody given more time.",
    "ran out": "Clocks that ended because their time was over, such as a member's time to reply.",
    "still open": "Deadlines of the period whose clock still ran at the end of it.",
    "n ended": "Clocks that have ended; the medians are about these.",
    "median working days": "Half of the clocks ended within so many working days, without the time they stood still.",
    "p90 working days": "Nine of ten ended within so many working days.",
    "median days": "The same in calendar days, with the time they stood still.",
    "p90 days": "Nine of ten ended within so many calendar days.",
    "paused days": "Calendar days for which the clocks stood still, in all.",
    "extensions": "How often a clock was given more time, in all.",
}
MONITORING = {
    "open at start": "Cases with a sanction or finding that counts, at the beginning of the quarter.",
    "opened": "Cases that began to count in the quarter.",
    "moved in": "Cases that came from another criterion or stage.",
    "moved out": "Cases that went to another criterion or stage.",
    "closed in quarter": "Cases closed in the quarter.",
    "open at end": "Cases that count at the end of the quarter.",
    "open": "Cases that count at the end of the quarter.",
    "median age in days": "Half of the open cases are at most so many days old, counted from the first sanction.",
    "incidents logged": "Findings logged in the quarter, also those that came to nothing.",
    "expelled": "Members whose expulsion began in the quarter.",
    "reconciles": "Whether open at the start and end fit with what happened between.",
}


def deadlines_in_words(table: Table) -> list[str]:
    """Return what a table of deadlines says, in sentences."""
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    due, met = sum(int(row["n due"] or 0) for row in rows), sum(int(row["n met"] or 0) for row in rows)
    if not due:
        return ["No deadline fell into this period."]
    said = [f"Of {_counted(due, 'deadline')}, {met:,} {'was' if met == 1 else 'were'} met: {percent(met, due)}."]
    missed = sorted((row for row in rows if _missed(row)), key=lambda row: -_missed(row))
    if missed:
        worst = missed[0]
        said.append(
            f"Most were missed at “{clock_title(str(worst['process']), str(worst['clock']))}” of "
            f"{processes()[str(worst['process'])].title.lower()}: {_missed(worst):,} of {int(worst['n due'] or 0):,}."
        )
    extended = sum(int(row["extensions"] or 0) for row in rows)
    if extended:
        said.append("More time was given once." if extended == 1 else f"More time was given {extended:,} times.")
    return said


def _missed(row: dict[str, Any]) -> int:
    return int(row["n due"] or 0) - int(row["n met"] or 0)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'} of the period"


def monitoring_in_words(table: Table) -> list[str]:
    """Return what a quarterly table of monitoring cases says, in sentences."""
    if not table.rows:
        return ["There was no monitoring case in this quarter."]
    every = dict(zip(table.columns, table.rows[-1], strict=True))
    beside = f"{every['incidents logged']} incidents logged, {every['expelled']} expelled."
    if "open" in every:
        return [f"{every['open']} open at the end, {every['closed in quarter']} closed.", beside]
    moved = f"{every['opened']} opened, {every['closed in quarter']} closed"
    return [f"{every['open at start']} open at the start, {moved}, {every['open at end']} open at the end.", beside]


def clock_title(process: str, clock: str) -> str:
    """Return what a clock is called."""
    found = processes().get(process)
    named = [c.title for s in found.states for c in s.clocks if c.name == clock] if found else []
    return capital(named[0]) if named else clock.replace("_", " ").capitalize()

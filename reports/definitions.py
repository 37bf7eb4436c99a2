"""What the figures of each report mean, and what a table says in a few sentences."""

from __future__ import annotations

from typing import Any

from reports.table import NOT_APPLICABLE, Table, percent
from state_machines.english import capital, plural
from state_machines.registry import processes

DEADLINES = {
    "n due": "Deadlines that fell into the period and have passed. A clock that was given more time counts where its "
    "last deadline is.",
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

COMPLAINTS = {
    "open at start": "Complaints that were open when the period began.",
    "new": "Complaints entered in the period, whenever they were received.",
    "reopened": "Closed complaints that were taken up again and stayed open.",
    "closed": "Complaints closed in the period: answered and done, rejected, withdrawn or referred.",
    "open at end": "Complaints that were open at the end of the period, or are now.",
    "answered": "Complaints to which an answer went out in the period; the last one counts.",
    "upheld share": "Upheld or partly upheld, as a share of those upheld, partly upheld and not upheld.",
    "settled early": "Answered with a quick fix the complainant agreed to, without an investigation.",
    "no finding": "Answered without a finding on the matter itself.",
    "stage 2 asked for": "Complainants who asked for a second look in the period.",
    "median days to answer": "Half of those answered for the first time were answered so many calendar days after "
    "receipt, or sooner.",
    "p90 days to answer": "Nine of ten were answered within so many calendar days.",
}
CANCELLATIONS = {
    "asked to leave": "Members whose cancellation was entered in the period. A payment that was only stopped at the "
    "bank counts once the member has said that they mean to leave.",
    "offers made": "Of these, to whom an offer or help was made.",
    "offers accepted": "Of these, who accepted it.",
    "save rate": "Offers accepted, as a share of offers made.",
    "stay": "Who is still a member: an offer was accepted, or the notice was taken back.",
    "left": "Whose membership has ended.",
    "saved, then left": "Who accepted an offer or took the notice back, and cancelled again soon after.",
    "still open": "Of whom it is not known yet: an offer is open, or the notice runs.",
    "share that stays": "Who stays, as a share of those of whom it is known.",
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


def complaints_in_words(table: Table) -> list[str]:
    """Return what a table of complaints says, in sentences."""
    if not table.rows:
        return ["There was no complaint in this period."]
    every = _last(table)
    came, gone, left = every["new"], every["closed"], every["open at end"]
    said = [f"{plural(came, 'complaint')} came in and {gone:,} {_was(gone)} closed; open at the end: {left:,}."]
    if every["answered"]:
        days = every["median days to answer"]
        within = f", half of them within {days:g} days of receipt" if days is not None else ""
        said.append(f"{plural(every['answered'], 'complaint')} {_was(every['answered'])} answered{within}.")
    if every["upheld share"] != NOT_APPLICABLE:
        said.append(f"Of those decided, {every['upheld share']} were upheld in full or in part.")
    first = table.rows[0]
    if len(table.rows) > 2 and int(first[2] or 0) > int(table.rows[1][2] or 0):
        said.append(f"Most were about “{first[0]}”: {first[2]:,}.")
    return said


def cancellations_in_words(table: Table) -> list[str]:
    """Return what a table of cancellations says, in sentences."""
    if not table.rows:
        return ["Nobody asked to leave in this period."]
    every = _last(table)
    became = ", ".join(f"{every[name]:,} {words}" for name, words in _BECAME if every[name])
    said = [f"{plural(every['asked to leave'], 'member')} asked to leave: {became}."]
    if every["offers made"]:
        made, taken = every["offers made"], every["offers accepted"]
        said.append(f"Of {plural(made, 'offer')} made, {taken:,} {_was(taken)} accepted: {every['save rate']}.")
    given = [row for row in table.rows[:-1] if row[0] != "not said"]
    if given and (len(given) == 1 or int(given[0][1] or 0) > int(given[1][1] or 0)):
        said.append(f"The reason given most is “{given[0][0]}”: {given[0][1]:,}.")
    return said


_BECAME = (("stay", "stay"), ("left", "left"), ("saved, then left", "stayed at first and left later"),
           ("still open", "not known yet"))  # fmt: skip


def _last(table: Table) -> dict[str, Any]:
    return dict(zip(table.columns, table.rows[-1], strict=True))


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _missed(row: dict[str, Any]) -> int:
    return int(row["n due"] or 0) - int(row["n met"] or 0)


def _counted(number: int, noun: str) -> str:
    return f"{plural(number, noun)} of the period"


def monitoring_in_words(table: Table) -> list[str]:
    """Return what a quarterly table of monitoring cases says, in sentences."""
    if not table.rows:
        return ["There was no monitoring case in this quarter."]
    every = _last(table)
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

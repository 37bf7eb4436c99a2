"""What must be true before a survey campaign moves, and what its moves order, besides what holds for every campaign."""

from __future__ import annotations

from state_machines.draft import Draft
from state_machines.processes.campaign_rules import eligible


def questions_have_a_version(draft: Draft) -> bool:
    """Say which version of the questionnaire is asked; it does not change any more."""
    return draft.typed("questionnaire_version") is not None or draft.get("questionnaire_version") is not None


def pilot_is_large_enough(draft: Draft) -> bool:
    """Too few members for a pilot."""
    members, everybody = int(draft.typed("members", 0)), eligible(draft)
    fewest, percent = int(draft.setting("pilot_members")), int(draft.setting("pilot_percent"))
    share_met = everybody > 0 and members * 100 >= percent * everybody
    return (
        members >= fewest
        or share_met
        or draft.because(f"A pilot needs {fewest} members, or {percent} % of those who are asked.")
    )


def pilot_went_well(draft: Draft) -> bool:
    """The pilot showed something to put right first."""
    issues, minutes = int(draft.typed("open_issues", 0)), int(draft.typed("median_minutes", 0))
    most = int(draft.setting("pilot_minutes"))
    if issues:
        return draft.because(f"Issues are open ({issues}): solve them, or send the questionnaire back.")
    return minutes <= most or draft.because(
        f"Half of the members needed {minutes} minutes; {most} are the most. Send it back to be shortened."
    )


def report_is_submitted(draft: Draft) -> bool:
    """No report has been submitted yet."""
    return bool(draft.get("report"))


def no_cell_is_too_small(draft: Draft) -> bool:
    """A figure that is shared stands on too few answers."""
    smallest, fewest = draft.get("smallest_cell"), int(draft.setting("smallest_cell"))
    return (
        smallest is None
        or int(smallest) >= fewest
        or draft.because(f"A shared figure stands on {smallest} answers, and {fewest} are the fewest; leave it out.")
    )


def note_report(draft: Draft) -> None:
    """Keep where the report is and how small its smallest cell."""
    draft.set(report=draft.typed("report"), smallest_cell=draft.typed("smallest_cell"))


def drop_report(draft: Draft) -> None:
    """The report is not good enough; it has to be submitted again."""
    draft.set(report=None, smallest_cell=None)

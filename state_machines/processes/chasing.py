"""What is the same whenever a member is asked for something until a day: reminders, more time, notice, exemption.

A rule here reads the facts that every such case has: ``deadline``, ``last_written``, ``withheld``, ``comply_by``.
"""

from __future__ import annotations

from datetime import date

from state_machines.draft import Draft
from state_machines.process import Guard
from state_machines.processes.survey_forms import CallOutcome
from state_machines.values import Role

# --- guards: the ladder


def not_written_to_today(draft: Draft) -> bool:
    """The member was written to today already; wait until tomorrow."""
    return bool(draft.get("last_written") != draft.today)


def no_notice_yet(draft: Draft) -> bool:
    """The formal notice has gone out; nothing milder follows it."""
    return draft.case.state != "formal_notice"


def no_promise_stands(draft: Draft) -> bool:
    """The member has promised an answer for a day that has not passed."""
    return str(draft.get("promised_on") or "") < draft.today


def notice_may_go(draft: Draft) -> bool:
    """The formal notice goes out after the deadline, once, and not while a manager withholds it."""
    late = draft.today > str(draft.get("deadline"))
    by_hand = Role.SYSTEM not in draft.actor.roles
    return late and draft.case.state != "formal_notice" and (by_hand or not draft.get("withheld"))


def had_time_to_comply(draft: Draft) -> bool:
    """The time that the formal notice gave has not run out yet."""
    return str(draft.get("comply_by") or "") <= draft.today


# --- guards: dates


def deadline_has_passed(draft: Draft) -> bool:
    """The deadline is still ahead, so the member needs no new one."""
    return draft.today > str(draft.get("deadline"))


def deadline_is_ahead(draft: Draft) -> bool:
    """The deadline has passed; give the member a new one."""
    return not deadline_has_passed(draft)


def new_deadline_is_ahead(draft: Draft) -> bool:
    """The new deadline must be a day that has not passed."""
    until: date | None = draft.typed("until")
    return until is not None and until.isoformat() >= draft.today


def new_deadline_is_later(draft: Draft) -> bool:
    """The new deadline must be later than the one the member has, and a day that has not passed."""
    return new_deadline_is_ahead(draft) and draft.typed("until").isoformat() > str(draft.get("deadline"))


def promise_has_a_day(draft: Draft) -> bool:
    """A promise needs its day, today or later; with any other outcome, leave the day empty."""
    day: date | None = draft.typed("promised_on")
    if draft.typed("outcome") is not CallOutcome.PROMISED:
        return day is None
    return day is not None and day.isoformat() >= draft.today


def a_move_is_left(draft: Draft) -> bool:
    """The deadline has been moved too often already for this member."""
    return draft.count("deadline_moved") < int(draft.setting("deadline_moves"))


# --- guards: where a case goes back to


def came_from(state: str) -> Guard:
    """Return the guard that says whether the exemption was asked for in this state."""

    def guard(draft: Draft) -> bool:
        return bool(draft.get("returns_to") == state)

    guard.__name__ = f"came_from_{state}"
    guard.__doc__ = f"The exemption was not asked for in the state “{state.replace('_', ' ')}”."
    return guard


# --- effects


def note_writing(draft: Draft) -> None:
    """Remember that the member was written to today."""
    draft.set(last_written=draft.today)


def count_reminder(draft: Draft) -> None:
    """Remember the reminder."""
    draft.set(last_written=draft.today, reminders=int(draft.get("reminders", 0)) + 1)


def mark_overdue(draft: Draft) -> None:
    """From now on the answer is late."""
    draft.set(overdue=True)


def take_new_deadline(draft: Draft) -> None:
    """Move the deadline, and forget what followed from the old one."""
    draft.set(deadline=draft.typed("until").isoformat(), overdue=False, comply_by=None, withheld=False)


def grant_extension(draft: Draft) -> None:
    """Flag that this member has more time than the others."""
    draft.set(extension_granted=True, last_written=draft.today)


def start_notice(draft: Draft) -> None:
    """Work out by when the member must comply, and cite the clause."""
    allowance = draft.context.policy.clock(draft.process.name, "comply").allow
    comply_by = draft.context.calendar.local_date(draft.after(str(allowance)))
    draft.set(comply_by=comply_by.isoformat(), code_clause=draft.setting("code_clause"), overdue=True)


def withhold_notice(draft: Draft) -> None:
    """Keep the formal notice back."""
    draft.set(withheld=True)


def remember_state(draft: Draft) -> None:
    """Remember where the case goes back to when the exemption is declined."""
    draft.set(returns_to=draft.case.state)


def member_name(draft: Draft) -> str:
    """How people call the member."""
    return str((draft.fact("member") or {}).get("name") or draft.case.ref)


def ask_contact_repair(draft: Draft) -> None:
    """Somebody finds out how the member can be reached."""
    title = f"Find a working contact of {member_name(draft)}"
    draft.task("contact_repair", title, Role.COORDINATOR, draft.setting("repair_within"))

"""What must be true before a survey response moves, and what its moves order."""

from __future__ import annotations

import hashlib
from datetime import date

from state_machines.draft import Draft
from state_machines.process import Guard
from state_machines.processes.survey_forms import CallOutcome
from state_machines.values import Role

ASKED = ("invited", "opened", "in_progress")
"""Invited and friendly: reminders go out."""
CHASED = (*ASKED, "escalated", "formal_notice")
"""An answer is awaited and the ladder runs."""
WAITING = (*CHASED, "bounced", "exemption_requested", "decision")
"""No answer yet, and something else may have to come first."""
UNDER_REVIEW = ("dq_review", "queried")
LATE = ("failed", "refused")

# --- guards: reminders and the ladder


def may_be_reminded(draft: Draft) -> bool:
    """No reminder: the member was written to today, the deadline has passed, or no answer is awaited."""
    in_time = draft.today <= str(draft.get("deadline"))
    return draft.case.state in ASKED and in_time and not_written_to_today(draft)


def not_written_to_today(draft: Draft) -> bool:
    """The member was written to today already; wait until tomorrow."""
    return bool(draft.get("last_written") != draft.today)


def has_not_opened(draft: Draft) -> bool:
    """The member has opened the form."""
    return draft.case.state == "invited"


def has_opened(draft: Draft) -> bool:
    """The member has not opened the form."""
    return draft.case.state != "invited"


def has_begun(draft: Draft) -> bool:
    """The member has saved nothing yet."""
    return draft.case.state == "in_progress"


def has_not_begun(draft: Draft) -> bool:
    """The member has saved something."""
    return draft.case.state != "in_progress"


def is_still_asked(draft: Draft) -> bool:
    """The case has gone beyond friendly reminders."""
    return draft.case.state in ASKED


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
    """A promise needs the day it is for, today or later; without a promise there is no such day."""
    day: date | None = draft.typed("promised_on")
    if draft.typed("outcome") is not CallOutcome.PROMISED:
        return day is None
    return day is not None and day.isoformat() >= draft.today


# --- guards: the answer


def nothing_is_missing(draft: Draft) -> bool:
    """Some required questions have no answer yet; please answer them and submit again."""
    missing = draft.typed("missing", [])
    return not missing or draft.because(
        f"{len(missing)} required question{'s have' if len(missing) > 1 else ' has'} no answer yet"
        f" ({', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}); please answer and submit again."
    )


def every_flag_is_settled(draft: Draft) -> bool:
    """Flags are open: ask the member about them, or dismiss each with a reason."""
    settled = {each.flag for each in draft.typed("dismissed", [])}
    left = [flag["id"] for flag in draft.get("open_flags", ()) if flag["id"] not in settled]
    return not left or draft.because(
        f"{len(left)} flag{'s are' if len(left) > 1 else ' is'} open ({', '.join(left[:5])}"
        f"{' …' if len(left) > 5 else ''}): ask the member about them, or dismiss each with a reason."
    )


def a_round_is_left(draft: Draft) -> bool:
    """The member has been asked back as often as is fair: ring them and log the call, correct the answer as
    imputed by staff, or ask the manager to accept it with a caveat."""
    return draft.count("query") < int(draft.setting("query_rounds"))


def needs_second_check(draft: Draft) -> bool:
    """This answer is not in the sample that a second person checks."""
    digest = hashlib.sha256(str(draft.case.id).encode()).digest()
    sampled = int.from_bytes(digest[:4]) % 100 < int(draft.setting("second_check_percent"))
    return sampled or bool(draft.get("imputed"))


def second_check_is_done(draft: Draft) -> bool:
    """A second person must check this answer first, since it is in the sample or was changed by staff: ask a
    colleague to record the second check, then complete it."""
    return not needs_second_check(draft) or draft.get("second_checked") == draft.get("revision")


def a_move_is_left(draft: Draft) -> bool:
    """The deadline has been moved too often already for this member."""
    return draft.count("deadline_moved") < int(draft.setting("deadline_moves"))


def came_from(state: str) -> Guard:
    """Return the guard that says whether the exemption was asked for in this state."""

    def guard(draft: Draft) -> bool:
        return bool(draft.get("returns_to") == state)

    guard.__name__ = f"came_from_{state}"
    guard.__doc__ = f"The exemption was not asked for in the state “{state.replace('_', ' ')}”."
    return guard


# --- effects: writing to the member


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


# --- effects: calls and contacts


def member_name(draft: Draft) -> str:
    """How people call the member."""
    return str((draft.fact("member") or {}).get("name") or draft.case.ref)


def ask_first_call(draft: Draft) -> None:
    """Somebody rings the member."""
    title = f"Ring {member_name(draft)}: the survey is overdue"
    draft.task("phone", title, Role.COORDINATOR, draft.setting("call_within"), attempt=1)


def ask_second_call(draft: Draft) -> None:
    """Somebody rings another contact of the member."""
    title = f"Ring {member_name(draft)} again, another contact this time: the survey is overdue"
    draft.task("phone", title, Role.COORDINATOR, draft.setting("call_within"), attempt=2)


def ask_call_about_query(draft: Draft) -> None:
    """Somebody rings the member, since our questions were not answered."""
    title = f"Ring {member_name(draft)}: our questions about the answer were not replied to"
    draft.task("phone", title, Role.COORDINATOR, draft.setting("call_within"), attempt=1)


def note_call(draft: Draft) -> None:
    """Do what the call led to: a promise is checked on its day, a wrong number is repaired."""
    draft.set(calls=int(draft.get("calls", 0)) + 1)
    outcome, day = draft.typed("outcome"), draft.typed("promised_on")
    if outcome is CallOutcome.PROMISED and day is not None:
        draft.set(promised_on=day.isoformat())
        days = (day - date.fromisoformat(draft.today)).days
        title = f"{member_name(draft)} promised the survey for today: see whether it has come"
        draft.task("promise", title, Role.COORDINATOR, f"CD({days})")
    elif outcome is CallOutcome.WRONG_NUMBER:
        ask_contact_repair(draft)


def ask_contact_repair(draft: Draft) -> None:
    """Somebody finds out how the member can be reached."""
    title = f"Find a working contact of {member_name(draft)}"
    draft.task("contact_repair", title, Role.COORDINATOR, draft.setting("repair_within"))


# --- effects: the answer


def take_answer(draft: Draft) -> None:
    """Keep what the review needs: when it came, whether in time, and which flags are open."""
    deadline = str(draft.get("deadline"))
    draft.set(submitted_on=draft.today, late=draft.today > deadline, promised_on=None)
    draft.set(submitted_at=draft.now.isoformat(), answers_sha256=draft.typed("answers_sha256") or None)
    draft.set(**{name: draft.typed(name) for name in ("revision", "score", "band")})
    name, position = draft.typed("respondent_name"), draft.typed("respondent_role")
    draft.name_party("respondent", name=name, position=position)
    keep_flags(draft)


def keep_flags(draft: Draft) -> None:
    """Keep the flags by their ids; their words may name people and stay beside the event."""
    flags = draft.typed("flags")
    if flags is not None:
        draft.set(open_flags=[{"id": flag.id, "severity": flag.severity} for flag in flags])


def settle_flags(draft: Draft) -> None:
    """No flag is open any more."""
    draft.set(open_flags=[])


def note_imputation(draft: Draft) -> None:
    """Mark the questions as imputed by staff."""
    before = [q for q in draft.get("imputed", ()) if q not in draft.typed("questions")]
    draft.set(imputed=[*before, *draft.typed("questions")])
    keep_flags(draft)


def note_second_check(draft: Draft) -> None:
    """Remember which revision a second person has read."""
    draft.set(second_checked=draft.get("revision"))


def mark_caveat(draft: Draft) -> None:
    """Leave the answer out of the totals it would spoil."""
    draft.set(caveat=True)


# --- effects: exemption and the end


def remember_state(draft: Draft) -> None:
    """Remember where the case goes back to when the exemption is declined."""
    draft.set(returns_to=draft.case.state)


def tell_decline(draft: Draft) -> None:
    """Tell the member, and whether the deadline has passed meanwhile."""
    answered = draft.get("returns_to") in UNDER_REVIEW
    draft.set(last_written=draft.today)
    draft.send("survey_exemption_declined", "member", passed=deadline_has_passed(draft), answered=answered)


def open_incident(draft: Draft) -> None:
    """Open one monitoring case for this response, and never a second."""
    if draft.get("incident_opened"):
        return
    refused = draft.taken is not None and draft.taken.trigger == "refuse"
    draft.set(incident_opened=True)
    draft.spawn(
        "monitoring",
        f"No answer to {draft.get('campaign_title')}",
        link="caused_by",
        criterion="commitment_conduct",
        severity="major",
        source="survey refusal" if refused else "survey non-response",
        source_date=draft.today,
        evidence="campaign record",
    )

"""What must be true before a survey response moves, and what its moves order."""

from __future__ import annotations

import hashlib

from state_machines.draft import Draft
from state_machines.processes.chasing import deadline_has_passed, member_name, no_promise_stands, not_written_to_today
from state_machines.processes.reaching_proof import forget_promise
from state_machines.values import Role

ASKED = ("invited", "opened", "in_progress")
"""Invited and friendly: reminders go out."""
CHASED = (*ASKED, "escalated", "formal_notice")
"""An answer is awaited and the ladder runs."""
WAITING = (*CHASED, "bounced", "exemption_requested", "decision", "unreachable_asked")
"""No answer yet, and something else may have to come first."""
UNDER_REVIEW = ("dq_review", "queried")
LATE = ("failed", "refused")
GRAVE = ("HIGH", "CRITICAL")
"""Bands of the risk score that a person reviews."""

# --- guards: reminders and the ladder


def may_be_reminded(draft: Draft) -> bool:
    """No reminder: the member was written to today or promised an answer, the deadline has passed, or no answer is
    awaited."""
    deadline = str(draft.get("deadline"))
    at_peace = no_promise_stands(draft) or draft.today == deadline
    return draft.case.state in ASKED and draft.today <= deadline and at_peace and not_written_to_today(draft)


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


# --- effects: calls and contacts


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


# --- effects: the answer


def take_answer(draft: Draft) -> None:
    """Keep what the review needs: when it came, whether in time, and which flags are open."""
    deadline = str(draft.get("deadline"))
    draft.set(submitted_on=draft.today, late=draft.today > deadline)
    forget_promise(draft)
    draft.set(submitted_at=draft.now.isoformat(), answers_sha256=draft.typed("answers_sha256") or None)
    draft.set(**{name: draft.typed(name) for name in ("revision", "score", "band")})
    name, position = draft.typed("respondent_name"), draft.typed("respondent_role")
    draft.name_party("respondent", name=name, position=position)
    keep_flags(draft)
    if draft.get("band") in GRAVE:
        ask_risk_review(draft)


def ask_risk_review(draft: Draft) -> None:
    """Somebody looks at a high score, and whether it is a matter for monitoring, before the answer is complete."""
    title = f"Review the risk of {member_name(draft)}: the answers score {str(draft.get('band')).lower()}"
    draft.task("risk_review", title, Role.COORDINATOR, draft.setting("risk_review"))


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

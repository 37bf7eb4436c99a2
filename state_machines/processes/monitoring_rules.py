"""What must hold before a finding may move.

The docstring of a rule is what a person reads when it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from state_machines.draft import Draft
from state_machines.values import Role

GRAVE = ("high", "critical")


def case_is_critical(draft: Draft) -> bool:
    """Only a critical finding goes to the senior manager at once; change the severity first if it is one."""
    return bool(draft.get("severity") == "critical" or draft.get("criterion") == "default_list")


def not_critical(draft: Draft) -> bool:
    """The clocks of a critical case never stand still."""
    return not case_is_critical(draft)


def alert_is_open(draft: Draft) -> bool:
    """There is no alert that waits to be acknowledged."""
    return case_is_critical(draft) and bool(draft.get("alert") == "raised")


def meeting_is_open(draft: Draft) -> bool:
    """The meeting is on record already, or this case needs none."""
    return case_is_critical(draft) and draft.get("meeting") != "held"


# --- triage


def below_high(draft: Draft) -> bool:
    """The finding is graver than major: propose the dismissal, and a manager signs it as well."""
    return not is_grave(draft)


def is_grave(draft: Draft) -> bool:
    """The finding is minor or major; it can be dismissed without a second signature."""
    return case_is_critical(draft) or draft.get("severity") in GRAVE


def proposed_if_grave(draft: Draft) -> bool:
    """The coordinator proposes the dismissal of a finding graver than major first."""
    return not is_grave(draft) or bool(draft.get("dismissal_proposed"))


def duplicate_is_named(draft: Draft) -> bool:
    """Name the case that this one repeats."""
    return draft.typed("chosen") != "DUPLICATE" or bool(draft.typed("duplicate_of"))


def duplicates_were_checked(draft: Draft) -> bool:
    """Look for earlier findings on this member and criterion of the last 180 days first."""
    return bool(draft.typed("duplicates_checked"))


def no_upheld_complaint(draft: Draft) -> bool:
    """A linked complaint on the same facts is upheld: only a manager may close this, with the reason."""
    return draft.typed("chosen") != "NO_CASE" or not upheld_complaints(draft)


def upheld_complaint_is_answered(draft: Draft) -> bool:
    """A linked complaint on the same facts is upheld: say why this is closed without a case all the same."""
    return no_upheld_complaint(draft) or bool(draft.typed("despite_complaint"))


def upheld_complaints(draft: Draft) -> list[Mapping[str, Any]]:
    """The linked complaints that were upheld, wholly or in part: closed, or answered and not closed yet."""
    return [c for c in _complaints(draft) if _decision_on(c) in ("upheld", "partly", "partly_upheld")]


def _decision_on(complaint: Mapping[str, Any]) -> str:
    answered = (complaint.get("data") or {}).get("decision")
    return str(complaint.get("outcome") or answered or "").lower()


def _complaints(draft: Draft) -> Iterable[Mapping[str, Any]]:
    return (c for c in draft.fact("linked", ()) if c.get("process") == "complaint")


def rated_critical(draft: Draft) -> bool:
    """The severity typed is not critical."""
    return draft.typed("severity") == "critical" and not case_is_critical(draft)


def rated_below(draft: Draft) -> bool:
    """Choose another severity; a critical one is lowered by a manager only."""
    lowered = draft.typed("severity") not in ("critical", draft.get("severity"))
    return lowered and (not case_is_critical(draft) or Role.MANAGER in draft.actor.roles)


# --- assessment


def questions_are_approved(draft: Draft) -> bool:
    """The questions must be approved before they are sent."""
    return bool(draft.typed("approved"))


def source_is_redacted(draft: Draft) -> bool:
    """Take out whatever tells who the source is."""
    return bool(draft.typed("source_redacted"))


def not_extended_yet(draft: Draft) -> bool:
    """The time to answer was extended once already; it cannot be again."""
    return not draft.get("reply_extended")


def was_asked(draft: Draft) -> bool:
    """The member has not been asked anything yet."""
    return bool(draft.get("reply_asked"))


def reply_offered_or_waived(draft: Draft) -> bool:
    """Offer the member a right of reply first, or have a manager waive it."""
    return was_asked(draft) or bool(draft.get("reply_waived"))


def every_indicator_is_scored(draft: Draft) -> bool:
    """Score every indicator of the protocol, and no others."""
    return set(draft.typed("indicators", {})) == set(draft.setting("indicators"))


def pack_is_complete(draft: Draft) -> bool:
    """The pack lacks the scores, the grade of the evidence or the recommendation."""
    return all(draft.get(name) is not None for name in ("indicators", "evidence_grade", "recommendation"))


def returns_left(draft: Draft) -> bool:
    """It was returned as often as may be; meet its author, then warn, close or recommend a sanction."""
    return int(draft.get("returns", 0)) < int(draft.setting("returns"))


# --- whom to tell


def source_asked(draft: Draft) -> bool:
    """The source did not ask to hear of it."""
    return bool(draft.get("tell_source")) and "source" in draft.parties


def member_knows(draft: Draft) -> bool:
    """The member was never told of this finding."""
    return bool(draft.get("reply_asked") or draft.get("interim") or draft.get("stage", "none") != "none")


def complaint_actions_settled(draft: Draft) -> bool:
    """A linked complaint still has open actions: finish them, or say where they go on."""
    waiting = [c for c in _complaints(draft) if c.get("state") == "actions_open"]
    return not waiting or bool(draft.typed("split_off"))

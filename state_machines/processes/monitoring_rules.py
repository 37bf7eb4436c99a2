"""What must hold before a monitoring case may move. The docstring of each rule is what a person reads when it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from state_machines.deadlines import add_months
from state_machines.draft import Draft
from state_machines.process import Guard
from state_machines.values import Role

DECIDERS = (
    "call_senior", "submit_assessment", "recommend_sanction", "close_without_case", "warn", "reject_plan", "record_refusal",
    "suspend", "give_notice", "terminate", "withdraw_notice", "stay",
)  # fmt: skip
"""Whoever did one of these on a case does not sit in its appeal."""

GRAVE = ("high", "critical")
STAGES = ("none", "warning", "suspension", "expulsion")


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
    """A linked complaint on the same facts is upheld: only a manager may close this without a case, and must say why."""
    return draft.typed("chosen") != "NO_CASE" or not upheld_complaints(draft)


def upheld_complaint_is_answered(draft: Draft) -> bool:
    """A linked complaint on the same facts is upheld: say why this is closed without a case all the same."""
    return no_upheld_complaint(draft) or bool(draft.typed("despite_complaint"))


def upheld_complaints(draft: Draft) -> list[Mapping[str, Any]]:
    """The linked complaints that were upheld, wholly or in part."""
    return [
        c
        for c in _complaints(draft)
        if str(c.get("outcome") or "").lower() in ("upheld", "partly", "partly_upheld")
    ]


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
    """It was returned as often as may be; sit down with the author, then warn, close or put it to the senior manager."""
    return int(draft.get("returns", 0)) < int(draft.setting("returns"))


# --- decisions


def no_conflict_declared(draft: Draft) -> bool:
    """You declared a conflict of interest; someone else must decide."""
    return not draft.typed("conflict_declared")


def breach_was_found(draft: Draft) -> bool:
    """The assessment found no breach; close it with or without advice, or return it with questions."""
    return bool(draft.get("breach_found"))


def minor_or_major(draft: Draft) -> bool:
    """A finding graver than major is decided by the senior manager; recommend a sanction."""
    return not is_grave(draft)


def repeat_is_justified(draft: Draft) -> bool:
    """This is the second case on this criterion within 24 months: go to the next stage, or say why only a warning."""
    repeated = int(draft.fact("history", {}).get("same_criterion_24m", 0)) >= 1
    return not repeated or bool(draft.typed("why_not_next_stage"))


def quorum_is_reached(draft: Draft) -> bool:
    """Too few people sat; name those present, or wait until there is a quorum."""
    council = Role.COUNCIL in draft.actor.roles
    needed = int(draft.setting("quorum_council" if council else "quorum_senior"))
    return _urgent(draft) or len(draft.typed("present", ())) >= needed


def member_was_heard(draft: Draft) -> bool:
    """The member has not been heard; ask first, unless this is an urgent interim measure in a critical case."""
    return _urgent(draft) or reply_offered_or_waived(draft)


def _urgent(draft: Draft) -> bool:
    return bool(draft.typed("urgent_interim")) and case_is_critical(draft)


def chosen(word: str) -> Guard:
    """Return the guard that the decision typed is this one."""

    def chosen_fits(draft: Draft) -> bool:
        """The decision typed is not the one this button stands for."""
        return bool(draft.typed("chosen") == word)

    return chosen_fits


def time_is_up(draft: Draft, clock: str) -> bool:
    """Whether a clock of the case has run out."""
    running = draft.case.clocks.get(clock)
    return running is not None and not running.paused and running.due <= draft.now


def resolve_is_over_or_refused(draft: Draft) -> bool:
    """The time to resolve has not run out and the member has not refused; a suspension would come too early."""
    return time_is_up(draft, "resolve") or bool(draft.get("refused_on"))


def notice_was_given(draft: Draft) -> bool:
    """The member must have had the pre-suspension notice seven days before (not in a critical case)."""
    given = draft.get("pre_notice_on")
    days = timedelta(days=int(draft.setting("pre_notice_days")))
    return case_is_critical(draft) or (given is not None and _day(given) + days <= _day(draft.today))


def no_notice_yet(draft: Draft) -> bool:
    """The pre-suspension notice was given already."""
    return draft.get("pre_notice_on") is None


def expel_is_over(draft: Draft) -> bool:
    """The time after the suspension has not run out; a notice of termination would come too early."""
    return time_is_up(draft, "expel")


def representations_heard(draft: Draft) -> bool:
    """The member can still make representations; wait for them or for the end of their time."""
    return bool(draft.get("representations_on")) or time_is_up(draft, "representations")


def statutes_allow(draft: Draft) -> bool:
    """The statutes leave expulsion to the council."""
    return Role.COUNCIL in draft.actor.roles or not draft.setting("expulsion_by_council")


# --- the corrective plan


def rounds_left(draft: Draft) -> bool:
    """As many plans were rejected as may be: the manager meets the member first."""
    return int(draft.get("plan_rejections", 0)) < int(draft.setting("plan_rounds")) or bool(
        draft.get("plan_meeting")
    )


def rounds_are_used_up(draft: Draft) -> bool:
    """The meeting comes after the last rejection; the member can still send a plan."""
    return int(draft.get("plan_rejections", 0)) >= int(draft.setting("plan_rounds"))


def first_rejection(draft: Draft) -> bool:
    """A second rejection needs the manager's signature: propose it."""
    return int(draft.get("plan_rejections", 0)) == 0


def last_rejection_proposed(draft: Draft) -> bool:
    """The coordinator proposes a further rejection first; after the last one accept the plan or record a refusal."""
    return (
        not first_rejection(draft) and not rounds_are_used_up(draft) and bool(draft.get("rejection_proposed"))
    )


def may_be_rejected_again(draft: Draft) -> bool:
    """The first rejection needs one signature; after the last, a manager accepts the plan or records a refusal."""
    return not first_rejection(draft) and not rounds_are_used_up(draft)


def is_minor(draft: Draft) -> bool:
    """A coordinator accepts plans on minor breaches; this one a manager must accept."""
    return bool(draft.get("severity") == "minor")


def evidence_for_each_action(draft: Draft) -> bool:
    """Give one line of evidence for each action of the plan."""
    return len(draft.typed("evidence", ())) >= len(draft.get("plan", ()))


def more_milestones(draft: Draft) -> bool:
    """That was the last milestone of the plan."""
    return any(day > draft.today for day in draft.get("milestones", ()))


def within_time_to_resolve(draft: Draft) -> bool:
    """The date lies after the time to resolve; a manager must grant more time."""
    running, day = draft.case.clocks.get("resolve"), draft.typed("next_date")
    return running is None or day is None or day <= draft.context.calendar.local_date(running.due)


def extensions_left(draft: Draft) -> bool:
    """The time to resolve was extended as often as may be; the senior manager decides now."""
    return int(draft.get("extensions", 0)) < int(draft.setting("extensions"))


def later_than_now(draft: Draft) -> bool:
    """The new end must lie after the present one."""
    running, until = draft.case.clocks.get("resolve"), draft.typed("until")
    return running is not None and bool(until > draft.context.calendar.local_date(running.due))


def complaint_actions_settled(draft: Draft) -> bool:
    """A linked complaint still has open actions: finish them, or say where they go on."""
    waiting = [c for c in _complaints(draft) if c.get("state") == "actions_open"]
    return not waiting or bool(draft.typed("split_off"))


# --- appeals, endings, beginnings anew


def in_time_to_appeal(draft: Draft) -> bool:
    """The time to appeal has run out."""
    return draft.today <= str(draft.get("appeal_until") or "")


def first_appeal_of_stage(draft: Draft) -> bool:
    """This sanction has been appealed against already; the panel's decision stands."""
    return draft.get("stage") not in draft.get("appealed_stages", ())


def came_from(state: str) -> Guard:
    """Return the guard that the appeal came from a state."""

    def came_from_there(draft: Draft) -> bool:
        """The case did not come from there."""
        return bool(draft.get("appealed_from") == state)

    return came_from_there


def panel_is_independent(draft: Draft) -> bool:
    """Someone on the panel took part in an earlier decision of this case; name another."""
    earlier = {person for trigger in DECIDERS for person in draft.case.people.get(trigger, ())}
    return not earlier & set(draft.typed("panel", ()))


def panel_has_quorum(draft: Draft) -> bool:
    """The panel is too small."""
    return len(set(draft.typed("panel", ()))) >= int(draft.setting("quorum_council"))


def varied_to(stage: str) -> Guard:
    """Return the guard that the panel puts this in place of the sanction, and that it is milder."""

    def milder(draft: Draft) -> bool:
        """The panel can only put something milder in place of the sanction."""
        lower = stage == "advisory" or STAGES.index(stage) < STAGES.index(draft.get("stage"))
        return bool(draft.typed("instead") == stage) and lower

    return milder


def not_expelled_here(draft: Draft) -> bool:
    """The membership was ended by this case; the time to appeal runs on."""
    return bool(draft.get("stage") != "expulsion")


def within_reopening(draft: Draft) -> bool:
    """It was closed more than twelve months ago; log a new finding."""
    closed, months = draft.get("closed_on"), int(draft.setting("reopen_months"))
    return closed is not None and _day(draft.today) <= add_months(_day(closed), months)


def still_a_member(draft: Draft) -> bool:
    """The member has left; the mark on the register meets a new application."""
    return bool(draft.get("outcome") != "MEMBER_LEFT")


# --- whom to tell


def source_asked(draft: Draft) -> bool:
    """The source did not ask to hear of it."""
    return bool(draft.get("tell_source")) and "source" in draft.parties


def member_knows(draft: Draft) -> bool:
    """The member was never told of this finding."""
    return bool(draft.get("reply_asked") or draft.get("interim") or draft.get("stage", "none") != "none")


def _day(text: str) -> date:
    return date.fromisoformat(str(text)[:10])

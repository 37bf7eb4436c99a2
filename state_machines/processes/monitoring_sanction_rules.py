"""What must hold before a case is decided, remedied, appealed against or opened again.

The docstring of a rule is what a person reads when it does not hold.
"""

from __future__ import annotations

from datetime import date, timedelta

from state_machines.deadlines import add_months
from state_machines.draft import Draft
from state_machines.process import Guard
from state_machines.processes.monitoring_rules import case_is_critical, is_grave, reply_offered_or_waived
from state_machines.values import Role

DECIDERS = (
    "call_senior", "submit_assessment", "recommend_sanction", "close_without_case", "warn", "reject_plan",
    "record_refusal",
    "suspend", "give_notice", "terminate", "withdraw_notice", "stay",
)  # fmt: skip
"""Whoever did one of these on a case does not sit in its appeal."""

STAGES = ("none", "warning", "suspension", "expulsion")


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
    """This is the second case on this criterion within 24 months: recommend a sanction, or say why not."""
    repeated = int(draft.fact("history", {}).get("same_criterion_24m", 0)) >= 1
    return not repeated or bool(draft.typed("why_not_next_stage"))


def quorum_is_reached(draft: Draft) -> bool:
    """Too few people sat; name those present, or wait until there is a quorum."""
    council = Role.COUNCIL in draft.actor.roles
    needed = int(draft.setting("quorum_council" if council else "quorum_senior"))
    return _urgent(draft) or len(draft.typed("present", ())) >= needed


def member_was_heard(draft: Draft) -> bool:
    """The member has not been heard; ask first, unless this is urgent in a critical case."""
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
    """The time to resolve has not run out and the member has not refused; it is too early."""
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
    return int(draft.get("plan_rejections", 0)) < int(draft.setting("plan_rounds")) or bool(draft.get("plan_meeting"))


def rounds_are_used_up(draft: Draft) -> bool:
    """The meeting comes after the last rejection; the member can still send a plan."""
    return int(draft.get("plan_rejections", 0)) >= int(draft.setting("plan_rounds"))


def first_rejection(draft: Draft) -> bool:
    """A second rejection needs the manager's signature: propose it."""
    return int(draft.get("plan_rejections", 0)) == 0


def last_rejection_proposed(draft: Draft) -> bool:
    """The coordinator proposes a further rejection first; after the last, accept or record a refusal."""
    return not first_rejection(draft) and not rounds_are_used_up(draft) and bool(draft.get("rejection_proposed"))


def may_be_rejected_again(draft: Draft) -> bool:
    """The first rejection needs one signature; after the last, accept the plan or record a refusal."""
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


def _day(text: str) -> date:
    return date.fromisoformat(str(text)[:10])

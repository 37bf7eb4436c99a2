"""What decisions, plans and appeals do besides moving a case: stages, letters, dates, the register."""

from __future__ import annotations

from collections.abc import Callable

from state_machines.draft import Draft
from state_machines.process import Effect
from state_machines.processes.monitoring_effects import alert_if_critical, close, count_up, last_day, letter
from state_machines.values import Role

BACKED_BY = {"suspension": "suspended", "expulsion": "terminated"}
"""The status in the register by the stage of the case."""


# --- sanctions


def open_case(draft: Draft) -> None:
    """The finding becomes a case that is counted, with the first decision that applies a stage."""
    if not draft.get("case_opened_at"):
        draft.set(case_opened_at=draft.today)


def begin_warning(draft: Draft) -> None:
    """Apply the first stage; the plan and the time to resolve start."""
    fees = draft.get("criterion") == "fees"
    draft.set(stage="warning", warned_on=draft.today, resolve_from=draft.get("source_date") if fees else None,
              pre_notice_on=None, refused_on=None, extensions=0, plan=[], plan_rejections=0,
              plan_meeting=False)  # fmt: skip
    if draft.get("interim") == "rights":
        draft.change_member(status="active")
    draft.set(interim=None)
    open_case(draft)


def warn(draft: Draft) -> None:
    """Warn formally: facts, required action, dates, consequence and the way to appeal."""
    begin_warning(draft)
    draft.set(appeal_until=last_day(draft, "appeal_window"))
    letter(draft, "monitoring_warning", appeal_until=draft.get("appeal_until"),
           plan_by=last_day(draft, "plan"),
           resolve_by=last_day(draft, "resolve", draft.get("resolve_from")))  # fmt: skip


def begin_suspension(draft: Draft) -> None:
    """Apply the second stage in the register and tell those who must stop benefits."""
    draft.set(stage="suspension", suspended_on=draft.today, interim=None, refused_on=None)
    open_case(draft)
    draft.change_member(status="suspended")
    draft.send("monitoring_benefits_stopped", "role:finance")
    draft.send("monitoring_benefits_stopped", "site")
    draft.task("monitoring_stop_benefits",
               "Take the member off the public list, the logo licence and the platform",
               Role.COORDINATOR, "WD(1)")  # fmt: skip


def suspend(draft: Draft) -> None:
    """Suspend, with a letter that says what ends it and by when."""
    begin_suspension(draft)
    draft.set(appeal_until=last_day(draft, "appeal_window"))
    letter(
        draft,
        "monitoring_suspension",
        appeal_until=draft.get("appeal_until"),
        expel_after=last_day(draft, "expel"),
    )


def give_notice(draft: Draft) -> None:
    """Give notice of termination; without a suspension before it, the rights rest from now on as well."""
    if draft.get("stage") != "suspension":
        begin_suspension(draft)
    draft.set(representations_on=None)
    letter(draft, "monitoring_termination_notice", representations_by=last_day(draft, "representations"))


def terminate(draft: Draft) -> None:
    """End the membership: register, letter, last invoice."""
    draft.set(stage="expulsion", terminated_on=draft.today, appeal_until=last_day(draft, "appeal_window"))
    draft.change_member(status="terminated")
    draft.send("monitoring_benefits_stopped", "role:finance")
    draft.task("monitoring_final_invoice", "Send the last invoice and end the licences", Role.FINANCE, "WD(10)")
    letter(draft, "monitoring_termination", appeal_until=draft.get("appeal_until"))


def pre_notice(draft: Draft) -> None:
    """Tell the member that suspension may follow, and keep the date: it must wait seven days from it."""
    draft.set(pre_notice_on=draft.today)
    letter(draft, "monitoring_pre_notice", earliest=draft.context.calendar.local_date(
        draft.after(f"CD({int(draft.setting('pre_notice_days'))})")).isoformat())  # fmt: skip


def record_refusal(draft: Draft) -> None:
    """Note the refusal; the notice goes out now if it has not gone before."""
    draft.set(refused_on=draft.today)
    if draft.get("pre_notice_on") is None:
        pre_notice(draft)


def give_more_time(draft: Draft) -> None:
    """Count the extension; the pre-suspension notice is due again before the new end."""
    count_up("extensions")(draft)
    draft.set(pre_notice_on=None, refused_on=None)
    letter(draft, "monitoring_more_time", until=draft.typed("until").isoformat())


def reinstate(draft: Draft) -> None:
    """Give the rights back."""
    close(draft, "RESOLVED")
    draft.change_member(status="active")
    draft.task("monitoring_restore_benefits", "Put the member back on the list, the licence and the platform",
               Role.COORDINATOR, "WD(1)")  # fmt: skip
    letter(draft, "monitoring_reinstatement")


def close_resolved(draft: Draft) -> None:
    """Close with thanks; the follow-up check comes later."""
    close(draft, "RESOLVED")
    letter(draft, "monitoring_closure", outcome="RESOLVED")


# --- the corrective plan


def keep_plan(draft: Draft) -> None:
    """Keep what is to be done by when; who does it stays with the personal part of the event."""
    actions = draft.typed("actions", ())
    plan = [{"text": a.text, "due": a.due.isoformat(), "evidence": a.evidence} for a in actions]
    draft.set(plan=plan, rejection_proposed=False)


def schedule_milestones(draft: Draft) -> None:
    """Each date of the plan is a milestone; the first that lies ahead has the clock."""
    days = sorted({action["due"] for action in draft.get("plan", ())})
    draft.set(milestones=days, next_milestone=next((day for day in days if day > draft.today), days[-1]))


def next_milestone(draft: Draft) -> None:
    """Go on to the next milestone."""
    draft.set(next_milestone=min(day for day in draft.get("milestones") if day > draft.today))


def plan_is_rejected(draft: Draft) -> None:
    """Count the rejection; after the last one the manager meets the member."""
    count_up("plan_rejections")(draft)
    draft.set(rejection_proposed=False, plan_meeting=False)
    letter(draft, "monitoring_plan_rejected", plan_by=last_day(draft, "plan"))
    if int(draft.get("plan_rejections")) >= int(draft.setting("plan_rounds")):
        draft.task("monitoring_meet_member", "Two plans were rejected: meet the member", Role.MANAGER, "WD(5)")


def set_new_date(draft: Draft) -> None:
    """The gaps become one more milestone."""
    day = draft.typed("next_date").isoformat()
    draft.set(milestones=sorted({*draft.get("milestones", ()), day}), next_milestone=day)


# --- appeals


def begin_appeal(draft: Draft) -> None:
    """Remember where it came from: there it goes back to, and each sanction is appealed against once."""
    draft.set(
        appealed_from=draft.case.state,
        appealed_stages=[*draft.get("appealed_stages", ()), draft.get("stage")],
    )


def stay(draft: Draft) -> None:
    """Take the sanction back by one step while the panel sits."""
    draft.set(stayed=True)
    status = {"suspension": "active", "expulsion": "suspended"}.get(str(draft.get("stage")))
    if status:
        draft.change_member(status=status)


def lift_stay(draft: Draft) -> None:
    """Put a stayed sanction into force again."""
    if draft.get("stayed") and draft.get("stage") in BACKED_BY:
        draft.change_member(status=BACKED_BY[draft.get("stage")])
    draft.set(stayed=False)


def appeal_is(result: str) -> Effect:
    """Return the effect that tells the member, and the source of the file, what the panel decided."""

    def tell(draft: Draft) -> None:
        letter(draft, "monitoring_appeal_decided", result=result, instead=str(draft.typed("instead", "")))

    return tell


def restore(outcome: str) -> Callable[[Draft], None]:
    """Return the effect that closes the case and gives back what the sanction took."""

    def give_back(draft: Draft) -> None:
        close(draft, outcome)
        if draft.get("stage") in BACKED_BY:
            draft.change_member(status="active")

    return give_back


def vary_to_warning(draft: Draft) -> None:
    """A warning in place of the sanction: the time to resolve starts with the panel's decision."""
    begin_warning(draft)
    draft.change_member(status="active")
    draft.set(stayed=False, resolve_from=None)


def vary_to_suspension(draft: Draft) -> None:
    """A suspension in place of the expulsion: its time starts with the panel's decision."""
    begin_suspension(draft)
    draft.set(stayed=False)


# --- endings and beginnings anew


def member_left(draft: Draft) -> None:
    """Close it and mark the register, so that a new application meets the open case."""
    close(draft, "MEMBER_LEFT")
    draft.set(left_under_case=True)
    draft.member_changes.pop("status", None)
    draft.change_member(add_flags=["left_under_case"])


def follow_up_task(draft: Draft) -> None:
    """Ask for the check three months after the closure."""
    draft.task("monitoring_follow_up", "Check whether the remedy has lasted", Role.COORDINATOR, "WD(10)")


def review_task(draft: Draft) -> None:
    """Ask how a suspended member is getting on."""
    draft.task(
        "monitoring_suspension_review",
        "Ask the suspended member how the remedy stands",
        Role.COORDINATOR,
        "WD(5)",
    )


def reopen(draft: Draft) -> None:
    """The same case again, as a finding to be assessed; what was decided before stays in the record."""
    count_up("reopened")(draft)
    earlier = {
        "opened": draft.get("case_opened_at"),
        "closed": draft.get("closed_on"),
        "outcome": draft.get("outcome"),
    }
    draft.set(
        earlier=[*draft.get("earlier", ()), earlier],
        outcome=None, closed_on=None, stage="none", case_opened_at=None, returns=0, reply_asked=False,
        reply_waived=False,
        reply_extended=False, indicators=None, evidence_grade=None, recommendation=None, breach_found=None,
        pre_notice_on=None, refused_on=None, appealed_stages=[], appealed_from=None, appeal_until=None,
        stayed=False,
        dismissal_proposed=False, interim=None, plan=[], milestones=[], next_milestone=None,
        alert=None, meeting=None, alerted_at=None,
    )  # fmt: skip
    alert_if_critical(draft)

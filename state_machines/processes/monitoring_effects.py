"""What the moves of a finding do besides moving it: facts, letters, tasks."""

from __future__ import annotations

from typing import Any

from state_machines.clockwork import instant_of
from state_machines.deadlines import due_instant
from state_machines.draft import Draft
from state_machines.process import Effect
from state_machines.processes.monitoring_rules import case_is_critical, member_knows, source_asked
from state_machines.values import Role

LETTER_TO = ("member", "signatory")
"""A formal letter goes to the first contact and to the person who signs for the member."""


def letter(draft: Draft, kind: str, **data: Any) -> None:
    """Send a formal letter to everyone at the member who must have it."""
    for to in LETTER_TO:
        draft.send(kind, to, **data)


def last_day(draft: Draft, clock: str, anchor: Any = None) -> str:
    """Return the last local day of a clock that starts now, for the letter that announces it."""
    numbers = draft.context.policy.clock(draft.process.name, clock)
    allowance = numbers.allowance(draft.data)
    start = instant_of(anchor, draft.context.calendar, end=False) if anchor else draft.now
    if allowance is None:
        return draft.today
    due = due_instant(allowance, start, draft.context.calendar, cut_off=numbers.cutoff)
    return draft.context.calendar.local_date(due).isoformat()


# --- signal, triage, assessment


def record_source(draft: Draft) -> None:
    """Keep who told us apart from the facts; a critical finding is alerted at once."""
    if draft.typed("source_name") or draft.typed("source_email"):
        draft.name_party("source", name=draft.typed("source_name"), email=draft.typed("source_email"))
    draft.set(stage="none")
    alert_if_critical(draft)


def alert_if_critical(draft: Draft) -> None:
    """Alert the manager and the senior manager, by message and by phone, once."""
    if not case_is_critical(draft) or draft.get("alert"):
        return
    draft.set(alert="raised", alerted_at=draft.now.isoformat())
    for to in ("manager", "senior"):
        draft.send("monitoring_critical_alert", to)
    draft.task("monitoring_phone_alert",
               "Phone the manager and the senior manager about this critical finding",
               Role.COORDINATOR, "H(4)")  # fmt: skip


def acknowledge(draft: Draft) -> None:
    """Stop the alert; the record says who took it."""
    draft.set(alert="acknowledged")


def drop_alert(draft: Draft) -> None:
    """A finding that is not critical alerts nobody; should it become so again, it does anew."""
    if not case_is_critical(draft):
        draft.set(alert=None, meeting=None, alerted_at=None)


def search_duplicates(draft: Draft) -> None:
    """Have somebody look for the same member and criterion in the last 180 days."""
    draft.task("monitoring_duplicates",
               "Look for findings on the same member and criterion in the last 180 days",
               Role.COORDINATOR, "WD(3)", criterion=draft.get("criterion"))  # fmt: skip


def ask_the_complaints_team(draft: Draft) -> None:
    """Hand a finding in which somebody seeks redress to the people who handle complaints."""
    draft.task("monitoring_to_complaints", "An aggrieved party seeks redress: open a complaint and link it",
               Role.COORDINATOR, "WD(2)", reason=draft.typed("reason"))  # fmt: skip


def propose_dismissal(draft: Draft) -> None:
    """Have the manager sign as well."""
    draft.set(dismissal_proposed=True)


def close_as_chosen(draft: Draft) -> None:
    """Close it the way that was chosen, lift a precaution, and tell a member who knows of it."""
    close(draft, str(draft.typed("chosen")))
    if draft.typed("chosen") == "ADVISORY":
        letter(draft, "monitoring_advisory")
    elif member_knows(draft):
        letter(draft, "monitoring_closure", outcome=str(draft.typed("chosen")))


def close(draft: Draft, outcome: str) -> None:
    """Set how and when it ended; a source who asked hears that it is concluded, and no more."""
    draft.set(outcome=outcome, closed_on=draft.today)
    if draft.get("interim") == "rights":
        draft.change_member(status="active")
    if source_asked(draft):
        draft.send("monitoring_source_concluded", "party:source")


def take_interim_measure(draft: Draft) -> None:
    """Note the precaution; rights are stopped only when it says so."""
    rights = bool(draft.typed("suspend_rights"))
    draft.set(interim="rights" if rights else "measure")
    if rights:
        draft.change_member(status="suspended")
    letter(draft, "monitoring_interim")


def note(**facts: Any) -> Effect:
    """Return the effect that sets these facts."""

    def set_facts(draft: Draft) -> None:
        draft.set(**facts)

    return set_facts


def note_today(name: str) -> Effect:
    """Return the effect that keeps the date of today under a name."""

    def keep_date(draft: Draft) -> None:
        draft.set(**{name: draft.today})

    return keep_date


def count_up(name: str) -> Effect:
    """Return the effect that counts one more."""

    def count(draft: Draft) -> None:
        draft.set(**{name: int(draft.get(name, 0)) + 1})

    return count


def after_return(draft: Draft) -> None:
    """Count the return; after the last one the manager and the author must meet."""
    count_up("returns")(draft)
    if int(draft.get("returns")) >= int(draft.setting("returns")):
        draft.send("case_escalated", "manager")
        draft.task("monitoring_meet_author", "The assessment came back for the last time: meet its author",
                   Role.MANAGER, "WD(5)")  # fmt: skip

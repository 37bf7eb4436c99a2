"""What to do about each thing that a check may find, in words for whoever looks after the installation."""

from __future__ import annotations

from collections.abc import Mapping

REPAIR = "muster check --repair"

ADVICE: Mapping[str, str] = {
    "process": "A definition or the policy does not hold: mend the policy file, or go back to the version before.",
    "letters": "A letter cannot be written: put its template back, or install this version of Muster again.",
    # --- cases that would stand still
    "no_owner": f"{REPAIR} gives it to whom the rules name.",
    "owner_left": f"{REPAIR} gives it to whom the rules name; so does the next night.",
    "owner_kept_out": f"{REPAIR} gives it to somebody who may see it.",
    "no_clock": f"{REPAIR} starts the clocks of its state, counted from when it came into it.",
    "nothing_due": f"{REPAIR} works its clocks out again; where nothing is left to do, a person must move it on.",
    "clock_of_other_state": f"{REPAIR} ends what does not belong to its state and starts what does.",
    "hold_without_end": f"{REPAIR} starts the clock that ends the hold.",
    "due_unlike_clocks": f"{REPAIR} takes both instants from its clocks again.",
    "clock_after_end": f"{REPAIR} ends its clocks.",
    "task_after_end": f"{REPAIR} closes what is left to do.",
    "parked": "muster cases show REF says why. Mend the cause, then: muster cases unpark REF",
    "swept_late": "Start muster up, or run: muster sweep",
    "held_back": "A manager decides: Approvals, Held back, at the desk, or: muster holds",
    "no_sweep": "Start muster up, or run: muster sweep",
    # --- the row of a case and its record
    "unknown_process": "No process has this name: bring back the version that had it, or write a migration.",
    "unknown_state": f"{REPAIR} takes the state from the record; if that names it as well, a migration must move the "
    "case on.",
    "closed_unlike_state": f"{REPAIR} closes or opens it, as its state says.",
    "state_without_event": f"{REPAIR} takes the state from the record.",
    "head_unlike_events": f"{REPAIR} lets it follow its last event again, if its record is whole.",
    "fired_twice": "A constraint of the database is missing: restore a backup, or compare with: muster init",
    "future_event": "A clock was wrong when it was written. Check the time of the machine; the event stays as it is.",
    "record": "The record is not as it was written. Nothing mends it: keep the database as it is, find out who could "
    "write to it, and compare with the newest backup (muster audit verify; muster restore into another home).",
    "one_pair_of_eyes": "Tell a senior manager: the decision has to be looked at by a second person.",
    "asked_by_who_left": "Whoever decides can no longer ask them; decide from what is in the case, or send it back.",
    # --- mail
    "sent_twice": "Tell the owner of the case; what was sent stays sent.",
    "sent_too_late": "Tell the owner of the case; perhaps a word to the member is due.",
    "waits_in_vain": "The next delivery sets it aside: start muster up, or run: muster deliver",
    "message_without_case": f"{REPAIR} sets it aside; it is not sent.",
    "sending_without_lease": f"{REPAIR} puts it back into the queue.",
    "sending_stuck": f"The next delivery takes them up; so does {REPAIR}.",
    "outbox_late": "muster messages list --state queued shows why they wait; start muster up, or run: muster deliver",
    # --- cases that belong together
    "child_without_parent": f"{REPAIR} links it where only one campaign asks this member; otherwise a manager must end "
    "it.",
    "open_after_campaign": f"{REPAIR} ends it as the campaign did.",
    "in_force_twice": f"{REPAIR} lets the newer version take the place of the older.",
    # --- work and files
    "job_unfinished": f"{REPAIR} writes down that it was given up; the next period is not touched.",
    "evidence": "muster restore FILE --files puts files back from a backup. A stored file of no case can stay.",
}
"""By the name of the check."""


def advice_on(check: str) -> str:
    """Return what to do about a finding of this check."""
    return ADVICE.get(check, "")

"""Guards and effects of a complaint: who may act, what must be answered, what is written down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from state_machines.deadlines import due_instant
from state_machines.draft import Draft
from state_machines.values import Role

STAGE_1 = (
    "acknowledge", "try_early_resolution", "fix_agreed", "allocate", "extend", "ask_complainant", "respond",
    "approve_response", "return_response",
)  # fmt: skip
"""What people do at stage 1; whoever did any of it may not look at it again at stage 2."""


def profile(draft: Draft) -> dict[str, Any]:
    """The row of the complaint's profile in the policy."""
    rows = draft.setting("profiles")
    found: dict[str, Any] = rows[draft.get("profile") or draft.setting("default_profile")]
    return found


def runs_out(draft: Draft, clock: str, start: datetime | None = None) -> str | None:
    """The date on which a clock that starts now, or then, runs out, as ISO text; None when the profile has none."""
    allowance = draft.context.policy.clock("complaint", clock).allowance(draft.data)
    if allowance is None:
        return None
    calendar = draft.context.calendar
    return calendar.local_date(due_instant(allowance, start or draft.now, calendar)).isoformat()


# --- guards on who acts


def not_walled_off(draft: Draft) -> bool:
    """You are named in this complaint, or act for somebody who is; a colleague must do this."""
    walled = draft.get("walled_off", ())
    return draft.actor.person not in walled and draft.actor.on_behalf_of not in walled


def is_handler(draft: Draft) -> bool:
    """Only the handler named on this complaint may answer it; a manager can name another handler."""
    named = {draft.get("handler"), draft.case.owner} - {None}
    return not named or bool(named & {draft.actor.person, draft.actor.on_behalf_of})


def is_reviewer(draft: Draft) -> bool:
    """Only the reviewer who took the second stage may answer it."""
    reviewer = draft.get("reviewer")
    return reviewer is None or reviewer in (draft.actor.person, draft.actor.on_behalf_of)


def reviewer_is_new(draft: Draft) -> bool:
    """You were the handler at the first stage; somebody else must look at it at the second."""
    handlers = draft.get("handlers", ())
    return draft.actor.person not in handlers and draft.actor.on_behalf_of not in handlers


def handler_is_free(draft: Draft) -> bool:
    """The handler you name is the person it is about; name somebody who has nothing to do with it."""
    return draft.typed("handler") not in draft.get("walled_off", ())


def new_reviewer_is_free(draft: Draft) -> bool:
    """The reviewer you name took part at the first stage or is named in the complaint; name somebody else."""
    person = draft.typed("handler")
    earlier = {p for trigger in STAGE_1 for p in draft.case.people.get(trigger, ())} | set(draft.get("handlers", ()))
    return person is None or (person not in earlier and person not in draft.get("walled_off", ()))


def is_complainant(draft: Draft) -> bool:
    """Only the complainant, or somebody of the team for them, may do this."""
    if Role.MEMBER not in draft.actor.roles:
        return True
    return bool(draft.get("complainant_type") == "member") and not profile(draft)["respondent"]


# --- guards on acknowledging and the early stages


def adjustments_were_asked(draft: Draft) -> bool:
    """Ask the complainant whether any adjustments are needed, and tick that you have."""
    return bool(draft.typed("adjustments_asked") or draft.get("anonymous"))


def vulnerable_has_handler(draft: Draft) -> bool:
    """The complainant is vulnerable: name the person who deals with it."""
    return draft.get("contact") is None or draft.typed("handler") is not None


def breach_has_criterion(draft: Draft) -> bool:
    """The complaint says that a member breaches the code: name the criterion."""
    return not draft.get("alleges_breach") or bool(draft.typed("criterion") or draft.get("criterion"))


def has_member(draft: Draft) -> bool:
    """The complaint is not about a member, so there is nothing to monitor."""
    return draft.case.member_id is not None


def monitoring_not_opened(draft: Draft) -> bool:
    """A monitoring case was opened from this complaint already."""
    return not draft.get("monitoring_opened")


def complainant_accepts(draft: Draft) -> bool:
    """An early fix needs the complainant's agreement; without it, let a manager allocate the complaint."""
    return bool(draft.typed("complainant_accepts"))


def redress_is_small(draft: Draft) -> bool:
    """So much money needs a full response and a manager's approval; let a manager allocate the complaint."""
    return float(draft.typed("redress_amount", 0) or 0) <= float(draft.setting("redress_limit"))


def first_contact_is_owed(draft: Draft) -> bool:
    """No first contact is waiting: the complainant is not marked as vulnerable, or was called already."""
    return bool(draft.get("contact") == "wanted")


def may_wait(draft: Draft) -> bool:
    """This profile does not stop the clock to wait for the complainant; extend the time, or decide on what is known."""
    return bool(profile(draft)["wait"])


def not_waited_yet(draft: Draft) -> bool:
    """The complaint has waited for the complainant once; decide on what is known."""
    return draft.count("ask_complainant") == 0


def has_respondent(draft: Draft) -> bool:
    """Nobody is asked for their side of this complaint: the profile has no respondent, or it is about no member."""
    return bool(profile(draft)["respondent"]) and draft.case.member_id is not None


def response_not_sent(draft: Draft) -> bool:
    """The response has gone out, so a new point cannot join this complaint; open a new complaint for it."""
    return False


# --- guards on more time


def may_extend(draft: Draft) -> bool:
    """This profile gives no more time at the first stage; answer it, and escalate what stands in the way."""
    return bool(profile(draft)["extend"])


def _not_due(draft: Draft, clock: str) -> bool:
    running = draft.case.clocks.get(clock)
    return running is None or draft.now <= running.due


def stage_1_not_due(draft: Draft) -> bool:
    """The time has passed already, so it cannot be extended: the complainant had to hear before. Answer it now."""
    return _not_due(draft, "stage_1")


def stage_2_not_due(draft: Draft) -> bool:
    """The time has passed already, so it cannot be extended: the complainant had to hear before. Answer it now."""
    return _not_due(draft, "stage_2")


def extension_is_short(draft: Draft) -> bool:
    """That is more time than the code allows at the first stage: ten working days at the most."""
    return int(draft.typed("days", 0)) <= int(draft.setting("extension_days"))


def stage_2_extension_is_short(draft: Draft) -> bool:
    """That is more time than the code allows at the second stage: twenty working days at the most."""
    return int(draft.typed("days", 0)) <= int(draft.setting("stage_2_extension_days"))


def was_extended(draft: Draft) -> bool:
    """The first stage was not extended."""
    return bool(draft.get("extended"))


def stage_2_was_extended(draft: Draft) -> bool:
    """The second stage was not extended."""
    return bool(draft.get("stage_2_extended"))


# --- guards on answers


def every_point_answered(draft: Draft) -> bool:
    """Every point needs one finding with its reasons, in the order of the list of points."""
    return len(draft.typed("findings", ())) == max(len(draft.get("issues", ())), 1)


def needs_approval(draft: Draft) -> bool:
    """This response needs no approval."""
    return bool(draft.typed("legal_risk")) or not redress_is_small(draft)


def letter_answers_all(draft: Draft) -> bool:
    """A point was added after this response was written; return it so that the new point is answered as well."""
    letter = draft.parties.get("stage_1_letter", {})
    return len(letter.get("findings", ())) == max(len(draft.get("issues", ())), 1)


# --- guards on the second stage


def has_second_stage(draft: Draft) -> bool:
    """This profile has one stage only; the complainant may go to the body that the response names."""
    return bool(profile(draft)["second_stage"])


def stage_1_was_answered(draft: Draft) -> bool:
    """There is no first response to ask again about, or the final response has gone out already."""
    return bool(draft.get("stage_1_responded_on")) and not draft.get("stage_2_responded_on")


def within_window(draft: Draft) -> bool:
    """The time to ask for the second stage has passed; a manager may accept it late for a good cause."""
    until = draft.get("stage_2_until")
    return until is not None and bool(draft.today <= until)


def good_cause_given(draft: Draft) -> bool:
    """It comes late: say which good cause is accepted."""
    return bool(draft.typed("good_cause"))


# --- guards on the end


def actions_left(draft: Draft) -> bool:
    """No promised action is open."""
    return any(not remedy.get("done") for remedy in draft.get("remedies", ()))


def remedy_is_open(draft: Draft) -> bool:
    """There is no open action with this number."""
    remedies = draft.get("remedies", ())
    number = int(draft.typed("remedy", 0))
    return 1 <= number <= len(remedies) and not remedies[number - 1].get("done")


def it_is_the_last(draft: Draft) -> bool:
    """Other actions are still open."""
    return remedy_is_open(draft) and sum(not remedy.get("done") for remedy in draft.get("remedies", ())) == 1


def remedies_promised(draft: Draft) -> bool:
    """The decision asks for no action."""
    return bool(draft.typed("remedies")) or actions_left(draft)


def goes_on_anyway(draft: Draft) -> bool:
    """The complaint is withdrawn and nobody goes on with it."""
    return bool(draft.typed("continue_anyway")) and Role.COMPLAINANT not in draft.actor.roles


def was_acknowledged(draft: Draft) -> bool:
    """This complaint was never acknowledged, so there is no stage to go back to."""
    return bool(draft.get("acknowledged_on"))


def never_acknowledged(draft: Draft) -> bool:
    """This complaint was acknowledged; take up the stage that must be done again."""
    return not draft.get("acknowledged_on")


def stage_exists(draft: Draft) -> bool:
    """This profile has one stage only; do stage 1 again."""
    return draft.typed("stage") == 1 or has_second_stage(draft)


def person_is_free(draft: Draft) -> bool:
    """The person you name took part at the first stage or is named in the complaint; name somebody else."""
    return handler_is_free(draft) if draft.typed("stage") == 1 else new_reviewer_is_free(draft)


def to_stage_1(draft: Draft) -> bool:
    """Say which stage is done again: 1 or 2."""
    return bool(draft.typed("stage") == 1)


def to_stage_2(draft: Draft) -> bool:
    """Say which stage is done again: 1 or 2."""
    return bool(draft.typed("stage") == 2)


# --- conditions of letters


def audience(draft: Draft) -> str | None:
    """Where letters to the complainant go; None when there is no address, or the complainant has withdrawn."""
    if may_write(draft):
        return "party:complainant"
    return "member" if complains_as_member(draft) else None


def _hears(draft: Draft) -> bool:
    return not draft.case.data.get("own_initiative")


def may_write(draft: Draft) -> bool:
    """No address of the complainant is known."""
    return bool(draft.parties.get("complainant", {}).get("email")) and _hears(draft)


def complains_as_member(draft: Draft) -> bool:
    """The complainant is not the member of this case, or has another address."""
    known = draft.parties.get("complainant", {}).get("email")
    is_member = draft.get("complainant_type") == "member" and draft.case.member_id is not None
    return not known and is_member and not profile(draft)["respondent"] and _hears(draft)


def names_a_site(draft: Draft) -> bool:
    """It concerns no site."""
    return any(issue.get("site") for issue in draft.get("issues", ()))


def is_vulnerable(draft: Draft) -> bool:
    """The complainant is not marked as vulnerable."""
    return draft.get("contact") is not None


def is_statutory(draft: Draft) -> bool:
    """The clock is not one of a law."""
    return bool(draft.get("profile") == "UK_DATA_PROTECTION")


def overall(decisions: Iterable[str]) -> str:
    """What the decisions on all points come to: alike if they are alike, otherwise partly upheld."""
    found = set(decisions)
    if len(found) == 1:
        return found.pop()
    return "partly_upheld" if found & {"upheld", "partly_upheld"} else "not_upheld"


def latest(dates: Iterable[Any]) -> str | None:
    """The latest of some dates, as ISO text."""
    known = [day.isoformat() if isinstance(day, date) else str(day) for day in dates if day]
    return max(known, default=None)

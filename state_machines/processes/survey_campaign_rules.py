"""What must be true before a survey campaign moves, and what its moves order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from state_machines.draft import Draft
from state_machines.values import Role

IN = frozenset(
    {
        "submitted",
        "dq_review",
        "queried",
        "resubmitted",
        "complete",
        "exempt",
        "failed",
        "refused",
        "not_answered",
    }
)
"""States of a response that no reminder can change any more."""
SETTLED = frozenset({"complete", "exempt", "failed", "refused", "not_answered"})
UNDER_REVIEW = frozenset({"submitted", "dq_review", "queried", "resubmitted"})


def responses(draft: Draft) -> dict[str, int]:
    """How many responses are in each state; those that were cancelled do not count."""
    children: Mapping[str, int] = draft.fact("children") or {}
    return {state: number for state, number in children.items() if state != "cancelled" and number}


def count_in(draft: Draft, states: frozenset[str]) -> int:
    """How many responses are in one of these states."""
    return sum(number for state, number in responses(draft).items() if state in states)


def total(draft: Draft) -> int:
    """How many responses there are."""
    return sum(responses(draft).values())


def eligible(draft: Draft) -> int:
    """How many members are asked: those of the launch and who joined since; before it, who the rule takes."""
    if (frozen := draft.get("eligible")) is not None:
        return max(int(frozen) + int(draft.get("joined_late", 0)), total(draft))
    population: Mapping[str, int] = draft.fact("population") or {}
    return int(population.get("eligible", total(draft)))


def outstanding(draft: Draft) -> int:
    """How many members have neither completed nor been exempted."""
    return eligible(draft) - count_in(draft, frozenset({"complete", "exempt"}))


# --- guards: the plan


def ladder_is_known(draft: Draft) -> bool:
    """The plan names a ladder that the policy does not have."""
    names = draft.setting("ladders")
    return draft.get("ladder") in names or draft.because(
        f"The plan names the ladder “{draft.get('ladder')}”; the policy has {', '.join(names)}."
    )


def deadline_is_ahead(draft: Draft) -> bool:
    """The deadline has passed already; move it first."""
    return str(draft.get("deadline")) >= draft.today


def questions_have_a_version(draft: Draft) -> bool:
    """Say which version of the questionnaire is asked; it does not change any more."""
    return draft.typed("questionnaire_version") is not None or draft.get("questionnaire_version") is not None


def pilot_is_large_enough(draft: Draft) -> bool:
    """Too few members for a pilot."""
    members, everybody = int(draft.typed("members", 0)), eligible(draft)
    fewest, percent = int(draft.setting("pilot_members")), int(draft.setting("pilot_percent"))
    share_met = everybody > 0 and members * 100 >= percent * everybody
    return (
        members >= fewest
        or share_met
        or draft.because(f"A pilot needs {fewest} members, or {percent} % of those who are asked.")
    )


def pilot_went_well(draft: Draft) -> bool:
    """The pilot showed something to put right first."""
    issues, minutes = int(draft.typed("open_issues", 0)), int(draft.typed("median_minutes", 0))
    most = int(draft.setting("pilot_minutes"))
    if issues:
        return draft.because(f"Issues are open ({issues}): solve them, or send the questionnaire back.")
    return minutes <= most or draft.because(
        f"Half of the members needed {minutes} minutes; {most} are the most. Send it back to be shortened."
    )


def launch_is_in_order(draft: Draft) -> bool:
    """The launch must be a day that has not passed, before the deadline."""
    day = draft.typed("launch").isoformat()
    return bool(draft.today <= day < str(draft.get("deadline")))


def deadline_is_in_order(draft: Draft) -> bool:
    """The new deadline must be after the launch, and a day that has not passed."""
    day = draft.typed("until").isoformat()
    return bool(draft.today <= day and str(draft.get("launch")) < day)


def deadline_is_later(draft: Draft) -> bool:
    """Members have been told the deadline: it can be moved to a later day only."""
    return deadline_is_in_order(draft) and bool(draft.typed("until").isoformat() > str(draft.get("deadline")))


# --- guards: the launch


def launch_day_is_here(draft: Draft) -> bool:
    """The launch date is not here yet; move the launch if the invitations should go out sooner."""
    return str(draft.get("launch")) <= draft.today


def population_is_not_empty(draft: Draft) -> bool:
    """Nobody meets the rule of the population, so nobody would be asked; look at the plan."""
    return eligible(draft) > 0


def contacts_are_deliverable(draft: Draft) -> bool:
    """Too many members have no contact that works."""
    everybody = eligible(draft)
    reached = int((draft.fact("population") or {}).get("deliverable", 0))
    percent = int(draft.setting("deliverable_percent"))
    return reached * 100 >= percent * everybody or draft.because(
        f"Only {reached} of {everybody} members have a contact that works, and {percent} % should. Repair the"
        " contacts, or let a manager launch anyway with a reason."
    )


LAUNCH = (launch_day_is_here, deadline_is_ahead, population_is_not_empty, contacts_are_deliverable)


# --- guards: who is in


def everyone_is_in(draft: Draft) -> bool:
    """Not everybody has submitted yet."""
    missing = total(draft) - count_in(draft, IN)
    if total(draft) and not missing:
        return True
    return draft.because(f"{missing} of {total(draft)} have not submitted yet.")


def everyone_is_settled(draft: Draft) -> bool:
    """Some responses are neither complete, exempt, failed nor refused."""
    left = {s.replace("_", " "): n for s, n in sorted(responses(draft).items()) if s not in SETTLED}
    return not left or draft.because(
        f"Not settled yet: {', '.join(f'{number} {state}' for state, number in left.items())}."
    )


def no_answer_is_under_review(draft: Draft) -> bool:
    """Answers are under review; complete them first."""
    left = count_in(draft, UNDER_REVIEW)
    return not left or draft.because(
        f"{left} answer{'s are' if left > 1 else ' is'} under review or queried; complete them first, or"
        " accept them with a caveat."
    )


def everyone_is_accounted_for(draft: Draft) -> bool:
    """Not every eligible member has completed or has an approved exemption: close with exceptions."""
    left, everybody = outstanding(draft), eligible(draft)
    if everybody and not left:
        return True
    found = sorted(responses(draft).items())
    states = {s.replace("_", " "): n for s, n in found if s not in ("complete", "exempt")}
    which = f" ({', '.join(f'{number} {state}' for state, number in states.items())})" if states else ""
    return draft.because(
        f"{left} of {everybody} are outstanding{which}, so it is not 100 %. Settle them, or let a senior"
        " manager close with exceptions."
    )


def each_outstanding_has_an_action(draft: Draft) -> bool:
    """The list must name everybody who is outstanding, each with an action."""
    left, listed = outstanding(draft), len(draft.typed("outstanding", []))
    return left == listed or draft.because(
        f"{left} are outstanding and {listed} are listed; name each of them, with what is done about it."
    )


def chase_has_ended(draft: Draft) -> bool:
    """Members are still being chased; it ends by itself when everybody has been decided about."""
    still = total(draft) - count_in(draft, IN)
    return (
        Role.SYSTEM in draft.actor.roles
        or not still
        or draft.because(f"{still} members are still being chased; extend, exempt or fail each of them first.")
    )


def report_is_submitted(draft: Draft) -> bool:
    """No report has been submitted yet."""
    return bool(draft.get("report"))


def no_cell_is_too_small(draft: Draft) -> bool:
    """A figure that is shared stands on too few answers."""
    smallest, fewest = draft.get("smallest_cell"), int(draft.setting("smallest_cell"))
    return (
        smallest is None
        or int(smallest) >= fewest
        or draft.because(f"A shared figure stands on {smallest} answers, and {fewest} are the fewest; leave it out.")
    )


# --- effects


def invite_everyone(draft: Draft) -> None:
    """Open a response for every member of the population, which is frozen; the ladder counts from today."""
    draft.set(launched_on=draft.today, launch_obstacle=None, eligible=eligible(draft))
    draft.open_children("survey_response", **_invitation(draft))


def _invitation(draft: Draft) -> dict[str, Any]:
    """What every response starts with; its ladder counts from today."""
    kept = ("deadline", "ladder", "questionnaire", "questionnaire_version", "questionnaire_fingerprint")
    facts = {name: draft.get(name) for name in kept if draft.get(name) is not None}
    return {**facts, "launch": draft.today, "campaign_title": draft.get("title")}


def tell_why_not_launched(draft: Draft) -> None:
    """Tell the owner once for each reason; the attempt is repeated every day."""
    obstacle = obstacle_to_launch(draft)
    if obstacle and obstacle != draft.get("launch_obstacle"):
        draft.set(launch_obstacle=obstacle)
        draft.send("campaign_launch_refused", "owner", reason=obstacle)


def obstacle_to_launch(draft: Draft) -> str:
    """The first thing that stands in the way, in a sentence; empty when nothing does."""
    for guard in LAUNCH:
        draft.reason = ""
        if not guard(draft):
            return draft.reason or " ".join((guard.__doc__ or "").split())
    return ""


def tell_everyone_is_in(draft: Draft) -> None:
    """The owner hears that the last answer has come."""
    draft.send("campaign_everyone_in", "owner")


def tell_deadline_passed(draft: Draft) -> None:
    """The manager and the senior manager hear how many are missing."""
    numbers = {"missing": total(draft) - count_in(draft, IN), "total": total(draft)}
    for audience in ("manager", "senior"):
        draft.send("campaign_deadline_passed", audience, **numbers)


def tell_still_outstanding(draft: Draft) -> None:
    """The senior manager hears how many are missing ten working days on."""
    missing = total(draft) - count_in(draft, IN)
    draft.send("campaign_still_outstanding", "senior", missing=missing, total=total(draft))


def take_new_deadline(draft: Draft) -> None:
    """Move the deadline."""
    draft.set(deadline=draft.typed("until").isoformat())


def move_deadline_of_responses(draft: Draft) -> None:
    """Move the deadline of everybody who was asked."""
    until, reason = draft.typed("until").isoformat(), draft.typed("reason")
    draft.fire_linked("deadline_moved", "children", until=until, reason=reason)


def note_joiner(draft: Draft) -> None:
    """One more is asked, from today on."""
    draft.set(joined_late=int(draft.get("joined_late", 0)) + 1, eligible=int(draft.get("eligible", 0)) + 1)
    draft.open_children("survey_response", only=(str(draft.typed("member")),), **_invitation(draft))


def note_report(draft: Draft) -> None:
    """Keep where the report is and how small its smallest cell."""
    draft.set(report=draft.typed("report"), smallest_cell=draft.typed("smallest_cell"))


def drop_report(draft: Draft) -> None:
    """The report is not good enough; it has to be submitted again."""
    draft.set(report=None, smallest_cell=None)


def note_exceptions(draft: Draft) -> None:
    """Say for ever that this campaign did not reach 100 %."""
    draft.set(exceptions=len(draft.typed("outstanding")), share=share(draft))


def share(draft: Draft) -> float:
    """Completed and exempt, in percent of those who were asked, rounded down: 100 means everybody."""
    return (eligible(draft) - outstanding(draft)) * 1000 // max(eligible(draft), 1) / 10


def close_responses(draft: Draft) -> None:
    """Nobody can answer any more."""
    draft.fire_linked("campaign_closed", "children")


def cancel_responses(draft: Draft) -> None:
    """Nobody is asked any more."""
    draft.fire_linked("campaign_cancelled", "children")

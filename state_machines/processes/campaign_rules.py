"""What holds for every campaign, whatever it asks: the plan's dates, the launch, who is in, when it is 100 %.

Where a member stands is told by the process of the children (`Process.child`), so that none of this knows their states.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from state_machines.draft import Draft
from state_machines.process import Effect, Guard, Process
from state_machines.standing import ACCOUNTED, FULFILLED, LEFT_OUT, SETTLED, Standing
from state_machines.values import Role

UNDER_REVIEW = frozenset({Standing.IN_REVIEW, Standing.ASKED_BACK})


def child_of(draft: Draft) -> Process:
    """Return the process of the campaign's children."""
    assert draft.process.child is not None  # noqa: S101  every campaign has one
    return draft.process.child


def asked(draft: Draft) -> dict[str, int]:
    """How many members are in each state; those who are not asked any more do not count."""
    children: Mapping[str, int] = draft.fact("children") or {}
    standings = child_of(draft).standings
    return {state: n for state, n in children.items() if n and standings.get(state) not in LEFT_OUT}


def standing_in(draft: Draft, wanted: Collection[Standing]) -> int:
    """How many members stand in one of these ways."""
    standings = child_of(draft).standings
    return sum(number for state, number in asked(draft).items() if standings.get(state) in wanted)


def total(draft: Draft) -> int:
    """How many members are being asked."""
    return sum(asked(draft).values())


def eligible(draft: Draft) -> int:
    """How many members are asked: those of the launch, who joined since, less those left out; before it, whom the rule
    takes."""
    if (frozen := draft.get("eligible")) is not None:
        return max(int(frozen), total(draft))
    population: Mapping[str, int] = draft.fact("population") or {}
    return int(population.get("eligible", total(draft)))


def outstanding(draft: Draft) -> int:
    """How many members have neither completed nor been exempted."""
    return eligible(draft) - standing_in(draft, FULFILLED)


def missing(draft: Draft) -> int:
    """How many members a reminder could still change."""
    return total(draft) - standing_in(draft, ACCOUNTED)


def _in_words(states: Mapping[str, int], draft: Draft) -> str:
    titles = {state.name: state.title for state in child_of(draft).states}
    return ", ".join(f"{n} {titles.get(name, name.replace('_', ' ')).lower()}" for name, n in sorted(states.items()))


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
    """The launch date is not here yet; move the launch if it should be sooner."""
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
    """Not everybody has answered yet."""
    left = missing(draft)
    if total(draft) and not left:
        return True
    done = "signed" if child_of(draft).name == "signature" else "answered"
    return draft.because(f"{left} of {total(draft)} have not {done} yet.")


def everyone_is_settled(draft: Draft) -> bool:
    """Some members are neither complete nor exempt, and nothing was decided about them."""
    standings = child_of(draft).standings
    left = {state: n for state, n in asked(draft).items() if standings.get(state) not in SETTLED}
    return not left or draft.because(f"Not settled yet: {_in_words(left, draft)}.")


def no_answer_is_under_review(draft: Draft) -> bool:
    """Answers are under review; complete them first."""
    left = standing_in(draft, UNDER_REVIEW)
    return not left or draft.because(
        f"{left} answer{'s are' if left > 1 else ' is'} under review or queried; complete them first, or"
        " accept them with a caveat."
    )


def everyone_is_accounted_for(draft: Draft) -> bool:
    """Not every eligible member has completed or has an approved exemption: close with exceptions."""
    left, everybody = outstanding(draft), eligible(draft)
    if everybody and not left:
        return True
    standings = child_of(draft).standings
    states = {state: n for state, n in asked(draft).items() if standings.get(state) not in FULFILLED}
    which = f" ({_in_words(states, draft)})" if states else ""
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
    still = missing(draft)
    return (
        Role.SYSTEM in draft.actor.roles
        or not still
        or draft.because(f"{still} members are still being chased; extend, exempt or fail each of them first.")
    )


# --- effects


def invite_everyone(draft: Draft) -> None:
    """Open a case for every member of the population, which is frozen; the ladder counts from today."""
    everybody = eligible(draft)
    draft.set(launched_on=draft.today, launch_obstacle=None, eligible=everybody, eligible_at_launch=everybody)
    ask_everyone(draft)


def ask_everyone(draft: Draft) -> None:
    """Open a case for every member of the population."""
    draft.open_children(child_of(draft).name, **_invitation(draft))


def _invitation(draft: Draft) -> dict[str, Any]:
    """What every child starts with: the facts of the campaign that it asks for; its ladder counts from today."""
    opening = child_of(draft).opening
    names = opening.model_fields if opening is not None else {}
    facts = {name: draft.get(name) for name in names if draft.get(name) is not None}
    return {**facts, "launch": draft.today, "campaign_title": draft.get("title")}


def note_joiner(draft: Draft) -> None:
    """One more is asked, from today on."""
    draft.set(joined_late=int(draft.get("joined_late", 0)) + 1, eligible=int(draft.get("eligible", 0)) + 1)
    draft.open_children(child_of(draft).name, only=(str(draft.typed("member")),), **_invitation(draft))


def telling_why_not_launched(guards: Collection[Guard]) -> Effect:
    """Return the order to tell the owner once for each reason; the attempt is repeated every day."""

    def tell_why_not_launched(draft: Draft) -> None:
        obstacle = _obstacle(draft, guards)
        if obstacle and obstacle != draft.get("launch_obstacle"):
            draft.set(launch_obstacle=obstacle)
            draft.send("campaign_launch_refused", "owner", reason=obstacle)

    return tell_why_not_launched


def _obstacle(draft: Draft, guards: Collection[Guard]) -> str:
    """The first thing that stands in the way, in a sentence; empty when nothing does."""
    for guard in guards:
        draft.reason = ""
        if not guard(draft):
            return draft.reason or " ".join((guard.__doc__ or "").split())
    return ""


def tell_everyone_is_in(draft: Draft) -> None:
    """The owner hears that the last answer has come."""
    draft.send("campaign_everyone_in", "owner")


def tell_deadline_passed(draft: Draft) -> None:
    """The manager and the senior manager hear how many are missing."""
    for audience in ("manager", "senior"):
        draft.send("campaign_deadline_passed", audience, missing=missing(draft), total=total(draft))


def tell_still_outstanding(draft: Draft) -> None:
    """The senior manager hears how many are missing ten working days on."""
    draft.send("campaign_still_outstanding", "senior", missing=missing(draft), total=total(draft))


def take_new_deadline(draft: Draft) -> None:
    """Move the deadline."""
    draft.set(deadline=draft.typed("until").isoformat())


def move_deadline_of_children(draft: Draft) -> None:
    """Move the deadline of everybody who was asked."""
    until, reason = draft.typed("until").isoformat(), draft.typed("reason")
    draft.fire_linked("deadline_moved", "children", until=until, reason=reason)


def note_exceptions(draft: Draft) -> None:
    """Say for ever that this campaign did not reach 100 %."""
    draft.set(exceptions=len(draft.typed("outstanding")), share=share(draft))


def share(draft: Draft) -> float:
    """Completed and exempt, in percent of those who were asked, rounded down: 100 means everybody."""
    return (eligible(draft) - outstanding(draft)) * 1000 // max(eligible(draft), 1) / 10


def close_children(draft: Draft) -> None:
    """Nobody can answer any more."""
    draft.fire_linked("campaign_closed", "children")


def cancel_children(draft: Draft) -> None:
    """Nobody is asked any more."""
    draft.fire_linked("campaign_cancelled", "children")

"""What a promise means, and what proves that nobody at a member can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from state_machines.draft import Draft
from state_machines.process import Guard
from state_machines.processes.chasing import ask_contact_repair, member_name
from state_machines.processes.reaching_forms import CallOutcome
from state_machines.values import Role

# --- promises


def promise_is_soon(draft: Draft) -> bool:
    """Please choose a day from today on, and not too far ahead."""
    day: date | None = draft.typed("promised_on")
    most = int(draft.setting("promise_days"))
    last = date.fromisoformat(draft.today) + timedelta(days=most)
    near = day is not None and draft.today <= day.isoformat() <= last.isoformat()
    return near or draft.because(f"Please choose a day from today to {last.day} {last:%B %Y}, {most} days from now.")


def a_promise_is_left(draft: Draft) -> bool:
    """The day was promised and moved as often as is fair; please answer, or ask for more time."""
    return draft.count("promise") < int(draft.setting("promises"))


def another_day_is_promised(draft: Draft) -> bool:
    """This is the day you have told us already."""
    day: date | None = draft.typed("promised_on")
    return day is None or day.isoformat() != draft.get("promise_until")


def promised_before_today(draft: Draft) -> bool:
    """It was promised only today."""
    return str(draft.get("promised_at") or "") < draft.today


def keep_promise(draft: Draft) -> None:
    """Remember the day that was promised, and when."""
    day: date | None = draft.typed("promised_on")
    if day is not None:
        draft.set(promised_on=day.isoformat(), promise_until=day.isoformat(), promised_at=draft.today)


def remind_of_promise(draft: Draft) -> None:
    """Write to the member on the day that was promised; it counts as a reminder."""
    draft.set(last_written=draft.today, reminders=int(draft.get("reminders", 0)) + 1)
    draft.send("reach_promise_today", draft.setting("letters_to"))


def break_promise(draft: Draft) -> None:
    """The day has passed: the ladder goes on, and somebody rings."""
    draft.set(promise_until=None, promises_broken=int(draft.get("promises_broken", 0)) + 1)
    title = f"Ring {member_name(draft)}: the answer that was promised for yesterday has not come"
    draft.task("phone", title, Role.COORDINATOR, draft.setting("call_within"), attempt=1)


def forget_promise(draft: Draft) -> None:
    """The answer is in, so nothing is promised any more."""
    draft.set(promised_on=None, promise_until=None)


# --- calls, letters, and what proves that nobody can be reached

NOBODY_THERE = frozenset({CallOutcome.NOT_REACHED, CallOutcome.VOICEMAIL, CallOutcome.WRONG_NUMBER})


def nothing_is_promised(draft: Draft) -> bool:
    """An answer was promised on the phone."""
    return draft.typed("outcome") is not CallOutcome.PROMISED


def note_call(draft: Draft) -> None:
    """Count the call: whoever was spoken to is not out of reach, and a wrong number is repaired."""
    outcome = draft.typed("outcome")
    missed = int(draft.get("calls_missed", 0)) + 1 if outcome in NOBODY_THERE else 0
    draft.set(calls=int(draft.get("calls", 0)) + 1, calls_missed=missed)
    if outcome is CallOutcome.WRONG_NUMBER:
        ask_contact_repair(draft)


def note_promise_by_hand(draft: Draft) -> None:
    """Where no ladder runs that a promise could hold back, somebody looks on the day whether it was kept."""
    day: date | None = draft.typed("promised_on")
    if day is not None:
        draft.set(promised_on=day.isoformat())
        title = f"{member_name(draft)} promised an answer for today: see whether it has come"
        draft.task("promise", title, Role.COORDINATOR, f"CD({(day - date.fromisoformat(draft.today)).days})")


def letter_was_posted(draft: Draft) -> bool:
    """A letter is written down once it has been posted: the day cannot lie ahead."""
    day: date | None = draft.typed("posted_on")
    return day is not None and day.isoformat() <= draft.today


def count_letter(draft: Draft) -> None:
    """Count a letter that went out by post."""
    draft.set(letters_posted=int(draft.get("letters_posted", 0)) + 1)


def evidence(facts: Mapping[str, Any]) -> dict[str, int]:
    """Return what is on record that nobody can be reached: bounces (or contacts who said it is not them), calls that
    reached nobody since anybody was last reached, letters by post."""
    declined = len(facts.get("contacts_declined") or ())
    return {
        "bounces": int(facts.get("bounces") or 0) + declined, "calls": int(facts.get("calls_missed") or 0),
        "letters": int(facts.get("letters_posted") or 0),
    }  # fmt: skip


_THINGS = {"bounces": ("bounce", "bounces"), "calls": ("call", "calls"), "letters": ("letter", "letters")}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def in_words(counted: Mapping[str, int], more: str = "") -> str:
    """Return ``two calls and one letter``: what there is of each."""
    parts = [f"{_number(n)} {more}{_THINGS[name][n != 1]}" for name, n in counted.items() if n]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:]))) or "nothing"


def _number(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def evidence_suffices(draft: Draft) -> bool:
    """Too little is on record to say that nobody can be reached."""
    found, needed = evidence(draft.data), draft.setting("unreachable_needs")
    missing = {name: int(needed.get(name, 0)) - found[name] for name in found if found[name] < needed.get(name, 0)}
    if not missing:
        return True
    is_are = "is" if sum(found.values()) == 1 or not any(found.values()) else "are"
    need = "is" if sum(missing.values()) == 1 else "are"
    more = "more " if any(found.values()) else ""
    told = f"{in_words(found).capitalize()} {is_are} on record; {in_words(missing, more)} {need} needed"
    return draft.because(f"{told} before anybody can be called unreachable.")


def remember_where(draft: Draft) -> None:
    """Remember where the case goes back to when it is not agreed that nobody can be reached."""
    draft.set(unreachable_from=draft.case.state)


def was_in(state: str) -> Guard:
    """Return the guard that says whether it was in this state that the member was said to be unreachable."""

    def guard(draft: Draft) -> bool:
        return bool(draft.get("unreachable_from") == state)

    guard.__name__ = f"was_in_{state}"
    guard.__doc__ = f"The case was not in the state “{state.replace('_', ' ')}” before."
    return guard

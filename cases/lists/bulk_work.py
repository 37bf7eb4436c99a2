"""What will become of each of many cases, and doing it: each by itself, in the version that was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases import commands
from cases.environment import Environment
from cases.errors import CaseChanged, CaseError
from cases.lists.bulk import ASSIGN, NOTE, Action, Looked, Picked, may_not_write
from cases.owners import why_not_own
from members.staffing import Person
from state_machines.engine import decide
from state_machines.registry import process_named
from state_machines.values import Refused


@dataclass(frozen=True)
class Told:
    """What will become, or has become, of one case."""

    ref: str
    subject: str
    done: bool
    sentence: str
    changed: bool = False


def preview(looked: Looked, action: Action, values: Mapping[str, Any] | None = None, *, to: str = "") -> list[Told]:
    """Return what will become of each case. ``values``: what was typed into the form, None while it is blank."""
    return [_previewed(each, action, values, to, looked) for each in looked.picked]


def _previewed(each: Picked, action: Action, values: Mapping[str, Any] | None, to: str, looked: Looked) -> Told:
    why = _why_not(each, action, values, to, looked)
    if each.changed:
        return _told(each, False, _CHANGED, changed=True)
    return _told(each, why is None, why or _becomes(each, action))


_CHANGED = "Somebody has changed this case since you ticked it; look at it first."


def _told(each: Picked, done: bool, sentence: str, *, changed: bool = False) -> Told:
    return Told(each.ref, each.case.subject, done, sentence, changed)


def _why_not(each: Picked, action: Action, values: Mapping[str, Any] | None, to: str, looked: Looked) -> str | None:
    if action.kind == NOTE:
        return may_not_write(each.actor)
    if action.kind == ASSIGN:
        return may_not_write(each.actor) or _why_not_given(each, to, looked.people)
    if action not in each.moves:
        title = process_named(each.case.process).state(each.case.state).title
        return f"“{looked.title(action)}” is not possible while the case is in the state “{title}”."
    _, refused = each.moves[action]
    if refused is not None or values is None:
        return refused.sentence if refused else None
    outcome = decide(
        process_named(each.case.process), each.case, action.trigger, payload=values, actor=each.actor,
        context=each.context, now=looked.now,
    )  # fmt: skip
    return outcome.sentence if isinstance(outcome, Refused) else None


def _why_not_given(each: Picked, to: str, people: Sequence[Person]) -> str | None:
    if each.row.closed_at is not None:
        return "The case is closed."
    person = next((p for p in people if p.email == to), None)
    if person is None:
        return None if not to else "There is nobody active on the staff with this address."
    if each.row.owner_id == person.id:
        return f"{person.name} owns it already."
    return why_not_own(person, each.row)


def _becomes(each: Picked, action: Action) -> str:
    if action.kind == NOTE:
        return "The note will be written."
    if action.kind == ASSIGN:
        return "Will be given away, and the new owner hears of it."
    move, _ = each.moves[action]
    if move.target is None:
        return f"“{move.title}” will be done; the state stays."
    return f"Will come to the state “{process_named(each.case.process).state(move.target).title}”."


# -------------------------------------------------------------------------------------------------------- doing


def carry_out(
    env: Environment, looked: Looked, action: Action, values: Mapping[str, Any], *, to: str = "", note: str = "",
    now: datetime | None = None,
) -> list[Told]:  # fmt: skip
    """Do it to every case that was looked at, each in its own transaction, and return what became of each."""
    return [_carried_out(env, each, action, values, to, note, looked, now) for each in looked.picked]


def _carried_out(
    env: Environment, each: Picked, action: Action, values: Mapping[str, Any], to: str, note: str, looked: Looked,
    now: datetime | None,
) -> Told:  # fmt: skip
    if each.changed:
        return _told(each, False, _CHANGED, changed=True)
    if action.kind == ASSIGN and (why := _why_not_given(each, to, looked.people)) is not None:
        return _told(each, False, why)
    try:
        return _told(each, True, _work(env, each, action, values, to, note, now))
    except CaseChanged:
        return _told(each, False, _CHANGED, changed=True)
    except CaseError as refused:
        return _told(each, False, str(refused))


def _work(
    env: Environment, each: Picked, action: Action, values: Mapping[str, Any], to: str, note: str, now: datetime | None
) -> str:
    """Do it to one case, and return what to say of it."""
    if action.kind == NOTE:
        commands.note(env, each.ref, note, seen_version=each.seen, actor=each.actor, now=now)
        return "The note is written."
    if action.kind == ASSIGN:
        commands.assign(env, each.ref, to, seen_version=each.seen, actor=each.actor, now=now)
        return "Given away."
    outcome = commands.fire(
        env, each.ref, action.trigger, payload=values, note=note or None, seen_version=each.seen,
        actor=each.actor, now=now,
    )  # fmt: skip
    state = process_named(outcome.after.process).state(outcome.after.state).title
    return f"Done; the state is “{state}” now." if outcome.after.state != each.case.state else "Done."

"""One decision on several cases at once: a look at what it would do to each, then each in a transaction of its own.

Only what the policy lists, and what needs no more than a reason; every case is decided by itself, so that one that was
changed meanwhile is left alone and the others are not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases import commands
from cases import facts as case_facts
from cases.approving.approvals import Decision, waiting_for
from cases.approving.deciders import Decider
from cases.environment import Environment, world
from cases.errors import BadInput, CaseError
from cases.tables import CaseRow
from config.database import reading
from state_machines.engine import decide
from state_machines.policy import Policy
from state_machines.process import Transition
from state_machines.registry import process_named
from state_machines.values import Actor, Context, Outcome, Refused

MOST = 50
SIMPLE = frozenset({"reason", "note"})
"""What may be written once for several cases."""
GONE = "It does not wait for you any more: somebody was faster, or it was changed."


class NotTogether(BadInput):
    """This is decided case by case."""


@dataclass(frozen=True)
class Picked:
    """A case that somebody ticked, in the version on their screen."""

    ref: str
    version: int


@dataclass(frozen=True)
class Would:
    """What a decision would do to one case, or why it cannot be taken there."""

    ref: str
    version: int
    decision: Decision | None
    outcome: Outcome | None
    refused: str | None


@dataclass(frozen=True)
class Done:
    """What came of one case."""

    ref: str
    refused: str | None
    """None when it is done."""


def together(policy: Policy, decision: Decision) -> list[Transition]:
    """Return the decisions on this case that may be taken together with others, as the policy has it."""
    found = [choice.transition for choice in decision.choices if choice.refused is None]
    return [t for t in found if is_together(policy, decision.case.process, t)]


def is_together(policy: Policy, process: str, transition: Transition) -> bool:
    """Whether this move may be made on several cases at once."""
    needed = set(transition.needs.model_fields) if transition.needs else set()
    listed = f"{process}.{transition.trigger}" in policy.approvals.together
    return listed and bool(transition.four_eyes) and needed <= SIMPLE and not transition.danger


def preview(
    env: Environment, picked: Sequence[Picked], process: str, trigger: str, *, reason: str, actor: Actor, now: datetime
) -> list[Would]:
    """Return what a decision of this kind of case would do to each, in the order given. Nothing is written.

    Raises NotTogether, or BadInput for none or too many.
    """
    _require_some(picked)
    move = listed_move(env.policy, process, trigger)
    with reading(env.engine) as conn:
        decider = Decider(actor, world(conn, env, now))
        refs = {each.ref for each in picked}
        found = {d.case.ref: d for d in waiting_for(conn, decider, limit=MOST, only=CaseRow.ref.in_(refs)).decisions}
        facts = case_facts.gather(conn, [d.case for d in found.values()], now=now)
        contexts = {ref: decider.here.context(facts[d.case.id]) for ref, d in found.items()}
        return [_would(each, found.get(each.ref), move, reason, contexts.get(each.ref), now) for each in picked]


def _would(
    picked: Picked, decision: Decision | None, move: Transition, reason: str, context: Context | None, now: datetime
) -> Would:
    if decision is None or context is None or decision.case.version != picked.version:
        return Would(picked.ref, picked.version, decision, None, GONE)
    process = process_named(decision.case.process)
    if move not in process.transitions:
        return Would(picked.ref, picked.version, decision, None, "This is another kind of case.")
    outcome = decide(process, decision.case, move.trigger, payload=_payload(move, reason), actor=decision.actor,
                     context=context, now=now)  # fmt: skip
    if isinstance(outcome, Refused):
        return Would(picked.ref, picked.version, decision, None, outcome.sentence)
    return Would(picked.ref, picked.version, decision, outcome, None)


def _payload(move: Transition, reason: str) -> dict[str, Any]:
    """The one text as the field that the move has for it; without a form it becomes a note."""
    fields = move.needs.model_fields if move.needs else {}
    return {name: commands.typed({"text": reason})["text"] for name in fields if name in SIMPLE and reason.strip()}


def decide_together(
    env: Environment, picked: Sequence[Picked], process: str, trigger: str, *, reason: str, actor: Actor, now: datetime
) -> list[Done]:
    """Take one decision on each of these cases and return what came of each, in the order given.

    Raises NotTogether, or BadInput for none or too many.
    """
    would = preview(env, picked, process, trigger, reason=reason, actor=actor, now=now)
    move = listed_move(env.policy, process, trigger)
    return [_decided(env, each, move, reason, now) for each in would]


def _decided(env: Environment, would: Would, move: Transition, reason: str, now: datetime) -> Done:
    if would.decision is None or would.refused is not None:
        return Done(would.ref, would.refused or GONE)
    payload = _payload(move, reason)
    try:
        commands.fire(
            env, would.ref, move.trigger, payload=payload, note=reason.strip() if not payload else None,
            seen_version=would.version, actor=would.decision.actor, now=now,
        )  # fmt: skip
    except CaseError as bad:
        return Done(would.ref, str(bad))
    return Done(would.ref, None)


def _require_some(picked: Collection[Picked]) -> None:
    if not picked:
        raise BadInput("No case is ticked.")
    if len(picked) > MOST:
        raise BadInput(f"At most {MOST} cases are decided at once.")


def listed_move(policy: Policy, process: str, trigger: str) -> Transition:
    """Return the move that the policy lets people make on several cases at once. Raises NotTogether."""
    moves = (t for t in process_named(process).transitions if t.trigger == trigger)
    found = next((t for t in moves if is_together(policy, process, t)), None)
    if found is None:
        raise NotTogether(f"“{trigger.replace('_', ' ').capitalize()}” is decided on each case by itself.")
    return found

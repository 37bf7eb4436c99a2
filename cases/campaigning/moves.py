"""What somebody may do to a campaign or to one of its responses, and of everything else why not now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cases import facts as case_facts
from cases.campaigning.sight import Acting, Sight
from cases.rows import case_of
from state_machines.choosing import Choice, choices
from state_machines.registry import process_named
from state_machines.values import Role

COUNTING_RULES = frozenset(
    {"everyone_is_in", "everyone_is_settled", "no_answer_is_under_review", "everyone_is_accounted_for",
     "chase_has_ended", "contacts_are_deliverable", "each_outstanding_has_an_action"}
)  # fmt: skip
"""Rules whose sentences count the members of all teams."""


@dataclass(frozen=True, slots=True)
class Move:
    """Something this person may do, or why not now."""

    trigger: str
    title: str
    help: str
    danger: bool
    why_not: str
    onward: bool = False
    """Whether this is what takes a campaign on from where it stands."""


def moves_of(sight: Sight, row: Any, acting: Acting | None = None) -> dict[str, Move]:
    """Return the moves of a case by trigger, in the order of the process; of several ways the one that is open."""
    if Role.SYSTEM in sight.actor.roles:
        return {}
    case, actor = case_of(row), acting(row.owner_id) if acting else sight.actor
    context = sight.here.context(case_facts.gather(sight.conn, [case], now=sight.here.now)[case.id])
    best: dict[str, Move] = {}
    for choice in choices(process_named(row.process), case, actor=actor, context=context, now=sight.here.now):
        move = _move(choice, sight.whole)
        if move.trigger not in best or (best[move.trigger].why_not and not move.why_not):
            best[move.trigger] = move
    return best


def _move(choice: Choice, whole: bool) -> Move:
    taken, refused = choice.transition, choice.refused
    why = ""
    if refused is not None:
        counting = refused.rule in COUNTING_RULES and not whole
        why = "Not every member of every team is that far yet." if counting else refused.sentence
    return Move(taken.trigger, taken.title, taken.help, taken.danger, why)

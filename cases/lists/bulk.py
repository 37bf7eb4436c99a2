"""One thing done to many cases: what is possible with each, what would become of it, and doing it, case by case.

Looking writes nothing. Doing takes each case in a transaction of its own and in the version that was looked at, so that
one refusal stops no other, and a case that somebody has changed meanwhile is left for the person to look at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from cases import commands
from cases import facts as case_facts
from cases.environment import Environment, World, world
from cases.errors import BadInput, NotAllowed
from cases.permissions import may_see
from cases.rows import case_of, staff_id_of
from cases.tables import CaseRow
from config.database import Connection, reading, without_nul
from members.staffing import Person
from members.tables import Member
from state_machines.choosing import choices
from state_machines.objections import payload_errors
from state_machines.process import Transition
from state_machines.registry import process_named
from state_machines.values import Actor, Case, Context, Refused

MOST = 200
"""So many cases at once: a page that can still be read before it is sent."""
ASSIGN, NOTE, FIRE = "assign", "note", "fire"

Picks = Mapping[str, int]
"""The cases somebody has ticked: the version they saw by reference."""


@dataclass(frozen=True)
class Action:
    """Something that can be done to many cases: give them to somebody, note something, or pull a trigger."""

    kind: str
    trigger: str = ""
    form: str = ""
    """The name of the form the trigger needs; the same trigger with another form is another action."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.trigger}:{self.form}" if self.kind == FIRE else self.kind


def action_from(text: str) -> Action:
    """Return the action a form names. Raises BadInput."""
    kind, _, rest = text.partition(":")
    trigger, _, form = rest.partition(":")
    if kind in (ASSIGN, NOTE) and not rest:
        return Action(kind)
    if kind == FIRE and trigger:
        return Action(FIRE, trigger, form)
    raise BadInput("Choose what to do with these cases.")


@dataclass(frozen=True)
class Offer:
    """An action that makes sense for at least one of the cases."""

    action: Action
    title: str
    possible: int
    danger: bool = False


@dataclass(frozen=True)
class Picked:
    """A ticked case as it is now, with what may be done to it and by whom."""

    ref: str
    seen: int
    row: Any
    case: Case
    actor: Actor
    """Who acts on it: on the owner's behalf where the owner is away."""
    context: Context
    moves: Mapping[Action, tuple[Transition, Refused | None]]

    @property
    def changed(self) -> bool:
        """Whether somebody has changed it since it was ticked."""
        return self.case.version != self.seen


@dataclass(frozen=True)
class Looked:
    """All ticked cases that may be seen, and how many may not, or not any more."""

    picked: Sequence[Picked]
    missing: int
    people: Sequence[Person]
    """Who works here, by name."""
    now: datetime

    def form(self, action: Action) -> type[BaseModel] | None:
        """Return the form an action needs, or None."""
        return next((each.moves[action][0].needs for each in self.picked if action in each.moves), None)

    def title(self, action: Action) -> str:
        """Return what an action is called."""
        fixed = {ASSIGN: "Give to somebody else", NOTE: "Add a note"}
        found = (each.moves[action][0].title for each in self.picked if action in each.moves)
        return fixed.get(action.kind) or next(found, action.trigger.replace("_", " ").capitalize())


def form_errors(model: type[BaseModel] | None, values: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Return what is wrong with what was typed, by field, whatever the case."""
    if model is None:
        return {}
    try:
        model.model_validate(dict(values))
    except ValidationError as bad:
        return payload_errors(bad)
    return {}


# ------------------------------------------------------------------------------------------------------ looking


def look(env: Environment, picks: Picks, *, actor: Actor, now: datetime | None = None) -> Looked:
    """Return the ticked cases with what may be done to each, in a few statements. Raises BadInput for too many."""
    if not picks:
        raise BadInput("Tick at least one case first.")
    if len(picks) > MOST:
        raise BadInput(f"That is {len(picks)} cases; up to {MOST} can be changed at once.")
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        picked = list(_picked(conn, picks, here, actor))
        return Looked(picked, len(picks) - len(picked), here.staffing.active, here.now)


def _picked(conn: Connection, picks: Picks, here: World, actor: Actor) -> Iterator[Picked]:
    wanted = [without_nul(ref) for ref in picks]
    rows = conn.execute(
        select(CaseRow.__table__, Member.name.label("member")).outerjoin(Member, Member.id == CaseRow.member_id)
        .where(CaseRow.ref.in_(wanted)).order_by(CaseRow.deadline_at.asc().nulls_last(), CaseRow.id)
    )  # fmt: skip
    acts_for = commands.acts_for(actor, here)
    mine = [(row, _acting(actor, row, acts_for, here)) for row in rows if may_see(actor, row, acts_for)]
    facts = case_facts.gather(conn, [case_of(row) for row, _ in mine], now=here.now)
    for row, who in mine:
        if may_see(who, row, acts_for):
            case, context = case_of(row), here.context(facts[row.id])
            yield Picked(row.ref, picks[row.ref], row, case, who, context, _moves(case, who, context, here.now))


def _acting(actor: Actor, row: Any, acts_for: Iterable[int], here: World) -> Actor:
    me = staff_id_of(actor.person)
    if me is None or row.owner_id not in acts_for:
        return actor
    return here.staffing.actor(me, row.owner_id)


def _moves(
    case: Case, actor: Actor, context: Context, now: datetime
) -> dict[Action, tuple[Transition, Refused | None]]:
    """The triggers of a case; of several ways of one trigger the one that is allowed.

    Decisions that take a second person are left to the approvals, whose own rule says which are taken together.
    """
    found: dict[Action, tuple[Transition, Refused | None]] = {}
    for choice in choices(process_named(case.process), case, actor=actor, context=context, now=now):
        if choice.transition.four_eyes:
            continue
        needs = choice.transition.needs
        action = Action(FIRE, choice.transition.trigger, needs.__name__ if needs else "")
        if action not in found or found[action][1] is not None:
            found[action] = (choice.transition, choice.refused)
    return found


def offers(looked: Looked) -> list[Offer]:
    """Return what makes sense for these cases: notes, another owner, and every move that one of them allows."""
    found: dict[Action, Offer] = {}
    for each in looked.picked:
        for action, (move, refused) in each.moves.items():
            if refused is None:
                before = found.get(action)
                count = before.possible + 1 if before else 1
                found[action] = Offer(action, before.title if before else move.title, count, move.danger)
    moves = sorted(found.values(), key=lambda offer: (offer.danger, -offer.possible, offer.title))
    writers = [each for each in looked.picked if may_not_write(each.actor) is None]
    open_ = sum(each.row.closed_at is None for each in writers)
    fixed = [Offer(Action(ASSIGN), "Give to somebody else", open_), Offer(Action(NOTE), "Add a note", len(writers))]
    return [*(offer for offer in fixed if offer.possible), *moves]


def may_not_write(actor: Actor) -> str | None:
    """Return why somebody may write nothing here, or None."""
    try:
        commands.require_staff(actor)
    except NotAllowed as refused:
        return str(refused)
    return None

"""Who is asked for decisions: a person, and whoever they stand in for today."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import ColumnElement

from cases.approving.decisions import DECIDERS
from cases.commands import acts_for
from cases.environment import World
from cases.permissions import visible
from cases.rows import staff_id_of
from state_machines.values import Actor, Role


@dataclass(frozen=True)
class Decider:
    """Who is asked for decisions: a person, and whoever they stand in for today."""

    actor: Actor
    here: World

    @cached_property
    def me(self) -> int:
        """The staff id of the person."""
        return staff_id_of(self.actor.person) or 0

    @cached_property
    def stands_in_for(self) -> frozenset[int]:
        """The staff ids of those who are away and whose work is the person's today."""
        return frozenset(acts_for(self.actor, self.here))

    @cached_property
    def mine(self) -> frozenset[int]:
        """Whose decisions are the person's today."""
        return self.stands_in_for | {self.me}

    @cached_property
    def roles(self) -> frozenset[Role]:
        """The roles in which they decide, their own and those they have for others."""
        people = [self.here.staffing.people[n] for n in self.mine if n in self.here.staffing.people]
        return frozenset(role for p in people for role in p.roles) & DECIDERS

    def as_owner(self, owner: int | None) -> Actor:
        """Return the person as who decides what is ``owner``'s: in their name when that is somebody who is away."""
        if owner in self.stands_in_for:
            return self.here.staffing.actor(self.me, on_behalf_of=owner)
        return self.here.staffing.actor(self.me)

    @cached_property
    def seen(self) -> ColumnElement[bool]:
        """The condition for what they may see."""
        return visible(self.actor, self.stands_in_for)

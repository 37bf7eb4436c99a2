"""Everything a manager's desk of decisions shows, as one picture of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cases.approving.approvals import Listed, waiting_for
from cases.approving.asked_elsewhere import Elsewhere, asked_elsewhere
from cases.approving.deciders import Decider
from cases.approving.escalations import Absence, Escalated, absence_of, escalated_to
from cases.breaker.deciding import MAY_DECIDE
from cases.breaker.reading import Held, held_back
from cases.environment import Environment, world
from cases.lists.keyset import Place
from config.database import reading
from state_machines.values import Actor


@dataclass(frozen=True)
class ApprovalDesk:
    """What waits for somebody, what they wait for themselves, and what was brought to them."""

    listed: Listed
    elsewhere: Sequence[Elsewhere]
    escalated: Escalated
    absence: Absence | None
    held: Sequence[Held] = ()
    """What Muster has held back and asks about."""


def approval_desk(env: Environment, *, after: Place | None = None, actor: Actor, now: datetime) -> ApprovalDesk:
    """Return the desk of decisions of the actor, its list from a place on."""
    with reading(env.engine) as conn:
        decider = Decider(actor, world(conn, env, now))
        listed = waiting_for(conn, decider, after=after)
        if after is not None:
            return ApprovalDesk(listed, (), Escalated((), 0), None)
        return ApprovalDesk(
            listed, asked_elsewhere(conn, decider), escalated_to(conn, decider), absence_of(conn, decider),
            held_back(conn) if actor.roles & MAY_DECIDE else (),
        )  # fmt: skip

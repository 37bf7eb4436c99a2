"""Reports as somebody may see them.

Who sees all teams gets the figures of the whole organisation: also cases that only few may see are counted, so that a
figure is the same for everybody who may read it; they are never named. Who works for a team gets figures of the cases
they may see themselves. The table of monitoring cases goes across teams and is small, so that a count can tell a name:
outside its readers it is given only in the form that is made public.
"""

from __future__ import annotations

from dataclasses import dataclass

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import SEE_ALL_TEAMS, visible
from config.database import reading
from reports.cases import sla
from reports.monitoring import quarterly
from reports.periods import Period
from reports.table import Table
from state_machines.values import Actor


@dataclass(frozen=True)
class Viewed:
    """A report, and of which cases it is."""

    table: Table
    of_all: bool
    """Whether it counts every case of the organisation, or those of the viewer's teams."""
    public: bool = False


def sees_everything(actor: Actor) -> bool:
    """Whether figures of the whole organisation are for this person."""
    return bool(actor.roles & SEE_ALL_TEAMS)


def deadlines(env: Environment, period: Period, *, process: str | None, actor: Actor) -> Viewed:
    """Return how the deadlines of a period were kept, of all cases or of those the actor may see."""
    start, end = period.bounds(env.calendar)
    with reading(env.engine) as conn:
        here = world(conn, env)
        among = None if sees_everything(actor) else visible(actor, acts_for(actor, here))
        table = sla(conn, start, end, env.calendar, process=process, among=among, now=here.now)
    return Viewed(table, among is None)


def monitoring(env: Environment, period: Period, *, public: bool, actor: Actor) -> Viewed:
    """Return the monitoring cases of a quarter; without small numbers for whoever does not see all teams."""
    start, end = period.bounds(env.calendar)
    public = public or not sees_everything(actor)
    with reading(env.engine) as conn:
        here = world(conn, env)
        return Viewed(quarterly(conn, start, end, public=public, now=here.now), True, public)

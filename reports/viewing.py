"""Reports as somebody may see them.

Who sees all teams gets the figures of the whole organisation: also cases that only few may see are counted, so that a
figure is the same for everybody who may read it; they are never named. Who works for a team gets figures of the cases
they may see themselves. The table of monitoring cases goes across teams and is small, so that a count can tell a name:
outside its readers it is given only in the form that is made public.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.permissions import SEE_ALL_TEAMS, visible
from config.database import reading
from reports.cancellations import cancellations as table_of_cancellations
from reports.cases import sla
from reports.complaints import complaints as table_of_complaints
from reports.monitoring import quarterly
from reports.months import Months, months_until
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


@dataclass(frozen=True, kw_only=True)
class ViewedByMonth(Viewed):
    """A report that tells what came and went month by month as well."""

    months: Months


def sees_everything(actor: Actor) -> bool:
    """Whether figures of the whole organisation are for this person."""
    return bool(actor.roles & SEE_ALL_TEAMS)


def deadlines(env: Environment, period: Period, *, process: str | None, actor: Actor) -> Viewed:
    """Return how the deadlines of a period were kept, of all cases or of those the actor may see."""
    start, end = period.bounds(env.calendar)
    with reading(env.engine) as conn:
        here = world(conn, env)
        among = _among(actor, here)
        table = sla(conn, start, end, env.calendar, process=process, among=among, now=here.now)
    return Viewed(table, among is None)


def complaints(env: Environment, period: Period, *, actor: Actor) -> ViewedByMonth:
    """Return the complaints of a period, of all cases or of those the actor may see."""
    return _with_months(table_of_complaints, env, period, actor)


def cancellations(env: Environment, period: Period, *, actor: Actor) -> ViewedByMonth:
    """Return who asked to leave in a period, of all cases or of those the actor may see."""
    return _with_months(table_of_cancellations, env, period, actor)


def _with_months(table_of: Callable[..., Table], env: Environment, period: Period, actor: Actor) -> ViewedByMonth:
    start, end = period.bounds(env.calendar)
    with reading(env.engine) as conn:
        here = world(conn, env)
        among, months = _among(actor, here), months_until(end, env.calendar, here.now)
        table = table_of(conn, (start, end), months, among=among, now=here.now)
    return ViewedByMonth(table, among is None, months=months)


def _among(actor: Actor, here: World) -> ColumnElement[bool] | None:
    """The cases that are counted: all, or what the actor may see."""
    return None if sees_everything(actor) else visible(actor, acts_for(actor, here))


def monitoring(env: Environment, period: Period, *, public: bool, actor: Actor) -> Viewed:
    """Return the monitoring cases of a quarter; without small numbers for whoever does not see all teams."""
    start, end = period.bounds(env.calendar)
    public = public or not sees_everything(actor)
    with reading(env.engine) as conn:
        here = world(conn, env)
        return Viewed(quarterly(conn, start, end, public=public, now=here.now), True, public)

"""How much lies on whose desk: one grouped question over the cases that whoever asks may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import and_, false, func, select, true, union_all

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.lists.narrowing import DAYS_OF_WEEK, waits_for_a_decision
from cases.permissions import visible
from cases.rows import staff_id_of
from cases.tables import CaseRow
from config.database import Connection, reading
from members.staffing import Person
from state_machines.values import Actor, Role

COUNTS = ("open", "overdue", "coming", "on_hold", "waiting")
SEE_EVERYBODY = frozenset({Role.SENIOR, Role.AUDITOR, Role.ADMINISTRATOR, Role.COUNCIL})


@dataclass(frozen=True)
class Load:
    """What one person has to do."""

    person: Person
    open: int
    overdue: int
    coming: int
    """Due today or in the six days after it."""
    on_hold: int
    waiting: int
    """Their cases that wait for somebody's decision."""
    away_until: date | None
    deputy: str | None
    """Who acts today where the person is away."""

    @property
    def left(self) -> bool:
        """Whether the person works here no more: what they own must be given to somebody."""
        return not self.person.active


@dataclass(frozen=True)
class TeamLoad:
    """The people somebody answers for, each with their load; the most overdue first."""

    people: Sequence[Load]
    coming_until: date
    """The last day of what is coming."""
    unowned: int
    """Open cases that nobody owns."""
    whose: str
    """Who is shown, in words."""

    @property
    def most(self) -> int:
        """The most open cases of one person, for bars to be compared by."""
        return max((load.open for load in self.people), default=0)


def team_load(env: Environment, *, actor: Actor, now: datetime) -> TeamLoad:
    """Return the load of the people the actor manages; of everybody for senior managers and whoever sees all teams."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        found, coming_until = _counted(conn, actor, here)
        people, whose = answered_for(actor, here)
        today = env.calendar.local_date(now)
        shown = [p for p in people if p.active or found.get(p.id, {}).get("open")]
        loads = [_load(person, found.get(person.id, {}), here, today) for person in shown]
        loads.sort(key=lambda load: (-load.overdue, -load.open, load.person.name))
        return TeamLoad(loads, coming_until, found.get(0, {}).get("open", 0), whose)


def _counted(conn: Connection, actor: Actor, here: World) -> tuple[dict[int, dict[str, int]], date]:
    """Counts by staff id, 0 for nobody; cases that wait for a decision count for the coordinator whose they are."""
    calendar = here.env.calendar
    today = calendar.local_date(here.now)
    until = today + timedelta(days=DAYS_OF_WEEK - 1)
    late = CaseRow.deadline_at < here.now
    midnight, end = calendar.at(today, time()), calendar.at(until + timedelta(days=1), time())
    week = and_(CaseRow.deadline_at >= midnight, CaseRow.deadline_at < end)
    seen = and_(CaseRow.closed_at.is_(None), visible(actor, acts_for(actor, here)))

    own = select(
        func.coalesce(CaseRow.owner_id, 0).label("person"), true().label("open"),
        late.label("overdue"), week.label("coming"),
        CaseRow.on_hold.label("on_hold"), false().label("waiting"),
    ).where(seen)  # fmt: skip
    elsewhere = select(CaseRow.coordinator_id, false(), false(), false(), false(), true()).where(
        seen, CaseRow.coordinator_id.is_not(None), waits_for_a_decision()
    )  # fmt: skip
    each = union_all(own, elsewhere).subquery()
    sums = [func.count().filter(each.c[name]).label(name) for name in COUNTS]
    rows = conn.execute(select(each.c.person, *sums).group_by(each.c.person))
    return {row.person: {name: getattr(row, name) for name in COUNTS} for row in rows}, until


def answered_for(actor: Actor, here: World) -> tuple[list[Person], str]:
    """Return the people the actor manages over any number of steps, or today for somebody away; or everybody."""
    everybody = [p for p in here.staffing.people.values() if p.roles - {Role.AUDITOR, Role.ADMINISTRATOR}]
    if actor.roles & SEE_EVERYBODY:
        return everybody, "those of everybody"
    me = staff_id_of(actor.person)
    heads = {me, *acts_for(actor, here)}
    teams = {name for name, lead in here.staffing.leads.items() if lead in heads}
    mine = [p for p in everybody if p.id in heads or p.team in teams or _managed_by(p, heads, here)]
    return mine, "yours, those of the people you manage, and those of people for whom you stand in today"


def _managed_by(person: Person, heads: Collection[int | None], here: World) -> bool:
    seen: set[int] = set()
    boss = person.manager_id
    while boss is not None and boss not in seen:
        if boss in heads:
            return True
        seen.add(boss)
        above = here.staffing.get(boss)
        boss = above.manager_id if above else None
    return False


def _load(person: Person, counts: dict[str, int], here: World, today: date) -> Load:
    away = here.staffing.away(person.id, today)
    acting = here.staffing.acting(person.id, today).staff if away or not person.active else None
    deputy = acting.name if acting is not None and acting.id != person.id else None
    n = {name: counts.get(name, 0) for name in COUNTS}
    return Load(
        person, n["open"], n["overdue"], n["coming"], n["on_hold"], n["waiting"],
        away.until_date if away else None, deputy,
    )  # fmt: skip

"""Four weeks ahead, as somebody may see them: days, owners and who acts for them, and the mail of each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement

from cases import facts as case_facts
from cases.calendar.alike import examples, kinds_of_cases
from cases.calendar.days import KINDS, MOST_RUN, Days, Falls, fallen
from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.lists.team_load import answered_for
from cases.permissions import visible
from cases.rows import staff_id_of
from cases.tables import CaseRow
from config.database import Connection, reading
from members.staffing import NoStaff
from members.visibility import sees_all_teams
from state_machines.registry import process_named
from state_machines.values import Actor

WEEKS = 4
DAYS = 7 * WEEKS


class Scope(StrEnum):
    """Whose work is shown."""

    MINE = "mine"
    TEAM = "team"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody on a day."""

    id: int | None
    name: str
    away: bool
    acting: str | None
    """Who acts for them on that day."""

    @property
    def nobody(self) -> bool:
        """Whether nobody at all would act."""
        return (self.away and self.acting is None) or self.id is None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that falls on a day for one owner."""

    kind: str
    title: str
    process: str
    number: int


@dataclass(frozen=True, slots=True)
class Share:
    """What falls on a day for one owner."""

    owner: Owner
    entries: tuple[Entry, ...]

    def count(self, kind: str) -> int:
        """How many of a kind."""
        return sum(entry.number for entry in self.entries if entry.kind == kind)


@dataclass(frozen=True, slots=True)
class Day:
    """One day ahead."""

    on: date
    working: bool
    why_not: str
    """Why nobody works that day: the weekend, a public holiday, or that the organisation is closed."""
    shares: tuple[Share, ...]
    mails: tuple[tuple[str, int], ...]

    def count(self, kind: str) -> int:
        """How many of a kind."""
        return sum(share.count(kind) for share in self.shares)

    @property
    def unattended(self) -> tuple[Share, ...]:
        """What falls to somebody who is away, with nobody acting, or to nobody."""
        return tuple(share for share in self.shares if share.owner.nobody)

    @property
    def covered(self) -> tuple[Share, ...]:
        """What falls to somebody who is away and for whom another acts."""
        return tuple(share for share in self.shares if share.owner.acting)


@dataclass(frozen=True)
class Month:
    """Four weeks ahead."""

    days: tuple[Day, ...]
    scope: Scope
    scopes: tuple[Scope, ...]
    """What the viewer may choose."""
    rare: int
    """Cases that are not counted, since too many differ."""

    def day(self, on: date | None) -> Day | None:
        """Return one of the days, or None."""
        return next((day for day in self.days if day.on == on), None)


def scopes_of(actor: Actor, here: World) -> tuple[Scope, ...]:
    """Return whose work somebody may look at: their own, that of those they answer for, that of everybody."""
    people, _ = answered_for(actor, here)
    team = len({p.id for p in people} - {staff_id_of(actor.person)}) > 0
    found = [Scope.MINE, *([Scope.TEAM] if team else []), *([Scope.EVERYBODY] if sees_all_teams(actor) else [])]
    return tuple(found)


def four_weeks(env: Environment, scope: Scope = Scope.MINE, *, actor: Actor, now: datetime | None = None) -> Month:
    """Return the coming four weeks of the cases the actor may see, today first. A handful of statements."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        allowed = scopes_of(actor, here)
        scope = scope if scope in allowed else allowed[0]
        days, rare = fallen_on(conn, scope, actor, here)
        return Month(tuple(_days(days, here)), scope, allowed, rare)


def until(here: World) -> datetime:
    """Return the instant at which the last of the days ends."""
    today = here.env.calendar.local_date(here.now)
    return here.env.calendar.at(today + timedelta(days=DAYS), time())


def fallen_on(conn: Connection, scope: Scope, actor: Actor, here: World) -> tuple[Days, int]:
    """Return what falls on the coming days, and how many cases are not counted."""
    kinds, rare = kinds_of_cases(conn, whose(scope, actor, here), until(here))
    cases = examples(conn, [alike.one for alike in kinds])
    run = [cases[alike.one] for alike in kinds[:MOST_RUN] if alike.one in cases]
    return fallen(kinds, cases, case_facts.gather(conn, run, now=here.now), here, until(here)), rare


def whose(scope: Scope, actor: Actor, here: World) -> list[ColumnElement[bool]]:
    """Return the conditions on cases: what the actor may see, and whose work is looked at."""
    seen = visible(actor, acts_for(actor, here))
    if scope is Scope.EVERYBODY:
        return [seen]
    return [seen, CaseRow.owner_id.in_(sorted(_owners(scope, actor, here)))]


def _owners(scope: Scope, actor: Actor, here: World) -> Collection[int]:
    me = staff_id_of(actor.person)
    mine = {*acts_for(actor, here), *([me] if me is not None else [])}
    return mine if scope is Scope.MINE else {p.id for p in answered_for(actor, here)[0]} | mine


def _days(days: Days, here: World) -> list[Day]:
    by_day: dict[date, list[Falls]] = {}
    for falls in days.falls:
        by_day.setdefault(falls.day, []).append(falls)
    today = here.env.calendar.local_date(here.now)
    return [_day(today + timedelta(days=n), by_day, days, here) for n in range(DAYS)]


def _day(on: date, by_day: dict[date, list[Falls]], days: Days, here: World) -> Day:
    calendar = here.env.calendar
    working = calendar.is_working(on)
    why_not = "" if working else "weekend" if on.weekday() >= 5 else "closed" if on in calendar.closures else "holiday"
    owners: dict[int | None, Counter[tuple[str, str, str]]] = {}
    for falls in by_day.get(on, ()):
        owners.setdefault(falls.owner_id, Counter())[falls.kind, falls.title, falls.process] += falls.number
    shares = [_share(owner, counts, on, here) for owner, counts in owners.items()]
    shares.sort(key=lambda share: (share.owner.id is not None, share.owner.name))
    mails = tuple(sorted(days.mails.get(on, Counter()).items(), key=lambda one: (-one[1], one[0])))
    return Day(on, working, why_not, tuple(shares), mails)


def _share(owner: int | None, counts: Counter[tuple[str, str, str]], on: date, here: World) -> Share:
    entries = [Entry(kind, title, process_named(process).title, n) for (kind, title, process), n in counts.items()]
    entries.sort(key=lambda entry: (KINDS.index(entry.kind), -entry.number, entry.title))
    return Share(owner_on(owner, on, here), tuple(entries))


def owner_on(owner: int | None, on: date, here: World) -> Owner:
    """Return somebody as they are on a day: there, or away with whoever acts."""
    person = here.staffing.get(owner) if owner is not None else None
    if person is None:
        return Owner(None, "Nobody", False, None)
    if here.staffing.present(person.id, on):
        return Owner(person.id, person.name, False, None)
    try:
        acting = here.staffing.acting(person.id, on).staff
    except NoStaff:
        return Owner(person.id, person.name, True, None)
    there = acting.id != person.id and here.staffing.present(acting.id, on)
    return Owner(person.id, person.name, True, acting.name if there else None)

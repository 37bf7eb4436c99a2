"""Who stands in for whom, who may act, and whose manager is whose: one frozen picture of the staff. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from state_machines.values import Actor, Role

NOT_LENT = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Roles that a deputy does not get from the person who is away."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone on the staff, still here or not."""

    id: int
    email: str
    name: str
    roles: frozenset[Role]
    team: str | None = None
    manager_id: int | None = None
    active: bool = True
    conflicts: frozenset[int] = frozenset()
    """Members with whom this person has a conflict of interest."""

    @property
    def person(self) -> str:
        """How the record names this person: ``staff:3``."""
        return f"staff:{self.id}"


@dataclass(frozen=True, slots=True)
class Away:
    """Days, first and last included, on which someone is away."""

    staff_id: int
    from_date: date
    until_date: date
    deputy_id: int | None = None

    def covers(self, on: date) -> bool:
        """Whether the person is away on that day."""
        return self.from_date <= on <= self.until_date


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, and the way there: the person asked for, whoever stands in for them, and so on."""

    staff: Person
    chain: tuple[int, ...]

    @property
    def substituted(self) -> bool:
        """Whether somebody else than the person asked for acts."""
        return len(self.chain) > 1


class NoStaff(LookupError):
    """There is nobody on the staff who could act."""

    def __str__(self) -> str:
        return "Nobody on the staff is active; add someone first (muster staff add)."


@dataclass(frozen=True, eq=False)
class Staffing:
    """The staff, their absences and the leads of the teams. Compared by identity."""

    people: Mapping[int, Person]
    absences: tuple[Away, ...] = ()
    leads: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def _absences_of(self) -> dict[int, list[Away]]:
        found: dict[int, list[Away]] = {}
        for away in self.absences:
            found.setdefault(away.staff_id, []).append(away)
        return found

    @cached_property
    def _holders(self) -> dict[tuple[Role, str | None], tuple[Person, ...]]:
        return {}

    @cached_property
    def active(self) -> tuple[Person, ...]:
        """Who works here, by name."""
        return tuple(sorted((p for p in self.people.values() if p.active), key=lambda p: p.name.casefold()))

    @cached_property
    def names(self) -> Mapping[int, str]:
        """What people are called, by their ids; those who left too."""
        return {person.id: person.name for person in self.people.values()}

    @cached_property
    def names_in_record(self) -> Mapping[str, str]:
        """The same by how the record names them: ``staff:3``."""
        return {person.person: person.name for person in self.people.values()}

    def get(self, staff_id: int) -> Person | None:
        """Return the person, who may have left, or None."""
        return self.people.get(staff_id)

    def by_email(self, email: str) -> Person | None:
        """Return the person with this address, however it is written."""
        wanted = email.strip().lower()
        return next((p for p in self.people.values() if p.email.lower() == wanted), None)

    def away(self, staff_id: int, on: date) -> Away | None:
        """Return the absence of this person on that day, or None."""
        return next((away for away in self._absences_of.get(staff_id, ()) if away.covers(on)), None)

    def present(self, staff_id: int, on: date) -> bool:
        """Whether this person works here and is not away that day."""
        person = self.people.get(staff_id)
        return person is not None and person.active and self.away(staff_id, on) is None

    def acting(self, staff_id: int, on: date) -> Acting:
        """Return who acts for this person on that day: the person, or else someone who is there.

        Deputies are followed in chains; then the same for the manager and the manager's manager; then the
        team's lead and managers, senior managers, administrators, anyone. When everyone is away, the first of
        these who still works here. Raises NoStaff only when nobody does.
        """
        for each in self._line(staff_id):
            if chain := self._deputies(each, on):
                found = chain if each == staff_id else (staff_id, *chain)
                return Acting(self.people[chain[-1]], found)
        person = self.people.get(staff_id)
        best = self._last_resort(person, person.team if person else None, on)
        return Acting(best, (staff_id,) if best.id == staff_id else (staff_id, best.id))

    def _line(self, staff_id: int) -> Iterator[int]:
        """The person, the manager, the manager's manager, and so on, nobody twice."""
        seen: set[int] = set()
        person = self.people.get(staff_id)
        while person is not None and person.id not in seen:
            yield person.id
            seen.add(person.id)
            person = self.people.get(person.manager_id) if person.manager_id is not None else None

    def _deputies(self, staff_id: int, on: date) -> tuple[int, ...]:
        """Return the way from a person over deputies to someone who is there, or nothing; circles end it."""
        chain = [staff_id]
        while not self.present(chain[-1], on):
            away = self.away(chain[-1], on)
            if away is None or away.deputy_id is None or away.deputy_id in chain:
                return ()
            chain.append(away.deputy_id)
        return tuple(chain)

    def _last_resort(self, person: Person | None, team: str | None, on: date) -> Person:
        active = sorted((p for p in self.people.values() if p.active), key=lambda p: p.id)
        manager = person.manager_id if person else None
        questions: tuple[Callable[[Person], bool], ...] = (
            lambda p: p.id == manager,
            lambda p: team is not None and self.leads.get(team) == p.id,
            lambda p: team is not None and p.team == team and Role.MANAGER in p.roles,
            lambda p: Role.SENIOR in p.roles,
            lambda p: Role.ADMINISTRATOR in p.roles,
            lambda p: p.roles != {Role.AUDITOR},
            lambda p: True,
        )
        there = [p for p in active if self.present(p.id, on)]
        for people in (there, active):
            for asked in questions:
                if best := next(filter(asked, people), None):
                    return best
        raise NoStaff

    def manager_of(self, staff_id: int) -> Person | None:
        """Return this person's manager if they still work here, or None."""
        person = self.people.get(staff_id)
        manager = self.people.get(person.manager_id) if person and person.manager_id else None
        return manager if manager and manager.active else None

    def managers_of(self, staff_id: int) -> tuple[Person, ...]:
        """Return this person's manager, that one's manager, and so on, those who left too; nobody twice."""
        return tuple(self.people[each] for each in self._line(staff_id) if each != staff_id)

    def with_role(self, role: Role, team: str | None = None, *, on: date | None = None) -> tuple[Person, ...]:
        """Return who holds a role; for a team, its own people first, then those who belong to no team.

        With `on`, only who is there that day.
        """
        holders = self._holders.get((role, team))
        if holders is None:  # asked for every case of a launch
            mine = (p for p in self.people.values() if p.active and role in p.roles)
            able = (p for p in mine if team is None or p.team in (team, None))
            holders = self._holders[role, team] = tuple(sorted(able, key=lambda p: (p.team != team, p.id)))
        return holders if on is None else tuple(p for p in holders if self.present(p.id, on))

    def responsible(self, role: Role, team: str | None, on: date) -> Acting:
        """Return someone for a role in a team on that day, never nobody.

        Someone there with the role; else whoever acts for someone with the role; else the team's lead or
        manager, a senior manager, an administrator, anyone. Raises NoStaff when nobody works here.
        """
        if there := self.with_role(role, team, on=on):
            return Acting(there[0], (there[0].id,))
        if holders := self.with_role(role, team):
            return self.acting(holders[0].id, on)
        staff = self._last_resort(None, team, on)
        return Acting(staff, (staff.id,))

    def actor(self, staff_id: int, on_behalf_of: int | None = None) -> Actor:
        """Return a person as who acts, for themselves or for someone else.

        Acting for someone lends their roles and team, except administration and audit, and their conflicts of
        interest too. Ask `deputises_for` first whether they may.
        """
        me = self.people[staff_id]
        other = self.people[on_behalf_of] if on_behalf_of not in (None, staff_id) else None
        both = [me, other] if other else [me]
        lent = other.roles - NOT_LENT if other else frozenset()
        return Actor(
            person=me.person,
            name=me.name,
            roles=me.roles | lent,
            teams=frozenset(p.team for p in both if p.team),
            on_behalf_of=other.person if other else None,
            conflicts=frozenset().union(*(p.conflicts for p in both)),
        )

    def deputises_for(self, staff_id: int, on: date) -> frozenset[int]:
        """Return everyone else this person stands in for that day, over any number of steps."""
        absent = (p.id for p in self.people.values() if p.id != staff_id and not self.present(p.id, on))
        return frozenset(other for other in absent if staff_id in self.acting(other, on).chain)

    def cycle_with(self, absence: Away) -> tuple[int, ...]:
        """Return the chain of deputies that would close on some day if `absence` were added, or nothing."""
        days = {absence.from_date} | {a.from_date for a in self.absences if absence.covers(a.from_date)}
        for day in sorted(days):
            chain = [absence.staff_id, absence.deputy_id]
            while (last := chain[-1]) is not None and last not in chain[:-1]:
                away = self.away(last, day)
                chain.append(away.deputy_id if away else None)
            if chain[-1] == absence.staff_id:
                return tuple(each for each in chain if each is not None)
        return ()


def staffing_of(
    people: Iterable[Person], absences: Iterable[Away] = (), leads: Mapping[str, int] | None = None
) -> Staffing:
    """Return the picture of these people."""
    return Staffing({person.id: person for person in people}, tuple(absences), dict(leads or {}))

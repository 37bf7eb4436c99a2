"""What is to be done for a campaign today, by whom: members to ring, contacts to find, answers to look at, decisions.

One statement, however many members there are. A member whose mail comes back may also have to be rung: it stands in
both lists, so their numbers do not add up to anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all

from cases.campaigning.groups import TO_RING, of_calls, to_ring
from cases.campaigning.lines import SOURCE
from cases.campaigning.sight import RESPONSE, Sight
from cases.tables import CaseRow, CaseTask
from members.staffing import Person
from members.tables import Member
from state_machines.english import plural, within
from state_machines.process import State
from state_machines.standing import Standing
from state_machines.values import Role

NAMED = 3
"""So many members of each list are named; the others stand on the page of members."""
_FIND = "no_contact"


@dataclass(frozen=True, slots=True)
class Named:
    """A member of whom something is to be done."""

    ref: str
    member: str
    owner: str
    """Whose case it is, where that is not who looks."""
    late: bool


@dataclass(frozen=True, slots=True)
class Todo:
    """Something to be done, and for how many members."""

    title: str
    number: int
    late: int
    named: list[Named]
    """The most pressing of those this person may see by name."""
    narrow: str
    """How the list of members calls them."""
    yours: bool
    """Whether it falls to one of this person's roles."""
    who: str
    """To whom it falls otherwise."""


def todos(sight: Sight) -> list[Todo]:
    """Return what is to be done today: first what falls to who looks, in each part the most pressing first."""
    if not sight.row.data.get("launched_on") or sight.row.closed_at is not None:
        return []
    rows: dict[str, list[Any]] = {}
    for row in sight.conn.execute(_wanted(sight)):
        rows.setdefault(row.what, []).append(row)
    found = [_todo(sight, what, rows[what]) for what in _order(sight) if what in rows]
    return sorted(found, key=lambda todo: not todo.yours)


def _wanted(sight: Sight) -> Select[Any]:
    """The first of each list with how many there are, the most pressing first."""
    since = select(func.min(CaseTask.due_at)).where(of_calls()).correlate(CaseRow).scalar_subquery()
    calls = select(CaseRow.id, literal(TO_RING).label("what"), since.label("due")).where(sight.listed, to_ring(sight))
    unreached = select(CaseRow.id, literal(_FIND), CaseRow.deadline_at).where(
        sight.listed, sight.standing(Standing.UNREACHED)
    )
    states = [state.name for state in _looked_at(sight)]
    looked_at = select(CaseRow.id, CaseRow.state, CaseRow.deadline_at).where(sight.listed, CaseRow.state.in_(states))
    each = union_all(calls, unreached, looked_at).subquery()
    what, order = each.c.what, (each.c.due.asc().nulls_last(), Member.name_key, CaseRow.id)
    late = each.c.due < sight.here.now
    placed = (
        select(
            what, CaseRow.ref, Member.name.label("member"), CaseRow.owner_id, late.label("late"),
            func.row_number().over(partition_by=what, order_by=order).label("place"),
            func.count().over(partition_by=what).label("number"),
            func.count().filter(late).over(partition_by=what).label("lates"),
        )
        .select_from(SOURCE.join(each, each.c.id == CaseRow.id)).subquery()
    )  # fmt: skip
    return select(placed).where(placed.c.place <= NAMED).order_by(placed.c.what, placed.c.place)


def _looked_at(sight: Sight) -> list[State]:
    """The states in which somebody here looks at what a member sent, or decides."""
    return [s for s in sight.child.states if s.standing in (Standing.IN_REVIEW, Standing.UNDECIDED)]


def _order(sight: Sight) -> list[str]:
    return [TO_RING, _FIND, *(state.name for state in _looked_at(sight))]


def _todo(sight: Sight, what: str, rows: list[Any]) -> Todo:
    number = int(rows[0].number)
    people, me = sight.here.staffing.people, sight.actor.person
    named = [Named(row.ref, row.member, _owner(people.get(row.owner_id), me), bool(row.late)) for row in rows]
    role = Role.COORDINATOR
    if what == TO_RING:
        title, narrow = f"Ring {plural(number, 'member')}", TO_RING
    elif what == _FIND:
        signs = sight.child.name != RESPONSE
        whom = "somebody who can sign" if signs else "a contact that works"
        title, narrow = f"Find {whom} for {plural(number, 'member')}", "bounced"
    else:
        state, narrow = sight.child.state(what), what
        role = state.owner if state.owner is Role.MANAGER else role
        title = _looking_at(sight, state, role, number)
    yours = role in sight.actor.roles
    return Todo(title, number, int(rows[0].lates), named, narrow, yours, f"{role.value}s")


def _looking_at(sight: Sight, state: State, role: Role, number: int) -> str:
    if state.standing is Standing.UNDECIDED:
        return f"Decide about {plural(number, 'member')}: {within(state.title)}"
    if role is Role.MANAGER:
        return f"{state.title}: {plural(number, 'member')}"
    verb, noun = ("Review", "answer") if sight.child.name == RESPONSE else ("Check", "signature")
    return f"{verb} {plural(number, noun)}"


def _owner(person: Person | None, me: str) -> str:
    return "" if person is None or person.person == me else person.name

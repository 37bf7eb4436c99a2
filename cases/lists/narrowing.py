"""What a list of cases can be narrowed to: a set of values that fits into an address, and the conditions it stands for.

Nothing here decides who may see a case; ``cases.lists.worklist`` adds that to every list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy import false as nothing

from cases.approving.decisions import DECIDERS
from cases.environment import World
from cases.rows import staff_id_of
from cases.tables import CaseRow
from config.database import without_nul
from members.matching import folded, name_key
from members.tables import Member
from state_machines.registry import processes
from state_machines.values import Actor

ME, NONE = "me", "none"
NOBODY = -1
"""No staff id."""
DAYS_OF_WEEK = 7

Branch = Sequence[ColumnElement[bool]]
"""Conditions that together are one way to the cases of a list."""


class Phase(StrEnum):
    """Whether a list is of cases that are open, closed, or both."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class Due(StrEnum):
    """When the next deadline of a case is."""

    OVERDUE = "overdue"
    TODAY = "today"
    WEEK = "week"
    """Today and the six days after it."""
    NONE = "none"


@dataclass(frozen=True)
class Narrow:
    """What a list is narrowed to. An empty value means no matter; what is not known lets nothing through."""

    process: str = ""
    state: str = ""
    owner: str = ""
    """A staff id, ``me``, or ``none`` for cases that nobody owns."""
    member: str = ""
    """The reference of a member, or the whole name."""
    team: str = ""
    """A team, or ``none`` for cases of no team."""
    campaign: str = ""
    """The reference of the case it belongs to."""
    waits: str = ""
    """The staff id of a coordinator, for their cases that wait for somebody else's decision."""
    due: str = ""
    hold: str = ""
    parked: str = ""
    restricted: str = ""
    phase: str = ""
    outcome: str = ""
    received_from: date | None = None
    received_until: date | None = None
    newest: str = ""
    """In the order in which cases came in, newest first, instead of by deadline."""
    external_ref: str = ""
    """The reference that others gave to it, to the letter."""

    @property
    def listed(self) -> Phase:
        """Which cases are listed: the open ones, unless something else is asked for."""
        return Phase(self.phase) if self.phase in set(Phase) else Phase.OPEN

    @property
    def by_state_alone(self) -> bool:
        """Whether the list is narrowed by nothing but process, state and phase."""
        return self.anywhere == Narrow(phase=self.phase, newest=self.newest)

    @property
    def anywhere(self) -> Narrow:
        """The same, in whatever process and state."""
        return replace(self, process="", state="")

    def query(self) -> dict[str, str]:
        """Return what stands in an address for this; what is empty is left out."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in found.items() if value}


def narrow_from(query: Mapping[str, str]) -> Narrow:
    """Return what an address asks for. A name that is not known and a day that is none are passed over."""
    known = {field.name for field in fields(Narrow)}
    values: dict[str, str | date | None] = {
        name: without_nul(value.strip())[:200] for name, value in query.items() if name in known and value.strip()
    }
    for name in ("received_from", "received_until"):
        values[name] = _day(str(values.get(name, "")))
    return Narrow(**values)  # type: ignore[arg-type]  # every name is one of its own, the days are days


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 2200 else None


def conditions(narrow: Narrow, here: World, *, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions on ``cases`` that a list is narrowed by."""
    found = [*_phase(narrow.listed), *_kind(narrow), *_whose(narrow, actor), *_flags(narrow)]
    found += _due(narrow.due, here)
    if narrow.received_from:
        found.append(CaseRow.received_at >= _midnight(narrow.received_from, here))
    if narrow.received_until:
        found.append(CaseRow.received_at < _midnight(narrow.received_until + timedelta(days=1), here))
    return found


def _phase(phase: Phase) -> list[ColumnElement[bool]]:
    match phase:
        case Phase.OPEN:
            return [CaseRow.closed_at.is_(None)]
        case Phase.CLOSED:
            return [CaseRow.closed_at.is_not(None)]
        case Phase.ALL:
            return []


def in_each_phase(branches: Sequence[Branch], narrow: Narrow) -> list[Branch]:
    """Return the ways to a list of open and closed cases as two each, since each phase has indexes of its own."""
    if narrow.listed is not Phase.ALL:
        return list(branches)
    phases = (CaseRow.closed_at.is_(None), CaseRow.closed_at.is_not(None))
    return [[*branch, phase] for branch in branches for phase in phases]


def _kind(narrow: Narrow) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrow.process:
        found.append(CaseRow.process == narrow.process.replace("-", "_"))
    if narrow.state:
        found.append(CaseRow.state == narrow.state.replace("-", "_"))
    if narrow.state and not narrow.process:  # the index begins with the process
        found.append(CaseRow.process.in_([p.name for p in processes().values() if narrow.state in p.by_name]))
    if narrow.outcome:
        found.append(CaseRow.outcome == narrow.outcome)
    if narrow.external_ref:  # the index begins with the process
        found += [CaseRow.process.in_(sorted(processes())), CaseRow.external_ref == narrow.external_ref]
    if narrow.campaign:
        parent = select(CaseRow.id).where(CaseRow.ref == narrow.campaign.upper()).scalar_subquery()
        found.append(CaseRow.parent_id == parent)
    return found


def _whose(narrow: Narrow, actor: Actor) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrow.owner:
        found.append(_owned(narrow.owner, actor))
    if narrow.waits:
        found.append((CaseRow.coordinator_id == _number(narrow.waits)) & waits_for_a_decision())
    if narrow.member:
        names = {name_key(narrow.member), folded(narrow.member)}  # of an organisation and of a person
        references = (Member.ref == narrow.member.upper(), Member.external_ref == narrow.member)
        called = or_(*references, Member.name_key.in_(sorted(names)))
        found.append(CaseRow.member_id.in_(select(Member.id).where(called)))
    if narrow.team:
        found.append(CaseRow.team.is_(None) if narrow.team == NONE else CaseRow.team == narrow.team)
    return found


def _owned(owner: str, actor: Actor) -> ColumnElement[bool]:
    if owner == NONE:
        return CaseRow.owner_id.is_(None)
    return CaseRow.owner_id == ((staff_id_of(actor.person) or NOBODY) if owner == ME else _number(owner))


def _number(text: str) -> int:
    """The staff id that stands in an address; for anything else one that nobody has."""
    return int(text) if text.isdecimal() and len(text) < 18 else NOBODY


def waits_for_a_decision() -> ColumnElement[bool]:
    """Return the condition that a case lies with somebody who decides, and not with its own coordinator."""
    elsewhere = or_(CaseRow.owner_id.is_(None), CaseRow.owner_id != CaseRow.coordinator_id)
    return CaseRow.owner_role.in_(sorted(DECIDERS)) & elsewhere


def _flags(narrow: Narrow) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrow.hold:
        found.append(CaseRow.on_hold.is_(True))
    if narrow.parked:
        found.append(CaseRow.parked_at.is_not(None))
    if narrow.restricted:
        found.append(CaseRow.restricted_to.is_not(None))
    return found


def _due(due: str, here: World) -> list[ColumnElement[bool]]:
    """Conditions on the deadline, by the organisation's days; overdue is what is past its deadline now."""
    if not due:
        return []
    today = here.env.calendar.local_date(here.now)
    days = {Due.TODAY: 1, Due.WEEK: DAYS_OF_WEEK}
    match due:
        case Due.OVERDUE:
            return [CaseRow.deadline_at < here.now]
        case Due.TODAY | Due.WEEK:
            end = _midnight(today + timedelta(days=days[Due(due)]), here)
            return [CaseRow.deadline_at >= _midnight(today, here), CaseRow.deadline_at < end]
        case Due.NONE:
            return [CaseRow.deadline_at.is_(None)]
        case _:
            return [nothing()]


def _midnight(day: date, here: World) -> datetime:
    return datetime.combine(day, datetime.min.time(), here.env.calendar.zone)

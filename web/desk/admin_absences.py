"""Who is away in the coming weeks, who stands in, and where that does not work out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from cases.errors import BadInput
from config.database import reading
from members import staff_store
from members.commands import end_absence
from members.errors import MembersError, NotYours
from members.staffing import Person
from web.accounts import absence_form
from web.desk.admin_rules import LEADERS, recorder
from web.desk.admin_staff import person_of
from web.desk_page import Desk, DeskPage
from web.forms import Field, Option
from web.naming import person_title, plural
from web.posted import Form, Posted
from web.routing import Pages
from web.wording import day_words

pages = Pages(may=LEADERS)

DAYS = 35
"""How many days the calendar shows."""
LOOKED_AT = 60
"""Days of an absence that are looked at for whether the deputy is there."""


@dataclass(frozen=True, slots=True)
class Line:
    """An absence, and whether the reader may end it."""

    row: Any
    person: Person
    warning: str
    mine: bool


@pages.get("/admin/absences", statements=6)
def listed(desk: Desk) -> Response:
    """The absences that run or come."""
    return _page(desk)


def _page(desk: DeskPage, *, typed: Posted | None = None, problem: str = "", status: int = 200) -> Response:
    with reading(desk.env.engine) as conn:
        rows = staff_store.absences(conn, since=desk.today)
    people = desk.staffing.people
    lines = [_line(desk, row, people[row.staff_id]) for row in rows if people[row.staff_id].active]
    days = [desk.today + timedelta(days=n) for n in range(DAYS)]
    return desk.page(
        "desk/admin/absences.html", title="Absences", status=status, lines=lines, people=people, problem=problem,
        days=days, calendar=_calendar(desk, lines, days), fields=_fields(desk, typed), months=_months(days),
        working={day for day in days if desk.env.calendar.is_working(day)},
    )  # fmt: skip


def _line(desk: DeskPage, row: Any, person: Person) -> Line:
    return Line(row, person, "; ".join(_warnings(desk, row, person)), recorder(desk, person) is not None)


def _warnings(desk: DeskPage, row: Any, person: Person) -> Iterator[str]:
    """Say on how many working days the person who should stand in is not there, and who acts instead."""
    manager = desk.staffing.manager_of(person.id)
    meant = row.deputy_id or (manager.id if manager else None)
    first = max(row.from_date, desk.today)
    span = min((row.until_date - first).days + 1, LOOKED_AT)
    days = [day for n in range(span) if desk.env.calendar.is_working(day := first + timedelta(days=n))]
    missing = [day for day in days if meant is None or not desk.staffing.present(meant, day)]
    if missing:
        name = desk.staffing.people[meant].name if meant else "Nobody"
        instead = desk.staffing.acting(person.id, missing[0]).staff.name
        on = (
            ""
            if len(missing) == len(days)
            else f" on {plural(len(missing), 'working day')}, first {day_words(missing[0])}"
        )
        yield f"{name} is not there either{on}; {instead} acts"


def _calendar(desk: DeskPage, lines: list[Line], days: list[date]) -> list[tuple[Person, list[bool]]]:
    """Return who is away within these days, with a mark for each day."""
    away = {line.person.id: line.person for line in lines if line.row.from_date <= days[-1]}
    everybody = sorted(away.values(), key=lambda p: (p.team or "", p.name.casefold()))
    return [(p, [desk.staffing.away(p.id, day) is not None for day in days]) for p in everybody]


def _months(days: list[date]) -> list[tuple[str, int]]:
    names = [f"{day:%B %Y}" for day in days]
    return [(name, names.count(name)) for name in dict.fromkeys(names)]


def _fields(desk: DeskPage, typed: Posted | None) -> list[Field]:
    theirs = tuple(Option(str(p.id), person_title(p)) for p in desk.staffing.active if recorder(desk, p) is not None)
    chosen = typed.text("of") if typed else desk.request.query_params.get("of", "")
    who = Field("of", "Who is away", "select", required=True, options=theirs, value=chosen)
    return [who, *absence_form.fields(desk.staffing, None, today=desk.today, typed=typed)]


@pages.post("/admin/absences")
def add(desk: Desk, posted: Form) -> Response:
    """Record that somebody will be away."""
    try:
        person = person_of(desk, posted.number("of"))
        absence_form.record(desk.env.engine, person.person, posted, actor=_actor(desk, person), desk=desk)
    except (MembersError, BadInput) as refused:
        return _page(desk, typed=posted, problem=str(refused), status=getattr(refused, "status", 422))
    return desk.see_other("/admin/absences", f"The absence of {person.name} is recorded.")


@pages.post("/admin/absences/end")
def end(desk: Desk, posted: Form) -> Response:
    """Record that somebody is back, or stays after all."""
    person = person_of(desk, posted.number("of"))
    on = posted.day("on") or desk.today
    end_absence(desk.env.engine, person.person, back_on=on, actor=_actor(desk, person), now=desk.now)
    told = f"{person.name} is back." if on <= desk.today else f"{person.name} stays."
    return desk.see_other("/admin/absences", told)


def _actor(desk: DeskPage, person: Person) -> Any:
    actor = recorder(desk, person)
    if actor is None:
        raise NotYours(f"Only {person.name}, their managers and an administrator may record their absences.")
    return actor

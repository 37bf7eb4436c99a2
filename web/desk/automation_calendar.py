"""The calendar of what Muster does by itself: four weeks by day and owner, crossed with who is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from cases.calendar.behind import behind
from cases.calendar.days import KINDS
from cases.calendar.month import Day, Month, Scope, four_weeks
from cases.lists.keyset import place_from
from reports.table import CSV, csv_chunks
from web.access import STAFF
from web.desk_page import Desk
from web.posted import number_of
from web.routing import Pages

pages = Pages(may=STAFF)

NAMES = {
    "reminder": ("reminder", "reminders"), "escalation": ("escalation", "escalations"),
    "approval": ("decision due", "decisions due"), "deadline": ("deadline", "deadlines"),
    "notice": ("notice", "notices"),
}  # fmt: skip
SCOPES = {Scope.MINE: "Mine", Scope.TEAM: "My team’s", Scope.EVERYBODY: "Everybody’s"}


@pages.get("/calendar", statements=16)
def calendar(desk: Desk, scope: str = "", day: str = "") -> Response:
    """Four weeks ahead, and one of the days in full."""
    month = four_weeks(desk.env, _scope(scope), actor=desk.actor, now=desk.now)
    chosen = month.day(_date(day)) or month.days[0]
    return desk.page(
        "desk/calendar.html", title="Calendar", month=month, weeks=_weeks(month), chosen=chosen, kinds=KINDS,
        names=NAMES, scopes=SCOPES, today=desk.today,
    )  # fmt: skip


@pages.get("/calendar/cases", statements=18)
def cases_behind(
    desk: Desk, day: str = "", kind: str = "", owner: str = "", scope: str = "", place: str = ""
) -> Response:
    """The cases behind a number of the calendar."""
    on, kind = _date(day) or desk.today, kind if kind in NAMES else KINDS[0]
    found, after = behind(
        desk.env, on, kind, owner=number_of(owner), scope=_scope(scope), place=place_from(place),
        actor=desk.actor, now=desk.now,
    )  # fmt: skip
    asked = {"day": on.isoformat(), "kind": kind, "owner": owner, "scope": scope}
    following = f"/calendar/cases?{urlencode({**asked, 'place': str(after)})}" if after else None
    return desk.page(
        "desk/calendar_cases.html", title=f"{NAMES[kind][1].capitalize()} on {on.day} {on:%B %Y}", found=found, on=on,
        following=following, first=f"/calendar/cases?{urlencode(asked)}", turned=bool(place),
        back=f"/calendar?{urlencode({'scope': scope, 'day': on.isoformat()})}", staffing=desk.staffing,
    )  # fmt: skip


@pages.get("/calendar/download", statements=16)
def download(desk: Desk, scope: str = "") -> Response:
    """The calendar as a table for a spreadsheet."""
    month = four_weeks(desk.env, _scope(scope), actor=desk.actor, now=desk.now)
    return desk.download(f"calendar-{desk.today}.csv", CSV, csv_chunks(_rows(month)))


def _rows(month: Month) -> Iterator[tuple[str | int, ...]]:
    yield "Day", "Works", "Owner", "Away", "Acts", "What", "Kind of case", "Title", "Number"
    for day in month.days:
        works = "yes" if day.working else day.why_not
        for share in day.shares:
            owner = share.owner
            who = (owner.name, "yes" if owner.away else "no", owner.acting or ("nobody" if owner.nobody else ""))
            for entry in share.entries:
                yield day.on.isoformat(), works, *who, entry.kind, entry.process, entry.title, entry.number
        for title, number in day.mails:
            yield day.on.isoformat(), works, "", "", "", "mail", "", title, number


def _weeks(month: Month) -> list[list[Day | None]]:
    """The days as weeks from Monday to Sunday, with nothing where a week begins before today or goes on beyond."""
    first = month.days[0].on
    monday = first - timedelta(days=first.weekday())
    known: dict[date, Day] = {day.on: day for day in month.days}
    count = -(-((month.days[-1].on - monday).days + 1) // 7)
    return [[known.get(monday + timedelta(days=7 * week + n)) for n in range(7)] for week in range(count)]


def _scope(text: str) -> Scope:
    return Scope(text) if text in Scope._value2member_map_ else Scope.MINE


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

"""What a person should look at before a campaign goes out, found in its rehearsal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from cases.environment import Environment
from cases.rehearsing.record import Trace, is_outside, local_day, title_of
from members.staffing import Staffing
from state_machines.calendars import Calendar
from state_machines.standing import Standing

MANY_NOTICES = 10
"""So many notices on one day are more than somebody of the staff reads."""
MANY_MAILS = 3
"""So many mails within a week are more than a member reads."""
MOST_NAMED, MOST_DAYS = 5, 3
_ONE_DAY = timedelta(days=1)


def is_bridge_day(day: date, calendar: Calendar) -> bool:
    """Whether a day is worked between two that are not: many are away."""
    around = calendar.is_working(day - _ONE_DAY), calendar.is_working(day + _ONE_DAY)
    return calendar.is_working(day) and not any(around)


def warnings_of(env: Environment, trace: Trace, missing: Iterable[str]) -> tuple[str, ...]:
    """Return the warnings, the gravest first. ``missing``: names of members without a contact that works."""
    return (
        *_stuck(trace), *_not_launched(trace), *_without_contact(list(missing)), *_deadline(trace, env.calendar),
        *_bridge_days(env, trace), *_twice_a_day(env, trace), *_away(env, trace), *_too_many(env, trace),
    )  # fmt: skip


def _stuck(trace: Trace) -> Iterator[str]:
    for row in (trace.campaign, *trace.children.values()):
        if row.parked_why:
            yield f"{row.member or row.ref} would be parked, which is an error of the process: {row.parked_why}"
            return


def _not_launched(trace: Trace) -> Iterator[str]:
    if not trace.children and (why := trace.campaign.data.get("launch_obstacle")):
        yield f"It would not be launched. {why}"


def _without_contact(missing: list[str]) -> Iterator[str]:
    if missing:
        verb, noun = ("have", "members") if len(missing) > 1 else ("has", "member")
        yield f"{len(missing)} {noun} {verb} no contact that works: {named(missing)}. Repair the contacts first."


def _deadline(trace: Trace, calendar: Calendar) -> Iterator[str]:
    text = trace.campaign.data.get("deadline")
    if not text:
        return
    day = date.fromisoformat(str(text))
    if not calendar.is_working(day):
        yield f"The deadline, {spelled(day)}, is no working day: nobody is there to help on the last day."
    elif is_bridge_day(day, calendar):
        yield f"The deadline, {spelled(day)}, is a bridge day between days off."


def _bridge_days(env: Environment, trace: Trace) -> Iterator[str]:
    by_day = Counter(local_day(env, m.at) for m in trace.mails if is_outside(m.audience))
    for day in sorted(by_day):
        if is_bridge_day(day, env.calendar):
            yield f"{by_day[day]:,} mails to members would leave on {spelled(day)}, a bridge day between days off."


def _twice_a_day(env: Environment, trace: Trace) -> Iterator[str]:
    """Reminders that a weekend or a holiday has put together on the next working day."""
    kinds: dict[tuple[date, int], set[str]] = {}
    for mail in trace.mails:
        if is_outside(mail.audience):
            kinds.setdefault((local_day(env, mail.at), mail.case_id), set()).add(title_of(mail.kind))
    together = Counter((day, tuple(sorted(titles))) for (day, _), titles in kinds.items() if len(titles) > 1)
    for (day, titles), number in together.most_common(MOST_DAYS):
        listed = " and ".join(f"“{title}”" for title in titles)
        yield f"On {spelled(day)}, {number:,} members would get more than one mail: {listed}."


def _away(env: Environment, trace: Trace) -> Iterator[str]:
    """Who is meant to act on a day on which they are away, and has named nobody."""
    staffing = trace.staffing
    busy: dict[int, list[date]] = {}
    for row in (*trace.mails, *trace.tasks):
        case = trace.children.get(row.case_id, trace.campaign)
        if case.owner_id is not None and (not hasattr(row, "audience") or row.audience == "owner"):
            busy.setdefault(case.owner_id, []).append(local_day(env, row.at if hasattr(row, "at") else row.created_at))
    for staff_id, days in sorted(busy.items()):
        if (first := _uncovered(staffing, staff_id, days)) is not None:
            stands_in = staffing.acting(staff_id, first).staff.name
            yield (
                f"{staffing.names.get(staff_id)} is away on {spelled(first)} without a deputy; what comes then lands on"
                f" {stands_in}."
            )


def _uncovered(staffing: Staffing, staff_id: int, days: Iterable[date]) -> date | None:
    for day in sorted(days):
        away = staffing.away(staff_id, day)
        if away is not None and away.deputy_id is None:
            return day
    return None


def _too_many(env: Environment, trace: Trace) -> Iterator[str]:
    notices = Counter((local_day(env, m.at), m.to_name) for m in trace.mails if not is_outside(m.audience))
    for (day, name), number in sorted(notices.items(), key=lambda found: (-found[1], found[0])):
        if number > MANY_NOTICES:
            yield f"{name} would get {number} notices on {spelled(day)}."
            break
    held = sum("notices today" in str(m.reason) for m in trace.not_sent)
    if held:
        yield f"{held:,} notices to staff would not leave, because their day is full; they stand in queue and digest."
    crowded = Counter[str]()
    weeks = Counter((m.to_email, local_day(env, m.at).isocalendar()[:2]) for m in trace.mails if is_outside(m.audience))
    for (email, _), number in weeks.items():
        crowded[email] = max(crowded[email], number)
    many = [email for email, number in crowded.items() if number > MANY_MAILS]
    if many:
        most = max(crowded.values())
        yield f"{len(many):,} addresses would get more than {MANY_MAILS} mails within one week, {most} at most."


def named(names: list[str]) -> str:
    """Return a few names, and how many more there are."""
    listed = ", ".join(names[:MOST_NAMED])
    return f"{listed} and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else listed


def spelled(day: date) -> str:
    """Return a day as people say it."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def unreached(trace: Trace, standings: Any) -> list[str]:
    """Return the names of members whom no mail would reach in the end."""
    return [row.member for row in trace.children.values() if standings.get(row.state) is Standing.UNREACHED]

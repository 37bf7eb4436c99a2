"""Somebody's own days as iCalendar (RFC 5545), for calendar programs that ask for them every few hours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from cases.calendar.own_days import Due, OwnDays
from members.staffing import Away
from state_machines.calendars import END_OF_DAY
from web.naming import plural

MOST_EVENTS = 400
REFRESH = timedelta(hours=4)
WORDS = {
    "reminder": ("reminder goes out", "reminders go out"), "escalation": ("escalation", "escalations"),
    "approval": ("decision is due", "decisions are due"), "notice": ("notice", "notices"),
}  # fmt: skip


def calendar_file(
    days: OwnDays, *, titles: bool, absences: bool, base_url: str, zone: ZoneInfo, person: str, today: date
) -> bytes:
    """Return the file: an event for each deadline, one for each day with what comes by itself, and absences if wanted.

    Nothing in it changes in the course of a day unless the days themselves do, so that it can be compared by a digest.
    """
    made = datetime.combine(today, time(), UTC)
    host = urlsplit(base_url).hostname or "muster"
    events = [_due(due, titles, base_url, host, zone) for due in days.due]
    events += [_counts(day, counts, base_url, host, person) for day, counts in days.counts]
    if absences:
        events += [_away(away, host, person) for away in days.away]
    found = Calendar()
    found.add("prodid", "-//Muster//Calendar//EN")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", "Muster")
    found.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    found.add("x-published-ttl", "PT4H")
    for event in events[:MOST_EVENTS]:
        event.add("dtstamp", made)
        found.add_component(event)
    return bytes(found.to_ical())


def _due(due: Due, titles: bool, base_url: str, host: str, zone: ZoneInfo) -> Event:
    """A deadline: the whole day where the day may be used to its end, otherwise the instant."""
    local = due.at.astimezone(zone)
    event = _event(f"{due.ref.lower()}-due@{host}")
    what = "Decide" if due.decision else "Due"
    event.add("summary", f"{what}: {due.ref}, {due.subject}" if titles and due.subject else f"{what}: {due.ref}")
    event.add("description", f"{due.process}, {due.state}" if titles else due.process)
    event.add("url", f"{base_url.rstrip('/')}/cases/{due.ref}")
    event.add("sequence", due.version)
    if (local.hour, local.minute) == (END_OF_DAY.hour, END_OF_DAY.minute):
        _whole_days(event, local.date(), local.date())
    else:
        event.add("dtstart", due.at.astimezone(UTC))
        event.add("dtend", due.at.astimezone(UTC))
    return event


def _counts(day: date, counts: Sequence[tuple[str, int]], base_url: str, host: str, person: str) -> Event:
    event = _event(f"{day.isoformat()}-{hashlib.sha256(person.encode()).hexdigest()[:12]}@{host}")
    told = [plural(number, *WORDS[kind]) for kind, number in counts]
    event.add("summary", f"Muster: {', '.join(told)}")
    event.add("url", f"{base_url.rstrip('/')}/calendar?day={day.isoformat()}")
    _whole_days(event, day, day)
    return event


def _away(away: Away, host: str, person: str) -> Event:
    digest = hashlib.sha256(person.encode()).hexdigest()[:12]
    event = _event(f"away-{away.from_date.isoformat()}-{digest}@{host}", busy=True)
    event.add("summary", "Away")
    _whole_days(event, away.from_date, away.until_date)
    return event


def _event(uid: str, *, busy: bool = False) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("transp", "OPAQUE" if busy else "TRANSPARENT")
    event.add("class", "PRIVATE")
    if busy:
        event.add("x-microsoft-cdo-busystatus", "OOF")
    return event


def _whole_days(event: Event, first: date, last: date) -> None:
    event.add("dtstart", first)
    event.add("dtend", last + timedelta(days=1))  # the end of whole days is the day after (RFC 5545 3.6.1)

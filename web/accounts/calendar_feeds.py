"""Pages of calendar feeds: making and ending one, and the feed itself, which calendar programs read."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from cases.calendar.own_days import own_days
from cases.errors import BadInput, CaseError
from config import clock
from config.database import reading, transaction
from members import staff_store
from web.access import PUBLIC, STAFF
from web.accounts import feeds, throttle
from web.accounts.calendar_file import calendar_file
from web.accounts.feeds import Feed
from web.desk_page import Desk, Visit, VisitorPage, attachment
from web.posted import Form
from web.routing import Pages

pages = Pages(may=STAFF)

_MEDIA = "text/calendar; charset=utf-8"
_OFTEN = 20
"""Addresses nobody knows, asked for from one place within an hour, before it is slowed down."""


class NoSuchFeed(CaseError):
    """There is no calendar at this address, or it has been ended."""

    status = 404


@pages.post("/account/feeds")
def make(desk: Desk, posted: Form) -> Response:
    """Make an address and show it this once."""
    try:
        with transaction(desk.env.engine) as conn:
            token = feeds.make(conn, desk.person.id, titles=posted.yes("titles"), absences=posted.yes("absences"),
                               now=clock.utc_now())  # fmt: skip
    except BadInput as refused:
        return desk.see_other("/account#feeds", str(refused), tone="warning")
    address = f"{desk.env.settings.base_url.rstrip('/')}/calendar/feed/{token}.ics"
    return desk.page("accounts/feed_made.html", title="Your calendar address", address=address)


@pages.post("/account/feeds/revoke")
def revoke(desk: Desk, posted: Form) -> Response:
    """End an address of one's own."""
    with transaction(desk.env.engine) as conn:
        feeds.revoke(conn, posted.number("id") or 0, of_staff=desk.person.id, now=clock.utc_now())
    return desk.see_other("/account#feeds", "The address works no more.")


@pages.get("/calendar/feed/{token}.ics", may=PUBLIC, statements=18)
def feed(visit: Visit, token: str) -> Response:
    """Somebody's own days. Whoever has the address reads them; there is nothing to do here."""
    with reading(visit.env.engine) as conn:
        known = feeds.find(conn, token)
        staffing = staff_store.staffing(conn)
    if known is None:
        _slow_down(visit)
        raise NoSuchFeed
    actor = staffing.actor(known.staff_id)
    days = own_days(visit.env, actor=actor, now=visit.now)
    settings = visit.env.settings
    file = calendar_file(
        days, titles=known.titles, absences=known.absences, base_url=settings.base_url, zone=settings.zone,
        person=actor.person, today=visit.today,
    )  # fmt: skip
    _note(visit, known)
    return _answer(visit, file)


def _answer(visit: VisitorPage, file: bytes) -> Response:
    """The file, or that it is still the same; kept by the reader alone and asked for anew each time."""
    tag = f'"{hashlib.sha256(file).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "content-disposition": attachment("muster.ics")}
    asked = visit.request.headers.get("if-none-match", "")
    if tag in (each.strip().removeprefix("W/") for each in asked.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(file, headers={**headers, "content-type": _MEDIA})


def _slow_down(visit: VisitorPage) -> None:
    """Count an address that nobody knows. Raises TooManyTries for whoever tries many."""
    with transaction(visit.env.engine) as conn:
        key = throttle.address(visit.address, what="feed", free=_OFTEN)
        throttle.presume_failure(conn, [key], now=clock.utc_now())


def _note(visit: VisitorPage, known: Feed) -> None:
    with transaction(visit.env.engine) as conn:
        feeds.note_use(conn, known.id, now=clock.utc_now())

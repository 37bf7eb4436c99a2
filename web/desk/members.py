"""Members: the list, one member with everything about it, what was changed on it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from cases import member_lists, member_pages
from cases.intake import openable
from members.browsing import NONE, MemberFilter
from members.cards import MemberCard
from members.tables import KINDS, STATUSES
from reports.table import CSV, csv_chunks
from web.access import STAFF
from web.desk_page import Desk
from web.rendering import render
from web.routing import Pages

pages = Pages(may=STAFF)
log = logging.getLogger(__name__)

PARAMETERS = ("status", "team", "tier", "country", "region", "kind")
SWITCHES = ("no_contact", "bounced", "asked")
EXPORTED = (
    "ref", "external_ref", "name", "kind", "status", "tier", "category", "country", "region", "site", "team",
    "website", "language", "joined_on", "left_on", "flags",
)  # fmt: skip
LONGEST_SEARCH = 200


@pages.get("/members", statements=14)
def members(desk: Desk) -> Response:
    """The members one may see, searched and narrowed, page by page."""
    query = desk.request.query_params
    narrow = narrow_of(query)
    after, before = query.get("after"), query.get("before")
    found = member_lists.members(desk.env, narrow, after=after, before=before, actor=desk.actor, now=desk.now)
    page = found.page
    return desk.page(
        "desk/members.html", title="Members", block="list", narrow=narrow, found=found, page=page,
        statuses=STATUSES, kinds=KINDS, nothing=NONE, export=_address("/members/export.csv", narrow),
        next=_address("/members", narrow, after=page.after) if page.after else None,
        previous=_address("/members", narrow, before=page.before) if page.before else None,
        first=_address("/members", narrow),
    )  # fmt: skip


def narrow_of(query: Mapping[str, str]) -> MemberFilter:
    """Return what an address asks for; what it does not know is passed over."""
    equal = {name: query.get(name, "").strip()[:LONGEST_SEARCH] or None for name in PARAMETERS}
    switched = {name: query.get(name) == "1" for name in SWITCHES}
    return MemberFilter(words=query.get("q", "").strip()[:LONGEST_SEARCH], **equal, **switched)  # type: ignore[arg-type]  # by name


def _address(path: str, narrow: MemberFilter, **more: str) -> str:
    asked = {name: getattr(narrow, name) or "" for name in PARAMETERS}
    asked |= {name: "1" if getattr(narrow, name) else "" for name in SWITCHES}
    kept = {name: value for name, value in {"q": narrow.words, **asked, **more}.items() if value}
    return path + (f"?{urlencode(kept)}" if kept else "")


@pages.get("/members/export.csv", statements=8)
def export(desk: Desk) -> Response:
    """The same list as a file for a spreadsheet, which can be imported again."""
    found = member_lists.exported(desk.env, narrow_of(desk.request.query_params), actor=desk.actor, now=desk.now)
    log.info("Members were exported: %s.", len(found), extra={"actor": desk.actor.person})
    rows = [(*EXPORTED, "email"), *((*_cells(card), email) for card, email in found)]
    return desk.download(f"members-{desk.today}.csv", CSV, csv_chunks(rows))


def _cells(card: MemberCard) -> Iterator[str]:
    for name in EXPORTED:
        value = getattr(card, name)
        yield " ".join(sorted(value)) if name == "flags" else "" if value is None else str(value)


@pages.get("/members/suggest", statements=7)
def suggest(desk: Desk, q: str = "", member: str = "", other: str = "") -> Response:
    """Options for choosing a member while typing: a piece of a page. A field's own name will do for ``q``."""
    words = (q or member or other)[:LONGEST_SEARCH]
    found = member_lists.suggestions(desk.env, words, actor=desk.actor, now=desk.now)
    return HTMLResponse(render(desk.env.settings.zone, "desk/member_options.html", None, {"found": found}))


@pages.get("/members/{ref}", statements=26)
def member(desk: Desk, ref: str) -> Response:
    """One member with everything about it that the viewer may see."""
    page = member_pages.member_page(desk.env, ref, actor=desk.actor, now=desk.now)
    if page.card.ref != ref:
        return desk.see_other(f"/members/{page.card.ref}")
    return desk.page(
        "desk/member.html", title=page.card.name, page=page, card=page.card, openable=openable(desk.roles_today)
    )  # fmt: skip


@pages.get("/members/{ref}/history", statements=9)
def history(desk: Desk, ref: str, before: int | None = None) -> Response:
    """What was changed on a member, the newest first."""
    found = member_pages.member_record(desk.env, ref, before=before, actor=desk.actor, now=desk.now)
    more = len(found.changes) == member_pages.HISTORY
    return desk.page(
        "desk/member_history.html", title=f"What was changed: {found.card.name}", found=found, card=found.card,
        next=f"/members/{found.card.ref}/history?before={found.changes[-1].entry.id}" if more else None,
        first=f"/members/{found.card.ref}/history" if before else None,
    )  # fmt: skip

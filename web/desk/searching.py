"""Searching cases and members, and the list of keys."""

from __future__ import annotations

from starlette.responses import Response

from cases.searching import MOST, search
from web.access import STAFF
from web.desk.queue import whose
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.get("/search", statements=16)
def found(desk: Desk) -> Response:
    """Cases and members found by a reference or by words; the reference of a case leads straight to it."""
    words = desk.request.query_params.get("q", "").strip()[:200]
    result = search(desk.env, words, actor=desk.actor, now=desk.now)
    if result.exact is not None:
        return desk.see_other(f"/cases/{result.exact}")
    return desk.page(
        "desk/search.html", title="Search", words=words, found=result, most=MOST, whose=lambda line: whose(line, desk)
    )


@pages.get("/keys", statements=6)
def keys(desk: Desk) -> Response:
    """The keys that work where scripts run."""
    return desk.page("desk/keys.html", title="Keyboard")

"""Searching cases and members, and the list of keys."""

from __future__ import annotations

from starlette.responses import Response

from cases.lists.searching import MOST, search
from web.access import STAFF
from web.desk.queue import whose
from web.desk_page import A_YEAR, KEYS_COOKIE, Desk, set_cookie
from web.posted import Form
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.get("/search", statements=12)
def found(desk: Desk) -> Response:
    """Cases and members found by a reference or by words; the reference of a case leads straight to it."""
    words = desk.request.query_params.get("q", "").strip()[:200]
    result = search(desk.env, words, actor=desk.actor, now=desk.now)
    if result.exact is not None:
        return desk.see_other(f"/cases/{result.exact}")
    return desk.page(
        "desk/search.html", title="Search", words=words, found=result, most=MOST, whose=lambda line: whose(line, desk)
    )


@pages.get("/keys", statements=5)
def keys(desk: Desk) -> Response:
    """The keys that work where scripts run."""
    return desk.page("desk/keys.html", title="Keyboard")


@pages.post("/keys")
def switch_keys(desk: Desk, posted: Form) -> Response:
    """Switch the single-letter keys on or off, on this browser."""
    wanted = posted.text("keys") == "on"
    response = desk.see_other("/keys", f"The keys are switched {'on' if wanted else 'off'} in this browser.")
    set_cookie(response, desk.env.settings, KEYS_COOKIE, "on" if wanted else "off", seconds=A_YEAR)
    return response

"""One case: the page, who else looks at it, and its mail as it was read."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from cases.history import KINDS
from cases.reading_mail import letter
from cases.sight import glance
from config import clock
from config.database import transaction
from web import presence
from web.access import STAFF
from web.desk.case_shown import called, shown
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=STAFF)

LETTER_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""Of a letter's HTML: it may look as it does and do nothing."""


@pages.get("/cases/{ref}", statements=33)
def case(desk: Desk, ref: str, before: int | None = None, show: str = "") -> Response:
    """One case with everything about it that the viewer may see; ``show`` narrows what happened to one kind."""
    return shown(desk, ref, before=before, only=show if show in KINDS else "")


@pages.get("/cases/{ref}/viewers", statements=8)
def viewers(desk: Desk, ref: str, version: int = 0) -> Response:
    """Who else looks at a case, and whether it was changed since this page was made; asked every half minute."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    if not desk.wants_block:
        return desk.see_other(f"/cases/{found.ref}")
    with transaction(desk.env.engine) as conn:
        others = presence.look(conn, found.id, desk.person.id, now=clock.utc_now())
    return desk.page(
        "desk/case_viewers.html", title="Who looks", block="viewers", ref=found.ref, others=called(desk, others),
        version=version, changed=found.version != version,
    )  # fmt: skip


@pages.get("/cases/{ref}/messages/{number}", statements=15)
def message(desk: Desk, ref: str, number: int) -> Response:
    """One message of a case as it was read, or as it would be if it left now."""
    found = letter(desk.env, ref, number, actor=desk.actor, now=desk.now)
    return desk.page("desk/case_letter.html", title=found.subject or found.title, letter=found)


@pages.get("/cases/{ref}/messages/{number}/html", statements=20)
def message_html(desk: Desk, ref: str, number: int) -> Response:
    """The HTML of a message, for the frame that shows it: no script, no form, nothing from elsewhere."""
    found = letter(desk.env, ref, number, actor=desk.actor, now=desk.now)
    headers = {"content-security-policy": LETTER_POLICY, "x-frame-options": "SAMEORIGIN"}
    return HTMLResponse(found.html, headers=headers)

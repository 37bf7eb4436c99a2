"""The inbox: mail that came in, whose it is, and what to do with what Muster could not place. Shown as plain text."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from cases.errors import BadInput, CaseNotFound
from cases.inbox import lists, sorting
from cases.inbox.sight import MAY_SEE_RAW, MAY_SORT
from notifications import catalogue
from notifications.inbox.incoming import TITLES
from web.access import staff
from web.desk_page import Desk, DeskPage
from web.posted import Form, number_of
from web.routing import Pages

pages = Pages(may=staff(*MAY_SORT))

ON_A_PAGE = 50
STATES = {lists.WAITING: "Waits for a person", "matched": "On a case", "ignored": "Set aside"}
MARKS = {"unmatched": ("Whose is it?", "warn"), "kept": ("Look at it", "warn"), "matched": ("On a case", "good"),
         "ignored": ("Set aside", "neutral")}  # fmt: skip
EML = "application/octet-stream"
"""What a browser keeps and does not open."""


@pages.get("/inbox", statements=10)
def inbox(desk: Desk) -> Response:
    """Mail that came in, of one fate and perhaps one kind, the newest first."""
    asked = desk.request.query_params
    state = asked.get("state", "")
    state = state if state in STATES else lists.WAITING
    kind = asked.get("kind", "")
    kind = kind if kind in TITLES else ""
    before = number_of(asked.get("before", ""))
    lines = lists.listed(
        desk.env, state=state, kind=kind or None, before=before, limit=ON_A_PAGE + 1, viewer=desk.actor, now=desk.now
    )
    shown = lines[:ON_A_PAGE]
    here = f"/inbox?state={state}" + (f"&kind={kind}" if kind else "")
    return desk.page(
        "desk/inbox.html", title="Inbox", lines=shown, state=state, states=STATES, kind=kind, kinds=TITLES, marks=MARKS,
        counts=lists.counted(desk.env, viewer=desk.actor, now=desk.now), before=before, here=here,
        next=f"{here}&before={shown[-1].id}" if len(lines) > ON_A_PAGE else None,
    )  # fmt: skip


@pages.get("/inbox/{number}", statements=8)
def mail(desk: Desk, number: int) -> Response:
    """One mail as plain text, and what can be done with it."""
    return _mail(desk, number)


@pages.get("/inbox/{number}/raw", may=staff(*MAY_SEE_RAW), statements=8)
def as_it_came(desk: Desk, number: int) -> Response:
    """A mail as it came, to keep; never shown in the browser."""
    content = lists.raw(desk.env, number, viewer=desk.actor, now=desk.now)
    return desk.download(f"mail-{number}.eml", EML, [content])


@pages.post("/inbox/{number}/assign")
def assign(desk: Desk, posted: Form, number: int) -> Response:
    """Put a mail on the case that it belongs to."""
    asked = posted.text("ref")
    try:
        ref = sorting.assign(desk.env, number, asked, actor=desk.actor, now=desk.now)
    except (CaseNotFound, BadInput) as bad:
        return _mail(desk, number, asked=asked, wrong=str(bad))
    except sorting.MailDone as bad:
        return desk.see_other(f"/inbox/{number}", str(bad), tone="warning")
    return desk.see_other(f"/inbox/{number}", f"It is on {ref} now.")


@pages.post("/inbox/{number}/ignore")
def ignore(desk: Desk, posted: Form, number: int) -> Response:
    """Set a mail aside as not ours."""
    return _done(desk, number, sorting.ignore, "It is set aside; you can take that back.")


@pages.post("/inbox/{number}/restore")
def restore(desk: Desk, posted: Form, number: int) -> Response:
    """Take back that a mail was set aside."""
    return _done(desk, number, sorting.restore, "It waits again.")


def _done(desk: DeskPage, number: int, deed: Any, sentence: str) -> Response:
    try:
        deed(desk.env, number, actor=desk.actor, now=desk.now)
    except sorting.MailDone as bad:
        return desk.see_other(f"/inbox/{number}", str(bad), tone="warning")
    return desk.see_other(f"/inbox/{number}", sentence)


def _mail(desk: DeskPage, number: int, *, asked: str = "", wrong: str | None = None) -> Response:
    found = lists.one(desk.env, number, viewer=desk.actor, now=desk.now)
    return desk.page(
        "desk/inbox_mail.html", title=found.subject or "Mail without a subject", mail=found, mark=MARKS[found.state],
        ours=catalogue.title_of(found.ours) if found.ours else None, asked=asked or found.perhaps or "", wrong=wrong,
        raw=not MAY_SEE_RAW.isdisjoint(desk.roles_today), status=422 if wrong else 200,
    )  # fmt: skip

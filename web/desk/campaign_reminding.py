"""Reminding members of a campaign by hand: who gets a reminder is shown before it is sent."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from cases.campaigning.members import Narrowed
from cases.campaigning.nudging import nudge, preview
from state_machines.values import Role
from web.access import staff
from web.desk.campaigns import day_of
from web.desk_page import Desk
from web.naming import plural
from web.posted import Form, Posted
from web.routing import Pages

MOST_NAMED = 200
"""So many of a list are named on a page; of the others the number is told."""

pages = Pages(may=staff(Role.COORDINATOR))


@pages.post("/campaigns/{ref}/remind")
def show(desk: Desk, posted: Form, ref: str) -> Response:
    """Show who would get a reminder and who would not, and why. Nothing is written."""
    everybody = posted.text("who") == "all"
    if not everybody and not posted.all("ref"):
        back = f"/campaigns/{ref}/members"
        return desk.see_other(back, "Tick the members who should get a reminder first.", tone="warning")
    narrow = _narrowed(posted)
    found = preview(
        desk.env, ref, posted.all("ref"), narrow if everybody else None, insist=posted.yes("insist"),
        acting=desk.actor_for, actor=desk.actor, now=desk.now,
    )  # fmt: skip
    return desk.page(
        "desk/campaign_remind.html", title="Send a reminder now", found=found, insist=posted.yes("insist"),
        query=narrow.as_query(), who="all" if everybody else "chosen", most_named=MOST_NAMED,
    )  # fmt: skip


def _narrowed(posted: Posted) -> Narrowed:
    """The list that somebody came from."""
    return Narrowed(
        posted.text("state"), posted.text("team"), posted.text("tier"), day_of(posted.text("silent_since")),
        posted.yes("bounced"), posted.yes("at_risk"), posted.text("words"),
    )  # fmt: skip


@pages.post("/campaigns/{ref}/remind/send")
def send(desk: Desk, posted: Form, ref: str) -> Response:
    """Remind those who were shown; who has answered meanwhile is left out."""
    done = nudge(
        desk.env, ref, posted.all("ref"), insist=posted.yes("insist"), acting=desk.actor_for, actor=desk.actor,
        now=desk.now,
    )  # fmt: skip
    told = f"{plural(len(done.going), 'member')} will get a reminder."
    if done.staying:
        names = "; ".join(f"{one.member}: {one.why_not}" for one in done.staying[:5])
        more = f" and {len(done.staying) - 5} more" if len(done.staying) > 5 else ""
        told += f" Left out: {names}{more}"
    back = urlencode(_narrowed(posted).as_query() or {"state": "awaited"})
    return desk.see_other(
        f"/campaigns/{done.ref}/members?{back}", told, tone="success" if done.going else "warning"
    )  # fmt: skip


@pages.get("/campaigns/{ref}/remind", statements=9)
@pages.get("/campaigns/{ref}/remind/send", statements=9)
def again(desk: Desk, ref: str) -> Response:
    """Whoever loads the page of a form anew chooses anew: nothing is sent by looking."""
    return desk.see_other(f"/campaigns/{ref}/members")

"""Closing a campaign that did not reach 100 %: every member who is outstanding is named with what is done about it."""

from __future__ import annotations

from starlette.responses import Response

from cases import commands
from cases.campaigning.closing import CLOSE, closing
from cases.campaigning.sight import acts_as
from cases.errors import BadInput, CaseChanged, TransitionRefused
from state_machines.values import Role
from web.access import staff
from web.desk_page import Desk, DeskPage
from web.posted import Form, Posted
from web.routing import Pages

MOST_NAMED = 200
"""So many members have a line of their own; about the others is done what is done about all."""

pages = Pages(may=staff(Role.SENIOR))


@pages.get("/campaigns/{ref}/exceptions", statements=12)
def exceptions(desk: Desk, ref: str) -> Response:
    """The members who are outstanding, with room for what is done about each."""
    return _shown(desk, ref, Posted())


@pages.post("/campaigns/{ref}/exceptions")
def close(desk: Desk, posted: Form, ref: str) -> Response:
    """Close the campaign with these exceptions."""
    found = closing(desk.env, ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    common = posted.text("common").strip()
    named = [
        {"member": one.member_ref, "action": posted.text(f"action.{one.member_ref}").strip() or common}
        | ({"case": one.case} if found.kind == "signoff" else {})
        for one in found.outstanding
    ]
    nothing = [one.member for one in found.outstanding if not posted.text(f"action.{one.member_ref}").strip()]
    unheard = [one.member for one in found.outstanding if found.kind == "signoff" and not one.case]
    if unheard:
        told = f"{unheard[0]} has no monitoring case yet: decide on its signature first."
        return _shown(desk, ref, posted, told, 422)
    if nothing and not common:
        return _shown(desk, ref, posted, f"Say what is done about {nothing[0]}, or write one action for all.", 422)
    payload = {"outstanding": named, "reason": posted.text("reason")}
    actor = acts_as(desk.env, ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    try:
        commands.fire(
            desk.env, ref, CLOSE, payload=payload, seen_version=posted.number("seen"), actor=actor, now=desk.now
        )
    except (BadInput, TransitionRefused, CaseChanged) as bad:
        return _shown(desk, ref, posted, str(bad), bad.status)
    return desk.see_other(
        f"/campaigns/{found.ref}", "The campaign is closed with exceptions. It is never called 100 %."
    )


def _shown(desk: DeskPage, ref: str, typed: Posted, problem: str = "", status: int = 200) -> Response:
    found = closing(desk.env, ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    return desk.page(
        "desk/campaign_exceptions.html", title="Close with exceptions", found=found, typed=typed, problem=problem,
        most_named=MOST_NAMED, status=status,
    )  # fmt: skip

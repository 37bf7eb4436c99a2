"""Changes that members and colleagues propose: which wait, and deciding about one."""

from __future__ import annotations

from starlette.responses import Response

from cases.member_decisions import waiting_proposals
from members import proposals
from members.errors import AlreadyDecided, Changed, Unusable
from web.access import STAFF
from web.desk.member_changes import WRITERS, doing
from web.desk_page import Desk, is_local
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=STAFF)
LIST = "/members/proposals"


@pages.get(LIST, statements=16)
def waiting(desk: Desk, after: int = 0) -> Response:
    """The proposed changes that wait, the oldest first."""
    found = waiting_proposals(desk.env, after=after, actor=desk.actor, now=desk.now)
    return desk.page(
        "desk/member_proposals.html", title="Proposed changes", found=found, here=LIST,
        next=f"{LIST}?after={found.after}" if found.after else None, first=LIST if after else None,
    )  # fmt: skip


@pages.post(LIST + "/{number}/accept", may=WRITERS)
def accept(desk: Desk, posted: Form, number: int) -> Response:
    """Make the changes, or those of them that are ticked, as they stood beside the member on the page."""
    seen, parts = posted.number("version") or 0, posted.number("parts")
    only = posted.all("take") if parts else None
    try:
        card = proposals.accept(desk.env.engine, number, only=only, seen_version=seen, **doing(desk))
    except Changed as bad:
        return desk.see_other(_back(posted), f"{bad} Please look again at what is proposed.", tone="warning")
    except (AlreadyDecided, Unusable) as bad:
        return desk.see_other(_back(posted), str(bad), tone="warning")
    all_of_it = only is None or len(only) == parts
    told = "is changed as was proposed." if all_of_it else "is changed; what was not ticked stays as it was."
    return desk.see_other(_back(posted), f"{card.name} {told}")


@pages.post(LIST + "/{number}/decline", may=WRITERS)
def decline(desk: Desk, posted: Form, number: int) -> Response:
    """Leave the member as it is, and keep the reason."""
    try:
        proposals.decline(desk.env.engine, number, posted.text("reason"), **doing(desk))
    except (AlreadyDecided, Unusable) as bad:
        return desk.see_other(_back(posted), str(bad), tone="warning")
    return desk.see_other(_back(posted), "The proposal is declined.")


def _back(posted: Posted) -> str:
    """Return where the form stood: on the list, or on a member's page."""
    asked = posted.text("back")
    return asked if is_local(asked) and asked.startswith("/members/") else LIST

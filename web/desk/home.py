"""Where somebody begins: with their decisions or with their queue."""

from __future__ import annotations

from starlette.responses import Response

from cases.approving.decisions import DECIDERS
from state_machines.values import Role
from web.access import STAFF
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.get("/", statements=6)
def home(desk: Desk) -> Response:
    """Lead those who only decide to what waits for their decision, everybody else to their queue."""
    decides_only = bool(desk.actor.roles & DECIDERS) and Role.COORDINATOR not in desk.actor.roles
    return desk.see_other("/approvals" if decides_only else "/queue")

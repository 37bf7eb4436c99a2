"""How much lies on whose desk, for those who give out work."""

from __future__ import annotations

from starlette.responses import Response

from cases.lists.team_load import team_load
from state_machines.values import Role
from web.access import staff
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=staff(Role.MANAGER, Role.SENIOR))


@pages.get("/team", statements=7)
def team(desk: Desk) -> Response:
    """Show the people somebody answers for, each with their load."""
    found = team_load(desk.env, actor=desk.actor, now=desk.now)
    return desk.page("desk/team.html", title="Team", found=found)

"""How the installation is: people, mail, the sweep, what is parked."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

import migrations
from cases import health
from config import clock
from config.database import reading
from notifications import queries as message_queries
from state_machines.values import Role
from web.accounts import passwords, tokens
from web.desk.admin_rules import LEADERS
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=LEADERS)

LOOK_BACK = timedelta(days=30)


@pages.get("/admin", statements=20)
def overview(desk: Desk) -> Response:
    """How the installation is, and where to put things right."""
    told = health.status(desk.env, head=migrations.head())
    with reading(desk.env.engine) as conn:
        reasons = message_queries.reasons(conn, since=desk.now - LOOK_BACK)
        with_password = passwords.who_have_one(conn)
        keys = tokens.listed(conn)
    active = [p for p in desk.staffing.people.values() if p.active]
    numbers = {
        "active": len(active), "left": len(desk.staffing.people) - len(active),
        "without_password": sum(p.id not in with_password for p in active),
        "administrators": sum(Role.ADMINISTRATOR in p.roles for p in active),
        "keys": sum(tokens.works(key, clock.utc_now()) for key in keys),
    }  # fmt: skip
    suppressed = sum(n for (state, _), n in reasons.items() if state == "suppressed")
    return desk.page("desk/admin/overview.html", title="Administration", told=told, numbers=numbers, lost=suppressed)

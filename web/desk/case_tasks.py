"""The tasks of a case that a person closes by hand."""

from __future__ import annotations

from starlette.responses import Response

from cases.errors import CaseError, CaseNotFound
from cases.sight import glance
from cases.tasks import close_task
from web.access import STAFF
from web.desk.case_shown import shown
from web.desk_page import Desk
from web.posted import Form
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.post("/cases/{ref}/tasks/{number}/done")
def done(desk: Desk, posted: Form, ref: str, number: int) -> Response:
    """Close a task by hand; one that a step of the process settles is refused with that step."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    actor = desk.actor_for(found.owner_id)
    try:
        task = close_task(desk.env, found.ref, number, note=posted.text("note"), actor=actor, now=desk.now)
    except CaseNotFound:
        raise
    except CaseError as bad:
        return shown(desk, ref, status=bad.status, told=str(bad))
    said = "This task was done already." if task.was_closed else f"Task done: {task.title}."
    return desk.see_other(f"/cases/{task.ref}", said)

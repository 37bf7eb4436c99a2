"""Mail: what waits, what failed, what was not sent and why; and trying again."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from cases.commands import require_staff
from cases.errors import BadInput
from cases.inbox.health import inbox_health
from cases.inbox.reading import is_configured
from cases.mailroom import older, seen_of
from config.database import reading, transaction
from members.staffing import Staffing
from notifications import outbox as queue
from notifications import queries as message_queries
from notifications.tables import FAILED, STATES
from web.desk.admin import LOOK_BACK
from web.desk.admin_rules import LEADERS
from web.desk_page import Desk
from web.naming import plural
from web.posted import Form, number_of
from web.routing import Pages

pages = Pages(may=LEADERS)

ON_A_PAGE = 50
TITLES = {
    "queued": "Waiting", "sending": "Being sent", "sent": "Sent", "suppressed": "Not sent, with a reason",
    "failed": "Failed",
}  # fmt: skip


@pages.get("/admin/mail", statements=16)
def listed(desk: Desk) -> Response:
    """How mail is, and the messages of one fate, the newest first."""
    asked = desk.request.query_params
    state = asked.get("state", "")
    state = state if state in STATES else FAILED
    before = number_of(asked.get("before", ""))
    lines = older(desk.env, before=before, state=state, viewer=desk.actor, limit=ON_A_PAGE + 1)
    with reading(desk.env.engine) as conn:
        counts = message_queries.counts(conn)
        reasons = message_queries.reasons(conn, since=desk.now - LOOK_BACK)
        oldest = message_queries.oldest_queued(conn)
        inbox = inbox_health(conn, desk.now)
    shown = [{**line, "whom": _whom(line, desk.staffing)} for line in lines[:ON_A_PAGE]]
    return desk.page(
        "desk/admin/mail.html", title="Mail", block="list", lines=shown, state=state, counts=counts, titles=TITLES,
        oldest=oldest, inbox=inbox, reads=is_configured(desk.env.settings),
        next_before=shown[-1]["id"] if len(lines) > ON_A_PAGE else None, before=before,
        reasons=sorted(((*key, n) for key, n in reasons.items()), key=lambda each: -each[2]),
    )  # fmt: skip


def _whom(line: dict[str, Any], staffing: Staffing) -> str:
    """Return who gets a message, people by name."""
    kind, _, number = str(line["audience"]).partition(":")
    found = staffing.get(number_of(number) or 0) if kind in ("staff", "person") else None
    return found.name if found is not None and not line["to"] else str(line["receiver"])


@pages.post("/admin/mail/retry")
def retry(desk: Desk, posted: Form) -> Response:
    """Let failed messages be tried once more, after the cause is mended. Raises NotAllowed and BadInput."""
    require_staff(desk.actor)
    numbers = [found for each in posted.all("id") if (found := number_of(each)) is not None][:ON_A_PAGE]
    mine = seen_of(desk.env, numbers, viewer=desk.actor)
    with transaction(desk.env.engine) as conn:
        count = queue.requeue(conn, mine, now=desk.now)
    if not count:
        raise BadInput("Nothing was chosen that has failed and could be tried again.")
    return desk.see_other("/admin/mail?state=queued", f"{plural(count, 'message')} will be tried again in a moment.")

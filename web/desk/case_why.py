"""Why something happened to a case, or did not: its clocks, rungs and guards at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, time

from starlette.responses import Response

from cases.explaining.past import why
from config.clock import parse_instant
from web.access import STAFF
from web.desk_page import Desk, DeskPage
from web.routing import Pages
from web.wording import length

pages = Pages(may=STAFF)

TONES = {"fired": "good", "late": "bad", "refused": "warn", "passed over": "neutral", "stood still": "warn",
         "not due yet": "neutral"}  # fmt: skip


@pages.get("/cases/{ref}/why", statements=20)
def reasons(desk: Desk, ref: str, at: str = "", day: str = "", hour: str = "") -> Response:
    """Why each rung of a case's clocks had been reached or not, at a moment that may be chosen."""
    wanted, problem = _moment(desk, at, day, hour)
    found = why(desk.env, ref, at=wanted, actor=desk.actor, now=desk.now)
    local = found.at.astimezone(desk.env.settings.zone)
    return desk.page(
        "desk/case_why.html", title=f"Why, and why not: {found.subject or found.ref}", found=found, ref=found.ref,
        day=f"{local:%Y-%m-%d}", hour=f"{local:%H:%M}", problem=problem, tones=TONES, length=length,
        chosen=wanted is not None, status=422 if problem else 200,
    )  # fmt: skip


def _moment(desk: DeskPage, at: str, day: str, hour: str) -> tuple[datetime | None, str]:
    """Return the instant that is meant, or None and what is wrong with it."""
    if not (at or day):
        return None, ""
    try:
        if at:
            return parse_instant(at, desk.env.settings.zone).astimezone(UTC), ""
        on, moment = datetime.fromisoformat(day).date(), time.fromisoformat(hour or "23:59")
        return datetime.combine(on, moment, desk.env.settings.zone).astimezone(UTC), ""
    except (ValueError, OverflowError):
        return None, "That is no day and time; choose a day, and a time such as 09:00."

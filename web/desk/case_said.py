"""What others did to a case while somebody typed, for the page that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cases.history import History
from cases.queries import CasePage
from state_machines.registry import process_named
from web.desk.case_people import Names, options
from web.desk.case_points import points
from web.desk_page import DeskPage
from web.said import Said, said


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened meanwhile."""

    at: datetime
    by: str
    title: str
    move: str | None
    said: list[Said]
    note: str


def changes_since(since: History, page: CasePage, names: Names, desk: DeskPage) -> list[Change]:
    """Return what happened since the version somebody saw, first to last."""
    process = process_named(page.case.process)
    people = options(desk.staffing)
    found = []
    for event in since.events:
        typed = {**event.details.get("payload", {}), **event.personal} if event.kind == "transition" else {}
        who = names.by({"actor": event.actor, "on_behalf_of": event.on_behalf_of})
        found.append(Change(
            event.at, who, event.title, process.state(event.target).title if event.source != event.target else None,
            said(process, event.trigger, typed, people=people, zone=desk.env.settings.zone,
                 heads=points(page.case)),
            str(event.personal.get("text", "")) if event.kind in ("note", "told") else "",
        ))  # fmt: skip
    return found

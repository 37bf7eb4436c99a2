"""Who looked at what is restricted: for auditors and administrators."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from cases.looking import store
from cases.people import called
from members.staffing import Staffing
from reports.table import CSV, csv_chunks
from state_machines.values import Role
from web.access import staff
from web.desk_page import Desk
from web.naming import person_title
from web.posted import number_of
from web.routing import Pages

pages = Pages(may=staff(Role.AUDITOR, Role.ADMINISTRATOR))

ON_A_PAGE = 50
WHATS = {
    "case": "The case", "file": "A file", "letter": "A letter", "export": "A copy taken away",
    "results": "Answers or risks by name",
}  # fmt: skip
THROUGH = {"page": "the desk", "api": "the API", "command": "a command"}
_HEAD = ("at", "person", "on_behalf_of", "what", "case", "name", "through", "request")


@pages.get("/looked-at", statements=9)
def looked_at(desk: Desk) -> Response:
    """Looks at what is restricted, the newest first; at one case, or by one person."""
    asked = _asked(desk)
    before = number_of(desk.request.query_params.get("before", ""))
    rows = store.looks(desk.env, **asked, before=before, limit=ON_A_PAGE + 1, actor=desk.actor)
    shown = rows[:ON_A_PAGE]
    kept = urlencode({name: value for name, value in (("case", asked["case_ref"]), ("who", asked["person"])) if value})
    return desk.page(
        "desk/looked_at.html", title="Who looked", block="list", lines=[_line(row, desk.staffing) for row in shown],
        asked=asked, kept=kept, before=before, next_before=shown[-1].id if len(rows) > ON_A_PAGE else None,
        people=[(p.person, person_title(p)) for p in sorted(desk.staffing.people.values(), key=lambda p: p.name)],
        whats=WHATS, throughs=THROUGH, years=store.KEPT_YEARS,
    )  # fmt: skip


@pages.get("/looked-at.csv", statements=9)
def looked_at_file(desk: Desk) -> Response:
    """The same as a file; that it was taken is a look as well."""
    rows = store.looks(desk.env, **_asked(desk), actor=desk.actor)
    lines = [
        (row.at.isoformat(), called(row.person, desk.staffing), _for(row, desk.staffing), row.what, row.case_ref or "",
         row.name or "", row.through, row.request) for row in rows
    ]  # fmt: skip
    return desk.download(f"looks-{desk.today}.csv", CSV, csv_chunks([_HEAD, *lines]))


def _asked(desk: Desk) -> dict[str, Any]:
    query = desk.request.query_params
    return {"case_ref": query.get("case", "").strip()[:40], "person": query.get("who", "").strip()[:40]}


def _line(row: Any, staffing: Staffing) -> dict[str, Any]:
    return {**row._mapping, "who": called(row.person, staffing), "whom": _for(row, staffing)}


def _for(row: Any, staffing: Staffing) -> str:
    return called(row.on_behalf_of, staffing) if row.on_behalf_of else ""

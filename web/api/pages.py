"""Pages for who writes a program: what each kind of problem means. The ``type`` of a problem leads here."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.responses import Response

from web.access import PUBLIC
from web.api.problem_kinds import KINDS
from web.desk_page import Visit
from web.routing import Pages

pages = Pages(may=PUBLIC)


@pages.get("/problems", statements=1)
def problems(visit: Visit) -> Response:
    """All kinds of problem."""
    return visit.page("api/problems.html", title="Problems of the API", kinds=list(KINDS.values()))


@pages.get("/problems/{slug}", statements=1)
def problem(visit: Visit, slug: str) -> Response:
    """One kind of problem."""
    kind = KINDS.get(slug)
    if kind is None:
        raise HTTPException(404)
    return visit.page("api/problems.html", title=kind.title, kinds=[kind])

"""The results of a campaign on a page: what may be shared, the internal view, and the cases behind a figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.campaigning.answered import DIMENSIONS
from cases.campaigning.behind import behind
from cases.campaigning.counts import percent
from cases.campaigning.results import Narrowed, results
from cases.campaigning.risk_report import BAND_WORDS, BEFORE, risk_report
from cases.looking.recording import RESULTS, looked_at
from cases.rows import ref_of
from reports.campaigns import results_copy, risk_copy
from reports.dossier import FORMATS, Copy
from web.access import STAFF
from web.charts import share_bar
from web.desk_page import Desk, DeskPage
from web.routing import Pages

pages = Pages(may=STAFF)
INTERNAL, SHARED = "internal", "shared"
MOST_LINES = 100


@pages.get("/campaigns/{ref}/results", statements=14)
def results_page(
    desk: Desk, ref: str, view: str = "", by: str = "", tier: str = "", country: str = "", region: str = "",
    team: str = "",
) -> Response:  # fmt: skip
    """What members have answered, question by question."""
    narrowed = Narrowed(tier, country, region, team)
    found = results(
        desk.env, ref, shared=view != INTERNAL, narrowed=narrowed, actor=desk.actor, now=desk.now
    )  # fmt: skip
    if not found.shared:
        looked_at(RESULTS, case_ref=ref_of(ref), name="answers", actor=desk.actor)
    query = {"view": view if view == INTERNAL else "", **narrowed.chosen}
    return desk.page(
        "desk/campaign_results.html", title=found.title, found=found, tab="results", share=percent, bar=share_bar,
        by=by if by in DIMENSIONS else "", dimensions=DIMENSIONS, query=_query(query), chosen=query,
        drill=_query(dict(narrowed.chosen)),
    )  # fmt: skip


@pages.get("/campaigns/{ref}/results.{kind}", statements=14)
def results_file(
    desk: Desk, ref: str, kind: str, view: str = "", tier: str = "", country: str = "", region: str = "",
    team: str = "",
) -> Response:  # fmt: skip
    """The results as a PDF, a workbook or a file of rows."""
    shared, narrowed = view != INTERNAL, Narrowed(tier, country, region, team)
    return _sent(desk, kind, results_copy, ref=ref, shared=shared, narrowed=narrowed)


@pages.get("/campaigns/{ref}/risk", statements=16)
def risk_page(
    desk: Desk, ref: str, tier: str = "", country: str = "", region: str = "", team: str = "", page: int = 1
) -> Response:
    """The risks that the answers show, the gravest members first."""
    narrowed = Narrowed(tier, country, region, team)
    found = risk_report(desk.env, ref, narrowed=narrowed, actor=desk.actor, now=desk.now)
    looked_at(RESULTS, case_ref=ref_of(ref), name="risks", actor=desk.actor)
    begin = (max(page, 1) - 1) * MOST_LINES
    query = dict(narrowed.chosen)
    return desk.page(
        "desk/campaign_risk.html", title=found.title, found=found, tab="risk", bar=share_bar, chosen=query,
        query=_query(query), words=BAND_WORDS, dimensions=(*DIMENSIONS, BEFORE), before=BEFORE,
        lines=found.lines[begin : begin + MOST_LINES],
        next=_query({**query, "page": str(page + 1)}) if begin + MOST_LINES < len(found.lines) else "",
        previous=_query({**query, "page": str(page - 1)}) if begin else "",
    )  # fmt: skip


@pages.get("/campaigns/{ref}/risk.{kind}", statements=16)
def risk_file(
    desk: Desk, ref: str, kind: str, view: str = "", tier: str = "", country: str = "", region: str = "",
    team: str = "",
) -> Response:  # fmt: skip
    """The risks as a PDF, a workbook or a file of rows: by name, or in numbers to share."""
    narrowed = Narrowed(tier, country, region, team)
    return _sent(desk, kind, risk_copy, ref=ref, shared=view == SHARED, narrowed=narrowed)


def _sent(desk: DeskPage, kind: str, make: Callable[..., Copy], *, ref: str, **which: Any) -> Response:
    if kind not in FORMATS:
        raise HTTPException(404)
    copy = make(desk.env, ref, kind, **which, actor=desk.actor, now=desk.now)
    return desk.download(f"{copy.name.rpartition('.')[0]}-{desk.today.isoformat()}.{kind}", copy.media_type,
                         [copy.content])  # fmt: skip


@pages.get("/campaigns/{ref}/results/cases", statements=12)
def cases(
    desk: Desk, ref: str, item: str = "", answer: str = "", which: str = "answered", tier: str = "",
    country: str = "", region: str = "", team: str = "", page: int = 1,
) -> Response:  # fmt: skip
    """The cases behind a figure, for whoever may open them."""
    narrowed = Narrowed(tier, country, region, team)
    found = behind(
        desk.env, ref, item, answer=answer, which=which, narrowed=narrowed, actor=desk.actor, now=desk.now
    )  # fmt: skip
    page = max(page, 1)
    begin = (page - 1) * MOST_LINES
    query = {"item": item, "answer": answer, "which": which, **narrowed.chosen}
    return desk.page(
        "desk/campaign_behind.html", title="Cases behind a figure", found=found,
        lines=found.lines[begin : begin + MOST_LINES], total=len(found.lines), narrowed=narrowed.chosen,
        next=_query({**query, "page": str(page + 1)}) if begin + MOST_LINES < len(found.lines) else "",
        previous=_query({**query, "page": str(page - 1)}) if page > 1 else "",
    )  # fmt: skip


def _query(given: dict[str, str]) -> str:
    return urlencode({name: value for name, value in given.items() if value})

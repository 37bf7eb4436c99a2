"""Cases: lists of them, one with everything about it, its history, and opening one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from cases import commands
from cases.explaining.coming import what_happens_next
from cases.explaining.values import coming_values
from cases.history import history
from cases.lists import worklist
from cases.lists.keyset import place_from
from cases.lists.narrowing import Due, Phase, narrow_from
from cases.queries import case_page
from state_machines.values import Outcome
from web.api.asking import Asked, CaseRef, Cursor, IdempotencyKey, IfNoneMatch, Limit, Who
from web.api.bodies import DayGiven, ProcessName
from web.api.case_coming_models import WhatComes
from web.api.case_models import CaseLine, CaseOne, Event, Moved, NewCase
from web.api.case_values import line_values, moved_values, one_values
from web.api.lookup import member_seen
from web.api.paging import Listed, address, listed, no_cursor, place_of, versioned
from web.api.routes import Endpoints

api = Endpoints("Cases")
_MOST = 2**31 - 1


@api.read("/cases", "cases:read", response_model=Listed[CaseLine])
def list_cases(
    asked: Who,
    process: Annotated[ProcessName | None, Query(description="Only this kind of case.", examples=["complaint"])] = None,
    state: Annotated[str | None, Query(max_length=80, description="Only in this state.", examples=["received"])] = None,
    phase: Annotated[Phase, Query(description="Only open or closed cases, or all.")] = Phase.OPEN,
    owner: Annotated[
        str | None,
        Query(description="Only of this owner: `staff:3`, an e-mail address, `me`, or `none` for cases of nobody.",
              max_length=254, examples=["me"]),
    ] = None,
    member: Annotated[
        str | None, Query(max_length=100, description="Only of the member with this reference.", examples=["M-000012"])
    ] = None,
    team: Annotated[
        str | None, Query(max_length=100, description="Only of this team, or `none`.", examples=["North"])
    ] = None,
    campaign: Annotated[
        str | None, Query(max_length=40, description="Only responses of this campaign.", examples=["SC-2026-000001"])
    ] = None,
    due: Annotated[Due | None, Query(description="Only those whose next deadline is so.", examples=["overdue"])] = None,
    outcome: Annotated[str | None, Query(max_length=80, description="Only those that ended so.")] = None,
    external_ref: Annotated[
        str | None, Query(max_length=100, description="Only with this number of yours; ask with `phase=all`.",
                          examples=["4711"])
    ] = None,
    received_from: Annotated[DayGiven | None, Query(description="Only received on this day or later.")] = None,
    received_until: Annotated[DayGiven | None, Query(description="Only received on this day or earlier.")] = None,
    on_hold: Annotated[bool, Query(description="Only those on hold.")] = False,
    parked: Annotated[bool, Query(description="Only those that are parked.")] = False,
    newest: Annotated[bool, Query(description="By when they came in, the latest first.")] = False,
    mine: Annotated[
        bool, Query(description="Only your queue: what you own, and what is yours today for somebody away.")
    ] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """List cases.

    Cases you may see. Open cases come by deadline, the soonest first; closed ones by when they ended, the latest
    first; with `phase=all`, or `newest=true`, by when they came in, the latest first.
    """
    texts = {"process": process, "state": state, "phase": phase, "member": member, "team": team, "campaign": campaign,
             "due": due, "outcome": outcome, "owner": _owner(owner, asked), "external_ref": external_ref}  # fmt: skip
    flags = {"hold": on_hold, "parked": parked, "newest": newest}
    days = {"received_from": received_from, "received_until": received_until}
    query = {name: str(value) for name, value in {**texts, **flags, **days}.items() if value}
    place = place_of(cursor, str)
    begin = place_from(place[0]) if place else None
    if place and begin is None:
        raise no_cursor()
    page_of = worklist.queue if mine else worklist.all_cases
    page = page_of(asked.env, narrow_from(query), begin, size=limit, actor=asked.actor, now=asked.now)
    lines = [line_values(line, page.staffing) for line in page.lines]
    return listed(asked.request, lines, [str(page.after)] if page.after else None)


def _owner(given: str | None, asked: Asked) -> str | None:
    """Return an owner as lists know them; who is nobody of ours owns nothing."""
    if given is None or given in ("me", "none"):
        return given
    if given.startswith("staff:"):
        return given.removeprefix("staff:")
    person = asked.staffing.by_email(given)
    return str(person.id) if person else "0"


@api.write(
    "/cases",
    "cases:write",
    status_code=201,
    response_model=Moved,
    problems=("not-found",),
    marks={"x-location": "The new case."},
)
def open_case(asked: Who, response: Response, wanted: NewCase, key: IdempotencyKey = None) -> Any:
    """Open a case.

    `GET /processes/{name}` has the JSON Schema of the `payload` that opens each kind of case. The `Location` of the
    answer is the new case.
    """
    member = member_seen(asked, wanted.member).ref if wanted.member else None
    outcome: Outcome = commands.open_one(
        asked.env, wanted.process, member=member, subject=wanted.subject, payload=wanted.payload,
        received_at=wanted.received, external_ref=wanted.external_ref, actor=asked.actor, now=asked.now,
    )  # fmt: skip
    response.headers["location"] = address(asked.request, f"/cases/{outcome.after.ref}")
    return moved_values(outcome)


@api.read("/cases/{ref}", "cases:read", response_model=CaseOne, problems=("not-found",), marks={"x-versioned": True})
def show_case(asked: Who, ref: CaseRef, known: IfNoneMatch = None) -> Response:
    """Show one case with everything about it."""
    page = case_page(asked.env, ref, actor=asked.actor, last_events=1, now=asked.now)
    return versioned(asked.request, CaseOne.model_validate(one_values(page, asked.staffing)), page.case.version)


@api.read("/cases/{ref}/next", "cases:read", response_model=WhatComes, problems=("not-found",))
def show_what_comes(asked: Who, ref: CaseRef) -> Any:
    """Show what happens next to a case.

    What Muster does by itself until the case ends, if nobody acts: when, with which mail to whom, and on whom it lands.
    What repeats is told once, with its rhythm.
    """
    return coming_values(what_happens_next(asked.env, ref, actor=asked.actor, now=asked.now))


@api.read("/cases/{ref}/events", "cases:read", response_model=Listed[Event], problems=("not-found",))
def list_case_events(
    asked: Who,
    ref: CaseRef,
    after: Annotated[int, Query(ge=0, le=_MOST, description="Only events after the one with this `seq`.")] = 0,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """List what happened to a case.

    The earliest event first. To follow a case, ask for what came `after` the last `seq` you have.
    """
    place = place_of(cursor, int)
    after = min(place[0], _MOST) if place else after
    found = history(asked.env, ref, after=after, limit=limit, actor=asked.actor, now=asked.now)
    return listed(asked.request, [asdict(e) for e in found.events], [found.events[-1].seq] if found.more else None)

"""How the number that a campaign is measured against came about; leaving a member out of it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import BaseModel
from starlette.responses import Response

from cases import commands
from cases.campaigning.denominator import LEAVE_OUT, TAKE_BACK, denominator
from cases.campaigning.sight import acts_as
from cases.errors import BadInput, CaseChanged, TransitionRefused
from state_machines.processes.leaving_out import DENOMINATOR_DECIDERS, LeaveOut, TakeBackIn
from web.access import STAFF, staff
from web.desk_page import Desk, DeskPage
from web.forms import fields_of, leftover_errors
from web.posted import Form, Posted
from web.routing import Pages
from web.typed import payload_of

pages = Pages(may=STAFF)
DECIDERS = staff(*DENOMINATOR_DECIDERS)
FORMS: Mapping[str, type[BaseModel]] = {LEAVE_OUT: LeaveOut, TAKE_BACK: TakeBackIn}


@pages.get("/campaigns/{ref}/denominator", statements=14)
def shown(desk: Desk, ref: str, after: str = "", member: str = "") -> Response:
    """The equation, who was added or left out since the launch, and whom the rule does not ask, with reasons."""
    return _page(desk, ref, after=after, typed={"member": member[:80]})


def _page(
    desk: DeskPage, ref: str, *, after: str = "", typed: Mapping[str, str] | None = None, tried: str = "",
    errors: Mapping[str, tuple[str, ...]] | None = None, problem: str = "", status: int = 200,
) -> Response:  # fmt: skip
    found = denominator(desk.env, ref, after=after, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    base = f"/campaigns/{found.ref}/denominator"
    shown = (typed, errors) if tried != TAKE_BACK else ({}, {})
    fields = fields_of(LeaveOut, shown[0] or {}, shown[1] or {}, zone=desk.env.settings.zone)
    others = list(leftover_errors(LeaveOut, errors or {})) if tried == LEAVE_OUT else _all(errors or {})
    return desk.page(
        "desk/campaign_denominator.html", title="How the number came about", found=found, fields=fields,
        others=[*others, *([problem] if problem else [])], tab="denominator", first=base if after else None,
        following=f"{base}?{urlencode({'after': found.after})}" if found.after else None, status=status,
    )  # fmt: skip


def _all(errors: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The errors of a form whose fields stand in a list: all of them above it."""
    return [f"{name.capitalize()}: {told}" for name, sentences in errors.items() for told in sentences]


@pages.post("/campaigns/{ref}/leave-out", may=DECIDERS)
def leave_out(desk: Desk, posted: Form, ref: str) -> Response:
    """Leave a member out, with the reason; the list says who decided, and there is a way back."""
    return _done(desk, posted, ref, LEAVE_OUT, "does not count any more. “Take back in” undoes this.")


@pages.post("/campaigns/{ref}/take-back-in", may=DECIDERS)
def take_back_in(desk: Desk, posted: Form, ref: str) -> Response:
    """Take a member back in: it counts again, and stands where it stood."""
    return _done(desk, posted, ref, TAKE_BACK, "counts again.")


def _done(desk: DeskPage, posted: Posted, ref: str, trigger: str, words: str) -> Response:
    payload = payload_of(FORMS[trigger], posted, zone=desk.env.settings.zone)
    typed = {name: str(value) for name, value in payload.items()}
    try:
        actor = acts_as(desk.env, ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
        commands.fire(desk.env, ref, trigger, payload=payload, actor=actor, now=desk.now)
    except TransitionRefused as no:
        problem = "" if no.errors else str(no)
        return _page(desk, ref, typed=typed, tried=trigger, errors=no.errors, problem=problem, status=422)
    except (BadInput, CaseChanged) as bad:
        return _page(desk, ref, typed=typed, tried=trigger, problem=str(bad), status=bad.status)
    return desk.see_other(f"/campaigns/{ref}/denominator#changed", f"{typed.get('member', '')} {words}")

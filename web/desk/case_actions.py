"""Doing something with a case: the form of a step, what comes of sending it, and what was begun and not sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.errors import BadInput, CaseChanged, CaseError, CaseNotFound, TransitionRefused
from cases.history import since_version
from cases.queries import CasePage
from cases.sight import glance
from cases.taking_step import Taken, take_step
from config.database import transaction
from state_machines.process import Transition
from state_machines.registry import process_named
from web import drafts
from web.access import STAFF
from web.desk.case_choices import asked_of, begun, chosen, mails_of, transition_of
from web.desk.case_done import sentence
from web.desk.case_people import Names, options
from web.desk.case_points import points, with_a_row_each
from web.desk.case_said import changes_since
from web.desk.case_shown import brief, read
from web.desk.wrong_fields import wrong
from web.desk_page import Desk, DeskPage, is_local
from web.forms import fields_of, leftover_errors
from web.posted import Form, Posted
from web.routing import Pages
from web.typed import payload_of

pages = Pages(may=STAFF)


@dataclass(frozen=True)
class Tried:
    """What somebody tried and what was wrong with it."""

    typed: Posted = field(default_factory=Posted)
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    told: str | None = None
    """The sentence of what was refused as a whole."""
    since: int | None = None
    """The version on their screen, where others have changed the case meanwhile."""


@pages.get("/cases/{ref}/do/{trigger}", statements=17)
def form(desk: Desk, ref: str, trigger: str) -> Response:
    """The form of a step, with what this person has begun to type."""
    page = read(desk, ref, events=1)
    transition = _transition(page, trigger)
    with transaction(desk.env.engine) as conn:
        draft = drafts.of_case(conn, desk.person.id, page.case.id).get(trigger)
    return _asked(desk, page, transition, Tried(typed=draft.posted) if draft else None, draft=draft)


@pages.post("/cases/{ref}/do/{trigger}")
def do(desk: Desk, posted: Form, ref: str, trigger: str) -> Response:
    """Take a step; where it is refused the form comes back with everything that was typed."""
    version = posted.number("version")
    try:
        taken = _take(desk, posted, ref, trigger, version)
    except CaseNotFound:
        raise
    except CaseError as bad:
        page = brief(desk, ref)
        transition = _transition(page, trigger)
        if isinstance(bad, CaseChanged) and _is_repeated(desk, page, trigger, version or 0):
            return desk.see_other(f"/cases/{page.case.ref}", f"“{transition.title}” was done already.")
        _keep(desk, page, trigger, posted)
        return _refused(desk, page, trigger, posted, bad)
    told = sentence(taken.outcome, _transition(taken.page, trigger), Names(taken.page, desk.staffing))
    return desk.see_other(_afterwards(desk, taken), told)


def _take(desk: DeskPage, posted: Posted, ref: str, trigger: str, version: int | None) -> Taken:
    """Take a step and throw away what was begun of it."""

    def payload(page: CasePage) -> dict[str, Any] | None:
        transition = _transition(page, trigger)
        if version is None:
            raise BadInput("The form does not say which version of the case it is about; please send it again.")
        return _payload(desk, page, transition, posted)

    return take_step(
        desk.env, ref, trigger, payload,
        lambda conn, case_id: drafts.discard(conn, desk.person.id, case_id, trigger),
        note=posted.text("also_note").strip() or None, seen_version=version, acting=desk.actor_for, actor=desk.actor,
        now=desk.now,
    )  # fmt: skip


def _is_repeated(desk: DeskPage, page: CasePage, trigger: str, version: int) -> bool:
    """Whether all that happened since is that this person did this already: a form that was sent twice."""
    since = since_version(desk.env, page.case.ref, version, actor=desk.actor, now=desk.now).events
    mine = [event for event in since if not event.actor.startswith("system:")]
    return bool(mine) and all(e.actor == desk.actor.person and e.trigger == trigger for e in mine)


def _afterwards(desk: DeskPage, taken: Taken) -> str:
    """Where somebody came from; else the page of the case, or the queue where the step has taken it out of sight."""
    came_from = desk.request.query_params.get("return", "")
    if is_local(came_from):
        return came_from
    return f"/cases/{taken.page.case.ref}" if taken.in_sight else "/queue"


def _transition(page: CasePage, trigger: str) -> Transition:
    """The step whose form it is. Raises HTTPException where the process knows none of that name."""
    found = transition_of(page, trigger)
    if found is None:
        raise HTTPException(404)
    return found


def _payload(desk: DeskPage, page: CasePage, transition: Transition, posted: Posted) -> dict[str, Any] | None:
    if transition.needs is None:
        return None
    return payload_of(transition.needs, posted, zone=desk.env.settings.zone, kept=points(page.case))


def _refused(desk: DeskPage, before: CasePage, trigger: str, posted: Posted, bad: CaseError) -> Response:
    """The form once more: with errors by field, with what others did meanwhile, or with the rule that refused."""
    page = read(desk, before.case.ref, events=1)
    transition = _transition(page, trigger)
    if isinstance(bad, CaseChanged):
        return _asked(desk, page, transition, Tried(posted, since=posted.number("version")), status=409)
    errors = bad.errors if isinstance(bad, TransitionRefused) else {}
    told = None if errors else str(bad)
    return _asked(desk, page, transition, Tried(posted, errors, told), status=422 if errors else bad.status)


def _asked(
    desk: DeskPage, page: CasePage, transition: Transition, tried: Tried | None, *, draft: drafts.Kept | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    """The page that asks for what a step needs. Where the step is not possible, what was typed can still be copied."""
    choice, names = chosen(page, transition.trigger), Names(page, desk.staffing)
    tried_ = tried or Tried()
    given = _payload(desk, page, transition, tried.typed) if tried and transition.needs else begun(page, transition)
    fields = asked_of(page, fields_of(
        transition.needs, with_a_row_each(given or {}, points(page.case)), tried_.errors, people=options(desk.staffing),
        zone=desk.env.settings.zone,
    ))  # fmt: skip
    since = None
    if tried_.since is not None:
        since = since_version(desk.env, page.case.ref, tried_.since, actor=desk.actor, now=desk.now)
    return desk.page(
        "desk/case_do.html", title=transition.title, block="panel", status=status, page=page, line=page.line,
        ref=page.case.ref, transition=transition, fields=fields, wrong=wrong(fields), told=tried_.told,
        also_note=tried_.typed.text("also_note"), others=leftover_errors(transition.needs, tried_.errors), draft=draft,
        changes=changes_since(since, page, names, desk) if since else None,
        possible=choice is not None and choice.refused is None, why=_why(page, transition),
        mails=mails_of(page, transition, names),
        state_title=process_named(page.case.process).state(page.case.state).title,
        ask_note=transition.needs is None or "note" not in transition.needs.model_fields,
    )  # fmt: skip


def _why(page: CasePage, transition: Transition) -> str | None:
    """Why the step is not possible now, or None."""
    choice = chosen(page, transition.trigger)
    if choice is None:
        state = process_named(page.case.process).state(page.case.state).title
        return f"“{transition.title}” is not for you while the case is in the state “{state}”."
    return choice.refused.sentence if choice.refused else None


def _keep(desk: DeskPage, page: CasePage, trigger: str, posted: Posted) -> bool:
    with transaction(desk.env.engine) as conn:
        return drafts.keep(
            conn, desk.person.id, page.case.id, trigger, drafts.typed(posted),
            version=_seen(posted, page.case.version), now=desk.now,
        )  # fmt: skip


def _seen(posted: Posted, otherwise: int) -> int:
    try:
        return posted.number("version") or otherwise
    except BadInput:
        return otherwise


@pages.post("/cases/{ref}/do/{trigger}/draft")
def keep_draft(desk: Desk, posted: Form, ref: str, trigger: str) -> Response:
    """Keep what is being typed; asked by the form itself every now and then."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    _require_form(found.process, trigger)
    with transaction(desk.env.engine) as conn:
        kept = drafts.keep(
            conn, desk.person.id, found.id, trigger, drafts.typed(posted), version=_seen(posted, found.version),
            now=desk.now,
        )  # fmt: skip
    if not desk.wants_block:
        return desk.see_other(f"/cases/{found.ref}", "What you typed is kept.")
    return desk.page("desk/case_draft.html", title="Draft", block="kept", kept=kept)


@pages.post("/cases/{ref}/do/{trigger}/discard")
def discard_draft(desk: Desk, ref: str, trigger: str) -> Response:
    """Throw away what was begun."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    with transaction(desk.env.engine) as conn:
        drafts.discard(conn, desk.person.id, found.id, trigger)
    return desk.see_other(f"/cases/{found.ref}", "What you had begun is thrown away.")


def _require_form(process: str, trigger: str) -> None:
    """Raise HTTPException unless a case of this process has such a form."""
    if trigger != drafts.NOTE and not any(t.trigger == trigger for t in process_named(process).transitions):
        raise HTTPException(404)

"""What people do to a case: transitions, notes, and giving it to somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator
from starlette.responses import Response

from cases import commands
from cases.errors import CaseChanged
from cases.history import since_version
from cases.queries import case_page
from web.api.asking import Asked, CaseRef, IdempotencyKey, IfMatch, Who, cleaned, seen_version
from web.api.case_models import Assignment, Choices, Moved, NewNote, Transit
from web.api.case_values import moved_values
from web.api.problems import problem, written
from web.api.routes import Endpoints

api = Endpoints("Cases")

Trigger = Annotated[
    str,
    AfterValidator(cleaned),
    Path(description="What to do; `choices` lists it.", max_length=80, examples=["acknowledge"]),
]  # fmt: skip


@api.read("/cases/{ref}/choices", "cases:read", response_model=Choices, problems=("not-found",))
def list_case_choices(asked: Who, ref: CaseRef) -> Any:
    """List what you may do with a case.

    The transitions that are meant for your roles in the state the case is in, each with whether you may do it now,
    what stands in the way, and the JSON Schema of what it asks for.
    """
    page = case_page(asked.env, ref, actor=asked.actor_on(ref), last_events=1, now=asked.now)
    items = [
        {
            "trigger": each.transition.trigger, "title": each.transition.title, "help": each.transition.help,
            "target": each.transition.target, "allowed": each.refused is None,
            "why_not": each.refused.sentence if each.refused else None, "danger": each.transition.danger,
            "payload": each.transition.needs.model_json_schema() if each.transition.needs else None,
        }
        for each in page.choices
    ]  # fmt: skip
    return {"ref": page.case.ref, "version": page.case.version, "state": page.case.state, "items": items}


@api.write("/cases/{ref}/transitions/{trigger}", "cases:write", response_model=Moved, problems=("not-found", "changed"))
def move_case(
    asked: Who, ref: CaseRef, trigger: Trigger, given: Transit, if_match: IfMatch = None, key: IdempotencyKey = None
) -> Any:
    """Move a case.

    Pull a trigger on a case. What the process refuses is a problem with its sentence: `refused` (409), or `invalid`
    (422) with the errors of the payload field by field.
    """
    with stale_told(asked, ref, if_match):
        outcome = commands.fire(
            asked.env, ref, trigger.replace("-", "_"), payload=given.payload, note=given.note,
            seen_version=seen_version(if_match), actor=asked.actor_on(ref), now=asked.now,
        )  # fmt: skip
    return moved_values(outcome)


@api.write("/cases/{ref}/notes", "cases:write", status_code=204, response_class=Response, problems=("not-found",))
def add_case_note(asked: Who, ref: CaseRef, given: NewNote, key: IdempotencyKey = None) -> Response:
    """Write a note on a case.

    A note never fails because somebody else changed the case meanwhile.
    """
    commands.note(asked.env, ref, given.text, actor=asked.actor_on(ref), now=asked.now)
    return Response(status_code=204)


@api.write(
    "/cases/{ref}/assignment",
    "cases:write",
    status_code=204,
    response_class=Response,
    problems=("not-found", "changed"),
)
def assign_case(
    asked: Who, ref: CaseRef, given: Assignment, if_match: IfMatch = None, key: IdempotencyKey = None
) -> Response:
    """Give a case to somebody else.

    The new owner must have the role that the case waits for, and must be allowed to see it. They are told by mail.
    """
    with stale_told(asked, ref, if_match):
        commands.assign(
            asked.env, ref, given.to, seen_version=seen_version(if_match),
            actor=asked.actor_on(ref), now=asked.now,
        )  # fmt: skip
    return Response(status_code=204)


@contextmanager
def stale_told(asked: Asked, ref: str, if_match: str | None) -> Iterator[None]:
    """Tell who changed what, when a case is no longer at the version of If-Match."""
    try:
        yield
    except CaseChanged as changed:
        seen = seen_version(if_match)
        if seen is None:
            raise
        found = since_version(asked.env, ref, seen, actor=asked.actor, now=asked.now)
        changes = [
            {"at": written(each.at), "by": each.by, "title": each.title, "seq": each.seq} for each in found.events
        ]
        told = problem("changed", str(changed), more={"version": found.version, "changes": changes})
        raise told from None

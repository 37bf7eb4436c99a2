"""Messages: what was sent, what waits, and what was not sent and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query

from cases import mailroom
from web.api.asking import CaseRef, Cursor, Limit, Who
from web.api.bodies import Instant, Told, about
from web.api.paging import Listed, listed, place_of
from web.api.problems import problem
from web.api.routes import Endpoints

api = Endpoints("Messages")

Fate = Literal["queued", "sending", "sent", "suppressed", "failed"]


class MessageLine(Told):
    """A message, as lists show it."""

    id: Annotated[int, about("Its number.", 17)]
    kind: Annotated[str, about("Which kind of message.", "complaint_acknowledged")]
    title: Annotated[str, about("The kind as people say it.", "We have received your complaint")]
    case: Annotated[str | None, about("The case it is about.", "CO-2026-000042")]
    audience: Annotated[str, about("Whom it is meant for.", "member")]
    receiver: Annotated[str, about("Whom it went to, as far as is known.", "ann@members.example")]
    purpose: Annotated[str, about("Why it is sent.", "service")]
    state: Annotated[Fate, about("What became of it.", "sent")]
    reason: Annotated[str | None, about("Why it was not sent, or why it waits.", "answered")]
    to: Annotated[str | None, about("The address it went to.", "ann@members.example")]
    to_name: Annotated[str | None, about("The name it went to.", "Ann Lee")]
    subject: Annotated[str | None, about("Its subject line, once it is written.", "Your complaint")]
    not_before: Annotated[Instant, about("When it may leave at the earliest.")]
    sent_at: Annotated[Instant | None, about("When it left.")]
    attempts: Annotated[int, about("How often it was tried.", 1)]
    error: Annotated[str | None, about("What the mail server said last.", "452 mailbox full")]


class MessageOne(MessageLine):
    """A message word for word."""

    message_id: Annotated[str | None, about("Its Message-ID.", "<17.4f@muster.example>")]
    body_text: Annotated[str | None, about("Its text, as it was sent.", "Dear Ann Lee, …")]
    body_html: Annotated[str | None, about("The same as a page.", "<p>Dear Ann Lee, …</p>")]
    genuine: Annotated[
        bool | None, about("Whether the stored words are those that were sent; null while it is not written.", True)
    ]


_STATE = Annotated[Fate | None, Query(description="Only those with this fate; suppressed: not sent.")]
_KIND = Annotated[
    str | None, Query(max_length=100, description="Only this kind.", examples=["complaint_acknowledged"])
]  # fmt: skip


@api.read("/messages", "messages:read", response_model=Listed[MessageLine], problems=("not-found",))
def list_messages(
    asked: Who,
    case: Annotated[
        str | None, Query(max_length=40, description="Only about this case.", examples=["CO-2026-000042"])
    ] = None,
    state: _STATE = None,
    kind: _KIND = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """List messages, the newest first."""
    return _page(asked, case, state, kind, limit, cursor)


@api.read("/cases/{ref}/messages", "messages:read", response_model=Listed[MessageLine], problems=("not-found",))
def list_case_messages(
    asked: Who, ref: CaseRef, state: _STATE = None, kind: _KIND = None, limit: Limit = 50, cursor: Cursor = None
) -> Any:
    """List the messages about a case, the newest first."""
    return _page(asked, ref, state, kind, limit, cursor)


def _page(asked: Who, case: str | None, state: str | None, kind: str | None, limit: int, cursor: str | None) -> Any:
    place = place_of(cursor, int)
    found = mailroom.older(
        asked.env, before=place[0] if place else None, case=case, state=state, kind=kind, viewer=asked.actor,
        limit=limit + 1,
    )  # fmt: skip
    items = [{name: each[name] for name in MessageLine.model_fields} for each in found]
    return listed(asked.request, items[:limit], [items[limit - 1]["id"]] if len(items) > limit else None)


@api.read("/messages/{number}", "messages:read", response_model=MessageOne, problems=("not-found",))
def show_message(
    asked: Who, number: Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number.", examples=[17])]
) -> Any:
    """Show one message word for word.

    With its text as it was sent, but for the keys of personal links: who has one acts as the person it was made for.
    """
    found = mailroom.message(asked.env, number, viewer=asked.actor)
    if found is None:
        raise problem("not-found", f"There is no message {number}, or it is not yours to see.")
    return {name: found[name] for name in MessageOne.model_fields}

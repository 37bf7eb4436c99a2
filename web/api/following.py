"""Following along: what happened to cases and what changed on members, since one asked last."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query

from cases import events_since
from cases.people import called
from members import changes_since
from web.api.asking import Asked, Cursor, Limit, Who
from web.api.bodies import Instant, ProcessName, Told, about
from web.api.lookup import lent
from web.api.paging import Followed, place_so_far, so_far
from web.api.problems import problem
from web.api.routes import Endpoints

api = Endpoints("Following")


class Happening(Told):
    """That something happened to a case. What was said with it is in the events of the case."""

    ref: Annotated[str, about("The case.", "CO-2026-000042")]
    process: Annotated[ProcessName, about("Which kind of case it is.", "complaint")]
    seq: Annotated[int, about("The number of the event on this case.", 3)]
    at: Annotated[Instant, about("When it happened, which may be long before it was written.")]
    kind: Annotated[str, about("opened, transition, note, assigned, evidence, …", "transition")]
    title: Annotated[str, about("What happened, as people say it.", "Acknowledge")]
    trigger: Annotated[str, about("What was done.", "acknowledge")]
    source: Annotated[str | None, about("The state before.", "received")]
    target: Annotated[str, about("The state after.", "stage_1")]
    actor: Annotated[str, about("Who did it, as the record names them.", "staff:3")]
    by: Annotated[str, about("Who did it, by name.", "Amara")]


class MemberChange(Told):
    """That something of a member, or its contacts, was changed."""

    ref: Annotated[str, about("The member.", "M-000012")]
    version: Annotated[int, about("The version the member is at now.", 4)]
    at: Annotated[Instant, about("When it was changed.")]
    by: Annotated[str, about("Who changed it, by name.", "Amara")]
    fields: Annotated[list[str], about("What was changed.", ["website"])]


FromNow = Annotated[
    bool, Query(description="Begin after all there is: nothing is listed, and `next` is where to go on from now.")
]  # fmt: skip


@api.read("/events", "cases:read", response_model=Followed[Happening])
def list_events(asked: Who, from_now: FromNow = False, limit: Limit = 50, cursor: Cursor = None) -> Any:
    """List what happened to all cases, to follow them.

    Of the cases you may see, in the order in which it was written; nothing is skipped or repeated. Keep `next` and ask
    it again: at once while there is `more`, later otherwise. To begin, ask with `from_now=true`, then read the lists.
    """
    if from_now and cursor is None:
        return _from_now(asked, events_since.newest(asked.env))
    found = events_since.happened_since(
        asked.env, place_so_far(asked.request, cursor), limit=limit, actor=asked.actor, now=asked.now
    )
    return so_far(asked.request, [asdict(each) for each in found.items], found.after, more=found.more)


@api.read("/member-changes", "members:read", response_model=Followed[MemberChange])
def list_member_changes(asked: Who, from_now: FromNow = False, limit: Limit = 50, cursor: Cursor = None) -> Any:
    """List what changed on all members, to follow them.

    On the members you may see, in the order in which it was written; nothing is skipped or repeated. Keep `next` and
    ask it again: at once while there is `more`, later otherwise. To begin, ask with `from_now=true`, then read the
    members.
    """
    engine = asked.env.engine
    if from_now and cursor is None:
        return _from_now(asked, changes_since.newest(engine))
    found = changes_since.changed_since(
        engine, place_so_far(asked.request, cursor), limit=limit, lent=lent(asked), viewer=asked.actor
    )
    items = [
        {"ref": each.ref, "version": each.version, "at": each.at, "by": called(each.actor, asked.staffing),
         "fields": each.fields}
        for each in found.items
    ]  # fmt: skip
    return so_far(asked.request, items, found.after, more=found.more)


def _from_now(asked: Asked, newest: int | None) -> dict[str, Any]:
    if newest is None:
        raise problem("busy", "Much is being written at this very moment; please ask again.",
                      headers={"Retry-After": "1"})  # fmt: skip
    return so_far(asked.request, [], newest, more=False)

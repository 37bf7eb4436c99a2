"""Opening a case by hand: which kind, for whom, what it is about; first a look at what is open already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases import intake, member_lists
from cases.commands import open_one
from cases.errors import BadInput, CaseError, CaseNotFound, TransitionRefused
from cases.sight import glance
from members.cards import MemberCard
from members.errors import MembersError
from state_machines.process import Process
from web.access import STAFF
from web.desk.case_people import options
from web.desk.wrong_fields import wrong
from web.desk_page import Desk, DeskPage
from web.forms import Field, fields_of, leftover_errors
from web.naming import process_title
from web.posted import Form, Posted
from web.routing import Pages
from web.typed import payload_of

pages = Pages(may=STAFF)

OWN = ("member", "subject", "received", "external_ref")
"""Fields that every kind of case has."""


@dataclass(frozen=True)
class Typed:
    """What was typed, and what is wrong with it."""

    posted: Posted = field(default_factory=Posted)
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    told: str | None = None
    open_already: Sequence[Mapping[str, Any]] = ()


@pages.get("/cases/new", statements=5)
def kinds(desk: Desk, member: str = "") -> Response:
    """The kinds of case that this person may open, in plain words."""
    return desk.page(
        "desk/case_kinds.html", title="Open a case", kinds=intake.openable(desk.roles_today), member=member[:40]
    )  # fmt: skip


@pages.get("/cases/new/{process}", statements=5)
def form(desk: Desk, process: str, member: str = "") -> Response:
    """The form that opens a case of a kind."""
    posted = Posted(texts={"member": [member[:200]]}) if member else Posted()
    return _asked(desk, _openable(desk, process), Typed(posted))


@pages.post("/cases/new/{process}")
def open_it(desk: Desk, posted: Form, process: str) -> Response:
    """Open the case, unless it may be open already and nobody has said that this is another."""
    kind = _openable(desk, process)
    errors: dict[str, Sequence[str]] = {}
    member = _member(desk, posted, errors)
    received = _received(desk, posted, errors)
    if not posted.text("subject").strip():
        errors["subject"] = ["is required: one line that says what it is about"]
    if errors:
        return _asked(desk, kind, Typed(posted, errors), status=422)
    if member is not None and not posted.yes("anyway"):
        already = intake.open_of_member(desk.env, kind.name, member.ref, actor=desk.actor, now=desk.now)
        if already:
            return _asked(desk, kind, Typed(posted, open_already=already), status=409)
    try:
        outcome = open_one(
            desk.env, kind.name, member=member.ref if member else None, subject=posted.text("subject"),
            payload=payload_of(kind.opening, posted, zone=desk.env.settings.zone), received_at=received,
            external_ref=posted.text("external_ref").strip() or None, actor=desk.actor, now=desk.now,
        )  # fmt: skip
    except TransitionRefused as bad:
        told = None if bad.errors else str(bad)
        return _asked(desk, kind, Typed(posted, bad.errors, told), status=422)
    except CaseError as bad:
        return _asked(desk, kind, Typed(posted, told=str(bad)), status=bad.status)
    ref = outcome.after.ref
    try:
        glance(desk.env, ref, actor=desk.actor, now=desk.now)
    except CaseNotFound:
        return desk.see_other("/queue", f"{ref} is open. It is with those who look after it; it is not yours to see.")
    return desk.see_other(f"/cases/{ref}", f"{ref} is open.")


def _openable(desk: DeskPage, name: str) -> Process:
    """A kind that this person may open. Raises HTTPException for another."""
    known = {process.name: process for process in intake.openable(desk.roles_today)}
    wanted = name.replace("-", "_")
    if wanted not in known:
        raise HTTPException(404)
    return known[wanted]


def _member(desk: DeskPage, posted: Posted, errors: dict[str, Sequence[str]]) -> MemberCard | None:
    typed = posted.text("member").strip()
    if not typed:
        return None
    try:
        return intake.member_for(desk.env, typed, actor=desk.actor, now=desk.now)
    except MembersError as bad:
        errors["member"] = [str(bad) + _perhaps(desk, typed)]
        return None


def _perhaps(desk: DeskPage, typed: str) -> str:
    """Who may have been meant, where the name was typed in part or without its accents."""
    meant = member_lists.suggestions(desk.env, typed, actor=desk.actor, now=desk.now)[:3]
    named = " or ".join(f"{card.name} ({card.ref})" for card in meant)
    return f" Perhaps {named}?" if named else ""


def _received(desk: DeskPage, posted: Posted, errors: dict[str, Sequence[str]]) -> datetime | None:
    """When it came in: now for today, noon for an earlier day. It says nothing about a later one."""
    try:
        on = posted.day("received")
    except BadInput as bad:
        errors["received"] = [str(bad)]
        return None
    if on is None or on == desk.today:
        return None
    if on > desk.today:
        errors["received"] = ["cannot be in the future"]
        return None
    if on < date(1990, 1, 1):
        errors["received"] = ["is too long ago to be right"]
        return None
    return desk.env.calendar.at(on, time(12, 0))


def _asked(desk: DeskPage, kind: Process, typed: Typed, *, status: int = 200) -> Response:
    given = payload_of(kind.opening, typed.posted, zone=desk.env.settings.zone) if typed.posted.texts else None
    people = options(desk.staffing)
    asked = fields_of(kind.opening, given, typed.errors, people=people, zone=desk.env.settings.zone)
    others = {name: told for name, told in typed.errors.items() if name not in OWN}
    own = _own_fields(desk, typed)
    return desk.page(
        "desk/case_new.html", title=f"Open a case: {process_title(kind.name).lower()}", status=status, kind=kind,
        own=own, fields=asked, wrong=wrong([*own, *asked]), told=typed.told,
        others=leftover_errors(kind.opening, others), open_already=typed.open_already,
        doc=(kind.doc or "").strip().split("\n\n")[0],
    )  # fmt: skip


def _own_fields(desk: DeskPage, typed: Typed) -> list[Field]:
    """The fields every kind of case has, but the member, who is looked for."""
    posted, told = typed.posted, typed.errors
    received = posted.text("received") or ("" if posted.texts.get("received") else desk.today.isoformat())
    return [
        Field("member", "Member", "text", "Name or reference; empty if it is about no member.",
              value=posted.text("member"), errors=tuple(told.get("member", ()))),
        Field("subject", "Subject", "text", "One line that says what it is about, without names of people.",
              required=True, value=posted.text("subject"), errors=tuple(told.get("subject", ())),
              limits={"maxlength": 300}),
        Field("received", "Received on", "date", "The day it came in; deadlines count from it.", value=received,
              errors=tuple(told.get("received", ())), limits={"max": desk.today.isoformat()}),
        Field("external_ref", "Their reference", "text", "The number it has elsewhere, if it has one.",
              value=posted.text("external_ref"), errors=tuple(told.get("external_ref", ())),
              limits={"maxlength": 120}),
    ]  # fmt: skip

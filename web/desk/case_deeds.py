"""What people do to a case besides the steps of its process: notes, owners, who may see it, duplicates."""

from __future__ import annotations

from starlette.responses import Response

from cases import commands, duplicates
from cases.errors import BadInput, CaseChanged, CaseError, CaseNotFound
from cases.intake import open_of_member
from cases.permissions import MAY_RESTRICT
from cases.queries import CasePage
from cases.sight import glance
from config.database import transaction
from web import drafts
from web.access import STAFF
from web.access import staff as only
from web.desk.case_choices import chosen
from web.desk.case_shown import page_or_queue, read, shown
from web.desk_page import Desk, DeskPage
from web.naming import person_title
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=STAFF)
MANAGING = only(*MAY_RESTRICT)
CLOSES_DUPLICATES = ("dismiss", "propose_dismissal")
"""Steps with which a process closes a case that repeats another."""


@pages.post("/cases/{ref}/notes")
def add_note(desk: Desk, posted: Form, ref: str) -> Response:
    """Write a note; whatever others did meanwhile, it is written."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    try:
        commands.note(
            desk.env, found.ref, posted.text("text"), actor=desk.actor_for(found.owner_id), now=desk.now
        )  # fmt: skip
    except CaseNotFound:
        raise
    except CaseError as bad:
        return shown(desk, ref, status=bad.status, note_refused=str(bad), note=posted.text("text"))
    with transaction(desk.env.engine) as conn:
        drafts.discard(conn, desk.person.id, found.id, drafts.NOTE)
    return desk.see_other(f"/cases/{found.ref}", "The note is written.")


@pages.post("/cases/{ref}/assign")
def assign(desk: Desk, posted: Form, ref: str) -> Response:
    """Give a case to somebody else, unless another did so meanwhile."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    to = posted.text("to").strip()
    try:
        commands.assign(
            desk.env, found.ref, to, seen_version=posted.number("version"), actor=desk.actor_for(found.owner_id),
            now=desk.now,
        )  # fmt: skip
    except CaseChanged:
        told = "Somebody changed this case while you were choosing; it was not given away. Look at it again first."
        return shown(desk, ref, status=409, told=told)
    except CaseNotFound:
        raise
    except CaseError as bad:
        return shown(desk, ref, status=bad.status, told="Choose whom to give it to." if not to else str(bad))
    person = desk.staffing.by_email(to)
    name = person.name if person else to
    away = desk.staffing.away(person.id, desk.today) if person else None
    acting = desk.staffing.acting(person.id, desk.today).staff.name if person and away else None
    return desk.see_other(
        page_or_queue(desk, found.ref), f"{found.ref} belongs to {name} now, who is told by e-mail."
        + (f" {name} is away; {acting} acts meanwhile." if acting else ""),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ who may see it


@pages.get("/cases/{ref}/access", may=MANAGING, statements=14)
def access(desk: Desk, ref: str) -> Response:
    """Who may see a case, and the form that changes it."""
    return _access(desk, read(desk, ref, events=1))


@pages.post("/cases/{ref}/access", may=MANAGING)
def restrict(desk: Desk, posted: Form, ref: str) -> Response:
    """Let only named people see a case, or everybody again whom the rules allow."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    named = posted.all("person") if posted.text("who") == "named" else None
    try:
        commands.restrict(desk.env, found.ref, named, actor=desk.actor_for(found.owner_id), now=desk.now)
    except CaseNotFound:
        raise
    except CaseError as bad:
        return _access(desk, read(desk, ref, events=1), str(bad), posted, bad.status)
    who = "everybody whom the rules allow" if named is None else "only you and whom you named"
    return desk.see_other(page_or_queue(desk, found.ref), f"{found.ref} is seen by {who} now.")


def _access(
    desk: DeskPage, page: CasePage, told: str | None = None, posted: Posted | None = None, status: int = 200
) -> Response:
    ids = page.row.restricted_to
    named = {p.email for p in desk.staffing.people.values() if p.id in (ids or ())}
    walled = [desk.staffing.people[n].name for n in page.row.walled_off or () if n in desk.staffing.people]
    people = [p for p in desk.staffing.people.values() if p.active and p.id not in (page.row.walled_off or ())]
    return desk.page(
        "desk/case_access.html", title="Who may see it", status=status, ref=page.case.ref, line=page.line, told=told,
        walled=walled, title_of=person_title, named=ids is not None or posted is not None,
        chosen=set(posted.all("person")) if posted else named,
        people=sorted((p for p in people if p.id != desk.person.id), key=lambda p: p.name.casefold()),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- duplicates


@pages.get("/cases/{ref}/duplicate", statements=18)
def duplicate(desk: Desk, ref: str) -> Response:
    """The form that says which case this one repeats, with those it might be."""
    return _duplicate(desk, read(desk, ref, events=1))


@pages.post("/cases/{ref}/duplicate")
def mark_duplicate(desk: Desk, posted: Form, ref: str) -> Response:
    """Mark a case as a duplicate of another; both keep everything."""
    page = read(desk, ref, events=1)
    of = posted.text("of").strip()
    try:
        if not of:
            raise BadInput("Name the case that this one repeats.")
        kept = duplicates.mark_duplicate(
            desk.env, page.case.ref, of, confirmed=posted.yes("confirmed"), seen_version=posted.number("version"),
            actor=desk.actor_for(page.row.owner_id), now=desk.now,
        )  # fmt: skip
    except CaseNotFound:
        told = f"There is no case {of.upper()}, or it is not yours to see."
        return _duplicate(desk, read(desk, ref, events=1), told, of, status=422)
    except CaseError as bad:
        fresh = read(desk, ref, events=1)
        ask = isinstance(bad, duplicates.OtherMember)
        return _duplicate(desk, fresh, str(bad), of, status=bad.status, ask=ask)
    closing = next((t for t in CLOSES_DUPLICATES if (c := chosen(page, t)) is not None and c.refused is None), None)
    told = f"{page.case.ref} is marked as a duplicate of {kept}. Both keep everything."
    if closing:
        told = f"{told} Close it here, if nothing is left to do."
        return desk.see_other(f"/cases/{page.case.ref}/do/{closing}", told)
    return desk.see_other(f"/cases/{page.case.ref}", told)


@pages.post("/cases/{ref}/duplicate/undo")
def unmark_duplicate(desk: Desk, posted: Form, ref: str) -> Response:
    """Take back that a case repeats another."""
    found = glance(desk.env, ref, actor=desk.actor, now=desk.now)
    actor = desk.actor_for(found.owner_id)
    duplicates.unmark_duplicate(desk.env, found.ref, posted.text("of"), actor=actor, now=desk.now)
    return desk.see_other(f"/cases/{found.ref}", "They are two cases again.")


def _duplicate(
    desk: DeskPage, page: CasePage, told: str | None = None, of: str = "", *, status: int = 200, ask: bool = False
) -> Response:
    likely = []
    if page.line["member_ref"]:
        found = open_of_member(
            desk.env, page.case.process, page.line["member_ref"], actor=desk.actor, now=desk.now
        )  # fmt: skip
        likely = [each for each in found if each["ref"] != page.case.ref]
    return desk.page(
        "desk/case_duplicate.html", title="It repeats another case", status=status, ref=page.case.ref, line=page.line,
        version=page.case.version, told=told, of=of, ask=ask, likely=likely,
    )  # fmt: skip

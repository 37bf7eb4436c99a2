"""One thing done to many cases: which, what, what would become of each, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from cases.errors import BadInput
from cases.lists.bulk import ASSIGN, FIRE, MOST, NOTE, Action, Looked, action_from, form_errors, look, offers
from cases.lists.bulk_work import carry_out, preview
from web.access import STAFF
from web.desk.case_people import options
from web.desk.queue import first_of
from web.desk_page import Desk, DeskPage, is_local
from web.forms import Option, fields_of, leftover_errors
from web.naming import person_title, plural
from web.posted import Form, Posted, number_of
from web.routing import Pages
from web.typed import payload_of

pages = Pages(may=STAFF)

CASES, ON_PAGE, ALL, WHAT, TO, WORDS, FROM = (
    "bulk-case", "bulk-page", "bulk-all", "bulk-action", "bulk-to", "bulk-note", "bulk-from"
)  # fmt: skip


@pages.get("/bulk", statements=4)
@pages.get("/bulk/preview", statements=4)
@pages.get("/bulk/do", statements=4)
def begin_again(desk: Desk) -> Response:
    """Lead back who reloads one of these pages, or comes back to it: which cases were ticked is in no address."""
    return desk.see_other("/queue", "Tick the cases again: which ones you had ticked is not kept.", tone="info")


@pages.post("/bulk")
def choose(desk: Desk, posted: Form) -> Response:
    """What can be done with the ticked cases."""
    try:
        whole = posted.text(ALL) == "list"
        picks = {line.ref: line.version for line in first_of(desk, _back(posted), MOST)} if whole else _picks(posted)
        looked = look(desk.env, picks, actor=desk.actor, now=desk.now)
    except BadInput as refused:
        return desk.see_other(_back(posted), str(refused), tone="warning")
    return desk.page(
        "desk/bulk.html", title=f"Do something with {plural(len(looked.picked), 'case')}", looked=looked,
        offers=offers(looked), back=_back(posted),
    )  # fmt: skip


@pages.post("/bulk/preview")
def look_ahead(desk: Desk, posted: Form) -> Response:
    """What would become of each case; with a form, of what was typed so far."""
    try:
        looked = look(desk.env, _picks(posted), actor=desk.actor, now=desk.now)
    except BadInput as refused:
        return desk.see_other(_back(posted), str(refused), tone="warning")
    action = action_from(posted.text(WHAT))
    return _preview(desk, posted, looked, action, typed="bulk-typed" in posted)


@pages.post("/bulk/do")
def do(desk: Desk, posted: Form) -> Response:
    """Do it to each, and say what became of each."""
    looked = look(desk.env, _picks(posted), actor=desk.actor, now=desk.now)
    action = action_from(posted.text(WHAT))
    values = payload_of(looked.form(action), posted, zone=desk.env.settings.zone)
    if _objections(action, looked, values, posted):
        return _preview(desk, posted, looked, action, typed=True, status=422)
    told = carry_out(
        desk.env, looked, action, values, to=posted.text(TO), note=posted.text(WORDS), now=desk.now
    )  # fmt: skip
    done, refused = [each for each in told if each.done], [each for each in told if not each.done]
    title = f"{looked.title(action)}: {plural(len(done), 'case')} done"
    return desk.page(
        "desk/bulk_done.html", title=title, done=done, refused=refused, missing=looked.missing, back=_back(posted),
        what=looked.title(action),
    )  # fmt: skip


def _picks(posted: Posted) -> dict[str, int]:
    """The ticked cases, or all on the page, each with the version that was seen."""
    found: dict[str, int] = {}
    for text in posted.all(ON_PAGE if posted.yes(ALL) else CASES)[: MOST + 1]:
        ref, _, version = text.partition("@")
        if ref and (seen := number_of(version)) is not None:
            found[ref.strip().upper()] = seen
    return found


def _back(posted: Posted) -> str:
    path = posted.text(FROM)
    return path if path == "/approvals" or (is_local(path) and path.startswith(("/queue", "/cases"))) else "/queue"


def _preview(
    desk: DeskPage, posted: Posted, looked: Looked, action: Action, *, typed: bool, status: int = 200
) -> Response:
    values = payload_of(looked.form(action), posted, zone=desk.env.settings.zone) if typed else None
    errors = _objections(action, looked, values, posted) if typed and values is not None else {}
    told = preview(looked, action, values if not errors else None, to=posted.text(TO))
    zone = desk.env.settings.zone
    model = looked.form(action)
    return desk.page(
        "desk/bulk_preview.html", title=f"{looked.title(action)}: {plural(len(looked.picked), 'case')}", status=status,
        looked=looked, action=action, told=told, will=sum(each.done for each in told), back=_back(posted),
        danger=_danger(looked, action), what=looked.title(action),
        fields=fields_of(model, values, errors, people=options(desk.staffing), zone=zone),
        others=leftover_errors(model, errors), people=_people(looked), to=posted.text(TO),
        note=posted.text(WORDS), asks_whom=action.kind == ASSIGN, notes=action.kind in (NOTE, FIRE),
        note_needed=action.kind == NOTE,
    )  # fmt: skip


def _danger(looked: Looked, action: Action) -> bool:
    return any(each.moves[action][0].danger for each in looked.picked if action in each.moves)


def _people(looked: Looked) -> list[Option]:
    return [Option(person.email, person_title(person)) for person in looked.people]


def _objections(
    action: Action, looked: Looked, values: Mapping[str, Any] | None, posted: Posted
) -> Mapping[str, tuple[str, ...]]:
    """What is wrong with what was typed, whatever the case."""
    if action.kind == ASSIGN:
        return {} if posted.text(TO) else {"form": ("Choose whom to give them to.",)}
    if action.kind == NOTE:
        return {} if posted.text(WORDS).strip() else {"form": ("The note is empty.",)}
    return form_errors(looked.form(action), values or {})

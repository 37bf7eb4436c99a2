"""Questionnaires: those there are, one with its versions and languages, a new one from a file."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.errors import BadInput
from cases.shelf.keeping import MAY_UPLOAD, keep_file, read
from cases.shelf.listing import on_shelf, shelf
from cases.shelf.reading import NotUsable
from cases.xlsform.workbook import LARGEST
from state_machines.registry import process_named
from state_machines.values import STAFF as STAFF_ROLES
from web.access import STAFF, staff
from web.desk_page import Desk, DeskPage
from web.posted import Form, number_of
from web.routing import Pages

pages = Pages(may=STAFF)
BRINGERS = staff(*MAY_UPLOAD)
PLANNERS = STAFF_ROLES.intersection(process_named("survey_campaign").opened_by)


@pages.get("/questionnaires", statements=8)
def questionnaires(desk: Desk) -> Response:
    """Every questionnaire a campaign can be planned with."""
    return desk.page(
        "desk/questionnaires.html", title="Questionnaires", found=shelf(desk.env, actor=desk.actor, now=desk.now),
        may_upload=_may_upload(desk),
    )  # fmt: skip


def _may_upload(desk: DeskPage) -> bool:
    return not MAY_UPLOAD.isdisjoint(desk.actor.roles)


@pages.get("/questionnaires/new", may=BRINGERS, statements=7)
def new(desk: Desk) -> Response:
    """Choose a file."""
    return _form(desk)


def _form(desk: DeskPage, problems: tuple[str, ...] = (), *, file: str = "", status: int = 200) -> Response:
    return desk.page(
        "desk/questionnaire_new.html", title="Bring a questionnaire", problems=problems, file=file, status=status,
        megabytes=LARGEST >> 20,
    )  # fmt: skip


@pages.post("/questionnaires/new", may=BRINGERS)
def bring(desk: Desk, posted: Form) -> Response:
    """Keep the questionnaire of a file as a version of its own, or say everything that is wrong with it."""
    files = posted.files("file")
    if not files:
        return _form(desk, ("Choose a file first.",), status=422)
    content = files[0].content.read(LARGEST + 1)
    try:
        kept = keep_file(desk.env, content, files[0].name, actor=desk.actor, now=desk.now)
    except NotUsable as bad:
        return _form(desk, tuple(bad.problems), file=bad.file, status=422)
    except BadInput as bad:
        return _form(desk, (str(bad),), file=files[0].name, status=422)
    return desk.page("desk/questionnaire_kept.html", title=kept.questionnaire.title, kept=kept)


@pages.get("/questionnaires/{name}", statements=8)
def questionnaire(desk: Desk, name: str) -> Response:
    """One questionnaire: its versions, its languages, the campaigns that use it."""
    found = on_shelf(desk.env, name, actor=desk.actor, now=desk.now)
    remarks = read(desk.env.settings, name).remarks if found.questionnaire else []
    lacking = found.questionnaire.untranslated() if found.questionnaire else {}
    may_plan = not PLANNERS.isdisjoint(desk.roles_today)
    return desk.page(
        "desk/questionnaire.html", title=found.title, found=found, remarks=remarks, lacking=lacking,
        may_upload=_may_upload(desk), may_plan=may_plan,
    )  # fmt: skip


@pages.get("/questionnaires/{name}/file", statements=7)
def file(desk: Desk, name: str, version: str = "") -> Response:
    """The definition as a file to keep, to go on writing, or to translate."""
    found = read(desk.env.settings, name, version_of(version))
    name = f"{found.questionnaire.name}.{found.questionnaire.version}.yaml"
    return desk.download(name, "application/yaml; charset=utf-8", [found.text])


def version_of(typed: str) -> int | None:
    """Return the version that an address names, or None for the newest. Raises 404 for what is no number."""
    if not typed:
        return None
    number = number_of(typed)
    if number is None:
        raise HTTPException(404)
    return number

"""A questionnaire as members see it, to be tried out: the same fields, the same rules, and nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from cases.own.answering import Given
from cases.own.survey import Filled, Sheet, fitting, missing, of_questions
from cases.shelf.keeping import read
from surveys.languages import best
from surveys.normalise import normalise
from surveys.questionnaire import Questionnaire
from web.access import STAFF
from web.desk.questionnaires import version_of
from web.desk_page import Desk, DeskPage
from web.posted import Form
from web.routing import Pages
from web.visitors.answer_fields import Field, fields, given

pages = Pages(may=STAFF)
HERE = "/questionnaires/{name}/preview"


@dataclass(frozen=True)
class Tried:
    """What was typed into a preview, and what is wrong with it."""

    sheet: Sheet
    typed: Given | None = None
    errors: Mapping[str, Sequence[str]] | None = None
    checked: bool = False
    """Whether somebody asked if all this could be submitted."""


@pages.get(HERE, statements=7)
def preview(desk: Desk, name: str, version: str = "", language: str = "") -> Response:
    """The questions, nothing answered yet."""
    kept = read(desk.env.settings, name, version_of(version)).questionnaire
    return _shown(desk, kept, Tried(_sheet(desk, kept, language, {})), version)


@pages.post(HERE)
def try_out(desk: Desk, posted: Form, name: str, version: str = "", language: str = "") -> Response:
    """The questions as these answers make them; with the button, also what stands in the way of submitting."""
    kept = read(desk.env.settings, name, version_of(version)).questionnaire
    empty = _sheet(desk, kept, language, {})
    typed = given(empty, posted)
    values, wrong = _read(empty.questionnaire, typed)
    sheet = _sheet(desk, kept, language, values)
    checked = "x-autosave" not in desk.request.headers
    told = {**(_missing(sheet) if checked else sheet.complaints), **wrong}
    return _shown(desk, kept, Tried(sheet, typed, told, checked), version)


def _sheet(desk: DeskPage, kept: Questionnaire, language: str, values: Mapping[str, Any]) -> Sheet:
    spoken = best(kept.languages, language)
    said = kept.in_language(spoken)
    return Sheet(
        questionnaire=said, filled=Filled(answers=dict(values)), values=fitting(said, values), language=spoken,
        today=desk.today,
    )  # fmt: skip


def _read(questionnaire: Questionnaire, typed: Given) -> tuple[dict[str, Any], dict[str, Sequence[str]]]:
    """Return what was typed as values, and what does not fit."""
    values: dict[str, Any] = {}
    wrong: dict[str, Sequence[str]] = {}
    for name in typed.questions:
        question = questionnaire.by_id[name]
        if question.type in ("file", "calculate"):
            continue
        value, told = normalise(question, typed.answers.get(name), complete=False)
        if told:
            wrong[name] = told
        elif value is not None:
            values[name] = value
    return values, wrong


def _missing(sheet: Sheet) -> dict[str, Sequence[str]]:
    """Return what stands in the way of submitting; files are not sent by a preview, and not missed."""
    by_id = sheet.questionnaire.by_id
    return {name: told for name, told in missing(sheet).items() if name in by_id and by_id[name].type != "file"}


def _shown(desk: DeskPage, kept: Questionnaire, tried: Tried, version: str) -> Response:
    sheet, errors = tried.sheet, tried.errors or {}
    parts = [(section, found) for section in sheet.questionnaire.sections if (found := _fields(tried, section.id))]
    bad = [each for _, part in parts for each in part if each.errors] if tried.checked else []
    name = kept.name
    return desk.page(
        "desk/questionnaire_preview.html", title=sheet.questionnaire.title, block="questions", parts=parts, bad=bad,
        status=422 if bad else 200, found=sheet, kept=kept, here=HERE.format(name=name), version=version,
        fine=tried.checked and not errors, lacking=len(kept.untranslated().get(sheet.language, ())),
        answered=sum(each.answered for each in sheet.sections), asked=sum(each.asked for each in sheet.sections),
    )  # fmt: skip


def _fields(tried: Tried, section: str) -> list[Field]:
    found = next(each for each in tried.sheet.questionnaire.sections if each.id == section)
    questions = of_questions(tried.sheet, [each.id for each in found.questions])
    errors = tried.errors or {}
    unsaved = {name for name in errors if name not in tried.sheet.values}
    return fields(tried.sheet, questions, typed=tried.typed, errors=errors, unsaved=unsaved)

"""A survey on its personal page: section by section, saved as people go, looked through, submitted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cases.answers import AnswersInvalid
from cases.errors import CaseChanged, CaseNotFound, TransitionRefused
from cases.own.answering import Given, Saved, keep_respondent, save, submit
from cases.own.deeds import act
from cases.own.reaching import promised_on
from cases.own.receipt import receipt_goes_to
from cases.own.survey import Survey, copy_text, missing, of_questions, survey
from notifications.links import LinkExpired
from surveys.answers import Validated, validate
from surveys.questions import Question
from web.access import PUBLIC
from web.posted import Form, Posted
from web.routing import Pages
from web.visitors.address import Address, Own
from web.visitors.answer_fields import Field, fields, given, is_answered, speech
from web.visitors.answer_files import uploaded
from web.visitors.answer_list import read_answers

pages = Pages(may=PUBLIC)
OUR_QUESTIONS = "our-questions"
"""The section that holds what we asked back about, while we wait for a reply."""
RESPONDENT = ("name", "role", "email")


def _found(own: Address) -> Survey:
    """Return the survey of a link; a link to something else shows none."""
    holder = own.holder()
    if holder.case.process != "survey_response":
        raise LinkExpired
    return survey(own.env, own.purpose, own.key, language=own.language, now=own.now)


def _chosen(own: Address, found: Survey) -> str:
    """Return the query that keeps a language until the first answer remembers it."""
    return f"?language={found.language}" if own.language and found.language != found.filled.language else ""


def _page(own: Address, template: str, found: Survey, *, title: str, status: int = 200, **more: Any) -> Response:
    answered = sum(each.answered for each in found.sections)
    asked = sum(each.asked for each in found.sections)
    clock = found.holder.case.clocks.get("respond")
    answer: Response = own.page(
        template, title=title, holder=found.holder, status=status, found=found, answered=answered, asked=asked,
        due=clock.due if clock else None, chosen=_chosen(own, found),
        here=f"{own.home}/review" if own.visit.request.url.path.endswith("/submit") else own.visit.request.url.path,
        lacking=bool(found.kept.untranslated().get(found.language)), speech=speech(found.language), **more,
    )  # fmt: skip
    return answer


def landing(own: Address, found: Survey) -> Response:
    """Return the first page of a survey: what is asked, by when, and how far it is."""
    title = str(found.holder.case.data.get("campaign_title") or found.questionnaire.title)
    promised = promised_on(found.holder, own.env.calendar.local_date(own.now))
    return _page(own, "visitor/survey.html", found, title=title, promised=promised)


@pages.post("/m/{key}/start")
def start(own: Own) -> Response:
    """Begin, or go on where something is missing. That the form was opened is noted here, and only here."""
    found = _found(own)
    if found.holder.case.state == "invited":
        act(own.env, found.holder, "view", {}, seen=found.seen)
    return own.back(path=_where_to_go_on(found) + _chosen(own, found))


def _where_to_go_on(found: Survey) -> str:
    if found.queries:
        return f"/s/{OUR_QUESTIONS}"
    left = [each for each in found.sections if each.missing or not each.answered]
    return f"/s/{left[0].id}" if left else "/review"


# --- one section


def _questions(found: Survey, section: str) -> list[Question]:
    if section == OUR_QUESTIONS and found.queries:
        return [q for q in found.questionnaire.questions if q.id in found.queries]
    wanted = next((each for each in found.questionnaire.sections if each.id == section), None)
    if wanted is None:
        raise CaseNotFound("")
    return of_questions(found, [question.id for question in wanted.questions])


@pages.get("/m/{key}/s/{section}", statements=16)
def show_section(own: Own, request: Request, section: str) -> Response:
    """The questions of one section; with ``?check``, what is still missing among them is marked."""
    found = _found(own)
    if not found.may_save:
        return own.back(path="/answers")
    errors = missing(found) if "check" in request.query_params else {}
    return _section(own, found, section, fields(found, _questions(found, section), errors=errors))


def _section(
    own: Address, found: Survey, section: str, shown: Sequence[Field], *, status: int = 200, saved: Saved | None = None,
    trouble: Sequence[str] = (), quiet: bool = False,
) -> Response:  # fmt: skip
    titles = {each.id: each.title for each in found.questionnaire.sections} | {OUR_QUESTIONS: "Our questions"}
    ids = [each.id for each in found.sections]
    number = ids.index(section) + 1 if section in ids else 0
    intro = next((each.intro for each in found.questionnaire.sections if each.id == section), "")
    return _page(
        own, "visitor/survey_section.html", found, title=titles[section], status=status, block="questions",
        section=section, fields=shown, number=number, intro=intro, saved=saved, trouble=trouble, quiet=quiet,
        before=ids[number - 2] if number > 1 else None,
        saved_at=saved.at if saved else found.filled.at,
    )  # fmt: skip


@pages.post("/m/{key}/s/{section}")
def save_section(own: Own, request: Request, posted: Form, section: str) -> Response:
    """Save what was typed, and go where the button says; the script saves with no button, and stays."""
    found = _found(own)
    _questions(found, section)
    typed, trouble = given(found, posted), dict[str, list[str]]()
    spoken = found.language if len(found.kept.languages) > 1 else ""
    typed = replace(typed, files=uploaded(own, found, typed, posted, trouble), language=spoken)
    by_itself = "x-autosave" in request.headers
    try:
        saved = save(own.env, found.holder, typed, step=not by_itself)
    except TransitionRefused as no:
        shown = [replace(each, value=typed.answers.get(each.question.id, each.value))
                 for each in fields(found, _questions(found, section))]  # fmt: skip
        return _section(own, found, section, shown, status=409, trouble=[str(no)])
    after = _found(own)
    bad = bool(saved.errors or saved.conflicts or trouble)
    if by_itself or bad:
        wrong = {
            name: [*saved.errors.get(name, ()), *trouble.get(name, ()), *after.complaints.get(name, ())]
            for name in {*saved.errors, *trouble, *after.complaints}
        }
        shown = fields(
            after, _questions(after, section), typed=typed, errors=wrong, conflicts=saved.conflicts,
            unsaved={*saved.errors, *saved.conflicts},
        )  # fmt: skip
        status = 200 if by_itself else 409 if saved.conflicts else 422
        return _section(own, after, section, shown, status=status, saved=saved, quiet=by_itself)
    return _next(own, after, section, posted, typed)


def _next(own: Address, after: Survey, section: str, posted: Posted, typed: Given) -> Response:
    """Go on; back to the same section where an answer has made new questions appear in it."""
    new = [q for q in _questions(after, section) if is_answered(q) and q.id not in typed.questions]
    told = _half_done(after, typed)
    if typed.drop or posted.text("go") == "stay":
        return own.back(told, path=f"/s/{section}")
    if new and posted.text("go") == "next":
        return own.back(
            "Saved. Because of your answers there is more to answer here.", path=f"/s/{section}#q-{new[0].id}"
        )
    ids = [each.id for each in after.sections]
    at = ids.index(section) if section in ids else len(ids)
    if posted.text("go") == "later":
        return own.back("Saved. Come back with the same link, on any device, whenever you like.")
    return own.back(told, path=f"/s/{ids[at + 1]}" if at + 1 < len(ids) else "/review")


def _half_done(after: Survey, typed: Given) -> str:
    """What is said when a section was saved; an answer that is begun and not whole yet is named at once."""
    left = missing(after)
    begun = [after.questionnaire.by_id[name] for name in typed.questions if name in left and name in after.values]
    if not begun:
        return "Saved."
    return f"Saved. Before you submit, please look at this again: {begun[0].text} {' '.join(left[begun[0].id])}"


# --- the end of it


@pages.get("/m/{key}/review", statements=16)
def review(own: Own) -> Response:
    """Everything before it is submitted: the answers, what is missing, and who declares that they are true."""
    found = _found(own)
    if not found.may_submit:
        return own.back(path="/answers" if found.submitted else "")
    return _review(own, found)


def _review(
    own: Address, found: Survey, *, status: int = 200, who: Mapping[str, str] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None, trouble: Sequence[str] = (),
) -> Response:  # fmt: skip
    left = missing(found)
    return _page(
        own, "visitor/survey_review.html", found, title="Look through your answers", status=status,
        parts=read_answers(found, found.readable, found.filled.evidence, found.filled.comments), left=left,
        section_of={q.id: s.id for s in found.questionnaire.sections for q in s.questions},
        who={**dict.fromkeys(RESPONDENT, ""), **found.filled.respondent, **(who or {})}, errors=errors or {},
        trouble=trouble, seen_all=found.filled.seen_all(),
    )  # fmt: skip


@pages.post("/m/{key}/submit")
def submit_answers(own: Own, posted: Form) -> Response:
    """Submit. Twice is once."""
    found = _found(own)
    who = {name: posted.text(f"respondent.{name}").strip() for name in RESPONDENT}
    try:
        submit(own.env, found.holder, who, posted.yes("declaration"), seen=posted.text("seen_all"))
    except AnswersInvalid as bad:
        if found.may_submit:
            keep_respondent(own.env, found.holder, who)
        own_errors = {k: v for k, v in bad.errors.items() if k.startswith(("respondent", "declaration"))}
        return _review(own, found, status=422, who=who, errors=own_errors)
    except CaseChanged:
        told = ["Somebody else has changed an answer since you opened this page. Please look through them once more."]
        return _review(own, found, status=409, who=who, trouble=told)
    except TransitionRefused as no:
        return _review(own, found, status=409, who=who, trouble=[str(no)])
    names = receipt_goes_to(own.env, found.holder, who["email"])
    receipt = (
        f"A receipt goes by e-mail to {' and '.join(names)}." if names else "Please keep this page as your receipt."
    )
    return own.back(f"Thank you. Your answers have arrived. {receipt}", path="/answers")


@pages.get("/m/{key}/answers", statements=16)
def answers(own: Own) -> Response:
    """The receipt, and what was submitted, to read, print or keep."""
    found = _found(own)
    if found.submitted is None:
        return own.back()
    raw = {**found.submitted.answers, "respondent": found.submitted.respondent}
    checked = validate(found.questionnaire, raw, submitting=False)
    told = checked if isinstance(checked, Validated) else None
    said = replace(found, values=told.answers if told else {})
    parts = read_answers(said, told.answers, told.evidence, told.comments) if told else []
    return _page(own, "visitor/survey_answers.html", found, title="Your answers have arrived", parts=parts)


@pages.get("/m/{key}/answers.txt", statements=16)
def answers_text(own: Own) -> Response:
    """The same as a text to keep; its SHA-256 is on the receipt."""
    found = _found(own)
    if found.submitted is None:
        raise CaseNotFound(found.holder.ref)
    return own.visit.download(f"{found.holder.ref}.txt", "text/plain; charset=utf-8", [copy_text(found)])

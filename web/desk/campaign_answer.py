"""A member's answers typed by staff: taken down for the member, or a submitted one corrected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.answers import AnswersInvalid
from cases.campaigning.answering import MAY_TAKE_DOWN, correct_answers, form_of, take_down
from cases.campaigning.sight import acts_as
from cases.errors import BadInput, TransitionRefused
from surveys.questionnaire import Questionnaire
from web.access import STAFF, staff
from web.desk_page import Desk, DeskPage
from web.posted import Form, Posted
from web.routing import Pages
from web.visitors.answer_fields import Field, is_answered

pages = Pages(may=staff(*MAY_TAKE_DOWN))
HERE = "/campaigns/{ref}/responses/{case_ref}"
WHO = ("name", "role", "email")
STEPS = ("complete", "query", "accept", "second-check", "contact", "link")
"""What is sent from the page of a response; looked at, each of these addresses is that page."""


@pages.get(HERE + "/answer", statements=13)
def answer(desk: Desk, ref: str, case_ref: str) -> Response:
    """The questions as a form, for taking down what a member says."""
    return _shown(desk, ref, case_ref, correcting=False)


@pages.get(HERE + "/correct", statements=13)
def correct(desk: Desk, ref: str, case_ref: str) -> Response:
    """The submitted answers as a form, for putting some right."""
    return _shown(desk, ref, case_ref, correcting=True)


@pages.post(HERE + "/answer")
def answered(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Save or submit what a member said."""
    questionnaire, so_far, _, _ = form_of(desk.env, ref, case_ref, actor=desk.actor, now=desk.now)
    typed = _typed(questionnaire, posted, so_far.get("answers", {}))
    submitting = posted.text("step") == "submit"
    raw = {
        "respondent": {name: posted.text(f"respondent_{name}") for name in WHO},
        "declaration": posted.yes("declaration"), "answers": typed,
        "evidence": so_far.get("evidence", {}), "comments": so_far.get("comments", {}),
    }  # fmt: skip
    try:
        receipt = take_down(
            desk.env, ref, case_ref, raw, note=posted.text("note"), submitting=submitting, actor=desk.actor,
            now=desk.now,
        )  # fmt: skip
    except AnswersInvalid as bad:
        return _shown(desk, ref, case_ref, correcting=False, posted=posted, errors=bad.errors, status=422)
    except (BadInput, TransitionRefused) as bad:
        return _shown(desk, ref, case_ref, correcting=False, posted=posted, problem=str(bad), status=bad.status)
    told = "The answers are submitted for the member." if submitting else "What was said so far is saved."
    return desk.see_other(HERE.format(ref=ref, case_ref=receipt.ref), told)


@pages.post(HERE + "/correct")
def corrected(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Correct submitted answers; a second person checks them."""
    questionnaire, so_far, _, _ = form_of(desk.env, ref, case_ref, actor=desk.actor, now=desk.now)
    actor = acts_as(desk.env, ref, case_ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    typed = _typed(questionnaire, posted, so_far.get("answers", {}))
    try:
        receipt = correct_answers(desk.env, ref, case_ref, typed, posted.text("reason"), actor=actor, now=desk.now)
    except AnswersInvalid as bad:
        return _shown(desk, ref, case_ref, correcting=True, posted=posted, errors=bad.errors, status=422)
    except (BadInput, TransitionRefused) as bad:
        return _shown(desk, ref, case_ref, correcting=True, posted=posted, problem=str(bad), status=bad.status)
    told = f"Version {receipt.revision} is kept, marked as corrected by staff. A second person checks it."
    return desk.see_other(HERE.format(ref=ref, case_ref=receipt.ref), told)


@pages.get(HERE + "/{step}", may=STAFF, statements=9)
def again(desk: Desk, ref: str, case_ref: str, step: str) -> Response:
    """Whoever loads a refused form anew comes back to the response."""
    if step not in STEPS:
        raise HTTPException(404)
    return desk.see_other(HERE.format(ref=ref, case_ref=case_ref))


def _typed(questionnaire: Questionnaire, posted: Posted, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers as they were typed; files are not typed and stay as they are."""
    texts = {name: values for name, values in posted.texts.items() if name.startswith("a.")}
    tree = Posted(texts).nested().get("a", {})
    found = dict(tree) if isinstance(tree, Mapping) else {}
    for question in questionnaire.questions:
        given = found.get(question.id)
        if question.type == "multiple":
            found[question.id] = given if isinstance(given, list) else [given] if given else []
        elif question.type == "file" and question.id in before:
            found[question.id] = before[question.id]
    return found


def _shown(
    desk: DeskPage, ref: str, case_ref: str, *, correcting: bool, posted: Posted | None = None,
    errors: Mapping[str, Any] | None = None, problem: str = "", status: int = 200,
) -> Response:  # fmt: skip
    questionnaire, so_far, title, _ = form_of(desk.env, ref, case_ref, actor=desk.actor, now=desk.now)
    stored, wrong = so_far.get("answers", {}), errors or {}
    values = _typed(questionnaire, posted, stored) if posted is not None else stored
    parts = [
        (section.title, [
            Field(q, values.get(q.id), "", "", q.required and not correcting, tuple(wrong.get(q.id, ())))
            for q in section.asked if is_answered(q)
        ])
        for section in questionnaire.sections
    ]  # fmt: skip
    known = set(questionnaire.by_id)
    respondent = so_far.get("respondent") or {}
    who = {name: posted.text(f"respondent_{name}") if posted else respondent.get(name, "") for name in WHO}
    return desk.page(
        "desk/campaign_answer.html", status=status, parts=parts, correcting=correcting, who=who, wrong=wrong,
        title="Correct the answers" if correcting else "Take down the answers", campaign=title,
        problem=problem, others=[t for name, told in wrong.items() if name not in known for t in told],
        note=posted.text("note") if posted else "", reason=posted.text("reason") if posted else "",
        here=HERE.format(ref=ref, case_ref=case_ref), ref=ref, case_ref=case_ref,
        pairs=lambda choices: [(choice.value, choice.label) for choice in choices],
    )  # fmt: skip

"""Answering a survey on its personal page: saved piece by piece, by anybody who has the link, and submitted once.

What is typed lies in a draft; "Save and continue" also makes a revision, which is an event of the case. Two people who
answer at the same time are told question by question, and nobody's words are lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from cases.answers import Receipt, locked_response, newest, taken
from cases.commands import typed, unhindered
from cases.environment import Environment, world
from cases.errors import CaseChanged
from cases.own.pages import Holder
from cases.own.receipt import also_to_respondent
from cases.own.survey import PARTS, Filled, filled_of
from cases.questionnaires import kept
from cases.tables import ResponseDraft
from config.database import Connection, transaction
from surveys.answers import Validated, validate
from surveys.normalise import normalise
from surveys.questionnaire import Questionnaire
from surveys.questions import FileQuestion, Question
from surveys.values import clean_text, is_blank
from surveys.wording import digests_of

LONGEST_COMMENT = 5000
_BEFORE_SAVING = ("invited", "opened")


@dataclass(frozen=True)
class Given:
    """What a form sent about some questions. A question that is named and has no answer was cleared."""

    questions: Sequence[str]
    answers: Mapping[str, Any] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    """The fingerprints of the answers as the form showed them; without one, nobody can have been faster."""
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Digests of files to put to a question; they are on the case already."""
    drop: Mapping[str, str] = field(default_factory=dict)
    """The digest of a file to take away from a question."""
    language: str = ""
    """The language the form was in."""


@dataclass(frozen=True)
class Saved:
    """What became of a form: when it was saved, what could not be, and what somebody else had changed meanwhile."""

    at: datetime
    errors: Mapping[str, Sequence[str]]
    conflicts: Mapping[str, Any]
    """By question: what somebody else has answered since the form was made. One's own words were not saved."""


def save(env: Environment, holder: Holder, given: Given, *, step: bool, now: datetime | None = None) -> Saved:
    """Save some answers and return what became of them; ``step``: somebody pressed a button, so it is an event.

    Raises TransitionRefused when the case no longer waits for answers.
    """

    def once() -> Saved:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = locked_response(conn, holder.ref, holder.actor, here)
            holding = replace(holder, case=locked.case)
            questionnaire = kept(conn, str(locked.case.data["questionnaire_fingerprint"]))
            before = filled_of(conn, holding)
            spoken = given.language if given.language in questionnaire.languages else before.language
            after, errors, conflicts = _merged(questionnaire.in_language(spoken), before, given)
            last = newest(conn, locked.case.id)
            changed = after.as_raw() != before.as_raw()
            after = replace(after, language=spoken)
            if changed or spoken != before.language:
                _keep_draft(conn, locked.case.id, after, last.revision if last is not None else 0, here.now)
            begins = changed and locked.case.state in _BEFORE_SAVING
            if (begins or step) and (last is None or _sendable(questionnaire, after) != _part(last.answers)):
                raw = {**_sendable(questionnaire, after), "respondent": after.respondent, "language": spoken}
                taken(conn, locked, raw, False, here, holder.actor)
            return Saved(here.now, errors, conflicts)

    return unhindered(once)


def _part(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {part: dict(stored.get(part, {})) for part in PARTS}


def _sendable(questionnaire: Questionnaire, filled: Filled) -> dict[str, Any]:
    """What of a draft a revision keeps: the questions that are asked."""
    found = validate(questionnaire, filled.as_raw(), submitting=False)
    return _part(found.as_raw()) if isinstance(found, Validated) else _part(filled.as_raw())


def _merged(
    questionnaire: Questionnaire, before: Filled, given: Given
) -> tuple[Filled, dict[str, Sequence[str]], dict[str, Any]]:
    """Return the draft with what fits, what does not fit, and where somebody else was faster."""
    answers, comments = dict(before.answers), dict(before.comments)
    errors: dict[str, Sequence[str]] = {}
    conflicts: dict[str, Any] = {}
    for name in given.questions:
        question = questionnaire.by_id.get(name)
        if question is None or question.type in ("file", "calculate"):
            continue
        value, wrong = _read(question, given)
        if wrong:
            errors[name] = wrong
            continue
        mine = Filled({name: value} if value is not None else {}, {}, _comment(given, name))
        shown = given.seen.get(name, before.seen(name))
        if mine.seen(name) == shown or mine.seen(name) == before.seen(name):
            continue  # nothing was typed here, or both said the same
        if shown != before.seen(name):
            conflicts[name] = before.answers.get(name)
            continue
        _put(answers, name, value)
        _put(comments, name, mine.comments.get(name))
    evidence = _attached(questionnaire, before.evidence, answers, given)
    return replace(before, answers=answers, comments=comments, evidence=evidence), errors, conflicts


def _read(question: Question, given: Given) -> tuple[Any, Sequence[str]]:
    value, wrong = normalise(question, typed({"v": given.answers.get(question.id)})["v"], complete=False)
    if len(given.comments.get(question.id, "")) > LONGEST_COMMENT:
        wrong = [*wrong, f"Shorten the comment to {LONGEST_COMMENT} characters."]
    return _storable(value), wrong


def _storable(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    if isinstance(value, tuple):
        return [_storable(item) for item in value]
    return {key: _storable(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _comment(given: Given, name: str) -> dict[str, str]:
    text = clean_text(given.comments.get(name, ""))
    return {} if is_blank(text) else {name: text}


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        into.pop(name, None)
    else:
        into[name] = value


def _attached(
    questionnaire: Questionnaire, before: Mapping[str, list[str]], answers: dict[str, Any], given: Given
) -> dict[str, list[str]]:
    """Put files to their questions, and take away those that were dropped."""
    evidence = {name: list(digests) for name, digests in before.items()}
    for name, digest in given.drop.items():
        evidence[name] = [one for one in evidence.get(name, []) if one != digest]
        if name in answers and isinstance(questionnaire.by_id.get(name), FileQuestion):
            left = [one for one in digests_of(answers[name]) if one != digest]
            _put(answers, name, left if left and isinstance(answers[name], list) else next(iter(left), None))
    for name, digests in given.files.items():
        question = questionnaire.by_id.get(name)
        if question is None or not digests:
            continue
        if isinstance(question, FileQuestion):
            held = digests_of(answers[name]) if name in answers else []
            together = list(dict.fromkeys([*held, *digests]))
            answers[name] = together[: question.max_files] if question.max_files > 1 else digests[-1]
        elif question.evidence != "none":
            evidence[name] = list(dict.fromkeys([*evidence.get(name, []), *digests]))
    return {name: digests for name, digests in evidence.items() if digests}


def _keep_draft(conn: Connection, case_id: int, filled: Filled, revision: int, now: datetime) -> None:
    row = {"revision": revision, "at": now, "respondent": filled.respondent, "answers": filled.as_raw()}
    statement = insert(ResponseDraft).values(case_id=case_id, **row)
    conn.execute(statement.on_conflict_do_update(index_elements=["case_id"], set_=row))


def submit(
    env: Environment, holder: Holder, respondent: Mapping[str, str], declaration: bool, *, seen: str,
    now: datetime | None = None,
) -> Receipt:  # fmt: skip
    """Submit what is in the draft, as this person, and return the receipt. Submitting the same twice is harmless.

    Raises AnswersInvalid with errors by question, CaseChanged when somebody changed an answer since the page was
    made, TransitionRefused when the case no longer waits for answers.
    """
    who = {name: str(respondent.get(name, "")) for name in ("name", "role", "email")}

    def once() -> Receipt:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = locked_response(conn, holder.ref, holder.actor, here)
            filled = filled_of(conn, replace(holder, case=locked.case))
            raw = {**filled.as_raw(), "respondent": who, "declaration": declaration}
            if seen != filled.seen_all():
                done = newest(conn, locked.case.id)
                if done is None or not done.submitted:
                    raise CaseChanged("Please look at the answers again before you submit them.")
            receipt = taken(conn, locked, raw, True, here, holder.actor)
            conn.execute(delete(ResponseDraft).where(ResponseDraft.case_id == locked.case.id))
            if not receipt.repeated:
                also_to_respondent(conn, holder, who["email"], now=here.now)
            return receipt

    return unhindered(once)


def keep_respondent(env: Environment, holder: Holder, who: Mapping[str, str], *, now: datetime | None = None) -> None:
    """Remember who is about to submit, so that a page that comes back with errors need not ask again."""
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = locked_response(conn, holder.ref, holder.actor, here)
        filled = filled_of(conn, replace(holder, case=locked.case))
        kept_ = {name: str(who.get(name, ""))[:200] for name in ("name", "role", "email")}
        last = newest(conn, locked.case.id)
        revision = last.revision if last is not None else 0
        _keep_draft(conn, locked.case.id, replace(filled, respondent=kept_), revision, here.now)

"""A member's survey as its personal page shows it: what is asked, what has been answered, what is still missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select

from cases.answers import AnswersInvalid, last_year, newest, own_copy
from cases.environment import Environment
from cases.own.pages import Holder, files, opened
from cases.questionnaires import kept
from cases.tables import CaseEvent, ResponseAnswers, ResponseDraft
from config.database import Connection, json_text, reading
from state_machines.registry import process_named
from state_machines.values import Role
from surveys.answers import Invalid, validate
from surveys.normalise import normalise
from surveys.questionnaire import Questionnaire
from surveys.questions import Question
from surveys.routing import asked, required
from surveys.values import Value

PARTS = ("answers", "evidence", "comments")


@dataclass(frozen=True)
class Filled:
    """What has been answered so far, as it is stored."""

    answers: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    respondent: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None

    def seen(self, question: str) -> str:
        """Return a short fingerprint of the answer to a question; it tells a form whether somebody changed it."""
        said = json_text([self.answers.get(question), self.comments.get(question)])
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def seen_all(self) -> str:
        """Return a fingerprint of everything that is about to be submitted."""
        return hashlib.sha256(json_text([self.answers, self.evidence, self.comments]).encode()).hexdigest()[:16]

    def as_raw(self) -> dict[str, Any]:
        """Return it as `surveys.answers.validate` takes it."""
        return {"answers": self.answers, "evidence": self.evidence, "comments": self.comments}


@dataclass(frozen=True)
class SectionProgress:
    """How far one section is."""

    id: str
    title: str
    answered: int
    asked: int
    missing: int
    """Required questions of it without an answer."""


@dataclass(frozen=True)
class Survey:
    """A response as the member sees it."""

    holder: Holder
    questionnaire: Questionnaire
    filled: Filled
    values: Mapping[str, Value]
    """The answers that fit, by question: conditions ask about them."""
    last_year: Mapping[str, Any]
    queries: Mapping[str, str]
    """What we asked back, by question, while we wait for a reply."""
    files: Mapping[str, dict[str, Any]]
    submitted: Any
    """The newest revision the member submitted, or None."""
    may_save: bool
    may_submit: bool
    seen: int

    @cached_property
    def shown(self) -> frozenset[str]:
        """The questions that are asked, given the answers."""
        return frozenset(question.id for question in asked(self.questionnaire, self.values))

    @cached_property
    def needed(self) -> frozenset[str]:
        """The questions that are asked and must be answered."""
        return frozenset(q.id for q in asked(self.questionnaire, self.values) if required(q, self.values))

    @cached_property
    def sections(self) -> list[SectionProgress]:
        """The sections in which something is asked, with how far they are."""
        shown, needed = self.shown, self.needed
        found = []
        for section in self.questionnaire.sections:
            ids = [question.id for question in section.questions if question.id in shown]
            answered = [name for name in ids if name in self.values]
            missing = [name for name in ids if name in needed and name not in self.values]
            if ids:
                found.append(SectionProgress(section.id, section.title, len(answered), len(ids), len(missing)))
        return found


def survey(env: Environment, purpose: str, token: str, *, now: datetime) -> Survey:
    """Return the survey of a link. Raises LinkForged or LinkExpired, also for a link to something else."""
    with reading(env.engine) as conn:
        return survey_of(conn, opened(conn, env, purpose, token, now=now))


def survey_of(conn: Connection, holder: Holder) -> Survey:
    """Return the survey of a link that was opened. Raises BadInput where its questionnaire is not kept."""
    case = holder.case
    questionnaire = kept(conn, str(case.data["questionnaire_fingerprint"]))
    filled = filled_of(conn, holder)
    triggers = {t.trigger for t in process_named(case.process).from_state[case.state] if Role.MEMBER in t.by}
    return Survey(
        holder, questionnaire, filled, fitting(questionnaire, filled.answers),
        last_year(conn, case.id, case.member_id or 0, questionnaire.name), _queries(conn, holder),
        {one["sha256"]: one for one in files(conn, holder)}, _submitted(conn, case.id), "save" in triggers,
        "submit" in triggers, holder.row.last_seq,
    )  # fmt: skip


def fitting(questionnaire: Questionnaire, answers: Mapping[str, Any]) -> dict[str, Value]:
    """Return those answers that fit their question, as conditions ask about them."""
    found: dict[str, Value] = {}
    for question in questionnaire.questions:
        value, wrong = normalise(question, answers.get(question.id), complete=False)
        if value is not None and not wrong:
            found[question.id] = value
    return found


def filled_of(conn: Connection, holder: Holder) -> Filled:
    """Return what is in the form now: the draft, or else the newest revision. What staff corrected since is in it."""
    case, last = holder.case, newest(conn, holder.case.id)
    draft = conn.execute(select(ResponseDraft.__table__).where(ResponseDraft.case_id == case.id)).one_or_none()
    row = draft if draft is not None else last
    if row is None:
        return Filled()
    stored = {part: dict(row.answers.get(part, {})) for part in PARTS}
    if draft is not None and last is not None and last.imputed and last.revision > draft.revision:
        now_said = last.answers.get("answers", {})
        stored["answers"] |= {name: now_said[name] for name in case.data.get("imputed", ()) if name in now_said}
    return Filled(**stored, respondent=dict(row.respondent), at=row.at)


def _submitted(conn: Connection, case_id: int) -> Any:
    rows = select(ResponseAnswers.__table__).where(
        ResponseAnswers.case_id == case_id, ResponseAnswers.submitted, ResponseAnswers.imputed.is_(False)
    )
    return conn.execute(rows.order_by(ResponseAnswers.revision.desc()).limit(1)).one_or_none()


def _queries(conn: Connection, holder: Holder) -> dict[str, str]:
    if holder.case.state != "queried":
        return {}
    details = conn.execute(
        select(CaseEvent.details).where(CaseEvent.case_id == holder.case.id, CaseEvent.trigger == "query")
        .order_by(CaseEvent.seq.desc()).limit(1)
    ).scalar_one_or_none()  # fmt: skip
    found = (details or {}).get("payload", {}).get("questions", ())
    return {each["question"]: each["text"] for each in found}


def missing(found: Survey) -> dict[str, Sequence[str]]:
    """Return what stands in the way of submitting, by question; who answers is asked at the end."""
    checked = validate(found.questionnaire, found.filled.as_raw(), submitting=True)
    if not isinstance(checked, Invalid):
        return {}
    own = ("respondent", "declaration", "language")
    return {name: told for name, told in checked.errors.items() if not name.startswith(own)}


def copy_text(found: Survey) -> bytes:
    """Return the member's copy of what they submitted; its SHA-256 is on the receipt. Raises AnswersInvalid."""
    row = found.submitted
    raw = {**row.answers, "respondent": row.respondent, "declaration": True}
    checked = validate(found.questionnaire, raw, submitting=False)
    if isinstance(checked, Invalid):
        raise AnswersInvalid(checked.errors)
    return own_copy(found.holder.case, found.questionnaire, checked, row.revision, row.at)


def of_questions(found: Survey, names: Iterable[str]) -> list[Question]:
    """Return those of these questions that are asked, in their order."""
    wanted = set(names)
    return [question for question in found.questionnaire.questions if question.id in wanted & found.shown]

"""A member's survey as its personal page shows it: what is asked, what has been answered, what is still missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select

from cases.answer_review import last_year
from cases.answers import AnswersInvalid, newest, own_copy
from cases.environment import Environment
from cases.own.pages import Holder, files, opened
from cases.questionnaires import kept
from cases.tables import CaseEvent, ResponseAnswers, ResponseDraft
from config.database import Connection, json_text, reading
from state_machines.registry import process_named
from state_machines.values import Role
from surveys.answers import Invalid, validate
from surveys.constraints import broken
from surveys.languages import best
from surveys.normalise import normalise
from surveys.questionnaire import Questionnaire
from surveys.questions import CalculateQuestion, Question
from surveys.routing import asked, counted, notes, required
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
    language: str = ""
    """The language last answered in; empty while nobody has chosen one."""

    def seen(self, question: str) -> str:
        """Return a short fingerprint of the answer to a question; it tells a form whether somebody changed it."""
        said = json_text([self.answers.get(question), self.comments.get(question)])
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def seen_all(self) -> str:
        """Return a fingerprint of everything that is about to be submitted."""
        return hashlib.sha256(json_text([self.answers, self.evidence, self.comments]).encode()).hexdigest()[:16]

    def as_raw(self) -> dict[str, Any]:
        """Return it as `surveys.answers.validate` takes it."""
        said = {"language": self.language} if self.language else {}
        return {"answers": self.answers, "evidence": self.evidence, "comments": self.comments, **said}


@dataclass(frozen=True)
class SectionProgress:
    """How far one section is."""

    id: str
    title: str
    answered: int
    asked: int
    missing: int
    """Required questions of it without an answer."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A questionnaire in one of its languages, with what has been answered."""

    questionnaire: Questionnaire
    filled: Filled
    values: Mapping[str, Value]
    """The answers that fit, by question: conditions ask about them."""
    last_year: Mapping[str, Any] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    """What we asked back, by question, while we wait for a reply."""
    files: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    language: str = ""
    """The language in which the questions are shown."""
    today: date | None = None

    @cached_property
    def counted(self) -> Mapping[str, Value]:
        """The answers whose question is asked, and what is calculated from them."""
        return counted(self.questionnaire, self.values)

    @property
    def readable(self) -> dict[str, Any]:
        """The answers as they are stored, and what is calculated from them as they are now."""
        worked_out = {q.id for q in self.questionnaire.questions if isinstance(q, CalculateQuestion)}
        kept_ = {name: value for name, value in self.filled.answers.items() if name not in worked_out}
        return {**kept_, **{name: value for name, value in self.counted.items() if name in worked_out}}

    @cached_property
    def notes(self) -> frozenset[str]:
        """The notes that are shown between the questions."""
        return notes(self.questionnaire, self.counted)

    @cached_property
    def complaints(self) -> dict[str, list[str]]:
        """What the constraints of the questionnaire say about the answers so far, by question."""
        return {
            q.id: told
            for q in self.questionnaire.questions
            if q.id in self.counted and (told := broken(q, self.counted[q.id], self.counted, self.today))
        }

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
            own = [question for question in section.asked if not isinstance(question, CalculateQuestion)]
            ids = [question.id for question in own if question.id in shown]
            answered = [name for name in ids if name in self.values]
            missing = [name for name in ids if name in needed and name not in self.values]
            if ids:
                found.append(SectionProgress(section.id, section.title, len(answered), len(ids), len(missing)))
        return found


@dataclass(frozen=True, kw_only=True)
class Survey(Sheet):
    """A response as the member sees it."""

    holder: Holder
    kept: Questionnaire
    """The questionnaire in the language it was written in."""
    submitted: Any
    """The newest revision the member submitted, or None."""
    may_save: bool
    may_submit: bool
    seen: int


def survey(env: Environment, purpose: str, token: str, *, language: str = "", now: datetime) -> Survey:
    """Return the survey of a link, in the language wanted if it has that one.

    Raises LinkForged or LinkExpired, also for a link to something else.
    """
    with reading(env.engine) as conn:
        found = survey_of(conn, opened(conn, env, purpose, token, now=now), language=language)
    return replace(found, today=env.calendar.local_date(now))


def survey_of(conn: Connection, holder: Holder, *, language: str = "") -> Survey:
    """Return the survey of a link that was opened. Raises BadInput where its questionnaire is not kept."""
    case = holder.case
    questionnaire = kept(conn, str(case.data["questionnaire_fingerprint"]))
    filled = filled_of(conn, holder)
    spoken = best(questionnaire.languages, language, filled.language, holder.language)
    triggers = {t.trigger for t in process_named(case.process).from_state[case.state] if Role.MEMBER in t.by}
    return Survey(
        holder=holder, kept=questionnaire, questionnaire=questionnaire.in_language(spoken), language=spoken,
        filled=filled, values=fitting(questionnaire, filled.answers),
        last_year=last_year(conn, case.id, case.member_id or 0, questionnaire.name), queries=_queries(conn, holder),
        files={one["sha256"]: one for one in files(conn, holder)}, submitted=_submitted(conn, case.id),
        may_save="save" in triggers, may_submit="submit" in triggers, seen=holder.row.last_seq,
    )  # fmt: skip


def fitting(questionnaire: Questionnaire, answers: Mapping[str, Any]) -> dict[str, Value]:
    """Return those answers that fit their question, as conditions ask about them."""
    found: dict[str, Value] = {}
    for question in questionnaire.questions:
        if isinstance(question, CalculateQuestion):
            continue
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
    language = str(row.answers.get("language") or "")
    return Filled(**stored, respondent=dict(row.respondent), at=row.at, language=language)


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


def missing(found: Sheet) -> dict[str, Sequence[str]]:
    """Return what stands in the way of submitting, by question; who answers is asked at the end."""
    checked = validate(found.questionnaire, found.filled.as_raw(), submitting=True, today=found.today)
    if not isinstance(checked, Invalid):
        return {}
    own = ("respondent", "declaration", "language")
    return {name: told for name, told in checked.errors.items() if not name.startswith(own)}


def copy_text(found: Survey) -> bytes:
    """Return the member's copy of what they submitted; its SHA-256 is on the receipt. Raises AnswersInvalid."""
    row = found.submitted
    raw = {**row.answers, "respondent": row.respondent, "declaration": True}
    checked = validate(found.kept, raw, submitting=False)
    if isinstance(checked, Invalid):
        raise AnswersInvalid(checked.errors)
    return own_copy(found.holder.case, found.kept, checked, row.revision, row.at)


def of_questions(found: Sheet, names: Iterable[str]) -> list[Question]:
    """Return those of these questions that are shown, in their order, with the notes among them."""
    wanted = set(names) & (found.shown | found.notes)
    return [
        each
        for section in found.questionnaire.sections
        for each in section.questions
        if each.id in wanted and each.text
    ]

"""The answers of a campaign as figures take them: this year's, last year's beside them, and everybody who was asked.

One statement reads everybody, one more those who answered last year; however many there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from cases.campaigning.sight import Sight
from cases.errors import BadInput
from cases.exporting import STREAMED
from cases.questionnaires import kept
from cases.rows import day_of
from cases.tables import CaseRow, ResponseAnswers
from members.tables import Member
from state_machines.registry import process_named
from state_machines.standing import RESPONDED, Standing
from surveys.aggregate import Response
from surveys.questionnaire import Questionnaire
from surveys.routing import asked, counted
from surveys.values import Value

PROCESS = "survey_response"
DIMENSIONS = ("tier", "country", "region")
"""By what results are told; as the register says today."""
NARROWED_BY = (*DIMENSIONS, "team")


@dataclass(frozen=True)
class Asked:
    """One member of a campaign: its case, how it stands, and its answers where they are in."""

    case: str
    member: str
    member_ref: str
    standing: Standing | None
    groups: Mapping[str, str]
    revision: int
    response: Response | None
    score: Mapping[str, Any] | None = None
    submitted_on: date | None = None


def questionnaire_of(sight: Sight) -> Questionnaire:
    """Return the questionnaire of a campaign. Raises BadInput for a campaign that asks no questions."""
    fingerprint = sight.row.data.get("questionnaire_fingerprint")
    if not fingerprint:
        raise BadInput(f"{sight.row.ref} asks no questions, so that there are no answers to count.")
    return kept(sight.conn, str(fingerprint))


def everybody(sight: Sight, *, named: bool) -> list[Asked]:
    """Return everybody of a campaign by name. ``named``: only those this person may open, else all they are told of."""
    questionnaire = questionnaire_of(sight)
    before = _last_year(sight, questionnaire, named=named)
    standings = process_named(PROCESS).standings
    rows = sight.conn.execute(_wanted(sight.listed if named else sight.counted), execution_options=STREAMED)
    return [_asked(row, questionnaire, before.get(row.member_id), standings.get(row.state)) for row in rows]


def source_of(people: list[Asked]) -> str:
    """Return what tells one run over the answers from another: the same answers have the same, any change another."""
    used = sorted(f"{each.case}:{each.revision}:{each.standing}" for each in people)
    return hashlib.sha256("\n".join(used).encode()).hexdigest()[:12]


def _newest() -> Any:
    return (
        select(ResponseAnswers.case_id, ResponseAnswers.revision, ResponseAnswers.answers, ResponseAnswers.score)
        .where(ResponseAnswers.submitted)
        .distinct(ResponseAnswers.case_id).order_by(ResponseAnswers.case_id, ResponseAnswers.revision.desc())
    )  # fmt: skip


def _wanted(which: ColumnElement[bool]) -> Any:
    newest = _newest().where(ResponseAnswers.case_id.in_(select(CaseRow.id).where(which))).subquery()
    return (
        select(CaseRow.ref, CaseRow.state, CaseRow.team, CaseRow.member_id, CaseRow.data["excluded"].label("excluded"),
               CaseRow.data["imputed"].label("imputed"), CaseRow.data["submitted_on"].astext.label("submitted_on"),
               Member.name, Member.ref.label("member_ref"), Member.tier,
               Member.country, Member.region, newest.c.revision, newest.c.answers, newest.c.score)
        .select_from(CaseRow.__table__.join(Member.__table__, Member.id == CaseRow.member_id)
                     .outerjoin(newest, newest.c.case_id == CaseRow.id))
        .where(which).order_by(Member.name_key, CaseRow.id)
    )  # fmt: skip


def _asked(
    row: Any, questionnaire: Questionnaire, before: Mapping[str, Value] | None, standing: Standing | None
) -> Asked:
    groups = {name: str(getattr(row, name) or "") for name in NARROWED_BY}
    response = None
    if row.answers is not None and standing in RESPONDED:
        answers = counted(questionnaire, _values(row.answers))
        response = Response(
            answers, frozenset(each.id for each in asked(questionnaire, answers)), groups,
            frozenset(row.excluded or ()), frozenset(row.imputed or ()), before,
        )  # fmt: skip
    return Asked(row.ref, row.name, row.member_ref, standing, groups, row.revision or 0, response, row.score,
                 day_of(row.submitted_on))  # fmt: skip


def _values(stored: Mapping[str, Any]) -> dict[str, Value]:
    """Return stored answers as they were given: JSON knows no tuples."""
    answers = stored.get("answers", {})
    return {name: tuple(value) if isinstance(value, list) else value for name, value in answers.items()}


def _last_year(sight: Sight, questionnaire: Questionnaire, *, named: bool) -> dict[int, dict[str, Value]]:
    """Return last year's answers of each member, under the questions of this year that stand for them."""
    found: dict[int, dict[str, Value]] = {}
    for row in sight.conn.execute(_earlier(sight, questionnaire.name, named=named), execution_options=STREAMED):
        earlier = kept(sight.conn, row.fingerprint)
        answers = counted(earlier, _values(row.answers))
        found[row.member_id] = dict(_mapped(questionnaire, earlier, answers, frozenset(row.excluded or ())))
    return found


def _campaign_before(sight: Sight, name: str) -> Any:
    """The campaign before this one that had the same questionnaire, whatever its version."""
    return (
        select(func.max(CaseRow.parent_id)).join(ResponseAnswers, ResponseAnswers.case_id == CaseRow.id)
        .where(CaseRow.parent_id < sight.row.id, ResponseAnswers.questionnaire == name, ResponseAnswers.submitted)
        .scalar_subquery()
    )  # fmt: skip


def _earlier(sight: Sight, name: str, *, named: bool) -> Any:
    """The newest answers to the campaign before this one, one row a member."""
    return (
        select(CaseRow.member_id, CaseRow.data["excluded"].label("excluded"), ResponseAnswers.answers,
               ResponseAnswers.fingerprint)
        .join(ResponseAnswers, ResponseAnswers.case_id == CaseRow.id)
        .where(CaseRow.parent_id == _campaign_before(sight, name), _told_of(sight, named=named))
        .where(ResponseAnswers.submitted, CaseRow.member_id.is_not(None))
        .distinct(CaseRow.member_id).order_by(CaseRow.member_id, ResponseAnswers.at.desc())
    )  # fmt: skip


def scores_before(sight: Sight, name: str, *, named: bool) -> dict[str, Mapping[str, Any]]:
    """Return the stored scores of the campaign before, by the member's reference; empty of who did not answer it."""
    before = CaseRow.parent_id == _campaign_before(sight, name)
    newest = _newest().where(ResponseAnswers.case_id.in_(select(CaseRow.id).where(before))).subquery()
    rows = sight.conn.execute(
        select(Member.ref, newest.c.score)
        .select_from(CaseRow.__table__.join(Member.__table__, Member.id == CaseRow.member_id)
                     .outerjoin(newest, newest.c.case_id == CaseRow.id))
        .where(before, _told_of(sight, named=named))
    )  # fmt: skip
    return {row.ref: row.score or {} for row in rows}


def _told_of(sight: Sight, *, named: bool) -> ColumnElement[bool]:
    return sight.openable if named or not sight.whole else true()


def _mapped(
    questionnaire: Questionnaire, earlier: Questionnaire, answers: Mapping[str, Value], excluded: frozenset[str]
) -> Iterator[tuple[str, Value]]:
    """Yield last year's answers by this year's questions, where both ask for the same kind of value."""
    for question in questionnaire.questions:
        old = earlier.by_id.get(question.last_year or "")
        if old is None or old.type != question.type or old.id in excluded or old.id not in answers:
            continue
        yield question.id, answers[old.id]

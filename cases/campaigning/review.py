"""One member's response for whoever reviews it: every answer beside last year's, what the checks found, the risk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from cases.campaigning.beside import File, Part, parts_of
from cases.campaigning.lines import Line, lines
from cases.campaigning.moves import Move, moves_of
from cases.campaigning.sight import Acting, Sight, looking, response_of
from cases.environment import Environment
from cases.people import called
from cases.questionnaires import kept
from cases.tables import CaseRow, CaseTask, EvidenceFile, ResponseAnswers
from members import store as member_store
from members.cards import Contact
from members.tables import Member
from state_machines.english import capital
from state_machines.standing import Standing
from state_machines.values import Actor
from surveys.questionnaire import Questionnaire
from surveys.scoring import Driver, Score, UnknownModel


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of the answers."""

    number: int
    at: datetime
    by: str
    submitted: bool
    imputed: bool


@dataclass(frozen=True, slots=True)
class Risk:
    """The risk score with its inputs."""

    value: float | None
    band: str
    base: float | None
    drivers: tuple[Driver, ...]


@dataclass(frozen=True)
class Review:
    """Everything about one response that a reviewer needs."""

    campaign_ref: str
    campaign_title: str
    line: Line
    parts: list[Part]
    questionnaire: Questionnaire
    respondent: Mapping[str, Any]
    revisions: list[Revision]
    last_year: str
    """Where the answers beside come from; nothing when the member never answered these questions before."""
    other_flags: list[Mapping[str, Any]]
    open_flags: list[str]
    risk: Risk | None
    moves: dict[str, Move]
    contacts: list[Contact]
    tasks: list[str]
    previous: str | None
    following: str | None
    place: int
    """Which of those to review this is; 0 when it is none of them."""
    to_review: int
    caveat: Sequence[str]
    passed: Collection[int]
    """The contacts that stayed silent, by id."""
    declined: Collection[int]
    """The contacts that said they are not the right person."""

    @property
    def submitted(self) -> bool:
        """Whether the newest version of the answers was submitted."""
        return bool(self.revisions) and self.revisions[0].submitted

    @property
    def changed(self) -> int:
        """How many answers differ from last year's."""
        return sum(bool(each.difference) for part in self.parts for each in part.answers)


def review(
    env: Environment,
    ref: str,
    case_ref: str,
    *,
    acting: Acting | None = None,
    actor: Actor,
    now: datetime | None = None,
) -> Review:
    """Return one response of a campaign for its reviewer. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        row = response_of(sight, case_ref)
        sight.require_questions()
        questionnaire = kept(sight.conn, str(row.data["questionnaire_fingerprint"]))
        found = _revisions(sight, row.id)
        newest = found[0] if found else None
        before, whence = _before(sight, row, questionnaire.name)
        files = _files(sight, row.id)
        flags: list[Mapping[str, Any]] = list(newest.flags) if newest is not None else []
        earlier, later, place, waiting = _neighbours(sight, row.id)
        member = select(Member.ref.label("member_ref"), Member.name.label("member"), Member.tier, Member.name_key)
        card = sight.conn.execute(member.where(Member.id == row.member_id)).one()
        [line] = lines(sight, [_Both(row, card)])
        return Review(
            sight.row.ref, sight.row.subject, line, parts_of(questionnaire, newest, before, flags, files, row.data),
            questionnaire, newest.respondent if newest is not None else {}, [_revision(sight, each) for each in found],
            whence, [flag for flag in flags if flag["question"] not in questionnaire.by_id],
            [flag["id"] for flag in row.data.get("open_flags", ())], _risk(newest), moves_of(sight, row, acting),
            member_store.contacts_of(sight.conn, [row.member_id])[row.member_id], _tasks(sight, row.id),
            earlier, later, place, waiting, row.data.get("excluded") or (),
            row.data.get("contacts_passed") or (), row.data.get("contacts_declined") or (),
        )  # fmt: skip


class _Both:
    """A row of a case with its member, as lists of members read it."""

    def __init__(self, *rows: Any) -> None:
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        for row in self._rows:
            if name in row._fields:
                return getattr(row, name)
        raise AttributeError(name)


def _revisions(sight: Sight, case_id: int) -> list[Any]:
    newest = select(ResponseAnswers.__table__).where(ResponseAnswers.case_id == case_id)
    return list(sight.conn.execute(newest.order_by(ResponseAnswers.revision.desc()).limit(20)))


def _revision(sight: Sight, row: Any) -> Revision:
    by = capital(called(row.by, sight.here.staffing))
    return Revision(row.revision, row.at, by, row.submitted, row.imputed)


def _before(sight: Sight, row: Any, name: str) -> tuple[Mapping[str, Any], str]:
    """The member's last submitted answers to an earlier campaign with this questionnaire, and which one it was."""
    parent = CaseRow.__table__.alias("parent")
    found = sight.conn.execute(
        select(ResponseAnswers.answers, ResponseAnswers.at, parent.c.subject)
        .join(CaseRow, CaseRow.id == ResponseAnswers.case_id)
        .outerjoin(parent, parent.c.id == CaseRow.parent_id)
        .where(CaseRow.member_id == row.member_id, CaseRow.id < row.id, ResponseAnswers.questionnaire == name)
        .where(ResponseAnswers.submitted, sight.openable)
        .order_by(ResponseAnswers.at.desc(), ResponseAnswers.revision.desc()).limit(1)
    ).one_or_none()  # fmt: skip
    if found is None:
        return {}, ""
    return dict(found.answers.get("answers", {})), f"{found.subject or 'An earlier answer'}"


def _files(sight: Sight, case_id: int) -> dict[str, File]:
    rows = sight.conn.execute(select(EvidenceFile.sha256, EvidenceFile.name).where(EvidenceFile.case_id == case_id))
    return {row.sha256: File(row.sha256, row.name) for row in rows}


def _risk(newest: Any) -> Risk | None:
    if newest is None or not newest.score:
        return None
    try:
        found = Score.from_record(newest.score)
    except UnknownModel:
        return Risk(newest.score.get("value"), str(newest.score.get("band") or ""), None, ())
    return Risk(found.value, found.band.value if found.band else "", found.base, found.explain(100))


def _tasks(sight: Sight, case_id: int) -> list[str]:
    wanted = select(CaseTask.title).where(CaseTask.case_id == case_id, CaseTask.closed_at.is_(None))
    return list(sight.conn.execute(wanted.order_by(CaseTask.due_at, CaseTask.id)).scalars())


def _neighbours(sight: Sight, case_id: int) -> tuple[str | None, str | None, int, int]:
    """The responses to review before and after this one, its place among them, and how many there are."""

    def over(function: Any) -> Any:
        return function.over(order_by=(CaseRow.deadline_at, CaseRow.id))

    queue = (
        select(CaseRow.id, CaseRow.ref, over(func.lag(CaseRow.ref)).label("previous"),
               over(func.lead(CaseRow.ref)).label("following"), over(func.row_number()).label("place"),
               func.count().over().label("everybody"))
        .where(sight.listed, sight.standing(Standing.IN_REVIEW)).subquery()
    )  # fmt: skip
    mine = (queue.c.id == case_id).desc()
    row = sight.conn.execute(select(queue).order_by(mine, queue.c.place).limit(1)).one_or_none()
    if row is None:
        return None, None, 0, 0
    if row.id != case_id:
        return None, row.ref, 0, row.everybody
    return row.previous, row.following, row.place, row.everybody

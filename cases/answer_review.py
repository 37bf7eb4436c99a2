"""Looking answers over when they are submitted: what the data-quality rules flag, and the risk they score.

What the rules need to know is read here: the answers of the year before, the same words from other members, what is on
file about the member, and the evidence that the case holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select

from cases.environment import World
from cases.evidence import unreadable
from cases.locking import Locked
from cases.modifiers import modifiers
from cases.questionnaires import kept
from cases.tables import CaseRow, EvidenceFile, ResponseAnswers
from config.database import Connection
from members import store as member_store
from surveys.answers import Validated
from surveys.flags import Flag
from surveys.quality import expiries, files_in, review, text_fingerprints
from surveys.questionnaire import Questionnaire
from surveys.scoring import Score, score


def reviewed(
    conn: Connection, locked: Locked, questionnaire: Questionnaire, found: Validated, here: World
) -> tuple[list[Flag], Score]:
    """Return what there is to ask back about in submitted answers, and their score as of now."""
    case, today = locked.case, here.env.calendar.local_date(here.now)
    member_id = case.member_id or 0
    before = _before(conn, case.id, member_id, questionnaire.name)
    known = _known(conn, member_id)
    contacts = [c.email for c in member_store.contacts_of(conn, [member_id]).get(member_id, []) if c.email]
    held = _held(conn, case.id, questionnaire, found)
    flags = review(
        questionnaire, found, last_year=_said(before),
        other_texts=_others(conn, case.id, case.parent_id, sorted(text_fingerprints(questionnaire, found).values())),
        facts=known, contacts=contacts, unreadable=unreadable(here.env.settings.evidence, held),
        evidence_expires=_expiries(conn, before, held), today=today,
    )  # fmt: skip
    moved = modifiers(conn, case, here, open_monitoring_case=known["open_monitoring_case"])
    return flags, score(questionnaire, found, moved)


def last_year(conn: Connection, case_id: int, member_id: int, name: str) -> Mapping[str, object]:
    """Return the member's newest submitted answers to another campaign with the same questionnaire."""
    return _said(_before(conn, case_id, member_id, name))


def _before(conn: Connection, case_id: int, member_id: int, name: str) -> Any:
    return conn.execute(
        select(ResponseAnswers.answers, ResponseAnswers.fingerprint)
        .join(CaseRow, CaseRow.id == ResponseAnswers.case_id)
        .where(CaseRow.member_id == member_id, CaseRow.id != case_id, ResponseAnswers.questionnaire == name)
        .where(ResponseAnswers.submitted).order_by(ResponseAnswers.at.desc()).limit(1)
    ).one_or_none()  # fmt: skip


def _said(row: Any) -> Mapping[str, object]:
    return dict(row.answers.get("answers", {})) if row is not None else {}


def _held(conn: Connection, case_id: int, questionnaire: Questionnaire, found: Validated) -> Sequence[Any]:
    """The files of these answers that are on the case; answers typed in by staff may name others, held elsewhere."""
    named = files_in(questionnaire, found.answers, found.evidence)
    if not named:
        return ()
    wanted = (EvidenceFile.case_id == case_id, EvidenceFile.sha256.in_(named))
    return conn.execute(select(EvidenceFile.sha256, EvidenceFile.size).where(*wanted)).all()


def _expiries(conn: Connection, before: Any, held: Sequence[Any]) -> dict[str, date]:
    """Until when files were valid that the member has sent before, by what it said then: the day may be typed anew, the
    certificate is the old one."""
    if before is None or not held:
        return {}
    said = (before.answers.get(part, {}) for part in ("answers", "evidence"))
    then = expiries(kept(conn, before.fingerprint), *said)
    return {row.sha256: then[row.sha256] for row in held if row.sha256 in then}


def _known(conn: Connection, member_id: int) -> dict[str, bool]:
    open_cases = conn.execute(
        select(func.count()).select_from(CaseRow).where(
            CaseRow.member_id == member_id, CaseRow.process == "monitoring", CaseRow.closed_at.is_(None)
        )
    ).scalar_one()  # fmt: skip
    return {"open_monitoring_case": open_cases > 0}


def _others(conn: Connection, case_id: int, parent_id: int | None, texts: Sequence[str]) -> frozenset[str]:
    """Which of these texts other members of the campaign have sent as well."""
    if not texts or parent_id is None:
        return frozenset()
    sent = select(func.unnest(ResponseAnswers.texts).label("text")).join(
        CaseRow, CaseRow.id == ResponseAnswers.case_id
    ).where(
        CaseRow.parent_id == parent_id, CaseRow.id != case_id, ResponseAnswers.texts.overlap(list(texts))
    )  # fmt: skip
    found = sent.subquery()
    return frozenset(conn.execute(select(found.c.text).where(found.c.text.in_(texts)).distinct()).scalars())

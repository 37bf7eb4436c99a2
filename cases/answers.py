"""A member's answers: saved as they go, submitted once, looked over by the data-quality rules, scored.

Every revision is kept. The member's own submission and a correction by staff are told apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from cases.answer_review import reviewed
from cases.commands import fired, lock_seen, typed
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseError, CaseNotFound
from cases.locking import Locked
from cases.questionnaires import kept
from cases.rows import ref_of
from cases.tables import CaseRow, ResponseAnswers
from config.database import Connection, reading, transaction, without_nul
from members import store as member_store
from state_machines.values import Actor, Case, Outcome, Role
from surveys.answers import Invalid, Validated, validate
from surveys.flags import Flag
from surveys.quality import completion, text_fingerprints
from surveys.questionnaire import Questionnaire
from surveys.sample import sample_answers
from surveys.scoring import Score
from surveys.wording import as_text

PROCESS = "survey_response"
ANSWERED = ("submitted", "dq_review", "resubmitted", "complete")


class AnswersInvalid(CaseError):
    """The answers cannot be submitted yet."""

    status = 422

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = errors
        super().__init__(*(f"{name}: {' '.join(found)}" for name, found in errors.items()))


@dataclass(frozen=True)
class Receipt:
    """What became of the answers."""

    ref: str
    revision: int
    state: str
    flags: tuple[Flag, ...]
    repeated: bool = False
    """The same answers had been submitted before; nothing was done again."""


def member_actor(member_id: int) -> Actor:
    """Return the member as somebody who acts through their personal link."""
    return Actor(f"member:{member_id}", "The member", frozenset({Role.MEMBER}), member_id=member_id)


def submit(
    env: Environment, ref: str, raw: Mapping[str, Any], *, submitting: bool = True, actor: Actor | None = None,
    now: datetime | None = None,
) -> Receipt:  # fmt: skip
    """Save or submit a member's answers as their personal link would, and return the receipt.

    Raises AnswersInvalid with an error per question, TransitionRefused when the case no longer waits for answers.
    Submitting the same answers twice is harmless.
    """
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = locked_response(conn, ref, actor, here)
        actor = actor or member_actor(locked.case.member_id or 0)
        return taken(conn, locked, raw, submitting, here, actor)


def taken(
    conn: Connection, locked: Locked, raw: Mapping[str, Any], submitting: bool, here: World, actor: Actor
) -> Receipt:
    """Save or submit answers to a locked response, inside the caller's transaction; errors as of ``submit``."""
    questionnaire = kept(conn, str(locked.case.data["questionnaire_fingerprint"]))
    today = here.env.calendar.local_date(here.now)
    found = validate(questionnaire, typed(raw), submitting=submitting, today=today)
    if isinstance(found, Invalid):
        raise AnswersInvalid(found.errors)
    last = newest(conn, locked.case.id)
    if submitting and last is not None and last.submitted and _same(last, found) and locked.case.state in ANSWERED:
        return Receipt(locked.case.ref, last.revision, locked.case.state, (), repeated=True)
    return _written(conn, locked, questionnaire, found, last, here, actor)


def correct(
    env: Environment, ref: str, answers: Mapping[str, Any], reason: str, *, actor: Actor, now: datetime | None = None
) -> Receipt:
    """Change some of a member's submitted answers, as staff, and return the receipt of the new revision.

    It is marked as imputed by staff and waits for a second person. Raises AnswersInvalid with an error per question,
    BadInput when there is nothing to change, TransitionRefused when the answers are not under review.
    """
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = locked_response(conn, ref, actor, here)
        last = newest(conn, locked.case.id)
        if last is None or not last.submitted:
            raise BadInput(f"{locked.case.ref} has no submitted answers to correct.")
        questionnaire = kept(conn, str(locked.case.data["questionnaire_fingerprint"]))
        before = dict(last.answers.get("answers", {}))
        changed = sorted(name for name, value in answers.items() if before.get(name) != value)
        if not changed:
            raise BadInput("These answers are what is there already; nothing was changed.")
        raw = {**last.answers, "answers": {**before, **without_nul(dict(answers))}}
        found = validate(questionnaire, {**raw, "respondent": last.respondent, "declaration": True}, submitting=True)
        if isinstance(found, Invalid):
            raise AnswersInvalid(found.errors)
        revision, flags, _ = _kept(conn, locked, questionnaire, found, last, here, actor, imputed=True)
        payload = {"revision": revision, "questions": changed, "reason": reason, "flags": [_flag(f) for f in flags]}
        outcome = fired(conn, locked, "impute", payload, None, here, actor)
        return Receipt(locked.case.ref, revision, outcome.after.state, tuple(flags))


def locked_response(conn: Connection, ref: str, actor: Actor | None, here: World) -> Locked:
    """Return and lock a survey response the actor may see. Raises CaseNotFound, or BadInput for another process."""
    system = Actor("system:link", "Muster", frozenset({Role.SYSTEM}))
    locked = lock_seen(conn, ref, actor or system, here)
    if locked.case.process != PROCESS:
        raise BadInput(f"{locked.case.ref} is no survey response; answers belong to references that begin with SR.")
    return locked


def newest(conn: Connection, case_id: int) -> Any:
    """Return the row of the newest revision of the answers, or None."""
    newest = select(ResponseAnswers.__table__).where(ResponseAnswers.case_id == case_id)
    return conn.execute(newest.order_by(ResponseAnswers.revision.desc()).limit(1)).one_or_none()


def _same(last: Any, found: Validated) -> bool:
    said = {key: value for key, value in last.answers.items() if key != "language"}
    return bool(said == _stored(found))


def _stored(found: Validated, questionnaire: Questionnaire | None = None) -> dict[str, Any]:
    """The answers as JSON gives them back; with the language they were given in, where there is a choice."""
    raw = found.as_raw()
    choice = questionnaire is not None and len(questionnaire.languages) > 1
    parts = ("answers", "evidence", "comments", *(("language",) if choice else ()))
    return {key: raw[key] for key in parts if raw.get(key)}


def _written(
    conn: Connection, locked: Locked, questionnaire: Questionnaire, found: Validated, last: Any, here: World,
    actor: Actor,
) -> Receipt:  # fmt: skip
    revision, flags, scored = _kept(conn, locked, questionnaire, found, last, here, actor)
    outcome = _fired(conn, locked, questionnaire, found, revision, flags, scored, here, actor)
    return Receipt(locked.case.ref, revision, outcome.after.state, tuple(flags))


def _kept(
    conn: Connection, locked: Locked, questionnaire: Questionnaire, found: Validated, last: Any, here: World,
    actor: Actor, imputed: bool = False,
) -> tuple[int, list[Flag], Score | None]:  # fmt: skip
    """Keep the answers as the next revision, with what the data-quality rules and the risk model say of them."""
    revision = (last.revision if last is not None else 0) + 1
    flags, scored = reviewed(conn, locked, questionnaire, found, here) if found.submitted else ([], None)
    conn.execute(insert(ResponseAnswers).values(
        case_id=locked.case.id, revision=revision, at=here.now, by=actor.person, submitted=found.submitted,
        imputed=imputed,
        questionnaire=questionnaire.name, questionnaire_version=questionnaire.version,
        fingerprint=questionnaire.fingerprint(), respondent=found.as_raw().get("respondent", {}),
        answers=_stored(found, questionnaire), flags=[_flag(flag) for flag in flags],
        score=scored.as_record() if scored else None,
        texts=sorted(text_fingerprints(questionnaire, found).values()),
    ))  # fmt: skip
    return revision, flags, scored


def _fired(
    conn: Connection, locked: Locked, questionnaire: Questionnaire, found: Validated, revision: int,
    flags: Sequence[Flag], scored: Score | None, here: World, actor: Actor,
) -> Outcome:  # fmt: skip
    done = completion(questionnaire, found)
    if not found.submitted:
        payload: dict[str, Any] = {"revision": revision, "answered": done.answered, "required": done.required}
        return fired(conn, locked, "save", payload, None, here, actor)
    payload = {
        "revision": revision, "respondent_name": found.respondent.name, "respondent_role": found.respondent.role,
        "declaration": found.declaration, "flags": [_flag(flag) for flag in flags],
        "answers_sha256": hashlib.sha256(own_copy(locked.case, questionnaire, found, revision, here.now)).hexdigest(),
    }  # fmt: skip
    if scored is not None and scored.value is not None:
        payload |= {"score": float(scored.value), "band": str(scored.band.value if scored.band else "")}
    return fired(conn, locked, "submit", payload, None, here, actor)


def own_copy(case: Case, questionnaire: Questionnaire, found: Validated, revision: int, at: datetime) -> bytes:
    """Return submitted answers as the text that the member may keep; the receipt names its SHA-256."""
    who = ", ".join(part for part in (found.respondent.name, found.respondent.role, found.respondent.email) if part)
    title = case.data.get("campaign_title") or questionnaire.title
    head = (
        f"Survey: {title}", f"Reference: {case.ref}, version {revision}",
        f"Submitted: {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", f"By: {who}",
    )  # fmt: skip
    said = questionnaire.in_language(found.language)
    return as_text(said, found.answers, found.evidence, found.comments, head).encode()


def _flag(flag: Flag) -> dict[str, Any]:
    return {
        "rule": str(flag.rule.value), "question": flag.question or "form", "severity": str(flag.severity.value),
        "text": flag.text[:1000],
    }  # fmt: skip


def sample_for(env: Environment, ref: str, *, seed: int = 0, poor: bool = False) -> dict[str, Any]:
    """Return made-up answers that fit the questionnaire of a response. Raises CaseNotFound or BadInput."""
    with reading(env.engine) as conn:
        row = conn.execute(select(CaseRow.__table__).where(CaseRow.ref == ref_of(ref))).one_or_none()
        if row is None:
            raise CaseNotFound(ref)
        if row.process != PROCESS:
            raise BadInput(f"{row.ref} is no survey response.")
        questionnaire = kept(conn, str(row.data["questionnaire_fingerprint"]))
        raw = sample_answers(questionnaire, seed=seed, quality="poor" if poor else "good")
        contacts = member_store.contacts_of(conn, [row.member_id]).get(row.member_id, [])
        if contacts:
            raw["respondent"] = {
                **raw["respondent"],
                "email": contacts[0].email,
                "name": contacts[0].name or "Sam Sample",
            }
        return raw

"""Taking down a member's answers for them, on the phone say: who said it answers, who typed it is on the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases import answers, commands
from cases.answers import Receipt
from cases.campaigning.sight import looking, response_of
from cases.environment import Environment
from cases.errors import BadInput, NotAllowed
from cases.questionnaires import kept
from cases.tables import ResponseAnswers
from config.database import json_text
from state_machines.values import Actor, Role
from surveys.normalise import normalise
from surveys.questionnaire import Questionnaire

MAY_TAKE_DOWN = frozenset({Role.COORDINATOR, Role.MANAGER})


def form_of(
    env: Environment, ref: str, case_ref: str, *, actor: Actor, now: datetime | None = None
) -> tuple[Questionnaire, dict[str, Any], str, int]:
    """Return a response's questions, the answers so far, the member's name and the version of the case."""
    with looking(env, ref, actor=actor, now=now) as sight:
        row = response_of(sight, case_ref)
        newest = select(ResponseAnswers.answers, ResponseAnswers.respondent).where(ResponseAnswers.case_id == row.id)
        found = sight.conn.execute(newest.order_by(ResponseAnswers.revision.desc()).limit(1)).one_or_none()
        so_far = {**found.answers, "respondent": found.respondent} if found is not None else {}
        sight.require_questions()
        return kept(sight.conn, str(row.data["questionnaire_fingerprint"])), so_far, row.subject, row.version


def take_down(
    env: Environment, ref: str, case_ref: str, raw: Mapping[str, Any], *, note: str = "", submitting: bool = True,
    actor: Actor, now: datetime | None = None,
) -> Receipt:  # fmt: skip
    """Save or submit what a member said, and return the receipt; the respondent is who said it.

    Raises AnswersInvalid with an error per question, TransitionRefused when no answer is awaited, NotAllowed.
    """
    if not actor.roles & MAY_TAKE_DOWN:
        raise NotAllowed("Only a coordinator or a manager may take down a member's answers.")
    with looking(env, ref, actor=actor, now=now) as sight:
        member_id = response_of(sight, case_ref).member_id
    if member_id is None:
        raise BadInput("This response belongs to no member.")
    for_member = replace(
        actor, roles=actor.roles | {Role.MEMBER}, member_id=member_id, on_behalf_of=f"member:{member_id}"
    )
    receipt = answers.submit(env, case_ref, raw, submitting=submitting, actor=for_member, now=now)
    if note.strip() and not receipt.repeated:
        commands.note(env, case_ref, note, actor=actor, now=now)
    return receipt


def correct_answers(
    env: Environment, ref: str, case_ref: str, typed: Mapping[str, Any], reason: str, *, actor: Actor,
    now: datetime | None = None,
) -> Receipt:  # fmt: skip
    """Change those submitted answers that were typed anew, and return the receipt; the others stay as they are.

    What was typed is compared as values: "1,200" is 1200. Errors as of ``cases.answers.correct``.
    """
    if len(reason.strip()) < 3:
        raise BadInput("Say why the answers are corrected; it stays on the record.")
    questionnaire, so_far, _, _ = form_of(env, ref, case_ref, actor=actor, now=now)
    before, changed = so_far.get("answers", {}), {}
    for name, raw in typed.items():
        question = questionnaire.by_id.get(name)
        if question is None:
            continue
        value, wrong = normalise(question, raw, complete=True)
        new: Any = raw if wrong else json.loads(json_text(value))
        if new != before.get(name) and not (new is None and name not in before):
            changed[name] = new
    return answers.correct(env, case_ref, changed, reason.strip(), actor=actor, now=now)

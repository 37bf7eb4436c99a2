"""The members of a campaign and their answers as rows of a file, read in a stream: only what this person may see."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select

from cases.campaigning.lines import COLUMNS, SOURCE, addressed
from cases.campaigning.risks import risks_of
from cases.campaigning.sight import Sight, looking
from cases.environment import Environment
from cases.exporting import STREAMED
from cases.questionnaires import kept
from cases.rows import day_of
from cases.tables import CaseRow, ResponseAnswers
from members import store as member_store
from members.cards import Contact
from members.tables import Member
from state_machines.standing import RESPONDED
from state_machines.values import Actor
from surveys.questions import MultipleQuestion, PercentagesQuestion, Question, SingleQuestion, TableQuestion

log = logging.getLogger(__name__)

AT_ONCE = 5_000
"""For so many members their contacts are read together."""
Cell = str | int | float | date | bool | None
MEMBERS = (
    "member", "name", "own reference", "tier", "category", "country", "region", "team", "response", "state", "owner",
    "deadline", "submitted on", "late", "reminders", "calls", "promised on", "open flags", "risk score", "risk band",
    "at risk because", "revision", "written to", "e-mail", "phone",
)  # fmt: skip


def member_rows(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Iterator[tuple[Cell, ...]]:
    """Yield the heading and one row a member, in order of name. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        yield MEMBERS
        columns = (*COLUMNS, Member.external_ref.label("own"), Member.category, Member.country, Member.region)
        wanted = select(*columns).select_from(SOURCE).where(sight.listed).order_by(Member.name_key, CaseRow.id)
        count = 0
        for rows in sight.conn.execute(wanted, execution_options=STREAMED).partitions(AT_ONCE):
            contacts = member_store.contacts_of(sight.conn, [row.member_id for row in rows])
            count += len(rows)
            yield from (_member_row(sight, row, contacts[row.member_id]) for row in rows)
        log.info("The members of %s were exported: %s.", sight.row.ref, count, extra={"actor": actor.person})


def _member_row(sight: Sight, row: Any, contacts: Sequence[Contact]) -> tuple[Cell, ...]:
    written_to = next(iter(addressed(contacts, row.process, row.data, sight.here.env.policy)), None)
    owner = sight.here.staffing.get(row.owner_id) if row.owner_id is not None else None
    data = row.data
    return (
        row.member_ref, row.member, row.own, row.tier, row.category, row.country, row.region, row.team, row.ref,
        sight.child.state(row.state).title, owner.name if owner else None, day_of(data.get("deadline")),
        day_of(data.get("submitted_on") or data.get("signed_on")), bool(data.get("late") or data.get("overdue")),
        int(data.get("reminders", 0)), int(data.get("calls", 0)), day_of(data.get("promised_on")),
        len(data.get("open_flags") or ()), data.get("score"), data.get("band") or None,
        "; ".join(risks_of(sight.child, row.state, data, sight.here.env.policy, sight.today)) or None,
        data.get("revision"),
        *((written_to.name or None, written_to.email, written_to.phone) if written_to else (None, None, None)),
    )  # fmt: skip


def answer_rows(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Iterator[tuple[Cell, ...]]:
    """Yield the heading and one row for each member whose answer is in: one column a question, named by its id.

    A part of percentages has a column of its own. Raises CaseNotFound or BadInput.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        sight.require_questions()
        questions = kept(sight.conn, str(sight.row.data["questionnaire_fingerprint"])).questions
        names = [name for question in questions for name in _names(question)]
        yield ("member", "name", "team", "state", "submitted", "imputed questions", "excluded questions", *names)
        count = 0
        for row in sight.conn.execute(_newest(sight), execution_options=STREAMED):
            answers = row.answers.get("answers", {})
            count += 1
            yield (
                row.member_ref, row.member, row.team, sight.child.state(row.state).title,
                sight.here.env.calendar.local_date(row.at), ", ".join(row.data.get("imputed") or ()) or None,
                ", ".join(row.data.get("excluded") or ()) or None,
                *(cell for question in questions for cell in _cells(question, answers.get(question.id))),
            )  # fmt: skip
        log.info("The answers to %s were exported: %s.", sight.row.ref, count, extra={"actor": actor.person})


def _newest(sight: Sight) -> Select[Any]:
    newest = (
        select(ResponseAnswers.case_id, ResponseAnswers.answers, ResponseAnswers.at)
        .where(ResponseAnswers.submitted, ResponseAnswers.case_id.in_(select(CaseRow.id).where(sight.listed)))
        .distinct(ResponseAnswers.case_id).order_by(ResponseAnswers.case_id, ResponseAnswers.revision.desc())
        .subquery()
    )  # fmt: skip
    columns = (CaseRow.state, CaseRow.team, CaseRow.data, newest.c.answers, newest.c.at)
    named = (Member.ref.label("member_ref"), Member.name.label("member"))
    source = SOURCE.join(newest, newest.c.case_id == CaseRow.id)
    found = select(*columns, *named).select_from(source).where(sight.listed, sight.standing(*RESPONDED))
    return found.order_by(Member.name_key, CaseRow.id)


def _names(question: Question) -> list[str]:
    if isinstance(question, PercentagesQuestion):
        return [f"{question.id}.{part.id}" for part in question.parts]
    return [question.id]


def _cells(question: Question, value: Any) -> list[Cell]:
    """Return an answer as cells: numbers as numbers, days as days, choices by their values."""
    if isinstance(question, PercentagesQuestion):
        shares: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        return [shares.get(part.id) for part in question.parts]
    if value is None:
        return [None]
    if isinstance(question, TableQuestion):
        return [_table(value)]
    if isinstance(question, MultipleQuestion):
        return ["; ".join(map(str, value))]
    if question.type == "date":
        return [day_of(value)]
    if isinstance(question, SingleQuestion) or question.type in ("text", "long_text", "file"):
        return [str(value)]
    return [value if isinstance(value, bool | int | float) else str(value)]


def _table(value: Any) -> str:
    rows = value.items() if isinstance(value, Mapping) else enumerate(value, 1)
    return "; ".join(
        f"{name}: " + ", ".join(f"{key} {cell}" for key, cell in row.items()) for name, row in rows
    )  # fmt: skip

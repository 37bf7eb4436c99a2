"""What members answered, question by question: counted by the database, small cells left out.

A figure stands on at least as many answers as the policy's ``smallest_cell``. A cell that is left out cannot be worked
out from the others: where it would be the only one, the next smallest is left out as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Numeric, Select, Text, case, cast, column, func, literal, select, true
from sqlalchemy.dialects.postgresql import JSONB

from cases.campaigning.counts import Counts, counts
from cases.campaigning.sight import Sight, looking
from cases.campaigns import RESPONDED
from cases.environment import Environment
from cases.questionnaires import kept
from cases.tables import CaseRow, ResponseAnswers
from state_machines.values import Actor
from surveys.questions import (
    MultipleQuestion,
    NumberQuestion,
    PercentagesQuestion,
    Question,
    SingleQuestion,
)
from surveys.values import show

CHOSEN = ("yes_no", "single", "multiple")


@dataclass(frozen=True, slots=True)
class Cell:
    """How many gave one of the answers there are."""

    label: str
    number: int | None
    """None: too few to be told."""
    share: str


@dataclass(frozen=True)
class QuestionResult:
    """What members answered to one question."""

    question: Question
    answered: int | None
    """None: too few to be told."""
    cells: tuple[Cell, ...]
    figures: tuple[tuple[str, str], ...]
    """Name and value, such as the median."""


@dataclass(frozen=True)
class Results:
    """The results of a campaign as they are now."""

    ref: str
    title: str
    counts: Counts
    smallest: int
    parts: list[tuple[str, list[QuestionResult]]]


def results(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Results:
    """Return what the members whom this person is told of have answered. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        found = counts(sight)
        questionnaire = kept(sight.conn, str(sight.row.data["questionnaire_fingerprint"]))
        smallest = int(env.policy.setting("survey_campaign", "smallest_cell"))
        figures, chosen, shares = _figures(sight), _chosen(sight, questionnaire.questions), _shares(sight)
        parts = [
            (section.title, [
                _result(question, figures.get(question.id), chosen[question.id], shares[question.id], smallest)
                for question in section.questions
            ])
            for section in questionnaire.sections
        ]  # fmt: skip
        return Results(sight.row.ref, sight.row.subject, found, smallest, parts)


def _answers(sight: Sight) -> Any:
    """The newest submitted answers of each member, one row a question; what a caveat excludes is left out."""
    newest = (
        select(ResponseAnswers.answers["answers"].label("answers"), CaseRow.data["excluded"].label("excluded"))
        .join(CaseRow, CaseRow.id == ResponseAnswers.case_id)
        .where(sight.counted, CaseRow.state.in_(sorted(RESPONDED)), ResponseAnswers.submitted)
        .distinct(ResponseAnswers.case_id).order_by(ResponseAnswers.case_id, ResponseAnswers.revision.desc())
        .cte("newest")
    )  # fmt: skip
    pair = func.jsonb_each(newest.c.answers).table_valued(column("key", Text), column("value", JSONB), name="pair")
    excluded = func.coalesce(newest.c.excluded, literal([], JSONB)).op("?")(pair.c.key)
    each = select(pair.c.key, pair.c.value).select_from(newest.join(pair, true())).where(~excluded)
    return each.cte("each")


def _figures(sight: Sight) -> dict[str, Any]:
    """Of each question how many answered, and of numbers the median and the mean."""
    each = _answers(sight)
    number = case((func.jsonb_typeof(each.c.value) == "number", cast(each.c.value, Numeric)), else_=None)
    half = func.percentile_cont(0.5).within_group(number)
    statement = select(each.c.key, func.count().label("n"), half.label("median"), func.avg(number).label("mean"))
    return {row.key: row for row in sight.conn.execute(statement.group_by(each.c.key))}


def _chosen(sight: Sight, questions: Sequence[Question]) -> dict[str, dict[str, int]]:
    """Of each question with choices how often each was chosen."""
    each = _answers(sight)
    listed = case(
        (func.jsonb_typeof(each.c.value) == "array", each.c.value), else_=func.jsonb_build_array(each.c.value)
    )
    item = func.jsonb_array_elements_text(listed).table_valued(column("choice", Text), name="item").render_derived()
    names = [question.id for question in questions if question.type in CHOSEN]
    statement: Select[Any] = (
        select(each.c.key, item.c.choice, func.count().label("n"))
        .select_from(each.join(item, true())).where(each.c.key.in_(names)).group_by(each.c.key, item.c.choice)
    )  # fmt: skip
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in sight.conn.execute(statement):
        found[row.key][row.choice] = row.n
    return found


def _shares(sight: Sight) -> dict[str, dict[str, float]]:
    """Of each question that asks for percentages the sum of each part."""
    each = _answers(sight)
    mapping = case((func.jsonb_typeof(each.c.value) == "object", each.c.value), else_=literal({}, JSONB))
    part = func.jsonb_each(mapping).table_valued(column("key", Text), column("value", JSONB), name="part")
    number = case((func.jsonb_typeof(part.c.value) == "number", cast(part.c.value, Numeric)), else_=None)
    statement = (
        select(each.c.key, part.c.key.label("part"), func.sum(number).label("total"))
        .select_from(each.join(part, true())).group_by(each.c.key, part.c.key)
    )  # fmt: skip
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in sight.conn.execute(statement):
        if row.total is not None:
            found[row.key][row.part] = float(row.total)
    return found


def _result(
    question: Question, row: Any, chosen: Mapping[str, int], shares: Mapping[str, float], smallest: int
) -> QuestionResult:
    answered = row.n if row is not None else 0
    if 0 < answered < smallest:
        return QuestionResult(question, None, (), ())
    cells: tuple[Cell, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    if question.type in CHOSEN and answered:
        cells = _cells(_labels(question), chosen, answered, smallest, alone=question.type != "multiple")
    if isinstance(question, NumberQuestion) and row is not None and row.median is not None:
        unit = f" {question.unit}" if question.unit else ""
        figures = tuple((name, f"{show(round(float(value), 1))}{unit}") for name, value in
                        (("Median", row.median), ("Mean", row.mean)))  # fmt: skip
    if isinstance(question, PercentagesQuestion) and answered:
        figures = tuple((f"{part.text}, mean", f"{show(round(shares.get(part.id, 0) / answered, 1))} %")
                        for part in question.parts)  # fmt: skip
    return QuestionResult(question, answered, cells, figures)


def _labels(question: Question) -> list[tuple[str, str]]:
    if isinstance(question, SingleQuestion | MultipleQuestion):
        return [(choice.value, choice.label) for choice in question.choices]
    return [("true", "Yes"), ("false", "No")]


def _cells(
    labels: Sequence[tuple[str, str]], chosen: Mapping[str, int], answered: int, smallest: int, *, alone: bool
) -> tuple[Cell, ...]:
    """The cells of a question. ``alone``: everybody chose one, so that one cell follows from the others."""
    numbers = {value: chosen.get(value, 0) for value, _ in labels}
    hidden = {value for value, number in numbers.items() if 0 < number < smallest}
    if alone and hidden and sum(numbers[value] for value in hidden) < smallest:
        rest = sorted((number, value) for value, number in numbers.items() if value not in hidden and number)
        hidden |= {rest[0][1]} if rest else set()
    if not alone:  # that somebody did not choose it is a cell as well
        hidden |= {value for value, number in numbers.items() if 0 < answered - number < smallest}
    return tuple(
        Cell(label, None, "")
        if value in hidden
        else Cell(label, numbers[value], f"{100 * numbers[value] / answered:.0f} %")
        for value, label in labels
    )

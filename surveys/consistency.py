"""What one question can't know about the others: whether the references between them lead anywhere."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from surveys.conditions import COMPARISONS, Condition, Test
from surveys.formula_checks import formula_problems
from surveys.kinds import NumberColumn
from surveys.questions import (
    Asked,
    CalculateQuestion,
    DateQuestion,
    FileQuestion,
    MultipleQuestion,
    NumberQuestion,
    PercentagesQuestion,
    Question,
    SingleQuestion,
    TableQuestion,
)
from surveys.risk import AnsweredRisk, ChoiceRisk, NumberRisk, Risk, YesNoRisk

RESERVED = frozenset({"declaration", "respondent", "answers", "evidence", "comments", "language"})

_EQUALITY = frozenset({"equals", "not_equals", "in", "not_in"})
_FITTING: Mapping[str, frozenset[str]] = {
    "text": _EQUALITY,
    "long_text": frozenset(),
    "number": _EQUALITY | set(COMPARISONS),
    "date": _EQUALITY | set(COMPARISONS),
    "yes_no": frozenset({"equals", "not_equals"}),
    "single": _EQUALITY,
    "multiple": frozenset({"includes"}),
    "percentages": frozenset(),
    "table": frozenset(),
    "file": frozenset(),
    "calculate": _EQUALITY | set(COMPARISONS),
    "note": frozenset(),
}


def repeated(ids: Iterable[str]) -> list[str]:
    """Return what occurs more than once, in the order of first sight."""
    return [name for name, times in Counter(ids).items() if times > 1]


def problems(questions: Sequence[Question], order: Mapping[str, int]) -> list[str]:
    """Return a sentence for each thing about `questions` that doesn't hold together.

    `order` gives the position of every question id declared, also of those whose question couldn't be read.
    """
    by_id: dict[str, Question] = {question.id: question for question in questions}
    found: list[str] = []
    for question in questions:
        sentences = [
            *_own(question),
            *_conditions(question, by_id, order),
            *_references(question, by_id, order),
            *formula_problems(question, by_id, order),
            *_risk(question),
        ]
        found += [f"Question '{question.id}', {sentence}" for sentence in sentences]
    mapped = repeated(question.last_year for question in questions if question.last_year)
    return found + [f"Question id '{name}' of last year is mapped by more than one question." for name in mapped]


def part_problem(part: str, by_id: Mapping[str, Question], known: Iterable[str]) -> str | None:
    """Return why `part` (a number question, or table.column) can't be added up, or None."""
    name, _, column = part.partition(".")
    if name not in by_id:
        return None if name in known else f"unknown question '{name}'"
    question = by_id[name]
    if isinstance(question, NumberQuestion | CalculateQuestion) and not column:
        return None
    if isinstance(question, TableQuestion) and any(
        isinstance(each, NumberColumn) and each.id == column for each in question.columns
    ):
        return None
    return f"'{part}' is neither a number question nor a number column of a table"


def _own(question: Question) -> Iterator[str]:
    """Yield what is wrong inside one question."""
    if question.id in RESERVED:
        yield "id: this name is reserved; choose another."
    lists: dict[str, list[str]] = {}
    if isinstance(question, SingleQuestion | MultipleQuestion):
        lists["choices"] = [choice.value for choice in question.choices]
    if isinstance(question, PercentagesQuestion):
        lists["parts"] = [part.id for part in question.parts]
    if isinstance(question, TableQuestion):
        lists["columns"] = [column.id for column in question.columns]
        lists["rows"] = [row.id for row in question.rows or ()]
        for column in question.columns:
            if column.type == "single":
                lists[f"columns, {column.id}, choices"] = [choice.value for choice in column.choices]
    for field, ids in lists.items():
        for name in repeated(ids):
            yield f"{field}: '{name}' is given more than once."


def _conditions(question: Question, by_id: Mapping[str, Question], order: Mapping[str, int]) -> Iterator[str]:
    fields: dict[str, Condition | None] = {"show_if": question.show_if, "required_if": question.required_if}
    for field, condition in fields.items():
        for ask in condition.asks() if condition is not None else ():
            sentence = _not_earlier(ask.question, question, order)
            if sentence:
                yield f"{field}: {sentence}"
            elif ask.question in by_id:
                yield from (f"{field}: {each}" for each in _misfits(ask, by_id[ask.question]))
    own_tests = {"contradicts, when": [each.when for each in question.contradicts]}
    own_tests["evidence_when"] = [question.evidence_when] if question.evidence_when else []
    for field, tests in own_tests.items():
        for test in tests:
            yield from (f"{field}: {each}" for each in _misfits(test, question))


def _not_earlier(name: str, question: Asked, order: Mapping[str, int]) -> str | None:
    if name not in order:
        return f"there is no question '{name}'."
    if order[name] >= order[question.id]:
        return f"'{name}' must come earlier than this question."
    return None


def _misfits(test: Test, question: Question) -> Iterator[str]:
    """Yield why `test` can never mean anything for an answer to `question`."""
    for name, operand in test.operands().items():
        if name == "answered":
            continue
        if name not in _FITTING[question.type]:
            yield f"{name} doesn't fit '{question.id}', a question of type {question.type}."
            continue
        for each in operand if isinstance(operand, tuple) else (operand,):
            if not _possible(each, question):
                yield f"{name}: {each!r} can never be an answer to '{question.id}'."


def _possible(operand: Any, question: Question) -> bool:
    if isinstance(question, SingleQuestion | MultipleQuestion):
        return operand in {choice.value for choice in question.choices}
    if question.type == "yes_no":
        return isinstance(operand, bool)
    if question.type == "number":
        return isinstance(operand, int | float) and not isinstance(operand, bool)
    if question.type == "date":
        return isinstance(operand, str) and _is_date(operand)
    return isinstance(operand, str) or question.type == "calculate"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _references(question: Question, by_id: Mapping[str, Question], order: Mapping[str, int]) -> Iterator[str]:
    """Yield what is wrong with total_of and expiry_of."""
    if isinstance(question, NumberQuestion):
        for part in question.total_of or ():
            sentence = _not_earlier(part.partition(".")[0], question, order)
            wrong = part_problem(part, by_id, order)
            if sentence or wrong:
                yield f"total_of: {sentence or f'{wrong}.'}"
        for part in repeated(question.total_of or ()):
            yield f"total_of: '{part}' is given more than once."
    if isinstance(question, DateQuestion) and question.expiry_of is not None:
        sentence = _not_earlier(question.expiry_of, question, order)
        target = by_id.get(question.expiry_of)
        if sentence:
            yield f"expiry_of: {sentence}"
        elif target is not None and not isinstance(target, FileQuestion) and target.evidence == "none":
            yield f"expiry_of: '{question.expiry_of}' takes no evidence."


def _risk(question: Question) -> Iterator[str]:
    risk = question.risk
    if risk is None or isinstance(risk, AnsweredRisk):
        return
    if not _rates(risk, question):
        yield f"risk: this way of rating doesn't fit a question of type {question.type}."
    elif isinstance(risk, ChoiceRisk) and isinstance(question, SingleQuestion | MultipleQuestion):
        offered = [choice.value for choice in question.choices]
        yield from (f"risk, choices: '{name}' has no r." for name in offered if name not in risk.choices)
        yield from (f"risk, choices: '{name}' isn't offered." for name in risk.choices if name not in offered)
    elif (
        isinstance(risk, NumberRisk)
        and isinstance(question, PercentagesQuestion)
        and risk.part not in {part.id for part in question.parts}
    ):
        yield "risk, part: name one of the parts of the percentages."


def _rates(risk: Risk, question: Question) -> bool:
    if isinstance(risk, YesNoRisk):
        return question.type == "yes_no"
    if isinstance(risk, ChoiceRisk):
        return question.type in {"single", "multiple"}
    return question.type == "percentages" or (
        question.type in {"number", "calculate"} and getattr(risk, "part", None) is None
    )

"""Which questions are asked, and which must be answered, given the answers before them."""

from collections.abc import Iterator, Mapping

from surveys.evaluation import outcome
from surveys.expressions import formula
from surveys.questionnaire import Questionnaire
from surveys.questions import CalculateQuestion, Note, Question
from surveys.values import Value


def visible(question: Question, answers: Mapping[str, Value]) -> bool:
    """Return whether `question` is asked, given the answers to the visible ones before it."""
    return question.show_if is None or question.show_if.true_of(answers)


def required(question: Question, answers: Mapping[str, Value]) -> bool:
    """Return whether `question`, being visible, must be answered."""
    return question.required or (question.required_if is not None and question.required_if.true_of(answers))


def asked(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> Iterator[Question]:
    """Yield the questions that are visible with `answers`, in order; answers to hidden ones don't count."""
    return (question for question, _ in _walked(questionnaire, answers))


def counted(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> dict[str, Value]:
    """Return those of `answers` whose question is asked, with everything that is calculated from them."""
    return {question.id: value for question, value in _walked(questionnaire, answers) if value is not None}


def calculated(question: CalculateQuestion, answers: Mapping[str, Value]) -> Value | None:
    """Return what a calculation comes to, given the answers to the visible questions before it."""
    return outcome(formula(question.formula), answers)


def notes(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> frozenset[str]:
    """Return the ids of the notes that are shown, given all answers that count."""
    return frozenset(
        each.id
        for section in questionnaire.sections
        for each in section.questions
        if isinstance(each, Note) and visible(each, answers)
    )


def _walked(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> Iterator[tuple[Question, Value | None]]:
    """Yield each question that is asked with its value; what is calculated is calculated anew."""
    seen: dict[str, Value] = {}
    for question in questionnaire.questions:
        if not visible(question, seen):
            continue
        if isinstance(question, CalculateQuestion):
            value = calculated(question, seen)
        else:
            value = answers.get(question.id)
        if value is not None:
            seen[question.id] = value
        yield question, value

"""Which questions are asked, and which must be answered, given the answers before them."""

from collections.abc import Iterator, Mapping

from surveys.questionnaire import Questionnaire
from surveys.questions import Question
from surveys.values import Value


def visible(question: Question, answers: Mapping[str, Value]) -> bool:
    """Return whether `question` is asked, given the answers to the visible ones before it."""
    return question.show_if is None or question.show_if.true_of(answers)


def required(question: Question, answers: Mapping[str, Value]) -> bool:
    """Return whether `question`, being visible, must be answered."""
    return question.required or (question.required_if is not None and question.required_if.true_of(answers))


def asked(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> Iterator[Question]:
    """Yield the questions that are visible with `answers`, in order; answers to hidden ones don't count."""
    seen: dict[str, Value] = {}
    for question in questionnaire.questions:
        if visible(question, seen):
            yield question
            if question.id in answers:
                seen[question.id] = answers[question.id]


def counted(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> dict[str, Value]:
    """Return those of `answers` whose question is asked."""
    return {each.id: answers[each.id] for each in asked(questionnaire, answers) if each.id in answers}

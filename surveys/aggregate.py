"""What members answered, question by question, of everybody and by group; what may not be told is left out.

Source: report R6: the number who answered is what shares are of; coverage and item non-response stand beside it; a
change since last year is told of members who answered both years alone. What a caveat excludes is no part of it.

Whatever is looked at, a figure is taken from one and the same table in which small counts are hidden together: a filter
chooses among what is told and never counts afresh, so that two filters cannot be subtracted from each other.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveys.conditions import formulas
from surveys.crossing import ALL, crossing
from surveys.expressions import Formula, formula
from surveys.items import Item
from surveys.questions import CalculateQuestion, Question
from surveys.telling import BOTH, ONCE, PANEL, ItemFigures, Rule, Telling, values_of
from surveys.values import Value

NOT_STATED = "Not stated"


@dataclass(frozen=True)
class Response:
    """The answers of one member, as figures take them."""

    answers: Mapping[str, Value]
    """Those that count; of hidden questions there are none."""
    asked: frozenset[str]
    groups: Mapping[str, str]
    """The group of each dimension that the member belongs to."""
    excluded: frozenset[str] = frozenset()
    imputed: frozenset[str] = frozenset()
    before: Mapping[str, Value] | None = None
    """Last year's answers, under this year's questions; None where the member did not answer last year."""


@dataclass(frozen=True)
class QuestionFigures:
    """The figures of one question; together the first four are everybody who answered the survey."""

    question: Question
    answered: int
    unanswered: int
    not_asked: int
    excluded: int
    imputed: int
    withheld: bool
    """Left out as a whole: what was answered before it decides who is asked, and may not be told."""
    items: tuple[ItemFigures, ...]

    @property
    def non_response(self) -> float | None:
        """Return the share of those asked who gave no answer, in per cent; None where nobody was asked."""
        asked = self.answered + self.unanswered
        return 100 * self.unanswered / asked if asked else None


def aggregate(
    responses: Sequence[Response], questions: Sequence[tuple[Question, Sequence[Item]]], dimensions: Sequence[str],
    rule: Rule,
) -> list[QuestionFigures]:  # fmt: skip
    """Return the figures of all questions, in order."""
    found: list[QuestionFigures] = []
    secret: dict[str, frozenset[tuple[str, str]]] = {}
    for question, listed in questions:
        blocked = frozenset(place for name in _leading_to(question) for place in secret.get(name, frozenset()))
        told, left_out = [], set(blocked)
        for item in listed:
            one, places = _figures(item, responses, dimensions, blocked, rule)
            told.append(one)
            left_out |= places
        secret[question.id] = frozenset(left_out)
        found.append(_counted(question, responses, tuple(told), withheld=("", "") in blocked))
    return found


def _counted(
    question: Question, responses: Sequence[Response], told: tuple[ItemFigures, ...], *, withheld: bool
) -> QuestionFigures:
    name = question.id
    excluded = sum(name in each.excluded for each in responses)
    left = [each for each in responses if name not in each.excluded]
    answered = sum(name in each.answers for each in left)
    asked = sum(name in each.asked for each in left)
    imputed = sum(name in each.imputed and name in each.answers for each in left)
    return QuestionFigures(
        question, answered, asked - answered, len(left) - asked, excluded, imputed, withheld, () if withheld else told
    )


def _leading_to(question: Question) -> Iterator[str]:
    """Yield the questions on whose answers it hangs who is asked this one, or what it comes to."""
    if question.show_if is not None:
        yield from (each.question for each in question.show_if.asks())
        for each in formulas(question.show_if):
            yield from _names(each)
    if isinstance(question, CalculateQuestion):
        yield from _names(formula(question.formula))


def _names(read: Formula) -> Iterator[str]:
    yield from (name.partition(".")[0] for name in read.references)


def _figures(
    item: Item, responses: Sequence[Response], dimensions: Sequence[str], blocked: Collection[tuple[str, str]],
    rule: Rule,
) -> tuple[ItemFigures, set[tuple[str, str]]]:  # fmt: skip
    """Return the figures of one item, and the groups of which something is left out."""
    pairs = [(each, now, _read(item, each.before or {})) for each in responses
             if (now := _read(item, each.answers, each.excluded)) is not None]  # fmt: skip
    both = [(before, now) for _, now, before in pairs if before is not None]
    given = [({**_groups(each, dimensions), **_year(before, both)}, now) for each, now, before in pairs]
    table = crossing(item, given)
    told = Telling(item, table, values_of(item, given), rule, blocked)
    by = {name: tuple(told.group(place) for place in table.groups(name)) for name in dimensions}
    found = ItemFigures(item, told.group(ALL), by, told.change(both))
    return found, {(place.dimension, place.group) for place in told.secret}


def _read(item: Item, answers: Mapping[str, Value], excluded: Collection[str] = ()) -> Any:
    value = answers.get(item.question)
    return None if value is None or item.question in excluded else item.read(value)


def _groups(response: Response, dimensions: Sequence[str]) -> dict[str, str]:
    return {dimension: response.groups.get(dimension) or NOT_STATED for dimension in dimensions}


def _year(before: Any, both: Collection[Any]) -> dict[str, str]:
    """Return on which side of the panel somebody is: whether last year was answered is one more way to divide all."""
    return {PANEL: BOTH if before is not None else ONCE} if both else {}

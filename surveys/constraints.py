"""What a submitted answer must keep to beyond its kind: the constraints that a questionnaire puts on it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from surveys.evaluation import holds
from surveys.expressions import Literal, Negative, Node, Operation, Own, formula
from surveys.questions import Question
from surveys.values import Value

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def broken(question: Question, value: Value, answers: Mapping[str, Value], today: date | None) -> list[str]:
    """Return the messages of the constraints that an answer doesn't keep to.

    Without ``today`` those that ask for it are left out: an answer that was right when it was given stays so.
    """
    if not question.constraint:
        return []
    answers = {**answers, question.id: value}
    return [
        each.message
        for each in question.constraint
        if (today is not None or not formula(each.formula).asks_today)
        and not holds(formula(each.formula), answers, value, today)
    ]


def bounds(text: str) -> tuple[Decimal | None, Decimal | None] | None:
    """Return the least and greatest number that a formula allows, or None where it says something else or more."""
    low: Decimal | None = None
    high: Decimal | None = None
    for part in _parts(formula(text).root):
        limit = _limit(part)
        if limit is None:
            return None
        if limit[0] == ">=":
            low = limit[1] if low is None else max(low, limit[1])
        else:
            high = limit[1] if high is None else min(high, limit[1])
    return low, high


def _parts(node: Node) -> list[Node]:
    if isinstance(node, Operation) and node.operator == "and":
        return [*_parts(node.left), *_parts(node.right)]
    return [node]


def _limit(node: Node) -> tuple[str, Decimal] | None:
    if not isinstance(node, Operation):
        return None
    sign, left, right = node.operator, node.left, node.right
    if isinstance(right, Own):
        sign, left, right = _TURNED.get(sign, sign), right, left
    number = _written(right)
    return (sign, number) if isinstance(left, Own) and number is not None and sign in (">=", "<=") else None


def _written(node: Node) -> Decimal | None:
    if isinstance(node, Negative):
        inner = _written(node.of)
        return None if inner is None else -inner
    return node.value if isinstance(node, Literal) and isinstance(node.value, Decimal) else None

"""What a formula comes to, given answers: never an error, and never more work than the formula is long.

A question without an answer is the empty text, and no number; whatever is reckoned with no number is none, and
compares with nothing. A date counts as the days since 1 January 1970 where a number is wanted; yes is 'yes'.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, DecimalException

from surveys.expressions import Call, Formula, Literal, Negative, Node, Operation, Own, Reference
from surveys.functions import CONTEXT, FUNCTIONS
from surveys.results import NOTHING, Result, Several, bounded, number, read, same, truth, words
from surveys.values import LARGEST, Scalar, Value


@dataclass(frozen=True, slots=True)
class Given:
    """What a formula is worked out with."""

    answers: Mapping[str, Value]
    own: Value | None = None
    today: date | None = None


def holds(formula: Formula, answers: Mapping[str, Value], own: Value | None = None, today: date | None = None) -> bool:
    """Return whether a formula is true of these answers."""
    return truth(_result(formula.root, Given(answers, own, today)))


def outcome(formula: Formula, answers: Mapping[str, Value]) -> Scalar | None:
    """Return what a formula comes to as an answer can be: a number, a text, yes or no; None where it is nothing."""
    found = _result(formula.root, Given(answers))
    if isinstance(found, bool):
        return found
    if isinstance(found, Decimal):
        if found.is_nan() or abs(found) > LARGEST:
            return None
        return int(found) if found == found.to_integral_value() else float(round(found, 10))
    return words(found)[:5000] or None


def _result(node: Node, given: Given) -> Result:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Reference):
        return _named(node.name, given.answers)
    if isinstance(node, Own):
        return read(given.own)
    if isinstance(node, Negative):
        return bounded(-number(_result(node.of, given)))
    if isinstance(node, Operation):
        return _joined(node, given)
    return _called(node, given)


def _named(name: str, answers: Mapping[str, Value]) -> Result:
    """Return an answer, the cells of a column, or one cell."""
    question, _, rest = name.partition(".")
    value = answers.get(question)
    if not rest:
        return read(value)
    row, _, column = rest.partition(".")
    if column:
        cells = value.get(row) if isinstance(value, Mapping) else None
        return read(cells.get(column)) if isinstance(cells, Mapping) else ""
    rows = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ()
    return Several(tuple(read(each[rest]) for each in rows if isinstance(each, Mapping) and rest in each))


# --- operators


def _joined(node: Operation, given: Given) -> Result:
    left = _result(node.left, given)
    if node.operator in ("and", "or"):
        first = truth(left)
        return first if first is (node.operator == "or") else truth(_result(node.right, given))
    right = _result(node.right, given)
    if node.operator in ("=", "!="):
        return same(left, right) is (node.operator == "=")
    one, other = number(left), number(right)
    if node.operator in _ORDER:
        return not (one.is_nan() or other.is_nan()) and _ORDER[node.operator](one, other)
    try:
        return bounded(_RECKON[node.operator](one, other))
    except DecimalException:
        return NOTHING


_ORDER: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_RECKON: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": CONTEXT.add, "-": CONTEXT.subtract, "*": CONTEXT.multiply, "div": CONTEXT.divide,
    "mod": CONTEXT.remainder,
}  # fmt: skip


# --- functions


def _called(call: Call, given: Given) -> Result:
    if call.name == "if":
        test, then, otherwise = call.given
        return _result(then if truth(_result(test, given)) else otherwise, given)
    if call.name == "today":
        return given.today.isoformat() if given.today is not None else ""
    if call.name == "string-length" and not call.given:
        return Decimal(len(words(read(given.own))))
    try:
        return FUNCTIONS[call.name]([_result(each, given) for each in call.given])
    except DecimalException:
        return NOTHING

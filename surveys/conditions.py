"""Small declarative conditions on answers: `{question: x, equals: y}`, combined with all, any and not.

What they can't say is written as `{formula: "${x} + ${y} > 10"}`; `surveys.expressions` says how.

A comparison with a question that has no answer (not asked, hidden, left empty) never holds; only
`answered: false` does. So with x unanswered `not: {question: x, equals: y}` holds and
`{question: x, not_equals: y}` doesn't.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, StrictBool, Tag, model_validator

from surveys.evaluation import holds
from surveys.expressions import Formula, FormulaText, formula
from surveys.values import Frozen, Scalar, Slug, Value

COMPARISONS = ("greater_than", "less_than", "at_least", "at_most")


def _iso(raw: Any) -> Any:
    return raw.isoformat() if isinstance(raw, date) else raw


Operand = Annotated[Scalar, BeforeValidator(_iso)]
Bound = Annotated[int | float | str, BeforeValidator(_iso)]


class Test(Frozen):
    """What is asked of one value; where several are given, all must hold."""

    __test__ = False  # not for pytest

    equals: Operand | None = None
    not_equals: Operand | None = None
    in_: tuple[Operand, ...] | None = Field(None, alias="in", min_length=1)
    not_in: tuple[Operand, ...] | None = Field(None, min_length=1)
    includes: str | None = None
    greater_than: Bound | None = None
    less_than: Bound | None = None
    at_least: Bound | None = None
    at_most: Bound | None = None
    answered: StrictBool | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> "Test":
        if not self.operands():
            raise ValueError("a condition needs a comparison such as equals, in, greater_than or answered")
        return self

    def operands(self) -> dict[str, Any]:
        """Return the comparisons that are given, by their name in the definition."""
        given = {name: getattr(self, name) for name in Test.model_fields}
        return {name.rstrip("_"): operand for name, operand in given.items() if operand is not None}

    def holds(self, value: Value | None) -> bool:
        """Return whether every comparison given holds for `value`; None is a value that isn't there."""
        return all(_holds(name, operand, value) for name, operand in self.operands().items())


class Ask(Test):
    """A test of the answer to one question."""

    question: Slug

    def true_of(self, answers: Mapping[str, Value]) -> bool:
        """Return whether the test holds for the answer in `answers`."""
        return self.holds(answers.get(self.question))

    def asks(self) -> Iterator["Ask"]:
        """Yield the tests of single questions of which this is made."""
        yield self


class Holds(Frozen):
    """A formula that must come true."""

    formula: FormulaText

    def true_of(self, answers: Mapping[str, Value]) -> bool:
        """Return whether the formula is true of the answers."""
        return holds(formula(self.formula), answers)

    def asks(self) -> Iterator[Ask]:
        """Yield nothing: a formula has no tests of single questions; `formulas` gives it whole."""
        yield from ()


class All(Frozen):
    """Every one of several conditions."""

    all: tuple["Condition", ...] = Field(min_length=1)

    def true_of(self, answers: Mapping[str, Value]) -> bool:
        """Return whether all hold."""
        return all(condition.true_of(answers) for condition in self.all)

    def asks(self) -> Iterator[Ask]:
        """Yield the tests of single questions of which this is made."""
        for condition in self.all:
            yield from condition.asks()


class Any_(Frozen):
    """At least one of several conditions."""

    any: tuple["Condition", ...] = Field(min_length=1)

    def true_of(self, answers: Mapping[str, Value]) -> bool:
        """Return whether at least one holds."""
        return any(condition.true_of(answers) for condition in self.any)

    def asks(self) -> Iterator[Ask]:
        """Yield the tests of single questions of which this is made."""
        for condition in self.any:
            yield from condition.asks()


class Not(Frozen):
    """The opposite of one condition."""

    not_: "Condition" = Field(alias="not")

    def true_of(self, answers: Mapping[str, Value]) -> bool:
        """Return whether the condition doesn't hold."""
        return not self.not_.true_of(answers)

    def asks(self) -> Iterator[Ask]:
        """Yield the tests of single questions of which this is made."""
        yield from self.not_.asks()


def _kind(raw: Any) -> str:
    """Return the tag of a condition, in parentheses so that it isn't taken for a field."""
    if isinstance(raw, Mapping):
        return next((f"({key})" for key in ("all", "any", "not", "formula") if key in raw), "(ask)")
    if isinstance(raw, All):
        return "(all)"
    if isinstance(raw, Any_):
        return "(any)"
    if isinstance(raw, Holds):
        return "(formula)"
    return "(not)" if isinstance(raw, Not) else "(ask)"


Condition: TypeAlias = Annotated[
    Annotated[Ask, Tag("(ask)")]
    | Annotated[All, Tag("(all)")]
    | Annotated[Any_, Tag("(any)")]
    | Annotated[Not, Tag("(not)")]
    | Annotated[Holds, Tag("(formula)")],
    Discriminator(_kind),
]

for _model in (All, Any_, Not):
    _model.model_rebuild()


def formulas(condition: Condition | None) -> Iterator[Formula]:
    """Yield the formulas of which a condition is made."""
    if isinstance(condition, Holds):
        yield formula(condition.formula)
    elif isinstance(condition, Not):
        yield from formulas(condition.not_)
    elif isinstance(condition, All | Any_):
        for inner in condition.all if isinstance(condition, All) else condition.any:
            yield from formulas(inner)


def _holds(name: str, operand: Any, value: Value | None) -> bool:
    if name == "answered":
        return (value is not None) is bool(operand)
    if value is None:
        return False
    if name in COMPARISONS:
        return _compares(name, operand, value)
    if name == "includes":
        return isinstance(value, tuple) and operand in value
    found = value in (operand if isinstance(operand, tuple) else (operand,))
    return found if name in {"equals", "in"} else not found


def _compares(name: str, operand: Any, value: Any) -> bool:
    """Compare two numbers, or two ISO dates as text; anything else doesn't compare."""
    numbers = isinstance(value, int | float) and isinstance(operand, int | float)
    if not numbers and not (isinstance(value, str) and isinstance(operand, str)):
        return False
    return bool(_COMPARE[name](value, operand))


_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "greater_than": operator.gt,
    "less_than": operator.lt,
    "at_least": operator.ge,
    "at_most": operator.le,
}

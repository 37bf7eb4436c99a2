"""What of a question can be counted: one thing for most, one a part of percentages, one a cell or column of a table.

Texts and files are never listed, only counted. Of dates the year is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from surveys.questionnaire import Questionnaire
from surveys.questions import (
    CalculateQuestion,
    MultipleQuestion,
    NumberQuestion,
    PercentagesQuestion,
    Question,
    SingleQuestion,
    TableQuestion,
)
from surveys.values import Value, exact_sum, read_number

Kind: TypeAlias = Literal["one", "several", "number", "given"]
"""One answer of some; several of them; a number; or only that something was given."""

YES_NO = (("yes", "Yes"), ("no", "No"))


@dataclass(frozen=True)
class Item:
    """One thing to be counted. ``read`` returns what an answer says of it, or None."""

    key: str
    question: str
    label: str
    """Which part of the question this is; empty for the whole."""
    kind: Kind
    read: Callable[[Value], Any] = field(compare=False)
    choices: tuple[tuple[str, str], ...] = ()
    """Values and their words; empty where they are found in the answers, as years are."""
    unit: str = ""


def items(questionnaire: Questionnaire) -> Mapping[str, tuple[Item, ...]]:
    """Return what can be counted of each question, by its id, in order; of a note nothing."""
    return {question.id: tuple(_items(question)) for question in questionnaire.questions if question.type != "note"}


def _items(question: Question) -> Iterator[Item]:
    if isinstance(question, PercentagesQuestion):
        for part in question.parts:
            yield Item(f"{question.id}.{part.id}", question.id, part.text, "number", _part(part.id), unit="%")
    elif isinstance(question, TableQuestion):
        yield from _cells(question)
    else:
        yield _item(question.id, question.id, "", question)


def _cells(question: TableQuestion) -> Iterator[Item]:
    for column in question.columns:
        if question.rows is None:
            yield _column(question, column)
            continue
        for row in question.rows:
            found = _item(f"{question.id}.{row.id}.{column.id}", question.id, f"{row.text}: {column.text}", column)
            yield Item(found.key, found.question, found.label, found.kind, _inside(row.id, column.id, found.read),
                       found.choices, found.unit)  # fmt: skip


def _column(question: TableQuestion, column: Any) -> Item:
    """Return a column of a table of free rows: numbers are added up, of choices it counts who named them at all."""
    one = _item(f"{question.id}.{column.id}", question.id, column.text, column)
    if one.kind == "number":
        return Item(one.key, one.question, f"{one.label}, in all", "number", _added(column.id), unit=one.unit)
    if one.kind == "one":
        return Item(one.key, one.question, one.label, "several", _named(column.id, one.read), one.choices)
    return Item(one.key, one.question, one.label, "given", _named(column.id, one.read))


def _item(key: str, question: str, label: str, kind: Any) -> Item:
    """Return what can be counted of one value, of a question or a column."""
    if isinstance(kind, NumberQuestion | CalculateQuestion) or kind.type == "number":
        return Item(key, question, label, "number", _number, unit=getattr(kind, "unit", ""))
    if kind.type == "yes_no":
        return Item(key, question, label, "one", lambda value: "yes" if value is True else "no", YES_NO)
    if isinstance(kind, SingleQuestion) or kind.type == "single":
        return Item(key, question, label, "one", str, tuple((each.value, each.label) for each in kind.choices))
    if isinstance(kind, MultipleQuestion):
        choices = tuple((each.value, each.label) for each in kind.choices)
        return Item(key, question, label, "several", _chosen, choices)
    if kind.type == "date":
        return Item(key, question, label, "one", lambda value: str(value)[:4])
    return Item(key, question, label, "given", lambda value: True)


def _number(value: Value) -> float | None:
    return read_number(value) if isinstance(value, int | float) else None


def _chosen(value: Value) -> tuple[str, ...] | None:
    return tuple(str(each) for each in value) if isinstance(value, tuple | list) else None


def _part(name: str) -> Callable[[Value], Any]:
    """A part of percentages that is not given is 0 %."""
    return lambda value: read_number(value.get(name, 0)) if isinstance(value, Mapping) else None


def _inside(row: str, column: str, read: Callable[[Value], Any]) -> Callable[[Value], Any]:
    def found(value: Value) -> Any:
        cells = value.get(row) if isinstance(value, Mapping) else None
        cell = cells.get(column) if isinstance(cells, Mapping) else None
        return None if cell is None else read(cell)

    return found


def _rows(value: Value) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, tuple | list) else []


def _added(column: str) -> Callable[[Value], Any]:
    def found(value: Value) -> float | None:
        numbers = [number for row in _rows(value) if (number := read_number(row.get(column))) is not None]
        return float(exact_sum(numbers)) if numbers else None

    return found


def _named(column: str, read: Callable[[Value], Any]) -> Callable[[Value], Any]:
    def found(value: Value) -> tuple[Any, ...] | None:
        cells = {read(row[column]) for row in _rows(value) if row.get(column) is not None}
        return tuple(sorted(cells, key=str)) or None

    return found

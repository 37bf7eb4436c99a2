"""The rules about numbers: plausible ranges, totals of parts, percentages, and the change since last year."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from surveys.flags import Flag, Rule, Severity
from surveys.kinds import NumberKind
from surveys.questionnaire import Questionnaire
from surveys.questions import CalculateQuestion, NumberQuestion, PercentagesQuestion, Question, TableQuestion
from surveys.values import Number, Value, exact_sum, read_number, show

LARGEST_CHANGE = Decimal("0.5")
"""Change, as a share of last year's figure, beyond which a member is asked. Source: "> ±50 %"."""

HUNDRED = Decimal("0.1")
"""Percentage points by which percentages may miss 100 without a query: thirds written with one decimal do."""


def plausible(question: Question, value: Value) -> Iterator[Flag]:
    """Yield a flag for each number outside the range that its unit makes plausible."""
    if isinstance(question, NumberQuestion) and not isinstance(value, tuple | Mapping):
        yield from _implausible(question.id, question, value, "")
    if isinstance(question, TableQuestion):
        for label, row in _rows(question, value):
            for column in question.columns:
                if column.type == "number" and column.id in row:
                    yield from _implausible(question.id, column, row[column.id], f"{label}, {column.text}: ")


def sums_to_100(question: Question, value: Value) -> Iterator[Flag]:
    """Yield a flag if percentages total something else than 100."""
    if isinstance(question, PercentagesQuestion) and isinstance(value, Mapping):
        total = exact_sum([share for share in value.values() if isinstance(share, int | float)])
        if abs(total - 100) > HUNDRED:
            text = f"The percentages total {show(total)} %, not 100 %."
            yield Flag(Rule.SUM_TO_100, question.id, text, Severity.MEDIUM)


def totals(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> Iterator[Flag]:
    """Yield a flag for each total that isn't the sum of its parts; a part without an answer counts 0.

    Nothing is compared while the total or all of its parts have no answer: that is for completeness to say.
    """
    for total in questionnaire.totals:
        stated = _amount(total.question, answers)
        parts = [amount for part in total.parts if (amount := _amount(part, answers)) is not None]
        if stated is None or not parts:
            continue
        added = sum(parts, Decimal(0))
        if abs(stated - added) > Decimal(repr(total.tolerance)):
            text = f"The total is given as {show(stated)}, but its parts add up to {show(added)}."
            yield Flag(Rule.CROSS_FIELD, total.question, text, Severity.HIGH)


def part_sum(parts: tuple[str, ...], answers: Mapping[str, Value]) -> Decimal:
    """Return the sum of `parts` (question or table.column) in `answers`; one without an answer counts 0."""
    return sum((_amount(part, answers) or Decimal(0) for part in parts), Decimal(0))


def year_on_year(question: Question, value: Value, last_year: Mapping[str, object]) -> Iterator[Flag]:
    """Yield a flag if a number changed by more than half since last year, or from zero to something."""
    if not isinstance(question, NumberQuestion | CalculateQuestion) or question.last_year is None:
        return
    before, now = read_number(last_year.get(question.last_year)), read_number(value)
    if before is None or now is None or before == now:
        return
    if before == 0:
        text = f"Last year's answer was 0, this year's is {show(now)}."
        yield Flag(Rule.YEAR_ON_YEAR, question.id, text, Severity.LOW)
        return
    change = (exact_sum([now]) - exact_sum([before])) / abs(exact_sum([before]))
    if abs(change) > LARGEST_CHANGE:
        text = f"This changed by {change:+.0%} since last year: from {show(before)} to {show(now)}."
        yield Flag(Rule.YEAR_ON_YEAR, question.id, text, Severity.MEDIUM)


def _implausible(name: str, kind: NumberKind, value: object, where: str) -> Iterator[Flag]:
    number = read_number(value)
    if number is None or kind.plausible is None or kind.plausible.holds(number):
        return
    low, high = kind.plausible.min, kind.plausible.max
    bounds = [f"from {show(low)}"] if low is not None else []
    bounds += [f"up to {show(high)}"] if high is not None else []
    text = f"{where}{show(number)} {kind.unit}".rstrip() + f" is outside what is usual ({' '.join(bounds)})."
    yield Flag(Rule.PLAUSIBILITY, name, text, Severity.MEDIUM)


def _amount(part: str, answers: Mapping[str, Value]) -> Decimal | None:
    name, _, column = part.partition(".")
    value = answers.get(name)
    if not column:
        number = read_number(value)
        return None if number is None else exact_sum([number])
    cells = [row.get(column) for row in _all_rows(value)]
    numbers: list[Number] = [number for cell in cells if (number := read_number(cell)) is not None]
    return exact_sum(numbers) if numbers else None


def _rows(question: TableQuestion, value: Value) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield each row of a table with the name by which a person knows it."""
    names = {row.id: row.text for row in question.rows or ()}
    labels = list(value) if isinstance(value, Mapping) else []
    for number, row in enumerate(_all_rows(value)):
        yield (names.get(labels[number], labels[number]) if labels else f"Row {number + 1}"), row


def _all_rows(value: Value | None) -> list[Mapping[str, object]]:
    entries = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ()
    return [entry for entry in entries if isinstance(entry, Mapping)]

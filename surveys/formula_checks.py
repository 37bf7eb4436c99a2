"""Whether the formulas of a question ask only about what is there and comes before."""

from collections.abc import Iterator, Mapping

from surveys.conditions import formulas
from surveys.expressions import Formula, formula
from surveys.questions import CalculateQuestion, Note, Question, TableQuestion


def formula_problems(question: Question, by_id: Mapping[str, Question], order: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each thing that the formulas of a question can't ask about."""
    found: list[tuple[str, Formula]] = [
        *(("show_if", each) for each in formulas(question.show_if)),
        *(("required_if", each) for each in formulas(question.required_if)),
    ]
    if isinstance(question, CalculateQuestion):
        found.append(("formula", formula(question.formula)))
    for field, each in found:
        if each.asks_own:
            yield f"{field}: '.' is the answer itself and stands only in a constraint."
        if each.asks_today:
            yield f"{field}: today() stands only in a constraint, or the questions would change from day to day."
        yield from (f"{field}: {sentence}" for sentence in _references(each, question, by_id, order))
    for constraint in question.constraint:
        sentences = _references(formula(constraint.formula), question, by_id, order, itself=True)
        yield from (f"constraint: {sentence}" for sentence in sentences)


def _references(
    found: Formula, question: Question, by_id: Mapping[str, Question], order: Mapping[str, int], itself: bool = False
) -> Iterator[str]:
    for name in sorted(found.references):
        about, _, rest = name.partition(".")
        if about not in order:
            yield f"there is no question '{about}'."
        elif order[about] > order[question.id] or (about == question.id and not itself):
            yield f"'{about}' must come earlier than this question."
        elif about in by_id and (wrong := _not_there(by_id[about], rest)):
            yield f"{wrong}."


def _not_there(question: Question, rest: str) -> str | None:
    """Return why a part of an answer can't be asked about, or None."""
    if isinstance(question, Note):
        return f"'{question.id}' is a note and has no answer"
    if not rest:
        return None
    if not isinstance(question, TableQuestion):
        return f"'{question.id}' is no table and has no '{rest}'"
    row, _, column = rest.rpartition(".")
    if row and row not in {each.id for each in question.rows or ()}:
        return f"the table '{question.id}' has no row '{row}'"
    if column not in {each.id for each in question.columns}:
        return f"the table '{question.id}' has no column '{column}'"
    return None

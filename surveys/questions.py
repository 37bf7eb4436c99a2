"""The questions, as a questionnaire declares them: a kind of value, and how and why it is asked for."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, StrictBool, StrictInt, Tag, model_validator

from surveys.conditions import Condition, Test
from surveys.expressions import FormulaText
from surveys.kinds import (
    Choice,
    Column,
    DateKind,
    NumberKind,
    Part,
    SingleKind,
    TextKind,
    YesNoKind,
    rises,
)
from surveys.risk import Risk
from surveys.values import Finite, Frozen, OneOrMore, Slug, Words


class Contradiction(Frozen):
    """A known fact with which an answer doesn't agree: `fact` passes `known` while the answer passes `when`.

    Without `known` any true fact counts. `text` is what the coordinator reads.
    """

    fact: str = Field(min_length=1)
    when: Test
    known: Test | None = None
    text: Words


class Constraint(Frozen):
    """What must be true of a submitted answer, which is `.` in the formula; otherwise `message` says what to do."""

    formula: FormulaText
    message: Words


class Asked(Frozen):
    """What every question has, whatever it asks for."""

    id: Slug
    text: Words
    help: str = ""
    required: StrictBool = False
    required_if: Condition | None = None
    show_if: Condition | None = None
    evidence: Literal["none", "encouraged", "required"] = "none"
    evidence_when: Test | None = None
    risk: Risk | None = None
    last_year: Slug | None = None
    contradicts: Annotated[tuple[Contradiction, ...], OneOrMore] = ()
    constraint: Annotated[tuple[Constraint, ...], OneOrMore] = ()

    @model_validator(mode="after")
    def _required_once(self) -> "Asked":
        if self.required and self.required_if is not None:
            raise ValueError("required and required_if exclude each other")
        if self.evidence == "none" and self.evidence_when is not None:
            raise ValueError("evidence_when needs evidence to be encouraged or required")
        return self


class TextQuestion(TextKind, Asked):
    """Asks for one line of text."""


class LongTextQuestion(Asked):
    """Asks for text of several lines."""

    type: Literal["long_text"]
    max_length: StrictInt = Field(5000, ge=1, le=50_000)


class NumberQuestion(NumberKind, Asked):
    """Asks for a number; `total_of` names earlier questions (or `table.column`) whose sum it must be."""

    total_of: tuple[str, ...] | None = Field(None, min_length=1)


class DateQuestion(DateKind, Asked):
    """Asks for a date; `expiry_of` names the earlier question whose evidence expires then."""

    expiry_of: Slug | None = None


class YesNoQuestion(YesNoKind, Asked):
    """Asks for yes or no."""


class SingleQuestion(SingleKind, Asked):
    """Asks for one choice."""


class MultipleQuestion(Asked):
    """Asks for `min` to `max` of the choices."""

    type: Literal["multiple"]
    choices: tuple[Choice, ...] = Field(min_length=2)
    min: StrictInt | None = Field(None, ge=1)
    max: StrictInt | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _can_be_met(self) -> "MultipleQuestion":
        rises(self.min, self.max, "the number of choices")
        rises(self.min, len(self.choices), "the number of choices")
        return self


class PercentagesQuestion(Asked):
    """Asks for named parts of a whole, in per cent; they must total 100."""

    type: Literal["percentages"]
    parts: tuple[Part, ...] = Field(min_length=2)


class TableQuestion(Asked):
    """Asks for a table: either fixed `rows`, or rows added freely up to `max_rows`."""

    type: Literal["table"]
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[Part, ...] | None = Field(None, min_length=1)
    max_rows: StrictInt | None = Field(None, ge=1, le=500)

    @model_validator(mode="after")
    def _rows_one_way(self) -> "TableQuestion":
        if (self.rows is None) == (self.max_rows is None):
            raise ValueError("a table has either fixed rows or max_rows")
        return self


class FileQuestion(Asked):
    """Asks for a file, or up to `max_files`; the value is the SHA-256 of a file kept elsewhere, or those of several."""

    type: Literal["file"]
    accept: tuple[str, ...] = Field(("application/pdf",), min_length=1)
    max_mb: Finite = Field(20, gt=0)
    max_files: StrictInt = Field(1, ge=1, le=20)


class _Unasked(Asked):
    """What stands among the questions and asks for nothing."""

    @model_validator(mode="after")
    def _asks_nothing(self) -> "_Unasked":
        wrong = [
            name
            for name in ("required", "required_if", "evidence", "evidence_when", "constraint")
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if wrong:
            raise ValueError(f"nothing is asked here, so it can't have {' or '.join(wrong)}")
        return self


class CalculateQuestion(_Unasked):
    """What `formula` comes to, worked out and never typed; shown, where it has a text, and used like an answer."""

    type: Literal["calculate"]
    text: str = Field("", max_length=4000)
    formula: FormulaText
    unit: str = ""


class Note(_Unasked):
    """A text between the questions."""

    type: Literal["note"]


QUESTION_TYPES: dict[str, type[Asked]] = {
    "text": TextQuestion,
    "long_text": LongTextQuestion,
    "number": NumberQuestion,
    "single": SingleQuestion,
    "multiple": MultipleQuestion,
    "date": DateQuestion,
    "yes_no": YesNoQuestion,
    "percentages": PercentagesQuestion,
    "table": TableQuestion,
    "file": FileQuestion,
    "calculate": CalculateQuestion,
    "note": Note,
}

COLUMN_TYPES = ("text", "number", "date", "yes_no", "single")


def _tag(raw: Any) -> str | None:
    kind = raw.get("type") if isinstance(raw, Mapping) else getattr(raw, "type", None)
    return f"({kind})" if isinstance(kind, str) else None


Question: TypeAlias = Annotated[
    Annotated[TextQuestion, Tag("(text)")]
    | Annotated[LongTextQuestion, Tag("(long_text)")]
    | Annotated[NumberQuestion, Tag("(number)")]
    | Annotated[SingleQuestion, Tag("(single)")]
    | Annotated[MultipleQuestion, Tag("(multiple)")]
    | Annotated[DateQuestion, Tag("(date)")]
    | Annotated[YesNoQuestion, Tag("(yes_no)")]
    | Annotated[PercentagesQuestion, Tag("(percentages)")]
    | Annotated[TableQuestion, Tag("(table)")]
    | Annotated[FileQuestion, Tag("(file)")]
    | Annotated[CalculateQuestion, Tag("(calculate)")]
    | Annotated[Note, Tag("(note)")],
    Discriminator(_tag),
]

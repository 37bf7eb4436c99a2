"""The questions of a survey as fields of a page, and what a form sent as answers to them.

Whether a question is asked or must be answered is worked out by `surveys.routing` alone, here and for the script.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cases.own.answering import Given
from cases.own.survey import Sheet
from surveys.kinds import Choice
from surveys.languages import direction
from surveys.questions import (
    CalculateQuestion,
    DateQuestion,
    FileQuestion,
    LongTextQuestion,
    Note,
    NumberQuestion,
    Question,
    TableQuestion,
    TextQuestion,
)
from surveys.values import is_blank, show
from surveys.wording import choices_of, digests_of, in_words, unit_of
from web.posted import Posted

SPARE_ROWS = 2
PAGES_SPEAK = ("", "en")
_MANY = 8
"""Beyond so many choices a list to choose from is easier than buttons."""


@dataclass(frozen=True)
class Field:
    """One question as a template shows it."""

    question: Question
    value: Any
    comment: str
    seen: str
    required: bool
    errors: Sequence[str] = ()
    conflict: Sequence[str] | None = None
    """What somebody else has answered meanwhile, in words."""
    hint: Sequence[str] = ()
    """Last year's answer, in words."""
    query: str = ""
    """What we asked back about it."""
    files: Sequence[Mapping[str, Any]] = ()
    language: str = ""
    """The language of the question."""

    @property
    def speech(self) -> Mapping[str, str]:
        """The attributes of what is said in the language of the question."""
        return speech(self.language)

    @property
    def limits(self) -> Mapping[str, str]:
        """The attributes of a control that say what `surveys.normalise` takes.

        Numbers have none but how they are typed: a control for numbers throws away words such as "about 120" unseen.
        Nor does a text end at its length: what is pasted would be cut off unseen. It is counted, and refused in words.
        """
        question, found = self.question, dict[str, str]()
        if isinstance(question, TextQuestion | LongTextQuestion):
            found["data-most"] = str(question.max_length)
        if isinstance(question, TextQuestion) and question.pattern:
            found["pattern"] = question.pattern
        if isinstance(question, NumberQuestion):
            found["inputmode"] = "numeric" if question.integer and (question.min or 0) >= 0 else "decimal"
        if isinstance(question, DateQuestion):
            found |= {side: day.isoformat() for side in ("min", "max") if (day := getattr(question, side))}
        return found | ({"required": "required"} if question.required else {})

    @property
    def several(self) -> bool:
        """Whether a question for a file takes more than one."""
        return isinstance(self.question, FileQuestion) and self.question.max_files > 1

    @property
    def worked_out(self) -> str:
        """What a calculation came to, in words."""
        return "; ".join(in_words(self.question, self.value)) or "–"

    @property
    def key(self) -> str:
        """The id of its place on the page."""
        return f"q-{self.question.id}"

    @property
    def name(self) -> str:
        """The name of its control."""
        return f"a.{self.question.id}"

    @property
    def kind(self) -> str:
        """How it is shown: its type, and ``select`` for one choice among many."""
        return "select" if self.question.type == "single" and len(self.choices) > _MANY else self.question.type

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What there is to choose."""
        return choices_of(self.question)

    @property
    def unit(self) -> str:
        """The unit of a number."""
        return unit_of(self.question)

    @property
    def accept(self) -> str:
        """The types of file a question for a file takes, for the browser."""
        return ",".join(getattr(self.question, "accept", ()))

    @property
    def rows(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """The rows of a table: key, what it is called, and its cells."""
        question = self.question
        if not isinstance(question, TableQuestion):
            return []
        if question.rows:
            given = self.value if isinstance(self.value, Mapping) else {}
            return [(row.id, row.text, _cells(given.get(row.id))) for row in question.rows]
        filled = [_cells(row) for row in self.value] if isinstance(self.value, list | tuple) else []
        while filled and is_blank(filled[-1]):
            filled.pop()
        wanted = min(len(filled) + SPARE_ROWS, max(question.max_rows or 1, len(filled)))
        rows = [*filled, *[{} for _ in range(wanted - len(filled))]]
        return [(str(n), f"Row {n + 1}", row) for n, row in enumerate(rows)]

    def text(self, value: Any = ...) -> str:
        """Return a value as a control holds it."""
        given = self.value if value is ... else value
        if given is None or isinstance(given, Mapping | list | tuple):
            return ""
        if isinstance(given, bool):
            return "yes" if given else "no"
        return show(given) if isinstance(given, int | float) else str(given)

    def chosen(self, value: str) -> bool:
        """Whether a choice is ticked."""
        if isinstance(self.value, list | tuple):
            return value in self.value
        return self.text() == value

    def part(self, name: str) -> str:
        """Return one part of percentages."""
        return self.text(self.value.get(name)) if isinstance(self.value, Mapping) else ""

    @property
    def described(self) -> str:
        """The ids of what describes its control."""
        ids = [(self.question.help, "help"), (self.hint, "hint"), (self.query, "query"), (self.errors, "error"),
               (self.conflict is not None, "conflict")]  # fmt: skip
        return " ".join(f"{self.key}-{name}" for there, name in ids if there)


def _cells(row: Any) -> Mapping[str, Any]:
    return row if isinstance(row, Mapping) else {}


def speech(language: str) -> Mapping[str, str]:
    """Return the attributes of what is said in a language; none where it is that of the page."""
    return {} if language[:2] in PAGES_SPEAK else {"lang": language, "dir": direction(language)}


def is_answered(question: Question) -> bool:
    """Whether somebody answers this: a note is read, a calculation works itself out."""
    return not isinstance(question, Note | CalculateQuestion)


def fields(
    found: Sheet, questions: Iterable[Question], *, typed: Given | None = None,
    errors: Mapping[str, Sequence[str]] | None = None, conflicts: Mapping[str, Any] | None = None,
    unsaved: Container[str] = (),
) -> list[Field]:  # fmt: skip
    """Return these questions as fields; what was not saved stands in them as it was typed."""
    wrong, faster = errors or {}, conflicts or {}
    return [
        _field(found, question, typed if question.id in unsaved else None, wrong.get(question.id, ()), faster)
        for question in questions
    ]


def _field(
    found: Sheet, question: Question, typed: Given | None, errors: Sequence[str], conflicts: Mapping[str, Any]
) -> Field:
    name, filled = question.id, found.filled
    retyped = typed if typed is not None and name in typed.questions else None
    value = retyped.answers.get(name) if retyped else filled.answers.get(name)
    if isinstance(question, CalculateQuestion):
        value = found.counted.get(name)
    comment = retyped.comments.get(name, "") if retyped else filled.comments.get(name, "")
    digests = digests_of(value) if question.type == "file" and value else filled.evidence.get(name, [])
    names = {digest: str(one["name"]) for digest, one in found.files.items()}
    conflict = None
    if name in conflicts:
        conflict = in_words(question, conflicts[name], names) or ["(no answer)"]
    before = found.last_year.get(question.last_year) if question.last_year else None
    return Field(
        question, value, comment, filled.seen(name), name in found.needed, tuple(errors), conflict,
        tuple(in_words(question, before)) if question.type != "file" else (), found.queries.get(name, ""),
        [{"sha256": d, "name": names.get(d, "A file sent before"), "here": d in names} for d in digests],
        found.language,
    )  # fmt: skip


def given(found: Sheet, posted: Posted) -> Given:
    """Return what a form says about the questions that stood on it; files are put on the case by the caller."""
    tree = posted.nested()
    answers, comments, seen = (_under(tree, part) for part in ("a", "c", "s"))
    questions = [name for name in posted.all("q") if name in found.questionnaire.by_id]
    drop = dict([named.split(":", 1)]) if ":" in (named := posted.text("drop")) else {}
    return Given(
        questions, answers, {k: v for k, v in comments.items() if isinstance(v, str)},
        {k: v for k, v in seen.items() if isinstance(v, str)}, drop=drop,
    )  # fmt: skip


def _under(tree: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    found = tree.get(part)
    return found if isinstance(found, Mapping) else {}

"""One raw answer, as from a form or a JSON file, made a value of the kind its question asks for.

`complete` says whether the answer must be whole: a draft may hold percentages that do not total 100 yet, a
table with a cell to fill in, too few choices. Nothing here raises on any JSON value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from surveys.kinds import DateKind, NumberKind, SingleKind, TextKind
from surveys.questions import FileQuestion, MultipleQuestion, PercentagesQuestion, Question, TableQuestion
from surveys.values import (
    Number,
    Scalar,
    Value,
    clean_line,
    clean_text,
    day_words,
    exact_sum,
    is_blank,
    is_sha256,
    read_number,
    show,
)

ROUNDING = Decimal(1)
"""Percentage points by which submitted percentages may miss 100; beyond it they are refused."""

_POINT_FOR_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+")
"""What much of Europe writes for thousands; read as a decimal point it would make 1.000 people one."""

Row: TypeAlias = dict[str, Scalar]


class Unfit(ValueError):
    """What was given doesn't answer the question; the sentences say what to do."""

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        super().__init__(" ".join(sentences))


def normalise(question: Question, raw: object, *, complete: bool) -> tuple[Value | None, list[str]]:
    """Return the value of `raw` (None where it is blank) and the sentences that say what to put right."""
    if is_blank(raw):
        return None, []
    try:
        return _READERS[question.type](question, raw, complete), []
    except Unfit as unfit:
        return None, list(unfit.sentences)


def _text(kind: TextKind, raw: Any, _complete: bool = True) -> str:
    if not isinstance(raw, str):
        raise Unfit("Enter text.")
    text = clean_line(raw)
    if len(text) > kind.max_length:
        raise Unfit(f"Shorten this to {kind.max_length} characters; it has {len(text)}.")
    if kind.pattern and not re.fullmatch(kind.pattern, text):
        raise Unfit(f"Enter this in the form of: {kind.example}.")
    return text


def _long_text(question: Any, raw: Any, _complete: bool) -> str:
    if not isinstance(raw, str):
        raise Unfit("Enter text.")
    text = clean_text(raw)
    if len(text) > question.max_length:
        raise Unfit(f"Shorten this to {question.max_length} characters; it has {len(text)}.")
    return text


def _number(kind: NumberKind, raw: Any, _complete: bool = True) -> Number:
    if kind.integer and isinstance(raw, str) and _POINT_FOR_THOUSANDS.fullmatch(clean_line(raw)):
        raise Unfit("Enter a whole number without a point, such as 1,234.")
    number = read_number(raw, kind.unit)
    if number is None:
        raise Unfit("Enter a number in digits, with a point for decimals, such as 1,234.5.")
    if kind.integer and not isinstance(number, int):
        raise Unfit("Enter a whole number.")
    unit = f" {kind.unit}" if kind.unit else ""
    if kind.min is not None and number < kind.min:
        raise Unfit(f"Enter {show(kind.min)}{unit} or more.")
    if kind.max is not None and number > kind.max:
        raise Unfit(f"Enter {show(kind.max)}{unit} or less.")
    return number


def _date(kind: DateKind, raw: Any, _complete: bool = True) -> str:
    try:
        day = date.fromisoformat(clean_line(raw)) if isinstance(raw, str) else None
    except ValueError:
        day = None
    if day is None:
        raise Unfit("Enter a date as year-month-day, such as 2024-03-31.")
    if kind.min is not None and day < kind.min:
        raise Unfit(f"Enter a date from {day_words(kind.min)} on.")
    if kind.max is not None and day > kind.max:
        raise Unfit(f"Enter a date up to {day_words(kind.max)}.")
    return day.isoformat()


def read_yes_no(raw: object) -> bool | None:
    """Return True or False for what a form or a file may say for yes and no, or None."""
    if isinstance(raw, str):
        return _WORDS.get(clean_line(raw).casefold())
    return bool(raw) if isinstance(raw, int) and raw in (0, 1) else None


_WORDS = {
    "yes": True,
    "true": True,
    "on": True,
    "1": True,
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}


def _yes_no(_kind: Any, raw: Any, _complete: bool = True) -> bool:
    answer = read_yes_no(raw)
    if answer is None:
        raise Unfit("Answer yes or no.")
    return answer


def _single(kind: SingleKind, raw: Any, _complete: bool = True) -> str:
    offered = [choice.value for choice in kind.choices]
    chosen = clean_line(raw) if isinstance(raw, str) else None
    if chosen not in offered:
        raise Unfit(f"Choose one of: {', '.join(offered)}.")
    return str(chosen)


def _multiple(question: MultipleQuestion, raw: Any, complete: bool) -> tuple[str, ...]:
    """Return the values chosen, each once, in the order in which they are offered."""
    entries = [raw] if isinstance(raw, str) else raw
    offered = [choice.value for choice in question.choices]
    if not isinstance(entries, list | tuple):
        raise Unfit(f"Choose from: {', '.join(offered)}.")
    given = [clean_line(entry) if isinstance(entry, str) else None for entry in entries if not is_blank(entry)]
    if any(entry not in offered for entry in given):
        raise Unfit(f"Choose only from: {', '.join(offered)}.")
    chosen = tuple(value for value in offered if value in given)
    alone = [c.label for c in question.choices if c.exclusive and c.value in chosen]
    if alone and len(chosen) > 1:
        raise Unfit(f"Choose either '{alone[0]}' or the others, not both.")
    if question.max is not None and len(chosen) > question.max:
        raise Unfit(f"Choose at most {question.max}; {len(chosen)} are chosen.")
    if complete and question.min is not None and len(chosen) < question.min and not alone:
        raise Unfit(f"Choose at least {question.min}; only {len(chosen)} chosen.")
    return chosen


def _percentages(question: PercentagesQuestion, raw: Any, complete: bool) -> dict[str, Number]:
    """Return the parts given, in per cent; a part left empty is left out and counts 0."""
    if not isinstance(raw, Mapping):
        raise Unfit("Give each part its percentage.")
    shares: dict[str, Number] = {}
    wrong = [f"There is no part called '{_name(key)}'; remove it." for key in raw.keys() - _ids(question.parts)]
    for part in question.parts:
        if is_blank(raw.get(part.id)):
            continue
        share = read_number(raw[part.id], "%")
        if share is None or not 0 <= share <= 100:
            wrong.append(f"{part.text}: enter a number from 0 to 100.")
        else:
            shares[part.id] = share
    total = exact_sum(list(shares.values()))
    if not wrong and complete and abs(total - 100) > ROUNDING:
        wrong.append(f"Make the parts total 100 %; they total {show(total)} %.")
    if wrong:
        raise Unfit(*sorted(wrong))
    return shares


def _table(question: TableQuestion, raw: Any, complete: bool) -> Value:
    return _fixed_rows(question, raw, complete) if question.rows else _free_rows(question, raw, complete)


def _fixed_rows(question: TableQuestion, raw: Any, complete: bool) -> dict[str, Row]:
    rows = question.rows or ()
    if not isinstance(raw, Mapping):
        raise Unfit("Give the table by row: " + ", ".join(row.id for row in rows) + ".")
    wrong = [f"There is no row called '{_name(key)}'; remove it." for key in raw.keys() - _ids(rows)]
    values: dict[str, Row] = {}
    for row in rows:
        cells, sentences = _cells(question, raw.get(row.id), row.text, complete)
        wrong += sentences
        if cells:
            values[row.id] = cells
    if wrong:
        raise Unfit(*wrong)
    return values


def _free_rows(question: TableQuestion, raw: Any, complete: bool) -> tuple[Row, ...]:
    if not isinstance(raw, list | tuple):
        raise Unfit("Give the table as a list of rows.")
    given = [row for row in raw if not is_blank(row)]
    if question.max_rows is not None and len(given) > question.max_rows:
        raise Unfit(f"Give at most {question.max_rows} rows; there are {len(given)}.")
    wrong: list[str] = []
    values: list[Row] = []
    for number, row in enumerate(given, start=1):
        cells, sentences = _cells(question, row, f"Row {number}", complete)
        wrong += sentences
        values.append(cells)
    if wrong:
        raise Unfit(*wrong)
    return tuple(values)


def _cells(question: TableQuestion, raw: object, row: str, complete: bool) -> tuple[Row, list[str]]:
    """Return the cells of one row that are filled in, and what to put right in it."""
    if raw is not None and not isinstance(raw, Mapping):
        return {}, [f"{row}: give the row by column."]
    given: Mapping[Any, Any] = raw or {}
    unknown = given.keys() - _ids(question.columns)
    wrong = [f"{row}: there is no column called '{_name(key)}'; remove it." for key in unknown]
    cells: Row = {}
    for column in question.columns:
        entry = given.get(column.id)
        if not is_blank(entry):
            try:
                cells[column.id] = _READERS[column.type](column, entry, complete)
            except Unfit as unfit:
                wrong += [f"{row}, {column.text}: {sentence}" for sentence in unfit.sentences]
        elif complete and column.required and (question.rows is None or question.required or given):
            wrong.append(f"{row}, {column.text}: fill this in.")
    return cells, wrong


def _file(question: FileQuestion, raw: Any, _complete: bool) -> str | tuple[str, ...]:
    """Return the digest of a file; where several are taken, those of all, each once."""
    entries = raw if isinstance(raw, list | tuple) and question.max_files > 1 else [raw]
    digests = tuple(dict.fromkeys(clean_line(each).lower() if isinstance(each, str) else "" for each in entries))
    if not all(is_sha256(each) for each in digests):
        raise Unfit("Upload the file again; what is noted isn't the SHA-256 of a file.")
    if len(digests) > question.max_files:
        raise Unfit(f"Give at most {question.max_files} files; there are {len(digests)}.")
    return digests if question.max_files > 1 else digests[0]


def _worked_out(_question: Any, raw: Any, _complete: bool) -> Scalar:
    if not isinstance(raw, str | int | float):
        raise Unfit("This is worked out and can't be entered.")
    return raw


def _ids(items: Any) -> set[Any]:
    return {item.id for item in items}


def _name(key: object) -> str:
    return clean_line(key)[:80] if isinstance(key, str) else "?"


_READERS: Mapping[str, Callable[[Any, Any, bool], Any]] = {
    "text": _text,
    "long_text": _long_text,
    "number": _number,
    "date": _date,
    "yes_no": _yes_no,
    "single": _single,
    "multiple": _multiple,
    "percentages": _percentages,
    "table": _table,
    "file": _file,
    "calculate": _worked_out,
}

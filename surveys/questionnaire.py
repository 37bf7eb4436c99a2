"""A questionnaire as its definition declares it: read, checked as a whole, and identified by its content."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field, StrictInt, TypeAdapter, ValidationError

from surveys import consistency, languages
from surveys.questions import COLUMN_TYPES, QUESTION_TYPES, Note, NumberQuestion, Question
from surveys.values import Finite, Frozen, Slug, Words


class BadQuestionnaire(ValueError):
    """The questionnaire can't be used. The text lists every problem, one a line; so does `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Total(Frozen):
    """The answer to `question` must be the sum of `parts`: number questions or `table.column`."""

    question: Slug
    parts: tuple[str, ...] = Field(min_length=1)
    tolerance: Finite = Field(0.5, ge=0)


class Check(Frozen):
    """A check across questions."""

    total: Total


class Section(Frozen):
    """Questions under one heading, in the order in which they are asked."""

    id: Slug
    title: Words
    intro: str = ""
    questions: tuple[Question, ...] = Field(min_length=1)

    @property
    def asked(self) -> tuple[Question, ...]:
        """Return what has an answer: everything but notes."""
        return tuple(each for each in self.questions if not isinstance(each, Note))


class Questionnaire(Frozen):
    """One version of a questionnaire. `parse` is the way in: the constructor doesn't check references.

    The texts are written in the first of `languages`; a member may answer in any of them. A definition writes a text in
    several as `text: {en: …, fr: …}`; read, the others stand in `translations`, by language and place.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    version: StrictInt = Field(ge=1)
    title: Words
    intent: Words
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], ...] = Field(min_length=1)
    sections: tuple[Section, ...] = Field(min_length=1)
    checks: tuple[Check, ...] = ()
    translations: dict[str, dict[str, Words]] = {}

    @classmethod
    def parse(cls, mapping: Any) -> "Questionnaire":
        """Return the questionnaire that `mapping` (parsed YAML or JSON) declares.

        Raises BadQuestionnaire, which lists every problem, whatever `mapping` is.
        """
        if not isinstance(mapping, Mapping):
            raise BadQuestionnaire(["This is no questionnaire in YAML; a form of a spreadsheet is saved as .xlsx."])
        mapping, problems = languages.lifted(mapping)
        problems += _across(mapping)
        try:
            questionnaire = cls.model_validate(dict(mapping))
        except ValidationError as invalid:
            problems = [*_sentences(invalid, mapping), *problems]
        if problems:
            raise BadQuestionnaire(problems)
        return questionnaire

    @property
    def questions(self) -> tuple[Question, ...]:
        """Return all questions in the order in which they are asked, calculations among them; notes are none."""
        return tuple(question for section in self.sections for question in section.asked)

    @cached_property
    def by_id(self) -> Mapping[str, Question]:
        """Return the questions by their id, in order."""
        return {question.id: question for question in self.questions}

    @property
    def totals(self) -> tuple[Total, ...]:
        """Return every total to check, declared under `checks` or by `total_of`."""
        declared = [check.total for check in self.checks]
        own = [
            Total(question=question.id, parts=question.total_of)
            for question in self.questions
            if isinstance(question, NumberQuestion) and question.total_of
        ]
        return (*declared, *own)

    def in_language(self, language: str) -> "Questionnaire":
        """Return the questionnaire with its texts in a language; what is not translated stays in the first one.

        For showing: the questions are the same, the fingerprint is not.
        """
        if language not in self.translations:
            return self
        if language not in self._spoken:
            content = self.model_dump(by_alias=True, exclude_defaults=True)
            said = languages.said_in(content, self.translations[language])
            self._spoken[language] = Questionnaire.model_validate(said)
        return self._spoken[language]

    def untranslated(self) -> dict[str, list[str]]:
        """Return, by language, the places of the texts that are there in the first language alone."""
        return self._untranslated

    def definition(self) -> dict[str, Any]:
        """Return the questionnaire as a definition writes it, texts in all their languages together."""
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        translations = content.pop("translations", {})
        return languages.joined(content, self.languages[0], translations)

    @cached_property
    def _untranslated(self) -> dict[str, list[str]]:
        content = self.model_dump(by_alias=True, exclude_defaults=True)
        places = [place for place, _ in languages.texts(content)]
        return {
            language: [place for place in places if place not in self.translations.get(language, {})]
            for language in self.languages[1:]
        }

    @cached_property
    def _spoken(self) -> dict[str, "Questionnaire"]:
        return {}

    def fingerprint(self) -> str:
        """Return the hexadecimal SHA-256 of the definition; the order of keys doesn't matter."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)


def _across(mapping: Mapping[Any, Any]) -> Iterator[str]:
    """Yield the problems between the parts of a definition, as far as they can be read."""
    sections = [section for section in _listed(mapping.get("sections")) if isinstance(section, Mapping)]
    raws = [raw for section in sections for raw in _listed(section.get("questions")) if isinstance(raw, Mapping)]
    ids = [raw["id"] for raw in raws if isinstance(raw.get("id"), str)]
    section_ids = [section["id"] for section in sections if isinstance(section.get("id"), str)]
    yield from (f"Section id '{name}' is used more than once." for name in consistency.repeated(section_ids))
    yield from (f"Question id '{name}' is used more than once." for name in consistency.repeated(ids))
    languages = [each for each in _listed(mapping.get("languages")) if isinstance(each, str)]
    yield from (f"Language '{name}' is given more than once." for name in consistency.repeated(languages))
    questions = [question for raw in raws if (question := _readable(raw)) is not None]
    order: dict[str, int] = {}
    for position, name in enumerate(ids):
        order.setdefault(name, position)
    yield from consistency.problems(questions, order)
    yield from _checks(mapping, {question.id: question for question in questions}, order)


def _checks(mapping: Mapping[Any, Any], by_id: Mapping[str, Question], order: Mapping[str, int]) -> Iterator[str]:
    for number, raw in enumerate(_listed(mapping.get("checks")), start=1):
        try:
            total = Check.model_validate(raw).total
        except ValidationError:
            continue
        for name in (total.question, *total.parts):
            wrong = consistency.part_problem(name, by_id, order)
            if wrong:
                yield f"Check {number}, total: {wrong}."
        if total.question in total.parts or consistency.repeated(total.parts):
            yield f"Check {number}, total: a question is counted twice."


def _readable(raw: Mapping[Any, Any]) -> Question | None:
    try:
        return _QUESTION.validate_python(dict(raw))
    except ValidationError:
        return None


def _listed(raw: Any) -> Sequence[Any]:
    return raw if isinstance(raw, list | tuple) else ()


def _sentences(invalid: ValidationError, mapping: Mapping[Any, Any]) -> Iterator[str]:
    errors = invalid.errors(include_url=False, include_input=False)
    inner = {error["loc"][:depth] for error in errors for depth in range(len(error["loc"]))}
    for error in errors:
        if error["loc"] in inner:
            continue  # a list counted as too short only because an item of it is wrong
        place = _place(error["loc"], mapping)
        if error["type"] in {"union_tag_invalid", "union_tag_not_found"} and "type" not in place:
            types = COLUMN_TYPES if "columns" in place else QUESTION_TYPES
            yield f"{place}, type: choose one of {', '.join(types)}."
        else:
            message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
            yield f"{place}: {message[:1].lower()}{message[1:]}."


def _place(loc: tuple[int | str, ...], mapping: Mapping[Any, Any]) -> str:
    """Return where in the definition `loc` lies, by the ids of section and question."""
    words: list[str] = []
    node: Any = mapping
    for before, step in pairwise(("", *loc)):
        if isinstance(before, int) and isinstance(node, Mapping) and step == node.get("type"):
            continue
        if isinstance(step, int):
            node = node[step] if isinstance(node, list | tuple) and step < len(node) else None
            name = node.get("id", node.get("value")) if isinstance(node, Mapping) else None
            words.append(f"'{name}'" if isinstance(name, str) else f"number {step + 1}")
        elif isinstance(node, Mapping) and step in node:
            node = node[step]
            words.append(step)
        elif not step.startswith("("):
            words.append(step)
    return _plain(words) or "The questionnaire"


def _plain(words: list[str]) -> str:
    """Turn `sections 'a' questions 'b' min` into `Section 'a', question 'b', min`."""
    for kind in ("section", "question", "check"):
        if len(words) > 1 and f"{kind}s" in words[:-1]:
            at = words.index(f"{kind}s")
            words[at : at + 2] = [f"{kind} {words[at + 1]}"]
    text = ", ".join(words)
    return text[:1].upper() + text[1:]

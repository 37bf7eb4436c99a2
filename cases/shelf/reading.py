"""A questionnaire from a file that somebody brings: our own YAML, or a workbook of another program's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

import yaml

from cases.errors import BadInput
from cases.file_types import ALLOWED
from cases.xlsform.importing import import_form
from cases.xlsform.problems import FormRefused
from config.database import without_nul
from surveys.languages import in_words, name_of
from surveys.patterns import pattern_problem
from surveys.questionnaire import BadQuestionnaire, Questionnaire
from surveys.questions import FileQuestion

LARGEST = 1024 * 1024
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_VERSION = re.compile(r"^version:[ \t]*\d+", re.MULTILINE | re.ASCII)


class NotUsable(BadInput):
    """The file cannot be used as a questionnaire."""

    def __init__(self, file: str, problems: list[str]) -> None:
        self.file, self.problems = file, problems
        super().__init__(f"{file} cannot be used.", *problems)


@dataclass(frozen=True)
class Brought:
    """A questionnaire in a file, and what there is to say about it."""

    questionnaire: Questionnaire
    text: str
    ignored: tuple[str, ...] = ()
    """What a workbook holds and we leave out."""

    @property
    def remarks(self) -> list[str]:
        """What does not stop anybody: texts that are not translated, types of file that are never taken."""
        return [*_untranslated(self.questionnaire), *_unknown_files(self.questionnaire)]

    def numbered(self, version: int) -> Brought:
        """Return the same questionnaire as another version of itself."""
        if version == self.questionnaire.version:
            return self
        text, done = _VERSION.subn(f"version: {version}", self.text, count=1)
        if not done:
            raise NotUsable(self.questionnaire.name, ["Write the version on a line of its own: version: 1."])
        return Brought(parsed(text, self.questionnaire.name), text, self.ignored)


def read_file(content: bytes, name: str) -> Brought:
    """Return the questionnaire in a file, whichever kind it is. Raises NotUsable with a sentence per problem."""
    file = PurePath(name).name or "The file"
    if content.startswith(_WORKBOOKS):
        try:
            found = import_form(content, file)
        except FormRefused as bad:
            raise NotUsable(file, list(bad.problems)) from None
        return Brought(found.questionnaire, found.text, found.ignored)
    if len(content) > LARGEST:
        raise NotUsable(file, [f"It is larger than {LARGEST >> 20} MB; no questionnaire is."])
    try:
        text = without_nul(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotUsable(file, ["It is neither a workbook (.xlsx, .xls) nor a text in UTF-8."]) from None
    questionnaire = parsed(text, file)
    if slow := list(_slow_patterns(questionnaire)):
        raise NotUsable(file, slow)
    return Brought(questionnaire, text)


def parsed(text: str, file: str) -> Questionnaire:
    """Return the questionnaire that a YAML text declares. Raises NotUsable with a sentence per problem."""
    try:
        return _questionnaire(text)
    except yaml.YAMLError as bad:
        if isinstance(bad, _RunsAway):
            raise NotUsable(file, [str(bad.args[0])]) from None
        line = getattr(getattr(bad, "problem_mark", None), "line", None)
        problem = str(getattr(bad, "problem", None) or "it cannot be read")
        where = f" (line {line + 1}: {problem})" if line is not None else ""
        raise NotUsable(file, [f"It is not valid YAML{where}."]) from None
    except BadQuestionnaire as bad:
        raise NotUsable(file, list(bad.problems)) from None
    except (RecursionError, ValueError, TypeError):  # such as a date that is none, or lists in lists in lists
        raise NotUsable(file, ["It cannot be read as a questionnaire."]) from None


class _RunsAway(yaml.YAMLError):
    """A text that is not read at all."""


@lru_cache(maxsize=64)
def _questionnaire(text: str) -> Questionnaire:
    """Return what a text declares; pages that show many files ask for the same ones again and again."""
    if wrong := _runs_away(text):
        raise _RunsAway(wrong)
    return Questionnaire.parse(yaml.safe_load(text))


def _runs_away(text: str) -> str | None:
    """Return why a text would grow, or take long, while it is read; or None."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            return "It refers to parts of itself (*name); write them out."
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        if depth > _DEEPEST:
            return "It is nested too deeply."
    return None


_DEEPEST = 40
_OPENS = (
    yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken,
)  # fmt: skip
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def _untranslated(questionnaire: Questionnaire) -> list[str]:
    return [
        f"{name_of(language)}: {len(places)} texts are not translated and are shown in "
        f"{name_of(questionnaire.languages[0])}: {'; '.join(in_words(place) for place in places[:5])}"
        f"{' …' if len(places) > 5 else '.'}"
        for language, places in questionnaire.untranslated().items()
        if places
    ]


def _slow_patterns(questionnaire: Questionnaire) -> Iterator[str]:
    """Yield a sentence for each pattern that could keep a page busy; members type what it is tried on."""
    for question in questionnaire.questions:
        for kind in (question, *getattr(question, "columns", ())):
            pattern = getattr(kind, "pattern", None)
            if pattern is not None and (wrong := pattern_problem(pattern)):
                yield f"Question '{question.id}', pattern: it {wrong}."


def _unknown_files(questionnaire: Questionnaire) -> list[str]:
    return [
        f"Question '{question.id}': files of the type {kind} are never taken."
        for question in questionnaire.questions
        if isinstance(question, FileQuestion)
        for kind in question.accept
        if kind not in ALLOWED.values()
    ]

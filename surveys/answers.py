"""What a member sent, checked against the questionnaire and made values: `validate`.

Source: response transition DR4 of the self-assessment survey: a submission needs a named respondent, a
declaration of authority and every required question answered. Nothing raises on any JSON input.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from surveys.constraints import broken
from surveys.normalise import normalise, read_yes_no
from surveys.questionnaire import Questionnaire
from surveys.questions import CalculateQuestion
from surveys.routing import calculated, required, visible
from surveys.values import Value, clean_line, clean_text, is_blank, is_sha256

FIELDS = ("respondent", "declaration", "language", "answers", "evidence", "comments")

_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\".]+(\.[^@\s,;<>\".]+)+")
_LONGEST_COMMENT = 5000
_MOST_FILES = 50


@dataclass(frozen=True)
class Respondent:
    """Who answers for the member; an empty text is not given."""

    name: str = ""
    role: str = ""
    email: str = ""


@dataclass(frozen=True)
class Validated:
    """A response with normalised values; `dropped` are answered questions which turned out to be hidden."""

    questionnaire: str
    version: int
    fingerprint: str
    submitted: bool
    respondent: Respondent = Respondent()
    declaration: bool = False
    language: str = ""
    answers: Mapping[str, Value] = field(default_factory=dict)
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    def as_raw(self) -> dict[str, Any]:
        """Return the response as a mapping that `validate` accepts again and JSON can hold."""
        return {
            "respondent": {
                "name": self.respondent.name,
                "role": self.respondent.role,
                "email": self.respondent.email,
            },
            "declaration": self.declaration,
            "language": self.language,
            "answers": {name: _plain(value) for name, value in self.answers.items()},
            "evidence": {name: list(files) for name, files in self.evidence.items()},
            "comments": dict(self.comments),
        }


@dataclass(frozen=True)
class Invalid:
    """Why a response can't be taken: per question id (or `respondent.name`, `declaration` ...) what to do."""

    errors: Mapping[str, list[str]]


Errors = dict[str, list[str]]


def validate(
    questionnaire: Questionnaire, raw: Any, *, submitting: bool, today: date | None = None
) -> Validated | Invalid:
    """Return `raw` as normalised values, or what has to be put right.

    A draft (`submitting` false) is checked for types, ranges and unknown questions, not for what is missing, nor by
    constraints. What is calculated is calculated here, whatever was sent. `today` is for constraints that ask for it.
    """
    if not isinstance(raw, Mapping):
        return Invalid({"answers": ["Send the response as a mapping of respondent, declaration, answers."]})
    errors: Errors = {}
    for key in raw.keys() - set(FIELDS):
        _add(errors, key, f"Remove this; a response has {', '.join(FIELDS)}.")
    respondent = _respondent(raw.get("respondent"), submitting, errors)
    declaration = _declaration(raw.get("declaration"), submitting, errors)
    language = _language(questionnaire, raw.get("language"), errors)
    given = {part: _by_question(questionnaire, raw, part, errors) for part in ("answers", "evidence", "comments")}
    shown, answers = _answers(questionnaire, given["answers"], submitting, today, errors)
    evidence = _evidence(questionnaire, given["evidence"], shown, errors)
    comments = _comments(given["comments"], shown, errors)
    if errors:
        return Invalid(errors)
    dropped = [name for name, entry in given["answers"].items() if name not in shown and not is_blank(entry)]
    return Validated(
        questionnaire=questionnaire.name,
        version=questionnaire.version,
        fingerprint=questionnaire.fingerprint(),
        submitted=submitting,
        respondent=respondent,
        declaration=declaration,
        language=language,
        answers=answers,
        evidence=evidence,
        comments=comments,
        dropped=tuple(dropped),
    )


def _answers(
    questionnaire: Questionnaire, given: Mapping[str, Any], submitting: bool, today: date | None, errors: Errors
) -> tuple[set[str], dict[str, Value]]:
    """Return the ids of the questions shown and the values of their answers."""
    shown: set[str] = set()
    answers: dict[str, Value] = {}
    for question in questionnaire.questions:
        if not visible(question, answers):
            continue
        shown.add(question.id)
        if isinstance(question, CalculateQuestion):
            value, sentences = calculated(question, answers), list[str]()
        else:
            value, sentences = normalise(question, given.get(question.id), complete=submitting)
        if value is not None and submitting:
            sentences = broken(question, value, answers, today)
        for sentence in sentences:
            _add(errors, question.id, sentence)
        if value is not None:
            answers[question.id] = value
        elif submitting and not sentences and required(question, answers):
            _add(errors, question.id, "Answer this question; it is required.")
    return shown, answers


def _respondent(raw: Any, submitting: bool, errors: Errors) -> Respondent:
    given = raw if isinstance(raw, Mapping) else {}
    if raw is not None and not isinstance(raw, Mapping):
        _add(errors, "respondent", "Give the respondent by name, role and email.")
    for key in given.keys() - {"name", "role", "email"}:
        _add(errors, f"respondent.{_label(key)}", "Remove this; a respondent has name, role and email.")
    words = {key: _respondent_text(given.get(key), key, errors) for key in ("name", "role", "email")}
    if words["email"] and not _EMAIL.fullmatch(words["email"]):
        _add(errors, "respondent.email", "Enter an email address such as name@organisation.org.")
    if submitting and not words["name"] and "respondent.name" not in errors:
        _add(errors, "respondent.name", "Enter the name of the person who answers for the organisation.")
    return Respondent(**words)


def _respondent_text(raw: Any, key: str, errors: Errors) -> str:
    if raw is not None and not isinstance(raw, str):
        _add(errors, f"respondent.{key}", f"Enter the {key} as text.")
    text = clean_line(raw) if isinstance(raw, str) else ""
    if len(text) > 200:
        _add(errors, f"respondent.{key}", f"Shorten the {key} to 200 characters.")
    return text


def _declaration(raw: Any, submitting: bool, errors: Errors) -> bool:
    declared = False if is_blank(raw) else read_yes_no(raw)
    if declared is None:
        _add(errors, "declaration", "Answer yes or no.")
    elif submitting and not declared:
        _add(errors, "declaration", "Confirm that you are authorised to answer for the organisation.")
    return bool(declared)


def _language(questionnaire: Questionnaire, raw: Any, errors: Errors) -> str:
    if is_blank(raw):
        return questionnaire.languages[0]
    if not isinstance(raw, str) or raw not in questionnaire.languages:
        _add(errors, "language", f"Choose one of: {', '.join(questionnaire.languages)}.")
        return questionnaire.languages[0]
    return raw


def _by_question(questionnaire: Questionnaire, raw: Mapping[Any, Any], part: str, errors: Errors) -> dict[str, Any]:
    """Return the entries of `part` whose question exists."""
    given = raw.get(part)
    if given is not None and not isinstance(given, Mapping):
        _add(errors, part, f"Give the {part} by question.")
    entries = given if isinstance(given, Mapping) else {}
    for key in entries:
        if key not in questionnaire.by_id:
            _add(errors, key, "Remove this; the questionnaire has no such question.")
    return {name: entries[name] for name in questionnaire.by_id if name in entries}


def _evidence(
    questionnaire: Questionnaire, given: Mapping[str, Any], shown: set[str], errors: Errors
) -> dict[str, tuple[str, ...]]:
    evidence: dict[str, tuple[str, ...]] = {}
    for name, raw in given.items():
        if name not in shown or is_blank(raw):
            continue
        entries = raw if isinstance(raw, list | tuple) else [raw]
        files = [clean_line(each).lower() if isinstance(each, str) else each for each in entries]
        if questionnaire.by_id[name].evidence == "none":
            _add(errors, name, "Remove the evidence; this question takes none.")
        elif len(files) > _MOST_FILES:
            _add(errors, name, f"Give at most {_MOST_FILES} evidence files.")
        elif not all(is_sha256(each) for each in files):
            _add(errors, name, "Upload the evidence again; an entry isn't the SHA-256 of a file.")
        else:
            evidence[name] = tuple(dict.fromkeys(files))
    return evidence


def _comments(given: Mapping[str, Any], shown: set[str], errors: Errors) -> dict[str, str]:
    comments: dict[str, str] = {}
    for name, raw in given.items():
        if name not in shown or is_blank(raw):
            continue
        text = clean_text(raw) if isinstance(raw, str) else None
        if text is None:
            _add(errors, name, "Enter the comment as text.")
        elif len(text) > _LONGEST_COMMENT:
            _add(errors, name, f"Shorten the comment to {_LONGEST_COMMENT} characters; it has {len(text)}.")
        else:
            comments[name] = text
    return comments


def _plain(value: Value) -> Any:
    if isinstance(value, tuple):
        return [dict(item) if isinstance(item, Mapping) else item for item in value]
    if isinstance(value, Mapping):
        return {name: dict(item) if isinstance(item, Mapping) else item for name, item in value.items()}
    return value


def _add(errors: Errors, key: object, sentence: str) -> None:
    sentences = errors.setdefault(_label(key), [])
    if sentence not in sentences:
        sentences.append(sentence)


def _label(key: object) -> str:
    """Return the name under which an error is reported: as it came, if people and databases can hold it."""
    return (clean_line(key)[:100] if isinstance(key, str) else str(type(key).__name__)) or "?"

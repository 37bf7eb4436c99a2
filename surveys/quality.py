"""What a coordinator should ask back about: the data-quality rules, each a pure function that yields flags.

Source: the "DQ rule types" of the self-assessment survey: completeness; type and range; sum to 100;
cross-field (total = parts); unit plausibility; year-on-year change beyond 50 %; duplicate text across
members; evidence missing, unreadable or expired; contradiction with known facts; respondent authority.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from surveys.answers import Validated
from surveys.authority import authority
from surveys.figures import plausible, sums_to_100, totals, year_on_year
from surveys.flags import Flag, Rule, Severity
from surveys.normalise import normalise
from surveys.questionnaire import Questionnaire
from surveys.questions import DateQuestion, Question
from surveys.routing import asked, counted, required
from surveys.values import Value, clean_text
from surveys.wording import digests_of

LONG_TEXT = 60
"""Letters and digits from which on the same text from two members is more than a coincidence."""

PLACEHOLDERS = frozenset({"na", "none", "nil", "tbc", "tbd", "tba", "todo", "xxx", "test", "unknown", "seeabove", ""})
"""Texts which, without spaces and punctuation, answer nothing."""

_NO_EXPIRY: Mapping[str, date] = MappingProxyType({})


@dataclass(frozen=True)
class Completion:
    """How many of the required items are answered. Source: KPI K27, required answered / required."""

    answered: int
    required: int

    @property
    def share(self) -> float | None:
        """Return the share answered, 0..1, or None where nothing is required."""
        return self.answered / self.required if self.required else None


def review(
    questionnaire: Questionnaire,
    validated: Validated,
    *,
    last_year: Mapping[str, object],
    other_texts: Set[str],
    facts: Mapping[str, Value],
    contacts: Collection[str],
    evidence_expires: Mapping[str, date] = _NO_EXPIRY,
    unreadable: Set[str] = frozenset(),
    today: date,
) -> list[Flag]:
    """Return everything to ask back about, in the order of the questions, the respondent last.

    `last_year` is last year's answers by last year's question ids; `other_texts` the text fingerprints of
    other members; `facts` what is known of the member; `contacts` its known addresses and domains;
    `evidence_expires` and `unreadable` speak of evidence by SHA-256.
    """
    answers = counted(questionnaire, validated.answers)
    cross = list(totals(questionnaire, answers))
    flags: list[Flag] = []
    for question in asked(questionnaire, answers):
        flags += complete(question, answers)
        value = answers.get(question.id)
        if value is not None:
            flags += fits(question, value)
            flags += sums_to_100(question, value)
            flags += plausible(question, value)
            flags += year_on_year(question, value, last_year)
            flags += copied(question, value, other_texts)
            flags += contradicted(question, value, facts)
            flags += evidenced(question, validated, evidence_expires, unreadable, today=today)
        flags += [flag for flag in cross if flag.question == question.id]
    return [*flags, *authority(validated.respondent, validated.declaration, contacts)]


def completion(questionnaire: Questionnaire, validated: Validated) -> Completion:
    """Return how many of the required questions that are asked have a real answer."""
    answers = counted(questionnaire, validated.answers)
    needed = [each for each in asked(questionnaire, answers) if required(each, answers)]
    missing = [each for each in needed if any(complete(each, answers))]
    return Completion(answered=len(needed) - len(missing), required=len(needed))


def complete(question: Question, answers: Mapping[str, Value]) -> Iterator[Flag]:
    """Yield a flag if a required question has no answer, or a text that answers nothing."""
    if not required(question, answers):
        return
    value = answers.get(question.id)
    if value is None:
        yield Flag(Rule.COMPLETENESS, question.id, "This required question has no answer.", Severity.HIGH)
    elif question.type in {"text", "long_text"} and _letters(str(value)) in PLACEHOLDERS:
        text = f"“{value}” doesn't answer this required question."
        yield Flag(Rule.COMPLETENESS, question.id, text, Severity.MEDIUM)


def fits(question: Question, value: Value) -> Iterator[Flag]:
    """Yield a flag for each reason for which `value` isn't of the type or in the range asked for.

    Submissions are checked when they come in; this catches answers from elsewhere, or of another version.
    """
    for sentence in normalise(question, value, complete=True)[1]:
        yield Flag(Rule.TYPE_RANGE, question.id, f"The answer doesn't fit: {sentence}", Severity.HIGH)


def text_fingerprints(questionnaire: Questionnaire, validated: Validated) -> dict[str, str]:
    """Return the fingerprint of each long text that is long enough to compare, by question."""
    found = {
        question.id: text_fingerprint(str(validated.answers[question.id]))
        for question in asked(questionnaire, validated.answers)
        if question.type == "long_text" and question.id in validated.answers
    }
    return {name: fingerprint for name, fingerprint in found.items() if fingerprint is not None}


def text_fingerprint(text: str) -> str | None:
    """Return the SHA-256 of the letters and digits of `text`, case aside, or None where it is short."""
    letters = _letters(text)
    return hashlib.sha256(letters.encode()).hexdigest() if len(letters) >= LONG_TEXT else None


def copied(question: Question, value: Value, other_texts: Set[str]) -> Iterator[Flag]:
    """Yield a flag if another member gave the same long text."""
    fingerprint = text_fingerprint(str(value)) if question.type == "long_text" else None
    if fingerprint is not None and fingerprint in other_texts:
        text = "Another member's answer has the same words."
        yield Flag(Rule.DUPLICATE_TEXT, question.id, text, Severity.MEDIUM)


def contradicted(question: Question, value: Value, facts: Mapping[str, Value]) -> Iterator[Flag]:
    """Yield a flag for each known fact with which the answer doesn't agree; an unknown fact says nothing."""
    for rule in question.contradicts:
        fact = facts.get(rule.fact)
        known = rule.known.holds(fact) if rule.known and rule.fact in facts else bool(fact)
        if known and rule.when.holds(value):
            yield Flag(Rule.CONTRADICTION, question.id, rule.text, Severity.HIGH)


def evidenced(
    question: Question,
    validated: Validated,
    expires: Mapping[str, date],
    unreadable: Set[str],
    *,
    today: date,
) -> Iterator[Flag]:
    """Yield flags for evidence that an answer needs and that is missing, unreadable or no longer valid."""
    value = validated.answers[question.id]
    given = validated.evidence.get(question.id, ())
    wanted = question.evidence_when is None or question.evidence_when.holds(value)
    if not given and wanted and question.evidence == "required":
        yield _evidence(question, "The evidence for this answer is missing.", Severity.HIGH)
    elif not given and wanted and question.evidence == "encouraged":
        yield _evidence(question, "No evidence was given for this answer; it was asked for.", Severity.LOW)
    for file in _files_of(question, validated.answers, validated.evidence):
        if file in unreadable:
            yield _evidence(question, f"Evidence {file[:12]} can't be read.", Severity.HIGH)
        if file in expires and expires[file] < today:
            text = f"Evidence {file[:12]} expired on {expires[file].isoformat()}."
            yield _evidence(question, text, Severity.HIGH)
    if isinstance(question, DateQuestion) and question.expiry_of is not None and str(value) < today.isoformat():
        text = f"The evidence for '{question.expiry_of}' expired on {value}."
        yield _evidence(question, text, Severity.HIGH)


def files_in(
    questionnaire: Questionnaire, answers: Mapping[str, Any], evidence: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """Return the SHA-256 of every file that some answers name, as evidence or as the answer itself."""
    return frozenset(file for each in questionnaire.questions for file in _files_of(each, answers, evidence))


def expiries(
    questionnaire: Questionnaire, answers: Mapping[str, Any], evidence: Mapping[str, Sequence[str]]
) -> dict[str, date]:
    """Return until when files are valid by what answers to this questionnaire say of them, by SHA-256."""
    found: dict[str, date] = {}
    for question in questionnaire.questions:
        if isinstance(question, DateQuestion) and question.expiry_of is not None and answers.get(question.id):
            until = date.fromisoformat(str(answers[question.id]))
            about = questionnaire.by_id[question.expiry_of]
            found |= dict.fromkeys(_files_of(about, answers, evidence), until)
    return found


def _files_of(question: Question, answers: Mapping[str, Any], evidence: Mapping[str, Sequence[str]]) -> list[str]:
    files = list(evidence.get(question.id, ()))
    if question.type == "file" and answers.get(question.id):
        files += digests_of(answers[question.id])
    return files


def _evidence(question: Question, text: str, severity: Severity) -> Flag:
    return Flag(Rule.EVIDENCE, question.id, text, severity)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", clean_text(text).casefold())

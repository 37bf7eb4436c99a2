"""The data-quality rules: each flags what it should, and nothing else."""

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from surveys.answers import Validated, validate
from surveys.flags import Flag, Rule, Severity
from surveys.quality import completion, expiries, files_in, review, text_fingerprint, text_fingerprints
from surveys.questionnaire import Questionnaire
from surveys.sample import CONTACT, COPIED, sample_answers

SHIPPED = Path(__file__).parents[2] / "config" / "questionnaires"
SELF_ASSESSMENT, PULSE = (
    Questionnaire.parse(yaml.safe_load((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")))
    for name in ("self-assessment", "pulse")
)
TODAY = date(2026, 3, 10)
FILE, OTHER_FILE = "ab" * 32, "cd" * 32
PROSE = "We visited every supplier of the northern region and published what we found in three languages."
PARTS = [{"id": "p", "text": "P"}, {"id": "q", "text": "Q"}]
CHOICES = [{"value": name, "label": name} for name in ("x", "y")]


def asking(*questions: dict[str, Any], **changes: Any) -> Questionnaire:
    section = {"id": "one", "title": "One", "questions": [{"text": "?"} | question for question in questions]}
    definition = {"name": "t", "version": 1, "title": "T", "intent": "I", "languages": ["en"]}
    return Questionnaire.parse(definition | {"sections": [section]} | changes)


def a_response(questionnaire: Questionnaire, answers: dict[str, Any], **changes: Any) -> Validated:
    """Return a response of Chandra with `answers`, complete or not."""
    respondent = {"name": "Chandra Nair", "role": "Director", "email": "chandra@member.example"}
    raw = {"respondent": respondent, "declaration": True, "answers": answers} | changes
    found = validate(questionnaire, raw, submitting=False)
    assert isinstance(found, Validated), found
    return found


def flags_of(questionnaire: Questionnaire, response: Validated, **known: Any) -> list[Flag]:
    nothing: dict[str, Any] = {
        "last_year": {},
        "other_texts": set(),
        "facts": {},
        "contacts": ["member.example"],
    }
    return review(questionnaire, response, **(nothing | known | {"today": known.get("today", TODAY)}))


def rules_of(questions: list[dict[str, Any]], answers: dict[str, Any], **known: Any) -> list[tuple[Rule, str]]:
    changes = {key: known.pop(key) for key in ("evidence", "checks") if key in known}
    questionnaire = asking(*questions, **{key: changes[key] for key in changes if key == "checks"})
    response = a_response(questionnaire, answers, **{key: changes[key] for key in changes if key == "evidence"})
    return [(flag.rule, flag.question) for flag in flags_of(questionnaire, response, **known)]


@pytest.mark.parametrize(
    ("answers", "flagged"),
    [
        ({}, True),
        ({"a": "n/a"}, True),
        ({"a": " - "}, True),
        ({"a": "T.B.C."}, True),
        ({"a": "None of our sites is affected."}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["text", "long_text"])
def test_a_required_question_without_a_real_answer_is_incomplete(kind, answers, flagged):
    found = rules_of([{"id": "a", "type": kind, "required": True}], answers)
    assert found == [(Rule.COMPLETENESS, "a")] * flagged


def test_an_optional_or_hidden_question_is_never_incomplete():
    gate = {"id": "gate", "type": "yes_no"}
    hidden = {"id": "b", "type": "text", "required": True, "show_if": {"question": "gate", "equals": True}}
    assert rules_of([gate, hidden], {"gate": False}) == []
    assert rules_of([gate, hidden], {"gate": True}) == [(Rule.COMPLETENESS, "b")]


def test_completion_is_required_answered_over_required():
    gate = {"id": "gate", "type": "yes_no", "required": True}
    more = {"id": "b", "type": "text", "required_if": {"question": "gate", "equals": True}}
    questionnaire = asking(gate, more, {"id": "c", "type": "text"})
    for answers, share in (
        ({}, 0),
        ({"gate": False}, 1),
        ({"gate": True}, 0.5),
        ({"gate": True, "b": "tbd"}, 0.5),
    ):
        assert completion(questionnaire, a_response(questionnaire, answers)).share == share
    assert completion(asking({"id": "a", "type": "text"}), a_response(asking(gate), {})).share is None


def test_an_answer_that_came_in_past_the_checks_is_flagged_for_type_and_range():
    questionnaire = asking({"id": "a", "type": "number", "max": 10}, {"id": "b", "type": "yes_no"})
    smuggled = dataclasses.replace(a_response(questionnaire, {}), answers={"a": 11, "b": "perhaps"})
    found = flags_of(questionnaire, smuggled)
    assert [(flag.rule, flag.question) for flag in found] == [(Rule.TYPE_RANGE, "a"), (Rule.TYPE_RANGE, "b")]
    assert found[0].text == "The answer doesn't fit: Enter 10 or less."


@pytest.mark.parametrize(
    ("p", "q", "flagged"),
    [(50, 50, False), (33.3, 66.6, False), (50, 49.5, True), (50, 50.1, False), (50.2, 50, True)],
)
def test_percentages_that_miss_100_by_more_than_rounding_are_flagged(p, q, flagged):
    question = {"id": "a", "type": "percentages", "parts": PARTS}
    assert rules_of([question], {"a": {"p": p, "q": q}}) == [(Rule.SUM_TO_100, "a")] * flagged


NUMBERS = [{"id": name, "type": "number"} for name in ("a", "b", "total")]


@pytest.mark.parametrize(
    ("answers", "flagged"),
    [
        ({"a": 1, "b": 2, "total": 3}, False),
        ({"a": 0.1, "b": 0.2, "total": 0.8}, False),
        ({"a": 0.1, "b": 0.2, "total": 0.81}, True),
        ({"a": 1, "b": 2, "total": 4}, True),
        ({"a": 3, "total": 3}, False),
        ({"a": 3, "total": 5}, True),
        ({"total": 5}, False),
        ({"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2, "total": 0}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", ["check", "total_of"])
def test_a_total_that_is_not_the_sum_of_its_parts_is_flagged(way, answers, flagged):
    if way == "check":
        checks = [{"total": {"question": "total", "parts": ["a", "b"]}}]
        found = rules_of(NUMBERS, answers, checks=checks)
    else:
        found = rules_of([*NUMBERS[:2], NUMBERS[2] | {"total_of": ["a", "b"]}], answers)
    assert found == [(Rule.CROSS_FIELD, "total")] * flagged


@pytest.mark.parametrize(("total", "flagged"), [(5, False), (6, True)])
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed rows", "free rows"])
def test_a_total_may_be_of_the_column_of_a_table(fixed, total, flagged):
    columns = [{"id": "t", "type": "number", "text": "T"}, {"id": "w", "type": "text", "text": "W"}]
    table = {"id": "a", "type": "table", "columns": columns}
    rows = {"p": {"t": 2}, "q": {"t": 3, "w": "x"}}
    questions = [table | ({"rows": PARTS} if fixed else {"max_rows": 4}), {"id": "sum", "type": "number"}]
    found = rules_of(
        questions,
        {"a": rows if fixed else list(rows.values()), "sum": total},
        checks=[{"total": {"question": "sum", "parts": ["a.t"]}}],
    )
    assert found == [(Rule.CROSS_FIELD, "sum")] * flagged


@pytest.mark.parametrize(("number", "flagged"), [(10, False), (9.9, True), (20, False), (20.1, True)])
def test_a_number_outside_its_plausible_range_is_flagged(number, flagged):
    question = {"id": "a", "type": "number", "unit": "t", "plausible": {"min": 10, "max": 20}}
    assert rules_of([question], {"a": number}) == [(Rule.PLAUSIBILITY, "a")] * flagged


def test_a_number_in_a_table_is_flagged_with_its_row_and_column():
    column = {"id": "t", "type": "number", "text": "Tonnes", "unit": "t", "plausible": {"max": 5}}
    table = {"id": "a", "type": "table", "columns": [column], "rows": PARTS}
    questionnaire = asking(table)
    (flag,) = flags_of(questionnaire, a_response(questionnaire, {"a": {"p": {"t": 1}, "q": {"t": 1234}}}))
    assert flag.text == "Q, Tonnes: 1,234 t is outside what is usual (up to 5)."


@pytest.mark.parametrize(
    ("before", "now", "flagged"),
    [
        (100, 150, False),
        (100, 150.1, True),
        (100, 50, False),
        (100, 49.9, True),
        (0.2, 0.3, False),
        (0, 0, False),
        (0, 1, True),
        ("1,000", 1600, True),
        ("about a hundred", 1, False),
        (None, 1, False),
        (-100, -150, False),
        (-100, 100, True),
    ],
)
def test_a_change_of_more_than_half_since_last_year_is_flagged(before, now, flagged):
    question = {"id": "a", "type": "number", "last_year": "old"}
    found = rules_of([question], {"a": now}, last_year={"old": before, "a": 9999})
    assert found == [(Rule.YEAR_ON_YEAR, "a")] * flagged


def test_a_question_that_maps_to_nothing_of_last_year_is_not_compared():
    assert rules_of([{"id": "a", "type": "number"}], {"a": 1}, last_year={"a": 9999}) == []


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        (1000, 250, "This changed by -75% since last year: from 1,000 to 250."),
        (-100, 100, "This changed by +200% since last year: from -100 to 100."),
        (0, 3, "Last year's answer was 0, this year's is 3."),
    ],
)
def test_the_change_is_told_in_words(before, now, sentence):
    questionnaire = asking({"id": "a", "type": "number", "last_year": "a"})
    (flag,) = flags_of(questionnaire, a_response(questionnaire, {"a": now}), last_year={"a": before})
    assert flag.text == sentence


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        (PROSE, True),
        (PROSE.upper().replace(" ", "\n\n"), True),
        (PROSE.replace(",", "").rstrip("."), True),
        (PROSE + " And more.", False),
    ],
)
def test_a_long_text_with_the_words_of_another_member_is_flagged(text, flagged):
    questionnaire = asking({"id": "other", "type": "long_text"})
    theirs = text_fingerprints(questionnaire, a_response(questionnaire, {"other": PROSE}))
    assert list(theirs) == ["other"]
    found = rules_of([{"id": "a", "type": "long_text"}], {"a": text}, other_texts=set(theirs.values()))
    assert found == [(Rule.DUPLICATE_TEXT, "a")] * flagged


def test_a_short_text_has_no_fingerprint_and_is_never_a_copy():
    assert text_fingerprint("Yes, see above.") is None
    questionnaire = asking({"id": "a", "type": "long_text"})
    assert text_fingerprints(questionnaire, a_response(questionnaire, {"a": "Yes, see above."})) == {}
    assert rules_of([{"id": "a", "type": "long_text"}], {"a": "Yes, see above."}, other_texts={None}) == []


@pytest.mark.parametrize(
    ("evidence", "answers", "given_files", "severity"),
    [
        ("required", {"a": True}, [], Severity.HIGH),
        ("encouraged", {"a": True}, [], Severity.LOW),
        ("required", {"a": True}, [FILE], None),
        ("required", {"a": False}, [], None),
        ("required", {}, [], None),
    ],
)
def test_missing_evidence_is_flagged_when_the_answer_calls_for_it(evidence, answers, given_files, severity):
    question = {"id": "a", "type": "yes_no", "evidence": evidence, "evidence_when": {"equals": True}}
    questionnaire = asking(question)
    found = flags_of(questionnaire, a_response(questionnaire, answers, evidence={"a": given_files}))
    assert [flag.severity for flag in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("expires", "flagged"),
    [(date(2026, 3, 9), True), (date(2026, 3, 10), False), (date(2027, 1, 1), False)],
)
def test_evidence_known_to_have_expired_is_flagged(expires, flagged):
    questions = [{"id": "a", "type": "text", "evidence": "required"}, {"id": "b", "type": "file"}]
    found = rules_of(
        questions,
        {"a": "x", "b": OTHER_FILE},
        evidence={"a": [FILE]},
        evidence_expires={FILE: expires, OTHER_FILE: expires},
    )
    assert found == [(Rule.EVIDENCE, "a"), (Rule.EVIDENCE, "b")] * flagged


@pytest.mark.parametrize(("until", "flagged"), [("2026-03-09", True), ("2026-03-10", False)])
def test_a_certificate_past_the_date_the_member_gave_is_flagged(until, flagged):
    questions = [{"id": "a", "type": "file"}, {"id": "until", "type": "date", "expiry_of": "a"}]
    assert rules_of(questions, {"a": FILE, "until": until}) == [(Rule.EVIDENCE, "until")] * flagged


def test_until_when_a_file_is_valid_is_known_from_answers_that_name_it():
    certificate, until = {"id": "a", "type": "file"}, {"id": "until", "type": "date", "expiry_of": "a"}
    questionnaire = asking(certificate, until)

    assert expiries(questionnaire, {"a": FILE, "until": "2026-03-09"}, {}) == {FILE: date(2026, 3, 9)}
    assert expiries(questionnaire, {"a": FILE}, {}) == expiries(questionnaire, {"until": "2026-03-09"}, {}) == {}
    assert files_in(questionnaire, {"a": FILE}, {"until": [OTHER_FILE]}) == {FILE, OTHER_FILE}


def test_evidence_that_cannot_be_read_is_flagged():
    questions = [{"id": "a", "type": "text", "evidence": "required"}]
    found = rules_of(questions, {"a": "x"}, evidence={"a": [FILE, OTHER_FILE]}, unreadable={OTHER_FILE})
    assert found == [(Rule.EVIDENCE, "a")]


@pytest.mark.parametrize(
    ("known", "facts", "answer", "flagged"),
    [
        (None, {"hits": True}, False, True),
        (None, {"hits": 2}, False, True),
        (None, {"hits": 0}, False, False),
        (None, {"hits": True}, True, False),
        (None, {}, False, False),
        ({"greater_than": 3}, {"hits": 3}, False, False),
        ({"greater_than": 3}, {"hits": 4}, False, True),
        ({"answered": False}, {}, False, False),
        ({"equals": "revoked"}, {"hits": "revoked"}, False, True),
    ],
)
def test_an_answer_against_a_known_fact_is_flagged(known, facts, answer, flagged):
    rule = {"fact": "hits", "known": known, "when": {"equals": False}, "text": "There are hits."}
    found = rules_of([{"id": "a", "type": "yes_no", "contradicts": rule}], {"a": answer}, facts=facts)
    assert found == [(Rule.CONTRADICTION, "a")] * flagged


@pytest.mark.parametrize(
    ("email", "contacts", "flagged"),
    [
        ("chandra@member.example", ["chandra@member.example"], False),
        ("Chandra@Member.Example", [" CHANDRA@member.example "], False),
        ("chandra@member.example", ["amara@member.example"], False),
        ("chandra@member.example", ["member.example"], False),
        ("chandra@uk.member.example", ["member.example"], False),
        ("chandra@notmember.example", ["member.example"], True),
        ("chandra@member.example.evil.example", ["member.example"], True),
        ("chandra@agency.example", ["member.example"], True),
        ("chandra@gmail.com", ["dov@gmail.com"], True),
        ("chandra@gmail.com", ["chandra@gmail.com"], False),
        ("chandra@gmail.com", ["gmail.com"], True),
        ("chandra@member.example", [], True),
        ("", ["member.example"], True),
    ],
)
def test_a_respondent_at_no_known_address_or_domain_is_flagged(email, contacts, flagged):
    questionnaire = asking({"id": "a", "type": "text"})
    response = a_response(questionnaire, {}, respondent={"name": "Chandra", "role": "Director", "email": email})
    found = flags_of(questionnaire, response, contacts=contacts)
    assert [(flag.rule, flag.question) for flag in found] == [(Rule.AUTHORITY, "respondent.email")] * flagged


def test_a_response_without_name_role_or_declaration_is_flagged():
    questionnaire = asking({"id": "a", "type": "text"})
    response = a_response(questionnaire, {}, respondent={"email": CONTACT}, declaration=False)
    found = {flag.question: flag.severity for flag in flags_of(questionnaire, response)}
    assert found == {
        "declaration": Severity.HIGH,
        "respondent.name": Severity.HIGH,
        "respondent.role": Severity.LOW,
    }


def test_what_was_answered_to_a_question_now_hidden_raises_no_flag():
    gate = {"id": "gate", "type": "yes_no"}
    hidden = {
        "id": "a",
        "type": "number",
        "plausible": {"max": 1},
        "show_if": {"question": "gate", "equals": True},
    }
    total = {"id": "sum", "type": "number", "total_of": ["a"]}
    questionnaire = asking(gate, hidden, total)
    answers = {"gate": False, "a": 5, "sum": 9}
    left_over = dataclasses.replace(a_response(questionnaire, {}), answers=answers)
    assert flags_of(questionnaire, left_over) == []
    assert len(flags_of(questionnaire, dataclasses.replace(left_over, answers=answers | {"gate": True}))) == 2


def test_flags_come_in_the_order_of_the_questions_and_the_respondent_last():
    questions = [{"id": name, "type": "text", "required": True} for name in ("b", "a")]
    found = rules_of(questions, {}, contacts=[])
    assert [question for _, question in found] == ["b", "a", "respondent.email"]


def a_sample(questionnaire: Questionnaire, seed: int, quality: Any) -> Validated:
    found = validate(questionnaire, sample_answers(questionnaire, seed=seed, quality=quality), submitting=True)
    assert isinstance(found, Validated), found
    return found


@pytest.mark.parametrize("questionnaire", [SELF_ASSESSMENT, PULSE], ids=lambda each: each.name)
def test_good_sample_answers_raise_no_flag(questionnaire):
    for seed in range(60):
        assert flags_of(questionnaire, a_sample(questionnaire, seed, "good")) == [], seed


def test_poor_sample_answers_raise_flags_of_most_kinds():
    copied = {text_fingerprint(COPIED)}
    rules: set[Rule] = set()
    for seed in range(20):
        found = flags_of(SELF_ASSESSMENT, a_sample(SELF_ASSESSMENT, seed, "poor"), other_texts=copied)
        assert len(found) >= 5
        rules |= {flag.rule for flag in found}
    wanted = {
        Rule.PLAUSIBILITY,
        Rule.CROSS_FIELD,
        Rule.DUPLICATE_TEXT,
        Rule.EVIDENCE,
        Rule.SUM_TO_100,
        Rule.AUTHORITY,
    }
    assert wanted <= rules


def test_two_good_samples_never_share_a_long_text():
    seen: set[str] = set()
    for seed in range(30):
        own = set(text_fingerprints(SELF_ASSESSMENT, a_sample(SELF_ASSESSMENT, seed, "good")).values())
        assert own
        assert not own & seen
        seen |= own


LAST_YEAR = st.dictionaries(
    st.sampled_from([question.last_year for question in SELF_ASSESSMENT.questions if question.last_year]),
    st.none() | st.booleans() | st.text(max_size=6) | st.integers() | st.floats() | st.lists(st.integers()),
)


@given(st.integers(0, 30), st.sampled_from(["good", "poor"]), LAST_YEAR)
def test_a_review_never_raises_and_speaks_of_questions_and_of_the_respondent_only(seed, quality, last_year):
    found = flags_of(SELF_ASSESSMENT, a_sample(SELF_ASSESSMENT, seed, quality), last_year=last_year)
    for flag in found:
        assert flag.question in SELF_ASSESSMENT.by_id or flag.question.startswith(("respondent.", "declaration"))
        assert flag.text.endswith(".")

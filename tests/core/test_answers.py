"""What a member sends becomes values, or a sentence for each thing to put right."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from surveys.answers import Invalid, Validated, validate
from surveys.questionnaire import Questionnaire
from surveys.sample import sample_answers

SHIPPED = Path(__file__).parents[2] / "config" / "questionnaires"
SELF_ASSESSMENT, PULSE = (
    Questionnaire.parse(yaml.safe_load((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")))
    for name in ("self-assessment", "pulse")
)
CHOICES = [{"value": value, "label": value.upper()} for value in ("x", "y", "z")]
COLUMNS = [
    {"id": "name", "type": "text", "text": "Name", "required": True},
    {"id": "tons", "type": "number", "text": "Tons", "min": 0},
]
FILE = "ab" * 32

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def asking(*questions: dict[str, Any]) -> Questionnaire:
    section = {"id": "one", "title": "One", "questions": [{"text": "?"} | question for question in questions]}
    definition = {"name": "t", "version": 1, "title": "T", "intent": "I", "languages": ["en", "fr"]}
    return Questionnaire.parse(definition | {"sections": [section]})


def a_response(answers: Any = None, **changes: Any) -> dict[str, Any]:
    respondent = {"name": "Chandra Nair", "role": "Director", "email": "chandra@member.example"}
    return {"respondent": respondent, "declaration": True, "answers": answers or {}} | changes


def value_of(kind: str, raw: Any, *, submitting: bool = True, **options: Any) -> Any:
    """Return the value that one question makes of `raw`; fails if it is refused."""
    outcome = validate(asking({"id": "a", "type": kind} | options), a_response({"a": raw}), submitting=submitting)
    assert isinstance(outcome, Validated), outcome
    return outcome.answers.get("a")


def errors_of(kind: str, raw: Any, *, submitting: bool = True, **options: Any) -> str:
    """Return the sentences with which one question refuses `raw`."""
    outcome = validate(asking({"id": "a", "type": kind} | options), a_response({"a": raw}), submitting=submitting)
    assert isinstance(outcome, Invalid), outcome
    assert list(outcome.errors) == ["a"]
    return " ".join(outcome.errors["a"])


PARTS = [{"id": name, "text": name.upper()} for name in ("p", "q", "r")]
THIRDS = {"p": 33.3, "q": 33.3, "r": 33.4}
ROWS = [{"id": "north", "text": "North"}, {"id": "south", "text": "South"}]
FREE = {"columns": COLUMNS, "max_rows": 1}
FIXED = {"columns": COLUMNS, "rows": ROWS}


@pytest.mark.parametrize(
    ("kind", "options", "raw", "value"),
    [
        ("text", {}, "  two \t words ", "two words"),
        ("text", {}, "Cafe\u0301", "Café"),
        ("text", {}, "a\x00b\u200b\ud800", "ab"),
        ("text", {"pattern": "[A-Z]{2}", "example": "GB"}, " FR ", "FR"),
        ("long_text", {}, " one\r\ntwo\rthree \n", "one\ntwo\nthree"),
        ("number", {}, "1,234.5", 1234.5),
        ("number", {}, "1 234 567", 1234567),
        ("number", {}, "1\u00a0234", 1234),
        ("number", {}, "1'234", 1234),
        ("number", {}, " -0.50 ", -0.5),
        ("number", {}, "\u22123", -3),
        ("number", {}, ".5", 0.5),
        ("number", {}, 7.0, 7),
        ("number", {"unit": "t"}, "12 t", 12),
        ("number", {"unit": "%"}, "99%", 99),
        ("number", {"min": 0, "max": 10}, "10", 10),
        ("number", {"integer": True}, "3.00", 3),
        ("date", {}, " 2024-02-29 ", "2024-02-29"),
        ("date", {}, "20240229", "2024-02-29"),
        ("date", {"min": "2024-01-01"}, "2024-01-01", "2024-01-01"),
        ("yes_no", {}, "Yes", True),
        ("yes_no", {}, "off", False),
        ("yes_no", {}, False, False),
        ("yes_no", {}, 1, True),
        ("single", {"choices": CHOICES}, " y ", "y"),
        ("multiple", {"choices": CHOICES}, ["z", "x", "z"], ("x", "z")),
        ("multiple", {"choices": CHOICES}, "y", ("y",)),
        ("percentages", {"parts": PARTS}, {"p": "33.3", "q": "33.3 %", "r": 33.4}, THIRDS),
        ("percentages", {"parts": PARTS}, {"p": 100, "q": ""}, {"p": 100}),
        ("percentages", {"parts": PARTS}, {"p": 33, "q": 33, "r": 33}, {"p": 33, "q": 33, "r": 33}),
        ("table", {"columns": COLUMNS, "max_rows": 2}, [{"name": "A", "tons": "1,000"}, {"name": " "}, {}],
         ({"name": "A", "tons": 1000},)),
        ("table", FIXED, {"north": {"name": "A"}, "south": {}}, {"north": {"name": "A"}}),
        ("file", {}, FILE.upper(), FILE),
    ],
)  # fmt: skip
def test_an_answer_is_normalised(kind, options, raw, value):
    found = value_of(kind, raw, **options)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "options", "raw", "sentence"),
    [
        ("text", {}, 5, "Enter text."),
        ("text", {"max_length": 3}, "four", "Shorten this to 3 characters; it has 4."),
        ("text", {"pattern": "[A-Z]{2}", "example": "GB"}, "gb", "Enter this in the form of: GB."),
        ("long_text", {"max_length": 3}, "four", "Shorten this to 3 characters"),
        ("number", {}, "1.234,5", "Enter a number in digits, with a point for decimals"),
        ("number", {}, "1,5", "Enter a number in digits"),
        ("number", {}, "12,34", "Enter a number in digits"),
        ("number", {}, "1e5", "Enter a number in digits"),
        ("number", {}, "٣", "Enter a number in digits"),
        ("number", {}, True, "Enter a number in digits"),
        ("number", {}, float("nan"), "Enter a number in digits"),
        ("number", {}, float("inf"), "Enter a number in digits"),
        ("number", {}, 10**400, "Enter a number in digits"),
        ("number", {}, "9" * 5000, "Enter a number in digits"),
        ("number", {}, "12 kg", "Enter a number in digits"),
        ("number", {"integer": True}, "2.5", "Enter a whole number."),
        ("number", {"integer": True}, "1.000", "Enter a whole number without a point, such as 1,234."),
        ("number", {"min": 1000, "unit": "t"}, "999", "Enter 1,000 t or more."),
        ("number", {"max": 100}, 100.1, "Enter 100 or less."),
        ("date", {}, "29/02/2024", "Enter a date as year-month-day"),
        ("date", {}, "2023-02-29", "Enter a date as year-month-day"),
        ("date", {}, 20240229, "Enter a date as year-month-day"),
        ("date", {"min": "2024-01-01"}, "2023-12-31", "Enter a date from 1 January 2024 on."),
        ("date", {"max": "2024-01-01"}, "2024-01-02", "Enter a date up to 1 January 2024."),
        ("yes_no", {}, "maybe", "Answer yes or no."),
        ("yes_no", {}, 2, "Answer yes or no."),
        ("single", {"choices": CHOICES}, "w", "Choose one of: x, y, z."),
        ("single", {"choices": CHOICES}, ["x"], "Choose one of: x, y, z."),
        ("multiple", {"choices": CHOICES}, ["x", "w"], "Choose only from: x, y, z."),
        ("multiple", {"choices": CHOICES}, {"x": True}, "Choose from: x, y, z."),
        ("multiple", {"choices": CHOICES, "max": 1}, ["x", "y"], "Choose at most 1; 2 are chosen."),
        ("percentages", {"parts": PARTS}, {"p": 101}, "P: enter a number from 0 to 100."),
        ("percentages", {"parts": PARTS}, {"p": 100, "w": 0}, "There is no part called 'w'; remove it."),
        ("percentages", {"parts": PARTS}, [100], "Give each part its percentage."),
        ("table", FREE, [{"name": "A"}, {"name": "B"}], "Give at most 1 rows; there are 2."),
        ("table", FREE, [{"name": "A", "tons": -1}], "Row 1, Tons: Enter 0 or more."),
        ("table", FREE, [{"name": "A", "w": 1}], "Row 1: there is no column called 'w'"),
        ("table", FREE, ["A"], "Row 1: give the row by column."),
        ("table", FREE, {"name": "A"}, "Give the table as a list of rows."),
        ("table", FIXED, {"west": {"name": "A"}}, "There is no row called 'west'"),
        ("table", FIXED, [{"name": "A"}], "Give the table by row: north, south."),
        ("file", {}, "contract.pdf", "Upload the file again"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("submitting", [True, False], ids=["submitting", "saving"])
def test_what_does_not_fit_is_refused_with_what_to_do_even_in_a_draft(kind, options, raw, sentence, submitting):
    assert sentence in errors_of(kind, raw, submitting=submitting, **options)


@pytest.mark.parametrize(
    ("kind", "options", "raw", "sentence"),
    [
        (
            "percentages",
            {"parts": PARTS},
            {"p": 50, "q": 48.9},
            "Make the parts total 100 %; they total 98.9 %.",
        ),
        ("percentages", {"parts": PARTS}, {"p": 50, "q": 51.1}, "they total 101.1 %."),
        ("multiple", {"choices": CHOICES, "min": 2}, ["x"], "Choose at least 2; only 1 chosen."),
        ("table", FREE, [{"tons": 1}], "Row 1, Name: fill this in."),
        ("table", FIXED, {"north": {"tons": 1}}, "North, Name: fill this in."),
        (
            "table",
            {"columns": COLUMNS, "rows": ROWS, "required": True},
            {"north": {"name": "A"}},
            "South, Name: fill",
        ),
    ],
)
def test_what_is_not_whole_yet_is_kept_in_a_draft_and_refused_when_submitting(kind, options, raw, sentence):
    assert value_of(kind, raw, submitting=False, **options) is not None
    assert sentence in errors_of(kind, raw, **options)


def test_a_whole_number_too_long_to_write_down_is_refused():
    assert errors_of("number", 10**5000).startswith("Enter a number in digits")


def test_an_exclusive_choice_stands_alone():
    choices = [*CHOICES, {"value": "none", "label": "None", "exclusive": True}]
    assert errors_of("multiple", ["x", "none"], choices=choices).startswith("Choose either 'None' or the others")
    assert value_of("multiple", ["none"], choices=choices, min=2) == ("none",)


@pytest.mark.parametrize("blank", [None, "", " \n", [], {}, [""], [None, {}], {"p": ""}, "\u200b"], ids=repr)
@pytest.mark.parametrize("kind", ["text", "number", "date", "yes_no", "file"])
def test_a_blank_is_no_answer(kind, blank):
    assert value_of(kind, blank) is None
    assert errors_of(kind, blank, required=True) == "Answer this question; it is required."


def test_a_draft_may_lack_everything():
    outcome = validate(SELF_ASSESSMENT, {}, submitting=False)
    assert isinstance(outcome, Validated)
    assert (outcome.answers, outcome.submitted, outcome.declaration) == ({}, False, False)


def test_a_submission_that_lacks_everything_is_told_of_everything():
    outcome = validate(SELF_ASSESSMENT, {}, submitting=True)
    assert isinstance(outcome, Invalid)
    always = {question.id for question in SELF_ASSESSMENT.questions if question.required}
    assert set(outcome.errors) == always | {"respondent.name", "declaration"}


GATE = {"id": "gate", "type": "yes_no", "required": True}
DETAIL = {
    "id": "detail",
    "type": "text",
    "show_if": {"question": "gate", "equals": True},
    "required_if": {"question": "gate", "equals": True},
    "evidence": "encouraged",
}


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"gate": True, "detail": "x"}, {"gate": True, "detail": "x"}),
        ({"gate": False, "detail": "x"}, {"gate": False}),
        ({"gate": False, "detail": ""}, {"gate": False}),
        ({"gate": True}, {"detail": ["Answer this question; it is required."]}),
        ({"detail": "x"}, {"gate": ["Answer this question; it is required."]}),
    ],
)
def test_a_question_is_required_only_while_it_is_shown(answers, outcome):
    found = validate(asking(GATE, DETAIL), a_response(answers), submitting=True)
    assert (found.errors if isinstance(found, Invalid) else found.answers) == outcome


def test_what_belongs_to_a_hidden_question_is_dropped_and_named():
    raw = a_response({"gate": False, "detail": 5}, evidence={"detail": [FILE]}, comments={"detail": "See file."})
    found = validate(asking(GATE, DETAIL), raw, submitting=True)
    assert isinstance(found, Validated)
    assert (found.answers, found.evidence, found.comments) == ({"gate": False}, {}, {})
    assert found.dropped == ("detail",)


def test_a_question_behind_a_hidden_question_is_hidden_too():
    last = {
        "id": "last",
        "type": "text",
        "show_if": {"question": "detail", "answered": True},
        "required": True,
    }
    found = validate(asking(GATE, DETAIL, last), a_response({"gate": False, "detail": "x"}), submitting=True)
    assert isinstance(found, Validated)
    assert found.answers == {"gate": False}


@pytest.mark.parametrize(
    ("condition", "value", "shown"),
    [
        ({"equals": 5}, 5, True),
        ({"equals": 5}, None, False),
        ({"not_equals": 5}, 6, True),
        ({"not_equals": 5}, None, False),
        ({"in": [4, 5]}, 5, True),
        ({"not_in": [4, 5]}, 5, False),
        ({"not_in": [4, 5]}, None, False),
        ({"greater_than": 5}, 5, False),
        ({"greater_than": 5}, 5.1, True),
        ({"less_than": 5}, 5, False),
        ({"less_than": 5}, None, False),
        ({"at_least": 5}, 5, True),
        ({"at_most": 5}, 5, True),
        ({"at_least": 4, "at_most": 5}, 6, False),
        ({"answered": True}, 0, True),
        ({"answered": True}, None, False),
        ({"answered": False}, None, True),
    ],
)
def test_a_condition_on_a_number_holds_or_not(condition, value, shown):
    then = {"id": "b", "type": "text", "required": True, "show_if": {"question": "a"} | condition}
    found = validate(asking({"id": "a", "type": "number"}, then), a_response({"a": value}), submitting=True)
    assert isinstance(found, Invalid) is shown


YES, NO = {"question": "a", "equals": True}, {"question": "a", "equals": False}


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"all": [YES, YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"any": [NO, YES]}, True),
        ({"any": [NO, NO]}, False),
        ({"not": NO}, True),
        ({"not": {"all": [YES, {"not": NO}]}}, False),
    ],
)
def test_conditions_combine(condition, shown):
    then = {"id": "b", "type": "text", "required": True, "show_if": condition}
    found = validate(asking({"id": "a", "type": "yes_no"}, then), a_response({"a": True}), submitting=True)
    assert isinstance(found, Invalid) is shown


@pytest.mark.parametrize(
    ("condition", "first", "shown"),
    [
        ({"includes": "x"}, {"id": "a", "type": "multiple", "choices": CHOICES, "_raw": ["y", "x"]}, True),
        ({"includes": "x"}, {"id": "a", "type": "multiple", "choices": CHOICES, "_raw": ["y"]}, False),
        ({"less_than": "2024-02-01"}, {"id": "a", "type": "date", "_raw": "2024-01-31"}, True),
        ({"at_least": "2024-02-01"}, {"id": "a", "type": "date", "_raw": "2024-01-31"}, False),
    ],
)
def test_conditions_read_choices_and_dates(condition, first, shown):
    question = {key: entry for key, entry in first.items() if key != "_raw"}
    then = {"id": "b", "type": "text", "required": True, "show_if": {"question": "a"} | condition}
    found = validate(asking(question, then), a_response({"a": first["_raw"]}), submitting=True)
    assert isinstance(found, Invalid) is shown


@pytest.mark.parametrize("part", ["answers", "evidence", "comments"])
@pytest.mark.parametrize("submitting", [True, False])
def test_an_unknown_question_is_reported(part, submitting):
    found = validate(asking({"id": "a", "type": "text"}), a_response() | {part: {"b": "x"}}, submitting=submitting)
    assert found == Invalid({"b": ["Remove this; the questionnaire has no such question."]})


@pytest.mark.parametrize(
    ("changes", "key", "sentence"),
    [
        ({"respondent": {"name": " "}}, "respondent.name", "Enter the name of the person"),
        ({"respondent": {"name": "A", "email": "a@b"}}, "respondent.email", "Enter an email address"),
        ({"respondent": {"name": "A", "email": "a b@c.org"}}, "respondent.email", "Enter an email address"),
        ({"respondent": {"name": 5}}, "respondent.name", "Enter the name as text."),
        ({"respondent": {"name": "A" * 201}}, "respondent.name", "Shorten the name"),
        ({"respondent": {"name": "A", "age": 5}}, "respondent.age", "Remove this"),
        ({"respondent": "Amara"}, "respondent", "Give the respondent by name, role and email."),
        ({"declaration": "no"}, "declaration", "Confirm that you are authorised"),
        ({"declaration": None}, "declaration", "Confirm that you are authorised"),
        ({"declaration": "perhaps"}, "declaration", "Answer yes or no."),
        ({"language": "de"}, "language", "Choose one of: en, fr."),
        ({"answers": []}, "answers", "Give the answers by question."),
        ({"evidence": {"a": ["x.pdf"]}}, "a", "Upload the evidence again"),
        ({"evidence": {"b": [FILE]}}, "b", "Remove the evidence; this question takes none."),
        ({"comments": {"a": 5}}, "a", "Enter the comment as text."),
        ({"comments": {"a": "x" * 5001}}, "a", "Shorten the comment to 5000 characters; it has 5001."),
        ({"token": "x"}, "token", "Remove this; a response has respondent, declaration"),
    ],
)
def test_what_surrounds_the_answers_is_checked_too(changes, key, sentence):
    questionnaire = asking({"id": "a", "type": "text", "evidence": "encouraged"}, {"id": "b", "type": "text"})
    found = validate(questionnaire, a_response() | changes, submitting=True)
    assert isinstance(found, Invalid)
    assert sentence in " ".join(found.errors[key])


def test_a_response_keeps_the_questionnaire_it_answers_and_what_came_with_it():
    questionnaire = asking({"id": "a", "type": "text", "evidence": "required"})
    raw = a_response({"a": "x"}, evidence={"a": [FILE, FILE]}, comments={"a": " Why "}, declaration="on", language="fr")
    found = validate(questionnaire, raw, submitting=True)
    assert isinstance(found, Validated)
    assert found.fingerprint == questionnaire.fingerprint()
    assert (found.questionnaire, found.version, found.submitted) == ("t", 1, True)
    assert (found.evidence, found.comments) == ({"a": (FILE,)}, {"a": "Why"})
    assert (found.respondent.name, found.declaration, found.language) == ("Chandra Nair", True, "fr")


@pytest.mark.parametrize("questionnaire", [SELF_ASSESSMENT, PULSE], ids=lambda each: each.name)
@pytest.mark.parametrize("quality", ["good", "poor"])
def test_sample_answers_can_be_submitted_and_survive_a_journey_through_json(questionnaire, quality):
    for seed in range(60):
        raw = sample_answers(questionnaire, seed=seed, quality=quality)
        found = validate(questionnaire, json.loads(json.dumps(raw)), submitting=True)
        assert isinstance(found, Validated), (seed, found)
        again = validate(questionnaire, json.loads(json.dumps(found.as_raw())), submitting=True)
        assert again == found


def test_sample_answers_are_the_same_for_a_seed_and_differ_between_seeds():
    assert sample_answers(SELF_ASSESSMENT, seed=3) == sample_answers(SELF_ASSESSMENT, seed=3)
    assert sample_answers(SELF_ASSESSMENT, seed=3) != sample_answers(SELF_ASSESSMENT, seed=4)


IDS = st.sampled_from([question.id for question in SELF_ASSESSMENT.questions]) | st.text(max_size=6)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "respondent": JSON | st.dictionaries(st.sampled_from(["name", "role", "email"]), JSON),
        "declaration": JSON,
        "answers": JSON | st.dictionaries(IDS, JSON, max_size=8),
        "evidence": JSON | st.dictionaries(IDS, JSON, max_size=4),
        "comments": JSON | st.dictionaries(IDS, JSON, max_size=4),
        "language": JSON,
    },
)


@given(JSON | NEARLY, st.booleans())
def test_nothing_raises_on_any_json(raw, submitting):
    found = validate(SELF_ASSESSMENT, raw, submitting=submitting)
    if isinstance(found, Invalid):
        assert found.errors
        assert all(sentences and all(each.endswith(".") for each in sentences) for sentences in found.errors.values())
        json.dumps(found.errors).encode()
    else:
        again = validate(SELF_ASSESSMENT, found.as_raw(), submitting=submitting)
        assert again == dataclasses.replace(found, dropped=()), "what was dropped is not said again"


@given(st.sampled_from([question.id for question in SELF_ASSESSMENT.questions]), JSON, st.integers(0, 5))
def test_one_broken_answer_in_a_good_response_raises_nothing_and_is_blamed_alone(name, anything, seed):
    raw = sample_answers(SELF_ASSESSMENT, seed=seed)
    before = validate(SELF_ASSESSMENT, raw, submitting=False)
    assert isinstance(before, Validated)
    found = validate(SELF_ASSESSMENT, raw | {"answers": raw["answers"] | {name: anything}}, submitting=False)
    if isinstance(found, Invalid):
        assert list(found.errors) == [name]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_number_is_read_back_as_it_was(number):
    assert value_of("number", number) == number


@given(st.integers(-(10**14), 10**14))
def test_a_number_is_read_however_its_thousands_are_grouped(number):
    for text in (
        str(number),
        f"{number:,}",
        f"{number:,}".replace(",", " "),
        f"{number:,}".replace(",", "'"),
    ):
        assert value_of("number", text) == number


@given(st.text(st.characters(), max_size=40))
def test_normalising_twice_changes_nothing(text):
    once = value_of("text", text)
    assert once is None or value_of("text", once) == once
    assert once is None or "\x00" not in once.encode().decode()

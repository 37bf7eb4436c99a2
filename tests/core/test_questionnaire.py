"""What a questionnaire definition must be, and what is said about one that isn't."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from surveys.questionnaire import BadQuestionnaire, Questionnaire
from surveys.questions import QUESTION_TYPES

SHIPPED = Path(__file__).parents[2] / "config" / "questionnaires"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def a_definition(*questions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "version": 1,
        "title": "Small",
        "intent": "For tests.",
        "languages": ["en"],
        "sections": [{"id": "one", "title": "One", "questions": list(questions or (a_question(),))}],
    } | changes


def a_question(name: str = "a", kind: str = "yes_no", **changes: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "text": f"Question {name}?"} | changes


def problems_of(*questions: dict[str, Any], **changes: Any) -> list[str]:
    with pytest.raises(BadQuestionnaire) as bad:
        Questionnaire.parse(a_definition(*questions, **changes))
    assert str(bad.value) == "\n".join(bad.value.problems)
    return list(bad.value.problems)


CHOICES = [{"value": "x", "label": "X"}, {"value": "y", "label": "Y"}]
PARTS = [{"id": "p", "text": "P"}, {"id": "q", "text": "Q"}]
NUMBER = {"id": "n", "type": "number", "text": "N"}

MINIMAL = [
    a_question(kind="text"),
    a_question(kind="long_text"),
    a_question(kind="number", unit="t", min=0, max=9.5, plausible={"max": 5}),
    a_question(kind="single", choices=CHOICES),
    a_question(kind="multiple", choices=CHOICES, min=1, max=2),
    a_question(kind="date", min="2024-01-01", max="2024-12-31"),
    a_question(kind="yes_no"),
    a_question(kind="percentages", parts=PARTS),
    a_question(kind="table", columns=[NUMBER], max_rows=3),
    a_question(kind="table", columns=[NUMBER], rows=PARTS),
    a_question(kind="file", accept=["image/png"], max_mb=1),
]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_questionnaire_that_ships_parses_and_is_named_like_its_file(path):
    questionnaire = Questionnaire.parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert questionnaire.name == path.stem
    assert questionnaire.intent


def test_the_self_assessment_is_substantial_and_uses_every_way_of_asking():
    path = SHIPPED / "self-assessment.yaml"
    questionnaire = Questionnaire.parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert 35 <= len(questionnaire.questions) <= 50
    assert 7 <= len(questionnaire.sections) <= 9
    assert {question.type for question in questionnaire.questions} == set(QUESTION_TYPES) - {"calculate", "note"}
    assert len(questionnaire.totals) == 2
    for feature in ("show_if", "required_if", "risk", "last_year", "contradicts"):
        assert sum(bool(getattr(question, feature)) for question in questionnaire.questions) >= 4, feature
    assert sum(question.evidence == "required" for question in questionnaire.questions) >= 4


def test_the_pulse_has_five_questions():
    path = SHIPPED / "pulse.yaml"
    assert len(Questionnaire.parse(yaml.safe_load(path.read_text(encoding="utf-8"))).questions) == 5


@pytest.mark.parametrize("question", MINIMAL, ids=lambda question: question["type"])
def test_each_type_of_question_parses(question):
    questionnaire = Questionnaire.parse(a_definition(question))
    assert type(questionnaire.by_id["a"]) is QUESTION_TYPES[question["type"]]


EARLIER = [
    a_question("yes"),
    a_question("one", "single", choices=CHOICES),
    a_question("many", "multiple", choices=CHOICES),
    a_question("num", "number"),
    a_question("day", "date"),
    a_question("words", "long_text"),
]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (a_question(kind="essay"), "Section 'one', question 'a', type: choose one of text, long_text"),
        ({"id": "a", "text": "A"}, "Section 'one', question 'a', type: choose one of"),
        (a_question(kind="single"), "Section 'one', question 'a', choices: field required."),
        (
            a_question(kind="single", choices=CHOICES[:1]),
            "question 'a', choices: tuple should have at least 2",
        ),
        (
            a_question(kind="single", choices=[*CHOICES, CHOICES[0]]),
            "'a', choices: 'x' is given more than once.",
        ),
        (a_question(kind="number", min=2, max=1), "question 'a': the number: min is greater than max."),
        (
            a_question(kind="number", plausible={"min": 2, "max": 1}),
            "'a', plausible: the range: min is greater",
        ),
        (a_question(kind="number", max=float("nan")), "question 'a', max: input should be a finite number."),
        (
            a_question(kind="date", min="2024-02-01", max="2024-01-01"),
            "'a': the date: min is greater than max.",
        ),
        (a_question(kind="multiple", choices=CHOICES, min=3), "'a': the number of choices: min is greater"),
        (a_question(kind="text", pattern="("), "question 'a': pattern is not a regular expression"),
        (a_question(kind="text", pattern="[0-9]"), "'a': a pattern needs an example which matches it."),
        (
            a_question(kind="text", pattern="[0-9]", example="x"),
            "'a': a pattern needs an example which matches",
        ),
        (a_question(kind="percentages", parts=[PARTS[0]] * 2), "'a', parts: 'p' is given more than once."),
        (a_question(kind="table", columns=[NUMBER]), "'a': a table has either fixed rows or max_rows."),
        (a_question(kind="table", columns=[NUMBER, NUMBER], max_rows=1), "'a', columns: 'n' is given more"),
        (a_question(colour="red"), "question 'a', colour: extra inputs are not permitted."),
        (a_question("declaration"), "Question 'declaration', id: this name is reserved; choose another."),
        (a_question("Big Name"), "question 'Big Name', id: string should match pattern"),
        (
            a_question(required=True, required_if={"question": "yes", "equals": True}),
            "'a': required and required_if",
        ),
        (a_question(evidence_when={"equals": True}), "'a': evidence_when needs evidence to be encouraged"),
        (
            a_question(show_if={"question": "nowhere", "equals": 1}),
            "'a', show_if: there is no question 'nowhere'.",
        ),
        (a_question(show_if={"question": "a", "equals": True}), "'a', show_if: 'a' must come earlier"),
        (
            a_question(show_if={"question": "later", "equals": True}),
            "'a', show_if: 'later' must come earlier",
        ),
        (
            a_question(required_if={"any": [{"not": {"question": "later", "equals": True}}]}),
            "'a', required_if: 'later'",
        ),
        (a_question(show_if={"question": "yes"}), "'a', show_if: a condition needs a comparison"),
        (a_question(show_if={"all": []}), "'a', show_if, all: tuple should have at least 1 item"),
        (
            a_question(show_if={"question": "yes", "equals": "maybe"}),
            "equals: 'maybe' can never be an answer to 'yes'",
        ),
        (
            a_question(show_if={"question": "one", "in": ["x", "z"]}),
            "in: 'z' can never be an answer to 'one'.",
        ),
        (
            a_question(show_if={"question": "num", "equals": True}),
            "equals: True can never be an answer to 'num'.",
        ),
        (
            a_question(show_if={"question": "many", "equals": "x"}),
            "equals doesn't fit 'many', a question of type",
        ),
        (a_question(show_if={"question": "words", "equals": "x"}), "equals doesn't fit 'words'"),
        (a_question(show_if={"question": "yes", "greater_than": 1}), "greater_than doesn't fit 'yes'"),
        (
            a_question(show_if={"question": "day", "less_than": "soon"}),
            "less_than: 'soon' can never be an answer",
        ),
        (
            a_question(evidence="required", evidence_when={"equals": "x"}),
            "'a', evidence_when: equals: 'x' can never",
        ),
        (
            a_question(contradicts={"fact": "f", "when": {"equals": 3}, "text": "T"}),
            "contradicts, when: equals: 3",
        ),
        (a_question(kind="number", total_of=["nowhere"]), "'a', total_of: there is no question 'nowhere'."),
        (a_question(kind="number", total_of=["later"]), "'a', total_of: 'later' must come earlier"),
        (
            a_question(kind="number", total_of=["yes"]),
            "'a', total_of: 'yes' is neither a number question nor",
        ),
        (a_question(kind="number", total_of=["num", "num"]), "'a', total_of: 'num' is given more than once."),
        (a_question(kind="date", expiry_of="nowhere"), "'a', expiry_of: there is no question 'nowhere'."),
        (a_question(kind="date", expiry_of="yes"), "'a', expiry_of: 'yes' takes no evidence."),
        (
            a_question(risk={"weight": 1, "answered": 2}),
            "'a', risk, answered: input should be less than or equal to 1.",
        ),
        (
            a_question(risk={"weight": -1, "yes": 0, "no": 1}),
            "'a', risk, weight: input should be greater than",
        ),
        (a_question(risk={"weight": 1, "choices": {"x": 1}}), "'a', risk: this way of rating doesn't fit"),
        (
            a_question(kind="single", choices=CHOICES, risk={"weight": 1, "choices": {"x": 0}}),
            "Question 'a', risk, choices: 'y' has no r.",
        ),
        (
            a_question(kind="single", choices=CHOICES, risk={"weight": 1, "choices": {"x": 0, "y": 0, "z": 1}}),
            "Question 'a', risk, choices: 'z' isn't offered.",
        ),
        (
            a_question(
                kind="number",
                risk={
                    "weight": 1,
                    "otherwise": 0,
                    "thresholds": [{"below": 2, "r": 1}, {"below": 1, "r": 0}],
                },
            ),
            "'a', risk: the limits of the thresholds must rise",
        ),
        (
            a_question(
                kind="percentages",
                parts=PARTS,
                risk={"weight": 1, "part": "z", "otherwise": 0, "thresholds": [{"below": 2, "r": 1}]},
            ),
            "'a', risk, part: name one of the parts",
        ),
    ],
)
def test_what_is_wrong_with_a_question_is_said_once_with_its_id_and_field(question, expected):
    problems = problems_of(*EARLIER, question, a_question("later"))
    assert len(problems) == 1, problems
    assert expected in problems[0]
    assert problems[0].endswith(".")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"version": 0}, "Version: input should be greater than or equal to 1."),
        ({"version": "one"}, "Version: input should be a valid integer."),
        ({"languages": ["english language"]}, "Languages, number 1: string should match pattern"),
        ({"languages": ["en", "en"]}, "Language 'en' is given more than once."),
        ({"sections": []}, "Sections: tuple should have at least 1 item"),
        ({"title": ""}, "Title: string should have at least 1 character."),
        ({"author": "me"}, "Author: extra inputs are not permitted."),
        ({"checks": [{"total": {"question": "b", "parts": ["a"]}}]}, "Check 1, total: unknown question 'b'."),
    ],
)
def test_what_is_wrong_with_the_whole_is_said_with_its_field(changes, expected):
    problems = problems_of(a_question("a", "number"), **changes)
    assert any(expected in problem for problem in problems), problems


def test_every_problem_is_listed_at_once():
    problems = problems_of(
        a_question("a", "essay"),
        a_question("b", show_if={"question": "z", "equals": True}),
        a_question("b", "number", min=2, max=1),
        a_question("c", show_if={"question": "a", "answered": True}),
        version=0,
    )
    text = "\n".join(problems)
    assert len(problems) == 5
    for expected in (
        "Version",
        "'a', type",
        "'b': the number",
        "Question id 'b' is used more",
        "no question 'z'",
    ):
        assert expected in text


def test_two_questions_may_not_map_to_the_same_question_of_last_year():
    assert problems_of(a_question("a", last_year="x"), a_question("b", last_year="x")) == [
        "Question id 'x' of last year is mapped by more than one question."
    ]


def test_a_section_id_may_be_used_once():
    section = {"id": "one", "title": "One"}
    sections = [section | {"questions": [a_question(name)]} for name in "ab"]
    assert problems_of(sections=sections) == ["Section id 'one' is used more than once."]


@pytest.mark.parametrize("kind", ["number", "table"])
def test_a_check_may_add_up_questions_and_columns(kind):
    part = a_question("a", kind, **({} if kind == "number" else {"columns": [NUMBER], "max_rows": 2}))
    name = "a" if kind == "number" else "a.n"
    check = {"total": {"question": "b", "parts": [name]}}
    questionnaire = Questionnaire.parse(a_definition(part, a_question("b", "number"), checks=[check]))
    assert [total.parts for total in questionnaire.totals] == [(name,)]


def test_a_total_is_not_part_of_itself():
    check = {"total": {"question": "a", "parts": ["a"]}}
    assert problems_of(a_question("a", "number"), checks=[check]) == ["Check 1, total: a question is counted twice."]


def test_the_bare_yaml_keys_yes_and_no_are_understood_in_a_risk():
    text = "{weight: 1, yes: 0, no: 1}"
    questionnaire = Questionnaire.parse(a_definition(a_question(risk=yaml.safe_load(text))))
    risk = questionnaire.questions[0].risk
    assert risk is not None
    assert (risk.rate(True), risk.rate(False)) == (0, 1)


@given(JSON)
def test_nothing_but_a_bad_questionnaire_is_raised_for_any_json(anything):
    with pytest.raises(BadQuestionnaire):
        Questionnaire.parse(anything)


@given(st.sampled_from(MINIMAL), st.text(max_size=5) | st.sampled_from(["id", "type", "risk", "show_if"]), JSON)
def test_nothing_but_a_bad_questionnaire_is_raised_for_any_field_of_a_question(question, field, anything):
    try:
        Questionnaire.parse(a_definition(question | {field: anything}))
    except BadQuestionnaire as bad:
        assert bad.problems


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def test_the_fingerprint_is_of_the_content_and_not_of_how_it_is_written():
    definition = a_definition(*MINIMAL[:1])
    one = Questionnaire.parse(definition)
    written_out = shuffled(a_definition(a_question(kind="text", required=False, help="", max_length=200)))
    assert Questionnaire.parse(written_out).fingerprint() == one.fingerprint()
    assert len(one.fingerprint()) == 64


def test_the_fingerprint_stays_the_same_from_release_to_release():
    definition = a_definition(a_question(), a_question("b", show_if={"question": "a", "equals": True}))
    expected = "b0eb52d1d4069396bb25213f1cf5b3dcf2ba03746cc74686f67f83cd64c50e79"
    assert Questionnaire.parse(definition).fingerprint() == expected


@pytest.mark.parametrize(
    "changes",
    [{"text": "Other?"}, {"required": True}, {"id": "b"}, {"risk": {"weight": 1, "yes": 0, "no": 1}}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_fingerprint_changes_with_the_content(changes):
    before = Questionnaire.parse(a_definition())
    after = Questionnaire.parse(a_definition(a_question() | changes))
    assert before.fingerprint() != after.fingerprint()


def test_parsing_leaves_the_definition_as_it_was():
    definition = a_definition(*MINIMAL[2:3])
    before = copy.deepcopy(definition)
    Questionnaire.parse(definition)
    assert definition == before
    assert json.dumps(definition)


def test_a_questionnaire_cannot_be_changed():
    questionnaire = Questionnaire.parse(a_definition())
    with pytest.raises(ValueError, match="frozen"):
        questionnaire.title = "Other"

"""Formulas: what they come to, what is refused, and that nothing can make them run away."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.clock import monotonic
from surveys.answers import Invalid, Validated, validate
from surveys.constraints import bounds
from surveys.evaluation import holds, outcome
from surveys.expressions import FUNCTIONS, formula
from surveys.patterns import fits, pattern_problem
from surveys.questionnaire import BadQuestionnaire, Questionnaire
from surveys.routing import asked
from surveys.tokens import BadFormula
from tests.core.test_questionnaire import a_definition, a_question

TABLE = ({"tonnes": 1, "name": "a"}, {"tonnes": 0.2}, {"name": "c"})
ANSWERS = {
    "staff": 12, "share": 2.5, "help": ("call", "template"), "yes": True, "no": False, "day": "2026-03-02",
    "words": "ab cd", "table": TABLE, "grid": {"water": {"answer": "no"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "comes_to"),
    [
        ("${staff} + ${share} * 2", 17),
        ("(${staff} + ${share}) * 2", 29),
        ("0.1 + 0.2", 0.3),
        ("${staff} - 1 - 1", 10),
        ("-${staff} + 1", -11),
        ("7 div 2", 3.5),
        ("7 mod 3", 1),
        ("1 div 0", None),
        ("${nothing} + 1", None),
        ("coalesce(${nothing}, 5) + 1", 6),
        ("${nothing} = ''", True),
        ("${nothing} > 1 or ${nothing} < 1", False),
        ("${nothing} != 'x'", True),
        ("${staff} = '12'", True),
        ("${yes} = 'yes' and ${no} = 'no' and not(${no})", True),
        ("selected(${help}, 'call') and not(selected(${help}, 'cal'))", True),
        ("selected(${yes}, 'yes')", True),
        ("count-selected(${help})", 2),
        ("if(${staff} > 10, 'large', 'small')", "large"),
        ("${day} < '2026-03-10'", True),
        ("'2026-03-10' - ${day}", 8),
        ("date(${day} + 30)", "2026-04-01"),
        ("sum(${table.tonnes})", 1.2),
        ("count(${table})", 3),
        ("max(${table.tonnes}) - min(${table.tonnes})", 0.8),
        ("${grid.water.answer} = 'no'", True),
        ("round(2.345, 2)", 2.35),
        ("round(-0.5)", -1),
        ("int(-2.7)", -2),
        ("string-length(${words})", 5),
        ("concat(${words}, '-', ${staff})", "ab cd-12"),
        ("regex('AB123456', '[A-Z]{2}[0-9]{6}')", True),
        ("regex('xAB123456', '[A-Z]{2}[0-9]{6}')", False),
        ("contains(${words}, 'cd') and starts-with(${words}, 'ab') and ends-with(${words}, 'd')", True),
        ("true() and not(false())", True),
        ("1 = 1 = true()", True),
        ("1 + 1 = 2 and 2 < 3 or 1 div 0 > 1", True),
    ],
)
def test_a_formula_comes_to_what_it_says(text, comes_to):
    assert outcome(formula(text), ANSWERS) == comes_to


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("1 +", "breaks off"),
        ("1 2", "should end"),
        ("(1", "breaks off"),
        ("foo(1)", "the function foo() is not supported"),
        ("pulldata('a', 'b', 'c', 'd')", "pulldata() is not supported"),
        ("if(1, 2)", "if() takes 3, not 2"),
        ("../x > 1", "paths"),
        ("/data/x", "paths"),
        ("a = 1", "'a' is no value"),
        ("'open", "never closes"),
        ("${a b}", "can't be read"),
        ("(" * 60 + "1" + ")" * 60, "nested too deeply"),
        ("1" + "+1" * 500, "too many parts"),
        ("1 " * 3000, "longer than"),
        ("regex(., '(a+)+b')", "repeats itself"),
        ("regex(., '(a|a)*')", "repeats itself"),
        ("regex(., '((a*)b)*')", "repeats itself"),
        ("regex(., '(?:(?:x|xx)y?)+')", "repeats itself"),
        ("regex(., 'a*a*a*a*a*a*b')", "too many parts of any length"),
        ("regex(., 'a?a?a?a?a?a?a?a?a?b')", "too many parts of any length"),
        (f"regex(., '{'(?:a|aa)' * 30}b')", "too many parts of any length"),
        ("regex(., '[]x]*(a|[]]*)*')", "repeats itself"),
        ("regex(., '(a)\\1')", "back references"),
        ("regex(., '[')", "not a regular expression"),
        ("regex(., concat('(a', '+)+'))", "must be a text that stands in the formula"),
    ],
    ids=lambda value: value[:25] or "empty",
)
def test_a_formula_that_cannot_be_used_says_why(text, why):
    with pytest.raises(BadFormula, match=None) as bad:
        formula(text)
    assert why in str(bad.value)


PIECES = [*FUNCTIONS, "${staff}", "${help}", "${table.tonnes}", "${day}", ".", "(", ")", ",", "+", "-", "*", "div",
          "mod", "=", "!=", "<", ">=", "and", "or", "'x'", "'2026-01-01'", "1", "0.5", "9" * 20]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.booleans())
def test_no_formula_raises_once_it_is_read_and_none_gives_what_no_answer_can_be(pieces, own):
    try:
        found = formula(" ".join(pieces))
    except BadFormula:
        return
    value = outcome(found, ANSWERS)
    assert value is None or isinstance(value, str | int | float | bool)
    assert value is None or isinstance(value, str) or abs(value) <= 10**15
    assert holds(found, ANSWERS, ("call",) if own else 3, date(2026, 3, 2)) in (True, False)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-80, 80))
def test_the_bounds_of_a_formula_allow_what_the_formula_allows(low, high, value):
    text = f". >= {low} and {high} >= ."
    lowest, highest = bounds(text)
    assert holds(formula(text), {}, value) is (lowest <= value <= highest)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["a", "a*", "(a+b)", "a{1,9}", "[ab]+", "(a|b)", "a?", "(?:ab)?"]), max_size=9))
def test_a_pattern_that_is_taken_answers_at_once(parts):
    pattern = "".join(parts) + "c"
    if pattern_problem(pattern) is None:
        started = monotonic()
        for length in (50, 80, 200, 1000, 5000):
            fits(pattern, "a" * length)
        assert monotonic() - started < 5


@pytest.mark.parametrize(
    "pattern", ["[a-z0-9._-]+@[a-z0-9-]+[.][a-z.]{2,20}", r"\+?[0-9 ]{6,20}", "[A-Z]{2}(-[0-9]{3})+"]
)
def test_usual_patterns_are_taken(pattern):
    assert pattern_problem(pattern) is None


def test_a_formula_that_says_more_than_bounds_has_none():
    assert bounds(". > 1") is None
    assert bounds(". >= 1 or . <= 0") is None
    assert bounds(". >= ${staff}") is None


CALCULATING = a_definition(
    a_question("a", "number"),
    a_question("b", "number", constraint={"formula": ". <= ${a}", "message": "Not more than the first."}),
    {"id": "total", "type": "calculate", "formula": "coalesce(${a}, 0) + coalesce(${b}, 0)"},
    a_question("why", "text", show_if={"formula": "${total} > 10"}, required_if={"formula": "${total} > 20"}),
    {"id": "hello", "type": "note", "text": "Hello.", "show_if": {"question": "total", "greater_than": 10}},
    a_question("end", "date", constraint=[{"formula": ". <= today()", "message": "Not a day to come."}]),
    checks=[{"total": {"question": "total", "parts": ["a", "b"]}}],
)


def answered(submitting=True, today=None, **answers):
    raw = {"respondent": {"name": "Amara Osei"}, "declaration": True, "answers": answers}
    return validate(Questionnaire.parse(CALCULATING), raw, submitting=submitting, today=today)


def test_what_is_calculated_is_kept_like_an_answer_whatever_was_sent():
    found = answered(a=8, b=4, why="So.", total=99)
    assert isinstance(found, Validated)
    assert found.answers["total"] == 12
    assert answered(a=5, b=4, why="Hidden.").dropped == ("why",)
    assert answered(a=15, b=14).errors == {"why": ["Answer this question; it is required."]}


def test_a_constraint_stops_what_is_submitted_and_lets_a_draft_be():
    assert answered(a=1, b=4).errors == {"b": ["Not more than the first."]}
    assert isinstance(answered(submitting=False, a=1, b=4), Validated)


def test_a_constraint_about_today_is_for_the_day_on_which_somebody_answers():
    assert answered(end="2026-03-03", today=date(2026, 3, 2)).errors == {"end": ["Not a day to come."]}
    assert isinstance(answered(end="2026-03-03"), Validated), "what was taken once stays taken"


def test_notes_are_not_asked_and_calculations_are_among_what_is():
    questionnaire = Questionnaire.parse(CALCULATING)
    assert [each.id for each in asked(questionnaire, {"a": 8, "b": 4})] == ["a", "b", "total", "why", "end"]
    assert "hello" not in questionnaire.by_id


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (a_question("b", show_if={"formula": "${nowhere} = 1"}), "show_if: there is no question 'nowhere'."),
        (a_question("b", show_if={"formula": "${b} = 'yes'"}), "show_if: 'b' must come earlier than this question."),
        (a_question("b", show_if={"formula": ". = 1"}), "'.' is the answer itself and stands only in a constraint."),
        (a_question("b", required_if={"formula": "today() > 1"}), "today() stands only in a constraint"),
        (a_question("b", show_if={"formula": "${a.x} = 1"}), "'a' is no table and has no 'x'."),
        (a_question("b", show_if={"formula": "foo()"}), "the formula can't be used: the function foo()"),
        (a_question("b", "calculate", formula="1", required=True), "can't have required"),
        (a_question("b", "note", evidence="required"), "can't have evidence"),
        (a_question("b", constraint={"formula": ". > 1"}), "message: field required."),
    ],
)
def test_a_formula_that_asks_about_what_is_not_there_is_a_problem_of_the_questionnaire(question, told):
    with pytest.raises(BadQuestionnaire) as bad:
        Questionnaire.parse(a_definition(a_question("a"), question))
    assert told in str(bad.value)


BILINGUAL = a_definition(
    a_question("a", "single", text={"en": "Which?", "fr": "Lequel ?"}, choices=[
        {"value": "x", "label": {"en": "First", "fr": "Premier"}}, {"value": "y", "label": "Second"},
    ]),
    title={"en": "Small", "fr": "Petit"}, languages=["en", "fr"],
)  # fmt: skip


def test_texts_in_several_languages_are_read_shown_and_written_again():
    questionnaire = Questionnaire.parse(BILINGUAL)
    spoken = questionnaire.in_language("fr")
    assert (questionnaire.title, spoken.title) == ("Small", "Petit")
    assert spoken.by_id["a"].text == "Lequel ?"
    assert [each.label for each in spoken.by_id["a"].choices] == ["Premier", "Second"], "what is missing falls back"
    assert questionnaire.in_language("de") is questionnaire
    assert questionnaire.untranslated() == {
        "fr": ["intent", "sections/one/title", "sections/one/questions/a/choices/y/label"]
    }
    assert questionnaire.definition()["title"] == {"en": "Small", "fr": "Petit"}
    assert Questionnaire.parse(questionnaire.definition()).fingerprint() == questionnaire.fingerprint()


def test_a_language_adds_to_the_fingerprint_and_no_language_leaves_it_as_it_was():
    alone = Questionnaire.parse(a_definition(a_question("a", "text", text="Which?")))
    assert alone.fingerprint() == "35cbc8e3672e2d804dc69c1d6c903b74181e2a4d4dd5754a6d4d917fe5ad7478"
    assert (
        Questionnaire.parse(BILINGUAL).fingerprint()
        != Questionnaire.parse({**BILINGUAL, "title": "Small"}).fingerprint()
    )


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ({"en": "Small", "de": "Klein"}, "Title: 'de' is not among the languages of the questionnaire."),
        ({"fr": "Petit"}, "Title: there is no text in the first language."),
        ({"en": "Small", "fr": " "}, "Title: the text in 'fr' is empty."),
    ],
)
def test_a_text_in_a_language_that_cannot_be_is_a_problem(title, told):
    with pytest.raises(BadQuestionnaire) as bad:
        Questionnaire.parse({**BILINGUAL, "title": title})
    assert told in bad.value.problems


def test_several_files_are_one_answer():
    digests = ["ab" * 32, "cd" * 32]
    questionnaire = Questionnaire.parse(a_definition(a_question("papers", "file", max_files=2)))
    raw = {"answers": {"papers": [digests[0], *digests]}}
    found = validate(questionnaire, raw, submitting=False)
    assert found.answers["papers"] == tuple(digests)
    many = validate(questionnaire, {"answers": {"papers": [*digests, "ef" * 32]}}, submitting=False)
    assert isinstance(many, Invalid) and many.errors == {"papers": ["Give at most 2 files; there are 3."]}

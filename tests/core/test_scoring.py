"""The risk score: its formula, its bands, and that it can be computed again."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from surveys.answers import Validated, validate
from surveys.questionnaire import Questionnaire
from surveys.sample import sample_answers
from surveys.scoring import Band, Factor, Modifiers, Score, UnknownModel, band, score

SHIPPED = Path(__file__).parents[2] / "config" / "questionnaires"
SELF_ASSESSMENT = Questionnaire.parse(yaml.safe_load((SHIPPED / "self-assessment.yaml").read_text(encoding="utf-8")))


def asking(*questions: dict[str, Any]) -> Questionnaire:
    section = {"id": "one", "title": "One", "questions": [{"text": "?"} | question for question in questions]}
    definition = {"name": "t", "version": 3, "title": "T", "intent": "I", "languages": ["en"]}
    return Questionnaire.parse(definition | {"sections": [section]})


def answered(questionnaire: Questionnaire, answers: dict[str, Any]) -> Validated:
    """Return a response with `answers`, complete or not."""
    found = validate(questionnaire, {"answers": answers}, submitting=False)
    assert isinstance(found, Validated), found
    return found


def rated(name: str, weight: float, **changes: Any) -> dict[str, Any]:
    """A question to which yes is all the risk and no is none."""
    return {"id": name, "type": "yes_no", "risk": {"weight": weight, "yes": 1, "no": 0}} | changes


def value(questionnaire: Questionnaire, answers: dict[str, Any], **modifiers: Any) -> float | None:
    return score(questionnaire, answered(questionnaire, answers), Modifiers(**modifiers)).value


def a_score(*factors: tuple[float, float], **modifiers: Any) -> Score:
    made = tuple(Factor(f"q{number}", weight, r) for number, (weight, r) in enumerate(factors))
    return Score("t", 1, "f" * 64, made, Modifiers(**modifiers))


TWO = asking(rated("a", 3, required=True), rated("b", 1))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"a": True, "b": True}, 100),
        ({"a": True, "b": False}, 75),
        ({"a": False, "b": True}, 25),
        ({"a": False, "b": False}, 0),
        ({"a": False}, 0),
        ({"a": True}, 100),
        ({}, 100),
        ({"b": False}, 75),
    ],
    ids=str,
)
def test_the_score_is_the_weighted_mean_of_the_risks_over_what_counts(answers, expected):
    assert value(TWO, answers) == expected


def test_an_unanswered_required_question_is_all_risk_and_an_optional_one_is_left_out():
    factors = score(TWO, answered(TWO, {})).factors
    assert factors == (Factor("a", 3, 1.0, answered=False),)


HIDING = asking(
    rated("gate", 1, required=True),
    rated("inner", 9, required=True, show_if={"question": "gate", "equals": True}),
    rated("late", 2, required_if={"question": "gate", "equals": True}),
)


@pytest.mark.parametrize(
    ("answers", "counted"),
    [
        ({"gate": False}, {"gate": 0.0}),
        ({"gate": True}, {"gate": 1.0, "inner": 1.0, "late": 1.0}),
        ({"gate": True, "inner": False, "late": False}, {"gate": 1.0, "inner": 0.0, "late": 0.0}),
        ({}, {"gate": 1.0}),
    ],
    ids=str,
)
def test_a_hidden_question_counts_not_at_all_and_required_if_counts_while_it_holds(answers, counted):
    factors = score(HIDING, answered(HIDING, answers)).factors
    assert {factor.question: factor.r for factor in factors} == counted


def test_an_answer_left_over_from_a_question_now_hidden_counts_not_at_all():
    left_over = dataclasses.replace(answered(HIDING, {"gate": False}), answers={"gate": False, "inner": True})
    assert [factor.question for factor in score(HIDING, left_over).factors] == ["gate"]


def test_an_answer_left_over_from_a_hidden_question_makes_no_other_question_required():
    inner = rated("inner", 1, show_if={"question": "gate", "equals": True})
    other = rated("other", 1, required_if={"question": "inner", "equals": True})
    questionnaire = asking(rated("gate", 1), inner, other)
    left_over = dataclasses.replace(answered(questionnaire, {"gate": False}), answers={"gate": False, "inner": True})
    assert [factor.question for factor in score(questionnaire, left_over).factors] == ["gate"]


CHOICES = [{"value": name, "label": name} for name in ("x", "y", "z")]
BY_CHOICE = {"weight": 1, "choices": {"x": 0, "y": 0.4, "z": 1}}
STEPS = {"weight": 1, "thresholds": [{"below": 10, "r": 1}, {"below": 50, "r": 0.5}], "otherwise": 0.1}
OF_OTHERS = STEPS | {"part": "other"}
PARTS = [{"id": "own", "text": "Own"}, {"id": "other", "text": "Other"}]


@pytest.mark.parametrize(
    ("question", "answer", "r"),
    [
        ({"type": "single", "choices": CHOICES, "risk": BY_CHOICE}, "y", 0.4),
        ({"type": "multiple", "choices": CHOICES, "risk": BY_CHOICE}, ["x", "y"], 0.4),
        ({"type": "multiple", "choices": CHOICES, "risk": BY_CHOICE | {"combine": "lowest"}}, ["x", "z"], 0),
        ({"type": "multiple", "choices": CHOICES, "risk": BY_CHOICE | {"combine": "mean"}}, ["x", "z"], 0.5),
        ({"type": "number", "risk": STEPS}, 9.99, 1),
        ({"type": "number", "risk": STEPS}, 10, 0.5),
        ({"type": "number", "risk": STEPS}, 49.9, 0.5),
        ({"type": "number", "risk": STEPS}, 50, 0.1),
        ({"type": "percentages", "parts": PARTS, "risk": OF_OTHERS}, {"own": 88, "other": 12}, 0.5),
        ({"type": "percentages", "parts": PARTS, "risk": OF_OTHERS}, {"own": 100}, 1),
        ({"type": "yes_no", "risk": {"weight": 1, "yes": 0.2, "no": 0.7}}, False, 0.7),
        ({"type": "text", "risk": {"weight": 1, "answered": 0.3}}, "something", 0.3),
    ],
)  # fmt: skip
def test_an_answer_has_the_risk_that_the_questionnaire_gives_it(question, answer, r):
    questionnaire = asking({"id": "a"} | question)
    assert score(questionnaire, answered(questionnaire, {"a": answer})).factors == (Factor("a", 1, r),)


@pytest.mark.parametrize(
    ("modifiers", "points"),
    [
        ({}, 0),
        ({"open_monitoring_case": True}, 20),
        ({"watch_hit": True}, 15),
        ({"late": True}, 5),
        ({"previous_year_unresolved": True}, 10),
        ({"country_risk": 7.5}, 7.5),
        ({"country_risk": 10, "late": True, "watch_hit": True}, 30),
    ],
    ids=str,
)
def test_modifiers_add_their_points(modifiers, points):
    assert a_score((4, 0.25), **modifiers).value == 25 + points
    assert a_score((4, 0.25), **modifiers).base == 25


def test_a_score_is_at_most_100():
    everything = {
        "open_monitoring_case": True,
        "watch_hit": True,
        "late": True,
        "previous_year_unresolved": True,
    }
    assert a_score((1, 1), **everything, country_risk=10).value == 100
    assert a_score((1, 0), **everything, country_risk=10).value == 60


@pytest.mark.parametrize("country_risk", [-0.1, 10.1, float("nan"), float("inf")])
def test_a_country_risk_outside_0_to_10_is_refused(country_risk):
    with pytest.raises(ValueError, match="Country risk goes from 0 to 10"):
        Modifiers(country_risk=country_risk)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (0, Band.LOW),
        (24.999, Band.LOW),
        (25, Band.MEDIUM),
        (49.999, Band.MEDIUM),
        (50, Band.HIGH),
        (74.999, Band.HIGH),
        (75, Band.CRITICAL),
        (100, Band.CRITICAL),
    ],
)
def test_a_limit_belongs_to_the_higher_band(points, expected):
    assert band(points) is expected


@pytest.mark.parametrize("factors", [((0.1, 0.05), (0.2, 0.35)), ((0.1, 0.9), (1.3, 0.2))], ids=str)
def test_binary_rounding_moves_no_score_across_a_limit(factors):
    exact = a_score(*factors)
    assert (exact.value, exact.band) == (25, Band.MEDIUM)


@pytest.mark.parametrize(
    "questionnaire",
    [asking({"id": "a", "type": "text", "required": True}), asking(rated("a", 0)), asking(rated("b", 5))],
    ids=["no question is rated", "weight zero", "nothing answered"],
)
def test_without_any_weight_there_is_no_score_rather_than_none_of_the_risk(questionnaire):
    nothing = score(questionnaire, answered(questionnaire, {}), Modifiers(watch_hit=True))
    assert (nothing.value, nothing.base, nothing.band) == (None, None, None)


def test_the_drivers_are_the_three_that_add_most():
    questionnaire = asking(rated("a", 1), rated("b", 5, required=True), rated("c", 2), rated("d", 2))
    found = score(questionnaire, answered(questionnaire, {"a": True, "c": True, "d": False}), Modifiers(watch_hit=True))
    assert [(driver.source, driver.points) for driver in found.explain()] == [
        ("b", 50),
        ("c", 20),
        ("watch_hit", 15),
    ]
    assert found.explain()[0].text == "required and not answered, weight 5"
    assert found.explain()[1].text == "answer rated 1 of 1, weight 2"
    assert [driver.source for driver in found.explain(9)] == ["b", "c", "watch_hit", "a"]


def test_a_score_without_risk_has_no_drivers():
    assert a_score((3, 0)).explain() == ()


def test_a_score_names_the_model_and_the_questionnaire_it_comes_from():
    found = score(TWO, answered(TWO, {"a": True}))
    assert (found.model, found.questionnaire, found.version) == (1, "t", 3)
    assert found.fingerprint == TWO.fingerprint()


@pytest.mark.parametrize("quality", ["good", "poor"])
def test_a_score_is_computed_again_from_its_record(quality):
    response = validate(SELF_ASSESSMENT, sample_answers(SELF_ASSESSMENT, quality=quality), submitting=True)
    assert isinstance(response, Validated)
    found = score(SELF_ASSESSMENT, response, Modifiers(late=True, country_risk=2.5))
    record = json.loads(json.dumps(found.as_record()))
    again = Score.from_record(record)
    assert again == found
    assert (record["value"], record["band"]) == (again.value, again.band)


def test_a_record_of_another_model_is_not_computed_with_this_one():
    with pytest.raises(UnknownModel, match="no model 99"):
        Score.from_record(a_score((1, 1)).as_record() | {"model": 99})


def test_poor_answers_score_higher_than_good_ones():
    def mean(quality: Any) -> float:
        total = 0.0
        for seed in range(20):
            raw = sample_answers(SELF_ASSESSMENT, seed=seed, quality=quality)
            total += score(SELF_ASSESSMENT, answered(SELF_ASSESSMENT, raw["answers"])).value or 0
        return total / 20

    assert mean("good") < 25
    assert mean("poor") > 50


SHARES = st.integers(0, 100).map(lambda hundredths: hundredths / 100)
FACTORS = st.lists(st.tuples(st.integers(1, 50).map(float), SHARES), min_size=1, max_size=12)


@given(FACTORS, st.builds(Modifiers, st.booleans(), st.booleans(), st.booleans(), st.booleans(), SHARES))
def test_a_score_lies_between_0_and_100_and_follows_the_formula(factors, modifiers):
    found = dataclasses.replace(a_score(*factors), modifiers=modifiers)
    mean = 100 * sum(w * r for w, r in factors) / sum(w for w, _ in factors)
    assert found.value is not None
    assert 0 <= found.value <= 100
    assert found.value == pytest.approx(min(100, mean + sum(modifiers.points().values())))
    assert sum(driver.points for driver in found.explain(99)) == pytest.approx(mean + sum(modifiers.points().values()))


@given(FACTORS, st.data())
def test_more_risk_in_an_answer_never_lowers_the_score(factors, data):
    at = data.draw(st.integers(0, len(factors) - 1))
    weight, r = factors[at]
    riskier = [*factors[:at], (weight, data.draw(st.floats(r, 1))), *factors[at + 1 :]]
    before, after = a_score(*factors).value, a_score(*riskier).value
    assert before is not None
    assert after is not None
    assert after >= before


@given(st.sets(st.sampled_from(["a", "b"])), st.sampled_from(["a", "b"]), st.booleans())
def test_leaving_out_a_required_answer_never_lowers_the_score(given_answers, left_out, answer):
    questionnaire = asking(rated("a", 3, required=True), rated("b", 1, required=True))
    answers = dict.fromkeys(given_answers, answer)
    without = {name: each for name, each in answers.items() if name != left_out}
    with_it, without_it = value(questionnaire, answers), value(questionnaire, without)
    assert with_it is not None
    assert without_it is not None
    assert without_it >= with_it

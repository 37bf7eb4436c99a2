"""A stored risk score can be computed again from what is stored with it, and silence is never a low risk."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.answers import Validated, validate
from surveys.questionnaire import Questionnaire
from surveys.scoring import Factor, Modifiers, Score, UnknownModel, agrees, score

share = st.floats(0, 1, allow_nan=False).map(lambda number: round(number, 3))
factors = st.builds(Factor, st.text(min_size=1, max_size=5), st.integers(0, 9).map(float), share, st.booleans())
moved = st.builds(
    Modifiers, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 10).map(float)
)  # fmt: skip

ONE = Questionnaire.parse(
    {
        "name": "one", "version": 1, "title": "One", "intent": "To try it", "languages": ["en"],
        "sections": [{"id": "s", "title": "S", "questions": [
            {"id": "a", "type": "yes_no", "text": "A?", "required": True, "risk": {"weight": 1, "yes": 0, "no": 1}},
            {"id": "b", "type": "yes_no", "text": "B?", "required": True, "risk": {"weight": 3, "yes": 0, "no": 1}},
        ]}],
    }
)  # fmt: skip


@given(st.lists(factors, max_size=8), moved)
def test_what_was_stored_as_json_gives_the_same_score_again(found: list[Factor], known: Modifiers) -> None:
    stored = json.loads(json.dumps(Score("q", 1, "f" * 64, tuple(found), known).as_record()))
    assert agrees(stored)


def test_a_score_that_somebody_changed_is_noticed() -> None:
    stored = Score("q", 1, "f" * 64, (Factor("a", 1, 0.5),)).as_record()
    assert not agrees({**stored, "value": 49.0})
    assert not agrees({**stored, "band": "LOW"})
    assert not agrees({**stored, "modifiers": {**stored["modifiers"], "late": True}})


def test_a_score_of_a_model_that_is_gone_is_not_guessed_at() -> None:
    stored = Score("q", 1, "f" * 64, (Factor("a", 1, 0.5),)).as_record()
    with pytest.raises(UnknownModel):
        agrees({**stored, "model": 99})


def test_a_required_question_without_an_answer_counts_as_the_whole_risk() -> None:
    saved = validate(ONE, {"answers": {"a": True}}, submitting=False)
    assert isinstance(saved, Validated)
    found = score(ONE, saved)
    assert found.value == 75
    assert [(each.question, each.r, each.answered) for each in found.factors] == [("a", 0, True), ("b", 1, False)]

"""Figures of what members answered: what they stand on, what is left out of them, and what may be told."""

from collections.abc import Mapping
from typing import Any

from surveys.aggregate import QuestionFigures, Response, aggregate
from surveys.items import items
from surveys.numbers import dominated, figures, rounded
from surveys.questionnaire import Questionnaire
from surveys.routing import asked, counted
from surveys.telling import Rule

SHARED, EVERYTHING = Rule(5, 0.8), Rule()
ALL_KINDS = Questionnaire.parse(
    {
        "name": "kinds", "version": 2, "title": "Kinds", "intent": "To try them", "languages": ["en"],
        "sections": [{"id": "s", "title": "S", "questions": [
            {"id": "union", "type": "yes_no", "text": "A union?", "last_year": "union"},
            {"id": "name", "type": "text", "text": "Which?", "show_if": {"question": "union", "equals": True}},
            {"id": "staff", "type": "number", "text": "Staff?", "unit": "people", "last_year": "staff"},
            {"id": "help", "type": "multiple", "text": "Help?", "choices": [
                {"value": "call", "label": "A call"}, {"value": "text", "label": "A text"}]},
            {"id": "mix", "type": "percentages", "text": "Mix?", "parts": [
                {"id": "wool", "text": "Wool"}, {"id": "silk", "text": "Silk"}]},
            {"id": "since", "type": "date", "text": "Since?"},
            {"id": "sites", "type": "table", "text": "Sites?", "max_rows": 9, "columns": [
                {"id": "kind", "type": "single", "text": "Kind", "choices": [
                    {"value": "mill", "label": "Mill"}, {"value": "farm", "label": "Farm"}]},
                {"id": "hands", "type": "number", "text": "Hands"}]},
            {"id": "rows", "type": "table", "text": "Rows?", "rows": [{"id": "one", "text": "One"}], "columns": [
                {"id": "ok", "type": "yes_no", "text": "OK"}]},
        ]}],
    }
)  # fmt: skip


def response(answers: Mapping[str, Any], **more: Any) -> Response:
    kept = counted(ALL_KINDS, answers)
    given = {"groups": {"tier": "A"}, **more}
    return Response(kept, frozenset(each.id for each in asked(ALL_KINDS, kept)), **given)


def told(responses: list[Response], rule: Rule = EVERYTHING) -> dict[str, QuestionFigures]:
    found = items(ALL_KINDS)
    wanted = [(question, found[question.id]) for question in ALL_KINDS.questions]
    return {each.question.id: each for each in aggregate(responses, wanted, ("tier",), rule)}


def cells(figures: QuestionFigures, number: int = 0) -> dict[str, int | None]:
    return {cell.value: cell.number for cell in figures.items[number].all.cells}


def test_each_kind_of_question_is_counted_in_its_own_way() -> None:
    answers = {
        "union": True, "staff": 10, "help": ("call", "text"), "mix": {"wool": 40.0}, "since": "2019-05-01",
        "sites": ({"kind": "mill", "hands": 3}, {"kind": "mill", "hands": 4}), "rows": {"one": {"ok": False}},
        "name": "Unison",
    }  # fmt: skip
    found = told([response(answers)])
    assert cells(found["union"]) == {"yes": 1, "no": 0}
    assert cells(found["help"]) == {"call": 1, "text": 1}
    assert cells(found["since"]) == {"2019": 1}
    assert [item.all.numbers.mean for item in found["mix"].items if item.all.numbers] == [40, 0]
    assert cells(found["sites"]) == {"mill": 1, "farm": 0}  # members, not rows
    hands = found["sites"].items[1].all.numbers
    assert hands is not None and hands.total == 7
    assert (cells(found["rows"]), found["rows"].items[0].item.label) == ({"yes": 0, "no": 1}, "One: OK")
    assert (found["name"].items[0].all.n, found["name"].items[0].all.cells) == (1, ())  # texts are never listed


def test_answered_unanswered_not_asked_and_excluded_are_everybody() -> None:
    people = [response({"union": True}), response({"union": False}), response({"union": True, "name": "Unison"}),
              response({"union": True, "name": "Unite"}, excluded=frozenset({"name"}))]  # fmt: skip
    one = told(people)["name"]
    assert (one.answered, one.unanswered, one.not_asked, one.excluded) == (1, 1, 1, 1)
    assert one.non_response == 50
    assert one.items[0].all.n == 1


def test_imputed_answers_are_counted_and_said_to_be() -> None:
    one = told([response({"staff": 5}, imputed=frozenset({"staff"})), response({"staff": 7})])["staff"]
    assert (one.answered, one.imputed) == (2, 1)


def test_of_those_who_answered_both_years_alone_a_change_is_told() -> None:
    people = [response({"staff": 10 * n, "union": True}, before={"staff": 10 * n - 5, "union": n > 3})
              for n in range(1, 9)]  # fmt: skip
    people += [response({"staff": 10_000, "union": False})] * 6
    found = told(people, SHARED)
    change = found["staff"].items[0].change
    assert change is not None and (change.n, change.medians) == (8, (40, 45))
    shares = found["union"].items[0].change
    assert shares is None  # three said no last year, so that neither answer of last year is told
    assert told(people)["union"].items[0].change is not None
    assert told(people[:4], SHARED)["staff"].items[0].change is None


def test_who_is_asked_is_not_told_where_the_answer_that_decides_it_is_left_out() -> None:
    people = [response({"union": n >= 3, **({"name": "x"} if n >= 3 else {})}) for n in range(20)]
    found = told(people, SHARED)
    assert set(cells(found["union"]).values()) == {None}
    assert found["name"].withheld and not found["name"].items
    assert not told(people)["name"].withheld


def test_a_total_that_one_member_makes_almost_alone_is_left_out_and_not_to_be_worked_out() -> None:
    people = [response({"staff": 10}, groups={"tier": "A"}) for _ in range(9)]
    people += [response({"staff": 10}, groups={"tier": "B"}) for _ in range(8)]
    people += [response({"staff": 9000 if n else 10}, groups={"tier": "C"}) for n in range(6)]
    people[-1] = response({"staff": 900_000}, groups={"tier": "C"})
    staff = told(people, SHARED)["staff"].items[0]
    assert staff.all.numbers is not None and staff.all.numbers.total is None
    totals = {group.name: group.numbers.total for group in staff.by["tier"] if group.numbers}
    assert (
        totals["C"] is None and len([each for each in (staff.all.numbers.total, *totals.values()) if each is None]) > 1
    )


def test_shared_numbers_are_rounded_and_without_extremes() -> None:
    staff = told([response({"staff": 1234 + n}) for n in range(7)], SHARED)["staff"].items[0].all.numbers
    assert staff is not None
    assert (staff.median, staff.low, staff.high, staff.p10) == (1240, None, None, None)
    ten = told([response({"staff": 1234 + n}) for n in range(10)], SHARED)["staff"].items[0].all.numbers
    assert ten is not None and (ten.p10, ten.p90) == (1230, 1240)


def test_figures_of_nothing_say_so() -> None:
    assert figures([]).n == 0 and figures([]).median is None
    assert not dominated([], 0.8) and not dominated([0, 0], 0.8)
    assert rounded(0) == 0 and rounded(None) is None and rounded(-0.0012345) == -0.00123
    assert [one.items[0].all.n for one in told([], SHARED).values()] == [0] * 8

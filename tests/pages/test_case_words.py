"""What the pages of a case say: what it is about, the plain next step, who is written to, and what went wrong."""

from __future__ import annotations

from typing import Any

from cases.commands import fire, note
from tests.cast import MONDAY, Cast
from tests.deciding import recommended
from tests.pages.case_cast import a_complaint, acknowledged
from tests.pages.conftest import SignedIn

ANSWER = {"findings": [{"decision": "upheld", "reasons": "The boiler was off."}], "answer": "This is what we found."}
PROMISED = [{"what": "Mend the boiler", "due_on": "2026-03-20"}, {"what": "Write to everybody", "due_on": "2026-03-27"}]


def step(cast: Cast, ref: str, trigger: str, by: str, **payload: Any) -> None:
    fire(cast.env, ref, trigger, payload=payload or None, actor=cast.actor(by), now=MONDAY)


def promised(cast: Cast) -> str:
    """A complaint that was settled early, with two actions still to be done."""
    ref = acknowledged(cast)
    step(cast, ref, "try_early_resolution", "Amara", complexity="A simple repair")
    step(cast, ref, "fix_agreed", "Amara", answer="We mend it.", complainant_accepts=True, remedies=PROMISED,
         redress=["money"], redress_amount=32)  # fmt: skip
    step(cast, ref, "accept", "Amara")
    return ref


def test_what_a_case_is_about_stands_above_a_long_history(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    for number in range(30):
        note(cast.env, ref, f"Note {number}", actor=cast.actor("Amara"), now=MONDAY)

    page = desk("Amara").get(f"/cases/{ref}")

    assert "Description Cold water." in page.words("#began")[0]
    assert "Cold water." not in page.words("#history")[0]


def test_the_plain_next_step_is_emphasised_and_where_several_are_to_be_weighed_none(desk: SignedIn, cast: Cast) -> None:
    amara = desk("Amara")

    assert amara.get(f"/cases/{promised(cast)}").words("#actions .btn-primary") == ["Verify a promised action"]
    assert amara.get(f"/cases/{a_complaint(cast)}").words("#actions .btn-primary") == []


def test_a_promised_action_is_chosen_by_what_was_promised(desk: SignedIn, cast: Cast) -> None:
    ref, amara = promised(cast), desk("Amara")
    assert amara.get(f"/cases/{ref}").words("#promised li") == [
        "Mend the boiler (by 20 March 2026)", "Write to everybody (by 27 March 2026)",
    ]  # fmt: skip
    form = amara.get(f"/cases/{ref}/do/verify_action")
    assert [o.get_text() for o in form.all("#field-remedy option")][1:] == [
        "Mend the boiler (by 20 March 2026)", "Write to everybody (by 27 March 2026)",
    ]  # fmt: skip

    after = form.form("#do").submit(remedy="2", evidence="The letter is in the file.")

    assert "“Verify a promised action” is done" in after.main
    assert "Promised action Write to everybody" in after.words("#history")[0]
    again = amara.get(f"/cases/{ref}/do/verify_action")
    assert [o["value"] for o in again.all("#field-remedy option")][1:] == ["1"]


def two_points(cast: Cast) -> str:
    """A complaint about two things, with whoever investigates it."""
    ref = a_complaint(cast)
    step(cast, ref, "acknowledge", "Amara", issues="Cold water\nRude words", understanding="Cold, and rude.",
         adjustments_asked=True)  # fmt: skip
    step(cast, ref, "allocate", "Mina", handler=cast.actor("Amara").person)
    return ref


def test_a_finding_is_written_and_read_under_the_point_that_it_answers(desk: SignedIn, cast: Cast) -> None:
    ref, amara = two_points(cast), desk("Amara")
    form = amara.get(f"/cases/{ref}/do/respond")
    assert form.words("#field-findings legend")[1:] == ["1. Cold water", "2. Rude words"]

    again = form.form("#do").submit(findings__1__decision="upheld", findings__1__reasons="Two heard it.", answer="So.")
    assert again.status == 422 and "Cold water: Reasons : is required" in again.words(".alert-danger")[0]
    assert again.all("#field-findings-0-reasons-error") and not again.all("#field-findings-1-reasons-error")
    assert again.one("#field-findings-1-reasons").text == "Two heard it."
    again.form("#do").submit(findings__0__decision="not_upheld", findings__0__reasons="It was 28 degrees.")

    told = next(each for each in amara.get(f"/cases/{ref}").words(".case-entry") if each.startswith("Respond"))
    assert "Findings Cold water Decision: Not upheld Reasons: It was 28 degrees. Rude words Decision: Upheld" in told
    assert "Money" not in told, "none was offered"


def test_what_a_manager_came_to_decide_comes_first_and_what_is_possible_anywhere_is_folded(
    desk: SignedIn, cast: Cast
) -> None:
    ref = two_points(cast)
    two = [{"decision": "upheld", "reasons": "It was cold."}, {"decision": "upheld", "reasons": "Two heard it."}]
    step(cast, ref, "respond", "Amara", findings=two, answer="So.", legal_risk=True)

    page = desk("Mina").get(f"/cases/{ref}")

    assert page.words("#actions .btn")[:2] == ["Approve response", "Return response"]
    assert page.words("#actions .btn-primary") == ["Approve response"]
    assert "Withdraw the complaint" in page.words("#more .btn") and "Withdraw the complaint" not in page.words(
        "#actions .btn"
    )
    assert page.follow("What led to this decision, in one look").words("#decide .btn-primary") == ["Approve response"]


def test_money_is_written_with_its_pence(desk: SignedIn, cast: Cast) -> None:
    assert "Money (£) 32.00" in desk("Amara").get(f"/cases/{promised(cast)}").words("#history")[0]


def test_who_is_told_of_a_return_is_who_has_the_case_then(desk: SignedIn, cast: Cast) -> None:
    ref = acknowledged(cast)
    step(cast, ref, "allocate", "Mina", handler=cast.actor("Amara").person)
    step(cast, ref, "respond", "Amara", **ANSWER, legal_risk=True)
    form = desk("Mina").get(f"/cases/{ref}/do/return_response")
    assert "“Response returned” to Amara" in form.main

    after = form.form("#do").submit(reason="Say when it is mended.")

    assert "“Response returned” to Amara" in after.words(".alert-success")[0]
    to = cast.scalar("SELECT s.name FROM messages m JOIN cases c ON c.id = m.case_id JOIN staff s ON s.id = c.owner_id"
                     " WHERE m.kind = 'complaint_returned'")  # fmt: skip
    assert to == "Amara"


def test_a_text_that_is_too_short_is_told_in_words(desk: SignedIn, cast: Cast) -> None:
    again = desk("Amara").get(f"/cases/{promised(cast)}/do/verify_action").form("#do").submit(remedy="1", evidence="x")

    assert again.words("#field-evidence-error") == ["Error: Needs at least 3 characters"]


def test_who_decides_reads_what_the_case_was_opened_with(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)

    led = desk("Mina").get(f"/approvals/{ref}").words("#led")[0]

    assert led.index("Open the case") < led.index("Submit assessment")
    assert "Criterion" in led


def test_a_name_without_its_accents_is_answered_with_who_may_be_meant(desk: SignedIn, cast: Cast) -> None:
    cast.members("Łódź Threadworks")

    again = desk("Amara").get("/cases/new/complaint").form("#open").submit(member="lodz", subject="Cold pool")

    assert "Perhaps Łódź Threadworks (M-" in again.words("#field-member-error")[0]

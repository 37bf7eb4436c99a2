"""A day at the desk in a real browser: with the mouse, with the keyboard alone, without scripts, two people at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from cases import commands
from tests.browser.conftest import Desk, Someone, at_rest
from tests.cast import MONDAY, Cast

pytestmark = pytest.mark.browser

MAIL = "#history"


def a_day_of_work(cast: Cast) -> str:
    """Two complaints of the North, the earlier one more urgent; return that one."""
    amara = cast.actor("Amara")
    urgent = commands.open_one(
        cast.env, "complaint", member=None, subject="Žofie fell on the wet stairs", actor=amara,
        payload={"category": "stairs", "description": "I fell.", "complainant_name": "Žofie Nováková",
                 "complainant_email": "zofie@people.example"},
    ).after.ref  # fmt: skip
    payload = {"issues": "Wet stairs", "understanding": "She fell.", "adjustments_asked": True}
    commands.fire(cast.env, urgent, "acknowledge", payload=payload, actor=amara)
    commands.fire(cast.env, urgent, "allocate", payload={"handler": amara.person}, actor=cast.actor("Mina"))
    cast.go_to(MONDAY + timedelta(days=1))
    later = commands.open_one(
        cast.env, "complaint", member=None, subject="Cold pool", payload={"category": "pool"}, actor=amara
    ).after.ref
    commands.fire(cast.env, later, "acknowledge", payload=payload, actor=amara)
    commands.fire(cast.env, later, "allocate", payload={"handler": amara.person}, actor=cast.actor("Mina"))
    return urgent


def answer_form(page: Page) -> None:
    """Fill in the answer of a complaint."""
    page.get_by_label("Decision").first.select_option(label="Upheld")
    page.get_by_label("Reasons").first.fill("No sign stood at the top of the stairs.")
    page.get_by_label(re.compile("^Answer")).fill("We are sorry. A sign stands there now.")
    page.get_by_label("Legal risk").check()


def approve(page: Page) -> None:
    """Approve the answer that is shown, and send the form as it stands."""
    page.locator("#decide").get_by_role("link", name="Approve response").click()
    page.get_by_role("button", name="Approve response").click()
    expect(page.locator(".alert-success")).to_be_visible()


def test_a_coordinator_finds_the_urgent_case_acts_and_hands_it_to_a_manager_who_decides(
    running: Desk, someone: Someone
) -> None:
    urgent = a_day_of_work(running.cast)
    amara = someone("Amara").page
    first = amara.locator("main a.row-link").first
    expect(first).to_have_text(urgent)
    first.click()
    expect(amara.locator("h1")).to_have_text("Žofie fell on the wet stairs")
    amara.locator("#actions").get_by_role("link", name="Respond", exact=True).click()
    answer_form(amara)
    amara.get_by_role("button", name="Respond").click()
    expect(amara.locator(".alert-success")).to_contain_text("Stage 1, to approve")
    expect(amara.locator(MAIL)).to_contain_text("zofie@people.example")

    mina = someone("Mina").page
    mina.get_by_role("link", name="Approvals").first.click()
    mina.locator("#waiting").get_by_role("link", name=re.compile("Žofie")).click()
    expect(mina.locator("#led")).to_contain_text("We are sorry. A sign stands there now.")
    approve(mina)
    state = running.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=urgent)
    assert state.startswith("stage_1_responded") or state == "actions_open"


def test_the_same_with_the_keyboard_alone(running: Desk, someone: Someone) -> None:
    urgent = a_day_of_work(running.cast)
    amara = someone("Amara").page
    at_rest(amara)
    amara.keyboard.press("j")
    expect(amara.locator("a.row-link").first).to_be_focused()
    amara.keyboard.press("Enter")
    expect(amara.locator("h1")).to_have_text("Žofie fell on the wet stairs")
    at_rest(amara)
    amara.keyboard.press("e")
    expect(amara.locator("#note-text")).to_be_focused()
    amara.keyboard.type("Rang her at noon.")
    amara.keyboard.press("Tab")
    amara.keyboard.press("Enter")
    expect(amara.locator("#history")).to_contain_text("Rang her at noon.")
    at_rest(amara)
    amara.keyboard.press("a")
    _press_until(amara, "Tab", "Respond")
    amara.keyboard.press("Enter")
    expect(amara.locator("form#do")).to_be_visible()
    at_rest(amara)
    _press_until(amara, "Tab", "Decision")
    amara.keyboard.type("Upheld")
    _press_until(amara, "Tab", "Reasons")
    amara.keyboard.type("No sign stood there.")
    _press_until(amara, "Tab", "Answer")
    amara.keyboard.type("We are sorry.")
    _press_until(amara, "Tab", "Legal risk")
    amara.keyboard.press("Space")
    _press_until(amara, "Tab", "Respond")
    amara.keyboard.press("Enter")
    expect(amara.locator(".alert-success")).to_contain_text("Stage 1, to approve")

    mina = someone("Mina").page
    at_rest(mina)
    mina.keyboard.press("g")
    mina.keyboard.press("a")
    expect(mina.locator("h1")).to_have_text("Approvals")
    at_rest(mina)
    mina.keyboard.press("j")
    expect(mina.locator("#waiting a.row-link").first).to_be_focused()
    mina.keyboard.press("Enter")
    expect(mina.locator("#led")).to_contain_text("We are sorry.")
    at_rest(mina)
    mina.keyboard.press("a")
    _press_until(mina, "Tab", "Approve response")
    mina.keyboard.press("Enter")
    expect(mina.locator("h1")).to_have_text("Approve response")
    at_rest(mina)
    _press_until(mina, "Tab", "Approve response")
    mina.keyboard.press("Enter")
    expect(mina.locator(".alert-success")).to_be_visible()
    expect(mina.locator("#live")).to_have_text(mina.locator(".alert-success").inner_text())
    assert running.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=urgent) != "stage_1_approval"


def _press_until(page: Page, key: str, words: str) -> None:
    """Press a key until the focus is on the control with these words."""
    for _ in range(60):
        found = page.evaluate(
            """() => { const e = document.activeElement; if (!e || e.localName === "h1") return "";
            const label = e.labels && e.labels[0] ? e.labels[0].innerText : "";
            return (label || e.getAttribute("aria-label") || e.innerText || "").trim(); }"""
        )
        if found.startswith(words):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never leads to {words!r}")


def test_the_same_without_scripts(running: Desk, someone: Someone) -> None:
    urgent = a_day_of_work(running.cast)
    amara = someone("Amara", java_script_enabled=False).page
    amara.locator("main a.row-link").first.click()
    amara.locator("#actions").get_by_role("link", name="Respond", exact=True).click()
    answer_form(amara)
    amara.get_by_role("button", name="Respond").click()
    expect(amara.locator(".alert-success")).to_contain_text("Stage 1, to approve")
    mina = someone("Mina", java_script_enabled=False).page
    mina.goto("/approvals")
    mina.locator("#waiting").get_by_role("link", name=re.compile("Žofie")).click()
    approve(mina)
    assert running.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=urgent) != "stage_1_approval"


def test_two_people_on_one_case_see_each_other_and_the_later_one_loses_nothing(running: Desk, someone: Someone) -> None:
    urgent = a_day_of_work(running.cast)
    amara, mina = someone("Amara").page, someone("Mina").page
    amara.goto(f"/cases/{urgent}")
    mina.goto(f"/cases/{urgent}")
    expect(mina.locator("main")).to_contain_text("Amara")
    amara.goto(f"/cases/{urgent}/do/respond")
    answer_form(amara)
    commands.fire(
        running.cast.env, urgent, "withdraw", payload={"note": "She rang and withdrew it."},
        actor=running.cast.actor("Mina"),
    )  # fmt: skip
    amara.get_by_role("button", name="Respond").click()
    expect(amara.locator("main")).to_contain_text("Somebody else changed this case")
    expect(amara.locator("main")).to_contain_text("Mina")
    expect(amara.get_by_label(re.compile("^Answer"))).to_have_value("We are sorry. A sign stands there now.")


def test_what_is_typed_is_kept_when_the_browser_closes(running: Desk, someone: Someone) -> None:
    urgent = a_day_of_work(running.cast)
    first = someone("Amara")
    first.page.goto(f"/cases/{urgent}/do/respond")
    with first.page.expect_response(lambda answer: answer.url.endswith("/draft")):
        first.page.get_by_label(re.compile("^Answer")).press_sequentially("We are so")
    first.page.close()
    again = someone("Amara").page
    again.goto(f"/cases/{urgent}/do/respond")
    expect(again.get_by_label(re.compile("^Answer"))).to_have_value("We are so")


def test_a_session_that_ended_meanwhile_costs_nobody_a_word(running: Desk, someone: Someone) -> None:
    urgent = a_day_of_work(running.cast)
    person = someone("Amara")
    page = person.page
    page.goto(f"/cases/{urgent}")
    page.locator("#note-text").fill("A long note that nobody wants to type again.")
    with running.cast.env.engine.begin() as conn:
        conn.exec_driver_sql("DELETE FROM web_sessions")
    page.get_by_role("button", name="Write the note").click()
    expect(page.locator("main")).to_contain_text("You were signed out")
    expect(page.locator("textarea")).to_have_value("A long note that nobody wants to type again.")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    other = opened.value
    other.get_by_role("button", name="Amara").first.click()
    other.wait_for_url("**/queue")
    page.get_by_role("button", name="Send it once more").click()
    expect(page.locator("main")).to_contain_text("belongs to another session")
    page.get_by_role("button", name="Send it once more").click()
    expect(page.locator("#history")).to_contain_text("A long note that nobody wants to type again.")


def test_several_cases_are_given_to_a_colleague_after_a_look_at_what_will_happen(
    running: Desk, someone: Someone
) -> None:
    a_day_of_work(running.cast)
    page = someone("Amara").page
    for key in "jxjx":
        page.keyboard.press(key)
    assert page.locator("main tbody input:checked").count() == 2
    page.get_by_role("button", name="Do something with the ticked cases").click()
    page.locator("main").get_by_role("button", name=re.compile("note", re.IGNORECASE)).click()
    expect(page.locator("#preview")).to_contain_text("Žofie")
    assert running.cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'note'") == 0
    page.locator("#bulk-note").fill("Both belong together.")
    page.locator("#bulk-form .btn-primary").click()
    expect(page.locator("#bulk-form")).to_have_count(0)
    assert running.cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'note'") == 2
    page.go_back()
    expect(page.locator("h1")).to_have_text("My queue")  # and not a form that was sent
    expect(page.locator("main tbody input:checked")).to_have_count(0)


def test_who_goes_back_to_a_list_stands_where_they_were_and_what_was_ticked_is_ticked(
    running: Desk, someone: Someone
) -> None:
    a_day_of_work(running.cast)
    page = someone("Amara").page
    at_rest(page)
    second = page.locator("main a.row-link").nth(1)
    for key in "jjx":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Cold pool")
    at_rest(page)
    page.locator("#note-text").fill("Rang them.")
    page.get_by_role("button", name="Write the note").click()
    expect(page.locator("#history")).to_contain_text("Rang them.")
    at_rest(page)
    page.go_back()
    expect(second).to_be_focused()
    expect(page.locator("main tbody input:checked")).to_have_count(1)


def test_somebody_lost_asks_for_the_keys(someone: Someone) -> None:
    page = someone("Amara").page
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_contain_text("queue")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("stairs?")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_double_click_writes_one_note(running: Desk, someone: Someone) -> None:
    urgent = a_day_of_work(running.cast)
    page = someone("Amara").page
    page.goto(f"/cases/{urgent}")
    page.locator("#note-text").fill("Said once.")
    page.get_by_role("button", name="Write the note").dblclick()
    expect(page.locator("#history")).to_contain_text("Said once.")
    page.reload()
    assert page.locator("#history").inner_text().count("Said once.") == 1


def test_the_drawing_opens_where_the_case_is(running: Desk, someone: Someone) -> None:
    urgent = a_day_of_work(running.cast)
    page = someone("Amara").page
    page.goto(f"/cases/{urgent}")
    box, state = (
        page.locator(".process-diagram").bounding_box(),
        page.locator(".process-diagram .current").bounding_box(),
    )
    assert box is not None
    assert state is not None
    assert box["y"] <= state["y"] <= box["y"] + box["height"]
    assert page.evaluate("window.scrollY") == 0

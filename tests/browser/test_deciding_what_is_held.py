"""Work that Muster holds back, in a real browser: the coordinator sees it on the case, a manager decides about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from cases.sweep import sweep_due
from tests.browser.conftest import PHONE, Desk, Someone
from tests.browser.test_accessibility import RULES
from tests.cast import MONDAY
from tests.shell.test_breaker import opened, policy_with

pytestmark = pytest.mark.browser


def test_a_coordinator_sees_what_is_held_back_and_one_of_two_managers_lets_it_go_on(
    running: Desk, someone: Someone
) -> None:
    cast = running.cast
    opened(cast, 4)
    cast.go_to(MONDAY + timedelta(days=9))
    env = replace(cast.env, policy=policy_with(cast.env.policy, late=3))
    sweep_due(env)

    amara = someone("Amara", bypass_csp=True).page  # axe is injected as a script
    amara.set_viewport_size(PHONE)  # type: ignore[arg-type]
    amara.goto("/cases")
    expect(amara.locator("#cases .case", has_text="Held back")).to_have_count(4)
    _usable(amara)
    amara.locator("#cases a.row-link").first.click()
    expect(amara.locator("#held")).to_contain_text("a manager decides whether Muster goes on")
    _usable(amara)

    mina, max_ = someone("Mina").page, someone("Max").page
    for page in (mina, max_):
        page.goto("/queue")
        page.get_by_role("link", name="Look and decide").click()
        page.get_by_role("link", name="4 cases held back: Complaint").click()
    _decide(mina, "Let it go on", "The office was closed")
    expect(mina.locator("#decided")).to_contain_text("The office was closed")
    _decide(max_, "Do not do it", "I want to ring them first")
    expect(max_.locator("#error")).to_contain_text("This was decided meanwhile")
    expect(max_.locator("#decided")).to_contain_text("I want to ring them first")

    sweep_due(env)
    amara.reload()
    expect(amara.locator("#history")).to_contain_text("Overdue")
    expect(amara.locator("#held")).to_have_count(0)


def _decide(page: Page, what: str, reason: str) -> None:
    page.get_by_label(what, exact=True).check()
    page.get_by_label("Reason").fill(reason)
    page.locator("#decision").get_by_role("button", name="Decide").click()


def _usable(page: Page) -> None:
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate("rules => axe.run(rules)", RULES)["violations"] == []

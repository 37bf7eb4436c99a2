"""What Muster has held back: managers see it wherever they are, read why and what, and decide with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI

from cases import commands
from cases.environment import Environment
from cases.sweep import sweep_due
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn
from tests.shell.test_breaker import LEAVING, opened, policy_with

LATER = MONDAY + timedelta(days=9)


@pytest.fixture
def env(cast: Cast) -> Environment:
    """The organisation, which asks from four late cases of a process on."""
    return replace(cast.env, policy=policy_with(cast.env.policy, late=3))


@pytest.fixture
def held(cast: Cast, env: Environment) -> str:
    """Four late complaints that are held back; return the address of the page."""
    return hold(cast, env, 4)


def hold(cast: Cast, env: Environment, count: int, at: datetime = LATER) -> str:
    opened(cast, count)
    cast.go_to(at)
    sweep_due(env)
    return f"/approvals/held/{cast.scalar('SELECT max(id) FROM sweep_holds')}"


def fired(cast: Cast) -> int:
    return int(cast.scalar("SELECT count(*) FROM messages WHERE kind = 'case_overdue'"))


@pytest.mark.parametrize("who", ["Amara", "Bo", "Cara", "Ada"])
def test_who_may_not_decide_neither_sees_nor_decides_it(desk: SignedIn, held: str, who: str, cast: Cast) -> None:
    page = desk(who)
    assert "Muster has stopped" not in page.get("/queue").main
    assert "This page is for" in page.get(held, status=403).main
    assert page.post(held, {"decision": "approve", "reason": "Go"}).status == 403
    assert cast.scalar("SELECT state FROM sweep_holds") == "open"


def test_a_manager_is_led_from_the_queue_to_the_pack_and_lets_it_go_on(
    desk: SignedIn, held: str, cast: Cast, env: Environment
) -> None:
    mina = desk("Mina")
    page = mina.get("/queue").follow("Look and decide")
    assert "4 cases held back: Complaint" in page.words("#held h3")
    pack = page.follow("4 cases held back: Complaint")
    assert pack.path == held
    assert "4 cases found late. Up to 3 cases go by without a question." in pack.words("#why")[0]
    assert "A case is late" in pack.words("#would")[0]
    assert len(pack.all("#cases tbody tr")) == 4
    assert "Dear" in pack.words("#samples")[0] or "overdue" in pack.words("#samples")[0].lower()
    done = pack.form("#decision").submit(decision="approve", reason="As we were offline")
    assert "4 cases will go on within a minute" in done.text
    assert "As we were offline" in done.words("#decided")[0] and "Mina" in done.words("#decided")[0]
    assert fired(cast) == 0
    sweep_due(env)
    assert fired(cast) == 4
    assert "Muster has stopped" not in mina.get("/queue").text


def test_what_is_declined_is_passed_over_with_name_and_reason_on_the_case(
    desk: SignedIn, held: str, cast: Cast, env: Environment
) -> None:
    done = desk("Sol").get(held).form("#decision").submit(decision="decline", reason="They were answered by phone")
    assert "It was not done" in done.words("#decided")[0]
    ref = cast.scalar("SELECT min(ref) FROM cases")
    history = desk("Mina").get(f"/cases/{ref}").text
    assert "They were answered by phone" in history
    sweep_due(env)
    assert fired(cast) == 0


def test_a_held_case_says_so_on_its_page_and_in_lists_until_somebody_decides(
    desk: SignedIn, held: str, cast: Cast
) -> None:
    ref = cast.scalar("SELECT min(ref) FROM cases")
    amara, mina = desk("Amara"), desk("Mina")
    assert [row for row in amara.get("/cases").words("#cases tbody th") if "Held back" not in row] == []
    page = amara.get(f"/cases/{ref}")
    [told] = page.words("#held")
    assert "Held back since 11 Mar 2026, 09:00" in told and "a manager decides whether Muster goes on" in told
    assert "waits until a manager has decided" in page.words("#next")[0]
    assert "Look and decide" not in told, "only who decides is led there"
    pack = mina.get(f"/cases/{ref}").one("#held a")["href"]
    assert pack == held
    mina.get(held).form("#decision").submit(decision="approve", reason="Go on")
    assert amara.get(f"/cases/{ref}").all("#held") == []
    assert "Held back" not in amara.get("/cases").main


def test_a_case_that_somebody_moved_is_held_back_no_more(desk: SignedIn, held: str, cast: Cast) -> None:
    ref = cast.scalar("SELECT min(ref) FROM cases")
    payload = {"issues": "Wet stairs", "understanding": "She fell.", "adjustments_asked": True}
    commands.fire(cast.env, ref, "acknowledge", payload=payload, actor=cast.actor("Amara"))
    assert desk("Amara").get(f"/cases/{ref}").all("#held") == []


def test_a_decision_needs_a_reason_and_keeps_what_was_typed(desk: SignedIn, held: str, cast: Cast) -> None:
    page = desk("Mina").get(held).form("#decision").submit(decision="decline", reason="  ")
    assert page.status == 422
    assert "Please give a reason" in page.words("#error")[0]
    assert page.all("#decline[checked]")
    assert cast.scalar("SELECT state FROM sweep_holds") == "open"


def test_who_is_second_reads_that_it_was_decided_and_by_whom(desk: SignedIn, held: str, cast: Cast) -> None:
    form = desk("Max").get(held).form("#decision")
    desk("Mina").get(held).form("#decision").submit(decision="approve", reason="Go on")
    late = form.submit(decision="decline", reason="Not now")
    assert late.status == 409
    assert "This was decided meanwhile. It goes on." in late.words("#error")[0]
    [ended] = late.words("#decided")
    assert "Mina" in ended and "What you wrote Not now" in ended
    assert cast.scalar("SELECT state FROM sweep_holds") == "approved"


def test_what_has_grown_since_it_was_shown_is_shown_again_before_it_is_decided(
    desk: SignedIn, held: str, cast: Cast, env: Environment
) -> None:
    form = desk("Mina").get(held).form("#decision")
    cast.go_to(MONDAY)
    hold(cast, env, 5)
    late = form.submit(decision="approve", reason="Go on")
    assert late.status == 409
    assert "More cases have come to it" in late.words("#error")[0]
    unsaid = dict(late.form("#decision").values) | {"decision": "approve", "reason": "Go on"}
    assert desk("Mina").post(held, {name: value for name, value in unsaid.items() if name != "seen"}).status != 200
    assert cast.scalar("SELECT state FROM sweep_holds") == "open"
    again = late.form("#decision").submit(decision="approve", reason="Go on")
    assert "9 cases will go on" in again.text


def test_without_the_sign_of_the_form_nothing_is_decided(desk: SignedIn, held: str, cast: Cast) -> None:
    mina = desk("Mina")
    assert mina.post(held, {"decision": "approve", "reason": "Go on", "csrf": "x"}).status == 403
    assert cast.scalar("SELECT state FROM sweep_holds") == "open"


def test_cases_that_a_manager_may_not_open_are_counted_and_not_named(desk: SignedIn, held: str, cast: Cast) -> None:
    ref = cast.scalar("SELECT min(ref) FROM cases")
    commands.restrict(cast.env, ref, ["sol@muster.example"], actor=cast.actor("Max"))
    page = desk("Mina").get(held)
    assert ref not in page.text
    assert "1 more case is not yours to open" in page.main
    assert ref in desk("Sol").get(held).text


def test_a_letter_is_shown_as_it_would_be_after_the_move_and_without_the_key_of_its_reader(
    desk: SignedIn, cast: Cast, env: Environment
) -> None:
    opened(cast, 4, "cancellation", payload=LEAVING)
    cast.go_to(MONDAY + timedelta(days=120))
    sweep_due(env)
    page = desk("Mina").get("/approvals/held/1")
    [samples] = page.words("#samples")
    assert "Your membership ends on" in samples and "See your cancellation:" in samples
    assert "/m/…" in samples, "the key of the personal link is left out"
    assert "4 cases from “Contact offered” to “Ended, account to settle”" in page.words("#would")[0]
    assert page.form("#decision").submit(decision="decline", reason="The clock was wrong").status == 422
    done = page.form("#decision").submit(decision="decline", reason="The clock was wrong", until="2026-07-20")
    assert "20 Jul 2026" in done.words("#decided")[0]
    ref = cast.scalar("SELECT min(ref) FROM cases")
    assert "The clock was wrong" in desk("Mina").get(f"/cases/{ref}").text
    assert "It was put off" in desk("Mina").get(f"/cases/{ref}/why").text


def test_a_long_list_has_pages_and_a_page_costs_no_more_for_it(desk: SignedIn, cast: Cast, env: Environment) -> None:
    held = hold(cast, env, 30)
    mina = desk("Mina")
    first = mina.get(held)
    second = first.follow("Next")
    refs = [set(page.words("#cases tbody th")) for page in (first, second)]
    assert (len(refs[0]), len(refs[1]), refs[0] & refs[1]) == (25, 5, set())


def test_the_list_of_all_that_was_asked_says_who_decided(desk: SignedIn, held: str) -> None:
    mina = desk("Mina")
    mina.get(held).form("#decision").submit(decision="approve", reason="Go on")
    [row] = mina.get("/approvals").follow("What Muster asked before it went on").words("tbody tr")
    assert "Complaint: 4 cases" in row and "Went on" in row and "Mina" in row


def test_where_nothing_was_ever_held_back_the_list_says_so_and_an_unknown_number_is_not_found(desk: SignedIn) -> None:
    mina = desk("Mina")
    assert "Muster never had to ask" in mina.get("/approvals/held").main
    assert mina.get("/approvals/held/77", status=404).status == 404


def test_the_administration_page_and_the_numbers_say_what_is_held_back(
    desk: SignedIn, held: str, app: FastAPI, cast: Cast
) -> None:
    page = desk("Ada").get("/admin")
    assert "held back" in page.main

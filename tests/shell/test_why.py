"""Why something happened to a case, or did not: at any moment, with each guard's answer and what became of the mail."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cases.commands import fire
from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.errors import CaseNotFound
from cases.explaining.looked_back import RungThen, Why
from cases.explaining.past import why
from cases.sweep import sweep_due
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.deciding import a_finding
from tests.pages.case_cast import a_complaint

FRIDAY = MONDAY + timedelta(days=4)


def rung(found: Why, name: str) -> RungThen:
    return next(each for clock in found.clocks for each in clock.rungs if each.name == name)


def live(cast: Cast, at: datetime) -> None:
    sweep_due(cast.env, now=at)
    deliver(cast.env, transport=KeepingTransport({}), now=at)


def test_a_rung_tells_when_it_fired_how_late_and_what_became_of_its_mail(cast: Cast) -> None:
    ref = a_complaint(cast)
    live(cast, FRIDAY + timedelta(hours=2))

    found = why(cast.env, ref, actor=cast.actor("Amara"), now=FRIDAY + timedelta(hours=3))
    soon = rung(found, "due_soon")

    assert (soon.verdict, soon.happened_at, soon.late_by) == ("fired", FRIDAY + timedelta(hours=2), timedelta(hours=2))
    assert [(mail.title, mail.state, mail.to) for mail in soon.messages] == [("Time is running out", "sent", "Amara")]
    assert "“Time is running out” was sent to Amara on 6 March 2026, 11:00." in found.answer
    assert "Next would be “Overdue act now” on 9 March 2026, 23:59, and no sooner." in found.answer


def test_an_untouched_case_says_that_it_is_too_early_or_that_no_sweep_ran(cast: Cast) -> None:
    ref = a_complaint(cast)

    early = why(cast.env, ref, actor=SYSTEM, now=MONDAY + timedelta(days=1))
    unswept = why(cast.env, ref, actor=SYSTEM, now=FRIDAY + timedelta(days=1))

    assert rung(early, "due_soon").verdict == "not due yet"
    assert rung(unswept, "due_soon").verdict == "late"
    assert "No sweep ran between that moment and this one" in unswept.answer


def test_a_case_on_hold_says_that_its_clocks_stood_still(cast: Cast) -> None:
    ref = a_finding(cast)
    fire(cast.env, ref, "hold", payload={"reason": "A court decides first"}, actor=cast.actor("Mina"), now=MONDAY)

    found = why(cast.env, ref, actor=SYSTEM, now=FRIDAY)

    assert rung(found, "due_soon").verdict == "stood still"
    assert "It was on hold, so nobody was reminded." in found.answer


def test_the_past_is_told_as_it_was_and_not_as_it_is(cast: Cast) -> None:
    ref = a_complaint(cast)
    live(cast, FRIDAY)
    fire(cast.env, ref, "withdraw", payload={}, actor=cast.actor("Amara"), now=FRIDAY)

    then = why(cast.env, ref, at=FRIDAY - timedelta(days=1), actor=SYSTEM, now=FRIDAY + timedelta(days=9))
    now = why(cast.env, ref, actor=SYSTEM, now=FRIDAY + timedelta(days=9))

    assert rung(then, "due_soon").verdict == "not due yet"
    assert now.clocks == ()
    assert "ended" in now.answer


def test_guards_are_answered_with_their_question_and_what_they_looked_at(cast: Cast) -> None:
    ref = a_complaint(cast)
    found = why(cast.env, ref, actor=SYSTEM, now=MONDAY)
    answers = [answer for clock in found.clocks for each in clock.rungs for answer in each.answers]
    assert all(answer.question and not answer.recorded for answer in answers)


@pytest.mark.parametrize(("who", "at"), [("Bo", MONDAY), ("Amara", MONDAY - timedelta(days=1))])
def test_nobody_is_told_who_may_not_see_the_case_and_there_is_no_past_before_it(
    cast: Cast, who: str, at: datetime
) -> None:
    with pytest.raises(CaseNotFound):
        why(cast.env, a_complaint(cast), at=at, actor=cast.actor(who), now=MONDAY)

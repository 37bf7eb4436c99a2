"""Why something happened to a case, or did not: at any moment, with each guard's answer and what became of the mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cases.commands import fire
from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.errors import CaseNotFound
from cases.explaining.looked_back import RungThen, Why
from cases.explaining.past import why
from cases.sweep import sweep_due
from state_machines.values import SYSTEM
from tests import campaign_story
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
    assert "Next would be “Overdue: act now” on 9 March 2026, 23:59, and no sooner." in found.answer


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


def test_a_guarded_rung_tells_what_each_guard_said_then_and_what_it_would_say_next(cast: Cast) -> None:
    story = campaign_story.launched(cast, population={"team": ["South"]})
    story.answers("Nguyễn Cotton")
    story.complete("Nguyễn Cotton")
    story.at("2026-03-10")
    early, late = datetime(2026, 3, 10, 12, tzinfo=UTC), datetime(2026, 3, 16, 12, tzinfo=UTC)
    story.at("2026-03-16")
    story.at("2026-03-17")
    reminded, silent = story.response("Québec Laine"), story.response("Nguyễn Cotton")
    for member in campaign_story.SOUTH[1:]:
        story.answers(member)
        story.complete(member)

    campaign = why(cast.env, story.ref, at=early, actor=cast.actor("Mina"))
    refused, next_time = [each for clock in campaign.clocks for each in clock.rungs if each.name == "everyone_in"]
    assert (refused.verdict, refused.why) == ("refused", "6 of 7 have not answered yet.")
    assert [(a.question, a.value, a.recorded) for a in refused.answers] == [("Everyone is in?", False, True)]
    assert (next_time.verdict, next_time.due.day, next_time.refused) == (
        "not due yet", 11, "6 of 7 have not answered yet.")  # fmt: skip
    assert next_time.answers[0].looked_at == (("children", "complete 1, invited 6"),), "as it was then"
    assert rung(campaign, "deadline").refused == "", "the deadline passes whether everybody is in or not"
    assert "Next would be “Everybody has answered” on 11 March 2026, 09:00" in campaign.answer

    fired = rung(why(cast.env, reminded, at=late, rung="first_reminder", actor=cast.actor("Bo")), "first_reminder")
    assert fired.verdict == "fired"
    assert fired.answers
    assert all(answer.value and answer.recorded for answer in fired.answers)
    assert [mail.state for mail in fired.messages] == ["sent", "suppressed"]
    assert "ended" in why(cast.env, silent, actor=cast.actor("Bo")).answer


def test_what_moved_the_case_is_told_where_it_has_moved_to(cast: Cast) -> None:
    story = campaign_story.launched(cast, population={"team": ["South"]})
    for member in campaign_story.SOUTH:
        story.answers(member)
        story.complete(member)
    story.at("2026-03-10")

    found = why(cast.env, story.ref, actor=cast.actor("Mina"))

    assert found.state_title == "Aggregation"
    assert "Last, “All settled” was done on 10 March 2026, 09:00." in found.answer


@pytest.mark.parametrize(("who", "at"), [("Bo", MONDAY), ("Amara", MONDAY - timedelta(days=1))])
def test_nobody_is_told_who_may_not_see_the_case_and_there_is_no_past_before_it(
    cast: Cast, who: str, at: datetime
) -> None:
    with pytest.raises(CaseNotFound):
        why(cast.env, a_complaint(cast), at=at, actor=cast.actor(who), now=MONDAY)

"""What a stranger's review found broken: each of these once was."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from time import sleep
from typing import Any

import pytest
from sqlalchemy import text

from cases import campaigns, commands, queries
from cases.errors import BadInput, CaseError, CaseNotFound
from cases.handing_over import follow_merges, hand_over
from cases.importing import import_cases
from cases.lists.narrowing import Narrow
from cases.lists.worklist import queue
from cases.nightly import run_checks
from cases.sweep import sweep_due
from config.database import transaction
from members.commands import merge_members, set_absence, staff_left
from state_machines.calendars import Calendar
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.shell.test_commands import a_complaint

EVERYBODY = ("Sol", "Mina", "Max", "Amara", "Bo", "Ada")


def owner(cast: Cast, ref: str) -> str:
    found: str = cast.scalar("SELECT s.name FROM cases c JOIN staff s ON s.id = c.owner_id WHERE c.ref = :ref", ref=ref)
    return found


def whose_queue(cast: Cast) -> list[str]:
    return [name for name in EVERYBODY if queue(cast.env, Narrow(), actor=cast.actor(name)).lines]


def leave(cast: Cast, *names: str) -> None:
    for name in names:
        email = f"{name.lower()}@muster.example"
        staff_left(cast.env.engine, email, left_on=MONDAY.date(), actor=SYSTEM, now=MONDAY)


def a_bank_report(cast: Cast, member: str | None) -> str:
    outcome = commands.open_one(
        cast.env, "cancellation", member=member, subject="Cancelled", payload={"channel": "bank"},
        actor=cast.actor("Amara"),
    )  # fmt: skip
    assert outcome.after.state == "intent"
    return outcome.after.ref


# --- nothing is stuck: somebody who may see a case owns it


def test_an_owner_who_is_walled_off_owns_the_case_no_longer(cast: Cast) -> None:
    ref = a_complaint(cast)
    about = {"about_staff": [cast.actor("Amara").person]}
    commands.fire(cast.env, ref, "wall_off", payload=about, actor=cast.actor("Mina"))
    assert owner(cast, ref) != "Amara"
    assert whose_queue(cast)


def test_an_owner_who_is_not_among_the_named_owns_the_case_no_longer(cast: Cast) -> None:
    ref = a_complaint(cast)
    commands.restrict(cast.env, ref, ["max@muster.example"], actor=cast.actor("Mina"))
    assert owner(cast, ref) in ("Mina", "Max")
    assert whose_queue(cast) == [owner(cast, ref)]
    with pytest.raises(BadInput, match="may not see this case"):
        commands.assign(cast.env, ref, "sol@muster.example", actor=cast.actor("Mina"))


def test_a_case_is_restricted_only_to_people_who_are_here(cast: Cast) -> None:
    with pytest.raises(BadInput, match="nobody active"):
        commands.restrict(cast.env, a_complaint(cast), ["dov@muster.example"], actor=cast.actor("Mina"))


def test_what_comes_of_a_restricted_case_is_restricted_too(cast: Cast) -> None:
    ref = a_complaint(cast)
    commands.restrict(cast.env, ref, ["amara@muster.example"], actor=cast.actor("Mina"))
    commands.fire(cast.env, ref, "open_monitoring", payload={"criterion": "communication"}, actor=cast.actor("Amara"))
    named = cast.rows("SELECT restricted_to FROM cases ORDER BY id")
    assert len(named) == 2 and named[0] == named[1]
    assert queries.list_cases(cast.env, queries.Filter(), actor=cast.actor("Max"))[1] == 0


def test_whoever_is_walled_off_from_a_case_is_walled_off_from_what_comes_of_it(cast: Cast) -> None:
    max_ = cast.actor("Max")
    ref = a_complaint(cast, about_staff=[max_.person])
    commands.fire(cast.env, ref, "open_monitoring", payload={"criterion": "communication"}, actor=cast.actor("Amara"))
    assert queries.list_cases(cast.env, queries.Filter(), actor=cast.actor("Mina"))[1] == 2
    assert queries.list_cases(cast.env, queries.Filter(), actor=max_)[1] == 0


def test_who_leaves_hands_their_cases_over(cast: Cast) -> None:
    ref = a_complaint(cast)
    leave(cast, "Amara")
    assert [found.check for found in run_checks(cast.env, now=MONDAY).findings if not found.warning] == ["owner_left"]
    assert hand_over(cast.env, now=MONDAY) == 1
    assert run_checks(cast.env, now=MONDAY).ok
    last = queries.case_page(cast.env, ref, actor=SYSTEM).events[-1]
    assert (last["kind"], last["details"]["from"]) == ("handed_over", "staff:4")
    assert hand_over(cast.env, now=MONDAY) == 0


def test_the_north_goes_to_its_managers_before_it_goes_to_bo(cast: Cast) -> None:
    ref = a_complaint(cast)
    leave(cast, "Amara")
    hand_over(cast.env, now=MONDAY)
    assert owner(cast, ref) in ("Mina", "Max", "Sol")
    with pytest.raises(CaseNotFound):
        queries.case_page(cast.env, ref, actor=cast.actor("Bo"))


def test_a_restricted_case_all_of_whose_people_left_lets_its_new_owner_in(cast: Cast) -> None:
    ref = a_complaint(cast)
    commands.restrict(cast.env, ref, ["amara@muster.example"], actor=cast.actor("Mina"))
    leave(cast, "Amara", "Mina")
    hand_over(cast.env, now=MONDAY)
    assert whose_queue(cast) == [owner(cast, ref)]


def test_when_the_deputy_is_walled_off_the_managers_have_the_case(cast: Cast) -> None:
    a_complaint(cast, about_staff=[cast.actor("Bo").person])
    set_absence(
        cast.env.engine, "amara@muster.example", MONDAY.date(), MONDAY.date() + timedelta(days=9),
        deputy="bo@muster.example", actor=SYSTEM, now=MONDAY,
    )  # fmt: skip
    assert {"Mina", "Max"} <= set(whose_queue(cast))
    assert "Bo" not in whose_queue(cast)


def test_open_cases_follow_a_member_who_was_merged(cast: Cast) -> None:
    ref = a_complaint(cast)
    cast.members("Kept Ltd")
    merge_members(cast.env.engine, "Kept Ltd", "Cold pool Ltd", actor=SYSTEM, now=MONDAY)
    assert follow_merges(cast.env, now=MONDAY) == 1
    page = queries.case_page(cast.env, ref, actor=cast.actor("Amara"))
    assert (page.line["member"], page.events[-1]["kind"]) == ("Kept Ltd", "member_merged")
    assert follow_merges(cast.env, now=MONDAY) == 0


# --- one case moves another


def test_a_cancellation_without_a_member_moves_nobody_elses(cast: Cast) -> None:
    ref = a_bank_report(cast, None)
    commands.open_one(
        cast.env, "cancellation", member=None, subject="Other", payload={"channel": "email"}, actor=cast.actor("Amara")
    )
    assert queries.case_page(cast.env, ref, actor=SYSTEM).line["state"] == "intent"


def test_two_imported_cancellations_of_one_member_move_an_earlier_one_once(cast: Cast, tmp_path: Path) -> None:
    cast.members("One Ltd")
    ref = a_bank_report(cast, "One Ltd")
    file = tmp_path / "cancelled.csv"
    file.write_text("member,channel\nOne Ltd,email\nOne Ltd,email\n")
    report = import_cases(
        cast.env, "cancellation", file, {"member": "member", "channel": "channel"}, actor=cast.actor("Amara")
    )
    assert (report.created, report.refused) == (2, [])
    assert queries.case_page(cast.env, ref, actor=SYSTEM).line["state"] == "intent_closed"


def test_two_commands_that_move_each_others_case_do_not_end_in_a_deadlock(cast: Cast) -> None:
    amara = cast.actor("Amara")
    cast.members("One Ltd")
    refs = [a_bank_report(cast, "One Ltd"), a_bank_report(cast, "One Ltd")]
    together = Barrier(2)

    def confirm(ref: str) -> str:
        together.wait()
        try:
            return commands.fire(
                cast.env, ref, "confirm_cancellation", payload={"channel": "phone"}, actor=amara
            ).after.state
        except CaseError:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(confirm, refs)) == ["notice_running", "refused"]


PLAN = """
kind: survey
title: Survey
questionnaire: self-assessment
launch: 2026-03-02
deadline: 2026-04-17
population: {status: active}
ladder: standard
"""


def test_what_a_campaign_counts_waits_for_an_answer_that_is_just_coming_in(cast: Cast, tmp_path: Path) -> None:
    """Else a campaign could be closed with an exception for somebody who answered at that very moment."""
    cast.members("One Ltd")
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    cast.go_to(MONDAY - timedelta(days=3))
    ref = campaigns.plan(cast.env, plan, actor=cast.actor("Amara")).after.ref
    mina, amara = cast.actor("Mina"), cast.actor("Amara")
    commands.fire(cast.env, ref, "approve_plan", payload={"data_protection_checked": True}, actor=mina)
    commands.fire(cast.env, ref, "skip_pilot", payload={"reason": "The same as last year"}, actor=mina)
    cast.go_to(MONDAY)
    sweep_due(cast.env)
    with ThreadPoolExecutor(1) as pool:
        with transaction(cast.env.engine) as conn:
            conn.execute(text("UPDATE cases SET state = 'submitted' WHERE process = 'survey_response'"))
            asked = pool.submit(commands.fire, cast.env, ref, "everyone_in", actor=amara)
            sleep(0.5)
            assert not asked.done()
        assert asked.result().after.state != "live"


# --- the sweep


def test_a_rung_that_moved_since_a_day_off_came_in_waits_and_parks_nothing(cast: Cast) -> None:
    a_complaint(cast)
    for days in (4, 8):
        sweep_due(cast.env, now=MONDAY + timedelta(days=days))
    due = cast.scalar("SELECT due_at FROM cases")
    calendar = cast.env.calendar
    closed = Calendar(calendar.name, calendar.zone_name, frozenset({date(2026, 3, 11), date(2026, 3, 12)}))
    report = sweep_due(replace(cast.env, calendar=closed), now=due)
    assert (report.due, report.fired, report.parked) == (1, 0, 0)
    assert cast.scalar("SELECT due_at FROM cases") > due


def test_why_a_case_was_parked_quotes_no_row(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    a_complaint(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("ALTER TABLE messages ADD CONSTRAINT nope CHECK (kind NOT LIKE 'case_%')"))
    assert sweep_due(cast.env, now=MONDAY + timedelta(days=30)).parked == 1
    why = cast.scalar("SELECT parked_why FROM cases")
    assert "violates check constraint" in why
    for words in (why, cast.scalar("SELECT details::text FROM case_events WHERE kind = 'parked'"), caplog.text):
        assert "DETAIL" not in words and "CONTEXT" not in words


# --- what people send


@pytest.mark.parametrize("sent", ["a\0b", "\ud800", "CO-2026-000001\0"], ids=["nul", "surrogate", "reference"])
def test_text_that_cannot_be_stored_is_no_error_of_the_database(cast: Cast, sent: str) -> None:
    amara = cast.actor("Amara")
    asked: list[Callable[[], Any]] = [
        lambda: queries.case_page(cast.env, sent, actor=amara),
        lambda: commands.note(cast.env, sent, "hello", actor=amara),
        lambda: campaigns.status(cast.env, sent, actor=amara),
    ]
    for ask in asked:
        with pytest.raises(CaseNotFound):
            ask()
    for narrow in (queries.Filter(member=sent), queries.Filter(parent=sent), queries.Filter(state=sent)):
        assert queries.list_cases(cast.env, narrow, actor=amara)[1] == 0
    ref = commands.open_one(
        cast.env, "complaint", member=None, subject=sent, payload={"category": sent}, external_ref=sent, actor=amara
    ).after.ref
    commands.note(cast.env, ref, sent, actor=amara)


def test_what_is_nested_without_end_is_refused(cast: Cast) -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    with pytest.raises(BadInput, match="nested too deeply"):
        commands.open_one(
            cast.env, "complaint", member=None, subject="x", payload={"category": deep}, actor=cast.actor("Amara")
        )


def test_a_reference_from_elsewhere_is_used_once(cast: Cast) -> None:
    def once() -> None:
        commands.open_one(
            cast.env, "complaint", member=None, subject="x", payload={"category": "service"}, external_ref="A1",
            actor=cast.actor("Amara"),
        )  # fmt: skip

    once()
    with pytest.raises(BadInput, match="A1 already"):
        once()

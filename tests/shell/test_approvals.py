"""What waits for whose decision, what they are told, and who is left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from cases import commands
from cases.approving import approvals
from cases.approving.asked_elsewhere import asked_elsewhere
from cases.approving.deciders import Decider
from cases.approving.decisions import DECIDERS, decision_points
from cases.approving.escalations import absence_of, escalated_to
from cases.environment import world
from cases.errors import TransitionRefused
from cases.lists.team_load import team_load
from cases.sweep import sweep_due
from config.database import Connection, reading
from state_machines.policy import ApprovalPolicy
from state_machines.registry import check_all, process_named
from tests.cast import MONDAY, Cast
from tests.deciding import a_finding, away, do, recommended, staff_id


def waiting(cast: Cast, who: str, **how: Any) -> list[str]:
    found = approvals.waiting(cast.env, actor=cast.actor(who), now=cast.env_now, **how)
    return [decision.case.ref for decision in found.decisions]


@contextmanager
def deciding(cast: Cast, who: str) -> Iterator[tuple[Connection, Decider]]:
    actor = cast.actor(who)
    with reading(cast.env.engine) as conn:
        yield conn, Decider(actor, world(conn, cast.env))


def test_every_decision_point_is_for_a_decider_and_no_clerk_can_make_its_decisions() -> None:
    for point in decision_points():
        assert point.role in DECIDERS
        assert all(set(t.by) <= DECIDERS and t.four_eyes for t in point.decisions)
        assert point.owned or point.asked_by
        assert not process_named(point.process).state(point.state).final


def test_an_assessment_waits_for_the_coordinators_own_manager_and_for_nobody_else(cast: Cast) -> None:
    ref = recommended(cast)
    assert waiting(cast, "Mina") == [ref]
    assert [waiting(cast, who) for who in ("Max", "Sol", "Cara", "Amara", "Bo", "Ada")] == [[]] * 6


def test_under_a_reference_that_nobody_could_store_no_decision_waits(cast: Cast) -> None:
    assert approvals.decision(cast.env, "CO-\0", actor=cast.actor("Mina"), now=cast.env_now) is None


def test_the_pack_says_who_asked_what_they_wrote_and_what_happens_if_nobody_decides(cast: Cast) -> None:
    ref = recommended(cast)
    decision = approvals.decision(cast.env, ref, actor=cast.actor("Mina"), now=cast.env_now)
    assert decision is not None
    asked = decision.pack.asked
    assert asked is not None
    assert (asked.trigger, asked.who, asked.at) == ("submit_assessment", "Amara", MONDAY)
    assert "Two claims without a licence." in asked.typed.values()
    assert decision.pack.next[0].at > MONDAY
    assert "accept_pack" in [choice.transition.trigger for choice in decision.choices if choice.refused is None]


def test_a_dismissal_proposed_in_a_coordinators_state_waits_for_the_manager_until_it_is_decided(cast: Cast) -> None:
    ref = a_finding(cast, severity="critical")
    assert waiting(cast, "Mina") == []
    do(cast, ref, "propose_dismissal", "Amara")
    assert waiting(cast, "Mina") == [ref]
    do(cast, ref, "dismiss", "Mina")
    assert waiting(cast, "Mina") == []


def test_who_asked_does_not_decide_not_even_in_the_name_of_the_manager_who_is_away(cast: Cast) -> None:
    ref = recommended(cast)
    away(cast, "Mina", "Amara")
    assert waiting(cast, "Amara") == []
    with deciding(cast, "Amara") as (_, amara), pytest.raises(TransitionRefused):
        commands.fire(cast.env, ref, "accept_pack", actor=amara.as_owner(staff_id(cast, "Mina")))


def test_what_a_manager_asked_for_is_listed_apart_with_who_decides(cast: Cast) -> None:
    ref = recommended(cast)
    do(cast, ref, "accept_pack", "Mina")
    do(cast, ref, "recommend_sanction", "Mina")
    assert waiting(cast, "Mina") == []
    assert waiting(cast, "Sol") == [ref]
    with deciding(cast, "Mina") as (conn, mina):
        [mine] = asked_elsewhere(conn, mina)
    assert (mine.row.ref, mine.decides) == (ref, "Sol")
    assert mine.asked == "Recommend a sanction"


def test_a_deputy_sees_what_waits_for_who_is_away_and_decides_in_their_name(cast: Cast) -> None:
    ref = recommended(cast)
    away(cast, "Mina", "Max")
    [decision] = approvals.waiting(cast.env, actor=cast.actor("Max"), now=cast.env_now).decisions
    commands.fire(cast.env, ref, "accept_pack", actor=decision.actor)
    [row] = cast.rows("SELECT actor, on_behalf_of FROM case_events WHERE trigger = 'accept_pack'")
    assert (row.actor, row.on_behalf_of) == (cast.actor("Max").person, cast.actor("Mina").person)


def test_a_coordinator_who_stands_in_for_a_manager_decides_what_others_asked_for(cast: Cast) -> None:
    ref = recommended(cast)
    away(cast, "Mina", "Bo")
    [decision] = approvals.waiting(cast.env, actor=cast.actor("Bo"), now=cast.env_now).decisions
    assert decision.case.ref == ref
    commands.fire(cast.env, ref, "accept_pack", actor=decision.actor)


def test_the_absent_manager_is_told_who_stands_in_and_how_much_waits(cast: Cast) -> None:
    recommended(cast)
    with deciding(cast, "Mina") as (conn, mina):
        assert absence_of(conn, mina) is None
    away(cast, "Mina", "Max")
    with deciding(cast, "Mina") as (conn, mina):
        found = absence_of(conn, mina)
    assert found is not None
    assert (found.now, found.deputy, found.waiting, found.due) == (True, "Max", 1, 0)


def test_a_case_whose_owner_holds_the_role_no_more_waits_for_everybody_who_does(cast: Cast) -> None:
    ref = recommended(cast)
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE cases SET owner_id = :bo"), {"bo": staff_id(cast, "Bo")})
    assert waiting(cast, "Mina") == [ref]
    assert waiting(cast, "Max") == [ref]


def test_a_case_on_hold_or_walled_off_waits_for_nobody_here(cast: Cast) -> None:
    held, walled = recommended(cast, "Held Ltd"), recommended(cast, "Walled Ltd")
    do(cast, held, "hold", "Mina")
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE cases SET walled_off = ARRAY[:mina]::bigint[] WHERE ref = :ref"),
                     {"mina": staff_id(cast, "Mina"), "ref": walled})  # fmt: skip
    assert waiting(cast, "Mina") == []


def test_pages_go_on_where_the_last_ended_and_every_case_is_on_one(cast: Cast) -> None:
    refs = {recommended(cast, f"Member {n}") for n in range(5)}
    seen: list[str] = []
    after = None
    for _ in range(3):
        found = approvals.waiting(cast.env, actor=cast.actor("Mina"), after=after, limit=2, now=cast.env_now)
        seen += [decision.case.ref for decision in found.decisions]
        after = found.next
    assert (set(seen), len(seen), after) == (refs, 5, None)


def test_a_longer_list_asks_no_more_statements(cast: Cast) -> None:
    def statements() -> int:
        asked: list[str] = []
        listening = lambda *args: asked.append(args[2])  # noqa: E731
        event.listen(cast.env.engine, "before_cursor_execute", listening)
        try:
            with deciding(cast, "Mina") as (conn, mina):
                approvals.waiting_for(conn, mina)
                asked_elsewhere(conn, mina)
                escalated_to(conn, mina)
        finally:
            event.remove(cast.env.engine, "before_cursor_execute", listening)
        return len(asked)

    recommended(cast, "First Ltd")
    one = statements()
    for n in range(4):
        recommended(cast, f"Member {n}")
    assert statements() == one


def test_what_a_rung_brought_to_the_manager_is_listed_until_somebody_moves_the_case(cast: Cast) -> None:
    ref = a_finding(cast)
    other = a_finding(cast, "Southern Gins", "South")
    cast.go_to(MONDAY + timedelta(days=60))
    sweep_due(cast.env)
    with deciding(cast, "Mina") as (conn, mina):
        found = escalated_to(conn, mina)
    assert {row.ref for row in found.rows} == {ref, other}
    assert found.total == 2
    do(cast, ref, "accept", "Amara")
    with deciding(cast, "Mina") as (conn, mina):
        assert [row.ref for row in escalated_to(conn, mina).rows] == [other]
    with deciding(cast, "Bo") as (conn, bo):
        assert escalated_to(conn, bo).rows == ()


def test_the_load_counts_what_is_open_late_and_waiting_for_each_person_a_manager_answers_for(cast: Cast) -> None:
    recommended(cast)
    a_finding(cast, "Southern Gins", "South")
    a_finding(cast, "Western Gins", "South")
    cast.go_to(MONDAY + timedelta(days=60))
    found = team_load(cast.env, actor=cast.actor("Mina"), now=cast.env_now)
    told = {load.person.name: (load.open, load.overdue, load.waiting) for load in found.people}
    assert told == {"Bo": (2, 2, 0), "Mina": (1, 1, 0), "Amara": (0, 0, 1)}


def test_a_manager_sees_the_load_of_their_people_and_a_senior_manager_of_everybody(cast: Cast) -> None:
    mine = team_load(cast.env, actor=cast.actor("Max"), now=cast.env_now)
    everybody = team_load(cast.env, actor=cast.actor("Sol"), now=cast.env_now)
    assert [load.person.name for load in mine.people] == ["Max"]
    assert {load.person.name for load in everybody.people} >= {"Amara", "Bo", "Mina", "Max", "Sol", "Cara"}


def test_who_has_left_is_shown_as_long_as_they_own_cases(cast: Cast) -> None:
    a_finding(cast)
    assert "Dov" not in [load.person.name for load in team_load(cast.env, actor=cast.actor("Mina"), now=MONDAY).people]
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE cases SET owner_id = :dov"), {"dov": staff_id(cast, "Dov")})
    found = team_load(cast.env, actor=cast.actor("Mina"), now=MONDAY)
    assert [load.person.name for load in found.people if load.left] == ["Dov"]


def test_a_policy_that_lists_what_is_no_decision_is_told_so_before_anything_runs(cast: Cast) -> None:
    policy = cast.env.policy.model_copy(update={"approvals": ApprovalPolicy(together=("complaint.aprove_response",))})
    assert [str(bad) for bad in check_all(policy)] == [
        "complaint: policy approvals.together: There is no decision complaint.aprove_response."
    ]

"""Clicks: one transaction each, in the version that was seen, by somebody who may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from cases import commands, queries
from cases.errors import BadInput, CaseChanged, CaseNotFound, TransitionRefused
from cases.lists.narrowing import Narrow
from cases.lists.worklist import queue
from cases.permissions import may_see, visible
from cases.tables import CaseRow
from config.database import reading, transaction
from state_machines.values import SYSTEM, Actor, Role
from tests.cast import MONDAY, Cast


def a_complaint(cast: Cast, team: str = "North", subject: str = "Cold pool", **payload: object) -> str:
    member = cast.members(f"{subject} Ltd", team=team)[0]
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=member)
    who = "Amara" if team == "North" else "Bo"
    outcome = commands.open_one(
        cast.env, "complaint", member=ref, subject=subject, payload={"category": "service", **payload},
        actor=cast.actor(who),
    )  # fmt: skip
    return outcome.after.ref


def test_a_case_opened_by_a_coordinator_is_theirs_and_has_a_clock(cast: Cast) -> None:
    ref = a_complaint(cast)
    page = queries.case_page(cast.env, ref, actor=cast.actor("Amara"))
    assert page.line["owner"] == "amara@muster.example"
    assert page.line["next"] is not None
    assert page.events[0]["kind"] == "opened"


def test_bo_never_sees_the_north(cast: Cast) -> None:
    north, south = a_complaint(cast), a_complaint(cast, "South", "Rude letter")
    bo = cast.actor("Bo")
    with pytest.raises(CaseNotFound):
        queries.case_page(cast.env, north, actor=bo)
    with pytest.raises(CaseNotFound):
        commands.note(cast.env, north, "hello", actor=bo)
    listed, total = queries.list_cases(cast.env, queries.Filter(), actor=bo)
    assert ([line["ref"] for line in listed], total) == ([south], 1)


def test_a_person_named_in_a_complaint_and_whoever_acts_for_them_are_walled_off(cast: Cast) -> None:
    mina = cast.actor("Mina")
    ref = a_complaint(cast, about_staff=[mina.person])
    with pytest.raises(CaseNotFound):
        queries.case_page(cast.env, ref, actor=mina)
    deputy = cast.actor("Max")
    acting = Actor(deputy.person, deputy.name, deputy.roles, on_behalf_of=mina.person)
    with pytest.raises(CaseNotFound):
        queries.case_page(cast.env, ref, actor=acting)
    assert queries.case_page(cast.env, ref, actor=deputy).line["ref"] == ref


def test_a_restricted_case_is_seen_by_the_named_alone(cast: Cast) -> None:
    ref = a_complaint(cast)
    commands.restrict(cast.env, ref, ["amara@muster.example"], actor=cast.actor("Mina"))
    assert queries.list_cases(cast.env, queries.Filter(), actor=cast.actor("Max"))[1] == 0
    assert queries.list_cases(cast.env, queries.Filter(), actor=cast.actor("Amara"))[1] == 1
    commands.restrict(cast.env, ref, None, actor=cast.actor("Mina"))
    assert queries.list_cases(cast.env, queries.Filter(), actor=cast.actor("Max"))[1] == 1


def test_a_click_on_a_case_that_has_changed_meanwhile_is_refused_and_changes_nothing(cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = cast.actor("Amara")
    seen = queries.case_page(cast.env, ref, actor=amara).case.version
    commands.note(cast.env, ref, "called them", actor=amara)
    with pytest.raises(CaseChanged):
        commands.fire(cast.env, ref, "withdraw", payload={"confirmed_in_writing": True}, seen_version=seen, actor=amara)
    assert queries.case_page(cast.env, ref, actor=amara).line["state"] == "received"


def test_two_clicks_at_once_move_a_case_once(cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = cast.actor("Amara")

    def assign(to: str) -> str:
        try:
            version = 1
            commands.assign(cast.env, ref, to, seen_version=version, actor=amara)
        except CaseChanged:
            return "changed"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(assign, ["bo@muster.example", "amara@muster.example"]))
    assert sorted(ends) == ["changed", "done"]


def test_a_refusal_names_the_rule_in_a_sentence_and_writes_nothing(cast: Cast) -> None:
    ref = a_complaint(cast)
    with pytest.raises(TransitionRefused, match="not possible while the case is in the state"):
        commands.fire(cast.env, ref, "approve_answer", actor=cast.actor("Mina"))
    assert cast.scalar("SELECT count(*) FROM case_events") == 1


def test_whoever_is_given_a_case_hears_of_it_and_whoever_takes_one_does_not(cast: Cast) -> None:
    ref = a_complaint(cast)
    commands.assign(cast.env, ref, "bo@muster.example", actor=cast.actor("Mina"))
    told = cast.rows("SELECT kind, audience, data FROM messages WHERE kind = 'case_assigned'")
    assert told == [("case_assigned", "owner", {"by": "Mina"})]
    commands.assign(cast.env, ref, "amara@muster.example", actor=cast.actor("Amara"))
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'case_assigned'") == 1


def test_a_case_is_not_given_to_somebody_who_left_or_has_not_the_role(cast: Cast) -> None:
    ref = a_complaint(cast)
    for to, why in (("dov", "nobody active"), ("mina", "no coordinator"), ("nobody", "nobody active")):
        with pytest.raises(BadInput, match=why):
            commands.assign(cast.env, ref, f"{to}@muster.example", actor=cast.actor("Mina"))


def test_text_with_a_null_character_is_kept_and_the_chain_stays_whole(cast: Cast) -> None:
    ref = a_complaint(cast)
    commands.note(cast.env, ref, "a\0b Wētā", actor=cast.actor("Amara"))
    page = queries.case_page(cast.env, ref, actor=cast.actor("Amara"))
    assert page.events[-1]["personal"]["text"] == "a\ufffdb Wētā"


def test_the_database_refuses_to_change_or_delete_an_event(cast: Cast) -> None:
    a_complaint(cast)
    for statement in ("UPDATE case_events SET trigger = 'x'", "DELETE FROM case_events", "TRUNCATE case_events"):
        with pytest.raises(Exception, match="append-only"), transaction(cast.env.engine) as conn:
            conn.execute(text(statement))


def test_what_is_listed_and_what_may_be_opened_are_the_same_for_everybody(cast: Cast) -> None:
    refs = [
        a_complaint(cast), a_complaint(cast, "South", "B"),
        a_complaint(cast, "North", "C", about_staff=[cast.actor("Amara").person]),
        a_complaint(cast, "South", "D", about_staff=[cast.actor("Sol").person]),
    ]  # fmt: skip
    commands.restrict(cast.env, refs[1], ["bo@muster.example"], actor=cast.actor("Mina"))
    for name in ("Amara", "Bo", "Mina", "Max", "Sol", "Cara", "Ada"):
        actor = cast.actor(name)
        with reading(cast.env.engine) as conn:
            rows = conn.execute(select(CaseRow.__table__)).all()
            listed = {row.ref for row in conn.execute(select(CaseRow.ref).where(visible(actor)))}
        assert listed == {row.ref for row in rows if may_see(actor, row)}, name


@settings(max_examples=60)
@given(
    st.frozensets(st.sampled_from(list(Role)), max_size=3),
    st.sampled_from([None, "North", "South"]),
    st.booleans(),
    st.booleans(),
)
def test_nobody_without_a_role_sees_anything_and_a_wall_holds_for_every_role(
    roles: frozenset[Role], team: str | None, walled: bool, restricted: bool
) -> None:
    class Row:
        walled_off = [7] if walled else None
        restricted_to = [8] if restricted else None
        owner_id = 9
        member_id = 1

    Row.team = team  # type: ignore[attr-defined]  # the row of a made-up case
    actor = Actor("staff:7", "Seven", roles - {Role.SYSTEM})
    seen = may_see(actor, Row)
    assert not (walled and seen)
    assert not (restricted and seen)
    assert not (seen and not actor.roles)
    assert may_see(SYSTEM, Row)


def test_the_queue_of_a_deputy_holds_the_cases_of_who_is_away(cast: Cast) -> None:
    from members.commands import set_absence

    ref = a_complaint(cast)
    today = MONDAY.date()
    set_absence(
        cast.env.engine, "amara@muster.example", today, today + timedelta(days=5), deputy="bo@muster.example",
        actor=SYSTEM, now=MONDAY,
    )  # fmt: skip
    assert [line.ref for line in queue(cast.env, Narrow(), actor=cast.actor("Bo")).lines] == [ref]
    assert queries.case_page(cast.env, ref, actor=cast.actor("Bo")).owner_acting == "Bo"
    assert not queue(cast.env, Narrow(), actor=cast.actor("Bo"), now=MONDAY + timedelta(days=10)).lines

"""Changing the staff: who may, what is refused, who gets the work, and that the record says by whom."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cases.commands import open_one
from cases.handing_over import hand_over, would_go_to
from config.database import reading
from members import staff_record, staff_store
from members.commands import bring_back, edit_staff, end_absence, set_absence, staff_left
from members.errors import Changed, NotYours, Unusable
from members.staffing import Person
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast

TODAY = MONDAY.date()


def address(name: str) -> str:
    return f"{name.lower()}@muster.example"


def person(cast: Cast, name: str) -> Person:
    with reading(cast.env.engine) as conn:
        found = staff_store.staffing(conn).by_email(address(name))
    assert found is not None
    return found


def edit(cast: Cast, name: str, by: str = "Ada", **changes: Any) -> Person:
    who = person(cast, name)
    with reading(cast.env.engine) as conn:
        manager = staff_store.staffing(conn).get(who.manager_id) if who.manager_id else None
    now = {
        "name": who.name, "email": who.email, "roles": sorted(who.roles), "team": who.team,
        "manager": manager.person if manager else None,
    }  # fmt: skip
    return edit_staff(cast.env.engine, who.person, **{**now, **changes}, actor=cast.actor(by), now=MONDAY)


def record(cast: Cast, name: str) -> list[tuple[str, dict[str, Any]]]:
    who = person(cast, name)
    with reading(cast.env.engine) as conn:
        return [(row.actor, row.changes) for row in staff_record.changes_of(conn, who.id)]


def away(cast: Cast, name: str, by: str, first: date = TODAY) -> None:
    days = (first, first + timedelta(days=3))
    set_absence(cast.env.engine, address(name), *days, deputy=address("Sol"), actor=cast.actor(by), now=MONDAY)


def test_a_change_is_written_down_with_before_after_and_by_whom(cast: Cast) -> None:
    edit(cast, "Amara", team=" South ", roles=["finance", "coordinator"])

    [(by, changes), *_] = record(cast, "Amara")
    assert by == person(cast, "Ada").person
    assert changes == {"team": ["North", "South"], "roles": [["coordinator"], ["coordinator", "finance"]]}


def test_a_change_that_changes_nothing_is_not_written_down(cast: Cast) -> None:
    before = record(cast, "Amara")

    edit(cast, "Amara")

    assert record(cast, "Amara") == before


def test_a_change_on_what_somebody_else_changed_is_refused(cast: Cast) -> None:
    amara = person(cast, "Amara").id
    with reading(cast.env.engine) as conn:
        seen = staff_record.newest_change(conn, amara)
    edit(cast, "Amara", team="South", seen=seen)

    with pytest.raises(Changed):
        edit(cast, "Amara", team="West", seen=seen)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("Sol", {"manager": "amara@muster.example"}, "also not in a circle"),
        ("Mina", {"manager": "mina@muster.example"}, "also not in a circle"),
        ("Amara", {"manager": "dov@muster.example"}, "has left"),
        ("Amara", {"roles": ["sweeper"]}, "is not a role"),
        ("Ada", {"roles": ["manager"]}, "the last administrator"),
    ],
)
def test_a_change_that_cannot_be_is_refused(cast: Cast, name: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Unusable, match=words):
        edit(cast, name, **changes)


def test_a_manager_who_has_left_may_stay_where_they_stand(cast: Cast) -> None:
    staff_left(cast.env.engine, address("Mina"), left_on=TODAY, actor=SYSTEM, now=MONDAY)

    assert edit(cast, "Amara", team="South").manager_id == person(cast, "Mina").id


def test_the_last_administrator_does_not_leave(cast: Cast) -> None:
    with pytest.raises(Unusable, match="last administrator"):
        staff_left(cast.env.engine, address("Ada"), left_on=TODAY, actor=SYSTEM, now=MONDAY)
    edit(cast, "Mina", roles=["manager", "administrator"])

    staff_left(cast.env.engine, address("Ada"), left_on=TODAY, actor=SYSTEM, now=MONDAY)


def test_who_had_left_comes_back_as_they_were(cast: Cast) -> None:
    for _ in range(2):
        back = bring_back(cast.env.engine, address("Dov"), actor=cast.actor("Ada"), now=MONDAY)

    assert back == person(cast, "Dov") and back.active and back.team == "North"
    assert [by for by, changes in record(cast, "Dov") if changes == {"status": ["left", "active"]}] == [
        person(cast, "Ada").person
    ]


@pytest.mark.parametrize(("name", "by"), [("Amara", "Amara"), ("Amara", "Mina"), ("Mina", "Sol"), ("Bo", "Ada"),
                                          ("Cara", "Max")])  # fmt: skip
def test_absences_are_recorded_by_oneself_ones_managers_and_administrators(cast: Cast, name: str, by: str) -> None:
    away(cast, name, by)

    assert record(cast, name)[0][0] == person(cast, by).person


@pytest.mark.parametrize(("name", "by"), [("Amara", "Bo"), ("Amara", "Max"), ("Mina", "Amara"), ("Mina", "Cara")])
def test_absences_of_others_are_nobodys_to_record_or_end(cast: Cast, name: str, by: str) -> None:
    with pytest.raises(NotYours):
        away(cast, name, by)
    away(cast, name, "Sol")

    with pytest.raises(NotYours):
        end_absence(cast.env.engine, address(name), back_on=TODAY, actor=cast.actor(by), now=MONDAY)


def test_who_acts_for_a_manager_may_what_the_manager_may(cast: Cast) -> None:
    away(cast, "Mina", "Sol")
    max_, mina = person(cast, "Max").id, person(cast, "Mina").id
    with reading(cast.env.engine) as conn:
        for_mina = staff_store.staffing(conn).actor(max_, mina)

    set_absence(cast.env.engine, address("Amara"), TODAY, TODAY, actor=for_mina, now=MONDAY)


def test_the_look_ahead_names_those_who_then_get_the_cases(cast: Cast) -> None:
    cast.members("North Pool")
    for number in range(2):
        open_one(
            cast.env, "complaint", member="North Pool", subject=f"Cold {number}", payload={"category": "service"},
            actor=cast.actor("Amara"), now=MONDAY,
        )  # fmt: skip
    owner = cast.scalar("SELECT owner_id FROM cases LIMIT 1")
    name = cast.scalar("SELECT name FROM staff WHERE id = :n", n=owner)

    expected = would_go_to(cast.env, owner, now=MONDAY)
    staff_left(cast.env.engine, address(name), left_on=TODAY, actor=SYSTEM, now=MONDAY)

    assert sum(expected.values()) == hand_over(cast.env, now=MONDAY) > 0
    rows = cast.rows("SELECT owner_id, count(*) AS n FROM cases WHERE closed_at IS NULL GROUP BY owner_id")
    assert {row.owner_id: row.n for row in rows} == expected

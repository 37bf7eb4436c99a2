"""Who may see and change a member: one rule for lists, searches, pages and commands."""

from datetime import date

import pytest
from sqlalchemy import select

from config.database import reading
from members import store
from members.commands import contact_left, merge_members, order_contacts, save_contact, set_absence, update_member
from members.errors import Ambiguous, NotFound, NotYours
from members.tables import Member
from members.visibility import find_member, lent_teams, may_edit, may_see, visible_members
from state_machines.values import SYSTEM, Actor, Role
from tests.cast import MONDAY, Cast


@pytest.fixture
def cast(cast: Cast) -> Cast:
    cast.members("North Pool", team="North")
    cast.members("South Pool", team="South")
    cast.members("Everybody's Pool", team=None)
    return cast


def seen(cast: Cast, actor: Actor, lent: frozenset[str] = frozenset()) -> list[str]:
    """Whom an actor sees, by the condition; the question must give the same answer."""
    with reading(cast.env.engine) as conn:
        names = list(
            conn.execute(select(Member.name).where(visible_members(actor, lent)).order_by(Member.id)).scalars()
        )
        cards = store.member_card(conn, range(1, 10)).values()
    assert sorted(names) == sorted(card.name for card in cards if may_see(actor, card, lent))
    return names


def test_coordinators_see_their_team_and_who_has_none_and_managers_see_all(cast: Cast) -> None:
    assert seen(cast, cast.actor("Bo")) == ["South Pool", "Everybody's Pool"]
    for everything in ("Mina", "Sol", "Cara", "Ada"):
        assert len(seen(cast, cast.actor(everything))) == 3
    assert len(seen(cast, SYSTEM)) == 3


def test_a_member_sees_itself_and_a_stranger_nobody(cast: Cast) -> None:
    assert seen(cast, Actor("member:1", "North Pool", frozenset({Role.MEMBER}), member_id=1)) == ["North Pool"]
    assert seen(cast, Actor("party:9", "Carl", frozenset({Role.COMPLAINANT}))) == []


def test_whoever_stands_in_for_a_colleague_sees_that_teams_members_for_those_days(cast: Cast) -> None:
    set_absence(cast.env.engine, "amara@muster.example", date(2026, 3, 2), date(2026, 3, 6), deputy="bo@muster.example",
                actor=SYSTEM, now=MONDAY)  # fmt: skip
    with reading(cast.env.engine) as conn:
        staffing = store.staffing(conn)
    bo = cast.actor("Bo")

    assert lent_teams(bo, staffing, date(2026, 3, 9)) == frozenset()
    lent = lent_teams(bo, staffing, date(2026, 3, 2))

    assert "North Pool" in seen(cast, bo, lent)
    assert may_edit(bo, "North", lent) and not may_edit(bo, "North")


def test_a_member_one_may_not_see_is_not_found_by_any_of_its_names(cast: Cast) -> None:
    with reading(cast.env.engine) as conn:
        for text in ("M-000001", "North Pool", "north pool"):
            assert find_member(conn, text, actor=cast.actor("Amara")).id == 1
            with pytest.raises(NotFound, match=f'"{text}"'):
                find_member(conn, text, actor=cast.actor("Bo"))


def test_a_name_that_two_members_have_does_not_give_the_hidden_one_away(cast: Cast) -> None:
    cast.members("South Pool", team="North")
    with reading(cast.env.engine) as conn:
        assert find_member(conn, "South Pool", actor=cast.actor("Bo")).ref == "M-000002"
        with pytest.raises(Ambiguous):
            find_member(conn, "South Pool", actor=cast.actor("Mina"))


@pytest.mark.parametrize(
    ("role", "own", "other", "none"),
    [
        (Role.COORDINATOR, True, False, True), (Role.MANAGER, True, True, True), (Role.SENIOR, True, True, True),
        (Role.ADMINISTRATOR, True, True, True), (Role.SITE, False, False, False), (Role.FINANCE, False, False, False),
        (Role.AUDITOR, False, False, False), (Role.COUNCIL, False, False, False), (Role.MEMBER, False, False, False),
    ],
)  # fmt: skip
def test_who_may_change_a_member_of_their_own_team_of_another_and_of_none(
    role: Role, own: bool, other: bool, none: bool
) -> None:
    actor = Actor("staff:1", "Somebody", frozenset({role}), frozenset({"North"}))

    assert (may_edit(actor, "North"), may_edit(actor, "South"), may_edit(actor, None)) == (own, other, none)


def test_commands_refuse_who_may_not_and_tell_a_stranger_that_nobody_is_there(cast: Cast) -> None:
    engine, bo, cara = cast.env.engine, cast.actor("Bo"), cast.actor("Cara")

    with pytest.raises(NotFound):
        update_member(engine, "M-000001", {"tier": "Gold"}, actor=bo, now=MONDAY)
    with pytest.raises(NotFound):
        contact_left(engine, "M-000001", 1, actor=bo, now=MONDAY)
    with pytest.raises(NotYours, match="North Pool is changed by"):
        update_member(engine, "M-000001", {"tier": "Gold"}, actor=cara, now=MONDAY)
    with pytest.raises(NotYours):
        save_contact(engine, "M-000001", {"email": "x@y.example"}, actor=cara, now=MONDAY)
    with pytest.raises(NotYours):
        order_contacts(engine, "M-000001", [1], actor=cara, now=MONDAY)
    with pytest.raises(NotYours, match="merged and imported by managers"):
        merge_members(engine, "M-000001", "M-000003", actor=cast.actor("Amara"), now=MONDAY)

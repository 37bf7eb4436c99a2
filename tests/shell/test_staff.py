"""The staff: who may be added, who stands in for whom, and that there is always somebody."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select, update

from config.database import Engine, make_engine, reading, transaction
from members import store
from members.commands import (
    add_staff,
    declare_conflict,
    end_absence,
    set_absence,
    set_team,
    staff_left,
)
from members.errors import NotFound, Unusable
from members.staffing import Away, NoStaff, Person, Staffing, staffing_of
from members.tables import Staff
from state_machines.values import SYSTEM, Actor, Role

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MONDAY = NOW.date()
FRIDAY = MONDAY + timedelta(days=4)
BY: Mapping[str, Any] = {"actor": SYSTEM, "now": NOW}


def address(name: str) -> str:
    return f"{name.lower()}@muster.example"


def add(engine: Engine, name: str, *roles: str, **more: Any) -> Person:
    return add_staff(engine, name, address(name), roles or ["coordinator"], **more, **BY)


def away(engine: Engine, name: str, deputy: str | None = None, first: date = MONDAY, last: date = FRIDAY) -> Away:
    return set_absence(engine, address(name), first, last, deputy=address(deputy) if deputy else None, **BY)


def staff(engine: Engine) -> Staffing:
    with reading(engine) as conn:
        return store.staffing(conn)


def acting(engine: Engine, name: str, on: date = MONDAY) -> list[str]:
    """The names on the way from someone to who acts for them."""
    found = staff(engine)
    person = found.by_email(address(name))
    assert person is not None
    return [found.people[each].name for each in found.acting(person.id, on).chain]


@pytest.fixture
def cast(engine: Engine) -> Engine:
    """Sol; Mina, whose manager is Sol; Amara in the North and Bo in the South, whose manager is Mina."""
    add(engine, "Sol", "senior")
    add(engine, "Mina", "manager", manager=address("Sol"))
    add(engine, "Amara", team="North", manager=address("Mina"))
    add(engine, "Bo", team="South", manager=address("Mina"))
    return engine


# ----------------------------------------------------------------------------------------------------------- adding


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("coordinator", Role.COORDINATOR),
        ("Manager", Role.MANAGER),
        ("senior", Role.SENIOR),
        ("senior_manager", Role.SENIOR),
        ("senior manager", Role.SENIOR),
        ("council", Role.COUNCIL),
        ("site", Role.SITE),
        ("finance", Role.FINANCE),
        ("auditor", Role.AUDITOR),
        ("admin", Role.ADMINISTRATOR),
        ("administrator", Role.ADMINISTRATOR),
    ],
)
def test_each_role_has_the_names_people_use(engine: Engine, word: str, role: Role) -> None:
    assert add(engine, "Ann", word).roles == {role}


def test_adding_the_same_person_again_is_harmless(engine: Engine) -> None:
    first = add(engine, "Ann", "manager", "finance", team="North")

    assert add(engine, "Ann", "finance", "manager", "finance", team="North") == first
    with reading(engine) as conn:
        assert conn.execute(select(func.count()).select_from(Staff)).scalar_one() == 1


@pytest.mark.parametrize(
    ("name", "email", "roles", "more", "sentence"),
    [
        ("Amara Two", "AMARA@muster.example", ["manager"], {}, "amara@muster.example already belongs to Amara."),
        ("Cy", "cy@muster.example", ["boss"], {}, '"boss" is not a role'),
        ("Cy", "cy@muster.example", ["member"], {}, '"member" is not a role'),
        ("Cy", "cy@muster.example", ["cordinator"], {}, 'Did you mean "coordinator"'),
        ("Cy", "cy@muster.example", [], {}, "at least one role"),
        ("Cy", "cy", ["manager"], {}, "is not an e-mail address"),
        ("Cy", "cy@muster.example", ["manager"], {"manager": "sola@muster.example"}, 'mean "sol@muster.example"'),
    ],
)
def test_who_cannot_be_added_is_refused_with_the_reason(
    cast: Engine, name: str, email: str, roles: list[str], more: dict[str, str], sentence: str
) -> None:
    with pytest.raises((Unusable, NotFound), match=sentence):
        add_staff(cast, name, email, roles, **more, **BY)


def test_the_staff_is_read_in_four_statements_and_while_nobody_changes_them_in_one(cast: Engine) -> None:
    away(cast, "Amara", "Bo")
    statements: list[str] = []
    event.listen(cast, "before_cursor_execute", lambda *args: statements.append(args[2]))

    first, after_reading = staff(cast), len(statements)

    assert after_reading <= 4
    assert staff(cast) is first
    assert len(statements) == after_reading + 1


ELSEWHERE: dict[str, Callable[[Engine], Any]] = {
    "joins": lambda engine: add(engine, "Cy"),
    "leaves": lambda engine: staff_left(engine, address("Bo"), left_on=MONDAY, **BY),
    "is away": lambda engine: away(engine, "Amara", "Bo"),
    "is back": lambda engine: end_absence(engine, address("Mina"), back_on=MONDAY, **BY),
    "leads a team": lambda engine: set_team(engine, "North", [], lead=address("Bo"), **BY),
    "has a conflict": lambda engine: declare_conflict(engine, address("Bo"), "M-000001", **BY),
    "is changed by hand": lambda engine: by_hand(engine, "UPDATE staff SET roles = '{auditor}' WHERE name = 'Bo'"),
    "has absences deleted by hand": lambda engine: by_hand(engine, "DELETE FROM absences"),
    "lost every absence": lambda engine: by_hand(engine, "TRUNCATE absences"),
}


def by_hand(engine: Engine, statement: str) -> None:
    with engine.begin() as conn:
        conn.exec_driver_sql(statement)


def facts(found: Staffing) -> tuple[Any, ...]:
    return dict(found.people), found.absences, dict(found.leads)


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_another_process_changes_about_the_staff_is_known_at_once(cast: Engine, what: str) -> None:
    with transaction(cast) as conn:
        store.insert_members(conn, [{"name": "Cold pool Ltd"}], source="test", actor=SYSTEM, now=NOW)
    away(cast, "Mina", "Sol")
    before = staff(cast)
    another = make_engine(cast.url)

    ELSEWHERE[what](another)

    assert facts(staff(cast)) == facts(staff(another)) != facts(before)
    another.dispose()


def test_a_change_of_the_staff_is_seen_by_its_own_transaction_and_when_taken_back_by_nobody(cast: Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction(cast) as conn:
        conn.execute(update(Staff).where(Staff.name == "Bo").values(status="left"))
        assert [p.name for p in store.staffing(conn).people.values() if not p.active] == ["Bo"]
        with cast.connect() as elsewhere:
            assert all(p.active for p in store.staffing(elsewhere).people.values())
        raise ZeroDivisionError

    assert all(p.active for p in staff(cast).people.values())


# ---------------------------------------------------------------------------------------------------------- absences


def test_the_deputy_acts_on_the_first_and_the_last_day_and_not_after(cast: Engine) -> None:
    away(cast, "Amara", "Bo")

    assert acting(cast, "Amara", MONDAY - timedelta(days=1)) == ["Amara"]
    assert acting(cast, "Amara", MONDAY) == ["Amara", "Bo"]
    assert acting(cast, "Amara", FRIDAY) == ["Amara", "Bo"]
    assert acting(cast, "Amara", FRIDAY + timedelta(days=1)) == ["Amara"]


def test_deputies_are_followed_in_chains(cast: Engine) -> None:
    away(cast, "Amara", "Bo")
    away(cast, "Bo", "Mina", last=MONDAY)

    assert acting(cast, "Amara", MONDAY) == ["Amara", "Bo", "Mina"]
    assert acting(cast, "Amara", FRIDAY) == ["Amara", "Bo"]
    found = staff(cast)
    ids = {person.name: person.id for person in found.people.values()}
    assert found.deputises_for(ids["Mina"], MONDAY) == {ids["Amara"], ids["Bo"]}
    assert found.deputises_for(ids["Bo"], FRIDAY) == {ids["Amara"]}
    assert found.deputises_for(ids["Sol"], MONDAY) == frozenset()


def test_without_a_deputy_the_manager_stands_in_and_the_managers_deputy_for_the_manager(cast: Engine) -> None:
    away(cast, "Amara")
    assert acting(cast, "Amara") == ["Amara", "Mina"]

    away(cast, "Mina", "Bo")

    assert acting(cast, "Amara") == ["Amara", "Mina", "Bo"]


def test_deputies_in_a_circle_are_refused_with_the_chain(cast: Engine) -> None:
    away(cast, "Amara", "Bo")
    away(cast, "Bo", "Mina", first=FRIDAY, last=FRIDAY)

    with pytest.raises(Unusable) as refused:
        away(cast, "Mina", "Amara")

    assert str(refused.value) == ("The deputies would stand in for each other in a circle: Mina → Amara → Bo → Mina.")
    away(cast, "Mina", "Amara", last=MONDAY)


@pytest.mark.parametrize(
    ("who", "deputy", "first", "last", "sentence"),
    [
        ("Amara", "Amara", MONDAY, FRIDAY, "Amara cannot stand in for themselves"),
        ("Amara", "Bo", FRIDAY, MONDAY, "The last day, 2026-03-02, is before the first, 2026-03-06"),
        ("Sol", None, MONDAY, FRIDAY, "Name a deputy: Sol has no manager who could stand in"),
        ("Amara", "Nobody", MONDAY, FRIDAY, "Nobody on the staff has the address"),
        ("Bo", "Amara", FRIDAY, FRIDAY, "Bo is already away from 2026-03-06 to 2026-03-06"),
    ],
)
def test_an_absence_that_cannot_be_is_refused_with_the_reason(
    cast: Engine, who: str, deputy: str | None, first: date, last: date, sentence: str
) -> None:
    away(cast, "Bo", "Mina", first=FRIDAY)

    with pytest.raises((Unusable, NotFound), match=sentence):
        away(cast, who, deputy, first, last)


def test_who_has_left_cannot_stand_in(cast: Engine) -> None:
    staff_left(cast, address("Bo"), left_on=MONDAY, **BY)

    with pytest.raises(Unusable, match="Bo has left"):
        away(cast, "Amara", "Bo")


def test_who_comes_back_early_acts_again(cast: Engine) -> None:
    away(cast, "Amara", "Bo")
    away(cast, "Bo", "Mina")

    end_absence(cast, address("Amara"), back_on=FRIDAY, **BY)
    end_absence(cast, address("Bo"), back_on=MONDAY, **BY)

    assert acting(cast, "Amara", FRIDAY) == ["Amara"]
    assert acting(cast, "Amara", MONDAY) == ["Amara", "Bo"]
    with pytest.raises(NotFound, match="Amara is not away on 2026-03-06"):
        end_absence(cast, address("Amara"), back_on=FRIDAY, **BY)


# ----------------------------------------------------------------------------------------------------------- leaving


def test_the_work_of_someone_who_left_goes_to_the_manager(cast: Engine) -> None:
    dov = add(cast, "Dov", team="North", manager=address("Mina"))

    staff_left(cast, address("Dov"), left_on=MONDAY, **BY)
    staff_left(cast, dov.person, left_on=MONDAY, **BY)

    assert acting(cast, "Dov") == ["Dov", "Mina"]
    assert dov.id not in {person.id for person in staff(cast).with_role(Role.COORDINATOR)}
    with pytest.raises(Unusable, match="already belongs to Dov, who has left"):
        add(cast, "Dov", team="North", manager=address("Mina"))


def test_a_deputy_who_left_is_passed_over(cast: Engine) -> None:
    away(cast, "Amara", "Bo")

    staff_left(cast, address("Bo"), left_on=MONDAY, **BY)

    assert acting(cast, "Amara") == ["Amara", "Mina"]


def test_when_the_whole_line_has_left_the_teams_lead_acts_then_a_manager_then_a_senior_manager(
    cast: Engine,
) -> None:
    add(cast, "Lead", team="West")
    dov = add(cast, "Dov", team="North")
    staff_left(cast, address("Dov"), left_on=MONDAY, **BY)
    assert acting(cast, "Dov") == ["Dov", "Sol"]

    add(cast, "Nils", "manager", team="North")
    assert acting(cast, "Dov") == ["Dov", "Nils"]

    set_team(cast, "North", [], lead=address("Lead"), **BY)
    assert acting(cast, "Dov") == ["Dov", "Lead"]
    assert staff(cast).manager_of(dov.id) is None


def test_the_last_one_cannot_leave_nor_anyone_before_the_day(engine: Engine) -> None:
    add(engine, "Ann")

    with pytest.raises(Unusable, match="Ann is the last one"):
        staff_left(engine, address("Ann"), left_on=MONDAY, **BY)
    with pytest.raises(Unusable, match="Record it on the day"):
        staff_left(engine, address("Ann"), left_on=FRIDAY, **BY)


# ------------------------------------------------------------------------------------------------------------- roles


def test_a_team_has_its_own_people_first_and_never_those_of_another(cast: Engine) -> None:
    add(cast, "Everywhere")
    found = staff(cast)

    assert [p.name for p in found.with_role(Role.COORDINATOR, "South")] == ["Bo", "Everywhere"]
    assert [p.name for p in found.with_role(Role.COORDINATOR)] == ["Everywhere", "Amara", "Bo"]


def test_someone_is_responsible_whatever_happens(cast: Engine) -> None:
    away(cast, "Amara", "Bo")
    found = staff(cast)

    assert found.responsible(Role.COORDINATOR, "South", MONDAY).staff.name == "Bo"
    assert [found.people[each].name for each in found.responsible(Role.COORDINATOR, "North", MONDAY).chain] == [
        "Amara",
        "Bo",
    ]
    assert found.responsible(Role.FINANCE, "North", MONDAY).staff.name == "Sol"


def test_a_person_acts_with_their_own_roles(cast: Engine) -> None:
    found = staff(cast)
    bo = found.by_email(" BO@muster.example ")
    assert bo is not None

    assert found.actor(bo.id) == Actor(bo.person, "Bo", frozenset({Role.COORDINATOR}), frozenset({"South"}))


def test_a_deputy_has_the_roles_teams_and_conflicts_of_both_but_no_administration(cast: Engine) -> None:
    add(cast, "Ada", "admin", "finance", team="HQ")
    with transaction(cast) as conn:
        (member_id,) = store.insert_members(conn, [{"name": "Acme"}], source="test", actor=SYSTEM, now=NOW)
    declare_conflict(cast, address("Ada"), "Acme", "owns shares", **BY)
    declare_conflict(cast, address("Ada"), "Acme", "owned shares", **BY)
    found = staff(cast)
    ids = {person.name: person.id for person in found.people.values()}

    actor = found.actor(ids["Bo"], on_behalf_of=ids["Ada"])

    assert actor.roles == {Role.COORDINATOR, Role.FINANCE}
    assert actor.teams == {"South", "HQ"}
    assert actor.on_behalf_of == f"staff:{ids['Ada']}"
    assert actor.conflicts == {member_id}


def test_a_team_is_not_chosen_by_what_members_do_not_have(cast: Engine) -> None:
    with pytest.raises(Unusable, match='Did you mean "region"'):
        set_team(cast, "North", [{"regoin": ["North"]}], **BY)


# -------------------------------------------------------------------------------------------- whatever the staff is

PEOPLE = st.integers(1, 6)


@st.composite
def any_staff(draw: st.DrawFn) -> Staffing:
    """Up to six people with any managers and deputies, circles included."""
    number = draw(PEOPLE)
    someone = st.integers(1, number + 1)  # one more than there are: somebody unknown
    people = [
        Person(
            each,
            f"p{each}@muster.example",
            f"P{each}",
            draw(st.frozensets(st.sampled_from([Role.COORDINATOR, Role.MANAGER, Role.AUDITOR]), min_size=1)),
            draw(st.sampled_from(["North", "South", None])),
            draw(st.none() | someone),
            draw(st.booleans()),
        )
        for each in range(1, number + 1)
    ]
    absences = draw(
        st.lists(st.builds(Away, someone, st.just(MONDAY), st.just(FRIDAY), st.none() | someone), max_size=6)
    )
    return staffing_of(people, absences, draw(st.dictionaries(st.just("North"), someone)))


@given(any_staff())
def test_someone_who_works_here_always_acts_and_someone_who_is_there_if_anyone_is(found: Staffing) -> None:
    someone_there = any(found.present(each, MONDAY) for each in found.people)
    for each in found.people:
        if not any(person.active for person in found.people.values()):
            with pytest.raises(NoStaff, match="Nobody on the staff is active"):
                found.acting(each, MONDAY)
            continue
        result = found.acting(each, MONDAY)
        assert result.staff.active
        assert found.present(result.staff.id, MONDAY) == someone_there
        assert (result.chain[0], result.chain[-1]) == (each, result.staff.id)
        assert len(set(result.chain)) == len(result.chain)
        assert result.substituted == (result.staff.id != each)


@given(any_staff())
def test_who_is_there_acts_alone_and_who_acts_for_others_is_said_to(found: Staffing) -> None:
    for each in found.people:
        if found.present(each, MONDAY):
            assert found.acting(each, MONDAY).chain == (each,)
        elif any(person.active for person in found.people.values()):
            stand_in = found.acting(each, MONDAY).staff.id
            assert stand_in == each or each in found.deputises_for(stand_in, MONDAY)


@given(any_staff(), st.sampled_from([*Role]), st.sampled_from(["North", "South", None]))
def test_someone_is_always_responsible(found: Staffing, role: Role, team: str | None) -> None:
    if any(person.active for person in found.people.values()):
        assert found.responsible(role, team, MONDAY).staff.active


@given(st.lists(st.tuples(PEOPLE, PEOPLE, st.integers(0, 6), st.integers(0, 3)), max_size=12))
def test_absences_that_are_accepted_never_make_a_circle(wishes: list[tuple[int, int, int, int]]) -> None:
    people = [Person(each, "", "", frozenset({Role.COORDINATOR})) for each in range(1, 7)]
    accepted: list[Away] = []
    for who, deputy, start, length in wishes:
        first = MONDAY + timedelta(days=start)
        wish = Away(who, first, first + timedelta(days=length), deputy)
        overlaps = any(
            a.staff_id == who and a.from_date <= wish.until_date and wish.from_date <= a.until_date for a in accepted
        )
        if not overlaps and not staffing_of(people, accepted).cycle_with(wish):
            accepted.append(wish)
    found = staffing_of(people, accepted)
    for day in (MONDAY + timedelta(days=n) for n in range(10)):
        for each in range(1, 7):
            chain = [each]
            while (absence := found.away(chain[-1], day)) and absence.deputy_id is not None:
                assert absence.deputy_id not in chain
                chain.append(absence.deputy_id)

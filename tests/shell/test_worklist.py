"""The queue and the list of all cases: what is in them, page by page, for whom, and from which index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, or_, select

from bench.crowd import crowd
from cases.commands import acts_for, assign, restrict
from cases.environment import world
from cases.lists.keyset import Place, place_from
from cases.lists.narrowing import Narrow, narrow_from
from cases.lists.next_case import EVERYTHING, next_case
from cases.lists.ways_in import along
from cases.lists.worklist import Page, all_cases, queue
from cases.permissions import visible
from cases.tables import CaseRow
from config.database import Engine, reading, transaction
from members.absence_commands import set_absence
from state_machines.values import Actor
from tests.cast import MONDAY, Cast
from tests.shell.test_commands import a_complaint


def refs(page: Page) -> list[str]:
    return [line.ref for line in page.lines]


def staff_id(cast: Cast, name: str) -> int:
    return int(cast.actor(name).person.removeprefix("staff:"))


def set_deadline(cast: Cast, ref: str, days: float | None) -> None:
    """Move a deadline by hand: what is tested is the order of the list, not the clocks."""
    at = MONDAY + timedelta(days=days) if days is not None else None
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql("UPDATE cases SET deadline_at = %s WHERE ref = %s", (at, ref))


def away(cast: Cast, name: str, deputy: str, until: date = date(2026, 3, 6)) -> None:
    set_absence(
        cast.env.engine, f"{name.lower()}@muster.example", from_date=MONDAY.date(), until_date=until,
        deputy=f"{deputy.lower()}@muster.example", actor=cast.actor("Ada"), now=MONDAY,
    )  # fmt: skip


def some(cast: Cast, *days: float | None, team: str = "North") -> list[str]:
    found = []
    for number, day in enumerate(days):
        ref = a_complaint(cast, team, f"Pool {team} {number}")
        set_deadline(cast, ref, day)
        found.append(ref)
    return found


# ------------------------------------------------------------------------------------------------- what is in it


def test_a_queue_has_its_owners_open_cases_soonest_deadline_first_and_those_without_one_last(cast: Cast) -> None:
    late, never, soon = some(cast, 9, None, 1)

    page = queue(cast.env, Narrow(), actor=cast.actor("Amara"))

    assert refs(page) == [soon, late, never]
    assert page.lines[0].owner == "Amara"
    assert (page.before, page.after) == (None, None)


def test_who_stands_in_sees_the_cases_of_who_is_away_and_until_when(cast: Cast) -> None:
    [ref] = some(cast, 1)
    away(cast, "Amara", "Bo", date(2026, 3, 3))

    [line] = queue(cast.env, Narrow(), actor=cast.actor("Bo")).lines

    assert (line.ref, line.owner, line.acting, line.away_until) == (ref, "Amara", "Bo", date(2026, 3, 3))
    tomorrow = MONDAY + timedelta(days=2)
    assert queue(cast.env, Narrow(), actor=cast.actor("Bo"), now=tomorrow).lines == [], "she is back"


def test_a_case_that_its_owners_stand_in_may_not_see_is_in_the_managers_queue(cast: Cast) -> None:
    ref = a_complaint(cast, about_staff=[cast.actor("Bo").person])
    away(cast, "Amara", "Bo")

    assert refs(queue(cast.env, Narrow(), actor=cast.actor("Mina"))) == [ref]
    assert refs(queue(cast.env, Narrow(), actor=cast.actor("Bo"))) == []


def test_bo_never_sees_the_north_in_any_list_or_number(cast: Cast) -> None:
    some(cast, 1, 2)
    [south] = some(cast, 3, team="South")
    north = cast.scalar("SELECT m.ref FROM members m WHERE team = 'North' LIMIT 1")
    bo = cast.actor("Bo")

    for narrow in (
        Narrow(),
        Narrow(phase="all"),
        Narrow(newest="yes"),
        Narrow(process="complaint"),
        Narrow(due="week"),
    ):
        page = all_cases(cast.env, narrow, actor=bo)
        assert refs(page) == [south]
        assert sum(page.tallies.counts.values()) == 1
    for narrow in (Narrow(team="North"), Narrow(member=north), Narrow(owner=str(staff_id(cast, "Amara")))):
        page = all_cases(cast.env, narrow, actor=bo)
        assert (page.lines, page.tallies.counts) == ([], {})


def test_a_restricted_case_of_another_team_is_listed_for_who_is_named_in_it(cast: Cast) -> None:
    ref = a_complaint(cast)
    restrict(cast.env, ref, ["bo@muster.example"], actor=cast.actor("Mina"))

    [line] = all_cases(cast.env, Narrow(), actor=cast.actor("Bo")).lines

    assert (line.ref, line.restricted) == (ref, True)
    assert refs(all_cases(cast.env, Narrow(), actor=cast.actor("Max"))) == []


@pytest.mark.parametrize(
    ("narrow", "expected"),
    [
        (Narrow(due="overdue"), {"late"}),
        (Narrow(due="today"), {"today"}),
        (Narrow(due="week"), {"today", "sunday"}),
        (Narrow(due="none"), {"never"}),
        (Narrow(due="nonsense"), set()),
        (Narrow(owner="me", due="today"), {"today"}),
        (Narrow(owner="none"), set()),
        (Narrow(owner="²"), set()),
        (Narrow(state="received", due="today"), {"today"}),
        (Narrow(process="monitoring"), set()),
        (Narrow(process="no-such-process"), set()),
        (Narrow(phase="closed"), set()),
        (Narrow(hold="yes"), set()),
        (Narrow(received_from=date(2026, 3, 3)), set()),
        (Narrow(received_until=date(2026, 3, 2), due="none"), {"never"}),
        (Narrow(received_until=date(2026, 3, 1)), set()),
    ],
)
def test_a_list_is_narrowed_by(cast: Cast, narrow: Narrow, expected: set[str]) -> None:
    names = dict(zip(some(cast, -1, 0.2, 6.4, 7, None), ("late", "today", "sunday", "monday", "never"), strict=True))

    page = all_cases(cast.env, narrow, actor=cast.actor("Amara"))

    assert {names[ref] for ref in refs(page)} == expected
    assert sum(page.tallies.counts.values()) == len(expected) or narrow.process or narrow.state


def test_what_stands_in_an_address_comes_back_as_it_was() -> None:
    narrow = Narrow(process="complaint", owner="me", received_from=date(2026, 3, 1), hold="yes")

    assert narrow_from(narrow.query()) == narrow
    assert (
        narrow_from({"received_from": "0001-01-01", "received_until": "soon", "colour": "red", "state": " "})
        == Narrow()
    )


def test_the_next_case_is_the_one_after_this_in_the_list_and_after_the_last_the_first(cast: Cast) -> None:
    amara = cast.actor("Amara")

    def after(ref: str, narrow: Narrow = EVERYTHING, *, mine: bool = True) -> str | None:
        [row] = cast.rows("SELECT id, deadline_at FROM cases WHERE ref = :ref", ref=ref)
        place = Place(row.deadline_at, row.id)
        return next_case(cast.env, ref, place, narrow, mine=mine, actor=amara, now=MONDAY)

    [soon] = some(cast, 1)
    assert after(soon) is None, "there is no other"
    late, never = some(cast, 9, None)
    [theirs] = some(cast, 5)
    bo = staff_id(cast, "Bo")
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql("UPDATE cases SET owner_id = %s WHERE ref = %s", (bo, theirs))

    assert [after(ref) for ref in (soon, late, never)] == [late, never, soon]
    assert [after(ref, mine=False) for ref in (soon, theirs, never)] == [theirs, late, soon]
    assert after(soon, Narrow(due="none")) == never
    assert next_case(cast.env, "XX-1", None, actor=amara) == soon


# ------------------------------------------------------------------------------------------------- page by page


def walked(read: Callable[[Place | None], Page]) -> list[list[str]]:
    """Every page from the first to the last, after walking back again and finding the same."""
    pages, place = [], None
    while True:
        page = read(place)
        pages.append(refs(page))
        if page.after is None:
            break
        place = place_from(str(page.after))
        assert place is not None
    for earlier in reversed(pages[:-1]):
        assert page.before is not None
        page = read(place_from(str(page.before)))
        assert refs(page) == earlier
    assert page.before is None
    return pages


@pytest.mark.parametrize("narrow", [Narrow(), Narrow(newest="yes"), Narrow(phase="all")])
@pytest.mark.parametrize("name", ["Amara", "Mina"])
def test_pages_turn_forward_and_back_without_losing_or_repeating_a_case(cast: Cast, name: str, narrow: Narrow) -> None:
    every = some(cast, 3, 3, None, 1, 8, None, 3)
    assign(cast.env, every[0], "amara@muster.example", actor=cast.actor("Mina"))

    pages = walked(lambda place: all_cases(cast.env, narrow, place, size=2, actor=cast.actor(name)))

    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert sorted(ref for page in pages for ref in page) == sorted(every)


def test_a_place_that_is_none_is_the_beginning() -> None:
    assert {
        place_from(text) for text in ("", "a1", "a1_", "c1_2", "a1_2; DROP TABLE cases", "b" + "9" * 18 + "_1")
    } == {None}
    place = Place(MONDAY, 7, back=True)
    assert place_from(str(place)) == place


# ------------------------------------------------------------------------------------- a crowd, and its indexes


@pytest.fixture(scope="module")
def thousands() -> int:
    return 50_000


@pytest.fixture
def crowded(cast: Cast, thousands: int) -> Cast:
    owners = {"South": "Bo", "North": "Amara", "East": "Mina", "West": "Max"}
    away(cast, "Max", "Mina")
    ids = {team: [staff_id(cast, name)] for team, name in owners.items()}
    with transaction(cast.env.engine) as conn:
        crowd(conn, thousands, owners=ids, now=MONDAY)
    return cast


NARROWED = (
    Narrow(), Narrow(process="complaint"), Narrow(process="complaint", state="received"), Narrow(state="invited"),
    Narrow(owner="me"), Narrow(owner="none"), Narrow(due="overdue"), Narrow(due="today"), Narrow(due="none"),
    Narrow(hold="yes"), Narrow(parked="yes"), Narrow(restricted="yes"), Narrow(phase="closed"), Narrow(phase="all"),
    Narrow(newest="yes"), Narrow(member="M-000100"), Narrow(member="M-000100", phase="all"), Narrow(team="North"),
    Narrow(phase="closed", outcome="resolved"), Narrow(received_from=date(2026, 3, 1)),
    Narrow(phase="all", received_until=date(2023, 5, 1)), Narrow(campaign="ZZ-2026-0000001"),
)  # fmt: skip


def test_every_list_shows_just_what_the_one_filter_lets_through_and_reads_it_from_an_index(crowded: Cast) -> None:
    """Each list is compared with one that has the filter alone, and each of its plans is asked for."""
    for name in ("Amara", "Mina", "Bo"):
        actor = crowded.actor(name)
        for narrow in NARROWED:
            page, scans = explained(crowded.env.engine, lambda: all_cases(crowded.env, narrow, actor=actor))  # noqa: B023
            assert scans == [], (name, narrow)
            assert len(page.lines) <= 50
        page, scans = explained(crowded.env.engine, lambda: queue(crowded.env, Narrow(), actor=actor))  # noqa: B023
        assert (len(page.lines), scans) == (50, []), name
        assert {line.id for line in all_cases(crowded.env, Narrow(), actor=actor, size=60_000).lines} == (
            seen(crowded, actor, CaseRow.closed_at.is_(None))
        )


def test_turning_far_pages_costs_what_the_first_one_does(crowded: Cast) -> None:
    amara = crowded.actor("Amara")
    place: Place | None = Place(MONDAY + timedelta(days=40), 25_000)

    page, scans = explained(crowded.env.engine, lambda: all_cases(crowded.env, Narrow(), place, actor=amara))

    assert (len(page.lines), scans) == (50, [])
    assert page.lines[0].deadline is not None
    assert page.lines[0].deadline >= MONDAY + timedelta(days=40)


def test_numbers_beside_a_list_are_those_of_the_list_as_far_as_they_are_counted(crowded: Cast) -> None:
    for name in ("Amara", "Mina"):
        actor = crowded.actor(name)
        tallies = all_cases(crowded.env, Narrow(), actor=actor).tallies
        with reading(crowded.env.engine) as conn:
            here = world(conn, crowded.env)
            open_ = select(CaseRow.process, CaseRow.state).where(
                visible(actor, acts_for(actor, here)), CaseRow.closed_at.is_(None)
            )
            rows = [tuple(row) for row in conn.execute(open_)]
        assert tallies.counts == {pair: min(100, rows.count(pair)) for pair in set(rows)}
        assert tallies.said(100) == "100+"
        narrowed = all_cases(crowded.env, Narrow(process="complaint", due="today"), actor=actor).tallies
        assert (narrowed.most, narrowed.cut) == (None, False)


def seen(cast: Cast, actor: Actor, *more: Any) -> set[int]:
    with reading(cast.env.engine) as conn:
        here = world(conn, cast.env)
        return set(conn.execute(select(CaseRow.id).where(visible(actor, acts_for(actor, here)), *more)).scalars())


def explained(engine: Engine, read: Callable[[], Page]) -> tuple[Page, list[str]]:
    """What is read, and the plans of its statements that scan a big table from end to end."""
    with listening(engine) as statements:
        page = read()
    scans = []
    with engine.connect() as conn:
        for statement, values in statements:
            if "cases" in statement:
                plan = conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
                if '"Seq Scan"' in (text := json.dumps(plan)) and '"Relation Name": "cases"' in text:
                    scans += [text for node in nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"
                              and node["Relation Name"] in ("cases", "members")]  # fmt: skip
    return page, scans


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@contextmanager
def listening(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    heard: list[tuple[str, Any]] = []

    def hear(conn: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        heard.append((statement, values))

    event.listen(engine, "before_cursor_execute", hear)
    yield heard
    event.remove(engine, "before_cursor_execute", hear)


def test_what_a_way_in_says_is_not_asked_again_and_nothing_else_is_left_out() -> None:
    mine, other, team = CaseRow.owner_id == 7, CaseRow.owner_id == 8, CaseRow.team == "North"
    branch = along([mine], [or_(team, mine, other), or_(team, other)])
    assert [str(each.compile(compile_kwargs={"literal_binds": True})) for each in branch] == [
        "cases.owner_id = 7", "cases.team = 'North' OR true OR cases.owner_id = 8",
        "cases.team = 'North' OR cases.owner_id = 8",
    ]  # fmt: skip

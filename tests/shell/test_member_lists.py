"""Lists of members: searched, narrowed and turned page by page, each by the rule of who may see whom."""

from datetime import date

import pytest
from sqlalchemy import event

from cases import member_lists, member_pages
from cases.commands import open_one
from config.database import reading, transaction
from members import proposals, store
from members.browsing import MemberFilter, listed
from members.commands import contact_left, merge_members, set_absence
from members.errors import NotFound
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast


@pytest.fixture
def cast(cast: Cast) -> Cast:
    cast.members("Ö'Brien & <Söhne>", "Ålesund Bad", "Zürich Pool", team="North", country="CH", tier="Premier")
    cast.members("South Pool", "Södra Bad", team="South", country="SE")
    cast.members("Everybody's Pool", team=None)
    return cast


def names(cast: Cast, who: str = "Mina", **narrow: object) -> list[str]:
    page = member_lists.members(cast.env, MemberFilter(**narrow), actor=cast.actor(who)).page  # type: ignore[arg-type]
    assert page.total == len(page.lines)
    return [line.card.name for line in page.lines]


def test_members_are_listed_by_name_however_it_is_written(cast: Cast) -> None:
    assert names(cast) == [
        "Ålesund Bad", "Everybody's Pool", "Ö'Brien & <Söhne>", "Södra Bad", "South Pool", "Zürich Pool",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("narrow", "found"),
    [
        ({"words": "sodra"}, ["Södra Bad"]),
        ({"words": "obrien"}, ["Ö'Brien & <Söhne>"]),
        ({"words": "M-000004"}, ["South Pool"]),
        ({"words": "m4@members"}, ["South Pool"]),
        ({"team": "south"}, ["Södra Bad", "South Pool"]),
        ({"team": "none"}, ["Everybody's Pool"]),
        ({"tier": "Premier", "country": "CH", "words": "bad"}, ["Ålesund Bad"]),
        ({"kind": "person"}, []),
        ({"words": "\0%_'"}, []),
    ],
)
def test_a_list_is_narrowed(cast: Cast, narrow: dict[str, object], found: list[str]) -> None:
    assert names(cast, **narrow) == found


def test_members_nobody_can_write_to_and_those_with_a_dead_address_are_found(cast: Cast) -> None:
    with transaction(cast.env.engine) as conn:
        store.mark_bounced(conn, {"m4@members.example": "5.1.1"}, now=MONDAY)
    contact_left(cast.env.engine, "M-000005", 5, actor=cast.actor("Bo"), now=MONDAY)

    assert names(cast, no_contact=True) == ["Södra Bad", "South Pool"]
    assert names(cast, bounced=True) == ["South Pool"]
    [line] = member_lists.members(cast.env, MemberFilter(bounced=True), actor=cast.actor("Mina")).page.lines
    assert (line.reached_at, line.bounced) == (None, 1)


def test_members_about_whom_a_change_is_proposed_are_found_and_counted(cast: Cast) -> None:
    for member_id in (1, 4):
        proposals.propose(
            cast.env.engine, member_id, {"note": "Call"}, proposed_by="staff:1", source="desk", now=MONDAY
        )

    found = member_lists.members(cast.env, MemberFilter(asked=True), actor=cast.actor("Bo"))
    assert [(line.card.name, line.asked) for line in found.page.lines] == [("South Pool", 1)]
    assert found.waiting == 1
    assert member_lists.members(cast.env, MemberFilter(), actor=cast.actor("Mina")).waiting == 2


def test_bo_never_meets_the_north_in_any_list(cast: Cast) -> None:
    bo = cast.actor("Bo")
    page = member_lists.members(cast.env, MemberFilter(), actor=bo)

    assert [line.card.name for line in page.page.lines] == ["Everybody's Pool", "Södra Bad", "South Pool"]
    assert page.choices["country"] == ["SE"] and page.choices["team"] == ["South"] and page.choices["tier"] == []
    assert names(cast, "Bo", words="pool") == ["Everybody's Pool", "South Pool"]
    assert names(cast, "Bo", team="North") == []
    assert [card.name for card in member_lists.suggestions(cast.env, "p", actor=bo)] == [
        "Everybody's Pool",
        "South Pool",
    ]
    assert member_lists.suggestions(cast.env, "zurich", actor=bo) == []
    assert len(member_lists.exported(cast.env, MemberFilter(), actor=bo)) == 3
    with pytest.raises(NotFound):
        member_pages.member_page(cast.env, "M-000001", actor=bo)
    with pytest.raises(NotFound):
        member_pages.member_record(cast.env, "Zürich Pool", actor=bo)


def test_the_place_of_a_hidden_member_in_the_order_cannot_be_found_out(cast: Cast) -> None:
    bo = cast.actor("Bo")
    first = member_lists.members(cast.env, MemberFilter(), actor=bo).page

    for hidden in ("M-000001", "M-000003", "M-999999", "nonsense", "\0"):
        assert member_lists.members(cast.env, MemberFilter(), after=hidden, actor=bo).page.lines == first.lines


def test_pages_are_turned_forwards_and_backwards_without_a_gap(cast: Cast) -> None:
    mina, seen, after = cast.actor("Mina"), [], None
    while True:
        page = member_lists.members(cast.env, MemberFilter(), after=after, size=2, actor=mina).page
        assert page.total == 6
        seen.append([line.card.name for line in page.lines])
        if (after := page.after) is None:
            break
    assert [name for each in seen for name in each] == names(cast)
    back = [seen[-1]]
    while page.before:
        page = member_lists.members(cast.env, MemberFilter(), before=page.before, size=2, actor=mina).page
        back.append([line.card.name for line in page.lines])
        assert page.after is not None
    assert back[::-1] == seen


def test_names_that_are_the_same_are_not_skipped(cast: Cast) -> None:
    cast.members(*["Twin Pool"] * 5, team="South")
    bo, after, seen = cast.actor("Bo"), None, []
    for _ in range(3):
        page = member_lists.members(cast.env, MemberFilter(words="twin"), after=after, size=2, actor=bo).page
        seen += [line.card.ref for line in page.lines]
        after = page.after
    assert len(set(seen)) == len(seen) == 5 and after is None


def test_a_list_asks_no_more_statements_when_it_is_longer(cast: Cast) -> None:
    mina, asked = cast.actor("Mina"), []
    event.listen(cast.env.engine, "before_cursor_execute", lambda *what: asked.append(what[2]))
    member_lists.members(cast.env, MemberFilter(), size=1, actor=mina)
    few = len(asked)
    cast.members(*(f"Pool {n}" for n in range(300)))
    asked.clear()
    member_lists.members(cast.env, MemberFilter(), size=200, actor=mina)

    assert len(asked) == few


def test_only_open_cases_that_may_be_seen_are_counted(cast: Cast) -> None:
    given = {"category": "service", "complainant_name": "Carl", "complainant_email": "c@x.example"}
    opened = open_one(cast.env, "complaint", member="Everybody's Pool", subject="Cold water", payload=given,
                      actor=cast.actor("Amara")).after  # fmt: skip

    for who, count in (("Amara", 1), ("Mina", 1), ("Bo", 0)):
        found = member_lists.members(cast.env, MemberFilter(words="everybody"), actor=cast.actor(who))
        assert found.open_cases.get(6, 0) == count, who
        page = member_pages.member_page(cast.env, "M-000006", actor=cast.actor(who))
        assert [line.ref for line in page.open_cases] == [opened.ref] * count


def test_a_member_keeps_the_cases_of_whoever_was_made_part_of_it(cast: Cast) -> None:
    given = {"category": "service", "complainant_name": "Carl", "complainant_email": "c@x.example"}
    ref = open_one(cast.env, "complaint", member="M-000005", subject="Cold", payload=given,
                   actor=cast.actor("Bo")).after.ref  # fmt: skip
    merge_members(cast.env.engine, "M-000004", "M-000005", actor=cast.actor("Mina"), now=MONDAY)

    page = member_pages.member_page(cast.env, "M-000005", actor=cast.actor("Bo"))
    assert page.card.ref == "M-000004"
    assert [line.ref for line in page.open_cases] == [ref]
    assert [card.ref for card in page.merged] == ["M-000005"]
    assert (page.changes[0].by, page.changes[0].entry.source) == ("Mina", "merge")
    taken = page.changes[0].entry.changes["taken in"]
    assert (taken["reference"], taken["name"]) == ("M-000005", "Södra Bad")


def test_whoever_stands_in_finds_the_members_of_that_team(cast: Cast) -> None:
    set_absence(cast.env.engine, "amara@muster.example", date(2026, 3, 2), date(2026, 3, 3), deputy="bo@muster.example",
                actor=SYSTEM, now=MONDAY)  # fmt: skip

    assert "Zürich Pool" in names(cast, "Bo")
    assert member_pages.member_page(cast.env, "M-000001", actor=cast.actor("Bo")).may_edit


def test_a_list_by_numbers_is_the_same_list(cast: Cast) -> None:
    with reading(cast.env.engine) as conn:
        cards, total = listed(conn, MemberFilter(words="pool"), limit=1, offset=1, viewer=cast.actor("Bo"))
    assert ([card.name for card in cards], total) == (["South Pool"], 2)

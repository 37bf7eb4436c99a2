"""Changes of members that somebody asks for: kept, shown beside the member as it is, decided once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from config.database import reading
from members import proposals, store
from members.cards import Contact, MemberCard
from members.commands import contact_left, merge_members, update_member
from members.errors import AlreadyDecided, Changed, MembersError, NotFound, NotYours, Unusable
from members.proposal_lists import Proposal, open_count, open_proposals, proposals_of
from tests.cast import MONDAY, Cast


@pytest.fixture
def cast(cast: Cast) -> Cast:
    cast.members("Ö'Brien & <Söhne>", team="North", website="https://old.example")
    cast.members("South Pool", team="South")
    return cast


def ask(cast: Cast, changes: dict[str, Any], member_id: int = 1, by: str = "member:1") -> int:
    return proposals.propose(
        cast.env.engine, member_id, changes, proposed_by=by, source="survey/SR-2026-000001", now=MONDAY
    )


def about(cast: Cast, member_id: int = 1) -> list[Proposal]:
    with reading(cast.env.engine) as conn:
        return proposals_of(conn, member_id)


def member(cast: Cast, member_id: int = 1) -> tuple[MemberCard, list[Contact]]:
    with reading(cast.env.engine) as conn:
        return store.member_card(conn, [member_id])[member_id], store.contacts_of(conn, [member_id])[member_id]


def accept(cast: Cast, number: int, name: str = "Amara", version: int | None = None) -> MemberCard:
    seen = version if version is not None else member(cast)[0].version
    return proposals.accept(cast.env.engine, number, seen_version=seen, actor=cast.actor(name), now=MONDAY)


def test_a_proposal_shows_what_is_and_what_shall_be_and_changes_nothing_yet(cast: Cast) -> None:
    ask(cast, {"website": "https://new.example", "region": "", "note": "We have moved."})

    [found] = about(cast)
    assert [(line.what, line.before, line.now, line.after) for line in found.lines] == [
        ("Website", "https://old.example", "https://old.example", "https://new.example")
    ]
    assert (found.note, found.proposer, found.status, found.outdated) == (
        "We have moved.", "Ö'Brien & <Söhne>", "open", False,
    )  # fmt: skip
    assert member(cast)[0].website == "https://old.example"


def test_accepting_makes_the_changes_once_and_names_who_decided(cast: Cast) -> None:
    number = ask(cast, {"website": "https://new.example"})

    assert accept(cast, number).website == "https://new.example"
    [found] = about(cast)
    assert (found.status, found.decided_by, found.decided_at) == ("accepted", cast.actor("Amara").person, MONDAY)
    assert cast.rows("SELECT source, actor FROM member_changes ORDER BY id DESC LIMIT 1") == [
        ("proposal", cast.actor("Amara").person)
    ]
    with pytest.raises(AlreadyDecided, match="was accepted in the meantime by Amara"):
        accept(cast, number, "Mina")


def test_not_the_right_person_lets_one_contact_go_and_adds_the_other(cast: Cast) -> None:
    changes = proposals.not_the_right_person(1, name="Zoë Nuñez", email="zoe@members.example")
    accept(cast, ask(cast, changes, by="contact:1"))

    card, contacts = member(cast)
    assert [(c.name, c.email, c.status) for c in contacts] == [
        ("Zoë Nuñez", "zoe@members.example", "ok"), ("Ö'Brien & <Söhne>", "m1@members.example", "left"),
    ], "the one who was named stands where the other stood"  # fmt: skip
    assert card.version == 2
    [found] = about(cast)
    assert found.proposer == "Ö'Brien & <Söhne>"
    assert [line.done for line in found.lines] == [True, True]


def test_a_contact_is_changed_as_was_asked(cast: Cast) -> None:
    number = ask(cast, {"contacts": [{"do": "change", "id": 1, "email": "new@members.example", "phone": ""}]})
    assert [(line.what, line.after) for line in about(cast)[0].lines] == [
        ("E-mail of m1@members.example", "new@members.example")
    ]
    accept(cast, number)

    assert member(cast)[1][0].email == "new@members.example"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nothing would change"),
        ({"website": "https://old.example"}, "Nothing would change"),
        ({"tier": "Premier"}, '"tier" cannot be changed this way'),
        ({"name": " "}, "needs a name"),
        ({"contacts": [{"do": "add", "email": "nonsense"}]}, "not an e-mail address"),
        ({"contacts": [{"do": "add", "role": "deputy"}]}, "needs a name, an e-mail address"),
        ({"contacts": [{"do": "left", "id": 2}]}, "no such contact"),
        ({"contacts": [{"do": "explode", "id": 1}]}, "added, changed, or has left"),
        ({"note": "x" * 2001}, "at most 2000"),
    ],
)
def test_what_cannot_be_asked_is_refused(cast: Cast, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence):
        ask(cast, changes)
    assert about(cast) == []


def test_the_same_proposal_again_is_the_one_that_waits_and_there_is_an_end(cast: Cast) -> None:
    first = ask(cast, {"note": "Please call."})

    assert ask(cast, {"note": "Please call."}) == first
    assert ask(cast, {"note": "Please call."}, by="contact:1") != first
    for n in range(proposals.MOST_OPEN - 2):
        ask(cast, {"note": f"Please call {n}."})
    with pytest.raises(Unusable, match="20 changes wait for us already"):
        ask(cast, {"note": "One more."})
    with pytest.raises(NotFound):
        ask(cast, {"note": "Anybody there?"}, member_id=99)


def test_a_proposal_that_time_has_overtaken_shows_both_and_needs_a_fresh_look(cast: Cast) -> None:
    number = ask(cast, {"website": "https://new.example"})
    update_member(
        cast.env.engine, "M-000001", {"website": "https://other.example"}, actor=cast.actor("Mina"), now=MONDAY
    )

    [found] = about(cast)
    assert found.outdated
    assert (found.lines[0].before, found.lines[0].now) == ("https://old.example", "https://other.example")
    with pytest.raises(Changed):
        accept(cast, number, version=1)
    assert accept(cast, number, version=2).website == "https://new.example"


def test_a_proposal_about_a_member_that_is_merged_goes_with_it(cast: Cast) -> None:
    cast.members("Double", team="North")
    number = ask(cast, {"contacts": [{"do": "change", "id": 3, "phone": "+44 20 7946 0000"}]}, member_id=3)
    merge_members(cast.env.engine, "M-000001", "M-000003", actor=cast.actor("Mina"), now=MONDAY)

    assert [found.id for found in about(cast)] == [number]
    assert accept(cast, number).id == 1
    assert {contact.phone for contact in member(cast)[1]} == {None, "+44 20 7946 0000"}


def test_a_contact_that_has_left_meanwhile_is_shown_as_gone(cast: Cast) -> None:
    ask(cast, {"contacts": [{"do": "left", "id": 1}]})
    contact_left(cast.env.engine, "M-000001", 1, actor=cast.actor("Amara"), now=MONDAY)

    assert about(cast)[0].lines[0].done


def test_declining_needs_a_reason_and_leaves_the_member_alone(cast: Cast) -> None:
    number = ask(cast, {"website": "https://new.example"})
    engine, amara = cast.env.engine, cast.actor("Amara")

    with pytest.raises(Unusable, match="Say why"):
        proposals.decline(engine, number, " ", actor=amara, now=MONDAY)
    proposals.decline(engine, number, "It is not reachable.", actor=amara, now=MONDAY)
    with pytest.raises(AlreadyDecided):
        proposals.decline(engine, number, "Again.", actor=amara, now=MONDAY)
    assert [(each.status, each.reason) for each in about(cast)] == [("declined", "It is not reachable.")]
    assert member(cast)[0].website == "https://old.example"


def test_only_whoever_asked_takes_it_back(cast: Cast) -> None:
    number = ask(cast, {"website": "https://new.example"})

    with pytest.raises(NotFound):
        proposals.withdraw(cast.env.engine, number, proposed_by="member:2", now=MONDAY)
    proposals.withdraw(cast.env.engine, number, proposed_by="member:1", now=MONDAY)
    proposals.withdraw(cast.env.engine, number, proposed_by="member:1", now=MONDAY)
    assert [each.status for each in about(cast)] == ["withdrawn"]
    with pytest.raises(AlreadyDecided):
        accept(cast, number)


def test_two_who_decide_at_once_are_one_who_decides(cast: Cast) -> None:
    number = ask(cast, {"website": "https://new.example"})
    people = [cast.actor(name) for name in ("Amara", "Mina", "Max", "Sol")]

    def decide(actor: Any) -> str:
        try:
            proposals.accept(cast.env.engine, number, seen_version=1, actor=actor, now=MONDAY)
        except MembersError as refused:
            return str(refused)
        return "done"

    with ThreadPoolExecutor(4) as at_once:
        said = sorted(at_once.map(decide, people))

    assert said.count("done") == 1
    assert all("was accepted in the meantime by" in each for each in said if each != "done")
    assert cast.scalar("SELECT count(*) FROM member_changes WHERE source = 'proposal'") == 1


def test_bo_neither_sees_nor_decides_what_the_north_is_asked(cast: Cast) -> None:
    number = ask(cast, {"website": "https://new.example"})
    other = ask(cast, {"note": "Hello"}, member_id=2)
    bo = cast.actor("Bo")

    with reading(cast.env.engine) as conn:
        assert [each.id for each in open_proposals(conn, viewer=bo)] == [other]
        assert open_count(conn, viewer=bo) == 1
        assert [each.id for each in open_proposals(conn, viewer=cast.actor("Mina"), after=number)] == [other]
        assert open_count(conn, viewer=cast.actor("Mina")) == 2
    with pytest.raises(NotFound):
        accept(cast, number, "Bo")
    with pytest.raises(NotYours):
        accept(cast, number, "Cara")


def test_nobody_decides_about_what_they_asked_for_themselves(cast: Cast) -> None:
    number = ask(cast, {"website": "https://new.example"}, by=cast.actor("Amara").person)

    with pytest.raises(NotYours, match="does not decide"):
        accept(cast, number, "Amara")

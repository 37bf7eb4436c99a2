"""Marking a case as a duplicate of another: both keep everything, and two people cannot mark both ways at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cases import duplicates, intake
from cases.commands import open_one
from cases.errors import BadInput, CaseChanged, CaseError, CaseNotFound, NotAllowed
from cases.queries import case_page
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast


def complaint(cast: Cast, member: str, by: str = "Amara", **more: str) -> str:
    payload = {"category": "pool", "description": "Cold water.", **more}
    return open_one(
        cast.env, "complaint", member=member, subject="Cold pool", payload=payload, actor=cast.actor(by), now=MONDAY
    ).after.ref  # fmt: skip


def links(cast: Cast) -> list[tuple[str, str, str]]:
    both = "JOIN cases a ON a.id = l.from_id JOIN cases b ON b.id = l.to_id"
    return [tuple(row) for row in cast.rows(f"SELECT a.ref, b.ref, l.type FROM case_links l {both}")]


def test_a_duplicate_is_linked_written_on_both_and_stays_as_it_was(cast: Cast) -> None:
    cast.members("Acme")
    first, second = complaint(cast, "Acme"), complaint(cast, "Acme")

    kept = duplicates.mark_duplicate(cast.env, second, first.lower(), actor=cast.actor("Amara"))

    assert kept == first
    assert links(cast) == [(second, first, "duplicate_of")]
    for ref, kind, details in (
        (second, "marked_duplicate", {"duplicate_of": first}), (first, "marked_duplicate", {"duplicate": second}),
    ):  # fmt: skip
        page = case_page(cast.env, ref, actor=cast.actor("Amara"))
        assert page.line["state"] == "received"
        assert (page.events[-1]["kind"], page.events[-1]["details"]) == (kind, details)


def test_two_people_who_mark_both_ways_at_once_leave_one_duplicate_and_one_told(cast: Cast) -> None:
    cast.members("Acme")
    first, second = complaint(cast, "Acme"), complaint(cast, "Acme")
    ready = Barrier(2)

    def mark(ref: str, of: str, who: str) -> str:
        ready.wait()
        try:
            return duplicates.mark_duplicate(cast.env, ref, of, actor=cast.actor(who))
        except BadInput as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(mark, first, second, "Amara"), pool.submit(mark, second, first, "Mina")]
        said = [each.result(timeout=60) for each in both]

    assert len(links(cast)) == 1
    assert sum("only one of them can be the duplicate" in each for each in said) == 1


def test_what_would_go_in_a_circle_or_twice_is_refused(cast: Cast) -> None:
    cast.members("Acme")
    a, b, c = (complaint(cast, "Acme") for _ in range(3))
    amara = cast.actor("Amara")
    duplicates.mark_duplicate(cast.env, b, a, actor=amara)

    for ref, of, told in (
        (a, a, "no duplicate of itself"), (b, a, f"duplicate of {a} already"), (b, c, "of another case already"),
        (c, b, "choose the case that it repeats"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=told):
            duplicates.mark_duplicate(cast.env, ref, of, actor=amara)


def test_cases_of_two_members_are_duplicates_only_when_that_is_confirmed(cast: Cast) -> None:
    cast.members("Acme", "Beta")
    first, second = complaint(cast, "Acme"), complaint(cast, "Beta")

    with pytest.raises(duplicates.OtherMember):
        duplicates.mark_duplicate(cast.env, second, first, actor=cast.actor("Amara"))

    assert duplicates.mark_duplicate(cast.env, second, first, confirmed=True, actor=cast.actor("Amara")) == first


def test_cases_of_two_kinds_are_no_duplicates(cast: Cast) -> None:
    cast.members("Acme")
    finding = open_one(
        cast.env, "monitoring", member="Acme", subject="Audit", actor=cast.actor("Amara"), now=MONDAY,
        payload={"criterion": "decent_work", "source": "audit", "source_date": "2026-02-20", "evidence": "Report 7"},
    ).after.ref  # fmt: skip

    with pytest.raises(BadInput, match="one is a monitoring case, the other a complaint"):
        duplicates.mark_duplicate(cast.env, finding, complaint(cast, "Acme"), actor=cast.actor("Amara"))


def test_a_case_one_may_not_see_cannot_be_named_and_is_not_told_of(cast: Cast) -> None:
    cast.members("Acme")
    cast.members("Sud", team="South")
    mine, north = complaint(cast, "Sud", by="Bo"), complaint(cast, "Acme")

    with pytest.raises(CaseNotFound) as seen:
        duplicates.mark_duplicate(cast.env, mine, north, actor=cast.actor("Bo"))
    with pytest.raises(CaseNotFound) as unknown:
        duplicates.mark_duplicate(cast.env, mine, "CO-2026-999999", actor=cast.actor("Bo"))

    assert str(seen.value).replace(north, "…") == str(unknown.value).replace("CO-2026-999999", "…")


def test_a_duplicate_is_not_marked_on_an_old_picture_nor_by_who_only_reads(cast: Cast) -> None:
    cast.members("Acme")
    first, second = complaint(cast, "Acme"), complaint(cast, "Acme")

    with pytest.raises(CaseChanged):
        duplicates.mark_duplicate(cast.env, second, first, seen_version=0, actor=cast.actor("Amara"))
    finance = cast.actor("Amara").__class__("staff:4", "Amara", frozenset(), frozenset({"North"}))
    with pytest.raises(NotAllowed):
        duplicates.mark_duplicate(cast.env, second, first, actor=finance)

    assert links(cast) == []


def test_a_wrong_mark_is_taken_back_and_both_keep_that_it_was_made(cast: Cast) -> None:
    cast.members("Acme")
    first, second = complaint(cast, "Acme"), complaint(cast, "Acme")
    duplicates.mark_duplicate(cast.env, second, first, actor=cast.actor("Amara"))

    duplicates.unmark_duplicate(cast.env, second, first, actor=cast.actor("Amara"))

    assert links(cast) == []
    kinds = [event["kind"] for event in case_page(cast.env, first, actor=SYSTEM).events]
    assert kinds == ["opened", "marked_duplicate", "unmarked_duplicate"]
    with pytest.raises(CaseError, match="is not marked"):
        duplicates.unmark_duplicate(cast.env, second, first, actor=cast.actor("Amara"))


def test_open_cases_of_a_member_are_found_before_another_is_opened(cast: Cast) -> None:
    [acme] = cast.members("Acme")
    ref = complaint(cast, "Acme")
    member = cast.scalar("SELECT ref FROM members WHERE id = :id", id=acme)

    found = intake.open_of_member(cast.env, "complaint", member, actor=cast.actor("Amara"))

    assert [(each["ref"], each["subject"]) for each in found] == [(ref, "Cold pool")]
    assert intake.open_of_member(cast.env, "monitoring", member, actor=cast.actor("Amara")) == []
    assert intake.open_of_member(cast.env, "complaint", member, actor=cast.actor("Bo")) == []

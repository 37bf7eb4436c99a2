"""What is found by words: subjects and notes as they were written, by index, and nothing that may not be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from cases.commands import assign, fire, note, restrict
from cases.lists.marking import excerpt, marked
from cases.lists.searching import Found, search
from cases.words import write_all
from config.database import transaction
from tests.cast import MONDAY, Cast
from tests.shell.test_commands import a_complaint
from tests.shell.test_worklist import crowded as crowded
from tests.shell.test_worklist import explained, thousands

assert thousands  # the fixture that `crowded` needs

Search = Callable[..., Found]


def refs(found: Found) -> list[str]:
    return [hit.line.ref for hit in found.hits]


def test_a_note_is_found_at_once_and_no_longer_once_it_is_erased(cast: Cast) -> None:
    ref = a_complaint(cast)
    amara = cast.actor("Amara")
    note(cast.env, ref, "The Façade of Quillfeather", actor=amara)
    fire(cast.env, ref, "withdraw", note="Rang about the gaselier", actor=amara)
    assert refs(search(cast.env, "facade quill", actor=amara)) == [ref]
    assert refs(search(cast.env, "GASELIER", actor=amara)) == [ref]

    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE event_personal SET data = '{}' WHERE data ->> 'text' <> ''"))
        conn.execute(text("DELETE FROM event_personal WHERE data ->> 'note' <> ''"))

    assert refs(search(cast.env, "quillfeather", actor=amara)) == []
    assert refs(search(cast.env, "gaselier", actor=amara)) == []
    assert refs(search(cast.env, "cold", actor=amara)) == [ref], "its subject is not personal"


def test_a_database_from_before_there_was_a_search_is_searched_as_if_there_had_always_been_one(cast: Cast) -> None:
    ref = a_complaint(cast, subject="Øresund")
    note(cast.env, ref, "Nothing was heard.", actor=cast.actor("Amara"))
    before = cast.rows("SELECT * FROM case_words ORDER BY case_id, seq")

    with transaction(cast.env.engine) as conn:
        conn.execute(text("DELETE FROM case_words"))
        write_all(conn)

    assert cast.rows("SELECT * FROM case_words ORDER BY case_id, seq") == before
    assert [row.words for row in before] == ["oresund", "nothing was heard"]


def test_what_others_call_a_case_and_its_member_by_finds_it(cast: Cast) -> None:
    ref = a_complaint(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET external_ref = 'Ext/17-b'"))
        conn.execute(text("UPDATE members SET external_ref = 'K 99'"))
    member = cast.scalar("SELECT ref FROM members")

    for words in ("Ext/17-b", "K 99", member, member.lower(), "Cold pool Ltd"):
        assert refs(search(cast.env, words, actor=cast.actor("Amara"))) == [ref], words


def test_words_that_are_spread_over_subject_member_and_notes_of_a_case_find_it(cast: Cast) -> None:
    amara = cast.actor("Amara")
    a_complaint(cast, subject="Wet floor")
    ref = a_complaint(cast, subject="Wet stairs")
    with transaction(cast.env.engine) as conn:
        called = "UPDATE members SET name = 'Žofie Nováková', name_key = 'zofie novakova' WHERE name LIKE '%stairs%'"
        conn.execute(text(called))
    note(cast.env, ref, "The caretaker rang.", actor=amara)
    note(cast.env, ref, "An ambulance came.", actor=amara)

    for words in ("Nováková stairs", "stairs zofie novak", "wet caretak", "caretaker ambul"):
        found = search(cast.env, words, actor=amara)
        assert (refs(found), found.near) == ([ref], ""), words


def test_where_nothing_has_all_the_words_what_comes_near_is_shown_and_said_to_be_that(cast: Cast) -> None:
    amara, bo = cast.actor("Amara"), cast.actor("Bo")
    ref = a_complaint(cast, subject="Zanzibar ticket")

    found = search(cast.env, "zanzibra ticket", actor=amara)
    assert (refs(found), found.near) == ([ref], "one")
    found = search(cast.env, "zanzibra", actor=amara)
    assert (refs(found), found.near, len(found.members)) == ([ref], "zanz", 1)
    assert found.hits[0].subject[0] == ("Zanzibar", True)
    assert search(cast.env, "quill", actor=amara) == Found(None)
    for words in ("zanzibra ticket", "zanzibra", "zanzibar ticket"):
        assert refs(search(cast.env, words, actor=bo)) == []


def test_a_restricted_case_is_found_by_those_who_are_named_in_it_alone(cast: Cast) -> None:
    ref = a_complaint(cast, subject="Zanzibar")
    restrict(cast.env, ref, ["bo@muster.example"], actor=cast.actor("Mina"))

    found = {name: search(cast.env, "zanzibar", actor=cast.actor(name)) for name in ("Bo", "Mina", "Max", "Amara")}

    assert {name: refs(each) for name, each in found.items()} == {"Bo": [ref], "Mina": [ref], "Max": [], "Amara": []}
    assert search(cast.env, ref, actor=cast.actor("Max")).exact is None


def test_members_of_another_team_are_not_suggested(cast: Cast) -> None:
    cast.members("Zanzibar Tours", team="North")

    assert search(cast.env, "zanz", actor=cast.actor("Bo")).members == ()
    assert [each.name for each in search(cast.env, "zanz", actor=cast.actor("Amara")).members] == ["Zanzibar Tours"]


def test_a_case_given_to_another_team_is_found_by_its_new_owner(cast: Cast) -> None:
    ref = a_complaint(cast, subject="Zanzibar")
    assign(cast.env, ref, "bo@muster.example", actor=cast.actor("Mina"))

    assert refs(search(cast.env, "zanzibar", actor=cast.actor("Bo"))) == [ref]


def test_a_search_among_many_reads_no_table_of_cases_from_end_to_end_and_shows_a_page(crowded: Cast) -> None:
    for name in ("Amara", "Mina"):
        for words in ("basement 4711", "crowd 77", "late 123"):
            found, scans = explained(crowded.env.engine, lambda: search(crowded.env, words, actor=crowded.actor(name)))  # noqa: B023
            assert found.hits, words
            assert scans == [], (name, words)
        for words in ("basement nowhere 4711", "basement 4711 crowd", "nowhere"):
            scans = explained(crowded.env.engine, lambda: search(crowded.env, words, actor=crowded.actor(name)))[1]  # noqa: B023
            assert scans == [], (name, words)
    common = search(crowded.env, "annual", actor=crowded.actor("Mina"), now=MONDAY)
    assert (len(common.hits), common.more) == (50, True)
    assert [hit.line.closed is None for hit in common.hits] == [True] * 50


@pytest.mark.parametrize(
    ("words", "terms", "expected"),
    [
        ("Müller & Söhne", ["muller", "so"], [("Müller", True), (" & ", False), ("Söhne", True)]),
        ("<b>so</b>", ["so"], [("<b>", False), ("so", True), ("</b>", False)]),
        ("O'Brien's", ["obriens"], [("O'Brien's", True)]),
        ("nothing", ["else"], [("nothing", False)]),
        ("", ["else"], []),
    ],
)
def test_words_that_were_searched_for_are_marked_as_they_are_written(
    words: str, terms: list[str], expected: list[Any]
) -> None:
    assert list(marked(words, terms)) == expected


def test_of_a_long_note_what_stands_around_the_word_is_shown() -> None:
    pieces = list(excerpt("lorem " * 100 + "needle " + "ipsum " * 100, ["needle"]))

    assert (pieces[0][0], pieces[-1][0]) == ("… ", " …")
    assert ("needle", True) in pieces
    assert 100 < sum(len(piece) for piece, _ in pieces) < 260
    assert list(excerpt("x" * 500, ["y"]))[-1] == (" …", False)

"""What happened to a case, page by page and since a version, with everybody by name."""

from __future__ import annotations

import pytest

from cases import commands
from cases.errors import CaseNotFound
from cases.history import history, since_version
from cases.own.complaint import Words, complain
from state_machines.values import SYSTEM
from tests.cast import Cast


@pytest.fixture
def ref(cast: Cast) -> str:
    """A complaint of the North with three notes by Mina."""
    cast.members("Acme")
    opened = commands.open_one(
        cast.env, "complaint", member="Acme", subject="Cold pool", payload={"category": "service"},
        actor=cast.actor("Amara"),
    )  # fmt: skip
    for text in ("one", "two", "three"):
        commands.note(cast.env, opened.after.ref, text, actor=cast.actor("Mina"))
    return opened.after.ref


def test_events_come_in_order_and_say_whether_there_is_more(cast: Cast, ref: str) -> None:
    amara = cast.actor("Amara")
    first = history(cast.env, ref, limit=2, actor=amara)
    rest = history(cast.env, ref, after=first.events[-1].seq, limit=2, actor=amara)
    told = [(event.title, event.by, event.personal.get("text")) for event in first.events + rest.events]
    assert told == [
        ("Opened", "Amara", None),
        ("Note", "Mina", "one"),
        ("Note", "Mina", "two"),
        ("Note", "Mina", "three"),
    ]
    assert (first.more, rest.more) == (True, False)


def test_what_muster_did_is_told_as_muster(cast: Cast, ref: str) -> None:
    commands.note(cast.env, ref, "by itself", actor=SYSTEM)
    assert history(cast.env, ref, actor=cast.actor("Amara")).events[-1].by == "Muster"


def test_who_complained_from_the_street_is_told_as_the_complainant(cast: Cast) -> None:
    number = complain(cast.env, Words(what="The pool is cold.", reached_by="nobody"), once="x" * 16)
    ref = cast.scalar("SELECT ref FROM cases WHERE id = :number", number=number)
    assert history(cast.env, ref, actor=cast.actor("Mina")).events[0].by == "the complainant"


def test_since_a_version_only_what_is_new_is_told(cast: Cast, ref: str) -> None:
    amara = cast.actor("Amara")
    now = since_version(cast.env, ref, 2, actor=amara)
    assert (now.version, [event.personal["text"] for event in now.events]) == (4, ["two", "three"])
    assert since_version(cast.env, ref, 4, actor=amara).events == []
    assert since_version(cast.env, ref, 99, actor=amara).events == []
    assert [e.personal["text"] for e in since_version(cast.env, ref, 1, most=1, actor=amara).events] == ["three"]


@pytest.mark.parametrize("asked", [history, since_version])
def test_a_stranger_is_told_there_is_no_such_case(cast: Cast, ref: str, asked: object) -> None:
    with pytest.raises(CaseNotFound):
        history(cast.env, ref, actor=cast.actor("Bo")) if asked is history else since_version(
            cast.env, ref, 1, actor=cast.actor("Bo")
        )

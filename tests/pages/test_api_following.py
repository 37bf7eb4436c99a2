"""Following along through the API: all that may be seen, in order, nothing twice and nothing left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from cases import commands
from config import settled as reading_on
from config.settled import settled
from members.tables import ChangeLog
from tests.cast import Cast
from tests.pages.api_caller import a_complaint, caller

Caller = Callable[..., TestClient]
ONE = text("""
    INSERT INTO member_changes (member_id, at, actor, source, changes)
    VALUES ((SELECT min(id) FROM members), now(), 'staff:1', 'test', '{"tier": ["A", "B"]}') RETURNING id
""")


@pytest.fixture
def call(app: FastAPI, cast: Cast) -> Caller:
    """A program of somebody: ``call("Amara")``."""
    return lambda name, *scopes: caller(app, cast, name, scopes)


def told(program: TestClient, address: str) -> tuple[list[dict[str, Any]], str]:
    """Return all there is from an address on, and where to go on later."""
    found: list[dict[str, Any]] = []
    while True:
        answer = program.get(address.removeprefix("/api/v1"))
        assert answer.status_code == 200, answer.text
        assert answer.links["next"]["url"] == answer.json()["next"]
        found, address = found + answer.json()["items"], answer.json()["next"]
        if not answer.json()["more"]:
            return found, address


def test_who_follows_cases_is_told_of_each_event_once_and_of_no_case_that_is_not_theirs(
    call: Caller, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_on, "LOOKED_AT_ONCE", 2)
    north, south = a_complaint(cast), a_complaint(cast, "South", "Rude letter")
    begun, later = told(call("Bo"), "/events?limit=1")
    assert [(each["ref"], each["seq"], each["title"]) for each in begun] == [(south, 1, "Opened")]
    assert told(call("Bo"), later)[0] == []
    commands.note(cast.env, north, "Verschwiegen", actor=cast.actor("Amara"))
    commands.note(cast.env, south, "Called", actor=cast.actor("Bo"))
    [note], _ = told(call("Bo"), later)
    assert (note["ref"], note["seq"], note["kind"], note["by"]) == (south, 2, "note", "Bo")
    everything, _ = told(call("Mina"), "/events?limit=1")
    assert [(each["ref"], each["seq"]) for each in everything] == [(north, 1), (south, 1), (north, 2), (south, 2)]


def test_where_to_go_on_tells_nothing_and_is_taken_only_as_it_was_given(call: Caller, cast: Cast) -> None:
    a_complaint(cast)
    program = call("Amara")
    one, other = (program.get("/events").json()["next"] for _ in range(2))
    assert one != other
    assert program.get(one.replace("events", "member-changes").removeprefix("/api/v1")).status_code == 422
    for broken in (one[:-4], one[:-9] + "AAAA" + one[-5:], "/events?cursor=WzQ3XQ", "/events?cursor=WyJ4eXoiXQ"):
        assert program.get(broken.removeprefix("/api/v1")).status_code == 422


def test_who_begins_now_is_told_only_what_comes(call: Caller, cast: Cast) -> None:
    ref = a_complaint(cast)
    nothing, later = told(call("Amara"), "/events?from_now=true")
    commands.note(cast.env, ref, "Called", actor=cast.actor("Amara"))
    assert (nothing, [each["kind"] for each in told(call("Amara"), later)[0]]) == ([], ["note"])


def test_who_follows_members_is_told_what_was_changed_on_which(call: Caller, cast: Cast) -> None:
    cast.members("Łódź Cotton")
    cast.members("Bo's own", team="South")
    _, later = told(call("Bo"), "/member-changes")
    for name, words in (("Amara", "Łódź"), ("Bo", "Bo")):
        [member] = call(name).get("/members", params={"q": words}).json()["items"]
        call(name).patch(f"/members/{member['ref']}", json={"website": "https://new.example"})
    [change], _ = told(call("Bo"), later)
    assert (change["ref"], change["by"], change["fields"], change["version"]) == (member["ref"], "Bo", ["website"], 2)


def test_what_is_written_at_the_same_moment_and_seen_later_is_not_passed_over(cast: Cast, call: Caller) -> None:
    cast.members("Łódź Cotton")
    _, later = told(call("Mina"), "/member-changes")
    engine = cast.env.engine
    with engine.connect() as slow:
        first = slow.execute(ONE).scalar()
        with engine.begin() as quick:
            second = quick.execute(ONE).scalar()
        assert settled(engine, ChangeLog, wait=0) is None
        slow.commit()
    assert first < second == settled(engine, ChangeLog, wait=0)
    assert len(told(call("Mina"), later)[0]) == 2

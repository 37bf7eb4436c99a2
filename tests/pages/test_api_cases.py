"""Cases through the API: read as on the desk, moved as on the desk, told apart by version."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cases import commands
from members.commands import set_absence
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.api_caller import a_complaint, caller

Caller = Callable[..., TestClient]


@pytest.fixture
def call(app: FastAPI, cast: Cast) -> Caller:
    """A program of somebody: ``call("Amara")``."""
    return lambda name, *scopes: caller(app, cast, name, scopes)


def events(cast: Cast, ref: str) -> list[str]:
    rows = cast.rows(
        "SELECT e.kind FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.ref = :r ORDER BY seq", r=ref
    )
    return [row.kind for row in rows]


# ------------------------------------------------------------------------------------------------------- reading


def test_a_case_is_found_by_the_number_that_its_sender_gave_it(call: Caller, cast: Cast) -> None:
    wanted = {"process": "complaint", "subject": "Cold pool", "payload": {"category": "service"}}
    ref = call("Amara").post("/cases", json={**wanted, "external_ref": "form-12"}).json()["ref"]
    a_complaint(cast)
    found = {name: call(name).get("/cases?phase=all&external_ref=form-12").json()["items"] for name in ("Amara", "Bo")}
    assert [case["ref"] for case in found["Amara"]] == [ref]
    assert found["Bo"] == []


def test_a_list_shows_what_its_reader_may_see_and_nothing_else(call: Caller, cast: Cast) -> None:
    north, south = a_complaint(cast), a_complaint(cast, "South", "Rude letter")
    refs = {name: [c["ref"] for c in call(name).get("/cases").json()["items"]] for name in ("Amara", "Bo", "Mina")}
    assert refs["Amara"] == [north]
    assert refs["Bo"] == [south]
    assert set(refs["Mina"]) == {north, south}


@pytest.mark.parametrize("path", ["", "/events", "/choices", "/evidence", "/messages"])
def test_a_case_of_another_team_is_not_there_at_any_address(call: Caller, cast: Cast, path: str) -> None:
    ref = a_complaint(cast)
    answer = call("Bo").get(f"/cases/{ref}{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert answer.json()["detail"] == call("Bo").get("/cases/CO-2026-999999").json()["detail"].replace(
        "CO-2026-999999", ref
    )


def test_somebody_a_complaint_is_about_does_not_see_it_through_a_token_either(call: Caller, cast: Cast) -> None:
    ref = a_complaint(cast, about_staff=[cast.actor("Mina").person])
    assert call("Mina").get(f"/cases/{ref}").status_code == 404
    assert call("Max").get(f"/cases/{ref}").status_code == 200


def test_following_next_meets_every_case_once(call: Caller, cast: Cast) -> None:
    wanted = {a_complaint(cast, subject=f"Case {n}") for n in range(7)}
    program = call("Amara")
    address: str | None = "/cases?limit=3&process=complaint"
    seen: list[str] = []
    while address:
        answer = program.get(address.removeprefix("/api/v1"))
        seen += [case["ref"] for case in answer.json()["items"]]
        address = answer.json()["next"]
        assert (answer.links.get("next") or {}).get("url") == address
    assert (len(seen), set(seen)) == (7, wanted)


def test_a_list_is_narrowed_by_what_is_asked(call: Caller, cast: Cast) -> None:
    mine, theirs = a_complaint(cast), a_complaint(cast, "South", "Rude letter")

    def refs(**query: Any) -> list[str]:
        return [case["ref"] for case in call("Mina").get("/cases", params=query).json()["items"]]

    member = cast.scalar("SELECT m.ref FROM cases c JOIN members m ON m.id = c.member_id WHERE c.ref = :r", r=mine)
    assert refs(team="North") == refs(owner="amara@muster.example") == refs(member=member) == [mine]
    assert refs(owner=cast.actor("Bo").person) == [theirs]
    cast.go_to(MONDAY + timedelta(days=60))
    assert set(refs(due="overdue")) == {mine, theirs}
    assert refs(phase="closed") == refs(owner="nobody@x.example") == refs(process="monitoring") == []


def test_one_case_tells_its_clocks_what_comes_next_and_who_owns_it(call: Caller, cast: Cast) -> None:
    ref = a_complaint(cast)
    case = call("Amara").get(f"/cases/{ref.lower()}").json()
    assert (case["ref"], case["owner"]["name"], case["owner"]["email"]) == (ref, "Amara", "amara@muster.example")
    assert case["data"]["category"] == "service"
    assert case["clocks"][0]["due"].endswith("Z")
    assert case["expected"]


def test_the_history_is_told_by_name_and_turned_page_by_page(call: Caller, cast: Cast) -> None:
    ref = a_complaint(cast)
    for n in range(3):
        commands.note(cast.env, ref, f"Note {n}", actor=cast.actor("Mina"))
    first = call("Amara").get(f"/cases/{ref}/events?limit=2").json()
    rest = call("Amara").get(first["next"].removeprefix("/api/v1")).json()
    told = [(e["kind"], e["by"], e["personal"].get("text")) for e in first["items"] + rest["items"]]
    assert told[0][:2] == ("opened", "Amara")
    assert told[1:] == [("note", "Mina", f"Note {n}") for n in range(3)]
    assert rest["next"] is None


# ------------------------------------------------------------------------------------------------------- versions


def test_what_is_still_the_same_is_answered_with_304(call: Caller, cast: Cast) -> None:
    ref, program = a_complaint(cast), call("Amara")
    etag = program.get(f"/cases/{ref}").headers["etag"]
    same = program.get(f"/cases/{ref}", headers={"if-none-match": f'"other", W/{etag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    commands.note(cast.env, ref, "Called", actor=cast.actor("Amara"))
    assert program.get(f"/cases/{ref}", headers={"if-none-match": etag}).status_code == 200


def test_a_member_that_changes_its_name_changes_the_tag_of_its_cases(call: Caller, cast: Cast) -> None:
    ref, program = a_complaint(cast), call("Mina")
    case = program.get(f"/cases/{ref}")
    changed = program.patch(f"/members/{case.json()['member']['ref']}", json={"name": "Another Name Ltd"})
    assert changed.status_code == 200
    again = program.get(f"/cases/{ref}", headers={"if-none-match": case.headers["etag"]})
    assert (again.status_code, again.json()["version"]) == (200, case.json()["version"])


@pytest.mark.parametrize("tag", ['"{version}"', "{etag}", "*"])
def test_a_move_is_made_on_the_version_that_was_seen(call: Caller, cast: Cast, tag: str) -> None:
    ref, program = a_complaint(cast), call("Amara")
    seen = program.get(f"/cases/{ref}")
    version, etag = seen.json()["version"], seen.headers["etag"]
    answer = program.post(
        f"/cases/{ref}/transitions/withdraw", json={}, headers={"if-match": tag.format(version=version, etag=etag)}
    )
    assert (answer.status_code, answer.json()["version"]) == (200, version + 1)


@pytest.mark.parametrize("path, body", [("transitions/withdraw", {}), ("assignment", {"to": "amara@muster.example"})])
def test_a_stale_version_is_told_who_changed_what(call: Caller, cast: Cast, path: str, body: dict[str, Any]) -> None:
    ref, program = a_complaint(cast), call("Amara")
    version = program.get(f"/cases/{ref}").json()["version"]
    commands.note(cast.env, ref, "I have called them", actor=cast.actor("Mina"))
    before = events(cast, ref)
    answer = program.post(f"/cases/{ref}/{path}", json=body, headers={"if-match": f'"{version}"'})
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["version"]) == (412, "/problems/changed", version + 1)
    assert [(each["by"], each["title"]) for each in problem["changes"]] == [("Mina", "Note")]
    assert events(cast, ref) == before


# --------------------------------------------------------------------------------------------------------- moving


def test_what_the_choices_name_can_be_posted(call: Caller, cast: Cast) -> None:
    ref, program = a_complaint(cast), call("Amara")
    choices = {each["trigger"]: each for each in program.get(f"/cases/{ref}/choices").json()["items"]}
    assert choices["acknowledge"]["allowed"]
    assert "issues" in choices["acknowledge"]["payload"]["required"]
    payload = {"issues": [{"category": "pool"}], "understanding": "The pool was cold on Sunday."}
    answer = program.post(f"/cases/{ref}/transitions/acknowledge", json={"payload": payload, "note": "By phone"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["before"], answer.json()["state"]) == (
        "received",
        program.get(f"/cases/{ref}").json()["state"],
    )
    last = program.get(f"/cases/{ref}/events").json()["items"][-1]
    assert (last["by"], last["personal"]["note"]) == ("Amara", "By phone")


def test_a_form_that_is_not_complete_is_told_field_by_field(call: Caller, cast: Cast) -> None:
    answer = call("Amara").post(f"/cases/{a_complaint(cast)}/transitions/acknowledge", json={"payload": {"issues": []}})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")
    assert {"payload.issues", "payload.understanding"} <= set(answer.json()["errors"])


def test_what_the_process_refuses_is_a_conflict_with_its_sentence(call: Caller, cast: Cast) -> None:
    ref, program = a_complaint(cast), call("Amara")
    program.post(f"/cases/{ref}/transitions/withdraw", json={})
    answer = program.post(f"/cases/{ref}/transitions/withdraw", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/refused")
    assert answer.json()["detail"].endswith(".")


def test_a_role_that_may_not_do_it_is_told_who_may(call: Caller, cast: Cast) -> None:
    answer = call("Cara").post(f"/cases/{a_complaint(cast)}/transitions/acknowledge", json={})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
    assert "coordinator" in answer.json()["detail"]


def test_a_case_is_opened_with_its_address(call: Caller, cast: Cast) -> None:
    cast.members("Acme Leisure")
    member = cast.scalar("SELECT ref FROM members WHERE name = 'Acme Leisure'")
    wanted = {
        "process": "complaint", "subject": "Cold pool", "member": member, "payload": {"category": "service"},
        "received": "2026-02-27T10:00:00+01:00", "external_ref": "4711",
    }  # fmt: skip
    program = call("Amara")
    answer = program.post("/cases", json=wanted)
    assert answer.status_code == 201, answer.text
    case = program.get(answer.headers["location"].removeprefix("/api/v1")).json()
    assert (case["subject"], case["external_ref"], case["received"]) == ("Cold pool", "4711", "2026-02-27T09:00:00Z")
    again = program.post("/cases", json=wanted)
    assert (again.status_code, "4711" in again.json()["detail"]) == (422, True)


def test_nobody_opens_a_case_about_a_member_they_may_not_see(call: Caller, cast: Cast) -> None:
    cast.members("Southern Baths", team="South")
    wanted = {"process": "complaint", "subject": "x", "member": "Southern Baths", "payload": {"category": "service"}}
    assert call("Amara").post("/cases", json=wanted).status_code == 404
    assert call("Bo").post("/cases", json=wanted).status_code == 201


def test_a_note_and_a_new_owner_leave_their_events(call: Caller, cast: Cast) -> None:
    ref, program = a_complaint(cast), call("Mina")
    assert program.post(f"/cases/{ref}/notes", json={"text": "Called"}).status_code == 204
    assert program.post(f"/cases/{ref}/assignment", json={"to": "bo@muster.example"}).status_code == 204
    assert events(cast, ref)[-2:] == ["note", "assigned"]
    assert program.get(f"/cases/{ref}").json()["owner"]["name"] == "Bo"
    refused = program.post(f"/cases/{ref}/assignment", json={"to": "dov@muster.example"})
    assert (refused.status_code, "dov" in refused.json()["detail"]) == (422, True)


def test_who_stands_in_for_the_owner_acts_on_their_behalf(call: Caller, cast: Cast) -> None:
    ref = a_complaint(cast)
    today = MONDAY.date()
    set_absence(
        cast.env.engine, "amara@muster.example", from_date=today, until_date=today, deputy="bo@muster.example",
        actor=SYSTEM, now=MONDAY,
    )  # fmt: skip
    assert call("Bo").post(f"/cases/{ref}/notes", json={"text": "Read while Amara is away"}).status_code == 204
    last = call("Bo").get(f"/cases/{ref}/events").json()["items"][-1]
    assert (last["by"], last["on_behalf_of"]) == ("Bo", "Amara")

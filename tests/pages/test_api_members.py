"""Members through the API: looked up, added, changed on the version that was seen, and by whom they may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from members import proposals, tables
from tests.cast import Cast
from tests.pages.api_caller import caller
from web.api import member_models

Caller = Callable[..., TestClient]


@pytest.fixture
def call(app: FastAPI, cast: Cast) -> Caller:
    """A program of somebody: ``call("Amara")``."""
    return lambda name, *scopes: caller(app, cast, name, scopes)


@pytest.fixture
def ref(cast: Cast) -> str:
    """A member of the North."""
    cast.members("Łódź Cotton", tier="General", website="https://lodz.example")
    return str(cast.scalar("SELECT ref FROM members"))


def names(answer: Any) -> list[str]:
    return [member["name"] for member in answer.json()["items"]]


def test_the_words_for_members_are_those_of_the_register() -> None:
    words = [member_models.Kind, member_models.Status, member_models.ContactRole, member_models.ContactStatus]
    known = [tables.KINDS, tables.STATUSES, tables.CONTACT_ROLES, tables.CONTACT_STATUSES]
    assert [each.__args__ for each in words] == known


def test_members_are_listed_searched_and_turned_page_by_page_whatever_is_renamed_meanwhile(
    call: Caller, cast: Cast
) -> None:
    cast.members("Ødegård", "Acme Leisure", "Zebra Baths", "acme south", tier="General", external_ref=None)
    cast.members("Bo's own", team="South", external_ref="crm-5")
    program = call("Amara")
    first = program.get("/members?limit=2")
    last = first.json()["items"][-1]["ref"]
    assert program.patch(f"/members/{last}", json={"name": "Zzz Leisure"}).status_code == 200
    rest = program.get(first.json()["next"].removeprefix("/api/v1"))
    assert names(first) + names(rest) == ["Ødegård", "Acme Leisure", "Zebra Baths", "acme south"]
    assert rest.json()["next"] is None
    assert names(program.get("/members?q=odeg")) == ["Ødegård"]
    assert names(program.get("/members?tier=-")) == []
    assert names(call("Bo").get("/members")) == names(call("Mina").get("/members?external_ref=crm-5")) == ["Bo's own"]
    assert names(program.get("/members?external_ref=crm-5")) == []
    assert program.get("/members?status=here").status_code == 422


def test_whose_a_number_is_already_is_told_only_to_who_may_see_that_member(call: Caller, cast: Cast) -> None:
    cast.members("Verschwiegen AG", external_ref="crm-7")
    cast.members("Bo's own", team="South")
    mine = call("Bo").get("/members").json()["items"][0]["ref"]
    wanted = {"name": "Another", "external_ref": "crm-7"}
    hidden = [call("Bo").post("/members", json={**wanted, "team": "South"}),
              call("Bo").patch(f"/members/{mine}", json={"external_ref": "crm-7"})]  # fmt: skip
    for answer in hidden:
        assert answer.status_code == 422
        assert answer.json()["detail"] == "crm-7 is already the reference of another member."
    assert "Verschwiegen AG" in call("Amara").post("/members", json={**wanted, "team": "North"}).json()["detail"]


def test_a_member_is_told_with_its_contacts_and_its_version(call: Caller, cast: Cast, ref: str) -> None:
    answer = call("Amara").get(f"/members/{ref.lower()}")
    member = answer.json()
    assert (member["ref"], member["name"], member["version"], member["flags"]) == (ref, "Łódź Cotton", 1, [])
    assert [contact["status"] for contact in member["contacts"]] == ["ok"]
    assert call("Amara").get(f"/members/{ref}/contacts").json()["items"] == member["contacts"]
    again = call("Amara").get(f"/members/{ref}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["", "/contacts", "/proposals"])
def test_a_member_of_another_team_is_not_there(call: Caller, ref: str, path: str) -> None:
    assert call("Bo").get(f"/members/{ref}{path}").status_code == 404


def test_a_member_is_added_with_its_contacts_in_their_order(call: Caller) -> None:
    wanted = {
        "name": "Ērgļi Wool", "external_ref": "4711", "team": "North", "joined_on": "2026-02-01",
        "flags": ["vulnerable"],
        "contacts": [{"name": "Ann", "email": "ann@ergli.example", "role": "primary"}, {"email": "bob@ergli.example"}],
    }  # fmt: skip
    program = call("Amara")
    answer = program.post("/members", json=wanted)
    assert answer.status_code == 201, answer.text
    member = program.get(answer.headers["location"].removeprefix("/api/v1")).json()
    assert member == answer.json()
    assert (member["kind"], member["status"], member["language"], member["flags"]) == (
        "organisation", "active", "en", ["VULNERABLE"],
    )  # fmt: skip
    assert [(c["position"], c["email"]) for c in member["contacts"]] == [
        (1, "ann@ergli.example"), (2, "bob@ergli.example"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change, field",
    [({"name": "  "}, "name"), ({"website": "x" * 2001}, "website"), ({"language": "?"}, "language"),
     ({"joined_on": "2026-13-01"}, "joined_on"), ({"joined_on": 5}, "joined_on"), ({"status": "merged"}, "status"),
     ({"contacts": [{"email": "ann"}]}, "contacts.0.email"), ({"colour": "red"}, "colour")],
)  # fmt: skip
def test_what_cannot_be_kept_of_a_new_member_is_told_by_field(
    call: Caller, cast: Cast, change: Any, field: str
) -> None:
    answer = call("Mina").post("/members", json={"name": "Acme", **change})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert cast.scalar("SELECT count(*) FROM members") == 0


@pytest.mark.parametrize(
    "change, status",
    [({}, 422), ({"website": "https://other.example"}, 201), ({"kind": "person"}, 201), ({"status": "suspended"}, 422)],
)
def test_a_member_that_is_there_already_is_not_added_again(
    call: Caller, ref: str, change: dict[str, str], status: int
) -> None:
    answer = call("Mina").post("/members", json={"name": "ŁÓDŹ COTTON Ltd", **change})
    assert answer.status_code == status, answer.text


def test_coordinators_add_and_change_members_of_their_own_team_alone(call: Caller, cast: Cast, ref: str) -> None:
    assert call("Bo").post("/members", json={"name": "New", "team": "North"}).status_code == 403
    assert call("Bo").patch(f"/members/{ref}", json={"tier": "Premier"}).status_code == 404
    assert call("Cara").patch(f"/members/{ref}", json={"tier": "Premier"}).status_code == 403
    assert call("Amara").patch(f"/members/{ref}", json={"tier": "Premier"}).status_code == 200


def test_what_is_left_out_stays_and_null_erases(call: Caller, ref: str) -> None:
    program = call("Amara")
    changed = program.patch(f"/members/{ref}", json={"website": None, "add_flags": ["NO_OFFERS"]}).json()
    assert (changed["website"], changed["tier"], changed["flags"], changed["version"]) == (
        None, "General", ["NO_OFFERS"], 2,
    )  # fmt: skip
    assert program.patch(f"/members/{ref}", json={"name": None}).status_code == 422
    refused = program.patch(f"/members/{ref}", json={"status": "terminated"})
    assert (refused.status_code, "decision" in refused.json()["detail"]) == (422, True)


def test_a_stale_version_of_a_member_is_told_who_changed_what(call: Caller, ref: str) -> None:
    program = call("Amara")
    etag = program.get(f"/members/{ref}").headers["etag"]
    call("Mina").patch(f"/members/{ref}", json={"tier": "Premier"})
    for answer in (
        program.patch(f"/members/{ref}", json={"tier": "Associate"}, headers={"if-match": etag}),
        program.post(f"/members/{ref}/contacts", json={"name": "Ann"}, headers={"if-match": '"1"'}),
    ):
        assert (answer.status_code, answer.json()["type"], answer.json()["version"]) == (412, "/problems/changed", 2)
        assert [(each["by"], each["fields"]) for each in answer.json()["changes"]] == [("Mina", ["tier"])]
    assert program.get(f"/members/{ref}").json()["tier"] == "Premier"


def test_a_contact_is_added_and_repaired(call: Caller, ref: str) -> None:
    program = call("Amara")
    added = program.post(f"/members/{ref}/contacts", json={"name": "Ann", "email": "ann@old.example"})
    assert added.status_code == 201
    number = added.json()["items"][-1]["id"]
    changed = program.patch(f"/members/{ref}/contacts/{number}", json={"email": "ann@new.example"}).json()["items"]
    assert [(c["name"], c["email"]) for c in changed][-1] == ("Ann", "ann@new.example")
    twice = program.post(f"/members/{ref}/contacts", json={"email": "ANN@new.example"})
    assert (twice.status_code, "already" in twice.json()["detail"]) == (422, True)
    assert program.patch(f"/members/{ref}/contacts/{number + 1}", json={"name": "x"}).status_code == 404
    assert program.patch(f"/members/{ref}/contacts/{2**63}", json={"name": "x"}).status_code == 422


def test_a_proposal_is_made_shown_and_accepted_by_somebody_else_on_what_they_saw(call: Caller, ref: str) -> None:
    amara, mina = call("Amara"), call("Mina")
    wanted = {"website": "https://new.example", "note": "They wrote"}
    number = amara.post(f"/members/{ref}/proposals", json=wanted).json()["id"]
    [waiting] = mina.get("/proposals").json()["items"]
    assert (waiting["id"], waiting["by"], waiting["note"]) == (number, "Amara", "They wrote")
    assert waiting["lines"] == [
        {"what": "Website", "before": "https://lodz.example", "now": "https://lodz.example",
         "after": "https://new.example"}
    ]  # fmt: skip
    accepting = {"member_version": waiting["member_version"]}
    assert amara.post(f"/proposals/{number}/acceptance", json=accepting).status_code == 403
    assert mina.post(f"/proposals/{number}/acceptance", json={"member_version": 9}).status_code == 412
    assert mina.post(f"/proposals/{number}/acceptance", json=accepting).status_code == 204
    assert mina.post(f"/proposals/{number}/acceptance", json=accepting).status_code == 409
    assert mina.get(f"/members/{ref}").json()["website"] == "https://new.example"
    assert mina.get("/proposals").json()["items"] == []
    [decided] = mina.get(f"/members/{ref}/proposals").json()["items"]
    assert (decided["status"], decided["decided_by"]) == ("accepted", "Mina")


def test_proposals_about_members_of_another_team_are_not_there(call: Caller, cast: Cast, ref: str) -> None:
    member_id = cast.scalar("SELECT id FROM members")
    number = proposals.propose(
        cast.env.engine, member_id, {"website": "https://x.example"}, proposed_by=f"member:{member_id}",
        source="tests", now=cast.env_now,
    )  # fmt: skip
    bo = call("Bo")
    assert bo.get("/proposals").json()["items"] == []
    assert bo.post(f"/proposals/{number}/refusal", json={"reason": "No"}).status_code == 404
    assert call("Amara").post(f"/proposals/{number}/refusal", json={"reason": "No"}).status_code == 204

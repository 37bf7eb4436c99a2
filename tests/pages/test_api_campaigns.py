"""Campaigns, messages, evidence and processes through the API."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cases import evidence
from state_machines.registry import processes
from tests.campaign_story import NORTH, SOUTH, Story, launched
from tests.cast import Cast
from tests.pages.api_caller import a_complaint, caller

Caller = Callable[..., TestClient]
TEXT = "what was said, in writing: naïve".encode()


@pytest.fixture
def call(app: FastAPI, cast: Cast) -> Caller:
    """A program of somebody: ``call("Amara")``."""
    return lambda name, *scopes: caller(app, cast, name, scopes)


@pytest.fixture
def story(cast: Cast) -> Story:
    """A live campaign on the day of its launch."""
    return launched(cast)


# ----------------------------------------------------------------------------------------------------- campaigns


def test_how_far_a_campaign_is_never_mixes_answers_with_exemptions(call: Caller, story: Story) -> None:
    story.answers(NORTH[0])
    story.fire(story.response(NORTH[1]), "request_exemption", "Amara", exemption="under_12_months", details="New here.")
    story.fire(story.response(NORTH[1]), "approve_exemption", "Mina", reason="Joined in January")
    found = call("Mina").get(f"/campaigns/{story.ref}").json()
    progress, everybody = found["progress"], len(NORTH) + len(SOUTH)
    assert (found["state"], progress["eligible"], progress["responded"], progress["exempt"]) == (
        "live",
        everybody,
        1,
        1,
    )
    assert (progress["accounted"], progress["is_100"]) == (2, False)
    assert progress["response_rate"] == round(1 / (everybody - 1), 4)
    [line] = call("Mina").get("/campaigns").json()["items"]
    assert (line["ref"], line["responded"], line["accounted"]) == (story.ref, 1, 2)


def test_who_sees_one_team_gets_its_numbers_and_is_told_so(call: Caller, story: Story) -> None:
    progress = call("Mina").get(f"/campaigns/{story.ref}").json()["progress"]
    assert progress["whole"]
    mine = call("Amara").get(f"/campaigns/{story.ref}").json()["progress"]
    assert (mine["whole"], mine["eligible"]) == (False, len(NORTH))


def test_the_members_of_a_campaign_are_turned_page_by_page_and_narrowed(call: Caller, story: Story) -> None:
    program = call("Mina")
    address: str | None = f"/campaigns/{story.ref}/responses?limit=8&state=unanswered"
    names: list[str] = []
    while address:
        page = program.get(address.removeprefix("/api/v1")).json()
        names += [each["member"]["name"] for each in page["items"]]
        address = page["next"]
    assert sorted(names) == sorted(NORTH + SOUTH)
    assert len(call("Amara").get(f"/campaigns/{story.ref}/responses").json()["items"]) == len(NORTH)
    [found] = program.get(f"/campaigns/{story.ref}/responses", params={"q": "dvorak"}).json()["items"]
    assert (found["member"]["name"], found["contact"]["email"] is not None) == ("Dvořák Mills", True)


def test_reminding_says_who_was_reminded_and_who_is_left_in_peace(call: Caller, story: Story) -> None:
    silent, answered = story.response(NORTH[0]), story.answers(NORTH[1])
    story.at("2026-03-12")
    done = call("Amara").post(f"/campaigns/{story.ref}/nudges", json={"responses": [silent, answered]}).json()
    assert [each["ref"] for each in done["reminded"]] == [silent]
    assert [(each["ref"], each["why"][:18]) for each in done["left_in_peace"]] == [(answered, "No reminder is due")]
    kinds = story.cast.rows("SELECT trigger FROM case_events e JOIN cases c ON c.id = case_id WHERE ref = :r", r=silent)
    assert [row.trigger for row in kinds].count("nudge") == 1


def test_a_campaign_that_is_none_or_not_there_is_a_problem(call: Caller, cast: Cast) -> None:
    program = call("Amara")
    assert program.get("/campaigns/SC-2026-999999").status_code == 404
    assert program.get(f"/campaigns/{a_complaint(cast)}").status_code == 422


# ------------------------------------------------------------------------------------------------------- messages


def test_messages_are_those_of_the_cases_one_may_see(call: Caller, story: Story) -> None:
    def count(name: str) -> int:
        return len(call(name).get("/messages?limit=200&state=sent&kind=survey_invitation").json()["items"])

    assert (count("Amara"), count("Bo"), count("Mina")) == (len(NORTH), len(SOUTH), len(NORTH) + len(SOUTH))


def test_a_message_is_told_word_for_word_to_who_may_see_its_case(call: Caller, story: Story) -> None:
    ref = story.response(NORTH[0])
    program = call("Amara")
    [line] = program.get(f"/cases/{ref}/messages").json()["items"]
    whole = program.get(f"/messages/{line['id']}").json()
    assert (whole["case"], whole["state"], whole["genuine"]) == (ref, "sent", True)
    assert "2026" in whole["body_text"]
    assert call("Bo").get(f"/messages/{line['id']}").status_code == 404
    assert call("Bo").get("/messages", params={"case": ref}).status_code == 404


def test_pages_of_messages_follow_each_other_without_a_gap(call: Caller, story: Story) -> None:
    program = call("Mina")
    address: str | None = "/messages?limit=10"
    numbers: list[int] = []
    while address:
        page = program.get(address.removeprefix("/api/v1")).json()
        numbers += [each["id"] for each in page["items"]]
        address = page["next"]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == story.cast.scalar("SELECT count(*) FROM messages")


# ------------------------------------------------------------------------------------------------------- evidence


def test_a_file_comes_back_as_it_was_sent(call: Caller, cast: Cast) -> None:
    ref, program = a_complaint(cast), call("Amara")
    answer = program.post(f"/cases/{ref}/evidence", files={"file": ("Brief «à» 1.txt", TEXT, "text/plain")})
    assert answer.status_code == 201, answer.text
    assert answer.json()["sha256"] == sha256(TEXT).hexdigest()
    assert program.get(f"/cases/{ref}/evidence").json()["items"] == [answer.json()]
    file = program.get(answer.headers["location"].removeprefix("/api/v1"), headers={"accept": "text/plain"})
    assert (file.content, file.headers["content-type"].split(";")[0]) == (TEXT, "text/plain")
    assert "filename*=UTF-8''Brief%20%C2%AB%C3%A0%C2%BB%201.txt" in file.headers["content-disposition"]
    assert "sandbox" in file.headers["content-security-policy"]
    same = {"if-none-match": file.headers["etag"]}
    assert program.get(answer.headers["location"].removeprefix("/api/v1"), headers=same).status_code == 304


@pytest.mark.parametrize(
    "name, content, status",
    [("virus.exe", b"MZ", 422), ("letter.pdf", b"no pdf", 422), ("empty.txt", b"", 422), ("", b"x", 422),
     ("large.txt", b"x" * (evidence.LARGEST + 1), 422),
     ("larger.txt", b"x" * (evidence.LARGEST + 100_000), 413)],
)  # fmt: skip
def test_a_file_that_is_not_taken_leaves_nothing(
    call: Caller, cast: Cast, name: str, content: bytes, status: int
) -> None:
    ref = a_complaint(cast)
    answer = call("Amara").post(f"/cases/{ref}/evidence", files={"file": (name, content)})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert cast.scalar("SELECT count(*) FROM evidence_files") == 0


def test_a_file_is_for_who_may_see_its_case(call: Caller, cast: Cast) -> None:
    ref = a_complaint(cast)
    found = evidence.add(cast.env, ref, "a.txt", TEXT, actor=cast.actor("Amara"))
    assert call("Bo").get(f"/cases/{ref}/evidence/{found.sha256}").status_code == 404
    assert call("Mina").get(f"/cases/{ref}/evidence/{found.sha256}").status_code == 200
    assert call("Mina").get(f"/cases/{ref}/evidence/{'0' * 64}").status_code == 404
    assert call("Bo").post(f"/cases/{ref}/evidence", files={"file": ("a.txt", TEXT)}).status_code == 404


# ------------------------------------------------------------------------------------------------------ processes


def test_every_process_is_told_with_what_its_forms_ask_for(call: Caller) -> None:
    program = call("Amara")
    listed = [each["name"] for each in program.get("/processes").json()["items"]]
    assert listed == list(processes())
    for name, process in processes().items():
        found = program.get(f"/processes/{name.replace('_', '-')}").json()
        assert [each["name"] for each in found["states"]] == [state.name for state in process.states]
        assert len(found["transitions"]) == len(process.transitions)
    assert "category" in program.get("/processes/complaint").json()["opening"]["properties"]
    assert program.get("/processes/none").status_code == 404

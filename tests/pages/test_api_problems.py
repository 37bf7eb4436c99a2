"""What goes wrong through the API: always problem details, never 500, whatever is sent; and who is let in."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cases import commands
from config.database import transaction
from members.staff_commands import staff_left
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.api_caller import AT, a_complaint, caller
from web.access import Rule
from web.accounts.tokens import SCOPES
from web.api.problem_kinds import KINDS
from web.routing import routes_of, rule_of


@pytest.fixture
def mina(app: FastAPI, cast: Cast) -> TestClient:
    """A program of Mina."""
    return caller(app, cast, "Mina")


def is_problem(answer: Any, status: int, slug: str) -> bool:
    """Whether an answer is a problem of this kind, whole and of the right type."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert (answer.status_code, body["status"], body["type"]) == (status, status, f"/problems/{slug}"), body
    assert body["title"] == KINDS[slug].title
    return True


# ------------------------------------------------------------------------------------------------ who is let in


def test_every_route_needs_a_token_but_the_description(app: FastAPI) -> None:
    rules = {path: rule_of(route) for path, route in routes_of(app) if path.startswith(AT)}
    assert len(rules) > 25
    for path, rule in rules.items():
        assert isinstance(rule, Rule)
        assert (rule.scope in SCOPES) == (path != f"{AT}/openapi.json"), path


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic bWluYTptaW5h", "Bearer mst_x", "Bearer mst_" + "a" * 43, "é"]
)
def test_without_a_valid_token_nobody_is_let_in(app: FastAPI, header: str | None) -> None:
    program = TestClient(app, base_url=f"http://testserver{AT}")
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    for answer in (
        program.get("/cases", headers=headers),
        program.post("/cases", content=b"{not json", headers=headers),
    ):
        assert is_problem(answer, 401, "token-refused")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "change", ["revoked_at = now()", "expires_at = now() - interval '1 second'", "token_sha256 = 'another'"]
)
def test_a_token_that_is_revoked_or_expired_opens_nothing(mina: TestClient, cast: Cast, change: str) -> None:
    assert mina.get("/cases").status_code == 200
    with transaction(cast.env.engine) as conn:
        conn.execute(text(f"UPDATE api_tokens SET {change}"))
    assert is_problem(mina.get("/cases"), 401, "token-refused")


def test_the_token_of_somebody_who_has_left_opens_nothing(mina: TestClient, cast: Cast) -> None:
    staff_left(cast.env.engine, "mina@muster.example", left_on=date(2026, 3, 1), actor=SYSTEM, now=MONDAY)
    assert is_problem(mina.get("/cases"), 401, "token-refused")


@pytest.mark.parametrize(
    "method, path, scope",
    [("get", "/cases", "cases:read"), ("post", "/cases", "cases:write"), ("get", "/members", "members:read"),
     ("post", "/members", "members:write"), ("get", "/messages", "messages:read"),
     ("get", "/campaigns", "campaigns:read"), ("post", "/campaigns/SC-2026-000001/nudges", "campaigns:write")],
)  # fmt: skip
def test_a_token_without_the_scope_is_told_which(app: FastAPI, cast: Cast, method: str, path: str, scope: str) -> None:
    others = [name for name in SCOPES if name != scope]
    answer = caller(app, cast, "Mina", others).request(method, path)
    assert is_problem(answer, 403, "not-allowed")
    assert scope in answer.json()["detail"]


def test_it_is_noted_when_a_token_was_used_last(mina: TestClient, cast: Cast) -> None:
    assert cast.scalar("SELECT used_at FROM api_tokens") is None
    mina.get("/cases")
    first = cast.scalar("SELECT used_at FROM api_tokens")
    mina.get("/cases")
    assert first is not None
    assert cast.scalar("SELECT used_at FROM api_tokens") == first


def test_a_session_of_the_desk_is_no_token(app: FastAPI, desk: Any) -> None:
    program = TestClient(app, base_url=f"http://testserver{AT}", cookies=desk("Mina").http.cookies)
    assert is_problem(program.get("/cases"), 401, "token-refused")


# ------------------------------------------------------------------------------------------ methods and addresses


def test_what_is_not_there_is_a_problem_at_every_depth(mina: TestClient) -> None:
    for path in ("/", "/nothing", "/cases/CO-2026-000001/nothing", "/cases/", "/a%0Ab", "/%00", "/cases/x%2Fy/z"):
        assert is_problem(mina.get(path), 404, "not-found"), path


def test_a_method_that_is_not_taken_is_told_those_that_are(mina: TestClient) -> None:
    answer = mina.put("/cases", json={})
    assert is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == mina.options("/cases").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert mina.options("/nothing").status_code == 404


def test_head_is_get_without_its_body(mina: TestClient, cast: Cast) -> None:
    path = f"/cases/{a_complaint(cast)}"
    mina.headers["accept-encoding"] = "identity"
    whole, head = mina.get(path), mina.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert {n: head.headers[n] for n in ("etag", "content-length")} == {n: whole.headers[n] for n in
                                                                       ("etag", "content-length")}  # fmt: skip


def test_nobody_else_may_read_answers_from_a_page_of_theirs(mina: TestClient) -> None:
    origin = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for answer in (mina.get("/cases", headers=origin), mina.options("/cases", headers=origin)):
        assert not [name for name in answer.headers if name.startswith("access-control")]


# --------------------------------------------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"\xff\xfe", b'{"process": NaN}', b'{"process": "\\ud800"}', b"[" * 100_000, b"1" * 100_000,
     b'{"payload": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}"],
)  # fmt: skip
def test_json_that_is_none_cannot_be_read(mina: TestClient, body: bytes) -> None:
    answer = mina.post("/cases", content=body, headers={"content-type": "application/json"})
    slug = "invalid" if body == b"" else "malformed"
    assert is_problem(answer, KINDS[slug].status, slug)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "é/;"])
def test_a_body_of_another_type_is_refused(mina: TestClient, kind: str) -> None:
    headers = {"content-type": kind.encode("latin-1")}
    assert is_problem(mina.post("/cases", content=b"{}", headers=headers), 415, "unsupported-media-type")


def test_a_merge_patch_is_json_too(mina: TestClient, cast: Cast) -> None:
    cast.members("Acme")
    ref = cast.scalar("SELECT ref FROM members")
    headers = {"content-type": "application/merge-patch+json; charset=utf-8"}
    assert mina.patch(f"/members/{ref}", content=b'{"tier": "Premier"}', headers=headers).json()["tier"] == "Premier"


def test_a_body_that_is_too_large_is_refused_whatever_its_headers_say(mina: TestClient) -> None:
    large = json.dumps({"process": "complaint", "subject": "x", "payload": {"a": "x" * 2_000_000}}).encode()
    headers = {"content-type": "application/json"}
    assert is_problem(mina.post("/cases", content=large, headers=headers), 413, "too-large")
    pieces = (large[n : n + 10_000] for n in range(0, len(large), 10_000))
    assert is_problem(mina.post("/cases", content=pieces, headers=headers), 413, "too-large")


@pytest.mark.parametrize(
    "accept, status",
    [("application/json", 200), ("*/*", 200), ("text/html, application/*;q=0.1", 200), ("text/html", 406),
     ("application/json;q=0", 406), ("application/problem+json", 200), ("", 200), ("nonsense", 406)],
)  # fmt: skip
def test_the_answer_is_json_or_the_asker_is_told(mina: TestClient, accept: str, status: int) -> None:
    answer = mina.get("/cases", headers={"accept": accept})
    assert answer.status_code == status
    assert status == 200 or is_problem(answer, 406, "not-acceptable")


def test_everything_wrong_with_a_body_is_told_at_once(mina: TestClient) -> None:
    answer = mina.post("/cases", json={"process": "none", "subject": "", "receive": 1, "received": "2026-03-02T09:00"})
    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"].keys() == {"process", "subject", "receive", "received"}
    assert answer.json()["errors"]["receive"] == ["is not known here"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=" + "9" * 5000, "process=none", "phase=never", "due=x", "cursor=x",
     "cursor=WyJh", "cursor=W10", "cursor=WzFd", "cursor=%00", "cursor=" + "W1tb" * 90, "received_from=2026-02-30",
     "state=" + "x" * 81, "cursor=WyJhOTk5OTk5OTk5OTk5OTk5OTk5OV8xIl0"],
)  # fmt: skip
def test_a_query_that_cannot_be_used_names_its_field(mina: TestClient, query: str) -> None:
    answer = mina.get(f"/cases?{query}")
    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"].keys() == {query.split("=")[0]}


@pytest.mark.parametrize(
    "query",
    ["state=%00", "owner=%00", "member=%ff%fe", "team=%ED%A0%80", "campaign=%F0%9F%92%A9", "owner=staff:" + "9" * 40,
     "owner=staff:-1", "member='%3B+DROP", "limit=1&limit=2", "unknown=1", "outcome=%25%5F", "received_from=0001-01-01",
     "received_until=9999-12-31", "=", "&&", "state=a%0Ab"],
)  # fmt: skip
def test_strange_words_in_a_query_find_nothing_and_break_nothing(mina: TestClient, query: str) -> None:
    assert mina.get(f"/cases?{query}").status_code == 200


@pytest.mark.parametrize("word", ["%00", "%ff", "%ED%A0%80", "a%00b", "%F0%9F%92%A9", "x" * 5000, "%2e%2e", "%C4%B0"])
@pytest.mark.parametrize(
    "path",
    ["/cases/{}", "/cases/{}/events", "/cases/{}/evidence/{}", "/members/{}", "/campaigns/{}/responses",
     "/cases/{}/messages", "/processes/{}"],
)  # fmt: skip
def test_strange_words_in_an_address_are_not_found_and_break_nothing(mina: TestClient, path: str, word: str) -> None:
    assert mina.get(path.replace("{}", word)).status_code in (404, 422)


@pytest.mark.parametrize(
    "strange", ["a\0b", "\u202e", "\U000e0001", "ﷺ" * 200, "  ", "\r\n", "'; DROP TABLE cases; --"]
)
def test_strange_words_in_a_body_are_kept_or_refused_and_break_nothing(
    mina: TestClient, cast: Cast, strange: str
) -> None:
    ref = a_complaint(cast)
    payload = {"issues": [{"category": strange}], "understanding": strange, "handler": strange, strange: strange}
    for path, body in (
        (f"/cases/{ref}/notes", {"text": strange}),
        (f"/cases/{ref}/assignment", {"to": strange}),
        (f"/cases/{ref}/transitions/acknowledge", {"payload": payload, "note": strange}),
        ("/cases", {"process": "complaint", "subject": strange, "payload": {"category": strange}, "member": strange,
                    "external_ref": strange}),
        ("/members", {"name": strange, "external_ref": strange, "flags": [strange], "contacts": [{"name": strange}]}),
    ):  # fmt: skip
        assert mina.post(path, json=body).status_code < 500, path


@pytest.mark.parametrize("day", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-03-02", 1e300, -1])
def test_an_instant_out_of_this_world_is_refused(mina: TestClient, day: Any) -> None:
    wanted = {"process": "complaint", "subject": "x", "payload": {"category": "x"}, "received": day}
    assert is_problem(mina.post("/cases", json=wanted), 422, "invalid")


# --------------------------------------------------------------------------------------------------- our mistakes


def test_a_database_that_does_not_answer_is_not_available(mina: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*given: Any, **more: Any) -> None:
        raise OperationalError("SELECT 1", {}, ConnectionError("gone"))

    monkeypatch.setattr(commands, "open_one", gone)
    wanted = {"process": "complaint", "subject": "x", "payload": {"category": "x"}}
    answer = mina.post("/cases", json=wanted)
    assert is_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_a_mistake_of_ours_is_told_without_its_words(mina: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any, **more: Any) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(commands, "open_one", broken)
    wanted = {"process": "complaint", "subject": "x", "payload": {"category": "x"}}
    answer = mina.post("/cases", json=wanted)
    assert is_problem(answer, 500, "internal")
    assert "secret" not in answer.text


def test_deadlines_far_away_are_told_as_they_are(mina: TestClient, cast: Cast) -> None:
    ref = a_complaint(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET deadline_at = :far"), {"far": MONDAY + timedelta(days=365 * 7000)})
    assert mina.get(f"/cases/{ref}").json()["deadline"].startswith("9")
    assert mina.get("/cases").json()["items"][0]["deadline"].startswith("9")

"""A request with an Idempotency-Key is done once, however often and from however many threads it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from cases import commands
from config.database import transaction
from tests.cast import Cast
from tests.pages.api_caller import a_complaint, caller
from web.api import once

KEY = {"idempotency-key": "8e03978e-40d5"}
NEW = {"process": "complaint", "subject": "Cold pool", "payload": {"category": "service"}}


@pytest.fixture
def amara(app: FastAPI, cast: Cast) -> TestClient:
    """A program of Amara."""
    return caller(app, cast, "Amara")


def cases(cast: Cast) -> int:
    return int(cast.scalar("SELECT count(*) FROM cases"))


def test_a_repetition_gets_the_answer_of_the_first_and_nothing_is_done_twice(amara: TestClient, cast: Cast) -> None:
    first, second = (amara.post("/cases", json=NEW, headers=KEY) for _ in range(2))
    assert (first.status_code, second.status_code, cases(cast)) == (201, 201, 1)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json() == first.json()
    assert second.headers["location"] == first.headers["location"]


def test_an_answer_without_a_body_is_repeated_too(amara: TestClient, cast: Cast) -> None:
    ref = a_complaint(cast)
    answers = [amara.post(f"/cases/{ref}/notes", json={"text": "Called"}, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'note'") == 1


def test_the_same_file_is_the_same_request_although_its_form_is_wrapped_anew(amara: TestClient, cast: Cast) -> None:
    ref = a_complaint(cast)
    answers = [
        amara.post(f"/cases/{ref}/evidence", files={"file": ("a.txt", b"what was said")}, headers=KEY) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201], answers[-1].text
    assert answers[1].headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("change", [{"json": {**NEW, "subject": "Other"}}, {"headers": {**KEY, "if-match": '"1"'}}])
def test_a_key_that_came_with_another_request_is_refused(amara: TestClient, cast: Cast, change: dict[str, Any]) -> None:
    amara.post("/cases", json=NEW, headers=KEY)
    answer = amara.post("/cases", **{"json": NEW, "headers": KEY, **change})
    assert (answer.status_code, answer.json()["type"], cases(cast)) == (422, "/problems/key-reused", 1)


def test_the_same_key_at_another_address_is_another_request(amara: TestClient, cast: Cast) -> None:
    one, other = a_complaint(cast), a_complaint(cast, subject="Rude letter")
    assert amara.post(f"/cases/{one}/notes", json={"text": "Called"}, headers=KEY).status_code == 204
    assert amara.post(f"/cases/{other}/notes", json={"text": "Called"}, headers=KEY).status_code == 422


def test_keys_of_two_tokens_do_not_meet(app: FastAPI, amara: TestClient, cast: Cast) -> None:
    other = caller(app, cast, "Amara")
    assert [program.post("/cases", json=NEW, headers=KEY).status_code for program in (amara, other)] == [201, 201]
    assert cases(cast) == 2


def test_what_was_refused_did_nothing_so_its_key_is_free(amara: TestClient, cast: Cast) -> None:
    wrong = amara.post("/cases", json={**NEW, "payload": {}}, headers=KEY)
    right = amara.post("/cases", json=NEW, headers=KEY)
    assert (wrong.status_code, right.status_code) == (422, 201)
    assert "idempotency-replayed" not in right.headers


def test_of_two_at_once_one_is_done_and_the_other_is_told_to_wait(
    amara: TestClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()
    open_one = commands.open_one

    def slowly(*given: Any, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return open_one(*given, **more)

    monkeypatch.setattr(commands, "open_one", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(amara.post, "/cases", json=NEW, headers=KEY)
        assert begun.wait(20)
        second = amara.post("/cases", json=NEW, headers=KEY)
        go_on.set()
        assert first.result().status_code == 201
    assert (second.status_code, second.json()["type"]) == (409, "/problems/key-in-use")
    assert int(second.headers["retry-after"]) >= 1
    third = amara.post("/cases", json=NEW, headers=KEY)
    assert (third.status_code, third.headers["idempotency-replayed"], cases(cast)) == (201, "true", 1)


def test_of_many_threads_with_one_key_exactly_one_does_it(amara: TestClient, cast: Cast) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: amara.post("/cases", json=NEW, headers=KEY), range(16)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    done = [answer for answer in answers if answer.status_code == 201]
    assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1
    assert len({answer.json()["ref"] for answer in done}) == cases(cast) == 1


def test_when_the_answer_was_lost_nobody_pretends_to_know_whether_it_was_done(
    amara: TestClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*given: Any) -> None:
        raise SystemError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(once, "_keep", dies)
        assert amara.post("/cases", json=NEW, headers=KEY).status_code == 500
    assert amara.post("/cases", json=NEW, headers=KEY).json()["type"] == "/problems/key-in-use"
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE idempotency_keys SET at = at - interval '2 minutes'"))
    answer = amara.post("/cases", json=NEW, headers=KEY)
    assert (answer.status_code, answer.json()["type"], cases(cast)) == (409, "/problems/answer-lost", 1)


def test_after_a_day_a_key_is_forgotten(amara: TestClient, cast: Cast) -> None:
    amara.post("/cases", json=NEW, headers=KEY)
    amara.post("/cases", json=NEW, headers={"idempotency-key": "another"})
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE idempotency_keys SET at = at - :day"), {"day": once.KEPT + timedelta(seconds=1)})
    again = amara.post("/cases", json=NEW, headers=KEY)
    assert (again.status_code, "idempotency-replayed" in again.headers, cases(cast)) == (201, False, 3)
    assert cast.scalar("SELECT count(*) FROM idempotency_keys") == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "naïve"])
def test_a_key_that_is_none_is_refused(amara: TestClient, cast: Cast, key: str) -> None:
    answer = amara.post("/cases", json=NEW, headers={"idempotency-key": key.encode("latin-1")})
    assert (answer.status_code, "Idempotency-Key" in answer.json()["errors"], cases(cast)) == (422, True, 0)


def test_of_two_with_the_same_number_at_once_one_is_opened_and_the_other_is_told(amara: TestClient, cast: Cast) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: amara.post("/cases", json={**NEW, "external_ref": "4711"}), range(6)))
    assert sorted({answer.status_code for answer in answers} - {409, 422}) == [201]
    assert ([answer.status_code for answer in answers].count(201), cases(cast)) == (1, 1)

"""What machines ask: whether the desk lives, whether it can work, and its numbers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from cases.environment import Environment
from cases.sweep import sweep_due
from config import clock
from config.database import make_engine, transaction
from tests.cast import MONDAY, Cast
from tests.deciding import a_finding
from tests.pages.inspector import Client, counted
from web.accounts import tokens
from web.app import create_app


def a_token(cast: Cast, *scopes: str) -> dict[str, str]:
    staff = int(cast.actor("Ada").person.removeprefix("staff:"))
    with transaction(cast.env.engine) as conn:
        made = tokens.make(conn, "Monitoring", scopes, staff_id=staff, made_by=staff, now=clock.utc_now())
    return {"authorization": f"Bearer {made}"}


def numbers(client: Client, headers: dict[str, str]) -> dict[str, float]:
    answer = client.http.get("/metrics", headers=headers)
    assert answer.status_code == 200
    return {
        sample.name + ":".join(("", *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text) for sample in family.samples
    }  # fmt: skip


def test_the_desk_answers_without_asking_the_database(visitor: Client, cast: Cast) -> None:
    with counted(cast.env.engine) as asked:
        assert visitor.http.get("/healthz").status_code == 200
    assert asked == []


def test_a_migrated_database_is_ready_and_one_of_another_version_is_not(visitor: Client, cast: Cast) -> None:
    assert visitor.http.get("/readyz").status_code == 200
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = visitor.http.get("/readyz")
    assert answer.status_code == 503
    assert "muster init" in answer.text


def test_without_a_database_the_desk_lives_and_is_not_ready(cast: Cast, tmp_path: Path) -> None:
    nowhere = make_engine(f"postgresql://nobody@127.0.0.1:1/{tmp_path.name}")
    client = TestClient(create_app(Environment(nowhere, cast.env.settings, cast.env.policy, cast.env.calendar)))
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The database does not answer.\n")


@pytest.mark.parametrize("scopes", [(), ("cases:read",)])
def test_numbers_are_for_keys_of_their_own_scope(visitor: Client, cast: Cast, scopes: tuple[str, ...]) -> None:
    headers = a_token(cast, *scopes) if scopes else {}
    assert visitor.http.get("/metrics", headers=headers).status_code in (401, 403)


def test_the_numbers_follow_what_happens_and_name_nobody(visitor: Client, cast: Cast) -> None:
    key = a_token(cast, "metrics")
    before = numbers(visitor, key)
    assert (before["muster_cases_due"], before["muster_cases_open:monitoring"]) == (0, 0)
    assert "muster_sweep_age_seconds" not in before
    a_finding(cast, "Łódź Gins")
    cast.go_to(MONDAY + timedelta(days=30))
    late = numbers(visitor, key)
    assert late["muster_cases_due"] == late["muster_cases_overdue"] == late["muster_cases_open:monitoring"] == 1
    assert late["muster_cases_oldest_due_seconds"] > 0
    sweep_due(cast.env)
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE cases SET parked_at = :now"), {"now": MONDAY})
    swept = numbers(visitor, key)
    assert swept["muster_cases_due"] == 0
    assert swept["muster_cases_parked"] == 1
    assert 0 <= swept["muster_sweep_age_seconds"] < 60
    assert 0 <= swept["muster_sweep_last_seconds"] < 60
    assert swept["muster_outbox_queued"] > 0
    told = visitor.http.get("/metrics", headers=key).text
    assert "Łódź" not in told
    assert "Amara" not in told


def test_a_second_look_at_the_numbers_is_not_added_to_the_first(visitor: Client, cast: Cast) -> None:
    key = a_token(cast, "metrics")
    a_finding(cast)
    assert numbers(visitor, key)["muster_cases_open:monitoring"] == 1
    with counted(cast.env.engine) as asked:
        assert numbers(visitor, key)["muster_cases_open:monitoring"] == 1
    assert len(asked) <= 8

"""The member's page: "I am not the right person", and the day by which an answer comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cases.own.links import token_of
from config.database import transaction
from tests.asked import asked_survey
from tests.cast import Cast
from tests.pages.inspector import Client


@pytest.fixture
def home(cast: Cast, tmp_path: Path) -> str:
    """The address of the page of a survey whose member has a second contact, Bea."""
    key = asked_survey(cast, tmp_path)
    with transaction(cast.env.engine) as conn:
        conn.execute(text(
            "INSERT INTO contacts (member_id, position, name, email, role)"
            " SELECT member_id, 2, 'Bea Mills', 'bea@mills.example', 'deputy' FROM cases"
            " WHERE process = 'survey_response'"
        ))  # fmt: skip
    return f"/m/{key}"


def fact(cast: Cast, name: str) -> Any:
    return cast.scalar("SELECT data -> :name FROM cases WHERE process = 'survey_response'", name=name)


def test_looking_changes_nothing_and_whoever_is_not_right_makes_way_for_the_next(
    visitor: Client, home: str, cast: Cast
) -> None:
    events = cast.scalar("SELECT count(*) FROM case_events")
    page = visitor.get(home + "/not-me")
    assert cast.scalar("SELECT count(*) FROM case_events") == events

    form = page.form(f'form[action="{home}/not-me"]')
    done = form.submit(name="Zoë Novák", position="Head of sourcing", email="zoe@elsewhere.example")
    form.submit(name="Zoë Novák", position="Head of sourcing", email="zoe@elsewhere.example")

    assert done.path == home and "another contact of your organisation" in done.main
    proposal = cast.scalar("SELECT changes FROM member_proposals")
    assert [each["do"] for each in proposal["contacts"]] == ["left", "add"] and "Head of sourcing" in proposal["note"]
    assert cast.scalar("SELECT count(*) FROM member_proposals") == 1
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'not_me'") == 1
    assert cast.scalar("SELECT count(*) FROM contacts WHERE status = 'left'") == 0
    kinds = cast.rows("SELECT kind, audience FROM messages WHERE kind LIKE 'reach_%' ORDER BY kind")
    assert kinds == [("reach_handed_on", "member"), ("reach_not_me", "owner")]
    assert len(fact(cast, "contacts_declined")) == 1 and fact(cast, "submitted_on") is None
    again = visitor.get(home + "/not-me")
    assert [o.text.strip() for o in again.all("#contact option")] == [
        "Bea Mills", "None of these: it was passed on to me",
    ]  # fmt: skip


def test_what_cannot_be_understood_comes_back_with_what_was_typed(visitor: Client, home: str, cast: Cast) -> None:
    form = visitor.get(home + "/not-me").form(f'form[action="{home}/not-me"]')

    bad = form.submit(name="Zoë Novák", email="zoe at mills")
    stranger = form.submit(contact="999999")

    assert bad.status == 422 and bad.one("#name")["value"] == "Zoë Novák" and "zoe at mills" in bad.text
    assert stranger.status == 409 and "no such contact" in stranger.main
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'not_me'") == 0


def test_whoever_it_was_passed_on_to_tells_the_owner_and_the_letters_stay_where_they_are(
    visitor: Client, home: str, cast: Cast
) -> None:
    form = visitor.get(home + "/not-me").form(f'form[action="{home}/not-me"]')

    assert form.submit(contact="other").path == home
    assert cast.rows("SELECT kind FROM messages WHERE kind LIKE 'reach_%'") == [("reach_not_me",)]
    assert fact(cast, "contacts_declined") is None


def test_a_day_is_promised_shown_and_can_be_moved(visitor: Client, home: str, cast: Cast) -> None:
    form = visitor.get(home + "/help").form(f'form[action="{home}/promise"]')

    late = form.submit(promised_on="2026-12-24")
    assert late.status == 422 and "Please choose a day" in late.main
    assert form.submit(promised_on="").status == 422
    assert form.submit(promised_on="2026-03-10").path == home
    assert fact(cast, "promise_until") == "2026-03-10"
    assert "You said that you would answer by Tuesday 10 March 2026" in visitor.get(home).main

    again = visitor.get(home + "/not-me").form(f'form[action="{home}/promise"]')
    assert "that you have told" not in again.submit(promised_on="2026-03-12").main
    assert fact(cast, "promise_until") == "2026-03-12"
    refused = visitor.get(home + "/not-me").form(f'form[action="{home}/promise"]').submit(promised_on="2026-03-12")
    assert refused.status == 409 and "you have told us already" in refused.main


def test_a_link_to_something_else_shows_no_such_page(visitor: Client, cast: Cast, home: str) -> None:
    number = cast.scalar("SELECT min(id) FROM cases WHERE process = 'survey_campaign'")

    visitor.get(f"/m/{token_of(cast.env, 'member', number)}/not-me", status=410)
    visitor.get("/m/forged/not-me", status=404)

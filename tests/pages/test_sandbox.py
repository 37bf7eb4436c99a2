"""The clock of a sandbox on the desk: time passes at the press of a button, and mail really leaves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from config import clock
from config.database import Engine
from notifications import links
from tests.cast import MONDAY, Cast, cast_of
from tests.deciding import a_finding
from tests.pages.conftest import SignedIn
from tests.post import Letterbox, letterbox


@pytest.fixture
def box() -> Iterator[Letterbox]:
    with letterbox() as found:
        yield found


@pytest.fixture
def cast(engine: Engine, tmp_path: Path, box: Letterbox) -> Cast:
    """The cast with a real mail server and a finding of the North in triage."""
    found = cast_of(engine, tmp_path / "home", box.url)
    a_finding(found)
    return found


def test_a_week_later_the_reminders_have_left_and_the_page_tells_of_them_day_by_day(
    desk: SignedIn, cast: Cast, box: Letterbox
) -> None:
    amara = desk("Amara")
    told = amara.get("/reports").form(".sandbox form").submit("A week later")
    assert cast.env_now == MONDAY + timedelta(weeks=1)
    assert told.path.startswith("/sandbox/what-happened?")
    assert box.to("amara@muster.example")
    assert f"{len(box.mails)} mail" in told.words(".alert-success")[0]
    assert len(told.words("section h2")) > 1
    letter = told.all('a[href*="/messages/"]')[0]
    assert amara.get(str(letter["href"])).status == 200
    assert told.follow("Back to where you were").path == "/reports"


def test_the_story_of_others_is_not_told(desk: SignedIn, cast: Cast) -> None:
    told = desk("Amara").get("/sandbox").form("main form.clock-steps").submit("A week later")
    assert "Acme Gins" in told.main
    other = desk("Bo").get(told.path)
    assert "Nothing happened" in other.main
    assert "Acme Gins" not in other.main


def test_the_next_thing_due_and_a_certain_moment_can_be_gone_to(desk: SignedIn, cast: Cast) -> None:
    amara = desk("Amara")
    page = amara.get("/sandbox")
    assert "Next, something is due on" in page.main
    page.form("main form.clock-steps").submit("To the next thing due")
    after = cast.env_now
    assert MONDAY < after < MONDAY + timedelta(weeks=1)
    amara.get("/sandbox").form("form.sandbox-instant").submit(instant="2026-03-20T10:15")
    assert cast.env_now.isoformat() == "2026-03-20T10:15:00+00:00"


def test_the_clock_set_back_says_that_nothing_happens_twice(desk: SignedIn, cast: Cast, box: Letterbox) -> None:
    amara = desk("Amara")
    amara.get("/sandbox").form("main form.clock-steps").submit("A week later")
    sent = len(box.mails)
    back = amara.get("/sandbox").form("form.sandbox-instant").submit(instant="2026-03-02T09:00")
    assert "earlier than before" in back.main
    amara.get("/sandbox").form("main form.clock-steps").submit("A week later")
    assert len(box.mails) == sent


@pytest.mark.parametrize("days", [1, 200, -1])
def test_the_clock_follows_the_real_one_again_wherever_it_stands(desk: SignedIn, cast: Cast, days: int) -> None:
    cast.go_to(clock.utc_now() - timedelta(days=days))
    page = desk("Amara").get("/sandbox")
    assert "in real time" not in page.main
    page.form("form.follow").submit()
    assert cast.scalar("SELECT clock_at FROM installation") is None
    assert "in real time" in desk("Amara").get("/sandbox").main


def test_more_than_three_months_at_once_is_refused_in_a_sentence(desk: SignedIn, cast: Cast) -> None:
    answer = desk("Amara").get("/sandbox").form("form.sandbox-instant").submit(instant="2027-03-02T09:00")
    assert answer.status == 422
    assert "more than three months" in answer.main
    assert cast.env_now == MONDAY


def test_without_a_mail_server_the_page_says_so_and_keeps_the_mail(app: FastAPI, desk: SignedIn, cast: Cast) -> None:
    object.__setattr__(app.state.env, "settings", cast.env.settings.model_copy(update={"smtp_url": _nowhere(cast)}))
    told = desk("Amara").get("/sandbox").form("main form.clock-steps").submit("A week later")
    assert "No mail could leave" in told.words(".alert-warning")[0]
    assert cast.scalar("SELECT count(*) FROM messages WHERE state = 'queued'") > 0
    assert cast.scalar("SELECT count(*) FROM case_events WHERE occurrence IS NOT NULL") > 0


def _nowhere(cast: Cast) -> object:
    return type(cast.env.settings.smtp_url)("smtp://127.0.0.1:1")


def test_a_production_installation_has_no_such_pages(desk: SignedIn, cast: Cast) -> None:
    amara = desk("Amara")
    page = amara.get("/sandbox")
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE installation SET clock_at = NULL"))
        conn.execute(text("UPDATE installation SET kind = 'production'"))
    assert page.form("main form.clock-steps").submit("A week later").status == 403
    amara.get("/sandbox", status=403)
    amara.get("/sandbox/what-happened?from=20260302T090000Z&to=20260309T090000Z", status=403)


@pytest.mark.parametrize("query", ["", "from=x&to=y", "from=20260302T090000Z&to=20260302T090000Z",
                                   "from=20200302T090000Z&to=20260302T090000Z"])  # fmt: skip
def test_a_stretch_of_time_that_is_none_is_refused(desk: SignedIn, query: str) -> None:
    desk("Amara").get(f"/sandbox/what-happened?{query}", status=422)


def test_a_letters_link_is_opened_as_its_reader_in_a_sandbox_only(desk: SignedIn, cast: Cast) -> None:
    amara = desk("Amara")
    told = amara.get("/sandbox").form("main form.clock-steps").submit("A week later")
    letter = str(told.all('a[href*="/messages/"]')[0]["href"])
    case = cast.scalar("SELECT case_id FROM messages WHERE id = :id", id=int(letter.rpartition("/")[2]))
    own = links.url("", links.make(cast.env.settings.secret_key.get_secret_value(), links.MEMBER, case))
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE messages SET body_text = body_text || :own"), {"own": own})

    page = amara.get(letter)
    assert own not in page.text, "the page itself never has the key"
    assert page.form("#open-as-reader").submit().path == own
    desk("Bo").get(letter, status=404)
    with cast.env.engine.begin() as conn:
        conn.execute(text("UPDATE installation SET clock_at = NULL"))
        conn.execute(text("UPDATE installation SET kind = 'production'"))
    assert amara.get(letter).all("#open-as-reader") == []
    assert page.form("#open-as-reader").submit().status == 403

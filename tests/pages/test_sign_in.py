"""Getting in: with a password, as somebody made up, with a link. And what keeps others out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from config import clock
from config.database import make_engine, transaction
from members.commands import staff_left
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page
from tests.shell.test_passwords import GOOD, choose, delivered, invited, kept, person
from web.accounts import passwords

SESSION = "muster"


def in_earnest(cast: Cast) -> None:
    """Make this a production database, which nothing but a test can."""
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE installation SET kind = 'production', clock_at = NULL"))


def try_password(visitor: Client, email: str, password: str, path: str = "/sign-in") -> Page:
    return visitor.get(path).form("#sign-in").submit(email=email, password=password)


def signed_in_as(client: Client) -> str | None:
    """Who the desk thinks is there, or None."""
    answer = client.http.get("/account", follow_redirects=False)
    return None if answer.status_code == 303 else Page(client, answer, _soup(answer.text)).one(".me-name").get_text()


def _soup(html: str) -> Any:
    from bs4 import BeautifulSoup

    return BeautifulSoup(html, "html5lib")


# ------------------------------------------------------------------------------------------------- with a password


def test_the_right_password_leads_in_and_on_to_where_one_was_going(cast: Cast, visitor: Client) -> None:
    choose(cast, "Amara")

    sent_away = visitor.get("/account?tab=one")
    assert sent_away.path == "/sign-in?next=%2Faccount%3Ftab%3Done"
    page = sent_away.form("#sign-in").submit(email="Amara@Muster.example", password=GOOD)

    assert page.path == "/account?tab=one"
    assert page.one(".me-name").get_text() == "Amara"


@pytest.mark.parametrize(
    "email", ["amara@muster.example", "nobody@muster.example", "dov@muster.example", "bo@muster.example"]
)
def test_a_wrong_password_and_an_unknown_address_are_told_the_same(cast: Cast, visitor: Client, email: str) -> None:
    choose(cast, "Amara")
    choose(cast, "Dov")

    page = try_password(visitor, email, GOOD if email.startswith("dov") else "not my password")

    assert page.status == 422
    assert "The address or the password is not right." in page.main
    assert page.one("#email")["value"] == email
    assert signed_in_as(visitor) is None


def test_each_of_them_costs_one_hash(cast: Cast, visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(cast, "Amara")
    choose(cast, "Dov")
    hashes: list[str | None] = []
    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda kept, given: (hashes.append(kept), real(kept, given))[1])

    for email in ("amara@muster.example", "nobody@muster.example", "dov@muster.example"):
        try_password(visitor, email, "not my password")

    assert [kept is None for kept in hashes] == [False, True, True]


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(cast: Cast, visitor: Client) -> None:
    choose(cast, "Amara")
    for _ in range(5):
        assert try_password(visitor, "amara@muster.example", "not my password").status == 422

    page = try_password(visitor, "amara@muster.example", GOOD)

    assert page.status == 429
    assert "try again in 30 seconds" in page.main or "try again in 29 seconds" in page.main
    assert signed_in_as(visitor) is None
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE attempts SET at = at - interval '31 seconds'"))
    try_password(visitor, "amara@muster.example", GOOD)
    assert signed_in_as(visitor) == "Amara"


def test_an_unknown_address_is_slowed_down_just_the_same(visitor: Client) -> None:
    for _ in range(5):
        try_password(visitor, "nobody@muster.example", "guess")

    assert try_password(visitor, "nobody@muster.example", "guess").status == 429
    assert try_password(visitor, "amara@muster.example", "guess").status == 422


def test_one_address_cannot_try_everybody(cast: Cast, visitor: Client) -> None:
    for number in range(20):
        assert try_password(visitor, f"person{number}@muster.example", "guess").status == 422

    assert try_password(visitor, "amara@muster.example", "guess").status == 429


def test_signing_in_begins_a_new_session_whatever_key_the_browser_brought(cast: Cast, visitor: Client) -> None:
    choose(cast, "Amara")
    visitor.http.cookies.set(SESSION, "a-key-that-somebody-planted")
    try_password(visitor, "amara@muster.example", GOOD)
    first = [c for c in visitor.http.cookies.jar if c.name == SESSION][-1].value
    assert first != "a-key-that-somebody-planted" and signed_in_as(visitor) == "Amara"

    visitor.http.cookies.clear()
    visitor.http.cookies.set(SESSION, str(first))
    choose(cast, "Bo")
    try_password(visitor, "bo@muster.example", GOOD)

    assert signed_in_as(visitor) == "Bo"
    visitor.http.cookies.clear()
    visitor.http.cookies.set(SESSION, str(first))
    assert signed_in_as(visitor) is None, "the old key still opens the desk"


def test_the_key_is_kept_from_scripts_and_other_sites_and_stored_as_a_hash(cast: Cast, visitor: Client) -> None:
    choose(cast, "Amara")
    form = visitor.get("/sign-in").form("#sign-in")
    values = {**dict(form.values), "email": "amara@muster.example", "password": GOOD}
    answer = visitor.http.post("/sign-in", data=values, follow_redirects=False)

    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION}="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert cookie.split("=")[1].split(";")[0] not in str(cast.rows("SELECT * FROM web_sessions"))


@pytest.mark.parametrize(
    "then",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "evil",
        "",
    ],
)
def test_signing_in_leads_to_no_other_site(cast: Cast, visitor: Client, then: str) -> None:
    choose(cast, "Amara")
    values = dict(visitor.get("/sign-in").form("#sign-in").values)
    values |= {"email": "amara@muster.example", "password": GOOD, "next": then}

    answer = visitor.http.post("/sign-in", data=values, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_sign_in_form_of_another_site_is_refused(cast: Cast, visitor: Client) -> None:
    choose(cast, "Amara")
    form = visitor.get("/sign-in").form("#sign-in")
    typed = {"email": "amara@muster.example", "password": GOOD}

    assert visitor.post("/sign-in", typed).status == 403
    assert visitor.post("/sign-in", {**dict(form.values), **typed, "csrf": "made.up"}).status == 403
    page = visitor.post("/sign-in", {**dict(form.values), **typed}, sec_fetch_site="cross-site")
    assert page.status == 403
    assert GOOD not in page.response.text
    assert signed_in_as(visitor) is None


# -------------------------------------------------------------------------------------------------------- and out


def test_signing_out_ends_the_session_and_not_only_the_cookie(cast: Cast, desk: SignedIn) -> None:
    amara = desk("Amara")
    key = amara.http.cookies[SESSION]

    page = amara.get("/account").form('form[action="/sign-out"]').submit()

    assert "You are signed out." in page.text
    amara.http.cookies.set(SESSION, key)
    assert signed_in_as(amara) is None


def test_nobody_is_signed_out_by_another_site(desk: SignedIn) -> None:
    amara = desk("Amara")

    assert amara.post("/sign-out", {}).status == 403
    assert amara.get("/sign-out", status=405)
    assert signed_in_as(amara) == "Amara"


def test_who_has_left_is_out_at_once_though_another_process_was_told(cast: Cast, desk: SignedIn) -> None:
    bo = desk("Bo")
    assert signed_in_as(bo) == "Bo"

    another = make_engine(cast.env.engine.url)
    staff_left(another, "bo@muster.example", left_on=MONDAY.date(), actor=SYSTEM, now=MONDAY)
    another.dispose()

    assert signed_in_as(bo) is None


# ------------------------------------------------------------------------------------------------------ the sandbox


def test_in_a_sandbox_one_click_makes_somebody_of_the_cast(visitor: Client) -> None:
    page = visitor.get("/sign-in?next=/account")

    assert page.words("#try h2") == [
        "Coordinator", "Manager", "Senior manager", "Council", "Administrator",
    ]  # fmt: skip
    assert "Dov" not in page.main
    assert "Amara North" in page.main
    inside = page.form("#try").submit("Try it as Bo South")
    assert inside.path == "/account"
    assert "You are Bo now, coordinator." in inside.text


def test_one_can_turn_into_somebody_else(visitor: Client) -> None:
    visitor.get("/sign-in").form("#try").submit("Try it as Amara North")
    visitor.get("/sign-in").form("#try").submit("Try it as Mina")

    assert signed_in_as(visitor) == "Mina"


def test_in_earnest_nobody_is_somebody_else(cast: Cast, visitor: Client) -> None:
    form = visitor.get("/sign-in").form("#try")
    in_earnest(cast)

    assert not visitor.get("/sign-in").all("#try")
    page = visitor.post("/sandbox/sign-in", [*form.values, ("as", str(person(cast, "Ada").id))])
    assert page.status == 403
    assert signed_in_as(visitor) is None


def test_nobody_turns_into_who_has_left_or_never_was(cast: Cast, visitor: Client) -> None:
    values = visitor.get("/sign-in").form("#try").values
    for number in (person(cast, "Dov").id, 4711, "one", ""):
        assert visitor.post("/sandbox/sign-in", [*values, ("as", str(number))]).status == 422

    assert signed_in_as(visitor) is None


# ------------------------------------------------------------------------------------------------------------ links


def test_a_forgotten_password_is_answered_the_same_for_everybody_and_mailed_to_staff_alone(
    cast: Cast, visitor: Client
) -> None:
    answers = []
    for email in ("amara@muster.example", "nobody@muster.example", "dov@muster.example"):
        page = visitor.get("/password/forgotten").form("#forgotten").submit(email=email)
        answers.append((page.path, page.words(".alert")))

    assert answers[0] == answers[1] == answers[2]
    assert [mail.to_email for mail in delivered(cast)] == ["amara@muster.example"]


def test_a_link_from_the_mail_sets_a_password_signs_in_and_ends_other_sessions(
    cast: Cast, visitor: Client, desk: SignedIn
) -> None:
    elsewhere = desk("Amara")
    visitor.get("/password/forgotten").form("#forgotten").submit(email="amara@muster.example")
    [mail] = delivered(cast)
    path = "/password/" + mail.text.partition("/password/")[2].split()[0]

    for _ in range(2):
        page = visitor.get(path)
    assert "Amara, who signs in with amara@muster.example" in page.main
    assert page.response.headers["referrer-policy"] == "no-referrer"
    inside = page.form("#choose").send({"new_password": [GOOD, GOOD]})

    assert "you are signed in" in inside.text and signed_in_as(visitor) == "Amara"
    assert signed_in_as(elsewhere) is None
    assert passwords.matches(kept(cast, "Amara"), GOOD)
    over = visitor.get(path, status=410)
    assert "used" in over.main and over.follow("Ask for a new link").status == 200


def test_a_mistyped_or_weak_password_is_said_beside_the_form_and_the_link_still_holds(
    cast: Cast, visitor: Client
) -> None:
    form = visitor.get(f"/password/{invited(cast, 'Bo', clock.utc_now())}").form("#choose")

    assert "not the same" in form.send({"new_password": [GOOD, "something else, longer"]}).main
    assert "at least 12" in form.send({"new_password": ["short", "short"]}).main
    assert kept(cast, "Bo") is None
    form.send({"new_password": [GOOD, GOOD]})
    assert kept(cast, "Bo") is not None


def test_a_link_that_is_too_old_or_never_was_says_how_to_get_a_new_one(cast: Cast, visitor: Client) -> None:
    old = invited(cast, "Bo", clock.utc_now() - timedelta(days=8))

    for token in (old, "x" * 43, "%00", "ünïcödé"):
        page = visitor.get(f"/password/{token}", status=410)
        assert page.follow("Ask for a new link").status == 200


def test_nobody_is_flooded_with_links(cast: Cast, visitor: Client) -> None:
    for _ in range(6):
        page = visitor.get("/password/forgotten").form("#forgotten").submit(email="amara@muster.example")

    assert "is on its way" in page.text
    assert len(delivered(cast)) == 3


def test_a_link_opens_an_account_that_guessing_has_locked(cast: Cast, visitor: Client) -> None:
    choose(cast, "Amara", "an older password")
    for _ in range(5):
        try_password(visitor, "amara@muster.example", "guess")
    token = invited(cast, "Amara", clock.utc_now())
    visitor.get(f"/password/{token}").form("#choose").send({"new_password": [GOOD, GOOD]})

    try_password(visitor, "amara@muster.example", GOOD)
    assert signed_in_as(visitor) == "Amara"


def test_every_page_of_the_way_in_may_be_seen_by_everybody(app: FastAPI, visitor: Client) -> None:
    for path in ("/sign-in", "/password/forgotten"):
        page = visitor.get(path)
        assert page.response.headers["cache-control"] == "no-store"

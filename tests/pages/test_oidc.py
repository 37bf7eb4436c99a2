"""Signing in through an OpenID provider that really runs, and what goes wrong on the way there and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from config import clock
from members.commands import edit_staff, staff_left
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page
from tests.pages.openid_provider import CLIENT, SECRET, Provider, running
from tests.pages.test_sign_in import signed_in_as
from tests.shell.test_passwords import person
from web.accounts import oidc
from web.app import create_app


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        provider.claims["email"] = "Amara@muster.example"
        yield provider


@pytest.fixture
def browser(cast: Cast, provider: Provider) -> Client:
    settings = cast.env.settings.model_copy(
        update={
            "oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET),
        }
    )  # fmt: skip
    return Client(create_app(replace(cast.env, settings=settings)), cast.env.engine)


def to_provider(browser: Client, path: str = "/sign-in/oidc") -> str:
    """Where somebody is sent who wants to sign in there."""
    answer = browser.http.get(path, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def and_back(browser: Client, address: str) -> Page:
    """What the desk says when they come back."""
    back = urlsplit(httpx.get(address).headers["location"])
    assert back.path == "/sign-in/oidc/callback"
    answer = browser.http.get(f"{back.path}?{back.query}", follow_redirects=False)
    assert answer.status_code == 303
    return browser.get(answer.headers["location"]) if answer.headers["location"] != "/" else browser.get("/account")


def sign_in(browser: Client) -> Page:
    return and_back(browser, to_provider(browser))


def refused(browser: Client, page: Page, words: str) -> None:
    assert words in page.main
    assert page.path == "/sign-in"
    assert signed_in_as(browser) is None


def test_who_is_known_there_and_works_here_gets_in_and_on(browser: Client) -> None:
    link = browser.get("/sign-in?next=/account").one('a[href^="/sign-in/oidc"]')

    inside = and_back(browser, to_provider(browser, str(link["href"])))

    assert inside.path == "/account" and signed_in_as(browser) == "Amara"


def test_nothing_that_matters_is_readable_on_the_way(browser: Client) -> None:
    asked = parse_qs(urlsplit(to_provider(browser)).query)

    assert asked["response_type"] == ["code"] and asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8080/sign-in/oidc/callback"]
    assert {len(asked[name][0]) for name in ("state", "nonce", "code_challenge")} == {43}
    assert asked["state"][0] not in str(browser.http.cookies["muster_oidc"])


def test_an_identity_stays_bound_when_the_address_changes(cast: Cast, browser: Client, provider: Provider) -> None:
    sign_in(browser)
    edit_staff(
        cast.env.engine, "amara@muster.example", name="Amara", email="amara.married@muster.example",
        roles=["coordinator"], team="North", manager=None, actor=SYSTEM, now=MONDAY,
    )  # fmt: skip
    browser.http.cookies.clear()

    sign_in(browser)

    assert signed_in_as(browser) == "Amara"


def test_a_second_identity_cannot_take_over_an_account(cast: Cast, browser: Client, provider: Provider) -> None:
    sign_in(browser)
    browser.http.cookies.clear()
    provider.claims["sub"] = "somebody-else-with-the-same-address"

    refused(browser, sign_in(browser), "tied to another identity")


def test_an_administrator_unties_an_identity_and_the_next_one_is_tied(
    cast: Cast, browser: Client, provider: Provider, desk: SignedIn
) -> None:
    sign_in(browser)
    browser.http.cookies.clear()
    provider.claims["sub"] = "a-new-account-of-hers"
    page = desk("Ada").get(f"/admin/staff/{person(cast, 'Amara').id}")

    untied = page.form('form[action$="/untie"]').submit()

    assert "Signs in through" not in untied.main and "Was untied" in untied.main
    sign_in(browser)
    assert signed_in_as(browser) == "Amara"


def test_the_address_may_come_from_the_userinfo_of_the_same_person(browser: Client, provider: Provider) -> None:
    provider.claims = {"sub": "a-17"}
    provider.userinfo = {"sub": "a-17", "email": "amara@muster.example", "email_verified": True}
    sign_in(browser)
    assert signed_in_as(browser) == "Amara"

    browser.http.cookies.clear()
    provider.claims, provider.userinfo["email"] = {"sub": "b-18"}, "bo@muster.example"
    refused(browser, sign_in(browser), "did not confirm")


def test_who_has_left_stays_out_bound_or_not(cast: Cast, browser: Client, provider: Provider) -> None:
    sign_in(browser)
    browser.http.cookies.clear()
    staff_left(cast.env.engine, "amara@muster.example", left_on=MONDAY.date(), actor=SYSTEM, now=MONDAY)

    refused(browser, sign_in(browser), "nobody here has your address")
    provider.claims |= {"sub": "d-4", "email": "dov@muster.example"}
    refused(browser, sign_in(browser), "nobody here has your address")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "stranger@elsewhere.example"}, "nobody here has your address"),
        ({"email_verified": False}, "not verified your e-mail"),
        ({"email_verified": "true"}, "not verified your e-mail"),
        ({"nonce": "of another sign-in"}, "did not confirm"),
        ({"nonce": None}, "did not confirm"),
        ({"aud": "another application"}, "did not confirm"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "did not confirm"),
        ({"iss": "https://elsewhere.example"}, "did not confirm"),
        ({"exp": 1_000_000_000}, "did not confirm"),
        ({"sub": ""}, "did not confirm"),
        ({"sub": None}, "did not confirm"),
    ],
)
def test_a_token_that_is_not_right_lets_nobody_in(
    browser: Client, provider: Provider, claims: dict[str, Any], words: str
) -> None:
    provider.claims |= claims

    refused(browser, sign_in(browser), words)


def test_a_token_that_somebody_else_signed_lets_nobody_in(browser: Client, provider: Provider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"}, private=True)

    refused(browser, sign_in(browser), "did not confirm")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"state": "another"}, "start again"),
        ({"state": ""}, "start again"),
        ({"code": "made up"}, "did not confirm"),
        ({"code": ""}, "did not confirm"),
        ({"error": "access_denied"}, "did not confirm"),
        ({"iss": "https://elsewhere.example"}, "did not confirm"),
    ],
)
def test_an_answer_that_is_not_to_our_question_lets_nobody_in(
    browser: Client, provider: Provider, answer: dict[str, str], words: str
) -> None:
    provider.answer = answer

    refused(browser, sign_in(browser), words)


def test_an_answer_without_the_browser_that_asked_lets_nobody_in(browser: Client) -> None:
    address = to_provider(browser)
    browser.http.cookies.clear()

    refused(browser, and_back(browser, address), "start again")


def test_an_answer_cannot_be_used_twice(browser: Client) -> None:
    back = urlsplit(httpx.get(to_provider(browser)).headers["location"])
    kept = browser.http.cookies["muster_oidc"]
    browser.http.get(f"{back.path}?{back.query}", follow_redirects=False)
    browser.http.cookies.clear()
    browser.http.cookies.set("muster_oidc", kept)

    answer = browser.http.get(f"{back.path}?{back.query}", follow_redirects=False)

    assert answer.headers["location"] == "/sign-in"
    assert signed_in_as(browser) is None


def test_who_stays_away_too_long_starts_again(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = to_provider(browser)
    back = urlsplit(httpx.get(address).headers["location"])
    sealed = browser.http.cookies["muster_oidc"]
    settings = browser._app.state.env.settings
    late = clock.utc_now().replace(year=clock.utc_now().year + 1)
    monkeypatch.setattr(clock, "utc_now", lambda: late)

    with pytest.raises(oidc.NotConfirmed, match="too long"):
        oidc.come_back(settings, sealed, {k: v[0] for k, v in parse_qs(back.query).items()})


def test_a_provider_that_does_not_answer_is_said_on_the_sign_in_page(cast: Cast, browser: Client) -> None:
    settings = cast.env.settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": CLIENT})
    alone = Client(create_app(replace(cast.env, settings=settings)), cast.env.engine)

    page = alone.get("/sign-in/oidc")

    assert page.path == "/sign-in" and "does not answer at the moment" in page.main


def test_signing_in_there_leads_to_no_other_site(browser: Client) -> None:
    back = urlsplit(httpx.get(to_provider(browser, "/sign-in/oidc?next=//evil.example")).headers["location"])

    answer = browser.http.get(f"{back.path}?{back.query}", follow_redirects=False)

    assert answer.headers["location"] == "/"


def test_without_a_provider_there_is_no_such_page(visitor: Client) -> None:
    assert not visitor.get("/sign-in").all('a[href^="/sign-in/oidc"]')
    visitor.get("/sign-in/oidc", status=404)
    visitor.get("/sign-in/oidc/callback?state=x&code=y", status=404)

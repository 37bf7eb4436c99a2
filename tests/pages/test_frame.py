"""What holds for every page: who may enter, what a browser is told, what happens when something goes wrong."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from tests.cast import Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client
from web import access
from web.access import STAFF
from web.app import create_app
from web.desk_page import Desk
from web.posted import Form
from web.routing import NoRule, Pages, require_rules


@pytest.fixture
def app(cast: Cast) -> FastAPI:
    """The desk with one more room, that holds what the tests ask for."""
    pages = Pages(may=STAFF)

    @pages.get("/tested", statements=8)
    def tested(desk: Desk) -> object:
        return desk.page("error.html", title="Tested", sentence="Žluťoučký <b>kůň</b>", signed_in=True)

    @pages.post("/tested")
    def sent(desk: Desk, posted: Form) -> object:
        return desk.see_other("/tested", f"You said {posted.text('words')}")

    @pages.get("/broken", statements=8)
    def broken(desk: Desk) -> object:
        raise ZeroDivisionError("secret")

    @pages.get("/crowded", statements=8)
    def crowded(desk: Desk) -> object:
        raise NoConnectionLeft("secret")

    app = create_app(cast.env)
    pages.add_to(app)
    return app


def test_a_page_is_sound_and_escapes_what_people_wrote(desk: SignedIn) -> None:
    page = desk("Amara").get("/tested")
    assert "Žluťoučký <b>kůň</b>" in page.main
    assert page.words("h1") == ["Tested"]
    assert page.words("details.rooms a") == page.words("nav.side a"), "on a phone the rooms are behind a menu"


def test_a_stranger_is_led_to_the_sign_in_page_and_from_there_back(visitor: Client) -> None:
    answer = visitor.http.get("/tested?a=ü", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Ftested%3Fa%3D%25C3%25BC"


def test_a_route_without_a_rule_stops_the_start(app: FastAPI) -> None:
    require_rules(app)

    @app.get("/open")
    def unguarded() -> str:
        return "hello"

    with pytest.raises(NoRule, match="/open does not say who may enter"):
        require_rules(app)


def test_a_form_is_answered_with_a_way_back_and_a_sentence_shown_once(desk: SignedIn) -> None:
    amara = desk("Amara")
    token = amara.get("/tested").one('form[action="/sign-out"] input[name=csrf]')["value"]
    page = amara.post("/tested", {"csrf": token, "words": "Łódź & <i>more</i>"})
    assert page.words(".alert-success") == ["You said Łódź & <i>more</i>"]
    assert amara.get("/tested").all(".alert-success") == []


@pytest.mark.parametrize("token", ["", "x.y", "made-up.0000000000000000000000000000000000000000"])
def test_a_form_without_its_token_does_nothing_and_keeps_what_was_typed(desk: SignedIn, token: str) -> None:
    page = desk("Amara").post("/tested", {"csrf": token, "words": "a long text that nobody wants to type again"})
    assert page.status == 403
    assert "a long text that nobody wants to type again" in page.one("form#again textarea").text
    again = page.form("form#again").submit()
    assert again.words(".alert-success") == ["You said a long text that nobody wants to type again"]


def test_a_form_of_somebody_else_is_refused(desk: SignedIn) -> None:
    token = desk("Bo").get("/tested").one('form[action="/sign-out"] input[name=csrf]')["value"]
    assert desk("Amara").post("/tested", {"csrf": token, "words": "x"}).status == 403


def test_a_form_sent_by_another_site_is_refused(desk: SignedIn) -> None:
    amara = desk("Amara")
    token = amara.get("/tested").one('form[action="/sign-out"] input[name=csrf]')["value"]
    answer = amara.post("/tested", {"csrf": token, "words": "x"}, sec_fetch_site="cross-site")
    assert answer.status == 403
    assert "another site" in answer.main


def test_a_form_sent_after_the_session_ended_keeps_what_was_typed(visitor: Client) -> None:
    page = visitor.post("/tested", {"csrf": "x", "words": "a long text that nobody wants to type again"})
    assert page.status == 401
    assert "a long text that nobody wants to type again" in page.one("form#again textarea").text


def test_what_breaks_says_so_without_telling_secrets(desk: SignedIn) -> None:
    amara = desk("Amara")
    amara.http = type(amara.http)(amara._app, base_url="http://127.0.0.1:8080", cookies=amara.http.cookies,
                                  raise_server_exceptions=False)  # fmt: skip
    page = amara.get("/broken", status=500)
    assert "written to the log" in page.text
    assert "secret" not in page.text


def test_where_no_connection_is_left_people_are_told_to_try_again(desk: SignedIn) -> None:
    page = desk("Amara").get("/crowded", status=503)
    assert "Please try again in a minute" in page.text
    assert "secret" not in page.text


def test_an_unknown_address_is_a_page_too(desk: SignedIn) -> None:
    assert "Nothing is to be found" in desk("Amara").get("/no-such-page", status=404).main
    refused = desk("Amara").get("/admin", status=403)
    assert refused.all("nav.side a") and refused.one("main p a")["href"] == "/", "who is signed in stays at the desk"


def test_every_answer_tells_the_browser_what_it_may_do(desk: SignedIn) -> None:
    headers = desk("Amara").get("/tested").response.headers
    assert "'unsafe" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_a_request_that_is_too_large_is_refused_before_it_is_read_with_a_way_on(visitor: Client) -> None:
    ways = {"/tested": "/", "/m/abc/s/pulse": "/m/abc", "/p/complainant/abc/do/reply": "/p/complainant/abc"}
    for address, way in ways.items():
        page = visitor.post(address, {}, content_length=str(10**10))
        assert (page.status, page.one("main a")["href"]) == (413, way)
        assert "nothing was changed" in page.main and "content-security-policy" in page.response.headers
    program = visitor.http.post("/api/v1/cases", content=b"x", headers={"content-length": str(10**10)})
    assert (program.status_code, program.headers["content-type"]) == (413, "application/problem+json")


def test_members_are_told_in_the_name_of_their_organisation_and_never_led_to_the_desk(
    visitor: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*asked: object) -> None:
        raise NoConnectionLeft("gone")

    unknown = visitor.get("/m/abc/nothing-of-the-kind", status=404)
    assert unknown.one("main p a.btn")["href"] == "/m/abc"
    for name in ("_visitor", "_signed_in"):
        monkeypatch.setattr(access, name, gone)
    page = visitor.get("/m/abc/s/pulse", status=503)
    assert cast.env.policy.organisation.name in page.text and "database" not in page.text
    assert [a["href"] for a in page.all("main a")] == ["/m/abc/s/pulse", "/m/abc"]
    assert page.response.headers["x-robots-tag"] == "noindex, nofollow"
    typed = {"csrf": "x", "what": "They came an hour late, and then not at all."}
    sent = visitor.post("/complain", typed)
    assert dict(sent.form("#again").values) == typed
    assert [a["href"] for a in sent.all("main a")] == ["/complain"]
    assert [a["href"] for a in visitor.get("/queue?team=North", status=503).all("main a")] == ["/queue?team=North", "/"]


def test_a_form_that_a_script_sent_while_the_database_was_away_comes_back_with_what_was_typed(
    desk: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*asked: object) -> None:
        raise NoConnectionLeft("gone")

    amara = desk("Amara")
    monkeypatch.setattr(access, "_signed_in", gone)
    typed = {"csrf": "x", "words": "I rang them at noon, and again at two."}
    page = amara.post("/tested", typed, hx_request="true", hx_boosted="true")
    assert page.status == 503
    assert dict(page.form("#again").values) == typed
    piece = amara.post("/tested", typed, hx_request="true")
    assert "noon" not in piece.text, "a piece of a page has no room for a form"

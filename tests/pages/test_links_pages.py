"""Links that are old, forged or opened by machines; new ones; and hearing no more offers."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cases.own.links import leave_token, token_of
from config.database import transaction
from notifications import links
from tests.asked import asked_survey, complained, leaver, response
from tests.cast import MONDAY, Cast
from tests.pages.inspector import Client

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def everything(cast: Cast) -> dict[str, list[str]]:
    """Every row of every table."""
    names = [r.name for r in cast.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")]
    return {name: sorted(str(r[0]) for r in cast.rows(f'SELECT t::text FROM "{name}" t')) for name in names}


def unsubscribe(cast: Cast) -> str:
    secret = cast.env.settings.secret_key.get_secret_value()
    case_id = cast.scalar("SELECT id FROM cases WHERE member_id IS NOT NULL ORDER BY id LIMIT 1")
    return f"/unsubscribe/{links.make(secret, links.UNSUBSCRIBE, case_id)}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_machine_that_opens_every_link_on_every_page_changes_nothing(
    visitor: Client, cast: Cast, tmp_path: Path, method: str
) -> None:
    survey = asked_survey(cast, tmp_path)
    _, complaint = complained(cast)
    waiting = [f"/m/{survey}", f"/p/complainant/{complaint}", unsubscribe(cast), "/complain", "/cancel", "/links/new",
               f"/links/leave/{leave_token(cast.env, leaver(cast), asked_at=cast.env_now)}"]  # fmt: skip
    waiting += [f"/m/{survey}/{more}" for more in ("start", "submit", "tell", "do/refuse", "answers")]
    before, seen = everything(cast), set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = visitor.http.request(method, address)
        assert answer.status_code < 500
        page = visitor._seen(visitor.http.get(address), []) if method == "HEAD" else visitor._seen(answer, [])
        found = [urlsplit(str(a["href"])) for a in page.soup.select("a[href]")]
        waiting += [f"{u.path}?{u.query}".rstrip("?") for u in found if not u.netloc and u.path not in ("", "/")]

    assert len(seen) > 15
    assert everything(cast) == before


@pytest.mark.parametrize(
    "path", ["/m/nonsense", "/m/AQIAAA", "/p/complainant/x", "/p/mayor/x", "/links/leave/x", "/unsubscribe/x"]
)
def test_a_forged_link_says_what_to_do(visitor: Client, path: str) -> None:
    page = visitor.get(path, status=404)

    assert page.one("h1").text == "This link does not work"
    assert page.one('a[href="/links/new"]')


def test_a_link_of_one_purpose_opens_no_page_of_another(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    survey = asked_survey(cast, tmp_path)
    _, complaint = complained(cast)

    for path in (f"/m/{complaint}", f"/p/complainant/{survey}", f"/unsubscribe/{survey}", f"/links/leave/{survey}"):
        visitor.get(path, status=404)
    visitor.get(f"/m/{survey}")


def test_a_revoked_link_is_old_everywhere_below_it(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    home = f"/m/{asked_survey(cast, tmp_path)}"
    form = visitor.get(f"{home}/s/pulse").form("form[data-autosave]")
    case_id = response(cast)
    with transaction(cast.env.engine) as conn:
        links.revoke(conn, [case_id], now=MONDAY)

    for path in ("", "/s/pulse", "/review", "/answers", "/help", "/answers.txt"):
        visitor.get(home + path, status=410)
    assert form.send({"a.staff": "1"}).status == 410
    visitor.get(f"/m/{token_of(cast.env, links.MEMBER, case_id)}")


def test_a_new_link_is_mailed_and_the_page_tells_nobody_whether(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    asked_survey(cast, tmp_path)
    address = cast.scalar("SELECT email FROM contacts")

    known = visitor.get("/links/new").form().submit(email=address)
    unknown = visitor.get("/links/new").form().submit(email="nobody@example.org")

    assert known.main == unknown.main
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'own_link'") == 1


def test_who_asks_for_links_again_and_again_is_slowed_down(visitor: Client) -> None:
    answers = [visitor.get("/links/new").form().submit(email="nobody@example.org").status for _ in range(8)]

    assert answers[0] == 200 and answers[-1] == 429


@pytest.mark.parametrize("typed", ["", "chandra", "a@b@c", "a b@example.org"])
def test_what_is_no_address_is_told(visitor: Client, typed: str) -> None:
    page = visitor.get("/links/new").form().submit(email=typed)

    assert page.status == 422 and page.one("#email")["aria-invalid"] == "true"


def test_nobody_learns_where_a_reader_of_a_link_came_from(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    home = f"/m/{asked_survey(cast, tmp_path)}"

    for path in (home, f"{home}/s/pulse", f"/links/leave/{leave_token(cast.env, leaver(cast), asked_at=MONDAY)}"):
        headers = visitor.http.get(path).headers
        assert headers["referrer-policy"] == "no-referrer"
        assert "noindex" in headers["x-robots-tag"]
        assert headers["cache-control"] == "no-store"


def test_a_form_of_one_link_cannot_be_sent_to_another(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    home = f"/m/{asked_survey(cast, tmp_path)}"
    _, other = complained(cast)
    values = visitor.get(f"/p/complainant/{other}").form('form[action$="/tell"]').values

    assert visitor.post(f"{home}/tell", [*values, ("text", "Hello")]).status == 403


# --- offers


def test_looking_at_the_way_out_of_offers_changes_nothing_and_the_button_does(
    visitor: Client, cast: Cast, tmp_path: Path
) -> None:
    asked_survey(cast, tmp_path)
    address = unsubscribe(cast)
    page = visitor.get(address)
    assert cast.scalar("SELECT flags FROM members") == []

    done = page.form().submit()

    assert "You will get no more offers" in done.main
    assert cast.scalar("SELECT flags FROM members") == ["MARKETING_OPT_OUT"]
    assert "You will get no more offers" in visitor.get(address).main


def test_a_mail_provider_unsubscribes_with_one_click(visitor: Client, cast: Cast, tmp_path: Path) -> None:
    asked_survey(cast, tmp_path)
    address = unsubscribe(cast)

    for _ in range(2):
        answer = Client(visitor._app, visitor._engine).http.post(address, data=ONE_CLICK, follow_redirects=False)
        assert answer.status_code == 200 and "location" not in answer.headers

    assert cast.scalar("SELECT flags FROM members") == ["MARKETING_OPT_OUT"]
    assert cast.scalar("SELECT count(*) FROM member_changes WHERE source = 'unsubscribe'") == 1

"""Attacks: what strangers, members and colleagues may try, on every route there is."""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DataError

from cases import commands, evidence, sandbox_time
from cases.errors import BadInput
from cases.own.links import leave_token, token_of
from config.database import Engine, make_engine, reading, transaction
from members import spreadsheets
from members.commands import set_absence
from members.errors import NotYours, Unusable
from notifications import links
from tests.cast import MONDAY, Cast, cast_of
from tests.conftest import fresh_database
from tests.pages.api_caller import caller
from tests.pages.api_caller import token_of as api_token_of
from tests.pages.case_cast import ACKNOWLEDGED, a_complaint, acknowledged
from tests.pages.conftest import SignedIn, sign_in
from tests.pages.inspector import Client
from tests.pages.north import MORE_PEOPLE, North, north_of
from tests.pages.test_access import filled, routes, token
from web import __main__ as served
from web import csrf, drafts
from web.access import OPEN_POST, Rule
from web.accounts import throttle
from web.app import create_app
from web.routing import rule_of

WEB = Path(drafts.__file__).parent
PEOPLE = ("Max", "Sol", "Amara", "Ada", "Cara", *MORE_PEOPLE)
NASTY = (
    "%00", "%ED%A0%80", "9" * 5000, "9" * 20, "-1", "%C2%B2", "%3Cscript%3Ealert(1)%3C/script%3E", "9999-12-31",
    "0001-01-01", "..%2f..%2fetc%2fpasswd", "%F0%9F%92%A9" * 300, "%0d%0aSet-Cookie:%20a=b", "{{7907*7919}}", "[",
    "staff:" + "9" * 20,
)  # fmt: skip
IN_PATHS = ("%00", "%ED%A0%80", "9" * 20, "%C2%B2", "..%2f..%2fetc%2fpasswd", "%0a", "-1")
EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7907*7919}}"


@pytest.fixture(scope="module")
def north(database_admin: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[North]:
    """An organisation that may be broken in the end; what is posted at random comes last."""
    with fresh_database(database_admin) as url:
        engine = make_engine(url)
        yield north_of(cast_of(engine, tmp_path_factory.mktemp("attacked")))
        engine.dispose()


@pytest.fixture(scope="module")
def attacked(north: North) -> FastAPI:
    """Its desk."""
    return create_app(north.cast.env)


def browser(app: FastAPI, cookies: dict[str, str] | None = None) -> TestClient:
    """A browser that is shown what breaks, as people are."""
    return TestClient(app, base_url="http://127.0.0.1:8080", cookies=cookies, raise_server_exceptions=False)


def somebody_for(rule: Rule, north: North) -> str:
    """Somebody whom a rule lets in."""
    return next(name for name in PEOPLE if rule.roles & north.cast.actor(name).roles)


class Attackers:
    """Browsers of everybody, each used for the routes it may enter."""

    def __init__(self, app: FastAPI, north: North) -> None:
        self._north = north
        self._in = {name: browser(app, dict(sign_in(app, north.cast, name).http.cookies)) for name in PEOPLE}
        self._out = browser(app)

    def get(self, rule: Rule, address: str, **headers: str) -> Any:
        """Ask as somebody who may."""
        if rule.scope is not None:
            headers["authorization"] = f"Bearer {self._north.tokens['Mina']}"
        someone = self._in[somebody_for(rule, self._north)] if rule.roles else self._out
        return someone.get(address, headers=headers, follow_redirects=False)


@pytest.fixture(scope="module")
def attackers(attacked: FastAPI, north: North) -> Attackers:
    """Everybody."""
    return Attackers(attacked, north)


def known_names() -> list[str]:
    """Every name that a query or a form of ours has."""
    code = "\n".join(path.read_text() for path in sorted(WEB.rglob("*.py")))
    html = "\n".join(path.read_text() for path in sorted(WEB.rglob("*.html")))
    read = re.findall(r"""(?:get|getlist|text|all|yes|number|day)\("([a-zA-Z_.-]+)\"""", code)
    return sorted({*read, *re.findall(r'name="([a-zA-Z_.-]+)"', html), "before", "after", "page", "limit"} - {"csrf"})


def keyed(path: str, north: North) -> str:
    """A path with the North's own things in it, and with personal keys that are good."""
    secret, cast = north.cast.env.settings.secret_key.get_secret_value(), north.cast
    number = {ref: cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref)
              for ref in (north.response, north.complaint, north.signature)}  # fmt: skip
    member = cast.scalar("SELECT id FROM members WHERE ref = :r", r=north.member)
    keys = {
        "/m/": links.make(secret, links.MEMBER, number[north.response]),
        "/p/": links.make(secret, "party:complainant", number[north.complaint]),
        "/unsubscribe/": links.make(secret, links.UNSUBSCRIBE, number[north.response]),
        "/links/leave/": leave_token(cast.env, member, asked_at=MONDAY),
    }
    if re.match(r"/m/\{key\}/(sign|reserve|refuse|read|fresh|text|receipt)", path):
        keys["/m/"] = links.make(secret, links.MEMBER, number[north.signature])
    key = next((key for head, key in keys.items() if path.startswith(head)), "A" * 43)
    return filled(path.replace("{slug}", "invalid").replace("{step}", "1"), north).replace("A" * 43, key)


def rule_for(route: APIRoute) -> Rule:
    """The rule of a route."""
    rule = rule_of(route)
    assert rule is not None
    return rule


# -------------------------------------------------------------------------------------------- nonsense on every route


def test_no_page_breaks_over_a_nasty_query(attacked: FastAPI, north: North, attackers: Attackers) -> None:
    names, broken = known_names(), []
    for _, path, route in routes(attacked, "GET"):
        for turn in (0, 5, 11) if path != "/campaigns/new" else ():
            query = "&".join(f"{name}={NASTY[(n + turn) % len(NASTY)]}" for n, name in enumerate(names))
            query = "&".join(part for part in query.split("&") if len(part) < 4000) + f"&for={'9' * 5000}"
            answer = attackers.get(rule_for(route), f"{keyed(path, north)}?{query}")
            if answer.status_code >= 500 or "set-cookie: a=b" in str(answer.headers).lower():
                broken.append(f"{path}?{query[:120]}: {answer.status_code}")
    assert broken == []


def test_no_page_breaks_over_a_nasty_path(attacked: FastAPI, north: North, attackers: Attackers) -> None:
    broken = []
    for _, path, route in routes(attacked, "GET"):
        for variable in re.findall(r"\{\w+\}", path):
            for value in IN_PATHS:
                address = keyed(path.replace(variable, "@@"), north).replace("@@", value)
                answer = attackers.get(rule_for(route), address)
                if answer.status_code >= 500 or "root:" in answer.text:
                    broken.append(f"{address}: {answer.status_code}")
    assert broken == []


@pytest.mark.parametrize(
    "path", ["..%2f..%2fweb%2fapp.py", "../app.py", "%2e%2e/app.py", "%00", "a%00.css", "x" * 5000]
)
def test_static_files_are_those_of_the_folder_alone(attacked: FastAPI, path: str) -> None:
    answer = browser(attacked).get(f"/static/{path}")
    assert answer.status_code == 404
    assert "create_app" not in answer.text


def test_where_a_request_says_it_was_sent_to_is_believed_nowhere(
    attacked: FastAPI, north: North, attackers: Attackers
) -> None:
    evil = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    for _, path, route in routes(attacked, "GET"):
        for address in (keyed(path, north), keyed(path, north) + "/"):
            answer = attackers.get(rule_for(route), address, **evil)
            assert "evil.example" not in answer.text + str(answer.headers), address


def test_other_methods_do_nothing(attacked: FastAPI, north: North) -> None:
    before = north.fingerprint()
    amara = browser(attacked, dict(sign_in(attacked, north.cast, "Amara").http.cookies))
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "x-http"):
        for address in (
            f"/cases/{north.complaint}",
            f"/cases/{north.complaint}/notes",
            "/sign-out",
            "/static/desk.css",
        ):
            headers = {"x-http-method-override": "POST"}
            assert amara.request(method, address, headers=headers, follow_redirects=False).status_code in (404, 405)
    for _, path, route in routes(attacked, "GET"):
        if rule_for(route).roles:
            assert browser(attacked).head(keyed(path, north), follow_redirects=False).status_code == 303, path
    assert north.fingerprint() == before


def test_no_form_of_anybody_works_without_its_token_or_from_another_site(attacked: FastAPI, north: North) -> None:
    before = north.fingerprint()
    for _, path, route in routes(attacked, "POST"):
        rule = rule_for(route)
        if rule.scope is not None or rule is OPEN_POST:
            continue
        someone = browser(attacked)
        if rule.roles:
            someone = browser(attacked, dict(sign_in(attacked, north.cast, somebody_for(rule, north)).http.cookies))
        address = keyed(path, north)
        for headers in ({}, {"hx-request": "true"}, {"origin": "https://evil.example", "x-csrf": "x.y"}):
            answer = someone.post(address, data={"text": "x", "csrf": "x.y"}, headers=headers, follow_redirects=False)
            assert answer.status_code == 403, f"{path}: {answer.status_code}"
        for site in ("cross-site", "same-site"):
            answer = someone.post(address, headers={"sec-fetch-site": site}, follow_redirects=False)
            assert answer.status_code == 403, f"{path}: {answer.status_code}"
    assert north.fingerprint() == before


def test_what_is_refused_is_said_in_a_piece_of_a_page_too(cast: Cast, desk: SignedIn) -> None:
    amara, visitor, ref = desk("Amara"), "/m/nonsense", a_complaint(cast)
    for answer, status in (
        (amara.http.get("/cases/CO-2026-999999", headers={"hx-request": "true"}), 404),
        (amara.http.post(f"/cases/{ref}/notes", data={"text": "x"}, headers={"hx-request": "true"}), 403),
        (amara.http.get(visitor, headers={"hx-request": "true"}), 404),
    ):
        assert answer.status_code == status
        assert 'role="alert"' in answer.text and "<html" not in answer.text


# ------------------------------------------------------------------------------------------------ what people write


def evil_case(cast: Cast) -> str:
    """A complaint in which everything that somebody outside can type is an attack."""
    ref = a_complaint(cast, complainant_name=EVIL, description=EVIL, desired_outcome=EVIL)
    who = cast.actor("Amara")
    commands.note(cast.env, ref, EVIL, actor=who)
    evidence.add(cast.env, ref, f"{EVIL.replace('/', '')}.txt", b"hello", actor=who)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET subject = :e"), {"e": EVIL})
        conn.execute(text("UPDATE members SET name = :e, name_key = :e, website = 'javascript:alert(1)'"), {"e": EVIL})
        conn.execute(text("UPDATE contacts SET name = :e, phone = :e"), {"e": EVIL})
        conn.execute(text("UPDATE messages SET subject = :e, to_name = :e"), {"e": EVIL})
        conn.execute(text("UPDATE staff SET name = :e WHERE name = 'Max'"), {"e": EVIL})
        conn.execute(
            text("INSERT INTO saved_views (owner_id, name, page, query, shared, created_at) "
                 "SELECT id, :e, '/queue', :e, true, now() FROM staff"), {"e": EVIL[:60]},
        )  # fmt: skip
    api_token_of(cast, "Mina")
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE api_tokens SET name = :e"), {"e": EVIL[:80]})
        conn.execute(text("UPDATE web_sessions SET agent = :e"), {"e": EVIL})
    return ref


def test_nothing_that_anybody_wrote_is_run_on_any_page(app: FastAPI, cast: Cast, desk: SignedIn) -> None:
    ref = evil_case(cast)
    member = cast.scalar("SELECT ref FROM members")
    values = {"ref": ref, "trigger": "acknowledge", "process": "complaint", "name": "complaint", "number": "1"}
    people, shown = {name: desk(name) for name in ("Amara", "Mina", "Ada")}, 0
    for _, path, route in routes(app, "GET"):
        if not rule_for(route).roles or "/campaigns/{" in path or "/import/" in path:
            continue
        given = {**values, **({"ref": member} if path.startswith("/members/") else {})}
        address = re.sub(r"\{(\w+)\}", lambda match, given=given: quote(given.get(match[1], "x")), path)
        for person in people.values():
            answer = person.http.get(f"{address}?q={quote(EVIL)}", follow_redirects=False)
            if answer.headers.get("content-type", "").startswith("text/html") and path[-5:] != "/html":
                page = person._seen(answer, [])  # raises on inline scripts and on… attributes
                assert not page.all("img, a[href^=javascript], iframe[srcdoc]"), address
                assert "62615533" not in page.text, address
                shown += EVIL[:40] in answer.text or "onerror=alert(1)" in page.text
    assert shown > 15, shown


def test_nothing_that_anybody_wrote_is_markup_in_a_letter(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast, complainant_name=EVIL)
    payload = {**ACKNOWLEDGED, "understanding": EVIL}
    commands.fire(cast.env, ref, "acknowledge", payload=payload, actor=cast.actor("Amara"), now=MONDAY)
    letter = cast.scalar("SELECT id FROM messages WHERE kind = 'complaint_acknowledged'")
    shown = desk("Amara").http.get(f"/cases/{ref}/messages/{letter}/html").text
    assert "onerror=alert(1)" in shown and "<img" not in shown and "<script" not in shown


def test_a_file_is_kept_and_never_shown_wherever_it_is_fetched(
    app: FastAPI, cast: Cast, desk: SignedIn, visitor: Client
) -> None:
    ref = a_complaint(cast)
    key = token_of(cast.env, "party:complainant", cast.scalar("SELECT id FROM cases"))
    page = visitor.get(f"/p/complainant/{key}")
    files = {"files": ("note.txt", b"<b>hello</b>", "text/html")}
    page.form('form[action$="/tell"]').submit(files=files, text="Here it is.")
    sha256 = cast.scalar("SELECT sha256 FROM evidence_files")
    for answer in (
        desk("Amara").http.get(f"/cases/{ref}/files/{sha256}"),
        visitor.http.get(f"/p/complainant/{key}/files/{sha256}"),
        caller(app, cast, "Amara").get(f"/cases/{ref}/evidence/{sha256}"),
    ):  # fmt: skip
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] in ("no-store", "private, no-cache")


def test_no_cell_of_any_export_is_a_formula(cast: Cast, desk: SignedIn) -> None:
    for n, sign in enumerate("=+-@\t\r"):
        a_complaint(cast, member=f"Member {n}")
        with transaction(cast.env.engine) as conn:
            found = {"e": f'{sign}HYPERLINK("http://evil.example","x")', "n": f"Member {n}"}
            conn.execute(text("UPDATE members SET name = :e, external_ref = :e, site = :e WHERE name = :n"), found)
            conn.execute(text("UPDATE cases SET subject = :e WHERE subject = 'Cold pool'"), found)
    for path in ("/queue.csv", "/cases.csv", "/members/export.csv"):
        answer = desk("Amara").http.get(path)
        rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
        assert len(rows) > 5 and "HYPERLINK" in answer.text
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))], path
        assert answer.headers["content-disposition"].startswith("attachment")


# --------------------------------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example",
                                  "\\\\evil.example", "javascript:alert(1)", "/x\r\nLocation:x"])  # fmt: skip
def test_no_address_in_an_address_leads_to_another_site(cast: Cast, desk: SignedIn, then: str) -> None:
    amara, ref = desk("Amara"), a_complaint(cast)
    for sent, fields in (
        (f"/cases/{ref}/do/acknowledge?return={quote(then)}",
         {"version": "1", "issues.0.category": "Cold water", "understanding": "x", "adjustments_asked": "true"}),
        ("/bulk", {"bulk-from": then, "bulk-action": "note"}),
        ("/sandbox/sign-in", {"next": then, "as": "1"}),
        ("/sandbox/clock", {"from": then, "step": "1h"}),
    ):  # fmt: skip
        given = {**fields, "csrf": token(amara)}
        answer = amara.http.post(sent, data=given, headers={"referer": then.strip()}, follow_redirects=False)
        where = answer.headers.get("location", "/")
        assert where.startswith("/") and not where.startswith(("//", "/\\")), (sent, where)
        assert "\n" not in where
    story = amara.http.get(f"/sandbox/what-happened?from=20260302T090000Z&to=20260302T100000Z&back={quote(then)}")
    assert f'href="{then}"' not in story.text and "evil.example" not in story.text


# ------------------------------------------------------------------------------------- one thing by another's address


def test_nothing_of_another_case_is_reached_through_ones_own(app: FastAPI, cast: Cast, desk: SignedIn) -> None:
    mine, other = acknowledged(cast), a_complaint(cast, member="Süßstoff & Söhne", by="Bo")
    commands.fire(cast.env, other, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Bo"))
    file = evidence.add(cast.env, other, "secret.txt", b"hello", actor=cast.actor("Bo"))
    letter = cast.scalar("SELECT m.id FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :r", r=other)
    contact = cast.scalar("SELECT k.id FROM contacts k JOIN members m ON m.id = k.member_id WHERE m.team = 'South'")
    member, amara = cast.scalar("SELECT ref FROM members WHERE team = 'North'"), desk("Amara")
    for path in (f"/cases/{mine}/messages/{letter}", f"/cases/{mine}/messages/{letter}/html",
                 f"/cases/{mine}/files/{file.sha256}", f"/members/{member}/contacts/{contact}",
                 f"/campaigns/{mine}", f"/campaigns/{mine}/responses/{other}"):  # fmt: skip
        assert amara.http.get(path).status_code in (404, 400, 422), path
    program = caller(app, cast, "Amara")
    assert program.get(f"/cases/{mine}/evidence/{file.sha256}").status_code == 404
    assert program.get(f"/messages/{letter}").status_code == 404
    change = program.patch(f"/members/{member}/contacts/{contact}", json={"name": "Mallory"})
    assert change.status_code in (404, 422)
    assert cast.scalar("SELECT count(*) FROM contacts WHERE name = 'Mallory'") == 0


def test_a_link_reaches_no_letter_and_no_file_of_another_case(cast: Cast, visitor: Client) -> None:
    mine, other = acknowledged(cast), a_complaint(cast, member="Süßstoff & Söhne", by="Bo")
    commands.fire(cast.env, other, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Bo"))
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE messages SET state = 'sent', sent_at = now(), subject = 's', body_text = 'b'"))
    file = evidence.add(cast.env, mine, "inside.txt", b"hello", actor=cast.actor("Amara"))
    number = cast.scalar("SELECT id FROM cases WHERE ref = :r", r=mine)
    letter = cast.scalar("SELECT m.id FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :r", r=other)
    key = token_of(cast.env, "party:complainant", number)
    assert visitor.http.get(f"/p/complainant/{key}").status_code == 200
    for path in (f"letters/{letter}", f"letters/{9**30}", f"files/{file.sha256}", "files/..%2f..%2fx"):
        assert visitor.http.get(f"/p/complainant/{key}/{path}").status_code in (403, 404), path
    for path in (f"/m/{key}", f"/p/respondent/{key}", f"/unsubscribe/{key}", f"/links/leave/{key}", f"/password/{key}"):
        assert visitor.http.get(path).status_code in (404, 410), path


def test_what_somebody_typed_to_complain_leads_no_colleague_to_their_page(
    cast: Cast, desk: SignedIn, visitor: Client
) -> None:
    page = visitor.get("/complain")
    once = str(page.one("input[name=once]")["value"])
    page.form("main form").submit(what="The pool was cold all week.", reached_by="nobody")
    stored = cast.scalar("SELECT external_ref FROM cases")
    assert once not in stored
    ref = cast.scalar("SELECT ref FROM cases")
    assert once not in desk("Mina").http.get(f"/cases/{ref}").text


def test_nobody_acts_for_somebody_whom_they_do_not_stand_in_for(cast: Cast, desk: SignedIn) -> None:
    ref, bo = a_complaint(cast), desk("Bo")
    amara = cast.actor("Amara").person.removeprefix("staff:")
    for number in (amara, "1", "9" * 5000, "²", "-1", f"staff:{amara}"):
        assert bo.http.get(f"/cases/{ref}?for={number}").status_code == 404
        data = {"text": "mine now", "csrf": token(bo)}
        assert bo.http.post(f"/cases/{ref}/notes?for={number}", data=data).status_code == 404
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'note'") == 0


# ------------------------------------------------------------------------------- walls, and roles by the back door


def test_whoever_is_walled_off_learns_nothing_on_any_page_nor_through_the_api(cast: Cast) -> None:
    north = north_of(cast)
    app, env = create_app(cast.env), cast.env
    mina = sign_in(app, cast, "Mina")
    mine, csrf_field = int(cast.actor("Mina").person.removeprefix("staff:")), token(mina)
    number = cast.scalar("SELECT id FROM cases WHERE ref = :r", r=north.complaint)
    with transaction(env.engine) as conn:
        drafts.keep(conn, mine, number, drafts.NOTE, {"text": ["Stillewasser"]}, version=1, now=MONDAY)
    named = {"about_staff": [cast.actor("Mina").person]}
    commands.fire(env, north.complaint, "wall_off", payload=named, actor=cast.actor("Max"))
    with transaction(env.engine) as conn:
        conn.execute(text("UPDATE cases SET subject = 'Umgemauert' WHERE ref = :r"), {"r": north.complaint})
    secrets = ("Umgemauert", "Stillewasser", "Flüsterpost", north.complaint)
    headers = {"authorization": f"Bearer {north.tokens['Mina']}"}
    queries = ("", "?q=Stillewasser", "?q=Umgemauert", f"?member={quote('Nordgeheim AG')}&process=complaint")
    for _, path, route in routes(app, "GET"):
        rule = rule_for(route)
        if not (rule.scope or rule.roles & cast.actor("Mina").roles):
            continue
        address = filled(path, north)
        for query in queries if "{" not in path else ("",):
            answer = mina.http.get(f"{address}{query}", headers=headers if rule.scope else {}, follow_redirects=False)
            told = answer.text.replace(address, "").replace(quote(address, safe=""), "")
            told = told.replace(north.complaint, "") if north.complaint in address else told
            for secret in (each for each in secrets if each not in query):
                assert secret not in told, f"{address}{query} tells of {secret}"
    for path, data in (
        (f"/cases/{north.complaint}/notes", {"text": "x"}),
        (f"/cases/{north.complaint}/do/acknowledge/draft", {"understanding": "x"}),
        (f"/cases/{north.complaint}/assign", {"to": "mina@muster.example"}),
        (f"/cases/{north.complaint}/access", {"who": "everybody"}),
    ):
        answer = mina.http.post(path, data={**data, "csrf": csrf_field})
        assert answer.status_code == 404 and "Umgemauert" not in answer.text, path
    picks = {"bulk-case": f"{north.complaint}@1", "bulk-action": "note", "bulk-note": "x", "csrf": csrf_field}
    for path in ("/bulk", "/bulk/preview", "/bulk/do"):
        assert "Umgemauert" not in mina.http.post(path, data=picks).text
    other = north.monitoring
    answer = mina.http.post(f"/cases/{other}/duplicate", data={"of": north.complaint, "csrf": csrf_field})
    assert answer.status_code in (404, 422) and "Umgemauert" not in answer.text
    assert cast.scalar("SELECT count(*) FROM case_events WHERE case_id = :c AND actor = :m",
                       c=number, m=f"staff:{mine}") == 0  # fmt: skip


@pytest.mark.parametrize(("who", "by", "deputy"), [("Sol", "Mina", "Mina"), ("Cara", "Mina", "Amara"),
                                                   ("Cara", "Sol", "Sol"), ("Sol", "Mina", "Bo")])  # fmt: skip
def test_nobody_gets_the_last_word_by_recording_that_who_has_it_is_away(
    cast: Cast, who: str, by: str, deputy: str
) -> None:
    days = (MONDAY.date(), MONDAY.date() + timedelta(days=3))
    emails = {name: f"{name.lower()}@muster.example" for name in (who, deputy)}
    with pytest.raises(NotYours):
        set_absence(cast.env.engine, emails[who], *days, deputy=emails[deputy], actor=cast.actor(by), now=MONDAY)
    set_absence(cast.env.engine, emails[who], *days, deputy=emails[deputy], actor=cast.actor("Ada"), now=MONDAY)


def test_a_role_that_was_taken_away_is_gone_at_once(app: FastAPI, cast: Cast, desk: SignedIn) -> None:
    ada, program = desk("Ada"), caller(app, cast, "Mina")
    assert ada.http.get("/admin/staff").status_code == 200
    assert program.get("/cases").status_code == 200
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE staff SET roles = '{coordinator}', team = 'South' WHERE name IN ('Ada', 'Mina')"))
    ref = a_complaint(cast)
    assert ada.http.get("/admin/staff").status_code == 403
    assert ada.http.post("/admin/staff", data={"csrf": token(ada), "name": "Eve"}).status_code == 403
    assert program.get(f"/cases/{ref}").status_code == 404


# -------------------------------------------------------------------------------------------------- keys and secrets


def test_no_colleague_reads_the_key_of_a_personal_link_in_a_letter(app: FastAPI, cast: Cast) -> None:
    ref = acknowledged(cast)
    number = cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref)
    keys = [token_of(cast.env, "party:complainant", number), token_of(cast.env, links.MEMBER, number)]
    body = f"https://m.example/p/complainant/{keys[0]} https://m.example/m/{keys[1]} /unsubscribe/{keys[0]}"
    with transaction(cast.env.engine) as conn:
        conn.execute(
            text("UPDATE messages SET state = 'sent', sent_at = now(), subject = 's', body_text = :b, body_html = :b"),
            {"b": body},
        )
    letter = cast.scalar("SELECT id FROM messages WHERE case_id = :c LIMIT 1", c=number)
    program, desk_of = caller(app, cast, "Sol"), sign_in(app, cast, "Sol")
    told = [program.get(f"/messages/{letter}"), program.get(f"/cases/{ref}/messages"), program.get("/messages"),
            program.get(f"/cases/{ref}/events"), desk_of.http.get(f"/cases/{ref}/messages/{letter}"),
            desk_of.http.get(f"/cases/{ref}/messages/{letter}/html"), desk_of.http.get(f"/cases/{ref}")]  # fmt: skip
    assert "/p/complainant/…" in told[0].json()["body_text"]
    for answer in told:
        assert answer.status_code == 200
        assert not [key for key in keys if key in answer.text]


def test_what_a_failing_statement_was_given_is_not_said(engine: Engine) -> None:
    with pytest.raises(DataError) as failed, reading(engine) as conn:
        conn.execute(text("SELECT 1 / (length(:secret) - length(:secret))"), {"secret": "correct horse battery"})
    assert "correct horse" not in str(failed.value)


def test_addresses_are_not_logged_and_only_a_proxy_beside_us_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(served.uvicorn, "run", lambda app, **options: given.update(options))
    monkeypatch.setattr(served, "open_environment", lambda settings, role: None)
    monkeypatch.setattr(served, "create_app", lambda env: None)
    monkeypatch.setattr(served, "configure_logging", lambda *a, **k: None)
    served.main()
    assert given["access_log"] is False
    assert given["forwarded_allow_ips"] == "127.0.0.1"


def test_one_line_with_many_addresses_is_slowed_down_as_one() -> None:
    at = throttle.address
    assert at("2001:db8:1:2::1") == at("2001:db8:1:2:ffff::9") != at("2001:db8:1:3::1")
    assert at("::ffff:192.0.2.1") == at("192.0.2.1") != at("192.0.2.2")


def test_an_address_is_slowed_down_however_it_is_written() -> None:
    for email in ("ada@muster.example", "straße@muster.example", "İsmail@muster.example"):
        ways = {email, email.upper(), email.title(), f" {email}\t", email.swapcase()}
        same = {way for way in ways if way.strip().lower() == email.strip().lower()}
        assert len({throttle.account(way) for way in same}) == 1


@pytest.mark.parametrize(("path", "called", "field"), [
    ("/links/new", "web.visitors.links.ask_for_links", "email"),
    ("/cancel", "web.visitors.leaving.ask_to_leave", "who"),
    ("/password/forgotten", "web.accounts.forgotten._send_link", "email"),
])  # fmt: skip
def test_whether_an_address_is_known_is_looked_up_after_the_answer(
    app: FastAPI, cast: Cast, monkeypatch: pytest.MonkeyPatch, path: str, called: str, field: str
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise RuntimeError("this comes too late to change the answer")

    monkeypatch.setattr(called, asked)
    cookies = {csrf.VISITOR_COOKIE: "v"}
    key = csrf.token(cast.env.settings.secret_key.get_secret_value(), reader_of(path, cookies))
    data, stranger = {field: "a@b.example", "csrf": key}, browser(app, cookies)
    assert stranger.post(path, data=data, follow_redirects=False).status_code in (200, 303)


# ------------------------------------------------------------------------------------------------------- too much of it


def posted_to(app: FastAPI, body: bytes, kind: str) -> int:
    """Send a body to the form of signing in and return the status."""
    headers = {"content-type": kind}
    return browser(app).post("/sign-in", content=body, headers=headers, follow_redirects=False).status_code


def test_a_form_of_endless_fields_parts_or_names_is_refused_early(app: FastAPI) -> None:
    form = "application/x-www-form-urlencoded"
    assert posted_to(app, b"a&" * 200_000, form) == 400
    assert posted_to(app, b"a=" + b"x" * (3 * 1024 * 1024), form) == 400
    assert posted_to(app, b"a" * (3 * 1024 * 1024) + b"=x", form) == 400
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\nx\r\n'
    assert posted_to(app, part * 51 + b"--b--", "multipart/form-data; boundary=b") == 400
    assert posted_to(app, b"--b\r\n" + b"X: y\r\n" * 50_000, "multipart/form-data; boundary=b") == 400
    assert posted_to(app, part, "multipart/form-data") == 400
    for said in ("9" * 5000, "-1", "x"):
        answer = browser(app).post("/sign-in", content=b"a=b", headers={"content-length": said})
        assert answer.status_code == 413


def test_a_table_of_endless_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text("name," * 100_000 + "\n" + "x," * 100_000)
    with pytest.raises(Unusable, match="columns"):
        spreadsheets.read_table(path)


def test_a_workbook_that_says_to_be_endless_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    book, path = openpyxl.Workbook(), tmp_path / "members.xlsx"
    book.worksheets[0].append(["name", "email"])
    book.worksheets[0].append(["Acme", "a@acme.example"])
    book.save(path)
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    far = b'<row r="99999"><c r="XFD99999" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"</sheetData>", far)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    began = time.monotonic()
    assert [record.values["name"] for record in spreadsheets.read_table(path).records] == ["Acme"]
    assert time.monotonic() - began < 20


def test_a_workbook_that_unpacks_to_far_too_much_is_not_kept(cast: Cast, desk: SignedIn) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", bytes(310 * 1024 * 1024))
    mina = desk("Mina")
    page = mina.get("/members/import").form("main form").submit(files={"file": ("m.xlsx", bomb.getvalue())})
    assert page.status == 422 and "unpacks" in page.main
    assert not [*(cast.env.settings.home / "uploads").rglob("*.xlsx")]


@pytest.mark.parametrize("step", ["0001-01-01", "1999-12-31", "1066-10-14T09:00:00+00:00"])
def test_the_clock_of_a_sandbox_goes_nowhere_without_a_calendar(cast: Cast, step: str) -> None:
    with pytest.raises(BadInput, match="calendars"):
        sandbox_time.pass_time(cast.env, step)


# ------------------------------------------------------------------------------------- nonsense in every form, at last


def reader_of(path: str, cookies: dict[str, str]) -> str:
    """Under whose key the forms of a page are signed."""
    if path.startswith(("/m/", "/unsubscribe/", "/password/")):
        return f"link:{'/'.join(path.split('/')[:3])}"
    if path.startswith("/p/"):
        return f"link:{'/'.join(path.split('/')[:4])}"
    return f"session:{cookies['muster']}" if "muster" in cookies else f"visitor:{cookies[csrf.VISITOR_COOKIE]}"


def test_no_form_breaks_over_nasty_fields_and_files(attacked: FastAPI, north: North) -> None:
    names, broken = known_names(), []
    secret = north.cast.env.settings.secret_key.get_secret_value()
    for _, path, route in routes(attacked, "POST"):
        rule, address = rule_for(route), keyed(path, north)
        if rule.scope is not None:
            continue
        for turn in range(3):
            cookies = {csrf.VISITOR_COOKIE: "v"}
            if rule.roles:
                cookies = dict(sign_in(attacked, north.cast, somebody_for(rule, north)).http.cookies)
            key, someone = csrf.token(secret, reader_of(address, cookies)), browser(attacked, cookies)
            fields = [f"{name}={NASTY[(n + 7 * turn) % len(NASTY)]}" for n, name in enumerate(names)]
            body = "&".join(["csrf=" + key, "a%00b=x", "issues.0.%ED%A0%80=1", "a.0=1", "a.x=2", *fields])
            files = [("file", ("a\0b\u202e\ud800.txt".encode("utf-8", "replace").decode(), b"x\0y", "../x")),
                     ("files", ("x" * 3000 + ".pdf", b"%PDF-1.4", "text/html"))]  # fmt: skip
            form = {"content-type": "application/x-www-form-urlencoded"}
            answers = [someone.post(address, content=body, headers=form, follow_redirects=False)]
            if turn == 0:
                data = {"csrf": key, "text": "a\0b", "version": "1", "what": "y" * 20, "reason": "z"}
                answers += [
                    someone.post(address, data=data, files=files, follow_redirects=False),
                    someone.post(address, content=b"[" * 9999, headers={"content-type": "application/json"}),
                    someone.post(address, content=b"--x", headers={"content-type": "multipart/form-data; boundary=x"}),
                ]
            broken += [f"{path}, turn {turn}: {each.status_code}" for each in answers if each.status_code >= 500]
    assert broken == []

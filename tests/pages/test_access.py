"""Every route, every role, and the cases of another team. Bo must never see the North, wherever he looks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from cases import commands
from config.database import Engine, make_engine, reading
from members import staff_store
from state_machines.values import Role
from tests.cast import MONDAY, Cast, cast_of
from tests.conftest import fresh_database
from tests.pages.api_caller import a_complaint
from tests.pages.conftest import SignedIn, sign_in
from tests.pages.inspector import Client, Page
from tests.pages.north import MORE_PEOPLE, SECRETS, North, north_of
from web.app import create_app
from web.routing import routes_of, rule_of

QUESTIONNAIRE = "pulse"
KNOWN = Path(__file__).with_name("known_routes.txt")
PEOPLE = ("Amara", "Bo", "Mina", "Sol", "Cara", "Ada", *MORE_PEOPLE)


@pytest.fixture(scope="module")
def north(database_admin: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[North]:
    """Everything belongs to the North. One organisation for all these tests: none of them may change anything."""
    with fresh_database(database_admin) as url:
        engine = make_engine(url)
        yield north_of(cast_of(engine, tmp_path_factory.mktemp("north")))
        engine.dispose()


@pytest.fixture(scope="module")
def app(north: North) -> FastAPI:
    """Its desk."""
    return create_app(north.cast.env)


@pytest.fixture
def desk(app: FastAPI, north: North) -> SignedIn:
    """Sign somebody in."""
    return lambda name: sign_in(app, north.cast, name)


@pytest.fixture
def visitor(app: FastAPI, north: North) -> Client:
    """Somebody from the street."""
    return Client(app, north.cast.env.engine)


def routes(app: FastAPI, *methods: str) -> Iterator[tuple[str, str, APIRoute]]:
    """Every route as method, whole path, and itself."""
    for path, route in routes_of(app):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            if not methods or method in methods:
                yield method, path, route


def filled(path: str, north: North) -> str:
    """Return a path with the North's own things in it. Raises KeyError for a variable that nobody thought of."""
    of_case = {"approvals": north.complaint, "cases": north.complaint, "campaigns": north.campaign,
               "members": north.member, "documents": north.document}  # fmt: skip
    room = path.removeprefix("/api/v1").split("/")[1]
    named = {"processes": "complaint", "questionnaires": QUESTIONNAIRE}
    values = {
        "ref": of_case.get(room, north.complaint), "case_ref": north.response, "trigger": "acknowledge",
        "number": _number(path, north), "sha256": north.sha256, "view_id": north.view, "process": "complaint",
        "name": named.get(room, "deadlines"), "token": "0" * 43, "key": "A" * 43,
        "role": "complainant", "section": "1", "step": "complete", "what": "members", "kind": "csv",
        "language": "en",
    }  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), path)


def _number(path: str, north: North) -> int:
    if "contacts" in path:
        return north.contact
    if "proposals" in path:
        return north.proposal
    if "inbox" in path:
        return north.mails[0]
    return 1 if "staff" in path else north.message


def of_the_north(path: str) -> bool:
    """Whether a path names something that belongs to the North."""
    rooms = "cases|approvals|campaigns|inbox|members|messages|proposals|views"
    return re.match(rf"(/api/v1)?/({rooms})/(\{{|proposals/\{{)", path) is not None


def test_every_route_is_known_with_who_may_enter(app: FastAPI) -> None:
    found = "".join(f"{method} {path}: {rule_of(route).name}\n" for method, path, route in sorted(  # type: ignore[union-attr]
        routes(app), key=lambda each: (each[1], each[0])
    ))  # fmt: skip
    if os.environ.get("MUSTER_KNOWN_ROUTES") == "write":
        KNOWN.write_text(found)
    assert found == KNOWN.read_text(), "a route is new, gone or open to others: look, then MUSTER_KNOWN_ROUTES=write"


@pytest.mark.parametrize("name", PEOPLE)
def test_a_page_opens_for_the_roles_of_its_rule_and_for_nobody_else(
    app: FastAPI, north: North, desk: SignedIn, name: str
) -> None:
    person, roles = desk(name), roles_today(north.cast, name)
    wrong = []
    for method, path, route in routes(app, "GET", "POST"):
        rule = rule_of(route)
        assert rule is not None
        if not rule.roles or "{process}" in path or path == "/sign-out":
            continue
        address, may = filled(path, north), bool(roles & rule.roles)
        if method == "GET":
            status = person.http.get(address, follow_redirects=False).status_code
            refused = status in (401, 403) or status >= 500
        else:
            if may:
                continue  # what a permitted form does is tested with its page
            status = person.http.post(address, data={"csrf": token(person)}, follow_redirects=False).status_code
            refused = status == 403
        if refused is may and not (may and status == 403 and finer(path)):
            wrong.append(f"{method} {path} answers {name} with {status}; its rule is for {rule.name}")
    assert wrong == []


def roles_today(cast: Cast, name: str) -> frozenset[Role]:
    """Own roles, and those of who is away and has this person standing in: Dov has left, and Mina has his work."""
    with reading(cast.env.engine) as conn:
        staffing = staff_store.staffing(conn)
    me = staffing.by_email(f"{name.lower()}@muster.example")
    assert me is not None
    lent = (staffing.people[n].roles for n in staffing.deputises_for(me.id, MONDAY.date()))
    return me.roles.union(*lent)


def finer(path: str) -> bool:
    """Pages whose rule lets staff in and that then ask the engine or the register, which may still refuse."""
    of_all_teams = path.endswith(".{kind}")  # what is handed out is for who sees every team
    return of_all_teams or path.startswith(("/reports", "/cases/new", "/members"))


def test_a_stranger_enters_no_page_of_the_staff_and_a_form_of_theirs_does_nothing(
    app: FastAPI, north: North, visitor: Client
) -> None:
    before = north.fingerprint()
    for method, path, route in routes(app, "GET", "POST"):
        rule = rule_of(route)
        if rule is None or not rule.roles:
            continue
        answer = visitor.http.request(method, filled(path, north), follow_redirects=False)
        assert answer.status_code == (303 if method == "GET" else 401), f"{method} {path}: {answer.status_code}"
        assert_silent(answer.text, f"{method} {path}")
    assert north.fingerprint() == before


def test_bo_is_told_that_there_is_nothing_of_the_north(app: FastAPI, north: North, desk: SignedIn) -> None:
    bo, before = desk("Bo"), north.fingerprint()
    typed = {
        "text": "hello",
        "reason": "because of it",
        "name": "Mine",
        "order": str(north.contact),
        "step": "look",
        "who": "all",
    }
    typed["ref"] = north.response
    csrf = token(bo)
    for method, path, route in routes(app, "GET", "POST"):
        rule = rule_of(route)
        if rule is None or not rule.roles:
            continue
        sent = {"data": {**typed, "csrf": csrf}} if method == "POST" else {}
        if path in ("/sign-out", "/account/sessions/end") or (method == "POST" and not of_the_north(path)):
            continue
        answer = bo.http.request(method, filled(path, north), follow_redirects=method == "GET", **sent)  # type: ignore[arg-type]
        assert_silent(answer.text, f"{method} {path}")
        allowed = rule.roles & north.cast.actor("Bo").roles
        if of_the_north(path):
            assert answer.status_code == (404 if allowed else 403), f"{method} {path}: {answer.status_code}"
    assert north.fingerprint() == before


@pytest.mark.parametrize("query", [
    "q=Nordgeheim", "q=Verschwiegen", "q=Stillewasser", "member=Nordgeheim AG", "owner=amara@muster.example",
    "team=North", "q=CO-2026-000001", "state=received", "process=complaint", "q=nordgeheim.example",
])  # fmt: skip
def test_bo_finds_nothing_of_the_north_whatever_he_asks_for(
    app: FastAPI, north: North, desk: SignedIn, query: str
) -> None:
    bo = desk("Bo")
    for _, path, route in routes(app, "GET"):
        rule = rule_of(route)
        if rule is not None and rule.roles & north.cast.actor("Bo").roles and "{" not in path:
            answer = bo.http.get(f"{path}?{query}")
            assert_silent(_without(answer.text, query.partition("=")[2]), f"{path}?{query}")


def _without(html: str, asked: str) -> str:
    """Return a page without what the reader asked for, which it may repeat to them."""
    for form in {asked, quote(asked), quote_plus(asked), quote(asked, safe="@")}:
        html = html.replace(form, "")
    return html


def test_amara_sees_what_bo_does_not(app: FastAPI, north: North, desk: SignedIn) -> None:
    amara = desk("Amara")
    assert "Verschwiegen: a complaint" in amara.get("/queue").main
    assert "Nordgeheim AG" in amara.get(f"/members/{north.member}").text
    assert "Stillewasser runs deep" in amara.get(f"/cases/{north.complaint}").main


def test_whoever_is_named_in_a_complaint_and_who_changes_teams_are_believed_at_once(cast: Cast) -> None:
    north, app = north_of(cast), create_app(cast.env)
    mina, bo = sign_in(app, cast, "Mina"), sign_in(app, cast, "Bo")
    named = {"about_staff": [cast.actor("Mina").person]}
    commands.fire(cast.env, north.complaint, "wall_off", payload=named, actor=cast.actor("Max"))
    for path in ("/queue", "/cases", "/approvals", "/search?q=Stillewasser", f"/members/{north.member}"):
        assert "Verschwiegen: a complaint" not in mina.get(path).main, path
    assert "Verschwiegen" not in mina.get(f"/cases/{north.complaint}", status=404).text
    assert "Verschwiegen: a complaint" in sign_in(app, cast, "Max").get(f"/cases/{north.complaint}").text

    bo.get(f"/cases/{north.complaint}", status=404)
    with cast.env.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE staff SET team = 'North' WHERE name = 'Bo'")
    assert "Verschwiegen" in bo.get(f"/cases/{north.complaint}").text


# ------------------------------------------------------------------------------------------------------- the API


def test_a_token_of_bo_finds_nothing_of_the_north(app: FastAPI, north: North, visitor: Client) -> None:
    before, headers = north.fingerprint(), {"authorization": f"Bearer {north.tokens['Bo']}"}
    for method, path, route in routes(app):
        rule = rule_of(route)
        if rule is None or rule.scope is None:
            continue
        body = {} if method == "GET" else {"json": {}}
        if method != "GET" and "{" not in path:
            continue
        answer = visitor.http.request(method, filled(path, north), headers=headers, **body)  # type: ignore[arg-type]
        assert_silent(answer.text, f"{method} {path}")
        if of_the_north(path):
            assert answer.status_code in (404, 415, 422), f"{method} {path}: {answer.status_code} {answer.text[:300]}"
    assert north.fingerprint() == before


def test_the_api_opens_for_tokens_of_the_scope_and_for_nobody_else(app: FastAPI, north: North, visitor: Client) -> None:
    for method, path, route in routes(app):
        rule = rule_of(route)
        if rule is None or rule.scope is None:
            continue
        address = filled(path, north)
        for headers in ({}, {"authorization": "Bearer mst_" + "x" * 43}, {"authorization": "Basic eDp4"}):
            answer = visitor.http.request(method, address, headers=headers)
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
            assert "www-authenticate" in answer.headers


def token(person: Client) -> str:
    """Return a CSRF token of somebody who is signed in."""
    return str(Page.one(person.get("/account"), 'form[action="/sign-out"] input[name=csrf]')["value"])


def assert_silent(text: str, where: str) -> None:
    """Fail when an answer names anything of the North."""
    for secret in SECRETS:
        assert secret.casefold() not in text.casefold(), f"{where} tells of {secret}"


# ------------------------------------------------------------------------------- nothing tells that there is more


def test_no_page_export_or_list_of_bo_changes_when_something_happens_in_the_north(cast: Cast) -> None:
    north = north_of(cast)
    app, env, amara = create_app(cast.env), cast.env, cast.actor("Amara")
    a_complaint(cast, "South", "Rude letter")
    bo, headers = sign_in(app, cast, "Bo"), {"authorization": f"Bearer {north.tokens['Bo']}"}
    seen = {address: told(bo, address, headers) for address in _addresses(app, north)}
    [number] = cast.members("Südlich & Söhne", tier="Premier", country="NO", region="Fjordland")
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=number)
    for process, payload in (("complaint", {"category": "Lärm"}), ("cancellation", {"channel": "email"})):
        case = commands.open_one(env, process, member=ref, subject="Noch eine", payload=payload, actor=amara).after.ref
        commands.note(env, case, "Noch eine", actor=amara)
    with env.engine.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE cases SET deadline_at = %s, on_hold = true WHERE member_id IS NOT NULL AND team = 'North'",
            (MONDAY,),
        )
    changed = [address for address, before in seen.items() if told(bo, address, headers) != before]
    assert len(seen) > 80
    assert changed == []


def _addresses(app: FastAPI, north: North) -> Iterator[str]:
    """What Bo can ask for without knowing anything: each list with its usual filters, and each page of the campaign."""
    queries = ("", "?phase=all", "?q=Noch", "?member=M-000004")
    for _, path, route in routes(app, "GET"):
        rule = rule_of(route)
        if rule is None or path in ("/metrics", "/account") or not (rule.scope or Role.COORDINATOR in rule.roles):
            continue
        if "{" not in path:
            lists = path.startswith(("/cases", "/queue", "/members", "/search", "/calendar", "/api/v1/cases"))
            yield from (f"{path}{query}" for query in (queries if lists else queries[:1]))
        elif re.match(r"/(api/v1/)?campaigns/\{ref\}", path) and "case_ref" not in path:
            yield filled(path, north)


def told(person: Client, address: str, headers: dict[str, str]) -> tuple[int, str]:
    """Return what somebody is answered, but for the CSRF fields and sealed cursors, which are new with each answer."""
    given = headers if address.startswith("/api/") else {}
    answer = person.http.get(address, headers=given, follow_redirects=False)
    return answer.status_code, re.sub(r"[\w-]{16}\.[0-9a-f]{40}|cursor=[\w-]{48}", "…", answer.text)


def test_the_words_that_must_not_be_told_are_really_there(north: North) -> None:
    cast = north.cast
    assert cast.scalar("SELECT count(*) FROM members WHERE name LIKE 'Nordgeheim%'") == 1
    assert cast.scalar("SELECT count(*) FROM cases WHERE subject LIKE 'Verschwiegen%'") == 3
    assert cast.scalar("SELECT count(*) FROM event_personal WHERE data::text LIKE '%Stillewasser%'") >= 1
